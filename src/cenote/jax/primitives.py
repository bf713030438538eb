"""The primitives: what JAX differentiates, batches and lowers.

``pool`` gives values, ``select`` values with the offset of what won in each window (or its position). ``down`` and
``up`` are the derivative of both and its transpose, linear in their last operand; what comes before it is all that is
kept for the derivative: nothing for sums, one byte per window for maxima, the input for norms. Each of the two is the
derivative of the other, so derivatives of any order exist, forward, backward and mixed.

Operands of ``down`` and ``up`` may lack axes in front that others have: a Jacobian's many tangents share one set of
offsets, which is never copied for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from ..catalogue import Derivative
from ..catalogue.dtypes import Dtype, accumulator
from ..errors import bad, message
from ..ops.request import Request
from . import elsewhere, handlers
from .calls import call_of, checked, offset_dtype, other
from .compat import array_type, known, run_alone, zero_tangent
from .handlers import cells_shape

Array = Any


def _primitive(name: str, multiple: bool = False) -> Primitive:
    made = Primitive(f"cenote_{name}")
    made.multiple_results = multiple
    made.def_impl(run_alone(made))
    return made


pool_p: Final = _primitive("pool")
select_p: Final = _primitive("select", multiple=True)
down_p: Final = _primitive("down")
up_p: Final = _primitive("up")
known((pool_p, select_p, down_p, up_p))


def pool(request: Request, x: Array) -> Array:
    """Values."""
    return pool_p.bind(x, request=request)


def select(request: Request, x: Array, positions: Dtype | None = None) -> tuple[Array, Array]:
    """Values, and offsets or, in this dtype, positions."""
    y, found = select_p.bind(x, request=request, positions=positions)
    return y, found


def down(request: Request, saved: Sequence[Array], t: Array) -> Array:
    """The derivative in the direction ``t``."""
    return down_p.bind(*saved, t, request=request)


def up(request: Request, saved: Sequence[Array], g: Array, lengths: tuple[int, ...], dtype: Dtype) -> Array:
    """The transpose of ``down`` for an input of this dtype with these lengths along the pooled axes."""
    return up_p.bind(*saved, g, request=request, lengths=lengths, dtype=dtype)


# ---------------------------------------------------------------------------------------------------- abstract values


def _pool_type(x: Any, *, request: Request) -> Any:
    call = checked(request, x.shape, x.dtype)
    return array_type(x, call.out_shape, call.result, request.axes, request.who)


def _select_type(x: Any, *, request: Request, positions: Dtype | None) -> list[Any]:
    call = checked(request, x.shape, x.dtype)
    found = offset_dtype(request, x.shape) if positions is None else positions
    return [array_type(x, call.out_shape, dtype, request.axes, request.who) for dtype in (call.result, found)]


def _leader(arrays: Sequence[Any]) -> Any:
    return max(reversed(arrays), key=lambda array: len(array.shape))


def _down_type(*arrays: Any, request: Request) -> Any:
    t, leader = arrays[-1], _leader(arrays)
    shape = cells_shape(request, leader.shape, tuple(t.shape[axis] for axis in request.axes))
    call = call_of(request, shape, t.dtype)
    return array_type(leader, call.out_shape, call.result, request.axes, request.who)


def _up_type(*arrays: Any, request: Request, lengths: tuple[int, ...], dtype: Dtype) -> Any:
    leader = _leader(arrays)
    return array_type(leader, cells_shape(request, leader.shape, lengths), dtype, request.axes, request.who)


pool_p.def_abstract_eval(_pool_type)
select_p.def_abstract_eval(_select_type)
down_p.def_abstract_eval(_down_type)
up_p.def_abstract_eval(_up_type)


# ------------------------------------------------------------------------------------------------------- derivatives


def composed(request: Request, x: Array) -> Array:
    """A GENERAL operator made of functions that JAX differentiates as often as it likes."""
    call = call_of(request, x.shape, x.dtype)
    if request.op.composed is None:
        raise bad(request.who, f"the row {request.op.name!r} has no derivative here", "stop the gradient before it")
    wide = accumulator(call.dtype, call.result)
    total, largest = (partial(pool, other(request, name)) for name in ("sum", "max"))
    return request.op.composed(jnp, x.astype(wide), call.params, total, largest).astype(call.result)


def _together(*arrays: Array) -> list[Array]:
    """Every array with the axes in front that only others have."""
    lead = _leader(arrays).shape
    return [jnp.broadcast_to(array, (*lead[: len(lead) - array.ndim], *array.shape)) for array in arrays]


def _composed_down(request: Request, x: Array, t: Array) -> Array:
    x, t = _together(x, t)
    return jax.jvp(partial(composed, request), (x,), (t,))[1]


def _composed_up(request: Request, x: Array, g: Array) -> Array:
    x, g = _together(x, g)
    return jax.vjp(partial(composed, request), x)[1](g)[0]


def _pool_jvp(primals: Any, tangents: Any, *, request: Request) -> tuple[Any, Any]:
    (x,), (t,) = primals, tangents
    if request.op.derivative is Derivative.WINNER:
        y, offsets = select(request, x)
        return y, down(request, (offsets,), t)
    saved = () if request.op.derivative is Derivative.LINEAR else (x,)
    return pool(request, x), down(request, saved, t)


def _select_jvp(primals: Any, tangents: Any, *, request: Request, positions: Dtype | None) -> tuple[Any, Any]:
    (x,), (t,) = primals, tangents
    y, found = select(request, x, positions)
    offsets = found if positions is None else select(request, x)[1]
    return [y, found], [down(request, (offsets,), t), zero_tangent(found)]


def _linear_jvp(
    bind: Callable[..., Array], through: Callable[..., Array], primals: Any, tangents: Any, request: Request
) -> tuple[Any, Any]:
    """Of ``bind(*saved, v)``, which is linear in v; ``through(request, x, v)`` is the same for the x of a norm."""
    *saved, v = primals
    *saved_tangents, tangent = tangents
    parts = []
    if type(tangent) is not ad.Zero:
        parts.append(bind(*saved, tangent))
    if request.op.derivative is Derivative.GENERAL and type(saved_tangents[0]) is not ad.Zero:
        parts.append(jax.jvp(lambda x: through(request, x, v), (saved[0],), (saved_tangents[0],))[1])
    y = bind(*primals)
    return y, sum(parts[1:], parts[0]) if parts else zero_tangent(y)


def _down_jvp(primals: Any, tangents: Any, *, request: Request) -> tuple[Any, Any]:
    return _linear_jvp(partial(down_p.bind, request=request), _composed_down, primals, tangents, request)


def _up_jvp(primals: Any, tangents: Any, *, request: Request, **params: Any) -> tuple[Any, Any]:
    return _linear_jvp(partial(up_p.bind, request=request, **params), _composed_up, primals, tangents, request)


def _down_transpose(g: Any, *arrays: Any, request: Request) -> list[Any]:
    *saved, t = arrays
    if type(g) is ad.Zero:
        return [None] * len(saved) + [ad.Zero(t.aval)]
    lengths = tuple(t.aval.shape[axis] for axis in request.axes)
    found = up(request, saved, g, lengths, np.dtype(t.aval.dtype))
    return [None] * len(saved) + [_summed(found, t.aval.shape)]


def _pool_transpose(g: Any, x: Any, *, request: Request) -> list[Any]:
    """Of LINEAR operators, which are their own derivative."""
    if request.op.derivative is not Derivative.LINEAR:
        problem = f"{request.op.name} is not linear, so it has no transpose"
        raise NotImplementedError(message(request.who, problem, "transpose its derivative: jax.vjp or jax.linearize"))
    return _down_transpose(g, x, request=request)


def _up_transpose(t: Any, *arrays: Any, request: Request, **_: Any) -> list[Any]:
    *saved, g = arrays
    if type(t) is ad.Zero:
        return [None] * len(saved) + [ad.Zero(g.aval)]
    found = down(request, saved, t)
    return [None] * len(saved) + [_summed(found.astype(g.aval.dtype), g.aval.shape)]


def _summed(array: Array, shape: tuple[int, ...]) -> Array:
    """Over the axes in front that the operand did not have."""
    return array.sum(axis=tuple(range(array.ndim - len(shape)))) if array.ndim > len(shape) else array


ad.primitive_jvps[pool_p] = _pool_jvp
ad.primitive_jvps[select_p] = _select_jvp
ad.primitive_jvps[down_p] = _down_jvp
ad.primitive_jvps[up_p] = _up_jvp
ad.primitive_transposes[pool_p] = _pool_transpose
ad.primitive_transposes[down_p] = _down_transpose
ad.primitive_transposes[up_p] = _up_transpose


# ---------------------------------------------------------------------------------------------------------- batching


def _front(array: Array, axis: Any) -> Array:
    return array if axis is None else jnp.moveaxis(array, axis, 0)


def _batched(primitive: Primitive, arrays: Sequence[Array], axes: Sequence[Any], **params: Any) -> tuple[Any, Any]:
    """The batch goes in front, where nobody counts; an operand without one stays as it is and serves all of it."""
    mapped = [axis is not None for axis in axes]
    ranks = [array.ndim - has for array, has in zip(arrays, mapped, strict=True)]
    moved = [_front(array, axis) for array, axis in zip(arrays, axes, strict=True)]
    most = max(ranks)
    leader = arrays[ranks.index(most)].shape if not mapped[ranks.index(most)] else moved[ranks.index(most)].shape[1:]
    for i, (has, rank) in enumerate(zip(mapped, ranks, strict=True)):
        if has and rank < most:  # its batch would be taken for the axes that it lacks
            size, *own = moved[i].shape
            lacking = leader[: most - rank]
            spread = moved[i].reshape(size, *[1] * len(lacking), *own)
            moved[i] = jnp.broadcast_to(spread, (size, *lacking, *own))
    out = primitive.bind(*moved, **params)
    return out, [0] * len(out) if primitive.multiple_results else 0


for _p in (pool_p, select_p, down_p, up_p):
    batching.primitive_batchers[_p] = partial(_batched, _p)


# ---------------------------------------------------------------------------------------------------------- lowering


def _down_here(*arrays: Array, request: Request) -> Array:
    if request.op.derivative is Derivative.GENERAL:
        return _composed_down(request, *arrays)
    return handlers.down(*arrays, request=request)


for _p, _here, _there in (
    (pool_p, handlers.pool, elsewhere.pool),
    (select_p, handlers.select, elsewhere.select),
    (down_p, _down_here, elsewhere.down),
    (up_p, handlers.up, elsewhere.up),
):
    mlir.register_lowering(_p, mlir.lower_fun(_here, multiple_results=_p.multiple_results), platform="cpu")
    mlir.register_lowering(_p, mlir.lower_fun(_there, multiple_results=_p.multiple_results))
