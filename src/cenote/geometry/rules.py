"""The three window rules of one axis: Slide, Split and Spans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..errors import CenoteError, bad, bad_type, shown
from .arguments import INT64_MAX, Pad, flag, integer, is_sequence, word, word_pad
from .spans import AxisSpans, Table


@dataclass(frozen=True, slots=True)
class Slide:
    """A window of ``size`` taps, ``dilation`` cells apart, moved by ``stride`` cells: the taps of output ``i`` are
    ``i * stride - lo + j * dilation`` for ``j = 0 .. size - 1``.

    ``stride`` left out means ``size``. ``pad`` is ``(lo, hi)`` (any whole numbers >= 0), or ``"same"`` (the output
    has ``ceil(length / stride)`` cells, an odd cell of padding goes to the end), ``"same_lower"`` (it goes to the
    beginning) or ``"valid"`` (no padding). ``ceil_mode`` rounds the output length up; a padding word fixes the
    rounding itself, so the two together are an error.

    >>> from cenote import Slide
    >>> Slide(3, stride=2, pad=(1, 1)).output_length(28)
    14
    >>> [list(taps) for taps in Slide(3, stride=2, pad="same").spans(4)]
    [[0, 1, 2], [2, 3]]
    """

    size: int
    stride: int = field(default=None)  # type: ignore[assignment]  # None is replaced by size
    dilation: int = 1
    pad: Pad = (0, 0)
    ceil_mode: bool = False

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "size", integer("Slide", "size", self.size, 1))
        given: object = self.stride
        put(self, "stride", self.size if given is None else integer("Slide", "stride", given, 1))
        put(self, "dilation", integer("Slide", "dilation", self.dilation, 1))
        put(self, "ceil_mode", flag("Slide", "ceil_mode", self.ceil_mode))
        if isinstance(self.pad, str):
            if self.ceil_mode:
                raise word_with_ceil("Slide", self.pad)
            put(self, "pad", word_pad(word("Slide", self.pad, "pad")))
        elif is_sequence(self.pad) and len(self.pad) == 2:
            lo, hi = self.pad
            put(self, "pad", (integer("Slide", "pad[0]", lo, 0), integer("Slide", "pad[1]", hi, 0)))
        else:
            raise bad_type(
                "Slide",
                f"pad is a (lo, hi) pair or a word, got {shown(self.pad)}",
                "write pad=(1, 1) or pad='same'",
            )

    @property
    def extent(self) -> int:
        """Cells from the first tap to the last, both included: ``(size - 1) * dilation + 1``."""
        return (self.size - 1) * self.dilation + 1

    def pads(self, length: int) -> tuple[int, int]:
        """``(lo, hi)`` for an axis of ``length`` cells, words resolved."""
        length = integer("Slide", "length", length, 0)
        if not isinstance(self.pad, str):
            return self.pad
        outputs = self.outputs(length)
        total = max(0, (outputs - 1) * self.stride + self.extent - length)
        small, large = total // 2, total - total // 2
        return (small, large) if self.pad == "same" else (large, small)

    def output_length(self, length: int, *, who: str = "Slide", axis: int | None = None) -> int:
        """Number of outputs for an axis of ``length`` cells; an error when there would be none."""
        length = integer(who, "length" if axis is None else f"length of axis {axis}", length, 0)
        lo, hi = self.pads(length)
        outputs = self.outputs(length)
        if outputs < 1:
            where = "the axis" if axis is None else f"axis {axis}"
            raise bad(
                who,
                f"the output length of {where} would be {outputs} (input length {length}, size {self.size}, "
                f"stride {self.stride}, dilation {self.dilation}, padding {lo} before and {hi} after, "
                f"ceil_mode {self.ceil_mode})",
                f"the window spans {self.extent} cells and {length + lo + hi} are there: "
                "use a smaller window or more padding",
            )
        if max(length + lo + hi, (outputs - 1) * self.stride + self.extent) > INT64_MAX:
            raise bad(
                who,
                f"the window reaches beyond 2^63 cells (input length {length}, size {self.size}, stride {self.stride}, "
                f"dilation {self.dilation}, padding {lo} before and {hi} after)",
                "use smaller numbers",
            )
        return outputs

    def outputs(self, length: int) -> int:
        """The formula of the output length and nothing else: it may be below 1, and ``length`` a compiler's symbol."""
        if isinstance(self.pad, str):
            return -(-length // self.stride)
        lo, hi = self.pad
        room = length + lo + hi - self.extent
        if not self.ceil_mode:
            return room // self.stride + 1
        outputs = -(-room // self.stride) + 1
        if (outputs - 1) * self.stride >= length + lo:  # the last window would start in the right padding
            outputs -= 1
        return outputs

    def most_taps(self, length: int) -> int:
        """No window has more taps than this; like ``outputs``, by a formula alone."""
        return self.size

    def shortest_input(self, outputs: int) -> int:
        """The least length that gives ``outputs`` outputs, rounding down: what unpooling assumes of what was pooled.

        >>> Slide(2).shortest_input(3), Slide(3, stride=2, pad=(1, 1)).shortest_input(4)
        (6, 7)
        """
        if isinstance(self.pad, str):
            raise bad("Slide", f"pad {self.pad!r} does not tell the length of an input", "give the padding in ints")
        return (outputs - 1) * self.stride + self.extent - sum(self.pad)

    def spans(self, length: int, *, who: str = "Slide", axis: int | None = None) -> AxisSpans:
        """The taps of every output for an axis of ``length`` cells."""
        outputs = self.output_length(length, who=who, axis=axis)
        lo, hi = self.pads(length)
        base = _count_up(outputs) * self.stride - lo
        step = self.dilation
        first = np.maximum(0, -(base // step))
        last = np.minimum(self.size - 1, (length - 1 - base) // step)
        count = np.maximum(0, last - first + 1)
        real = count > 0
        return AxisSpans(
            length=length,
            start=np.where(real, base + np.where(real, first, 0) * step, 0),
            count=count,
            step=np.where(real, np.int64(step), np.int64(1)),
            padded=np.minimum(self.size, (length + hi - 1 - base) // step + 1),
            window=np.full(outputs, self.size, dtype=np.int64),
            skipped=np.where(real, first, 0),
        )


def word_with_ceil(who: str, spelled: str) -> CenoteError:
    """The error for a padding word together with ``ceil_mode=True``."""
    return bad(
        who,
        f"padding {spelled!r} fixes the rounding, ceil_mode=True contradicts it",
        "drop ceil_mode, or give the padding in ints",
    )


@dataclass(frozen=True, slots=True)
class Split:
    """Adaptive: ``parts`` bins that cover the axis; bin ``i`` is ``[i*L // parts, ((i+1)*L + parts-1) // parts)``.

    ``Split(1)`` is global pooling. More parts than cells is legal: bins then overlap.

    >>> from cenote import Split
    >>> [(bin.start, bin.stop) for bin in Split(4).spans(10)]
    [(0, 3), (2, 5), (5, 8), (7, 10)]
    """

    parts: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", integer("Split", "parts", self.parts, 1))

    def outputs(self, length: int) -> int:
        """The same as ``output_length``, without a look at the length."""
        return self.parts

    def most_taps(self, length: int) -> int:
        """No bin has more cells than this; by a formula alone, which knows no case but that of one bin."""
        return length if self.parts == 1 else length // self.parts + 2

    def output_length(self, length: int, *, who: str = "Split", axis: int | None = None) -> int:
        """``parts``; an axis without cells is an error."""
        length = integer(who, "length" if axis is None else f"length of axis {axis}", length, 0)
        if length < 1:
            where = "the axis" if axis is None else f"axis {axis}"
            raise bad(
                who,
                f"{where} has length 0, there is nothing to pool",
                "pass at least one cell per pooled axis",
            )
        return self.parts

    def spans(self, length: int, *, who: str = "Split", axis: int | None = None) -> AxisSpans:
        """The bins for an axis of ``length`` cells."""
        self.output_length(length, who=who, axis=axis)
        parts = self.parts
        if (parts + 1) * (length + 1) > INT64_MAX:
            raise bad(who, f"{parts} parts of {length} cells are beyond 2^63", "use fewer parts")
        edge = _count_up(parts + 1) * length
        start = edge[:-1] // parts
        count = (edge[1:] + parts - 1) // parts - start
        return AxisSpans(length, start, count, np.ones(parts, dtype=np.int64), count, count, np.zeros_like(count))


@dataclass(frozen=True, slots=True)
class Spans:
    """An explicit table: ``(start, stop, step)`` (or ``(start, stop)``) per output, each like a Python ``range``.

    >>> from cenote import Spans
    >>> [list(taps) for taps in Spans([(0, 2), (1, 6, 2)]).spans(6)]
    [[0, 1], [1, 3, 5]]
    """

    table: tuple[tuple[int, int, int], ...]

    def __post_init__(self) -> None:
        if not is_sequence(self.table) and not (isinstance(self.table, np.ndarray) and self.table.ndim):
            raise bad_type(
                "Spans", f"table is a sequence of (start, stop, step), got {shown(self.table)}", "pass a list"
            )
        rows = tuple(self._row(i, row) for i, row in enumerate(self.table))
        if not rows:
            raise bad("Spans", "table is empty", "give at least one (start, stop, step)")
        object.__setattr__(self, "table", rows)

    @staticmethod
    def _row(i: int, row: Sequence[object]) -> tuple[int, int, int]:
        name = f"table[{i}]"
        if not (is_sequence(row) or isinstance(row, np.ndarray)) or len(row) not in (2, 3):
            raise bad(
                "Spans",
                f"{name} is (start, stop) or (start, stop, step), got {shown(row)}",
                "give 2 or 3 ints",
            )
        start, stop, step = (*row, 1)[:3]
        first = integer("Spans", f"{name} start", start, 0)
        return first, integer("Spans", f"{name} stop", stop, first), integer("Spans", f"{name} step", step, 1)

    def outputs(self, length: int) -> int:
        """The same as ``output_length``, without a look at the length."""
        return len(self.table)

    def most_taps(self, length: int) -> int:
        """Taps of the longest span."""
        return max(len(range(*row)) for row in self.table)

    def output_length(self, length: int, *, who: str = "Spans", axis: int | None = None) -> int:
        """The number of rows; a row that reaches outside the axis is an error."""
        length = integer(who, "length" if axis is None else f"length of axis {axis}", length, 0)
        for i, (start, stop, step) in enumerate(self.table):
            taps = range(start, stop, step)
            if taps and taps[-1] >= length:
                where = "the axis" if axis is None else f"axis {axis}"
                raise bad(
                    who,
                    f"span {i} ({start}, {stop}, {step}) reads cell {taps[-1]} of {where}, which has length {length}",
                    "keep every span inside the input",
                )
        return len(self.table)

    def spans(self, length: int, *, who: str = "Spans", axis: int | None = None) -> AxisSpans:
        """The table as arrays, checked against ``length``."""
        self.output_length(length, who=who, axis=axis)
        taps = [range(*row) for row in self.table]
        count = np.array([len(t) for t in taps], dtype=np.int64)
        start = np.array([t.start if t else 0 for t in taps], dtype=np.int64)
        step = np.array([t.step if t else 1 for t in taps], dtype=np.int64)
        return AxisSpans(length, start, count, step, count, count, np.zeros_like(count))


def _count_up(n: int) -> Table:
    """0 .. n - 1; a table beyond memory is a MemoryError whatever its size (NumPy says ValueError for the largest)."""
    try:
        return np.arange(n, dtype=np.int64)
    except ValueError as error:
        raise MemoryError(str(error)) from None


Rule = Slide | Split | Spans
