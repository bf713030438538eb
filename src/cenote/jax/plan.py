"""A call in whole numbers, written down: what a handler is told of it by the attribute of its custom call.

The geometry stays in Python: the tables of every pooled axis travel, without loss, as runs of arithmetic progressions,
of which an ordinary window has one to three per table. csrc/bindings/xla_plan.hpp unpacks them.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache

import numpy as np

from ..catalogue import Call
from ..geometry import Window
from ..geometry.spans import Table
from ..native import NATIVE
from ..ops.arrays import new


def runs(table: Table) -> list[int]:
    """``[number of runs, first, delta, count, first, delta, count, ...]``.

    >>> import numpy as np
    >>> runs(np.array([0, 1, 3, 5, 7, 7]))
    [3, 0, 1, 2, 3, 2, 3, 7, 0, 1]
    """
    n = len(table)
    steps = np.diff(table)
    turns = (np.flatnonzero(steps[1:] != steps[:-1]) + 1).tolist()  # steps[k] differs from the step before
    found: list[int] = []
    at = 0
    while at < n:
        if at == n - 1:
            found += [int(table[at]), 0, 1]
            break
        next_turn = bisect_right(turns, at)
        last = turns[next_turn] if next_turn < len(turns) else n - 1
        found += [int(table[at]), int(steps[at]), last - at + 1]
        at = last + 1
    return [len(found) // 3, *found]


def attributes(call: Call) -> dict[str, str]:
    """What a custom call carries: see the reader in csrc/bindings/xla_plan.hpp.

    A result beyond memory is refused here, as NumPy's functions do: XLA would say so too, but only after tables of that
    length have been made. Other axes than the pooled ones may have symbols for lengths.
    """
    new(call.who, tuple(call.out_shape[axis] for axis in call.axes), call.result)
    from_end = tuple(axis - len(call.shape) for axis in call.axes)
    said = NATIVE.numbers(call)
    operator = (said.reducer, said.divisor, said.whole_number, _bits(said.number), _bits(said.p))
    return {"call": " ".join(map(str, operator)) + " " + geometry(call.who, call.window, call.lengths, from_end)}


def _bits(number: float) -> int:
    return int(np.float64(number).view(np.int64))


@lru_cache(maxsize=64)
def geometry(who: str, window: Window, lengths: tuple[int, ...], axes: tuple[int, ...]) -> str:
    """The tables of axes that count from the end."""
    numbers = [len(axes)]
    for axis, table in zip(axes, window.spans(lengths, who=who, axes=axes), strict=True):
        numbers += [axis, table.length, len(table)]
        for part in (table.start, table.count, table.step, table.padded, table.window, table.skipped):
            numbers += runs(part)
    return " ".join(map(str, numbers))
