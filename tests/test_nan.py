"""A NaN reaches the windows that hold it and no other, wherever it lies: fast kernels look for it by themselves."""

from __future__ import annotations

import numpy as np
import pytest

import cenote
from arrays import dtype_of

pytestmark = pytest.mark.sanitize

# (size, stride, padding): one for every way in which rows and columns are merged
WINDOWS = [(2, 2, 0), (3, 2, 1), (3, 2, 0), (3, 1, 1), (3, 3, 0), (5, 1, 2), (7, 2, 3), (9, 1, 4), (33, 1, 16)]


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
