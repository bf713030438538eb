"""Arrays that can hurt: ties, NaN, signed zeros, infinities, denormals; views of every awkward kind."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import ml_dtypes
import numpy as np

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)

INTS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float16", "bfloat16", "float32", "float64")
COMPLEX = ("complex64", "complex128")

FLOAT_VALUES = ("random", "ties", "whole", "nan", "zeros", "infinite", "denormal", "equal", "descending")
INT_VALUES = ("random", "ties", "extremes", "equal", "descending")
BOOL_VALUES = ("ties", "equal")
VIEWS = ("plain", "negative", "broadcast", "transposed", "stepped", "misaligned", "packed", "readonly")


def dtype_of(name: str) -> np.dtype:
    return BFLOAT16 if name == "bfloat16" else np.dtype(name)


def seed_of(*words: object) -> int:
    """A seed that is the same in every process (unlike `hash`)."""
    return zlib.crc32(repr(words).encode())


def values_for(name: str) -> tuple[str, ...]:
    if name == "bool":
        return BOOL_VALUES
    return INT_VALUES if name in INTS else FLOAT_VALUES


def _floats(shape: tuple[int, ...], name: str, values: str, rng: np.random.Generator) -> np.ndarray:
    size = int(np.prod(shape))
    tiny = {"float16": 2.0**-24, "bfloat16": 2.0**-133, "float32": 2.0**-149, "float64": 5e-324}
    if values == "random":
        flat = rng.standard_normal(size)
    elif values == "ties":
        flat = rng.choice([-1.0, 0.5, 2.0], size)
    elif values == "whole":
        flat = rng.integers(-9, 10, size).astype(float)
    elif values == "nan":
        flat = rng.choice([np.nan, -np.nan, 1.0, -2.0, 0.25], size, p=[0.15, 0.1, 0.25, 0.25, 0.25])
    elif values == "zeros":
        flat = rng.choice([0.0, -0.0, -1.0, 0.0, -0.0], size)
    elif values == "infinite":
        flat = rng.choice([np.inf, -np.inf, 1.0, -1.0, -np.inf], size)
    elif values == "denormal":
        flat = rng.integers(-40, 41, size) * tiny[name]
    elif values == "equal":
        flat = np.full(size, -1.0)
    else:  # descending: the first tap wins every maximum, the last every minimum; all below zero
        flat = -np.arange(1, size + 1, dtype=float) / 8
    return flat.reshape(shape)


def fill(shape: tuple[int, ...], name: str, values: str, seed: int) -> np.ndarray:
    """A fresh C-contiguous array of the named type and kind of values."""
    rng = np.random.default_rng(seed)
    dtype = dtype_of(name)
    if name == "bool":
        return rng.random(shape) < 0.4 if values == "ties" else np.ones(shape, dtype=bool)
    if name in INTS:
        bounds = np.iinfo(dtype)
        if values == "random":
            return rng.integers(bounds.min, bounds.max, shape, dtype=dtype, endpoint=True)
        if values == "extremes":
            ends = [bounds.min, bounds.max, bounds.max - 1, bounds.min + 1]
            return rng.choice(np.array(ends, dtype), shape)
        if values == "ties":
            return rng.choice(np.array([1, 2, 3], dtype), shape)
        if values == "equal":
            return np.full(shape, bounds.min, dtype)
        return (100 - np.arange(np.prod(shape)).reshape(shape) % 100).astype(dtype)
    if name in COMPLEX:
        real = {"complex64": "float32", "complex128": "float64"}[name]
        x = np.empty(shape, dtype)
        x.real = _floats(shape, real, values, rng)
        x.imag = _floats(shape, real, values, rng)
        return x
    with np.errstate(all="ignore"):
        return _floats(shape, name, values, rng).astype(dtype)


def present(x: np.ndarray, view: str) -> np.ndarray:
    """The same elements behind other strides (`broadcast` repeats the first of them instead)."""
    if view == "negative":
        backwards = tuple(slice(None, None, -1) for _ in x.shape)
        return x[backwards].copy()[backwards]
    if view == "broadcast":  # stride zero along the first axis and, where there is one, along the last
        return np.broadcast_to(x[:1, ..., :1] if x.ndim > 1 else x[:1], x.shape)
    if view == "transposed":
        return x.T.copy().T
    if view == "stepped":  # gaps of other values between the elements
        wide = np.repeat(np.repeat(x, 2, axis=0), 3, axis=-1)
        wide[1::2] = wide[1::2][::-1]
        return wide[::2, ..., ::3] if x.ndim > 1 else np.repeat(x, 3)[::3]
    if view == "misaligned":
        raw = np.zeros(x.nbytes + 1, dtype=np.uint8)
        raw[1:] = np.ascontiguousarray(x).view(np.uint8).ravel()
        return raw[1:].view(x.dtype).reshape(x.shape)
    if view == "packed":  # one byte between elements: strides are no multiple of the element size
        record = np.dtype({"names": ["v"], "formats": [x.dtype], "offsets": [1], "itemsize": x.itemsize + 1})
        records = np.zeros(x.shape, dtype=record)
        records["v"] = x
        return records["v"]
    out = x.copy()
    if view == "readonly":
        out.flags.writeable = False
    return out


def make(shape: Sequence[int], name: str, values: str = "random", view: str = "plain", seed: int = 0) -> np.ndarray:
    x = fill(tuple(shape), name, values, seed)
    return present(x, view) if x.size else x
