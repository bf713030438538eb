"""Threads: the same bits for any number of them, from any Python thread; the GIL is released; Ctrl-C works."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import pytest

import cenote
from arrays import fill
from cenote.native import _core

OPS = ("max", "min", "avg", "sum", "lp")
# Many rows, so that several threads get some; odd, so that no share is even.
SHAPES = {"NCHW": (3, 5, 71, 67), "NHWC": (3, 71, 67, 5), "flat": (1, 1, 301, 133)}
WINDOWS = {
    "2/2": ("{}_pool", (2,), {}),
    "3/2+1^": ("{}_pool", (3,), {"stride": 2, "padding": 1, "ceil_mode": True}),
    "9/1+same": ("{}_pool", (9,), {"stride": 1, "padding": "same"}),
    "31x1/1": ("{}_pool", ((31, 1),), {"stride": 1}),
    ">7": ("adaptive_{}_pool", (7,), {}),
    "*": ("global_{}_pool", (), {}),
}


def call(op: str, window: str, layout: str):
    name, args, keywords = WINDOWS[window]
    axes = (1, 2) if layout == "NHWC" else (2, 3)
    return getattr(cenote, name.format(op)), args, {**keywords, "axes": axes}


T = TypeVar("T")
MANY = 100  # rows: more than threads


def on(count: int, rows: int, action: Callable[..., T], *args: Any, **keywords: Any) -> T:
    """What `action`, which has `rows` rows to share, answers on up to `count` threads, one of them a worker at the
    least. Needs `eager`."""
    cenote.set_num_threads(count)
    before = _core.threads_started()
    answer = action(*args, **keywords)
    began = _core.threads_started() - before
    assert began == 0 if min(count, rows) == 1 else 1 <= began < min(count, rows)
    return answer


def upstream(y: np.ndarray) -> np.ndarray:
    return np.cos(np.arange(y.size)).reshape(y.shape).astype(y.dtype)


@pytest.mark.parametrize("layout", SHAPES)
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("op", OPS)
def test_the_same_bits(op: str, window: str, layout: str, eager: Callable[[], int]) -> None:
    function, args, keywords = call(op, window, layout)
    rows = {("*", "flat"): 1, (">7", "flat"): 7, ("*", "NCHW"): 15, ("*", "NHWC"): 15}.get((window, layout), MANY)
    for dtype, values in (("float32", "random"), ("float16", "nan"), ("uint8", "random"), ("float64", "zeros")):
        x = fill(SHAPES[layout], dtype, values, 7)
        answers = []
        for count in (1, 2, 3, 7):
            found = [on(count, rows, function, x, *args, **keywords)]
            if op in ("max", "min"):
                found += on(count, rows, function, x, *args, **keywords, return_indices=True)
            if dtype in ("float32", "float16"):
                y, pullback = cenote.vjp(function, x, *args, **keywords)
                found.append(on(count, MANY, pullback, upstream(y)))
            answers.append([a.tobytes() for a in found])
        assert all(answer == answers[0] for answer in answers[1:])


GRADIENTS = [
    ("max", "float64", {}),
    ("min", "float64", {}),
    ("avg", "float64", {"divisor": "padded"}),
    ("avg", "complex64", {}),
    ("sum", "complex128", {}),
    *(("lp", dtype, {"p": p}) for dtype in ("float32", "float64") for p in (0.5, 1, 3, math.inf)),
]


@pytest.mark.parametrize("layout", SHAPES)
@pytest.mark.parametrize("window", ["3/1", "9/2@3"])
@pytest.mark.parametrize(("op", "dtype", "options"), GRADIENTS, ids=str)
def test_the_same_gradient_where_windows_overlap(
    op: str, dtype: str, options: dict[str, object], window: str, layout: str, eager: Callable[[], int]
) -> None:
    """Every cell collects from several windows, and their order decides the last bits."""
    function, _, axes = call(op, "2/2", layout)
    x = fill(SHAPES[layout], dtype, "random", 7)
    answers = set()
    for count in (1, 2, 3, 7):
        cenote.set_num_threads(count)
        y, pullback = cenote.vjp(function, x, cenote.Window.parse(window, 2), **axes, **options)
        answers.add(on(count, MANY, pullback, upstream(y)).tobytes())
    assert len(answers) == 1


def test_the_same_cells_filled(eager: Callable[[], int]) -> None:
    """Unpooling looks at all indices first, so it walks over the planes twice."""
    x = fill((3, 5, 40, 44), "float32", "ties", 7)
    y, indices = cenote.max_pool(x, 3, stride=1, return_indices=True)
    answers = set()
    for count in (1, 2, 3, 7):
        cenote.set_num_threads(count)
        before = eager()
        answers.add(cenote.max_unpool(y, indices, x.shape).tobytes())
        assert eager() - before == 2 * (count - 1)
    assert len(answers) == 1


def test_python_threads_at_once(eager: Callable[[], int]) -> None:
    """Different calls from many Python threads, again and again, give what they give alone."""
    cenote.set_num_threads(3)
    x = fill((2, 3, 97, 101), "float32", "random", 3)
    jobs = [call(op, window, "NCHW") for op in OPS for window in WINDOWS] * 3
    alone = [function(x, *args, **keywords).tobytes() for function, args, keywords in jobs]
    assert eager() == 2 * len(jobs)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda job: job[0](x, *job[1], **job[2]).tobytes(), jobs))
    assert together == alone
    # whoever found the workers taken did without; somebody had them
    assert 2 * len(jobs) < eager() <= 2 * 2 * len(jobs)


@pytest.mark.parametrize("op", OPS)
def test_a_pullback_may_be_called_again_and_elsewhere(op: str, eager: Callable[[], int]) -> None:
    cenote.set_num_threads(3)
    x = fill((2, 3, 97, 101), "float32", "random", 3)
    y, pullback = cenote.vjp(getattr(cenote, f"{op}_pool"), x, 3, stride=2, padding=1)
    dy = fill(y.shape, "float32", "random", 4)
    first = pullback(dy)
    before = eager()
    with ThreadPoolExecutor(4) as pool:
        rest = list(pool.map(pullback, [dy] * 12))
    assert 0 < eager() - before <= 12 * 2
    for again in (*rest, pullback(dy)):
        assert again is not first
        assert again.tobytes() == first.tobytes()
    assert (pullback(2 * dy) == 2 * first).all()  # doubling is exact, so nothing was kept from an earlier call


def test_the_setting_is_honoured(eager: Callable[[], int]) -> None:
    x = np.zeros((8, 8, 200, 200), np.float32)
    y, pullback = cenote.vjp(cenote.max_pool, x, 3)
    for count in (1, 2, 5):
        on(count, MANY, cenote.max_pool, x, 3)
        on(count, MANY, cenote.avg_pool, x, 3)
        on(count, MANY, pullback, y)
        assert cenote.get_num_threads() == count
        assert cenote.info().threads == count
        assert cenote.explain(cenote.max_pool, x, 3).threads == count


def test_threads_are_started_once(eager: Callable[[], int]) -> None:
    """Whatever number of calls, and of different sizes, follows."""
    x = fill((2, 3, 97, 101), "float32", "random", 3)
    cenote.set_num_threads(7)
    cenote.max_pool(x, 2)
    before = _core.threads_created()
    for count in (2, 7, 3, 7):
        for _ in range(25):
            on(count, MANY, cenote.max_pool, x, 2)
    assert _core.threads_created() == before


def test_threads_come_by_themselves_when_work_is_long(threads: None) -> None:
    """Without being waited for, as `eager` has it."""
    cenote.set_num_threads(2)
    before = _core.threads_started()
    deadline = time.monotonic() + 60
    while _core.threads_started() == before and time.monotonic() < deadline:
        cenote.max_pool(LONG, (100, 100))
    assert _core.threads_started() > before


def test_small_calls_start_no_thread(threads: None) -> None:
    cenote.set_num_threads(8)
    before = _core.threads_started()
    for op in OPS:
        y, pullback = cenote.vjp(getattr(cenote, f"{op}_pool"), np.ones((64, 64), np.float32), 2)
        pullback(y)
    assert _core.threads_started() == before


@pytest.mark.parametrize("wrong", [0, -1, 2.0, "2", True, None, 10**9])
def test_a_setting_that_makes_no_sense(wrong: object, threads: None) -> None:
    before = cenote.get_num_threads()
    with pytest.raises(cenote.CenoteError, match="set_num_threads"):
        cenote.set_num_threads(wrong)
    assert cenote.get_num_threads() == before


def ticking(action, pause: float = 0.002) -> tuple[float, int]:
    """Seconds that `action` took, and how often another Python thread got a turn meanwhile."""
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.wait(pause):
            ticks.append(time.perf_counter())

    watcher = threading.Thread(target=tick)
    watcher.start()
    try:
        start = time.perf_counter()
        action()
        stop = time.perf_counter()
    finally:
        done.set()
        watcher.join()
    return stop - start, sum(start < t < stop for t in ticks)


# Reads one number again and again: long in time, nothing in memory.
LONG = np.broadcast_to(np.float32(1), (6000, 6000))


@pytest.mark.parametrize("op", OPS)
def test_other_python_threads_go_on_meanwhile(op: str, threads: None) -> None:
    cenote.set_num_threads(1)
    pool = getattr(cenote, f"{op}_pool")
    seconds, ticks = ticking(lambda: [pool(LONG, (3000, 3000)) for _ in range(2)])
    # A call that held the GIL would let the watcher in about once; 20 is far from both that and the ideal of
    # one turn every 2 ms, which a busy machine does not give.
    assert seconds > 0.06, "too short to tell: make LONG larger"
    assert ticks >= min(20, seconds / 0.02)


def test_other_python_threads_go_on_during_a_gradient(threads: None) -> None:
    cenote.set_num_threads(1)
    y, pullback = cenote.vjp(cenote.avg_pool, np.ones((300, 300), np.float32), (30, 30), stride=1)
    seconds, ticks = ticking(lambda: [pullback(y) for _ in range(3)])
    assert ticks >= min(20, seconds / 0.02)


def child(code: str, **keywords) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen([sys.executable, "-c", code], env=environment, text=True, **keywords)


INTERRUPTED = {
    "values": "cenote.{op}_pool(x, size)",
    "global": "cenote.global_{op}_pool(x)",
}
ENDLESS = """
import threading, time, numpy as np, cenote
from cenote.native import _core
x = np.broadcast_to(np.float32(1), (3, 10**6, 10**6))
size = (500_000, 500_000)
cenote.set_num_threads({threads})

def watch():
    while _core.threads_started() < {threads} - 1:
        time.sleep(0.01)
    print("ready", flush=True)

threading.Thread(target=watch).start()
while True:
    {call}
"""


def interrupt(code: str, pause: float = 0.5) -> float:
    """Seconds from SIGINT to the end of a process that must end with KeyboardInterrupt."""
    process = child(code, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        time.sleep(pause)
        assert process.poll() is None, process.communicate()[1]
        start = time.perf_counter()
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=60)
        seconds = time.perf_counter() - start
    finally:
        process.kill()
    assert complaint.rstrip().endswith("KeyboardInterrupt")
    assert process.returncode == -signal.SIGINT
    return seconds


def needs_signals(test):
    return pytest.mark.slow(pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to a process")(test))


# The core promises to look for signals about every 0.1 s; the rest is Python's own ending, on a busy machine.
PATIENCE = 2.0


@needs_signals
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("op", ["max", "avg", "lp"])
@pytest.mark.parametrize("what", ["values", "global"])
def test_ctrl_c_ends_a_long_call(what: str, op: str, threads: int) -> None:
    code = ENDLESS.format(call=INTERRUPTED[what].format(op=op), threads=threads)
    assert interrupt(code) < PATIENCE


@needs_signals
def test_ctrl_c_ends_a_long_call_with_indices() -> None:
    assert interrupt(ENDLESS.format(call="cenote.max_pool(x, size, return_indices=True)", threads=2)) < PATIENCE


@needs_signals
@pytest.mark.parametrize("op", ["avg", "lp"])
def test_ctrl_c_ends_a_long_gradient(op: str) -> None:
    code = f"""
import numpy as np, cenote
y, pullback = cenote.vjp(cenote.{op}_pool, np.ones((500, 500), np.float32), (60, 60), stride=1)
print("ready", flush=True)
while True:
    pullback(y)
"""
    assert interrupt(code, pause=0.2) < PATIENCE


@needs_signals
def test_a_signal_handler_may_pool_while_a_call_is_under_way() -> None:
    """It runs on the thread of the call, between two of its tiles."""
    code = """
import signal
import numpy as np, cenote

def gradient(x):
    y, pullback = cenote.vjp(cenote.adaptive_avg_pool, x, (6, 5))
    return pullback(y)

calls = [lambda x: cenote.adaptive_avg_pool(x, (7, 6)), lambda x: cenote.max_pool(x, 5, stride=1, padding=2), gradient]
rng = np.random.default_rng(1)
large = rng.random((40_000, 13, 12), dtype=np.float32)
others = [rng.random((50, 31, n), dtype=np.float32) for n in (29, 25, 7)]
want = [[call(x) for x in others] for call in calls]
heard = 0

def handler(number, frame):
    global heard
    heard += 1
    for call, results in zip(calls, want):
        for x, y in zip(others, results):
            assert (call(x) == y).all()

cenote.set_num_threads(1)
for call in calls:
    y = call(large)
    # long enough for the core to look for signals, which it does about 20 times a second
    huge = np.broadcast_to(large, (16, *large.shape))
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    for _ in range(3):
        assert (call(huge) == y).all()
    signal.setitimer(signal.ITIMER_REAL, 0)
assert heard > 0
"""
    process = child(code, stderr=subprocess.PIPE)
    _, error = process.communicate(timeout=300)
    assert process.returncode == 0, error


@needs_signals
def test_an_interrupted_call_leaves_the_library_usable() -> None:
    code = """
import numpy as np, cenote
x = np.broadcast_to(np.float32(1), (10**6, 10**6))
print("ready", flush=True)
try:
    cenote.max_pool(x, (500_000, 500_000))
except KeyboardInterrupt:
    for count in (1, 2, 5):
        cenote.set_num_threads(count)
        y = np.random.default_rng(1).random((8, 8, 200, 200), dtype=np.float32)
        assert (cenote.max_pool(y, 2) == y.reshape(8, 8, 100, 2, 100, 2).max((3, 5))).all()
    raise
"""
    assert interrupt(code) < PATIENCE + 1  # and a second for the work that follows


@pytest.mark.parametrize("op", OPS)
def test_the_program_may_end_while_a_daemon_thread_pools(op: str) -> None:
    code = f"""
import sys, threading, time, numpy as np, cenote
x = np.broadcast_to(np.float32(1), (1, 1, 2**20, 2**18))
threading.Thread(target=cenote.global_{op}_pool, args=(x,), daemon=True).start()
time.sleep(0.3)
sys.exit(0)
"""
    process = child(code, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.communicate(timeout=60) == ("", "")
    finally:
        process.kill()
    assert process.returncode == 0


def test_more_python_threads_than_sense_with_their_own_sizes(threads: None) -> None:
    """Changing the number of threads while calls run changes speed only."""
    x = fill((4, 4, 160, 160), "float32", "random", 9)
    want = cenote.avg_pool(x, 5, stride=1).tobytes()
    stop = threading.Event()

    def restless() -> None:
        count = 1
        while not stop.is_set():
            cenote.set_num_threads(count := count % 5 + 1)

    worker = threading.Thread(target=restless)
    worker.start()
    try:
        answers = {cenote.avg_pool(x, 5, stride=1).tobytes() for _ in range(20)}
    finally:
        stop.set()
        worker.join()
    assert answers == {want}


def test_many_python_threads_and_many_calls(threads: None) -> None:
    """As they come, without waiting for workers: some have them, most find them taken."""
    cenote.set_num_threads(2)
    x = fill((4, 8, 40, 44), "float32", "ties", 9)
    want = cenote.max_pool(x, 3, stride=1).tobytes()
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: cenote.max_pool(x, 3, stride=1).tobytes(), range(8 * 100))
        assert set(answers) == {want}


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"),
    reason="this interpreter has a GIL; run the tests with a free-threaded one: make test PYTHON=python3.14t",
)
def test_a_free_threaded_interpreter_stays_so(eager: Callable[[], int]) -> None:
    assert sys._is_gil_enabled() is False  # type: ignore[attr-defined]  # importing cenote would have enabled it
    cenote.set_num_threads(3)
    x = fill((2, 3, 97, 101), "float32", "random", 3)
    y, pullback = cenote.vjp(cenote.avg_pool, x, 3, stride=1)
    want = y.tobytes(), pullback(y).tobytes()
    barrier = threading.Barrier(8)

    def again(_: int) -> set[tuple[bytes, bytes]]:
        barrier.wait()
        return {(cenote.avg_pool(x, 3, stride=1).tobytes(), pullback(y).tobytes()) for _ in range(50)}

    with ThreadPoolExecutor(8) as pool:
        assert set().union(*pool.map(again, range(8))) == {want}
