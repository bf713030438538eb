"""From a request and an array's type to the Call that runs: JAX has a say in dtypes."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np

from ..catalogue import OPS, Call
from ..catalogue.dtypes import Dtype
from ..errors import bad, bad_type, shown
from ..native import NATIVE
from ..ops import maps
from ..ops.prepare import Words
from ..ops.request import Request

_LARGEST_INT32: Final = 2**31 - 1


def call_of(request: Request, shape: tuple[int, ...], dtype: Any) -> Call:
    """The call for an array of this type. Unless JAX is told ``jax_enable_x64``, it has no dtypes of 64 bits: a result
    that would have one by the operator's own rule then has 32, as in all of JAX."""
    return _call(request, tuple(shape), np.dtype(dtype), bool(jax.config.jax_enable_x64))


@lru_cache(maxsize=1024)
def _call(request: Request, shape: tuple[int, ...], dtype: Dtype, wide: bool) -> Call:
    call = request.call(shape, dtype)
    if wide or request.words.dtype is not None or call.result == dtype:
        return call
    return replace(call, result=np.dtype(jax.dtypes.canonicalize_dtype(call.result)))


def asked(request: Request) -> Request:
    """A dtype that was asked for becomes what JAX would make of it: without x64 one of 64 bits is cut, with JAX's own
    warning (or kept or refused, as its settings say)."""
    dtype = request.words.dtype
    if dtype is None or jax.dtypes.canonicalize_dtype(dtype) == dtype:
        return request
    given = np.dtype(jnp.empty((0,), dtype).dtype)
    return replace(request, words=replace(request.words, dtype=given))


def checked(request: Request, shape: tuple[int, ...], dtype: Any) -> Call:
    """The same, or the reason why no handler runs it."""
    for axis in request.axes:
        if not isinstance(shape[axis], int):  # jax.export's symbols
            raise bad(
                request.who,
                f"axis {axis} is pooled, and its length is no number yet, got {shown(shape[axis])}",
                "give it a number; the other axes may have symbols",
            )
    call = call_of(request, shape, dtype)
    reason = NATIVE.refusal(call)
    if reason is not None:
        raise bad_type(
            request.who,
            f"nobody can run this call inside JAX (xla: {reason}; reference: it is NumPy code, and JAX would have to "
            "call back into Python)",
            "use the function of the same name in cenote itself, outside of jit",
        )
    return call


def offset_dtype(request: Request, shape: tuple[int, ...]) -> Dtype:
    """What offsets within the windows of an array of this shape are kept in."""
    return maps.offset_dtype(request.most_taps(shape))


def index_dtype(call: Call) -> Dtype:
    """What indices are told in: int64, and without ``jax_enable_x64`` int32."""
    dtype = np.dtype(jax.dtypes.canonicalize_dtype(np.int64))
    cells = 1
    for length in call.lengths:
        cells *= length
    if dtype.itemsize == 4 and cells > _LARGEST_INT32:
        raise bad(
            call.who,
            f"the pooled axes have {cells} cells, and indices are int32",
            'say jax.config.update("jax_enable_x64", True)',
        )
    return dtype


def plain(request: Request) -> Request:
    """The request without positions: what values and derivatives are made of."""
    return request.selecting(False) if request.words.select else request


def other(request: Request, name: str) -> Request:
    """The same windows with another operator of the catalogue, in its own words."""
    op = OPS[name]
    return replace(request, op=op, words=Words(op.params({}), None, False))
