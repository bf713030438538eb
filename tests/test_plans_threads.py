"""The short way from many Python threads at once, and under signals."""

from __future__ import annotations

import signal
import threading

import numpy as np
import pytest

import cenote
from arrays import fill
from cenote.native import _core

OPS = ("max", "min", "avg", "sum")


class Enough(Exception):
    """Raised by a signal handler."""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")
def test_signals_end_a_short_way_too() -> None:
    x = np.broadcast_to(np.float32(1), (64, 1024, 1024))
    out = np.zeros((64, 512, 512), np.float32)

    def ring(*_: object) -> None:
        raise Enough

    def again_and_again() -> None:  # almost all of the time is the kernel's, so that is where it rings
        while True:
            cenote.max_pool(x, 2, out=out)

    cenote.max_pool(x, 2, out=out)
    before = signal.signal(signal.SIGALRM, ring)
    try:
        for delay in (0.02, 0.15):
            signal.setitimer(signal.ITIMER_REAL, delay)
            with pytest.raises(Enough):
                again_and_again()
        short = _core.short_ways()
        cenote.max_pool(x, 2, out=out)
        assert _core.short_ways() == short + 1
        assert (out == 1).all()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_many_python_threads() -> None:
    """Different calls, remembered and forgotten at the same time, each get their own answer."""
    arrays = [fill((2, 5, n), dtype, "random", n) for n in (7, 8, 19) for dtype in ("float32", "uint8", "float64")]
    jobs = [(getattr(cenote, f"{op}_pool"), x, size) for op in OPS for x in arrays for size in (1, 2, (3, 2))]
    want = [function(x, size).tobytes() for function, x, size in jobs]
    wrong: list[int] = []

    def work(seed: int) -> None:
        order = np.random.default_rng(seed).permutation(len(jobs) * 8) % len(jobs)
        for step, i in enumerate(order.tolist()):
            function, x, size = jobs[i]
            if function(x, size).tobytes() != want[i]:
                wrong.append(i)
            if step % 97 == seed:
                _core.forget_calls()

    team = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for member in team:
        member.start()
    for member in team:
        member.join()
    assert not wrong
