"""Memory for results, and the cache that keeps what large ones leave behind."""

from __future__ import annotations

import math
import os
import sys
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..errors import bad
from ..geometry.arguments import integer
from . import _core

Array = NDArray[Any]

_VARIABLE: Final = "CENOTE_CACHE_LIMIT"


class _Environment:
    """Its word counts until somebody sets the limit, and it is read when the first large result is asked for."""

    unread: bool = True


def empty_cache() -> int:
    """Give the memory of freed results back to the system; returns how many bytes that were.

    Results of 2 MiB and more lie in memory that is kept when the array dies and serves the next such result: pages
    fresh from the system cost several times what the pooling itself does. Arrays in use are not touched.

    Examples
    --------
    >>> import cenote
    >>> import numpy as np
    >>> y = cenote.max_pool(np.zeros((64, 512, 512), np.float32), 2)
    >>> y.flags.owndata  # its memory belongs to the cache
    False
    >>> del y
    >>> cenote.empty_cache() >= 64 * 256 * 256 * 4
    True
    """
    return _core.empty_cache()


def set_cache_limit(bytes: int) -> None:
    """Keep at most this many bytes of freed results, from now on; 0 turns the cache off.

    What lies beyond a new limit is given back at once, the longest unused first. A forked child starts with nothing
    kept.

    Parameters
    ----------
    bytes : int
        At least 0.

    Raises
    ------
    CenoteError
        ``bytes`` is no whole number in that range.

    Examples
    --------
    >>> import cenote
    >>> before = cenote.get_cache_limit()
    >>> cenote.set_cache_limit(0)  # results of every size own their memory
    >>> cenote.get_cache_limit()
    0
    >>> cenote.set_cache_limit(before)
    """
    limit = integer("set_cache_limit", "bytes", bytes, 0)
    _Environment.unread = False
    _core.set_cache_limit(limit)


def get_cache_limit() -> int:
    """The most bytes of freed results that are kept.

    What ``set_cache_limit`` said; else the environment's ``CENOTE_CACHE_LIMIT``; else a quarter of the machine's
    memory, and at most 1 GiB.

    Raises
    ------
    CenoteError
        ``CENOTE_CACHE_LIMIT`` is no whole number.

    Examples
    --------
    >>> import cenote
    >>> cenote.get_cache_limit() >= 0
    True
    """
    read_environment()
    return _core.cache_limit()


def new_array(shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[Array, bool]:
    """An uninitialised C-ordered array, and whether it is large and lies in memory that was perhaps never written.

    MemoryError where there is none for it, ValueError where NumPy cannot describe it.
    """
    size = math.prod(shape) * dtype.itemsize
    if size > sys.maxsize:
        raise MemoryError
    if size >= _core.least_kept:
        read_environment()
    try:
        return _core.new_array(shape, dtype, size)
    except MemoryError:
        if _core.empty_cache() == 0:
            raise
        return _core.new_array(shape, dtype, size)


def read_environment() -> None:
    """Let the environment's word about the cache count, if nobody has set a limit yet."""
    if not _Environment.unread:
        return
    said = os.environ.get(_VARIABLE)
    if said is not None:
        if not (said.isascii() and said.isdecimal()) or int(said[:20]) > sys.maxsize:
            raise bad(_VARIABLE, f"the limit is a number of bytes, got {said!r}", "write digits only, or unset it")
        _core.set_cache_limit(int(said))
    _Environment.unread = False
