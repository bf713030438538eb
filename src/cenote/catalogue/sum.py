"""sum: all real taps added up."""

from __future__ import annotations

import numpy as np

from ..errors import bad_type
from .dtypes import INTEGRAL, KINDS, Dtype, accumulator, kind_of, zero
from .op import Array, Op, Taps
from .parameters import DTYPE


def total(taps: Taps) -> Array:
    """The exact sum of integers as Python ints; the sum of floats in the accumulator's precision."""
    if kind_of(taps.values.dtype) in INTEGRAL:
        start = np.full(taps.values.shape[1:], 0, dtype=object)
        return np.asarray(sum((value.astype(object) for value in taps.values), start), dtype=object)
    wide = accumulator(taps.values.dtype, taps.result)
    return np.asarray(taps.values.astype(wide).sum(axis=0, dtype=wide))


def wrapped(exact: Array, result: Dtype) -> Array:
    """Python ints brought into an integer dtype, modulo 2^bits like NumPy's own arithmetic."""
    bits = 8 * result.itemsize
    # np.asarray: arithmetic on an object array without dimensions gives a bare int
    return np.asarray(exact & (2**bits - 1), dtype=object).astype(f"uint{bits}").view(result)


def rounded(exact: Array, result: Dtype) -> Array:
    """Python ints brought into a float dtype with one rounding: beyond 62 bits one bit stands for all that follow."""
    flat = []
    for number in exact.flat:
        shift = max(0, abs(number).bit_length() - 62)
        kept = abs(number) >> shift | (abs(number) & ((1 << shift) - 1) != 0)
        value = np.float64(kept) if result.itemsize == 8 else np.float32(np.int64(kept))
        flat.append(np.ldexp(value, shift) * (-1 if number < 0 else 1))
    return np.array(flat).reshape(exact.shape).astype(result)


def reference(taps: Taps) -> Array:
    """Add up; integers wrap, a float result is rounded once."""
    added = total(taps)
    if added.dtype == object and kind_of(taps.result) != "float":
        return wrapped(added, taps.result)
    return rounded(added, taps.result) if added.dtype == object else added.astype(taps.result)


def gradient(taps: Taps, y: Array, g: Array) -> Array:
    """g to every real tap."""
    return np.broadcast_to(g, (taps.inside, *g.shape))


def result_dtype(who: str, dtype: Dtype, requested: Dtype | None) -> Dtype:
    """What np.sum gives: int64 or uint64 for integers and bool, else the same dtype."""
    kind = kind_of(dtype)
    natural = {"bool": np.int64, "signed": np.int64, "unsigned": np.uint64}.get(kind or "")
    if requested is None:
        return np.dtype(natural) if natural else dtype
    allowed = ("complex",) if kind == "complex" else ("float",) if kind == "float" else ("signed", "unsigned", "float")
    if kind_of(requested) not in allowed:
        choices = ", ".join(name for kind in allowed for name in KINDS[kind])
        raise bad_type(who, f"dtype {requested} cannot hold the sum of {dtype} values", f"use one of {choices}")
    return requested


ROW = Op(
    name="sum",
    title="Sum",
    summary="Sum of the real taps of each window; padding adds nothing, an empty window gives 0.",
    prose=(
        "Integers and bool give what np.sum gives: int64 or uint64, wrapping alike, unless dtype= says otherwise. "
        "float16 and bfloat16 are added in float32 and rounded once. Floats are never added and subtracted in a "
        "running fashion: one NaN or inf stays within its windows."
    ),
    formula="y = sum(x[t] for t in window)",
    kinds=("bool", "signed", "unsigned", "float", "complex"),
    parameters=(DTYPE,),
    identity=zero,
    result_dtype=result_dtype,
    dtype_rule="int64 for bool and signed, uint64 for unsigned, else the same dtype",
    nan_rule="NaN propagates",
    gradient_rule="to every real tap",
    reference=reference,
    gradient=gradient,
    reducer="sum",
    linear=True,
    source='Boureau, Ponce and LeCun, "A theoretical analysis of feature pooling in visual recognition", 2010.',
    examples={
        "sliding": """
>>> cenote.sum_pool(np.array([[1, 9, 2, 8], [3, 4, 5, 7]], dtype=np.uint8), 2)
array([[17, 22]], dtype=uint64)
""",
        "adaptive": """
>>> cenote.adaptive_sum_pool(np.arange(10), (4,))
array([ 3,  9, 18, 24])
""",
        "global": """
>>> cenote.global_sum_pool(np.ones((2, 3, 4), dtype=bool))
array([12, 12])
""",
    },
)
