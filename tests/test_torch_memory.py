"""cenote.torch and memory: tensors without any, formats, views, the cache of results; threads; modes of dispatch."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

import cenote
from cenote.native import _core

if importlib.util.find_spec("torch") is None:
    pytest.skip("PyTorch is not installed: no comparison", allow_module_level=True)

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

import cenote.torch
from cenote.torch.tensors import as_array

CALLS: list[tuple[str, tuple[Any, ...]]] = [
    *(("max_pool", (2,)), ("avg_pool", (2,)), ("lp_pool", (2, 2)), ("adaptive_max_pool", (3,))),
    ("adaptive_avg_pool", (3,)),
]
pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore:.*torch.jit.* is deprecated:DeprecationWarning"),
]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums of PyTorch's own depend on its threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# ----------------------------------------------------------------------------------------------------------- modes


def test_inference_mode() -> None:
    with torch.inference_mode():
        x = torch.randn(1, 2, 4, 4)
        y, indices = cenote.torch.max_pool2d(x, 2, return_indices=True)
        back = cenote.torch.max_unpool2d(y, indices, 2)
        assert all(t.is_inference() for t in (y, indices, back))
        assert not cenote.torch.max_pool2d(torch.randn(1, 2, 4, 4, requires_grad=True), 2).requires_grad
    weights = torch.randn(1, 2, 2, 2, requires_grad=True)
    (cenote.torch.avg_pool2d(x, 2) * weights).sum().backward()  # a constant of inference mode may be pooled
    assert weights.grad is not None


MODULES = [
    *(lambda p: p.MaxPool2d(3, 2, 1, return_indices=True), lambda p: p.AvgPool2d(3, 2, 1, ceil_mode=True)),
    *(lambda p: p.LPPool2d(2, 2), lambda p: p.AdaptiveAvgPool2d((None, 3)), lambda p: p.AdaptiveMaxPool2d(3)),
]


@pytest.mark.parametrize("make", MODULES)
@pytest.mark.parametrize("where", ["meta", "fake"])
def test_tensors_without_memory(make: Callable[[Any], nn.Module], where: str) -> None:
    mode = FakeTensorMode() if where == "fake" else nullcontext()
    real = torch.randn(2, 3, 9, 8).to(memory_format=torch.channels_last)
    for real_x in (real, real.contiguous(), real[:0], real[0].contiguous()):
        real_y = make(cenote.torch)(real_x)
        with mode:
            device = "meta" if where == "meta" else "cpu"
            x = torch.empty_strided(real_x.shape, real_x.stride(), device=device, requires_grad=True)
            y = make(cenote.torch)(x)
            (y[0] if isinstance(y, tuple) else y).sum().backward()
        assert x.grad.shape == x.shape
        for got, want in zip(_pair(y), _pair(real_y), strict=True):
            assert (got.shape, got.dtype, got.device.type) == (want.shape, want.dtype, device)
            assert got.numel() == 0 or got.stride() == want.stride()


def _pair(y: Any) -> tuple[Tensor, ...]:
    return y if isinstance(y, tuple) else (y,)


def test_torch_function_modes_and_subclasses() -> None:
    """Subclasses and modes see our functions as they see PyTorch's."""
    from torch.overrides import TorchFunctionMode

    class Tagged(Tensor):
        pass

    names: list[str] = []

    class Log(TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            names.append(function.__name__)
            return function(*args, **(kwargs or {}))

    x = torch.randn(1, 2, 4, 4)
    tagged = x.as_subclass(Tagged)
    y, _ = cenote.torch.max_pool2d(tagged, 2, return_indices=True)
    assert type(y) is type(F.max_pool2d(tagged, 2)) is Tagged
    assert torch.equal(y.as_subclass(Tensor), F.max_pool2d(x, 2))
    assert type(cenote.torch.MaxPool2d(2)(tagged)) is Tagged
    with Log():
        cenote.torch.max_pool2d(x, 2)
    assert "max_pool2d" in names


# ------------------------------------------------------------------------------------------------- memory and threads


def test_channels_last_in_and_out() -> None:
    for rank, memory in ((2, torch.channels_last), (3, torch.channels_last_3d)):
        x = torch.randn(2, 3, *(6,) * rank).to(memory_format=memory).requires_grad_()
        for kind, words in CALLS:
            y = getattr(cenote.torch, f"{kind}{rank}d")(x, *words)
            assert y.is_contiguous(memory_format=memory), kind
            plain = getattr(cenote.torch, f"{kind}{rank}d")(x.contiguous(), *words)
            assert plain.is_contiguous()
            assert torch.equal(y, plain)
            (dx,) = torch.autograd.grad(y.square().sum(), x)
            assert dx.is_contiguous(memory_format=memory), kind
            assert torch.equal(dx, torch.autograd.grad(plain.square().sum(), x)[0])


VIEWS: dict[str, Callable[[Tensor], Tensor]] = {
    "whole": lambda x: x,
    "steps": lambda x: x[::2, :, 1::2, 3:],
    "transposed": lambda x: x.transpose(2, 3),
    "channels last": lambda x: x.to(memory_format=torch.channels_last),
    "its window": lambda x: x.to(memory_format=torch.channels_last)[:, :, 2:7, 1::2],
    "expanded": lambda x: x[:, :1].expand(-1, 5, -1, -1),
    "overlapping": lambda x: x.flatten().as_strided((2, 3, 6, 6), (7, 5, 3, 1)),
    "as bfloat16": lambda x: x.bfloat16()[:, :, ::2],
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_are_read_in_place(name: str) -> None:
    x = VIEWS[name](torch.randn(4, 3, 12, 13))
    for last in (False, True):
        array = as_array(x, last)
        assert array.__array_interface__["data"][0] == x.data_ptr()  # no copy
    for words in ({}, {"return_indices": True}):
        got = _pair(cenote.torch.max_pool2d(x, 3, 2, 1, **words))
        for a, b in zip(got, _pair(F.max_pool2d(x.contiguous(), 3, 2, 1, **words)), strict=True):
            assert torch.equal(a, b)
    assert not got[0].is_set_to(x)


def test_nothing_is_written_into_the_input_nor_shared_with_it() -> None:
    """A window of one cell is a copy, not the input."""
    array = np.random.default_rng(0).normal(size=(1, 2, 4, 4)).astype(np.float32)
    x = torch.from_numpy(array)
    before = x.clone()
    for name in ("max_pool2d", "avg_pool2d", "sum_pool2d", "min_pool2d"):
        y = getattr(cenote.torch, name)(x, 1)
        assert torch.equal(y, x)
        y.add_(1)
        assert torch.equal(x, before)
    array[0, 0, 0, 0] = 99  # memory that is shared with NumPy, and changes
    assert cenote.torch.max_pool2d(x, 2)[0, 0, 0, 0] == 99
    shared = torch.randn(1, 2, 4, 4).share_memory_()
    assert torch.equal(cenote.torch.max_pool2d(shared, 2), F.max_pool2d(shared, 2))


@pytest.mark.parametrize("gradient", [False, True])
def test_empty_batches(gradient: bool) -> None:
    for kind, words in CALLS:
        for rank in (1, 2, 3):
            for shape in ((0, 3, *(6,) * rank), (2, 0, *(6,) * rank)):
                x = torch.randn(shape, requires_grad=gradient)
                y = getattr(cenote.torch, f"{kind}{rank}d")(x, *words)
                assert y.shape == (*shape[:2], *(3,) * rank)
                if gradient:
                    y.sum().backward()
                    assert x.grad.shape == shape


def test_results_lie_in_the_cache() -> None:
    """Memory that a tensor leaves behind serves the next one; views keep it alive."""
    cenote.empty_cache()
    x = torch.randn(16, 16, 128, 128)
    y = cenote.torch.max_pool2d(x, 2)
    size, where = y.nbytes, y.data_ptr()
    view = y.view(-1)[::2]
    del y
    assert _core.cache_held() == 0
    del view
    assert _core.cache_held() == size
    y = cenote.torch.avg_pool2d(x, 2)
    assert (y.data_ptr(), _core.cache_held()) == (where, 0)
    leaf = x.clone().requires_grad_()
    cenote.torch.max_pool2d(leaf, 2).sum().backward()
    held = _core.cache_held()
    leaf.grad = None
    assert _core.cache_held() == held + x.nbytes  # the gradient lay there, too
    cenote.empty_cache()


def test_as_many_threads_as_pytorch_says(eager: Callable[[], int]) -> None:
    """Forward, backward, with positions, undone, and rerouted: none on one thread, and some on two."""
    cenote.set_num_threads(2)
    x = torch.randn(8, 16, 64, 64, requires_grad=True)
    y, indices = cenote.torch.max_pool2d(x.detach(), 2, return_indices=True)

    def rerouted() -> Any:
        with cenote.torch.installed():
            return F.max_pool2d(x, 2).sum().backward()

    calls: dict[str, Callable[[], Any]] = {
        "forward": lambda: cenote.torch.max_pool2d(x.detach(), 2),
        "backward": lambda: cenote.torch.max_pool2d(x, 2).sum().backward(),
        "positions": lambda: cenote.torch.max_pool2d(x.detach(), 2, return_indices=True),
        "norm": lambda: cenote.torch.lp_pool2d(x, 2, 2).sum().backward(),
        "undone": lambda: cenote.torch.max_unpool2d(y, indices, 2),
        "rerouted": rerouted,
        "registered": lambda: torch.jit.trace(cenote.torch.AvgPool2d(2), x.detach(), check_trace=False)(x).sum(),
    }
    for name, call in calls.items():
        counts = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            before = eager()
            for _ in range(3):
                call()
            counts.append(eager() - before)
            assert cenote.torch.explain(cenote.torch.max_pool2d, x, 2).threads == threads
        assert counts[0] == 0, name
        assert counts[1] > 0, name


def test_many_threads_of_python() -> None:
    """Forward and backward at once from eight threads, with first calls among them."""
    x = torch.randn(4, 4, 32, 32)
    want = {}
    for size in range(2, 10):
        leaf = x.clone().requires_grad_()
        F.max_pool2d(leaf, size, 1).sum().backward()
        want[size] = leaf.grad
    wrong: list[Any] = []

    def work(size: int) -> None:
        for _ in range(20):
            leaf = x.clone().requires_grad_()
            cenote.torch.MaxPool2d(size, 1)(leaf).sum().backward()
            if not torch.equal(leaf.grad, want[size]):
                wrong.append(size)

    threads = [threading.Thread(target=work, args=(size,)) for size in want]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
