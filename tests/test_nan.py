"""A NaN reaches the windows that hold it and no other, wherever it lies: fast kernels look for it by themselves."""

from __future__ import annotations

import numpy as np
import pytest

import cenote
from arrays import dtype_of, fill

pytestmark = pytest.mark.sanitize

# (size, stride, padding): one for every way in which rows and columns are merged
WINDOWS = [
    *((2, 2, 0), (3, 2, 1), (3, 2, 0), (3, 3, 0), (7, 2, 3)),
    *((2, 1, 0), (2, 1, 1), (3, 1, 0), (3, 1, 1), (3, 1, 2), (5, 1, 2), (9, 1, 4), (33, 1, 16)),
]


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("op", ["max_pool", "min_pool", "avg_pool"])
@pytest.mark.parametrize("channels", [0, 1, 3, 16, 40])
def test_found_where_it_is(op: str, dtype: str, window: tuple[int, int, int], channels: int) -> None:
    size, stride, padding = window
    height, width = (max(9, size - 2 * padding + 4),) * 2
    axes = (0, 1) if channels else (-2, -1)
    for row, column in ((0, 0), (1, 1), (1, 2), (4, 3), (height - 1, width - 1), (3, width - 1)):
        for nan in (np.nan, -np.nan):
            x = np.ones((height, width, channels) if channels else (height, width), dtype_of(dtype))
            x[(row, column, 0) if channels else (row, column)] = nan
            y = getattr(cenote, op)(x, size, stride=stride, padding=padding, axes=axes)
            held = [
                np.array([i * stride - padding <= at < i * stride - padding + size for i in range(n)])
                for at, n in zip((row, column), y.shape, strict=False)
            ]
            expected = np.zeros(y.shape, bool)
            expected[(..., 0) if channels else ...] = np.outer(*held)
            assert np.array_equal(np.isnan(y), expected), (row, column, nan)


@pytest.mark.parametrize("size", [4, 5, 13, 30, 31])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("op", ["max_pool", "min_pool"])
def test_found_in_rows_that_compete_for_the_cache(op: str, dtype: str, size: int) -> None:
    """Rows whole kilobytes apart are brought together first; a view into a wider array is read where it lies."""
    x = fill((70, 2048), dtype, "random", size)
    wide = np.zeros((70, 2051), x.dtype)
    for spots in ((), ((0, 0),), ((69, 2047),), ((33, 700), (34, 1500))):
        for spot in spots:
            x[spot] = np.nan
        wide[:, :2048] = x
        got = getattr(cenote, op)(x, size, stride=1, padding=size // 2)
        want = getattr(cenote, op)(wide[:, :2048], size, stride=1, padding=size // 2)
        assert bool(spots) == np.isnan(got).any()
        assert np.array_equal(got, want, equal_nan=True)


@pytest.mark.parametrize("spot", [(0, 0, 0), (40, 3, 5), (299, 15, 15)])
def test_found_among_small_maps(spot: tuple[int, int, int]) -> None:
    """Maps that lie side by side in registers, in rows a kilobyte apart."""
    x = fill((300, 16, 16), "float32", "random", 11)
    x[spot] = np.nan
    got = cenote.max_pool(x, 5, stride=1, padding=2, axes=(1, 2))
    for i, one in enumerate(x):
        assert np.array_equal(got[i], cenote.max_pool(one, 5, stride=1, padding=2), equal_nan=True)
