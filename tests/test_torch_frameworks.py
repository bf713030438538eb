"""cenote.torch among PyTorch's machinery: training, autocast, hooks, saved tensors, threads, memory, dispatch."""

from __future__ import annotations

import copy
import importlib.util
import pickle
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
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
from torch.utils.checkpoint import checkpoint

import cenote.torch
from cenote.torch.tensors import as_array
from torch_models import gradients, images, made, pools_of, trained

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore:.*torch.jit.* is deprecated:DeprecationWarning"),
]
MORE = "max avg lp unpool adaptive"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums of PyTorch's own depend on its threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def converted(kinds: str) -> nn.Module:
    model = made(nn, kinds)
    cenote.torch.convert(model)
    assert set(pools_of(model)) == {"cenote.torch"}
    return model


# ---------------------------------------------------------------------------------------------------------- training


@pytest.mark.parametrize("way", ["modules", "convert", "install"])
def test_fifty_steps_of_maxima_are_the_same(way: str) -> None:
    """Everything else is deterministic on one thread, so losses are equal to the last bit."""
    want = trained(made(nn, "max"))
    with cenote.torch.installed() if way == "install" else nullcontext():
        model = {"modules": lambda: made(cenote.torch, "max"), "convert": lambda: converted("max")}
        got = trained(model.get(way, lambda: made(nn, "max"))())
    assert got == want
    assert want[-1] < want[0] / 100  # it did learn


def test_fifty_steps_of_averages_stay_close() -> None:
    """Averages and lp round at other places, by a unit or two of float32 (1e-7). Fifty steps of descent with momentum
    make about a thousand times that of it; pooling that is wrong in one tap is off by a tenth after the first."""
    want = trained(made(nn, MORE))
    ways = [made(cenote.torch, MORE), converted(MORE)]
    for losses in map(trained, ways):
        assert all(abs(a - b) <= 1e-6 * want[0] for a, b in zip(losses[:3], want, strict=False))
        assert all(abs(a - b) <= 1e-3 * want[0] for a, b in zip(losses, want, strict=True))
    with cenote.torch.installed():
        losses = trained(made(nn, MORE))
    assert all(abs(a - b) <= 1e-3 * want[0] for a, b in zip(losses, want, strict=True))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_training_step_of_mixed_precision(dtype: torch.dtype) -> None:
    """Autocast and a gradient scaler: maxima give the very weights that PyTorch's own give."""
    weights = []
    for pools in (nn, cenote.torch):
        model = made(pools, "max")
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
        scaler = torch.amp.GradScaler("cpu", init_scale=256.0)
        for _ in range(3):
            optimiser.zero_grad()
            with torch.autocast("cpu", dtype=dtype):
                loss = model(images()).square().mean()
            scaler.scale(loss).backward()
            scaler.step(optimiser)
            scaler.update()
        weights.append([p.detach().clone() for p in model.parameters()])
    for ours, theirs in zip(weights[1], weights[0], strict=True):
        # 16-bit gradients are rounded once here, and in PyTorch whenever a window adds to them; bf16 has 8 bits
        torch.testing.assert_close(ours, theirs, rtol=0.02, atol=0.02 * theirs.abs().max().item())


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpointing(reentrant: bool) -> None:
    model = made(cenote.torch, MORE)
    x = images().requires_grad_()
    want = gradients(model, x)
    dx, x.grad = x.grad, None
    loss = checkpoint(model, x, use_reentrant=reentrant).square().sum()
    model.zero_grad()
    loss.backward()
    assert loss.item() == want[0]
    assert torch.equal(x.grad, dx)
    assert all(map(torch.equal, (p.grad for p in model.parameters()), want[1]))


# --------------------------------------------------------------------------------------------------------- autocast

CALLS: list[tuple[str, tuple[Any, ...]]] = [
    *(("max_pool", (2,)), ("avg_pool", (2,)), ("lp_pool", (2, 2)), ("adaptive_max_pool", (3,))),
    *(("adaptive_avg_pool", (3,)), ("max_unpool", (2,))),
]


@pytest.mark.parametrize("low", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(("kind", "words"), CALLS)
def test_autocast_gives_the_dtype_that_pytorch_gives(
    kind: str, words: tuple[Any, ...], rank: int, low: torch.dtype
) -> None:
    name = f"{kind}{rank}d"
    for dtype in (torch.float32, low):
        x: tuple[Tensor, ...] = (torch.randn(1, 2, *(6,) * rank).to(dtype),)
        if kind == "max_unpool":
            x = getattr(F, f"max_pool{rank}d")(*x, 2, return_indices=True)
        with torch.autocast("cpu", dtype=low):
            want = getattr(F, name)(*x, *words)
            assert getattr(cenote.torch, name)(*x, *words).dtype is want.dtype
            leaf = x[0].clone().requires_grad_()
            y = getattr(cenote.torch, name)(leaf, *x[1:], *words)
            with cenote.torch.installed():
                assert getattr(F, name)(*x, *words).dtype is want.dtype
        assert y.dtype is want.dtype
        y.float().sum().backward()
        assert leaf.grad is not None
        assert leaf.grad.dtype is dtype


# ---------------------------------------------------------------------------------------------------- saved tensors


def saved(function: Callable[[Tensor], Any], x: Tensor) -> list[tuple[torch.dtype, tuple[int, ...]]]:
    """What is kept for the backward pass."""
    kept = []

    def pack(t: Tensor) -> Tensor:
        kept.append((t.dtype, tuple(t.shape)))
        return t

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        y = function(x)
    (y[0] if isinstance(y, tuple) else y).sum().backward()
    return kept


SMALL = [(torch.uint8, (2, 3, 4, 4))]
SAVED: dict[str, tuple[Callable[[Tensor], Any], list[Any]]] = {
    "max": (lambda x: cenote.torch.max_pool2d(x, 2), SMALL),
    "max with indices": (lambda x: cenote.torch.max_pool2d(x, 2, return_indices=True), SMALL),
    "min": (lambda x: cenote.torch.min_pool2d(x, 2), SMALL),
    "adaptive max": (lambda x: cenote.torch.adaptive_max_pool2d(x, 4), SMALL),
    "255 taps": (lambda x: cenote.torch.max_pool2d(x, (8, 8), 2, 3), SMALL),
    "average": (lambda x: cenote.torch.avg_pool2d(x, 2), []),
    "adaptive average": (lambda x: cenote.torch.adaptive_avg_pool2d(x, 1), []),
    "sum": (lambda x: cenote.torch.sum_pool2d(x, 2), []),
    "PyTorch's max": (lambda x: F.max_pool2d(x, 2), SMALL),
    "PyTorch's max with indices": (lambda x: F.max_pool2d(x, 2, return_indices=True), SMALL),
    "PyTorch's average": (lambda x: F.avg_pool2d(x, 2), []),
    "PyTorch's adaptive average": (lambda x: F.adaptive_avg_pool2d(x, 1), []),
    "PyTorch's adaptive max": (lambda x: F.adaptive_max_pool2d(x, 4), SMALL),
}


@pytest.mark.parametrize("name", SAVED)
def test_one_byte_per_output_is_saved_or_nothing(name: str) -> None:
    function, want = SAVED[name]
    with cenote.torch.installed() if name.startswith("PyTorch") else nullcontext():
        assert saved(function, torch.randn(2, 3, 8, 8, requires_grad=True)) == want


def test_large_windows_need_two_bytes() -> None:
    x = torch.randn(1, 1, 40, 40, requires_grad=True)
    assert saved(lambda x: cenote.torch.max_pool2d(x, 17, 1), x) == [(torch.uint16, (1, 1, 24, 24))]


def test_saved_on_disk_and_back() -> None:
    """Hooks may give other tensors back than those that were saved."""
    x = torch.randn(2, 3, 8, 8, requires_grad=True)
    want = torch.autograd.grad(cenote.torch.max_pool2d(x, 3, 2).sum(), x)[0]
    with torch.autograd.graph.saved_tensors_hooks(pickle.dumps, pickle.loads):
        y = cenote.torch.max_pool2d(x, 3, 2)
    assert torch.equal(torch.autograd.grad(y.sum(), x)[0], want)
    with torch.autograd.graph.save_on_cpu():
        y = cenote.torch.max_pool2d(x, 3, 2)
    assert torch.equal(torch.autograd.grad(y.sum(), x)[0], want)


# ---------------------------------------------------------------------------------------------------- hooks, copies


def hooked(module: nn.Module, convert: bool) -> list[Any]:
    """What hooks of every kind see, where they change what passes."""
    seen: list[Any] = []
    module.register_forward_pre_hook(lambda m, args: seen.append(("before", args[0].shape)))
    module.register_forward_hook(lambda m, args, y: y * 2)
    module.register_full_backward_pre_hook(lambda m, g: seen.append(("backward", g[0].item())))
    module.register_full_backward_hook(lambda m, gi, go: (gi[0] * 3,))
    if convert:
        cenote.torch.convert(module)
    x = torch.tensor([[[[1.0, 5.0], [2.0, 3.0]]]], requires_grad=True)
    y = module(x)
    y.backward()
    return [*seen, y.item(), x.grad.tolist()]


def test_hooks_of_modules() -> None:
    """Registered before a conversion or not, they see and change what they see and change in PyTorch's module."""
    want = hooked(nn.MaxPool2d(2), convert=False)
    assert want[-2:] == [10, [[[[0, 6], [0, 0]]]]]
    assert hooked(nn.MaxPool2d(2), convert=True) == want
    assert hooked(cenote.torch.MaxPool2d(2), convert=False) == want


def test_copies_and_pickles_of_models() -> None:
    for model in (made(cenote.torch, MORE), converted(MORE)):
        want = model(images())
        for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            assert torch.equal(twin(images()), want)
            assert repr(twin) == repr(model)
            assert pools_of(twin) == pools_of(model)
            assert not {p.data_ptr() for p in twin.parameters()} & {p.data_ptr() for p in model.parameters()}


def test_what_is_made_while_installed_works_after() -> None:
    """A model copied, a graph recorded and a gradient asked for on either side of install()."""
    x = images().requires_grad_()
    model = made(nn, "max")
    with cenote.torch.installed():
        twin, y = copy.deepcopy(model), model(x)
        kernel = y.grad_fn
    (dx,) = torch.autograd.grad(y.sum(), x)
    z = twin(x)
    assert kernel is not None
    assert torch.equal(z, y)
    with cenote.torch.installed():
        assert torch.equal(torch.autograd.grad(z.sum(), x)[0], dx)
    assert not cenote.torch.is_installed()


def test_double_backward_through_two_layers() -> None:
    """A penalty on a gradient, as in adversarial training: first and second derivatives are PyTorch's."""

    def penalty(pools: Any) -> list[Tensor]:
        torch.manual_seed(0)
        layers: list[nn.Module] = [nn.Conv2d(1, 3, 3), nn.Tanh(), pools.MaxPool2d(2), nn.Conv2d(3, 3, 2), nn.Tanh()]
        net = nn.Sequential(*layers, pools.AvgPool2d(3, 2), pools.LPPool2d(2, 2)).double()
        x = torch.randn(2, 1, 20, 20, dtype=torch.float64, requires_grad=True)
        (g,) = torch.autograd.grad(net(x).square().sum(), x, create_graph=True)
        g.square().sum().backward()
        return [x.grad, *(p.grad for p in net.parameters() if p.grad is not None)]

    for ours, theirs in zip(penalty(cenote.torch), penalty(nn), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)  # float64: a thousand times its rounding


def test_non_leaves_and_repeated_backward() -> None:
    x = torch.randn(1, 2, 6, 6, requires_grad=True)
    middle = x * 2
    middle.retain_grad()
    y = cenote.torch.max_pool2d(middle, 2)
    y.sum().backward(retain_graph=True)
    once = x.grad.clone()
    y.sum().backward()
    assert torch.equal(x.grad, once * 2)
    assert torch.equal(middle.grad, once)
    with pytest.raises(RuntimeError, match="second time"):
        y.sum().backward()


def test_batched_gradients() -> None:
    """Jacobians that PyTorch takes in one batched backward pass (``vectorize=True``)."""
    x = torch.randn(1, 1, 4, 4, dtype=torch.float64).abs() + 0.1
    calls = (("max_pool2d", (2,)), ("avg_pool2d", (3, 1, 1)), ("lp_pool2d", (2, 2)), ("adaptive_max_pool2d", (3,)))
    for name, words in calls:
        for strategy in ("reverse-mode", "forward-mode"):
            got, want = (
                torch.autograd.functional.jacobian(
                    partial(_call, getattr(source, name), words), x, vectorize=True, strategy=strategy
                )
                for source in (cenote.torch, F)
            )
            torch.testing.assert_close(got, want, rtol=1e-12, atol=1e-14)


def _call(function: Callable[..., Tensor], words: tuple[Any, ...], x: Tensor) -> Tensor:
    return function(x, *words)


# ------------------------------------------------------------------------------------------------------ modes, metas


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
        for kind, words in CALLS[:5]:
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
    for kind, words in CALLS[:5]:
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
