"""The memory of large results: kept when they die, given to the next, never to two at once, never more than said."""

from __future__ import annotations

import gc
import io
import os
import pickle
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import cenote
from cenote import CenoteError, CenoteMemoryError
from cenote.native import _core
from fresh import python

MEGA = 2**20
OPS = ("max", "min", "avg", "sum", "lp")
X = np.random.default_rng(5).standard_normal((4, 2048, 1024)).astype(np.float32)  # 32 MiB; pooled 2/2: 8 MiB


@pytest.fixture(autouse=True)
def limit() -> Iterator[None]:
    before = cenote.get_cache_limit()
    gc.collect()
    cenote.empty_cache()
    cenote.set_cache_limit(256 * MEGA)
    yield
    cenote.set_cache_limit(before)
    cenote.empty_cache()


def address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def test_the_next_result_gets_the_memory_of_the_last() -> None:
    y = cenote.max_pool(X, 2)
    assert not y.flags.owndata
    at, want = address(y), y.copy()
    beside = cenote.max_pool(X, 2)
    assert address(beside) != at
    del y
    assert _core.cache_held() == 8 * MEGA
    for _ in range(3):  # the long way and the short one
        y = cenote.max_pool(X, 2)
        assert address(y) == at
        assert y.tobytes() == want.tobytes()
        del y
    assert address(cenote.avg_pool(X[:, :1900], 2)) == at  # a little less is near enough
    assert address(cenote.avg_pool(X[:, :1500], 2)) != at  # a quarter less is not
    assert address(cenote.sum_pool(X.view(np.int32), 2, dtype=np.int32)) == at


def test_who_computes_hears_whether_memory_was_touched() -> None:
    dtype = np.dtype(np.uint8)
    first, fresh = _core.new_array((4 * MEGA,), dtype, 4 * MEGA)
    assert fresh
    del first
    again, fresh = _core.new_array((4 * MEGA,), dtype, 4 * MEGA)
    assert not fresh
    assert not _core.new_array((MEGA,), dtype, MEGA)[1]
    cenote.set_cache_limit(0)
    assert _core.new_array((4 * MEGA,), dtype, 4 * MEGA)[1]  # NumPy's, and nobody knows
    assert again.nbytes == 4 * MEGA


def test_small_results_own_their_memory() -> None:
    assert cenote.max_pool(X[0, :1024], 2).flags.owndata
    assert not cenote.max_pool(X[:1], 2).flags.owndata


def test_all_large_results_come_from_the_cache() -> None:
    y, where = cenote.max_pool(X, 2, return_indices=True)
    again, pullback = cenote.vjp(cenote.max_pool, X, 2)
    dx = pullback(y)
    back = cenote.max_unpool(y, where, X.shape)
    assert not any(a.flags.owndata for a in (y, where, again, dx, back))
    places = {address(a) for a in (y, where, dx, back)}
    want = [a.tobytes() for a in (y, where, dx, back)]
    del y, where, again, dx, back
    y, where = cenote.max_pool(X, 2, return_indices=True)
    dx = pullback(y)
    back = cenote.max_unpool(y, where, X.shape)  # zeros and all, in memory that held something else
    assert {address(a) for a in (where, dx, back)} <= places
    assert [a.tobytes() for a in (y, where, dx, back)] == want


@pytest.mark.sanitize
@pytest.mark.parametrize("op", OPS)
def test_dirty_memory_does_not_show(op: str) -> None:
    """Results that land on other results' remains are those of untouched memory."""
    x = X[:1, :, :].copy()
    x[0, ::7, ::3] = np.nan
    pool = getattr(cenote, f"{op}_pool")
    for args, keywords in (
        ((2,), {}),
        ((3,), {"stride": 1, "padding": "same"}),
        ((5,), {"stride": (1, 2), "padding": 4}),
    ):
        cenote.set_cache_limit(0)
        y, pullback = cenote.vjp(pool, x, *args, **keywords)
        want = y.tobytes(), pullback(y).tobytes()
        assert y.flags.owndata
        cenote.set_cache_limit(256 * MEGA)
        for _ in range(3):
            y, pullback = cenote.vjp(pool, x, *args, **keywords)
            dx = pullback(y)
            assert (y.tobytes(), dx.tobytes()) == want
            assert pool(x, *args, **keywords).tobytes() == want[0]
            y[...] = dx[...] = -77
            del y, dx, pullback


def test_the_limit_is_kept() -> None:
    cenote.set_cache_limit(20 * MEGA)
    assert cenote.get_cache_limit() == 20 * MEGA
    results = [cenote.max_pool(X, 2) for _ in range(5)]
    assert _core.cache_held() == 0
    last = address(results[-1])
    while results:
        results.pop(0)
        assert _core.cache_held() <= 20 * MEGA
    assert _core.cache_held() == 16 * MEGA
    cenote.set_cache_limit(8 * MEGA)  # what was freed longest ago goes
    assert _core.cache_held() == 8 * MEGA
    assert address(cenote.max_pool(X, 2)) == last
    assert cenote.empty_cache() == 8 * MEGA
    assert cenote.empty_cache() == 0


def test_off() -> None:
    y = cenote.max_pool(X, 2)
    cenote.set_cache_limit(0)
    assert cenote.get_cache_limit() == 0
    del y
    assert _core.cache_held() == 0
    for _ in range(3):
        y = cenote.max_pool(X, 2)
        assert y.flags.owndata
        assert y.base is None
    assert _core.cache_held() == 0


def test_limits_that_are_none() -> None:
    before = cenote.get_cache_limit()
    for wrong in (-1, 1.5, "1", None, True, 2**64):
        with pytest.raises(CenoteError, match="set_cache_limit: bytes"):
            cenote.set_cache_limit(wrong)  # type: ignore[arg-type]
    assert cenote.get_cache_limit() == before
    cenote.set_cache_limit(np.int64(7))  # type: ignore[arg-type]
    assert cenote.get_cache_limit() == 7


ENVIRONMENT = """
import os, sys
os.environ["CENOTE_CACHE_LIMIT"] = {word!r}
import numpy as np, cenote
x = np.zeros((2, 2048, 1024), np.float32)
assert cenote.max_pool(x[0, :8, :8], 2).shape == (4, 4)
for _ in range(2):
    try:
        print(cenote.max_pool(x, 2).flags.owndata, cenote.get_cache_limit())
    except cenote.CenoteError as error:
        print(error)
if {more}:
    cenote.set_cache_limit(4096)
    print(cenote.max_pool(x, 2).flags.owndata, cenote.get_cache_limit())
"""


@pytest.mark.parametrize(
    ("word", "answer"), [("0", "True 0"), ("4096", "False 4096"), *((w, None) for w in ("", "1G", "-1", "9" * 30))]
)
def test_the_environment(word: str, answer: str | None) -> None:
    lines = python(ENVIRONMENT.format(word=word, more=answer is None)).splitlines()
    if answer is not None:
        assert lines == [answer, answer]
    else:
        for line in lines[:2]:
            assert line.startswith("CENOTE_CACHE_LIMIT: ")
            assert repr(word) in line
        assert lines[2:] == ["False 4096"]  # who says it in words is heard


def test_what_an_array_is_expected_to_do() -> None:
    y = cenote.max_pool(X, 2)
    want = y.copy()
    assert want.flags.owndata
    assert type(y) is np.ndarray
    assert y.flags.c_contiguous
    assert y.flags.writeable
    assert y.flags.aligned
    assert address(y) % 64 == 0
    assert np.array(y).flags.owndata
    assert y.astype(np.float32).flags.owndata
    assert pickle.loads(pickle.dumps(y)).tobytes() == want.tobytes()
    file = io.BytesIO()
    np.save(file, y)
    file.seek(0)
    assert np.load(file).tobytes() == want.tobytes()
    assert memoryview(y).nbytes == y.nbytes
    with pytest.raises(ValueError, match="own"):
        y.resize((8, 1024, 512))
    y += 1
    y.sort()
    sub = y.view(type("Sub", (np.ndarray,), {}))
    assert sub.sum() == y.sum()


def test_a_view_keeps_the_memory() -> None:
    y = cenote.max_pool(X, 2)
    at = address(y)
    part, turned, raw = y[1, ::2, ::3], y.T, memoryview(y)
    want = part.copy()
    del y
    others = [cenote.min_pool(X, 2) for _ in range(3)]
    assert at not in {address(other) for other in others}
    assert part.tobytes() == want.tobytes()
    del part, others
    assert at not in {address(cenote.min_pool(X, 2)) for _ in range(2)}
    del turned
    assert at not in {address(cenote.min_pool(X, 2)) for _ in range(2)}
    raw.release()
    del raw
    cycle: list[Any] = [cenote.max_pool(X, 2)]
    cycle.append(cycle)
    places = {address(cycle[0])}
    del cycle
    gc.collect()
    held = [cenote.max_pool(X, 2) for _ in range(4)]
    assert places <= {address(y) for y in held}


def test_results_of_dropped_axes() -> None:
    """Global pooling drops axes: the array returned is the one that was made."""
    x = np.ones((MEGA, 2, 1), np.float32)
    first = cenote.global_sum_pool(x)
    assert first.shape == (MEGA,)
    assert not first.flags.owndata
    at = address(first)
    del first
    assert address(cenote.global_sum_pool(x)) == at


def test_threads_never_share() -> None:
    want = {op: getattr(cenote, f"{op}_pool")(X[:2], 2).tobytes() for op in OPS}
    wrong: list[str] = []

    def work(op: str) -> None:
        pool = getattr(cenote, f"{op}_pool")
        kept = []
        for i in range(12):
            kept.append(pool(X[:2], 2))
            if i % 3 == 2:
                wrong.extend(op for y in kept if y.tobytes() != want[op])
                kept.clear()
            if i % 5 == 4:
                cenote.empty_cache()

    team = [threading.Thread(target=work, args=(op,)) for op in OPS]
    for member in team:
        member.start()
    for member in team:
        member.join()
    assert not wrong
    assert _core.cache_held() <= cenote.get_cache_limit()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_starts_with_nothing_kept() -> None:
    code = """
import os
import numpy as np, cenote
from cenote.native import _core
x = np.arange(2**22, dtype=np.float32).reshape(2048, 2048)
live = cenote.max_pool(x, 2)
want = live.tobytes()
y = cenote.max_pool(x, 2)
del y
assert _core.cache_held() == 2**22
child = os.fork()
if child == 0:
    ok = _core.cache_held() == 0 and live.tobytes() == want
    live += 1
    del live
    ok = ok and _core.cache_held() == 0
    for _ in range(2):
        y = cenote.max_pool(x, 2)
        ok = ok and y.tobytes() == want
        del y
    os._exit(0 if ok and _core.cache_held() == 2**22 else 1)
assert os.waitpid(child, 0)[1] == 0
assert _core.cache_held() == 2**22 and live.tobytes() == want
print("good")
"""
    assert python(code).strip() == "good"


@pytest.mark.parametrize("way", ["", "sys.exit()", "raise SystemExit", "atexit.register(lambda: keep.append(pool()))"])
def test_arrays_may_outlive_everything(way: str) -> None:
    code = f"""
import atexit, sys, threading
import numpy as np, cenote
x = np.ones((2048, 2048), np.float32)
pool = lambda: cenote.max_pool(x, 2)
keep = [pool(), pool()]
class Late:
    y = pool()
    def __del__(self):
        self.y = None
late = Late()
sys.kept_for_ever = [pool(), late]
threading.Thread(target=lambda: [pool() for _ in range(10**6)], daemon=True).start()
print("good", flush=True)
{way}
"""
    assert python(code).strip() == "good"


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_AS")
def test_short_of_memory_the_cache_is_emptied_first() -> None:
    code = """
import resource
import numpy as np, cenote
from cenote.native import _core
cenote.set_num_threads(1)
cenote.set_cache_limit(2**31)
x = np.broadcast_to(np.float32(1), (128, 1024, 1024))
kept = [cenote.max_pool(x, 2) for _ in range(3)]
del kept
assert _core.cache_held() == 3 * 2**27
used = int(open("/proc/self/statm").read().split()[0]) * 4096
resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, used + 2**26))
y = cenote.max_pool(np.broadcast_to(np.float32(1), (256, 1024, 1024)), 2)
assert y.nbytes == 2**28 and _core.cache_held() == 0 and (y == 1).all()
try:
    cenote.max_pool(np.broadcast_to(np.float32(1), (1024, 1024, 1024)), 2)
except cenote.CenoteMemoryError as error:
    print(error)
"""
    assert "takes 1073741824 bytes, more than there are" in python(code)


def test_results_beyond_memory() -> None:
    x = np.broadcast_to(np.uint8(1), (2**40, 4, 4))
    for limit in (0, 2**30):
        cenote.set_cache_limit(limit)
        with pytest.raises(CenoteMemoryError, match="more than there are"):
            cenote.sum_pool(np.broadcast_to(x, (2**17, *x.shape)), (1,))


def test_tracemalloc_sees_it() -> None:
    cenote.max_pool(X, 2)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        y = cenote.max_pool(X, 2)
        with_it, _ = tracemalloc.get_traced_memory()
        del y
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 8 * MEGA <= with_it - before < 8 * MEGA + 10_000
    assert after - before < 10_000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_many_sizes_do_not_pile_up() -> None:
    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    cenote.set_cache_limit(32 * MEGA)
    rng = np.random.default_rng(3)
    room = np.zeros(2 * MEGA, np.int64)
    alive: list[np.ndarray] = []
    start = 0
    for round_ in range(120):
        alive.append(cenote.sum_pool(room[: int(rng.integers(MEGA // 4, 3 * MEGA // 2))], (1,)))
        if len(alive) > 3:
            alive.pop(int(rng.integers(len(alive))))
        assert _core.cache_held() <= 32 * MEGA
        if round_ == 30:
            start = resident()
    # three live results and the cache, and nothing that grows
    assert resident() - start < 4 * 12 * MEGA + 32 * MEGA
    alive.clear()
    cenote.empty_cache()
    assert resident() < start
