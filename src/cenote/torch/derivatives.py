"""The eager door: every map as an ``autograd.Function`` with forward mode and a batching rule.

``CenoteDown`` and ``CenoteUp`` are each other's derivative in both modes, so three small classes carry derivatives of
any order of maxima and sums; nothing but the offsets of the winners is kept. The names of the classes are what
``grad_fn`` and PyTorch's profiler show.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx

from cenote.errors import bad_type
from cenote.ops import maps

from .bound import Bound, Ready
from .errors import as_torch
from .state import is_busy, is_forward_mode, is_legacy_batched, is_observed, is_transforming
from .tensors import as_array, as_tensor, channels_last, numpy_dtype, torch_dtype
from .threads import within

_OPS = torch.ops.cenote
Dims = tuple[int | None, ...]


class Held(NamedTuple):
    """A tensor as a call needs it: its memory as an array, whether its channels come last, and the call itself."""

    array: NDArray[Any]
    last: bool
    ready: Ready

    @classmethod
    def of(cls, x: Tensor, bound: Bound) -> Held:
        """Look at a tensor."""
        last = channels_last(x, bound.rank)
        return cls.from_array(as_array(x, last), last, bound)

    @classmethod
    def from_array(cls, array: NDArray[Any], last: bool, bound: Bound) -> Held:
        """The same when somebody has looked."""
        return cls(array, last, bound.ready(array.shape, array.dtype, last))


class Map(Function):
    """What the maps share: ``run`` is ``apply`` without binding defaults by inspection, which alone takes 15 us."""

    @classmethod
    def run(cls, *args: Any) -> Any:
        """``apply``, with every argument given."""
        if is_transforming():
            return cls.apply(*args)
        return super(Function, cls).apply(*args)


class CenoteSelect(Map):
    """x -> the winners' values, and which tap of its window each is."""

    @staticmethod
    def forward(x: Tensor, bound: Bound, held: Held | None) -> tuple[Tensor, Tensor]:
        """Values and offsets."""
        return select(x, bound, held)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Bound, Held | None], output: tuple[Tensor, Tensor]) -> None:
        """Keep the offsets."""
        x, bound, held = inputs
        _keep(ctx, x, output[1], bound, held)  # whole numbers, as the offsets are, have no derivative

    @staticmethod
    def backward(ctx: Any, g: Tensor | None, _: Any) -> tuple[Tensor | None, None, None]:
        """To the winners."""
        return _upwards(ctx, g), None, None

    @staticmethod
    def jvp(ctx: Any, t: Tensor | None, *_: Any) -> tuple[Tensor | None, None]:
        """The winners' tangents."""
        return _downwards(ctx, t), None

    @staticmethod
    def vmap(info: Any, dims: Dims, x: Tensor, bound: Bound, _: Any) -> tuple[tuple[Tensor, Tensor], tuple[int, int]]:
        """One more axis in front."""
        return CenoteSelect.run(in_front(x, dims[0], info.batch_size), bound, None), (0, 0)


class CenoteDown(Map):
    """The linear map from cells to outputs; without offsets the operator itself."""

    @staticmethod
    def forward(x: Tensor, offsets: Tensor | None, bound: Bound, held: Held | None) -> Tensor:
        """Outputs."""
        return pick(x, offsets, bound, held)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor | None, Bound, Held | None], output: Tensor) -> None:
        """Keep the offsets."""
        _keep(ctx, *inputs)

    @staticmethod
    def backward(ctx: Any, g: Tensor | None) -> tuple[Tensor | None, None, None, None]:
        """The transpose."""
        return _upwards(ctx, g), None, None, None

    @staticmethod
    def jvp(ctx: Any, t: Tensor | None, *_: Any) -> Tensor | None:
        """Linear."""
        return _downwards(ctx, t)

    @staticmethod
    def vmap(info: Any, dims: Dims, x: Tensor, offsets: Tensor | None, bound: Bound, _: Any) -> tuple[Tensor, int]:
        """One more axis in front."""
        return CenoteDown.run(*_all_in_front(info, dims, x, offsets), bound, None), 0


class CenoteUp(Map):
    """The transpose of ``CenoteDown``: ``shape`` and ``dtype`` are those of its input, ``last`` its memory format."""

    @staticmethod
    def forward(
        g: Tensor, offsets: Tensor | None, bound: Bound, shape: tuple[int, ...], dtype: torch.dtype, last: bool
    ) -> Tensor:
        """Gradients of the cells."""
        return spread(g, offsets, bound, shape, dtype, last)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:
        """Keep the offsets."""
        ctx.set_materialize_grads(False)
        _, offsets, ctx.bound, ctx.shape, ctx.dtype, ctx.last = inputs
        ctx.maps = None
        _save(ctx, offsets)

    @staticmethod
    def backward(ctx: Any, g: Tensor | None) -> tuple[Tensor | None, None, None, None, None, None]:
        """The transpose of the transpose."""
        return _downwards(ctx, g), None, None, None, None, None

    @staticmethod
    def jvp(ctx: Any, t: Tensor | None, *_: Any) -> Tensor | None:
        """Linear."""
        return _upwards(ctx, t)

    @staticmethod
    def vmap(
        info: Any, dims: Dims, g: Tensor, offsets: Tensor | None, bound: Bound, shape: Any, dtype: Any, last: bool
    ) -> tuple[Tensor, int]:
        """One more axis in front, in plain memory order."""
        g, offsets = _all_in_front(info, dims, g, offsets)
        return CenoteUp.run(g, offsets, bound, (info.batch_size, *shape), dtype, False), 0


class CenoteGeneral(Map):
    """An operator whose derivative depends on the values: x is kept, and looked at again for the gradient."""

    @staticmethod
    def forward(x: Tensor, bound: Bound) -> Tensor:
        """The result."""
        return plain(x, bound)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Bound], output: Tensor) -> None:
        """Keep x."""
        x, ctx.bound = inputs
        ctx.save_for_backward(x)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None]:
        """The kernel's gradient."""
        if is_legacy_batched(g):
            return _OPS.general_up(ctx.saved_tensors[0], g, ctx.bound.text), None
        return CenoteGeneralUp.run(ctx.saved_tensors[0], g, ctx.bound), None

    @staticmethod
    def jvp(ctx: Any, *_: Any) -> Any:
        """None: where forward mode is on, operators that can be composed of others are."""
        raise no_derivative(ctx.bound, "forward mode")

    @staticmethod
    def vmap(info: Any, dims: Dims, x: Tensor, bound: Bound) -> tuple[Tensor, int]:
        """One more axis in front."""
        return CenoteGeneral.run(in_front(x, dims[0], info.batch_size), bound), 0


class CenoteGeneralUp(Map):
    """The gradient of a General operator."""

    @staticmethod
    def forward(x: Tensor, g: Tensor, bound: Bound) -> Tensor:
        """Gradients of the cells."""
        return gradient(x, g, bound)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Bound], output: Tensor) -> None:
        """Keep both."""
        x, g, ctx.bound = inputs
        ctx.save_for_backward(x, g)

    @staticmethod
    def backward(ctx: Any, gg: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """The derivative of the operator as it is composed of others, once more."""
        if ctx.bound.request.op.composed is None:
            raise no_derivative(ctx.bound, "second derivative")
        keep = torch.is_grad_enabled()
        with torch.enable_grad():
            x, g = (t if t.requires_grad else t.detach().requires_grad_() for t in ctx.saved_tensors)
            x, g = x.view_as(x), g.view_as(g)
            (first,) = torch.autograd.grad(composed(x, ctx.bound), x, g, create_graph=True)
            dx, dg = torch.autograd.grad(first, (x, g), gg, create_graph=keep, allow_unused=True)
        return dx, dg, None

    @staticmethod
    def jvp(ctx: Any, *_: Any) -> Any:
        """See ``CenoteGeneral.jvp``."""
        raise no_derivative(ctx.bound, "forward mode")

    @staticmethod
    def vmap(info: Any, dims: Dims, x: Tensor, g: Tensor, bound: Bound) -> tuple[Tensor, int]:
        """One more axis in front."""
        n = info.batch_size
        return CenoteGeneralUp.run(in_front(x, dims[0], n), in_front(g, dims[1], n), bound), 0


class CenoteIndices(Map):
    """x -> flat positions of the winners, for the caller: no derivative."""

    @staticmethod
    def forward(x: Tensor, bound: Bound) -> Tensor:
        """Positions alone."""
        return plain(x, bound)[1]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Bound], output: Tensor) -> None:
        """Nothing to keep."""
        ctx.mark_non_differentiable(output)

    @staticmethod
    def vmap(info: Any, dims: Dims, x: Tensor, bound: Bound) -> tuple[Tensor, int]:
        """One more axis in front."""
        return CenoteIndices.run(in_front(x, dims[0], info.batch_size), bound), 0


def plain(x: Tensor, bound: Bound, held: Held | None = None) -> Any:
    """The result and nothing for a derivative; with positions where the request asks for them."""
    array, last, (call, compiled) = held or Held.of(x, bound)
    if call.select:
        y, indices = within(maps.pool_with_indices, call, array)
        return as_tensor(y, last), as_tensor(indices, last)
    y = within(maps.pool, call, array) if compiled is None else within(compiled.pool, array)
    return as_tensor(y, last)


def select(
    x: Tensor, bound: Bound, held: Held | None = None, dtype: np.dtype[Any] | None = None
) -> tuple[Tensor, Tensor]:
    """Values and offsets; the offsets in the smallest dtype, or in ``dtype``."""
    array, last, (call, compiled) = held or Held.of(x, bound)
    if compiled is None or dtype is not None:
        y, offsets = within(maps.select, call, array, dtype)
    else:
        y, offsets = within(compiled.select, array)
    return as_tensor(y, last), as_tensor(offsets, last)


def pick(x: Tensor, offsets: Tensor | None, bound: Bound, held: Held | None = None) -> Tensor:
    """The linear map from cells to outputs."""
    if offsets is None:
        return plain(x, bound, held)
    array, last, (_, compiled) = held or Held.of(x, bound)
    assert compiled is not None  # who has offsets has kernels
    return as_tensor(within(compiled.down, array, as_array(offsets, last)), last)


def spread(
    g: Tensor, offsets: Tensor | None, bound: Bound, shape: tuple[int, ...], dtype: torch.dtype, last: bool
) -> Tensor:
    """Its transpose, for cells of this shape, dtype and memory format."""
    whole = (shape[0], *shape[2:], shape[1]) if last else tuple(shape)
    compiled = bound.ready(whole, numpy_dtype(bound.request.who, dtype), last).maps
    assert compiled is not None
    return _spread(g, offsets, compiled, last)


def _spread(g: Tensor, offsets: Tensor | None, compiled: maps.Maps, last: bool) -> Tensor:
    where = None if offsets is None else as_array(offsets, last)
    return as_tensor(within(compiled.up, as_array(g, last), where), last)


def gradient(x: Tensor, g: Tensor, bound: Bound) -> Tensor:
    """``maps.gradient`` of tensors."""
    array, last, (call, _) = Held.of(x, bound)
    return as_tensor(within(maps.gradient, call, array, as_array(g, last)), last)


def composed(x: Tensor, bound: Bound) -> Tensor:
    """The operator made of differentiable ones, in the precision that its kernel adds in."""
    op, words = bound.request.op, bound.request.words
    assert op.composed is not None
    result = x.dtype if words.dtype is None else torch_dtype(words.dtype)
    wide = x.to(torch.promote_types(torch.promote_types(x.dtype, result), torch.float32))
    total, largest = bound.related("sum"), bound.related("max")
    y = op.composed(
        torch,
        wide,
        words.params,
        lambda t: CenoteDown.run(t, None, total, None),
        lambda t: CenoteSelect.run(t, largest, None)[0],
    )
    return y.to(result)


def in_front(x: Tensor, dim: int | None, batch: int) -> Tensor:
    """The batched axis first; a tensor without one is seen once per batch entry."""
    return x.unsqueeze(0).expand(batch, *x.shape) if dim is None else x.movedim(dim, 0)


def _all_in_front(info: Any, dims: Dims, x: Tensor, offsets: Tensor | None) -> tuple[Tensor, Tensor | None]:
    x = in_front(x, dims[0], info.batch_size)
    return x, None if offsets is None else in_front(offsets, dims[1], info.batch_size)


def _save(ctx: Any, offsets: Tensor | None) -> None:
    if offsets is not None:
        ctx.save_for_backward(offsets)
        if is_forward_mode():
            ctx.save_for_forward(offsets)


def _keep(ctx: Any, x: Tensor, offsets: Tensor | None, bound: Bound, held: Held | None) -> None:
    ctx.set_materialize_grads(False)
    ctx.bound, ctx.shape, ctx.dtype = bound, x.shape, x.dtype
    if held is None:
        ctx.last, ctx.maps = channels_last(x, bound.rank), None
    else:
        ctx.last, ctx.maps = held.last, held.ready.maps
    _save(ctx, offsets)


def _kept(ctx: FunctionCtx) -> Tensor | None:
    saved = ctx.saved_tensors
    return saved[0] if saved else None


def _upwards(ctx: Any, g: Tensor | None) -> Tensor | None:
    if g is None:
        return None
    if is_legacy_batched(g):
        return _OPS.up(g, _kept(ctx), ctx.shape, ctx.dtype, ctx.last, ctx.bound.text)
    if _is_watched(g):
        return CenoteUp.run(g, _kept(ctx), ctx.bound, ctx.shape, ctx.dtype, ctx.last)
    if ctx.maps is None:
        return spread(g, _kept(ctx), ctx.bound, ctx.shape, ctx.dtype, ctx.last)
    return _spread(g, _kept(ctx), ctx.maps, ctx.last)


def _downwards(ctx: Any, t: Tensor | None) -> Tensor | None:
    if t is None:
        return None
    if is_legacy_batched(t):
        return _OPS.down(t, _kept(ctx), ctx.bound.text)
    if _is_watched(t):
        return CenoteDown.run(t, _kept(ctx), ctx.bound, None)
    return pick(t, _kept(ctx), ctx.bound)


def _is_watched(t: Tensor) -> bool:
    """Does anybody want a derivative of the derivative? Seldom, and it is not for nothing."""
    return (t.requires_grad and torch.is_grad_enabled()) or is_busy() or (type(t) is not Tensor and is_observed(t))


def no_derivative(bound: Bound, what: str) -> Exception:
    """The error for a derivative that there is not."""
    request = bound.request
    name = request.op.name
    if request.op.composed is not None:
        problem = f"{name} pooling has no {what} within a graph or the dispatcher"
        way_out = "call cenote.torch's function itself, outside of torch.compile"
    else:
        problem = (
            f"{name} pooling has no {what}: its row says neither that it is linear nor how it is composed of others"
        )
        way_out = "use first derivatives by backward(), or write it with operators of PyTorch"
    return as_torch(bad_type(request.who, problem, way_out))
