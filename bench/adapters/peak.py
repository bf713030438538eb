"""The memory of training steps, counted in a process of its own for each variant: nothing is computed from shapes.

``python -m bench.adapters.peak NETWORK VARIANT THREADS [SHAPE]`` takes some steps and prints JSON, in bytes:

- ``resident``: the high-water mark of the process's resident memory while it took the steps, all of it;
- ``added``: by how much that is above what was resident before the first step, with network and input in place;
- ``pooling``: the tensors that a forward pass saves in pooling layers, as ``saved_tensors_hooks`` see them;
- ``pooling_alone``: those among them whose memory no other layer of the pass saves as well;
- ``all``: the memory that all layers save, each piece counted once.

The C library is told to give freed memory back at once. By default it keeps what it likes, and the same steps differ by
a tenth from run to run.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from ..check import reason
from ..contestant import load
from ..results import Peak
from .calls import TORCH
from .case import PREFIX
from .networks import BEFORE, SPPF, UNET, VGG, Network, prepared, stepping
from .small import INSTALLED

NETWORKS: Final = {network.name: network for network in (VGG, UNET, SPPF)}
MEASURED: Final = (VGG, UNET)
STEPS: Final = 3
WITHOUT_CACHE: Final = "install-off"  # nor with cenote's own memory of freed results
VARIANTS: Final = (BEFORE, INSTALLED, WITHOUT_CACHE)
# The second: processes that run side by side must not spin for each other.
_ENVIRONMENT: Final = {"MALLOC_MMAP_THRESHOLD_": "65536", "OMP_WAIT_POLICY": "PASSIVE"}
_PATIENCE: Final = 200  # seconds, for all variants of a network together
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK: Final = "5"


def name(network: Network) -> str:
    """Names the row."""
    return f"{PREFIX}-torch-memory-{network.name}"


def measure(network: Network, threads: int) -> Peak:
    """Every variant, each in a fresh process; they run side by side, for nothing is timed."""
    there = os.environ.get("PYTHONPATH")
    paths = [str(Path(__file__).parents[2]), *([there] if there else [])]
    own = {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": str(threads)}
    environment = {**os.environ, **own, **_ENVIRONMENT}
    running = {variant: _start(network, variant, threads, environment) for variant in VARIANTS}
    deadline = time.monotonic() + _PATIENCE
    variants: dict[str, dict[str, int]] = {}
    left_out: dict[str, str] = {}
    for variant, process in running.items():
        try:
            variants[variant] = _answer(process, deadline)
        except Exception as error:
            left_out[variant] = reason(error)
    return Peak(name(network), f"{network.text}, {STEPS} training steps", variants, left_out)


def _start(network: Network, variant: str, threads: int, environment: dict[str, str]) -> subprocess.Popen[str]:
    shape = "x".join(map(str, network.shape))
    command = [sys.executable, "-m", __name__, network.name, variant, str(threads), shape]
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _answer(process: subprocess.Popen[str], deadline: float) -> dict[str, int]:
    try:
        out, err = process.communicate(timeout=max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise TimeoutError(f"took longer than {_PATIENCE} s") from None
    if process.returncode:
        lines = err.strip().splitlines()
        raise RuntimeError(lines[-1] if lines else f"ended with {process.returncode}")
    return {name: int(value) for name, value in json.loads(out.splitlines()[-1]).items()}


# --- within the process of its own --------------------------------------------------------------------------------


def resident(field_name: str) -> int:
    """A line of the process's status in bytes: ``VmRSS`` now, ``VmHWM`` the high-water mark."""
    found = re.search(rf"^{field_name}:\s*(\d+) kB", _STATUS.read_text(encoding="ascii"), re.MULTILINE)
    if found is None:
        raise OSError(f"this system does not say {field_name}")
    return int(found[1]) << 10


@dataclass(slots=True)
class Saved:
    """What a forward pass saves for the backward pass, by where it lies in memory."""

    inside: int = 0  # within so many pooling layers
    pooling: int = 0
    pieces: dict[tuple[int, bool], int] = field(default_factory=dict)

    def pack(self, tensor: Any) -> Any:
        """A hook: looks, and leaves the tensor as it is."""
        storage = tensor.untyped_storage()
        within = self.inside > 0
        if within:
            self.pooling += tensor.nbytes
        self.pieces[storage.data_ptr(), within] = storage.nbytes()
        return tensor

    def numbers(self) -> dict[str, int]:
        """The three sums."""
        elsewhere = {at for at, within in self.pieces if not within}
        alone = sum(size for (at, within), size in self.pieces.items() if within and at not in elsewhere)
        every = {at: size for (at, _), size in self.pieces.items()}
        return {"pooling": self.pooling, "pooling_alone": alone, "all": sum(every.values())}


def saved(net: Any, x: Any) -> dict[str, int]:
    """One forward pass under hooks; while it lasts all pieces are alive, so no two share an address."""
    hooks, found = load("torch.autograd.graph").saved_tensors_hooks, Saved()

    def entered(*_: Any) -> None:
        found.inside += 1

    def left(*_: Any) -> None:
        found.inside -= 1

    handles = []
    for module in net.modules():
        if "Pool" in type(module).__name__:
            handles += [module.register_forward_pre_hook(entered), module.register_forward_hook(left)]
    with hooks(found.pack, lambda tensor: tensor):
        y = net(x)
    del y
    for handle in handles:
        handle.remove()
    return found.numbers()


def count(network: Network, variant: str, threads: int) -> dict[str, int]:
    """What the module's first lines say."""
    framework, room = load("torch"), load(TORCH)
    framework.set_num_threads(threads)
    if variant in (INSTALLED, WITHOUT_CACHE):
        room.install()
    if variant == WITHOUT_CACHE:
        load("cenote").set_cache_limit(0)
    net, x = prepared(network, variant)
    step: Callable[[], Any] = stepping(net, x)[0]
    before = resident("VmRSS")
    _CLEAR.write_text(_RESET_PEAK, encoding="ascii")
    for _ in range(STEPS):
        result = step()
        del result
    peak = resident("VmHWM")
    return {"resident": peak, "added": peak - before, **saved(net, x)}


def main(arguments: Sequence[str]) -> int:
    """Count, and print."""
    network, variant, threads, *shape = arguments
    chosen = NETWORKS[network]
    if shape:
        chosen = replace(chosen, shape=tuple(map(int, shape[0].split("x"))))
    print(json.dumps(count(chosen, variant, int(threads))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
