"""AxisSpans: which input positions each output of one axis looks at. All that kernels ever see of a window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class AxisSpans:
    """The real taps of every output along one axis of ``length`` cells.

    Output ``i`` reads ``start[i] + j * step[i]`` for ``0 <= j < count[i]``; taps that fall into padding are not
    listed, so nothing below this table knows that padding exists. Two further counts serve the divisors of
    averages: ``padded[i]`` taps lie inside the padded input and ``window[i]`` is the number of taps in full.
    ``skipped[i]`` taps of the window come before the first real one: sums are joined in an order that counts them.
    An output with ``count == 0`` has ``start == 0``, ``step == 1`` and ``skipped == 0``.
    """

    length: int
    start: Table
    count: Table
    step: Table
    padded: Table
    window: Table
    skipped: Table

    def __post_init__(self) -> None:
        for name in ("start", "count", "step", "padded", "window", "skipped"):
            getattr(self, name).setflags(write=False)

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, i: int) -> range:
        start, count, step = int(self.start[i]), int(self.count[i]), int(self.step[i])
        return range(start, start + count * step, step)

    def __iter__(self) -> Iterator[range]:
        return (self[i] for i in range(len(self)))

    @property
    def most_taps(self) -> int:
        """The largest number of real taps of any output (0 when there is no output)."""
        return int(self.count.max(initial=0))
