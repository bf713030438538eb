"""Arrays at the door: what is accepted as input, where results may be written."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..catalogue.dtypes import REAL, Dtype, kind_of, names
from ..errors import CenoteError, CenoteMemoryError, bad, bad_type, message, shown
from ..native import new_array

Array = NDArray[Any]

_WAYS_OUT = {
    "O": "convert it to a numeric dtype, such as x.astype(np.float32); ragged lists cannot be pooled",
    "M": "pool x.view(np.int64), times are integers",
    "m": "pool x.view(np.int64), times are integers",
    "U": "convert it to numbers",
    "S": "convert it to numbers",
}


def as_input(who: str, x: ArrayLike, kinds: tuple[str, ...], name: str = "x") -> Array:
    """``x`` as a plain ndarray of a dtype among ``kinds``, in this machine's byte order. Arrays are not copied."""
    array = as_array(who, name, x)
    check_dtype(who, name, array.dtype, kinds)
    if array.ndim == 0:
        raise bad(who, f"{name} is a scalar (0 dimensions)", "pass an array with at least one dimension")
    return array


def check_dtype(who: str, name: str, dtype: Dtype, kinds: tuple[str, ...]) -> None:
    """A dtype among ``kinds`` in native byte order, or the error that says what to do."""
    kind = kind_of(dtype)
    if kind is None:
        way_out = _WAYS_OUT.get(dtype.kind, f"use one of {', '.join(names(kinds))}")
        raise bad_type(who, f"{name} has dtype {shown(str(dtype))}, which cannot be pooled", way_out)
    if not dtype.isnative:
        order = "big-endian" if np.little_endian else "little-endian"
        raise bad_type(
            who,
            f"{name} is {order} ({dtype.str}), this machine is not",
            f"convert it: {name}.astype({name}.dtype.newbyteorder('='))",
        )
    if kind not in kinds:
        if kind == "complex" and set(kinds) <= set(REAL):
            raise bad_type(
                who,
                f"{name} has dtype {dtype}, and complex numbers have no order or norm here",
                "pool the real and imaginary part or the absolute value, or use avg_pool or sum_pool",
            )
        raise bad_type(who, f"{name} has dtype {dtype}", f"use one of {', '.join(names(kinds))}")


def as_array(who: str, name: str, x: ArrayLike) -> Array:
    """``x`` as a plain ndarray of any dtype; masked arrays, whose mask would be lost, are refused."""
    try:
        array: Array = np.asanyarray(x)
    except Exception as error:  # __array__ is foreign code: a tensor that needs a gradient raises RuntimeError
        raise bad_type(
            who, f"{name} cannot be made an array ({shown(str(error))})", "pass an array or a nested list of numbers"
        ) from None
    # No masked array exists before numpy.ma was imported, and importing it for the question takes up to 25 ms.
    masked = sys.modules.get("numpy.ma")
    if masked is not None and (isinstance(array, masked.MaskedArray) or _holds(x, masked.MaskedArray)):
        raise bad_type(who, f"{name} is a masked array, and its mask would be lost", f"fill it: {name}.filled(value)")
    return np.asarray(array)


def _holds(x: object, kind: type) -> bool:
    """Is there one in a nested list?"""
    return isinstance(x, kind) or (isinstance(x, list | tuple) and any(_holds(entry, kind) for entry in x))


def new(who: str, shape: tuple[int, ...], dtype: Dtype) -> tuple[Array, bool]:
    """A C-ordered array and whether its memory is fresh; one beyond memory is an error that says how large it is."""
    try:
        return new_array(shape, dtype)
    except CenoteError:  # a ValueError too: the environment asks for a cache that cannot be
        raise
    except (MemoryError, ValueError):  # NumPy says ValueError when the size overflows
        size = math.prod(shape) * dtype.itemsize
        problem = f"takes {size} bytes, more than there are" if size else "is beyond what NumPy can describe"
        raise CenoteMemoryError(
            message(who, f"a result of shape {shape} and dtype {dtype} {problem}", "ask for a smaller one")
        ) from None


def check_out(who: str, out: object, shape: tuple[int, ...], dtype: Dtype, inputs: Sequence[Array], name: str) -> Array:
    """``out`` as given, if the result can be written there without harm."""
    if not isinstance(out, np.ndarray):
        raise bad_type(who, f"{name} is an ndarray, got {shown(out)}", f"pass np.empty({shape}, np.{dtype})")
    as_array(who, name, out)
    if out.shape != shape:
        raise bad(
            who,
            f"{name} has shape {out.shape}, the result has {shape}",
            f"pass np.empty({shape}, np.{dtype})",
        )
    if out.dtype != dtype or not out.dtype.isnative:
        raise bad_type(
            who,
            f"{name} has dtype {out.dtype.str if out.dtype.name == dtype.name else out.dtype}, the result has {dtype}",
            f"pass np.empty({shape}, np.{dtype})",
        )
    if not out.flags.writeable:
        raise bad(who, f"{name} is read-only", "pass a writeable array")
    if _may_overlap_itself(out):
        raise bad(who, f"{name} has cells that share memory (strides {out.strides})", "pass an array of its own")
    for other in inputs:
        if overlap(out, other):
            raise bad(who, f"{name} overlaps another array of the call", "pass memory of its own, or leave it out")
    return out


def overlap(a: Array, b: Array) -> bool:
    """Do two arrays share a byte? Yes when it would take long to find out."""
    if not np.may_share_memory(a, b):
        return False
    try:
        return np.shares_memory(a, b, max_work=100_000)  # type: ignore[arg-type]  # NumPy takes any number, its stub two
    except np.exceptions.TooHardError:
        return True


def _may_overlap_itself(array: Array) -> bool:
    """False for every slice or transpose of an ordinary array; True for broadcasts and the like."""
    reach = 0
    for stride, extent in sorted((abs(s), n) for s, n in zip(array.strides, array.shape, strict=True) if n > 1):
        if stride < reach + array.itemsize:
            return array.size > 0
        reach += stride * (extent - 1)
    return False
