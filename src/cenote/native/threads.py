"""How many threads a call may use."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from ..errors import bad
from ..geometry.arguments import integer
from . import _core

_MOST = 1024
R = TypeVar("R")


class _Setting:
    """The number in force; None until somebody sets it or asks for it."""

    threads: int | None = None


class _Caller(threading.local):
    """What a framework that called from this thread allows at most."""

    most: int = _MOST


_caller = _Caller()


def limited(n: int, function: Callable[..., R], *args: object) -> R:
    """``function(*args)`` on at most ``n`` threads: a framework has a setting of its own.

    No context manager, which would cost a small call as much as the call itself.
    """
    before = _caller.most
    _caller.most = n
    try:
        return function(*args)
    finally:
        _caller.most = before


def threads_now() -> int:
    """How many threads a call that begins now may use."""
    return min(get_num_threads(), _caller.most)


def set_num_threads(n: int) -> None:
    """Use at most ``n`` threads per call, from now on and in every Python thread.

    Results do not depend on it, bit for bit; small calls use fewer. More threads than cores are allowed and slower.

    Parameters
    ----------
    n : int
        1 to 1024.

    Raises
    ------
    CenoteError
        ``n`` is no whole number in that range.

    Examples
    --------
    >>> import cenote
    >>> before = cenote.get_num_threads()
    >>> cenote.set_num_threads(1)
    >>> cenote.get_num_threads()
    1
    >>> cenote.set_num_threads(before)
    """
    number = integer("set_num_threads", "n", n, 1)
    if number > _MOST:
        raise bad("set_num_threads", f"n is at most {_MOST}, got {number}", "use the number of cores")
    _Setting.threads = number
    _core.say_threads(number)


def get_num_threads() -> int:
    """The number of threads a call may use.

    What ``set_num_threads`` said; else the environment's ``OMP_NUM_THREADS``; else the cores this process may run on,
    or fewer where its control group (a container's limit) grants less time than they have.

    The environment, the cores and the limit are looked at once, by the first call that needs them. What changes later,
    or in a forked child, is not noticed: say ``set_num_threads``.

    Examples
    --------
    >>> import cenote
    >>> cenote.get_num_threads() >= 1
    True
    """
    if _Setting.threads is None:
        _Setting.threads = _default()
        _core.say_threads(_Setting.threads)
    return _Setting.threads


def _default() -> int:
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if wanted.isdecimal() and 1 <= int(wanted[:6]) <= _MOST:
        return int(wanted)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(_MOST, cores, _quota())))


def _quota(groups: str = "/proc/self/cgroup", mount: str = "/sys/fs/cgroup") -> float:
    """Cores' worth of time that the control groups of this process grant: the tightest counts; infinity without any."""
    limits = [math.inf]
    for line in _text(groups).splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:  # version 2
            limits += map(_limit_2, _upwards(mount, path))
        elif "cpu" in controllers.split(","):
            for name in {"cpu", controllers}:
                limits += map(_limit_1, _upwards(f"{mount}/{name}", path))
    return min(limits)


def _upwards(mount: str, path: str) -> Iterator[str]:
    # A container may see its own group at the top of the mount while the path is still the host's, or leads outside.
    parts = [part for part in path.split("/") if part]
    if ".." in parts:
        parts = []
    for kept in range(len(parts), -1, -1):
        yield "/".join([mount, *parts[:kept]])


def _limit_2(folder: str) -> float:
    quota, _, period = _text(f"{folder}/cpu.max").strip().partition(" ")
    return _ratio(quota, period)


def _limit_1(folder: str) -> float:
    return _ratio(_text(f"{folder}/cpu.cfs_quota_us").strip(), _text(f"{folder}/cpu.cfs_period_us").strip())


def _ratio(quota: str, period: str) -> float:
    """Infinity unless both are positive: "no limit" is written "max", -1, or by leaving the file out."""
    if not (quota.isdecimal() and period.isdecimal()) or int(quota) == 0 or int(period) == 0:
        return math.inf
    return int(quota) / int(period)


def _text(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
