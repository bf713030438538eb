"""Inputs: normal random numbers, in the workload's layout and at the wanted distance from a 64-byte line."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .workload import INTEGERS, Workload

Array = NDArray[Any]
_LINE = 64
_KEPT = 3  # a few hundred MB


def numpy_type(name: str) -> np.dtype[Any]:
    """The NumPy dtype; bfloat16 comes from ml_dtypes."""
    if name == "bfloat16":
        import ml_dtypes

        dtype: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return dtype
    return np.dtype(name)


def placed(count: int, dtype: np.dtype[Any], offset: int = 0) -> Array:
    """An uninitialised vector that starts ``offset`` bytes behind a 64-byte line."""
    size = count * dtype.itemsize
    raw = np.empty(size + _LINE + offset, dtype=np.uint8)
    start = -raw.ctypes.data % _LINE + offset
    return raw[start : start + size].view(dtype)


class Numbers:
    """Standard normal floats, or every value of an 8-bit integer alike; the last few are kept, for rows that follow."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._kept: dict[tuple[str, int, int], Array] = {}

    def array(self, shape: tuple[int, ...], name: str, offset: int = 0) -> Array:
        """An array of that shape; two that are asked for with the same length share their memory."""
        key = (name, math.prod(shape), offset)
        if key not in self._kept:
            while len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = self._made(*key)
        return self._kept[key].reshape(shape)

    def _made(self, name: str, count: int, offset: int) -> Array:
        flat = placed(count, numpy_type(name), offset)
        if name in INTEGERS:
            flat.view(np.uint8)[:] = np.frombuffer(self._random.bytes(count), dtype=np.uint8)
            return flat
        step = 1 << 22
        for start in range(0, count, step):  # in pieces, so that no second copy of it all exists
            piece = self._random.standard_normal(min(step, count - start), dtype=np.float32)
            flat[start : start + piece.size] = piece
        return flat


class Data:
    """The input of one workload, and the same numbers in the layouts that peers want, made outside every timing."""

    def __init__(self, workload: Workload, numbers: Numbers) -> None:
        self.workload = workload
        self.x = numbers.array(workload.shape, workload.dtype, workload.offset)
        self.dy = numbers.array(workload.out_shape, workload.dtype) if workload.backward else None
        self._kept: dict[str, Array] = {}

    def first(self) -> Array:
        """x as (N, C, spatial axes); x itself if that is its layout."""
        return self._once("x first", lambda: self.to_first(self.x))

    def last(self) -> Array:
        """x as (N, spatial axes, C)."""
        return self._once("x last", lambda: self.to_last(self.x))

    def dy_first(self) -> Array:
        """The gradient of the result as (N, C, spatial axes)."""
        return self._once("dy first", lambda: self.to_first(self._dy()))

    def dy_last(self) -> Array:
        """The gradient of the result as (N, spatial axes, C)."""
        return self._once("dy last", lambda: self.to_last(self._dy()))

    def _dy(self) -> Array:
        assert self.dy is not None
        return self.dy

    def _once(self, key: str, make: Any) -> Array:
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def to_first(self, array: Array) -> Array:
        """Any array in the workload's layout as (N, C, spatial axes); a view where that is possible."""
        letters = self.workload.layout
        full = array
        for letter in "CN":
            if letter not in letters:
                full, letters = full[np.newaxis], letter + letters
        spatial = [letter for letter in letters if letter not in "NC"]
        order = [letters.index(letter) for letter in ["N", "C", *spatial]]
        return np.ascontiguousarray(full.transpose(order))

    def to_last(self, array: Array) -> Array:
        """The same as (N, spatial axes, C)."""
        return np.ascontiguousarray(np.moveaxis(self.to_first(array), 1, -1))

    def from_first(self, array: Array, shape: tuple[int, ...]) -> Array:
        """Back from (N, C, spatial axes) to the workload's layout; ``shape`` is the shape to be there."""
        letters = self.workload.layout
        spatial = [letter for letter in letters if letter not in "NC"]
        have = ["N", "C", *spatial]
        lengths = dict(zip(letters, shape, strict=True))
        full = array.reshape([lengths.get(letter, 1) for letter in have])
        order = [have.index(letter) for letter in letters]
        rest = [i for i in range(len(have)) if i not in order]
        return full.transpose(rest + order).reshape(shape)

    def from_last(self, array: Array, shape: tuple[int, ...]) -> Array:
        """Back from (N, spatial axes, C)."""
        letters = self.workload.layout
        spatial = [letter for letter in letters if letter not in "NC"]
        lengths = dict(zip(letters, shape, strict=True))
        full = array.reshape([lengths.get(letter, 1) for letter in ["N", *spatial, "C"]])
        return self.from_first(np.moveaxis(full, -1, 1), shape)
