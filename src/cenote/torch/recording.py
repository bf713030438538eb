"""Derivatives and batching rules of the registered operators: the same as those of ``derivatives``, by the dispatcher.

PyTorch's own helper for this loses tangents without a word and cannot be used within function transforms. So the kernel
of the Autograd key is made here: it records a Function whose forward goes on below that key.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor
from torch.autograd import Function

from . import derivatives
from .bound import of_text
from .derivatives import in_front
from .library import LIBRARY
from .state import has_tangent, outer_levels_record, single_level
from .tensors import channels_last
from .unpooling import picked

_OPS: Final = torch.ops.cenote


@dataclass(frozen=True, slots=True)
class Rules:
    """``keep(ctx, args, results)`` keeps what the others need; ``pull(ctx, g)`` gives the gradients of the arguments,
    ``push(ctx, t)`` the tangent of the first result, ``batch(n, dims, *args)`` the call with one more axis in front."""

    results: int
    keep: Callable[..., None]
    pull: Callable[[Any, Tensor], tuple[Any, ...]]
    push: Callable[[Any, Tensor], Tensor]
    batch: Callable[..., Any]


def _record(name: str, rules: Rules) -> None:
    operator = getattr(_OPS, name).default
    arguments = len(operator._schema.arguments)

    class Recorded(Function):
        @staticmethod
        def forward(ctx: Any, below: Any, *args: Any) -> Any:
            ctx.set_materialize_grads(False)
            with torch._C._AutoDispatchBelowAutograd(), outer_levels_record():
                results = operator.redispatch(below, *args)
            if rules.results > 1:
                ctx.mark_non_differentiable(*results[1:])
            rules.keep(ctx, args, results)
            return results

        @staticmethod
        def backward(ctx: Any, g: Tensor | None, *_: Any) -> tuple[Any, ...]:
            return (None, *((None,) * arguments if g is None else rules.pull(ctx, g)))

        @staticmethod
        def jvp(ctx: Any, _: Any, t: Tensor | None, *__: Any) -> Any:
            moved = None if t is None else rules.push(ctx, t)
            return (moved, *(None,) * (rules.results - 1)) if rules.results > 1 else moved

    # made by name, so that its node in graphs and profiles has that name, too
    recorded: Any = types.new_class(f"Cenote{name.title().replace('_', '')}", (Recorded,))

    def kernel(keyset: Any, *args: Any) -> Any:
        below = keyset & torch._C._after_autograd_keyset
        tensors = [arg for arg in args if isinstance(arg, Tensor)]
        if (torch.is_grad_enabled() and any(t.requires_grad for t in tensors)) or any(map(has_tangent, tensors)):
            with single_level():
                return super(Function, recorded).apply(below, *args)
        with torch._C._AutoDispatchBelowAutograd():
            return operator.redispatch(below, *args)

    def batched(info: Any, dims: tuple[int | None, ...], *args: Any) -> tuple[Any, Any]:
        results = rules.batch(info.batch_size, dims, *args)
        return results, (0,) * rules.results if rules.results > 1 else 0

    LIBRARY.impl(name, kernel, "Autograd", with_keyset=True)
    torch.library.register_vmap(f"cenote::{name}", batched, lib=LIBRARY)


def _save(ctx: Any, *tensors: Tensor | None) -> None:
    there = [tensor for tensor in tensors if tensor is not None]
    ctx.save_for_backward(*there)
    ctx.save_for_forward(*there)


def _kept(ctx: Any) -> Tensor | None:
    return ctx.saved_tensors[0] if ctx.saved_tensors else None


def _keep_cells(ctx: Any, x: Tensor, offsets: Tensor | None, text: str) -> None:
    ctx.text, ctx.shape, ctx.dtype = text, x.shape, x.dtype
    ctx.last = channels_last(x, of_text(text).rank)
    _save(ctx, offsets)


def _up(ctx: Any, g: Tensor) -> Tensor:
    return _OPS.up(g, _kept(ctx), ctx.shape, ctx.dtype, ctx.last, ctx.text)


def _down(ctx: Any, t: Tensor) -> Tensor:
    return _OPS.down(t, _kept(ctx), ctx.text)


def _keep_up(ctx: Any, args: Any, _: Tensor) -> None:
    _g, offsets, ctx.shape, ctx.dtype, ctx.last, ctx.text = args
    _save(ctx, offsets)


def _keep_all(ctx: Any, args: tuple[Any, ...], _: Any) -> None:
    *tensors, ctx.rest = args
    _save(ctx, *tensors)


def _keep_indices(ctx: Any, args: tuple[Any, ...], _: Tensor) -> None:
    _y, indices, ctx.rest = args
    _save(ctx, indices)


def _general_tangent(ctx: Any, t: Tensor) -> Tensor:
    raise derivatives.no_derivative(of_text(ctx.rest), "forward mode")


def _general_second(ctx: Any, g: Tensor) -> tuple[Any, ...]:
    raise derivatives.no_derivative(of_text(ctx.rest), "second derivative")


def _offsets_in_front(n: int, offsets: Tensor | None, dim: int | None) -> Tensor | None:
    return None if offsets is None else in_front(offsets, dim, n)


_record(
    "select",
    Rules(
        results=2,
        keep=lambda ctx, args, results: _keep_cells(ctx, args[0], results[1], args[1]),
        pull=lambda ctx, g: (_up(ctx, g), None),
        push=_down,
        batch=lambda n, dims, x, text: _OPS.select(in_front(x, dims[0], n), text),
    ),
)
_record(
    "down",
    Rules(
        results=1,
        keep=lambda ctx, args, _: _keep_cells(ctx, *args),
        pull=lambda ctx, g: (_up(ctx, g), None, None),
        push=_down,
        batch=lambda n, dims, x, offsets, text: _OPS.down(
            in_front(x, dims[0], n), _offsets_in_front(n, offsets, dims[1]), text
        ),
    ),
)
_record(
    "up",
    Rules(
        results=1,
        keep=_keep_up,
        pull=lambda ctx, g: (_down(ctx, g), *(None,) * 5),
        push=_up,
        batch=lambda n, dims, g, offsets, shape, dtype, last, text: _OPS.up(
            in_front(g, dims[0], n), _offsets_in_front(n, offsets, dims[1]), (n, *shape), dtype, False, text
        ),
    ),
)
_record(
    "general",
    Rules(
        results=1,
        keep=_keep_all,
        pull=lambda ctx, g: (_OPS.general_up(ctx.saved_tensors[0], g, ctx.rest), None),
        push=_general_tangent,
        batch=lambda n, dims, x, text: _OPS.general(in_front(x, dims[0], n), text),
    ),
)
_record(
    "general_up",
    Rules(
        results=1,
        keep=_keep_all,
        pull=_general_second,
        push=_general_tangent,
        batch=lambda n, dims, x, g, text: _OPS.general_up(in_front(x, dims[0], n), in_front(g, dims[1], n), text),
    ),
)
_record(
    "indices",
    Rules(
        results=1,
        keep=lambda ctx, args, result: ctx.mark_non_differentiable(result),
        pull=lambda ctx, g: (None, None),
        push=lambda ctx, t: None,
        batch=lambda n, dims, x, text: _OPS.indices(in_front(x, dims[0], n), text),
    ),
)
_record(
    "unpool",
    Rules(
        results=1,
        keep=_keep_indices,
        pull=lambda ctx, g: (picked(g, ctx.saved_tensors[0], len(ctx.rest)), None, None),
        push=lambda ctx, t: _OPS.unpool(t, ctx.saved_tensors[0], ctx.rest),
        batch=lambda n, dims, y, indices, lengths: _OPS.unpool(
            in_front(y, dims[0], n), in_front(indices, dims[1], n), lengths
        ),
    ),
)
