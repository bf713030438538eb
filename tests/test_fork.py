"""Forked processes pool: threads do not survive a fork, answers must. Data loaders fork at any moment."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

# `right()`: whether a call answers as it must, on as many threads as were set. `child(f)`: whether f() is true in one.
START = """
import os, signal, sys, threading, time
import numpy as np, cenote
from cenote.native import _core

x = np.random.default_rng(1).random((8, 8, 200, 200), dtype=np.float32)
want = x.reshape(8, 8, 100, 2, 100, 2).max((3, 5))

def right(threads=3):
    before = _core.threads_started()
    cenote.set_num_threads(threads)
    if not (cenote.max_pool(x, 2) == want).all():
        return False
    return _core.threads_started() - before == threads - 1

def child(action):
    pid = os.fork()
    if pid == 0:
        ok = False
        try:
            ok = action()
        finally:
            os._exit(0 if ok else 3)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

usual = _core.set_work_per_thread(1)
"""


def runs(code: str) -> None:
    """The code, in a process of its own, ends well and in time."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-c", START + code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_child_has_threads_of_its_own() -> None:
    runs("""
assert right() and _core.threads_created() == 2
assert child(lambda: right() and _core.threads_created() == 4 and right(7) and _core.threads_created() == 8)
assert right() and _core.threads_created() == 2
""")


def test_a_child_of_a_parent_that_never_pooled() -> None:
    runs("assert child(right) and right()")


def test_grandchildren_and_siblings() -> None:
    runs("""
assert right()
for _ in range(5):
    assert child(lambda: right() and child(lambda: child(right) and right()) and right())
    assert right()
""")


def test_a_child_does_not_inherit_waiting() -> None:
    """One thread, and calls too small for more, need nothing of the pool."""
    runs("""
assert right()
_core.set_work_per_thread(usual)
assert child(lambda: right(1))
""")


@pytest.mark.parametrize("eager", [True, False])
def test_a_fork_while_other_threads_pool(eager: bool) -> None:
    """The threads of the parent hold the workers, and whatever locks they have, at the moment of the fork."""
    runs(f"""
if not {eager}:
    _core.set_work_per_thread(usual)
cenote.set_num_threads(3)
stop = threading.Event()
wrong = []

def restless():
    while not stop.is_set():
        if not (cenote.max_pool(x, 2) == want).all():
            wrong.append(True)

def in_child():
    _core.set_work_per_thread(1)
    return right() and right(5)

others = [threading.Thread(target=restless) for _ in range(3)]
for other in others:
    other.start()
try:
    for _ in range(40):
        assert child(in_child)
finally:
    stop.set()
    for other in others:
        other.join()
assert not wrong
_core.set_work_per_thread(1)
assert right()
""")


def test_a_fork_from_a_signal_handler_in_the_midst_of_a_call() -> None:
    """The child comes back into a call whose workers stayed with the parent, and finishes it alone."""
    runs("""
def planes(n):
    # one number a plane, repeated: work without memory
    return np.broadcast_to(np.arange(n, dtype=np.float32)[:, None, None], (n, 10_000, 10_000))

cenote.set_num_threads(1)
start = time.perf_counter()
cenote.global_max_pool(planes(1))
n = 3 + int(0.6 / (time.perf_counter() - start))
cenote.set_num_threads(3)
main, pids = os.getpid(), []

def forks(*_):
    pids.append(os.fork())

signal.signal(signal.SIGALRM, forks)
signal.setitimer(signal.ITIMER_REAL, 0.05)
answer = cenote.global_max_pool(planes(n))
ok = len(pids) == 1 and (answer.ravel() == np.arange(n)).all() and right()
if os.getpid() != main:
    os._exit(0 if ok else 3)
assert ok, f"{len(pids)} forks during the call"
assert os.waitstatus_to_exitcode(os.waitpid(pids[0], 0)[1]) == 0
assert right()
""")


def test_workers_of_a_data_loader() -> None:
    runs("""
import multiprocessing

def load(i):
    return right(), cenote.avg_pool(x + np.float32(i), 3).tobytes(), os.getpid()

assert right()
alone = [cenote.avg_pool(x + np.float32(i), 3).tobytes() for i in range(12)]
with multiprocessing.get_context("fork").Pool(2) as pool:
    answers = pool.map(load, range(12), chunksize=1)
    assert all(ok for ok, _, _ in answers)
    assert [bits for _, bits, _ in answers] == alone
    assert os.getpid() not in {pid for _, _, pid in answers}
assert right()
""")


def test_fewer_threads_than_asked_do_the_same_work() -> None:
    runs("""
import resource
cenote.set_num_threads(1)
assert (cenote.max_pool(x, 2) == want).all()
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (6 << 20), resource.RLIM_INFINITY))  # a stack takes 8 MB
cenote.set_num_threads(3)
out = np.empty_like(want)
resource.setrlimit(resource.RLIMIT_AS, (used + (4 << 20), resource.RLIM_INFINITY))
cenote.max_pool(x, 2, out=out)
created = _core.threads_created()
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert (out == want).all()
assert created == 0, created
time.sleep(1.1)  # then it is tried again
assert right()
""")
