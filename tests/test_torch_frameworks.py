"""cenote.torch among PyTorch's machinery: training, autocast, hooks, saved tensors, derivatives."""

from __future__ import annotations

import copy
import importlib.util
import pickle
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from typing import Any

import pytest

import cenote

if importlib.util.find_spec("torch") is None:
    pytest.skip("PyTorch is not installed: no comparison", allow_module_level=True)

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import cenote.torch
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
        want = torch.autograd.functional.jacobian(partial(_call, getattr(F, name), words), x)
        for strategy in ("reverse-mode", "forward-mode"):  # of maxima PyTorch itself has only the first of the two
            function = partial(_call, getattr(cenote.torch, name), words)
            got = torch.autograd.functional.jacobian(function, x, vectorize=True, strategy=strategy)
            torch.testing.assert_close(got, want, rtol=1e-12, atol=1e-14)


def _call(function: Callable[..., Tensor], words: tuple[Any, ...], x: Tensor) -> Tensor:
    return function(x, *words)
