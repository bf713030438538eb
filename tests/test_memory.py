"""Nothing is kept that should be given back, after successes, errors and interrupts alike; odd memory is read right."""

from __future__ import annotations

import contextlib
import gc
import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest

import cenote

OPS = ("max", "min", "avg", "sum", "lp")
X = np.random.default_rng(1).standard_normal((2, 3, 8, 10)).astype(np.float32)
counted = pytest.mark.skipif(not hasattr(sys, "getrefcount"), reason="this Python does not count references")


def attempts(x: np.ndarray, out: np.ndarray) -> list[Any]:
    """Calls that succeed and calls that fail, early and late."""
    return [
        lambda: cenote.max_pool(x, 2, out=out),
        lambda: cenote.max_pool(x, 2, return_indices=True),
        lambda: cenote.avg_pool(x, 3, stride=1, padding=1),
        lambda: cenote.global_lp_pool(x),
        lambda: cenote.vjp(cenote.max_pool, x, 2)[1](out),
        lambda: cenote.vjp(cenote.lp_pool, x, 2)[1](out),
        lambda: cenote.explain(cenote.sum_pool, x, 2),
        lambda: cenote.max_pool(x, 0),
        lambda: cenote.max_pool(x, 2, out=out[:1]),
        lambda: cenote.max_pool(x, 2, axes=9),
        lambda: cenote.max_pool(x, 2, out=x),
        lambda: cenote.vjp(cenote.max_pool, x, 2)[1](x),
        lambda: cenote.max_unpool(out, np.full(out.shape, 10**6), x.shape),
    ]


@counted
def test_references_come_back() -> None:
    x, out = X.copy(), np.empty((2, 3, 4, 5), np.float32)
    for attempt in attempts(x, out):
        before = sys.getrefcount(x), sys.getrefcount(out)
        for _ in range(3):
            with contextlib.suppress(cenote.CenoteError):
                attempt()
        gc.collect()
        assert (sys.getrefcount(x), sys.getrefcount(out)) == before


def test_memory_comes_back() -> None:
    x, out = X.copy(), np.empty((2, 3, 4, 5), np.float32)

    def round_of_all() -> None:
        for attempt in attempts(x, out):
            with contextlib.suppress(cenote.CenoteError):
                attempt()

    round_of_all()
    gc.collect()
    tracemalloc.start()
    try:
        round_of_all()
        gc.collect()
        first, _ = tracemalloc.get_traced_memory()
        for _ in range(50):
            round_of_all()
        gc.collect()
        last, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Fifty rounds of results are about 0.7 MB; the interpreter's own caches move a few KB.
    assert last - first < 50_000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_native_memory_comes_back() -> None:
    """tracemalloc does not see what C++ allocates: the process as a whole must not grow."""

    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    x = np.random.default_rng(1).standard_normal((4, 8, 128, 128)).astype(np.float32)

    def work() -> None:
        for op in OPS:
            _, pullback = cenote.vjp(getattr(cenote, f"{op}_pool"), x, 3, stride=1, padding=1)
            pullback(np.broadcast_to(np.float32(1), x.shape))

    for _ in range(5):
        work()
    gc.collect()
    before = resident()
    for _ in range(30):
        work()
    gc.collect()
    # One forgotten offset or row buffer per call would be 150 times half a megabyte.
    assert resident() - before < 30 * 2**20


@pytest.mark.sanitize
def test_overlapping_views_of_the_input() -> None:
    """Reading the same memory many times is fine."""
    windows = np.lib.stride_tricks.sliding_window_view(np.arange(12.0), 4)
    assert cenote.max_pool(windows, 3).tobytes() == cenote.max_pool(windows.copy(), 3).tobytes()
    y, pullback = cenote.vjp(cenote.avg_pool, windows, 2, stride=1)
    assert pullback(y).tobytes() == cenote.vjp(cenote.avg_pool, windows.copy(), 2, stride=1)[1](y).tobytes()


@pytest.mark.sanitize
def test_bools_that_are_neither_0_nor_1() -> None:
    """A view of bytes as bool may hold any byte; every nonzero one is True."""
    x = np.array([0, 2, 0, 255, 0, 0, 4, 0], np.uint8).view(bool)
    y, where = cenote.max_pool(x, (4,), return_indices=True)
    assert (y.tolist(), where.tolist()) == ([True, True], [1, 6])
    assert cenote.min_pool(x, (4,)).tolist() == [False, False]
    assert cenote.sum_pool(x, (4,)).tolist() == [2, 1]
    assert cenote.avg_pool(x, (4,), dtype=np.float32).tolist() == [0.5, 0.25]
    assert cenote.lp_pool(x, (4,), p=1).tolist() == [2, 1]


def test_as_many_axes_as_numpy_has() -> None:
    x = np.arange(4.0).reshape((1,) * 62 + (2, 2))
    assert cenote.max_pool(x, (2, 2)).reshape(-1).tolist() == [3]
    assert cenote.max_pool(np.moveaxis(x, (62, 63), (3, 40)), 2, axes=(3, 40)).reshape(-1).tolist() == [3]


@pytest.mark.sanitize
@pytest.mark.parametrize("offset", range(0, 64, 4))
def test_every_alignment(offset: int) -> None:
    """Vector loads must not care where an array begins."""
    room = np.zeros(4 * 33 * 4 + 64, np.uint8)
    x = room[offset : offset + 4 * 33 * 4].view(np.float32).reshape(4, 33)
    x[...] = np.random.default_rng(offset).standard_normal((4, 33))
    for op in OPS:
        pool = getattr(cenote, f"{op}_pool")
        assert pool(x, 2).tobytes() == pool(x.copy(), 2).tobytes()


def test_nothing_is_read_beyond_the_input() -> None:
    """The array ends where the readable memory ends: one byte further is a crash."""
    import ctypes
    import mmap

    if not hasattr(mmap, "PROT_READ"):
        pytest.skip("needs POSIX memory protection")
    page = mmap.PAGESIZE
    area = mmap.mmap(-1, 3 * page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(area))
    mprotect = ctypes.CDLL(None, use_errno=True).mprotect
    mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for guarded in (start, start + 2 * page):
        assert mprotect(guarded, page, 0) == 0
    middle = (ctypes.c_uint8 * page).from_address(start + page)
    try:
        for dtype in (np.uint8, np.float16, np.float32, np.float64):
            for width in (1, 7, 31, 41):
                cells = np.frombuffer(middle, dtype)
                for part in (cells[-3 * width :], cells[: 3 * width]):
                    x = part.reshape(3, width)
                    x[...] = 1
                    for op in OPS:
                        pool = getattr(cenote, f"{op}_pool")
                        for args in (((1,), {}), ((3,), {"axes": 0}), ((2,), {"padding": 1, "stride": 1})):
                            assert (pool(x, args[0], **args[1]) > 0).all()
                            pool(x[::-1, ::-1], args[0], **args[1])
    finally:
        for guarded in (start, start + 2 * page):
            mprotect(guarded, page, mmap.PROT_READ | mmap.PROT_WRITE)
