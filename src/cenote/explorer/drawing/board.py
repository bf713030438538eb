"""One grid of cells: where it lies, its cells with their numbers, and the marks of one window on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .palette import CARD, LINE, MUTED, WINDOW, WINNER, Colour, on, shades
from .scene import Axis
from .shapes import Box, Pattern, Pixels, Shape, Stroke, Text
from .words import number

#: Cells of an axis up to which each is drawn by itself.
GRID: Final = 64
#: The least side of a cell whose number can be read.
LEGIBLE: Final = 26
CELL: Final = 46


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """A plane of values between padding. ``down`` and ``across`` are None where there is no such axis, or no padding.

    ``x`` and ``y`` are where its first cell of padding lies, ``cell`` is a cell's side; ``labels`` name the padding
    and what hangs over it.
    """

    values: NDArray[Any]
    limits: tuple[float, float]
    x: float
    y: float
    cell: float
    down: Axis | None = None
    across: Axis | None = None
    labels: tuple[str, str] = ("", "")
    unread: bool = False
    """The whole plane is read by no window."""

    @property
    def rows(self) -> int:
        """Rows with their padding and overhang."""
        return self.down.whole if self.down else self.values.shape[0]

    @property
    def columns(self) -> int:
        """Columns with theirs."""
        return self.across.whole if self.across else self.values.shape[1]

    @property
    def width(self) -> float:
        """In units."""
        return self.columns * self.cell

    @property
    def height(self) -> float:
        """In units."""
        return self.rows * self.cell

    @property
    def top(self) -> int:
        """Rows of padding before the first cell."""
        return self.down.lo if self.down else 0

    @property
    def left(self) -> int:
        """Columns of padding before the first cell."""
        return self.across.lo if self.across else 0

    def skipped(self) -> NDArray[np.bool_]:
        """Of every cell, whether no window reads it."""
        rows, columns = self.values.shape
        down = self.down.unread if self.down else np.zeros(rows, dtype=np.bool_)
        across = self.across.unread if self.across else np.zeros(columns, dtype=np.bool_)
        return down[:, None] | across[None, :] | self.unread

    def shapes(self) -> Iterator[Shape]:
        """The board without marks."""
        yield from self._around()
        if max(self.rows, self.columns) <= GRID:
            yield from self._cells()
        elif self.values.size:
            rows, columns = self.values.shape
            pixels = shades(self.values, *self.limits)
            pale = self.skipped()
            pixels[pale] = 255 - (255 - pixels[pale]) // 4
            x, y = self._corner(0, 0)
            yield Pixels(x, y, columns * self.cell, rows * self.cell, pixels)
        yield Box(self.x, self.y, self.width, self.height, line=LINE)

    def _around(self) -> Iterator[Shape]:
        """Padding, and what hangs over it."""
        inner = self._inner()
        if inner != (self.rows, self.columns):
            yield Box(self.x, self.y, self.width, self.height, fill=CARD, pattern="dots")
        if inner != self.values.shape:
            yield Box(self.x, self.y, inner[1] * self.cell, inner[0] * self.cell, fill=CARD, pattern="hatch")

    def _inner(self) -> tuple[int, int]:
        """Rows and columns of the padded input: without the overhang."""
        return (
            self.rows - (self.down.over if self.down else 0),
            self.columns - (self.across.over if self.across else 0),
        )

    def _cells(self) -> Iterator[Shape]:
        pixels, skipped = shades(self.values, *self.limits), self.skipped()
        rows, columns = self.values.shape
        inner = self._inner()
        for row in range(self.rows):
            for column in range(self.columns):
                r, c = row - self.top, column - self.left
                x, y = self._corner(r, c)
                if 0 <= r < rows and 0 <= c < columns:
                    red, green, blue = (int(part) for part in pixels[r, c])
                    yield from self._cell(x, y, self.values[r, c], (red, green, blue), bool(skipped[r, c]))
                else:
                    yield Box(x, y, self.cell, self.cell, line=LINE)
                    yield from self._label(x, y, self.labels[int(row >= inner[0] or column >= inner[1])])

    def _cell(self, x: float, y: float, value: Any, colour: Colour, skipped: bool) -> Iterator[Shape]:
        unknown: Pattern | None = "crosses" if np.isnan(value) else None
        if skipped:
            colour = paled(colour)
        yield Box(
            x, y, self.cell, self.cell, fill=colour, pattern=unknown, line=LINE, thick=1 if self.cell > 14 else 0.5
        )
        if skipped:
            near, far = 0.12 * self.cell, 0.88 * self.cell
            yield Stroke(((x + near, y + far), (x + far, y + near)), MUTED, 1)
        if self.cell >= LEGIBLE:
            text = number(value, 3)
            size = round(min(0.31 * self.cell, 1.15 * self.cell / max(2, len(text))), 1)
            middle, baseline = x + self.cell / 2, y + self.cell / 2 + 0.35 * size
            if skipped or unknown:  # the number stays readable over what is drawn there
                wide = 0.58 * size * len(text) + 4
                yield Box(middle - wide / 2, y + self.cell / 2 - 0.6 * size, wide, 1.2 * size, fill=colour)
            yield Text(middle, baseline, text, size, MUTED if skipped else on(colour), "middle")

    def _label(self, x: float, y: float, label: str) -> Iterator[Shape]:
        if self.cell < LEGIBLE or not label:
            return
        lines = label.split(", ")
        size = round(min(0.3 * self.cell, 1.5 * self.cell / max(2, *map(len, lines))), 1)
        middle = x + self.cell / 2
        baseline = y + self.cell / 2 + 0.35 * size - 0.6 * size * (len(lines) - 1)
        wide = 0.56 * size * max(map(len, lines)) + 3
        yield Box(middle - wide / 2, baseline - 0.95 * size, wide, 1.2 * size * len(lines), fill=CARD)
        for i, line in enumerate(lines):
            yield Text(middle, baseline + 1.2 * size * i, line, size, MUTED, "middle")

    def _corner(self, row: int, column: int) -> tuple[float, float]:
        """Of a cell, counted from the first that is no padding."""
        return self.x + (column + self.left) * self.cell, self.y + (row + self.top) * self.cell

    def around(self, rows: range, columns: range) -> Iterator[Shape]:
        """The outline of a window: one for every block of taps without a gap."""
        for top, bottom in _runs(rows):
            for left, right in _runs(columns):
                x, y = self._corner(top, left)
                yield from self._outline(x, y, right - left + 1, bottom - top + 1, WINDOW, 3)

    def chosen(self, row: int, column: int) -> Iterator[Shape]:
        """The mark of the output whose window is shown."""
        x, y = self._corner(row, column)
        yield from self._outline(x, y, 1, 1, WINDOW, 3.5)

    def won(self, row: int, column: int) -> Iterator[Shape]:
        """The mark of the winner."""
        yield from self._ring(row, column, None)

    def tied(self, row: int, column: int) -> Iterator[Shape]:
        """The mark of a cell that equals the winner."""
        yield from self._ring(row, column, (5, 3.5))

    def _ring(self, row: int, column: int, dash: tuple[float, float] | None) -> Iterator[Shape]:
        """Inside the cell, on a white line, so that it stands out from every colour and from the window around it."""
        x, y = self._corner(row, column)
        thick = min(4.0 if dash is None else 2.5, max(1.5, self.cell / 8))
        inset = min(5.0, self.cell / 6) if self.cell >= 10 else -1.5
        side = self.cell - 2 * inset
        yield Box(x + inset, y + inset, side, side, line=CARD, thick=thick + 2)
        yield Box(x + inset, y + inset, side, side, line=WINNER, thick=thick, dash=dash)

    def _outline(self, x: float, y: float, columns: int, rows: int, colour: Colour, thick: float) -> Iterator[Shape]:
        grow = 0.0 if self.cell >= 10 else 1.5
        width, height = columns * self.cell + 2 * grow, rows * self.cell + 2 * grow
        thick = min(thick, max(2.0, self.cell / 6))
        yield Box(x - grow, y - grow, width, height, line=CARD, thick=thick + 2)
        yield Box(x - grow, y - grow, width, height, line=colour, thick=thick)


def paled(colour: Colour) -> Colour:
    """The colour of a cell that nobody reads: much nearer to white."""
    red, green, blue = (255 - (255 - part) // 4 for part in colour)
    return red, green, blue


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of every run of neighbours."""
    if isinstance(places, range) and (places.step == 1 or len(places) < 2):
        return [(places[0], places[-1])] if places else []
    return [(place, place) for place in places]
