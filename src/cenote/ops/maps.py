"""A call as the maps that automatic differentiation is made of, arrays in and arrays out.

What an operator does to a small change of its input is a linear map: ``down``. Its transpose, ``up``, takes gradients
back. For ``LINEAR`` operators ``down`` is the operator itself; for ``WINNER`` operators it picks the cells that won,
which the offsets of ``select`` name. Each is the derivative of the other, so they serve derivatives of any order, and
neither needs the input. Other operators (``GENERAL``) have their first derivative in ``gradient``.

Arrays may be any views; results are fresh, C-ordered, and lie in the memory that the cache keeps.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..catalogue import Call, Derivative
from ..catalogue.dtypes import Dtype
from ..native import NATIVE
from .arrays import new
from .dispatch import choose

Array = NDArray[Any]


class Maps(Protocol):
    """The maps of one call, bound to it: for adapters that make the same call again and again."""

    def pool(self, x: Array) -> Array:
        """See the function of this name."""

    def select(self, x: Array) -> tuple[Array, Array]:
        """See the function of this name."""

    def down(self, x: Array, offsets: Array) -> Array:
        """See the function of this name; only with offsets."""

    def up(self, g: Array, offsets: Array | None) -> Array:
        """See the function of this name."""


def compiled(call: Call) -> Maps | None:
    """The maps of a call that the compiled kernels run; None for others, and for GENERAL operators."""
    if call.op.derivative is Derivative.GENERAL or NATIVE.refusal(call) is not None:
        return None
    return NATIVE.maps(call)


def pool(call: Call, x: Array) -> Array:
    """The result."""
    y, fresh = new(call.who, call.out_shape, call.result)
    choose(call).forward(call, x, y, None, fresh=fresh)
    return y


def pool_with_indices(call: Call, x: Array) -> tuple[Array, NDArray[np.int64]]:
    """The result and the flat positions, int64."""
    y, fresh = new(call.who, call.out_shape, call.result)
    indices, unused = new(call.who, call.out_shape, np.dtype(np.int64))
    choose(call).forward(call, x, y, indices, fresh=fresh or unused)
    return y, indices


def offset_dtype(taps: int) -> Dtype:
    """The unsigned dtype that numbers the taps of a window: one byte for up to 255."""
    return NATIVE.offset_dtype(taps)


def select(call: Call, x: Array, dtype: Dtype | None = None) -> tuple[Array, Array]:
    """The result of a WINNER operator, and which tap of its window won: the smallest unsigned dtype that can say it,
    or ``dtype``."""
    y, fresh = new(call.who, call.out_shape, call.result)
    saved = NATIVE.forward_saving(call, x, y, fresh=fresh, offset_dtype=dtype)
    assert saved.offsets is not None
    return y, saved.offsets


def down(call: Call, offsets: Array | None, x: Array) -> Array:
    """The linear map from the cells to the outputs; ``offsets`` only for WINNER operators."""
    if offsets is None:
        return pool(call, x)
    y, _ = new(call.who, call.out_shape, x.dtype)
    NATIVE.pick(call, offsets, x, y)
    return y


def up(call: Call, offsets: Array | None, g: Array) -> Array:
    """The transpose of ``down``: gradients of the outputs (in the dtype of the result) to gradients of the cells."""
    dx, fresh = new(call.who, call.shape, call.dtype)
    NATIVE.spread(call, offsets, g, dx, fresh=fresh)
    return dx


def gradient(call: Call, x: Array, g: Array) -> Array:
    """The gradient of a GENERAL operator. The forward pass is run again: that is cheaper than keeping its result."""
    provider = choose(call)
    y, fresh = new(call.who, call.out_shape, call.result)
    saved = provider.forward_saving(call, x, y, fresh=fresh)
    dx, fresh = new(call.who, call.shape, call.dtype)
    provider.backward(call, saved, g, dx, fresh=fresh)
    return dx
