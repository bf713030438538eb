"""Large calls inside a framework: the peers of the main table, once as they are and once with the import swapped."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import ours
from ..contestant import Contestant, load
from ..data import Array, Data
from ..peers.jax_ import Jax
from ..peers.torch_ import Torch
from ..workload import Workload, shape_text
from .case import Case, Kit

TORCH, JAX, FILL = "cenote.torch", "cenote.jax", "fill"


class SwappedTorch(Torch):
    """What ``Torch`` does, with ``import cenote.torch as F``."""

    name = TORCH

    def start(self, threads: int) -> None:
        """Import both."""
        super().start(threads)
        self.functional = load(TORCH)


class SwappedJax(Jax):
    """What ``Jax`` does, with the function of cenote.jax that bears the name of cenote's own."""

    name = JAX

    def start(self, threads: int) -> None:
        """Import both."""
        super().start(threads)
        self.room = load(JAX)

    def pool(self, workload: Workload, last: bool) -> Callable[[Any], Any]:
        """The row's layout is the array's own."""
        fn, positional, words = ours.function(workload)
        swapped = getattr(self.room, fn.__name__)
        return lambda x: swapped(x, *positional, **words)


def entering(contestant: Contestant, threads: int) -> Contestant:
    """The same; its turns also begin with cenote's own defaults, and it is measured in full however slow it is."""
    before, usual = contestant.enter, ours.usual(threads)

    def enter() -> None:
        usual()
        before()

    contestant.enter, contestant.prime = enter, True
    return contestant


def torch(workload: Workload, kit: Kit) -> list[Contestant]:
    """The NumPy call, PyTorch, and cenote.torch on the very memory of the NumPy call."""
    data = Data(workload, kit.numbers)
    found = [_numpy(workload, data, kit.threads)]
    for peer in (Torch(), SwappedTorch()):
        peer.start(kit.threads)
        made = peer.contestant(peer.name, workload, data, kit.threads, workload.channels_last)
        made.exact = peer.name == TORCH
        found.append(entering(made, kit.threads))
    return found


def jax(workload: Workload, kit: Kit) -> list[Contestant]:
    """The NumPy call, JAX, cenote.jax, and a handler that only fills as many bytes as the results of a call have."""
    data = Data(workload, kit.numbers)
    found = [_numpy(workload, data, kit.threads)]
    for peer in (Jax(), SwappedJax()):
        peer.start(kit.threads)
        made = peer.contestant(peer.name, workload, data, workload.channels_last)
        made.exact = peer.name == JAX
        found.append(entering(made, kit.threads))
    shapes = [workload.out_shape, workload.shape][: 1 + workload.backward]
    return [*found, _filling(shapes, workload.dtype, kit.threads)]


def _numpy(workload: Workload, data: Data, threads: int) -> Contestant:
    return ours.contestants(workload, data, threads, {})[0]


def _filling(shapes: Sequence[tuple[int, ...]], dtype: str, threads: int) -> Contestant:
    """One custom call a result, each with another byte: of two that are alike XLA would make one."""
    jax = load("jax")

    def fill() -> Any:
        results = [jax.ShapeDtypeStruct(shape, np.dtype(dtype)) for shape in shapes]
        return [jax.ffi.ffi_call("cenote_fill", r)(byte=np.int64(i + 1)) for i, r in enumerate(results)]

    compiled = jax.jit(fill)

    def arrays(result: Any) -> list[Array]:
        return [np.asarray(array) for array in result]

    def call() -> Any:
        return jax.block_until_ready(compiled())

    return entering(Contestant(FILL, call, arrays, keep=[compiled]), threads)


def filled(found: Sequence[Array]) -> bool:
    """Whether the handler wrote every byte of every result."""
    return all(
        math.prod(array.shape) and bool((np.ascontiguousarray(array).view(np.uint8) == i + 1).all())
        for i, array in enumerate(found)
    )


def case(room: str, workload: Workload, quick: bool) -> Case:
    """A row for ``room``: ``torch`` or ``jax``."""
    make, name, base = (torch, TORCH, ("cenote",)) if room == "torch" else (jax, JAX, ("cenote", FILL))
    title = f"{workload.op} {workload.geometry} {workload.dtype} {workload.layout} {shape_text(workload.shape)}"
    return Case(
        f"{room}-{workload.id}",
        title + ", forward and backward" * workload.backward,
        f"{room}-{'backward' if workload.backward else 'forward'}",
        name,
        base,
        lambda kit: make(workload, kit),
        workload,
        patience=3 if workload.backward else 1.5,
        sample=0.02 if room == "jax" and not workload.backward else 0,
        quick=quick,
    )
