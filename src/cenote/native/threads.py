"""How many threads a call may use."""

from __future__ import annotations

import os

from ..errors import bad
from ..geometry.arguments import integer

_MOST = 1024


class _Setting:
    """The explicit setting; None until somebody makes one."""

    chosen: int | None = None


def set_num_threads(n: int) -> None:
    """Use at most ``n`` threads per call, from now on and in every Python thread.

    Results do not depend on it, bit for bit; small calls use fewer.

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
    _Setting.chosen = number


def get_num_threads() -> int:
    """The number of threads a call may use.

    What ``set_num_threads`` said; else the environment's ``OMP_NUM_THREADS``; else the cores this process may run on.

    Examples
    --------
    >>> import cenote
    >>> cenote.get_num_threads() >= 1
    True
    """
    return _default() if _Setting.chosen is None else _Setting.chosen


def _default() -> int:
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if wanted.isdecimal() and 1 <= int(wanted[:6]) <= _MOST:
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return max(1, min(_MOST, len(os.sched_getaffinity(0))))
    return max(1, min(_MOST, os.cpu_count() or 1))
