"""Large results are written past the caches, rows that are cut, and arrays that lie anywhere: the bits are the same."""

from __future__ import annotations

import numpy as np
import pytest

import cenote
from arrays import fill

LARGE = 16 * 2**20  # bytes of a result, from which on it goes past the caches

# maps whose results are rows of whole registers, of odd lengths, of more than one tile, and cells of many elements
SHAPES = {
    "whole registers": ((72, 512, 512), (1, 2), 2),
    "odd rows": ((70, 511, 513), (1, 2), 2),
    "long rows": ((4, 1024, 8200), (1, 2), 2),
    "overlap": ((5, 1000, 1001), (1, 2), 1),
    "cells": ((6, 200, 400, 48), (1, 2), 2),
    "odd cells": ((6, 200, 401, 47), (1, 2), 2),
}


@pytest.mark.slow
@pytest.mark.parametrize("op", ["max", "avg"])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
@pytest.mark.parametrize("name", SHAPES)
def test_large_results_are_those_of_small_ones(name: str, dtype: str, op: str) -> None:
    """Every plane alone is far below the threshold."""
    shape, axes, stride = SHAPES[name]
    x = fill(shape, dtype, "random", 3)
    if dtype == "uint8":  # as many bytes
        x = np.concatenate([x, x, x, x], axis=0)
    pool = getattr(cenote, f"{op}_pool")
    size, padding = (3, 1) if stride == 1 else (2, 0)
    words = {"stride": stride, "padding": padding, "axes": axes}
    y = pool(x, size, **words)
    assert y.nbytes >= LARGE
    for plane in range(len(x)):
        assert (y[plane] == pool(x[plane : plane + 1], size, **words)[0]).all()


@pytest.mark.parametrize("dtype", ["float32", "uint8", "float16"])
@pytest.mark.parametrize("offset", [0, 1, 7, 16])
def test_a_large_result_may_lie_anywhere(dtype: str, offset: int) -> None:
    """Streaming stores need whole lines at aligned addresses; an ``out`` somewhere else gets the same numbers."""
    x = fill((9, 2048, 2048) if dtype == "float32" else (17, 2048, 2048), dtype, "random", 4)
    want = cenote.max_pool(x, 2)
    room = np.empty(want.size + 64, want.dtype)
    room[:] = 77
    out = room[offset : offset + want.size].reshape(want.shape)
    cenote.max_pool(x, 2, out=out)
    assert (out == want).all()
    assert (room[:offset] == 77).all()
    assert (room[offset + want.size :] == 77).all()


def test_a_cut_result_touches_nothing_else() -> None:
    """Tiles of long rows end where the next tile, perhaps another thread's, begins."""
    x = fill((33, 10_007), "float32", "random", 5)
    want = np.stack([cenote.avg_pool(row, (3,), stride=1) for row in x])
    room = np.full((33, 10_100), 77, np.float32)
    cenote.avg_pool(x, (3,), stride=1, axes=(1,), out=room[:, 20 : 20 + want.shape[1]])
    assert (room[:, 20 : 20 + want.shape[1]] == want).all()
    assert (room[:, :20] == 77).all()
    assert (room[:, 20 + want.shape[1] :] == 77).all()


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "float32", "bfloat16"])
@pytest.mark.parametrize("width", [3, 7, 15, 31, 33, 63, 65, 127])
def test_a_window_beyond_the_end_of_a_row_holds_nothing_of_the_next(width: int, dtype: str) -> None:
    x = fill((5, 4, width), dtype, "random", width)
    y = cenote.avg_pool(x, 2, ceil_mode=True)
    assert y.shape == (5, 2, (width + 1) // 2)
    for row in range(2):
        last = cenote.avg_pool(np.ascontiguousarray(x[:, 2 * row : 2 * row + 2, -1:]), (2, 1))[:, :, 0]
        assert (y[:, row, -1:].astype(float) == last.astype(float)).all()
