"""Large results are written past the caches, rows that are cut, and arrays that lie anywhere: the bits are the same."""

from __future__ import annotations

import numpy as np
import pytest

import cenote
from arrays import fill

LARGE = 16 * 2**20  # bytes of a result that surely goes past the caches

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


GRADIENTS = {
    "2/2 channels first": ((16, 40, 112, 112), (2, 3), "2"),
    "2/2 odd rows": ((16, 40, 111, 113), (2, 3), "2"),
    "2/2 channels last": ((16, 112, 112, 48), (1, 2), "2"),
    "3/2 channels last": ((16, 112, 112, 48), (1, 2), "3/2+1"),
    "3/1 channels last": ((16, 112, 112, 48), (1, 2), "3/1+1"),
    "3/1 odd channels last": ((16, 112, 112, 47), (1, 2), "3/1+1"),
    "3/1 channels first": ((16, 40, 112, 112), (2, 3), "3/1+1"),
    "rows that end in cells of no window": ((16, 2048, 320), (1, 2), "2x2/2x320"),
    "one window a row": ((4, 16, 2048, 64), (2, 3), "2x2/2x64"),
    "dilated, channels last": ((12, 112, 112, 48), (1, 2), "3/1+7@7"),
    "volumes": ((8, 16, 32, 64, 64), (2, 3, 4), "2"),
    "volumes, channels last": ((8, 32, 64, 64, 16), (1, 2, 3), "2"),
}


@pytest.mark.slow
@pytest.mark.parametrize("op", ["max", "avg"])
@pytest.mark.parametrize("name", GRADIENTS)
def test_large_gradients_are_those_of_small_ones(name: str, op: str) -> None:
    """Written where they lie and past the caches, or by way of scratch memory: the same bits."""
    shape, axes, text = GRADIENTS[name]
    window = cenote.Window.parse(text, rank=len(axes))
    x = fill(shape, "float32", "random", 6)
    pool = getattr(cenote, f"{op}_pool")
    y, pullback = cenote.vjp(pool, x, window, axes=axes)
    dy = fill(y.shape, "float32", "random", 7)
    dx = pullback(dy)
    assert dx.nbytes >= LARGE
    for i in range(len(x)):
        part = cenote.vjp(pool, x[i : i + 1], window, axes=axes)[1](dy[i : i + 1])
        assert np.array_equal(dx[i].view(np.uint32), part[0].view(np.uint32))


@pytest.mark.parametrize("offset", [0, 1, 8, 16])
@pytest.mark.parametrize("name", ["2/2 channels first", "2/2 channels last", "3/1 channels last"])
def test_a_large_gradient_may_lie_anywhere(name: str, offset: int) -> None:
    shape, axes, text = GRADIENTS[name]
    window = cenote.Window.parse(text, rank=2)
    x = fill(shape, "float32", "random", 8)
    for pool in (cenote.max_pool, cenote.avg_pool):
        y, pullback = cenote.vjp(pool, x, window, axes=axes)
        dy = fill(y.shape, "float32", "random", 9)
        want = pullback(dy)
        room = np.full(x.size + 64, 77, np.float32)
        out = room[offset : offset + x.size].reshape(shape)
        pullback(dy, out=out)
        assert np.array_equal(out.view(np.uint32), want.view(np.uint32))
        assert (room[:offset] == 77).all()
        assert (room[offset + x.size :] == 77).all()


@pytest.mark.parametrize("window", ["5/1+2", "13/1+6", "3/2+1", ">7"])
@pytest.mark.parametrize("planes", [33, 3600])
def test_small_maps_into_one_piece_of_memory_or_several(planes: int, window: str) -> None:
    """Several are worked on side by side; their results go to memory together where they follow one another."""
    x = fill((planes, 19, 19), "float32", "ties", 10)
    size = cenote.Window.parse(window, rank=2)
    for pool in (cenote.max_pool, cenote.avg_pool):
        want = np.concatenate([pool(x[i : i + 1], size, axes=(1, 2)) for i in range(planes)])
        got = pool(x, size, axes=(1, 2))
        assert np.array_equal(got.view(np.uint32), want.view(np.uint32))
        apart = np.full((planes, got.shape[1] + 1, got.shape[2] + 3), 77, np.float32)
        pool(x, size, axes=(1, 2), out=apart[:, : got.shape[1], : got.shape[2]])
        assert np.array_equal(apart[:, : got.shape[1], : got.shape[2]], got)
        assert (apart[:, got.shape[1] :] == 77).all()
        assert (apart[:, :, got.shape[2] :] == 77).all()
