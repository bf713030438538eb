"""cenote.torch in several processes: distributed training, data loaders, and models that are read by other programs."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import pytest

from fresh import python

if importlib.util.find_spec("torch") is None:
    pytest.skip("PyTorch is not installed: no comparison", allow_module_level=True)

import torch
from torch import nn

import cenote.torch
import torch_processes as processes
from torch_models import images, made

pytestmark = [pytest.mark.torch]
RUN = "import torch_processes as p\nif __name__ == '__main__':\n    "


def script(folder: Path, line: str) -> None:
    """A program of one line, in a file of its own: processes that are spawned read it again."""
    file = folder / "program.py"
    file.write_text(RUN + line)
    python(f"import runpy; runpy.run_path({str(file)!r}, run_name='__main__')")


def test_distributed_training(tmp_path: Path) -> None:
    """DistributedDataParallel with gloo in two processes: both have the gradients of one process with all pictures."""
    script(tmp_path, f"p.train({str(tmp_path)!r})")
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    assert first.keys() == second.keys()
    for key, gradients in first.items():
        assert all(map(torch.equal, gradients, second[key])), key
    for pools in ("cenote", "converted", "installed"):
        assert all(map(torch.equal, first["max", pools], first["max", "torch"])), pools
        # Averages and lp round a few units of float32 in other places; gradients are of size 0.1 to 1.
        for ours, theirs in zip(first[processes.KINDS, pools], first[processes.KINDS, "torch"], strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    for kinds in ("max", processes.KINDS):
        model = made(cenote.torch, kinds)
        processes.loss(model, images()).backward()
        for parameter, gradient in zip(model.parameters(), first[kinds, "cenote"], strict=True):
            # two halves are added in another order than all at once: again a few units
            torch.testing.assert_close(gradient, parameter.grad, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_data_loader(method: str, tmp_path: Path) -> None:
    """Workers pool, whether they inherit a process whose kernels' threads are running, or begin afresh."""
    script(tmp_path, f"p.load({str(tmp_path)!r}, {method!r})")
    ys, indices = torch.load(tmp_path / f"{method}.pt")
    for i, (y, where, _) in enumerate(processes.Pooled()[i] for i in range(6)):
        assert torch.equal(ys[i], y)
        assert torch.equal(indices[i], where)


def test_what_other_programs_read(tmp_path: Path) -> None:
    """Exported, traced and pickled models, read and run by a program that imports cenote.torch first."""
    model = made(cenote.torch, processes.KINDS).eval().requires_grad_(False)
    few, others = images(), images(3, 20, seed=8)
    any_length = {0: torch.export.Dim.DYNAMIC, 2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
    with warnings.catch_warnings():  # torch.jit is to go; what it says of itself is not ours
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="torch.*")
        torch.export.save(torch.export.export(model, (few,)), tmp_path / "static.pt2")
        torch.export.save(torch.export.export(model, (few,), dynamic_shapes=(any_length,)), tmp_path / "dynamic.pt2")
        torch.jit.save(torch.jit.trace(model, few), tmp_path / "traced.pt")
    torch.save(model, tmp_path / "model.pt")
    torch.save(model.state_dict(), tmp_path / "state.pt")
    converted = made(nn, processes.KINDS).eval()
    cenote.torch.convert(converted)
    torch.save(converted, tmp_path / "converted.pt")
    script(tmp_path, f"p.serve({str(tmp_path)!r})")
    served: dict[str, Any] = torch.load(tmp_path / "served.pt")
    assert torch.equal(served.pop("static"), model(few))
    assert set(served) == {"dynamic", "traced", "model", "converted", "state"}
    for name, y in served.items():
        assert torch.equal(y, model(others)), name


def test_a_program_without_cenote_is_told_what_is_missing(tmp_path: Path) -> None:
    torch.export.save(torch.export.export(cenote.torch.MaxPool2d(2), (images(),)), tmp_path / "static.pt2")
    said = python(
        f"""
import torch
try:
    torch.export.load({str(tmp_path / "static.pt2")!r})
except RuntimeError as error:
    print("refused")
import cenote.torch
print(torch.export.load({str(tmp_path / "static.pt2")!r}).module()(torch.ones(4, 1, 16, 16)).shape)
"""
    )
    assert said.split("\n")[:2] == ["refused", "torch.Size([4, 1, 8, 8])"]


COMPILED = """
import torch
if {installed}:
    import cenote.torch
    cenote.torch.install()

def pooled(x):  # which Inductor leaves to the operator: no C++ is compiled
    return torch.nn.functional.adaptive_max_pool2d(x, 3)

x = torch.randn(1, 2, 8, 8)
compiled = torch.compile(pooled)
assert torch.equal(compiled(x), pooled(x))
with torch.profiler.profile() as watched:
    compiled(x)
print(any("cenote" in event.key for event in watched.key_averages()))
"""


@pytest.mark.slow
def test_compiled_graphs_that_are_kept_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch's compiler keeps graphs for later programs: those with rerouted operators are not for programs without,
    which may never have heard of cenote, nor the other way round."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    for installed in (True, False, True):
        said = python(COMPILED.format(installed=installed))
        assert said.split()[-1] == str(installed)


def test_a_fork_in_the_midst_of_training() -> None:
    """A graph made in the parent is walked backwards in a forked child, and in the parent again. Nothing of PyTorch's
    own runs on several threads in the child: that hangs (OpenMP), with its pooling too."""
    said = python(
        """
import os, signal, torch, cenote, cenote.torch
cenote.set_num_threads(2)
x = torch.randn(8, 16, 64, 64, requires_grad=True)
y = cenote.torch.max_pool2d(x, 3, 2, 1)
g = torch.ones_like(y)
want = torch.autograd.grad(y, x, g, retain_graph=True)[0].numpy()
child = os.fork()
if child == 0:
    signal.alarm(60)
    got = torch.autograd.grad(y, x, g)[0].numpy()
    again = cenote.torch.max_pool2d(x, 3, 2, 1).detach().numpy()
    os._exit(0 if (got == want).all() and (again == y.detach().numpy()).all() else 7)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), (torch.autograd.grad(y, x, g)[0].numpy() == want).all())
"""
    )
    assert said.split() == ["0", "True"]
