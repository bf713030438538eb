"""Calls on a map of 1x8x8x8: what an adapter costs beside the work, which is nothing here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from .. import ours
from ..contestant import Contestant, load
from ..data import Array
from ..workload import shape_text
from .calls import JAX, TORCH, entering
from .case import Case, Kit

SHAPE: Final = (1, 8, 8, 8)
INSTALLED: Final = "install"
# function, module, argument
CALLS: Final[tuple[tuple[str, str, int], ...]] = (
    ("max_pool2d", "MaxPool2d", 2),
    ("avg_pool2d", "AvgPool2d", 2),
    ("adaptive_avg_pool2d", "AdaptiveAvgPool2d", 4),
    ("adaptive_avg_pool2d", "AdaptiveAvgPool2d", 1),
)
_SAMPLE: Final = 1e-3


def cases() -> list[Case]:
    """Every call as a function and as a module, forward and with its gradient; and one of JAX."""
    found = []
    for backward in (False, True):
        for function, module, argument in CALLS:
            for name, is_module in ((function, False), (module, True)):
                title = f"{name}({argument})(x)" if is_module else f"{name}(x, {argument})"
                found.append(_torch(name, argument, is_module, backward, title))
        found.append(_jax(backward))
    return found


def _case(room: str, name: str, title: str, backward: bool, make: Callable[[Kit], list[Contestant]]) -> Case:
    return Case(
        f"{room}-call-{name}-{shape_text(SHAPE)}" + "-backward" * backward,
        title + ", forward and backward" * backward,
        f"{room}-call",
        TORCH if room == "torch" else JAX,
        (room,),
        make,
        sample=_SAMPLE,
        quick="max" in name.lower(),
    )


def _torch(name: str, argument: int, module: bool, backward: bool, title: str) -> Case:
    def make(kit: Kit) -> list[Contestant]:
        return torch(name, argument, module, backward, kit)

    return _case("torch", f"{name}-{argument}", title, backward, make)


def _jax(backward: bool) -> Case:
    return _case("jax", "max_pool-2", "max_pool(x, 2), jitted", backward, lambda kit: jax(backward, kit))


def torch(name: str, argument: int, module: bool, backward: bool, kit: Kit) -> list[Contestant]:
    """PyTorch, cenote.torch, and PyTorch's own function with ``install()``."""
    theirs = load("torch.nn" if module else "torch.nn.functional")
    room = load(TORCH)
    found = []
    for column, home in (("torch", theirs), (TORCH, room), (INSTALLED, theirs)):
        call, arrays = _torch_call(getattr(home, name), argument, module, backward, kit)
        enter = torch_turn(kit.threads, column == INSTALLED)
        found.append(entering(Contestant(column, call, arrays, enter=enter), kit.threads))
    return found


def torch_turn(threads: int, installed: bool) -> Callable[[], None]:
    """Opens a turn: so many threads, and PyTorch's own kernels or ours."""
    framework, room = load("torch"), load(TORCH)

    def enter() -> None:
        framework.set_num_threads(threads)
        (room.install if installed else room.uninstall)()

    return enter


def _torch_call(
    pool: Any, argument: int, module: bool, backward: bool, kit: Kit
) -> tuple[Callable[[], Any], Callable[[Any], list[Array]]]:
    framework = load("torch")
    x = framework.from_numpy(kit.numbers.array(SHAPE, "float32").copy())
    layer = pool(argument) if module else None
    with framework.no_grad():
        y = layer(x) if layer is not None else pool(x, argument)
        dy = framework.from_numpy(kit.numbers.array(tuple(y.shape), "float32").copy())
    if not backward:
        forward = (lambda: layer(x)) if layer is not None else (lambda: pool(x, argument))  # what a user types
        return forward, lambda result: [result.numpy()]
    x.requires_grad_()
    grad = framework.autograd.grad
    if layer is not None:

        def both() -> Any:
            y = layer(x)
            return y, grad(y, x, dy)[0]
    else:

        def both() -> Any:
            y = pool(x, argument)
            return y, grad(y, x, dy)[0]

    return both, lambda result: [part.detach().numpy() for part in result]


def jax(backward: bool, kit: Kit) -> list[Contestant]:
    """JAX's ``reduce_window``, cenote.jax, both compiled; the NumPy call for orientation."""
    framework, lax, room = load("jax"), load("jax.lax"), load(JAX)
    x_numpy = kit.numbers.array(SHAPE, "float32").copy()
    dy_numpy = kit.numbers.array((1, 8, 4, 4), "float32").copy()
    x, dy = framework.device_put(x_numpy), framework.device_put(dy_numpy)
    window = (1, 1, 2, 2)

    def own(x: Any) -> Any:
        return lax.reduce_window(x, np.float32(-np.inf), lax.max, window, window, "VALID")

    def arrays(result: Any) -> list[Array]:
        return [np.asarray(part) for part in (result if backward else [result])]

    found = []
    for column, pool in (("jax", own), (JAX, lambda x: room.max_pool(x, 2))):
        call = _jax_call(framework, pool, x, dy if backward else None)
        found.append(entering(Contestant(column, call, arrays), kit.threads))
    plain = _numpy_call(x_numpy, dy_numpy if backward else None)
    numpy = Contestant("cenote", plain, lambda y: list(y) if backward else [y], enter=ours.usual(kit.threads))
    return [*found, numpy]


def _jax_call(framework: Any, pool: Any, x: Any, dy: Any) -> Callable[[], Any]:
    if dy is None:
        compiled = framework.jit(pool)
        return lambda: compiled(x).block_until_ready()

    def both(x: Any, dy: Any) -> Any:
        y, pullback = framework.vjp(pool, x)
        return y, pullback(dy)[0]

    compiled_both = framework.jit(both)
    return lambda: framework.block_until_ready(compiled_both(x, dy))


def _numpy_call(x: Array, dy: Array | None) -> Callable[[], Any]:
    import cenote

    pool: Any = getattr(cenote, "max_pool")  # noqa: B009  # made from the catalogue
    if dy is None:
        return lambda: pool(x, 2)

    def both() -> Any:
        y, pullback = cenote.vjp(pool, x, 2)
        return y, pullback(dy)

    return both
