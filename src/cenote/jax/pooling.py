"""The way in for everybody: a request and an array."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ..catalogue import Op
from ..errors import bad_type, shown
from ..ops.arrays import as_input, check_dtype
from ..ops.request import Request
from . import primitives
from .calls import asked, checked, index_dtype, plain

Array = Any


def pool(request: Request, x: Array) -> Any:
    """The pooled array, or values and indices where the request asks for them; differentiable, inside any of JAX's
    transformations and outside of them."""
    x, request = as_jax(request.who, request.op, x), asked(request)
    call = checked(request, x.shape, x.dtype)
    if not request.words.select:
        return primitives.pool(request, x)
    return primitives.select(plain(request), x, index_dtype(call))


def as_jax(who: str, op: Op, x: Any) -> Array:
    """``x`` as an array of JAX's, if the operator takes its dtype."""
    if not isinstance(x, jax.Array):
        if not hasattr(x, "__jax_array__"):
            return jnp.asarray(as_input(who, x, op.kinds))
        x = jnp.asarray(x)  # such as flax.nnx.Param: NumPy could not see what it holds while it is traced
    if jax.dtypes.issubdtype(x.dtype, jax.dtypes.extended):
        raise bad_type(who, f"x has dtype {shown(str(x.dtype))}, which cannot be pooled", "pass numbers")
    check_dtype(who, "x", x.dtype, op.kinds)
    return x
