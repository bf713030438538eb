"""avg: the sum of the real taps, divided by a rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import bad_type
from .dtypes import KINDS, Dtype, kind_of, zero
from .op import Array, Op, Taps
from .parameters import DIVISOR, DTYPE
from .sum import total, wrapped


def divisor(taps: Taps) -> Any:
    """The number that the sum is divided by."""
    rule = taps.params.divisor
    return (
        {"inside": taps.inside, "padded": taps.padded, "window": taps.window}[rule] if isinstance(rule, str) else rule
    )


def half_even(total: int, by: int) -> int:
    """total / by, rounded to the nearest whole number, halves to even."""
    quotient, rest = divmod(total, by)  # rest has the sign of by
    twice = 2 * abs(rest) - abs(by)
    return quotient + (twice > 0 or (twice == 0 and quotient % 2 == 1))


def divided(values: Array, by: float) -> Array:
    """values / by in the precision of values; complex numbers part by part, lest an infinite part spoil the other."""
    quotient = np.empty_like(values)
    if values.dtype.kind == "c":
        quotient.real = values.real / values.real.dtype.type(by)
        quotient.imag = values.imag / values.imag.dtype.type(by)
    else:
        quotient[...] = values / values.dtype.type(by)
    return quotient


def reference(taps: Taps) -> Array:
    """Sum, then divide: exactly and half to even for integers, in the accumulator's precision for floats."""
    added, by = total(taps), divisor(taps)
    if added.dtype != object:
        return divided(added, by).astype(taps.result)
    if kind_of(taps.result) == "float":
        return (added.astype(np.float64) / float(by)).astype(taps.result)
    rounded = np.array([half_even(int(value), int(by)) for value in added.flat], dtype=object)
    return wrapped(rounded.reshape(added.shape), taps.result)


def gradient(taps: Taps, y: Array, g: Array) -> Array:
    """g / divisor to every real tap, with the very divisor of the forward pass."""
    return np.broadcast_to(divided(g, divisor(taps)), (taps.inside, *g.shape))


def result_dtype(who: str, dtype: Dtype, requested: Dtype | None) -> Dtype:
    """The same dtype; bool has no average of its own and asks for a float dtype."""
    kind = kind_of(dtype)
    if requested is None:
        if kind == "bool":
            raise bad_type(who, "the average of bool values is no bool", "ask for a float result: dtype=np.float32")
        return dtype
    wanted = "complex" if kind == "complex" else "float"
    if kind_of(requested) != wanted and (requested != dtype or kind == "bool"):
        choices = ", ".join(KINDS[wanted])
        raise bad_type(
            who, f"dtype {requested} is no result for the average of {dtype} values", f"use one of {choices}"
        )
    return requested


ROW = Op(
    name="avg",
    title="Average",
    summary="Mean of each window; only real taps count unless divisor says otherwise, an empty window gives 0.",
    prose=(
        "The sum of the real taps is divided by the number that the divisor rule names. Integers keep their dtype: "
        "the sum is exact and the quotient is rounded half to even. bool needs dtype=; dtype= asks for a float "
        "result. float16 and bfloat16 are added in float32 and rounded once."
    ),
    formula="y = sum(x[t] for t in window) / divisor",
    kinds=("bool", "signed", "unsigned", "float", "complex"),
    parameters=(DIVISOR, DTYPE),
    identity=zero,
    result_dtype=result_dtype,
    dtype_rule="same dtype; bool needs `dtype=`",
    nan_rule="NaN propagates",
    gradient_rule="g / divisor to every real tap",
    reference=reference,
    gradient=gradient,
    reducer="avg",
    linear=True,
    source='LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", 1998.',
    examples={
        "sliding": """
>>> x = np.array([[1.0, 9, 2, 8], [3, 4, 5, 7]])
>>> cenote.avg_pool(x, 2)
array([[4.25, 5.5 ]])

>>> cenote.avg_pool(np.array([10.0, 20.0]), (3,), stride=2, padding="same")  # two real taps
array([15.])
""",
        "adaptive": """
>>> cenote.adaptive_avg_pool(np.arange(10.0), (4,))
array([1., 3., 6., 8.])
""",
        "global": """
>>> cenote.global_avg_pool(np.arange(24.0).reshape(2, 3, 4))
array([ 5.5, 17.5])
""",
    },
    torch_note='``torch``\'s default (``count_include_pad=True``) is ``divisor="padded"``.',
    flax_note='``flax.linen.avg_pool``\'s default is ``divisor="window"`` and ``stride=1``.',
)
