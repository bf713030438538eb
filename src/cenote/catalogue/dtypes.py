"""The dtypes cenote pools, and what is made of each."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

import numpy as np

from ..errors import bad_type, shown

Dtype = np.dtype[Any]

KINDS: Final = {
    "bool": ("bool",),
    "signed": ("int8", "int16", "int32", "int64"),
    "unsigned": ("uint8", "uint16", "uint32", "uint64"),
    "float": ("float16", "bfloat16", "float32", "float64"),
    "complex": ("complex64", "complex128"),
}
REAL: Final = ("bool", "signed", "unsigned", "float")
INTEGRAL: Final = ("bool", "signed", "unsigned")
_KIND_OF: Final = {name: kind for kind, names in KINDS.items() for name in names}


@lru_cache(maxsize=256)  # dtype.name takes NumPy several microseconds
def kind_of(dtype: Dtype) -> str | None:
    """ "bool", "signed", "unsigned", "float" or "complex"; None for a dtype cenote does not pool."""
    return _KIND_OF.get(dtype.name)


def names(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """The dtype names of some kinds."""
    return tuple(name for kind in kinds for name in KINDS[kind])


def requested(who: str, dtype: object) -> Dtype:
    """What the argument ``dtype=`` names."""
    if isinstance(dtype, str) and dtype == "bfloat16":
        with suppress(ImportError):
            import ml_dtypes  # noqa: F401  # NumPy knows the name once this is there
    try:
        found: Dtype = np.dtype(dtype)  # type: ignore[call-overload]
    except TypeError:
        raise bad_type(who, f"dtype {shown(dtype)} is no dtype", "write dtype=np.float32 or the like") from None
    if kind_of(found) is None:
        raise bad_type(who, f"dtype {found} cannot be computed", f"use one of {', '.join(_KIND_OF)}")
    if not found.isnative:
        raise bad_type(who, f"dtype {found} is not in this machine's byte order", f"use {found.newbyteorder('=')}")
    return found


def accumulator(dtype: Dtype, result: Dtype) -> Dtype:
    """Floats and complex numbers are summed in single precision unless input or result is double."""
    wide = any(name in ("float64", "complex128") for name in (dtype.name, result.name))
    if kind_of(dtype) == "complex":
        return np.dtype(np.complex128 if wide else np.complex64)
    return np.dtype(np.float64 if wide else np.float32)


def lowest(dtype: Dtype) -> Any:
    """The identity of max: -inf for floats, else the type's own minimum."""
    kind = kind_of(dtype)
    if kind == "float":
        return dtype.type(-np.inf)
    return dtype.type(False) if kind == "bool" else dtype.type(np.iinfo(dtype).min)


def highest(dtype: Dtype) -> Any:
    """The identity of min: +inf for floats, else the type's own maximum."""
    kind = kind_of(dtype)
    if kind == "float":
        return dtype.type(np.inf)
    return dtype.type(True) if kind == "bool" else dtype.type(np.iinfo(dtype).max)


def zero(dtype: Dtype) -> Any:
    """The identity of sums."""
    return dtype.type(0)


def isnan(values: Any) -> Any:
    """NaN test that also takes integers and bools (never NaN)."""
    return values != values
