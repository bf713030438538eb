"""cenote as contestants: default settings, without its cache of results, on one thread, and looped in C++."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import cenote

from .contestant import Contestant
from .data import Array, Data
from .workload import Workload

NAME = "cenote"
OFF = "cenote-off"
ONE_THREAD = "cenote-1t"
LOOP = "cenote-loop"


def contestants(workload: Workload, data: Data, threads: int, left_out: dict[str, str]) -> list[Contestant]:
    """``cenote`` always; ``cenote-off`` where there is a cache; the others where the row asks for them.

    ``left_out`` learns why one of them is not there.
    """
    call, arrays = _call(workload, data)
    default = _default_limit()
    _empty_cache()  # what earlier rows left there is none of this row's business
    warm = default is not None
    found = [Contestant(NAME, call, arrays, enter=usual(threads), warm=warm, keep=[data])]
    if workload.scaling:
        found.append(Contestant(ONE_THREAD, call, arrays, enter=usual(1), warm=warm, keep=[data]))
    if default is not None and not workload.overhead:
        found.append(Contestant(OFF, call, arrays, enter=_entering(threads, 0), keep=[data]))
    if (workload.overhead or workload.scaling) and not workload.backward:
        try:
            found.append(_looped(workload, data, usual(threads)))
        except Exception as error:  # it reaches below the public surface, which may change
            left_out[LOOP] = f"{type(error).__name__}: {error}"
    return found


def usual(threads: int) -> Callable[[], None]:
    """What opens a turn of cenote as it is by default, with so many threads."""
    return _entering(threads, _default_limit())


def _entering(threads: int, limit: int | None) -> Callable[[], None]:
    def enter() -> None:
        cenote.set_num_threads(threads)
        if limit is not None:
            _set_cache_limit(limit)

    return enter


@functools.cache
def _default_limit() -> int | None:
    """The limit that cenote starts with: asked once, because a row ends with whichever limit came last."""
    get = getattr(cenote, "get_cache_limit", None)
    return None if get is None or not hasattr(cenote, "set_cache_limit") else int(get())


def _set_cache_limit(limit: int) -> None:
    set_limit: Any = getattr(cenote, "set_cache_limit")  # noqa: B009  # not every version has it
    set_limit(limit)


def _empty_cache() -> None:
    empty: Any = getattr(cenote, "empty_cache", None)
    if empty is not None:
        empty()


def function(workload: Workload) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    """The public function of the row and what a user would pass after x."""
    geometry, rank = workload.geometry, workload.geometry.rank
    trailing = workload.axes == tuple(range(len(workload.shape) - rank, len(workload.shape)))
    form = "global_" if geometry.is_global else "adaptive_" if geometry.parts else ""
    fn: Callable[..., Any] = getattr(cenote, f"{form}{workload.op}_pool")
    words: dict[str, Any] = {} if trailing and rank == 2 else {"axes": workload.axes}
    if workload.op == "lp":
        words["p"] = 2
    if geometry.is_global:
        return fn, (), words | {"keepdims": True}
    if geometry.parts:
        return fn, (geometry.parts,), words
    size: Any = geometry.size[0] if rank == 2 and len(set(geometry.size)) == 1 else geometry.size
    if geometry.stride != geometry.size:
        words["stride"] = geometry.stride
    if any(geometry.padding):
        words["padding"] = geometry.padding
    return fn, (size,), words


def _call(workload: Workload, data: Data) -> tuple[Callable[[], Any], Callable[[Any], list[Array]]]:
    fn, positional, words = function(workload)
    x, dy = data.x, data.dy
    if dy is None:
        if workload.overhead:  # what a user types, not a partial
            return lambda: fn(x, 2), lambda y: [y]
        return functools.partial(fn, x, *positional, **words), lambda y: [y]

    def both() -> tuple[Array, Array]:
        y, pullback = cenote.vjp(fn, x, *positional, **words)
        return y, pullback(dy)

    return both, list


def _looped(workload: Workload, data: Data, enter: Callable[[], None]) -> Contestant:
    """The same plan called again and again from C++, without Python in between."""
    from cenote.native.provider import NATIVE
    from cenote.ops.pooling import pooling_of

    fn, positional, words = function(workload)
    prepared = pooling_of("bench", fn).prepare(data.x, *positional, **words)
    call = prepared.call
    y = np.empty(call.out_shape, dtype=call.result)

    def loop(repeat: int) -> float:
        return float(NATIVE.loop(call, data.x, y, repeat))

    return Contestant(LOOP, lambda: loop(1), loop=loop, enter=enter, keep=[y, data])
