"""lp: the p-norm of the real taps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import bad_type
from .dtypes import KINDS, REAL, Dtype, accumulator, kind_of, zero
from .op import Array, Op, Params, Taps
from .parameters import DTYPE, P
from .selecting import first_best, to_winner


def magnitudes(taps: Taps) -> Array:
    """|x| in the accumulator's precision."""
    return np.asarray(np.abs(taps.values.astype(accumulator(taps.values.dtype, taps.result))))


def reference(taps: Taps) -> Array:
    """(sum |x|^p)^(1/p); the largest |x| for p = inf; 0 for a window without taps."""
    size, p = magnitudes(taps), taps.params.p
    if math.isinf(p):
        top = size.max(axis=0, initial=0)
        return np.asarray(top).astype(taps.result)
    kind = size.dtype.type
    return np.asarray(np.power(np.power(size, kind(p)).sum(axis=0), kind(1 / p))).astype(taps.result)


def gradient(taps: Taps, y: Array, g: Array) -> Array:
    """g * sign(x) * (|x| / y)^(p - 1); 0 where y is 0, and at x = 0 for p < 1; p = inf: to the first largest |x|."""
    size, p = magnitudes(taps).astype(g.dtype), taps.params.p
    sign = np.sign(taps.values.astype(g.dtype))
    if math.isinf(p):
        received = to_winner(taps, first_best(size, np.greater), g)
        return np.asarray(np.where((received == 0) | (y == 0), g.dtype.type(0), received * sign))
    with np.errstate(all="ignore"):
        share = np.power(size / y, g.dtype.type(p - 1))
    dead = (y == 0) | ((size == 0) & (p < 1))
    return np.asarray(np.where(dead, g.dtype.type(0), g * sign * np.where(dead, 0, share)))


def composed(xp: Any, x: Any, params: Params, total: Callable[[Any], Any], largest: Callable[[Any], Any]) -> Any:
    """The norm of functions with derivatives of any order; where one does not exist (at 0), it is 0 and never NaN."""
    size, p = xp.abs(x), params.p
    if math.isinf(p):
        return largest(size)
    if p == 1:
        return total(size)
    if p == 2:
        powers = total(x * x)
    elif p > 2:
        powers = total(size**p)
    else:
        powers = total(xp.where(size == 0, 0 * size, xp.where(size == 0, 1 + 0 * size, size) ** p))
    return xp.where(powers == 0, 0 * powers, xp.where(powers == 0, 1 + 0 * powers, powers) ** (1 / p))


def result_dtype(who: str, dtype: Dtype, requested: Dtype | None) -> Dtype:
    """Floats keep their dtype; 8- and 16-bit integers (and bool) give float32, wider ones float64."""
    if requested is not None:
        if kind_of(requested) != "float":
            choices = ", ".join(KINDS["float"])
            raise bad_type(who, f"dtype {requested} cannot hold a norm", f"use one of {choices}")
        return requested
    if kind_of(dtype) == "float":
        return dtype
    return np.dtype(np.float32 if dtype.itemsize <= 2 else np.float64)


ROW = Op(
    name="lp",
    title="Lp norm",
    summary="p-norm of each window, (sum |x|^p)^(1/p); padding adds nothing, an empty window gives 0.",
    prose=(
        "p may be any number > 0; p = 2 is the square root of the sum of squares and p = inf the largest absolute "
        "value. Nothing is rescaled: |x|^p may overflow to inf. 8- and 16-bit integers and bool give float32, wider "
        "integers float64. The gradient needs the input again: the pullback keeps a reference to x, which must not "
        "be changed before it is called."
    ),
    formula="y = sum(|x[t]|^p for t in window)^(1/p)",
    kinds=REAL,
    parameters=(P, DTYPE),
    identity=zero,
    result_dtype=result_dtype,
    dtype_rule="float32 for bool, 8 and 16 bit, float64 for wider integers, else the same dtype",
    nan_rule="NaN propagates",
    gradient_rule="g * sign(x) * (|x|/y)^(p-1); 0 where y = 0; p = inf: to the first largest |x|",
    reference=reference,
    gradient=gradient,
    reducer="lp",
    composed=composed,
    source='Sermanet, Chintala and LeCun, "Convolutional neural networks applied to house numbers", 2012.',
    examples={
        "sliding": """
>>> cenote.lp_pool(np.array([[3.0, -4.0, 0.0, 5.0]]), (1, 2))
array([[5., 5.]])

>>> cenote.lp_pool(np.array([3.0, -4.0]), (2,), p=np.inf)
array([4.])
""",
        "adaptive": """
>>> cenote.adaptive_lp_pool(np.array([3.0, 4, 0, 5]), (2,))
array([5., 5.])
""",
        "global": """
>>> cenote.global_lp_pool(np.array([[3.0, 0], [0, -4]]))
array(5.)
""",
    },
    torch_note="``torch``'s ``lp_pool`` uses x^p, not |x|^p, which is NaN for negative sums and odd p.",
)
