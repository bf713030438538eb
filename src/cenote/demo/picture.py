"""The demo's picture: the whole way of one image, a close-up in numbers, and the others in small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cenote.explorer.drawing.canvas import Canvas
from cenote.explorer.drawing.palette import INK, LINE, MUTED, on

from .palette import grey, signed
from .story import Story

_MARGIN: Final = 52
_WIDTH: Final = 1340
_GAP: Final = 56
_SIDE: Final = 208
_CLOSE: Final = 6
_CELL: Final = 46
_SMALL: Final = 3
_GLOBAL: Final = 76


def draw(stories: Sequence[Story], colours: NDArray[np.uint8] | None = None) -> Image.Image:
    """The picture of one or more stories; ``colours`` shows the first one's image as it came."""
    first = stories[0]
    # A photograph has a few very sharp edges: were they the end of the ramp, everything else would look empty.
    limit = max(float(np.quantile(np.abs(story.filtered), 0.995)) for story in stories) or 1.0
    place = _close_up(first)
    plan = _Plan(first, limit, place, colours)
    top = 152
    close_top = top + plan.height + 108
    small_top = close_top + _CLOSE * _CELL + 104
    bottom = small_top + stories[1].image.shape[0] * _SMALL if len(stories) > 1 else small_top - 104
    canvas = Canvas(_WIDTH, bottom + _MARGIN)
    _head(canvas, limit, beyond=any(np.max(np.abs(story.filtered)) > 1.1 * limit for story in stories))
    _way(canvas, top, plan)
    _numbers(canvas, close_top, plan)
    if len(stories) > 1:
        _others(canvas, small_top, stories[1:], limit)
    return canvas.image


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the parts of the picture share."""

    story: Story
    limit: float
    place: tuple[int, int]
    colours: NDArray[np.uint8] | None

    @property
    def scale(self) -> float:
        """Units per cell of the filtered map: whole for small maps, so that every cell is as large as its neighbour."""
        rows, columns = self.story.filtered.shape
        exact = min(_SIDE / columns, 1.3 * _SIDE / rows)
        return float(int(exact)) if exact >= 2 else exact

    @property
    def height(self) -> float:
        """Height of the row: its tallest panel with the arithmetic below, or the two global cells."""
        lines = max(len(stage.arithmetic) for stage in self.story.stages)
        return max(float(self.story.image.shape[0]) * self.scale + 12 + 14 * lines, 2 * _GLOBAL + 52)


def _close_up(story: Story) -> tuple[int, int]:
    """The 6 x 6 block, aligned with the windows, in which most happens."""
    rows, columns = (length // _CLOSE for length in story.filtered.shape)
    blocks = story.filtered[: rows * _CLOSE, : columns * _CLOSE].reshape(rows, _CLOSE, columns, _CLOSE)
    spread = blocks.std(axis=(1, 3))
    row, column = np.unravel_index(int(np.argmax(spread)), spread.shape)
    return int(row) * _CLOSE, int(column) * _CLOSE


def _head(canvas: Canvas, limit: float, *, beyond: bool) -> None:
    canvas.text(_MARGIN, 34, "What pooling keeps", size=25, bold=True)
    canvas.text(
        _MARGIN,
        68,
        "A 3 x 3 filter answers to vertical edges; pooling keeps the strongest answer, or the mean, of every window.",
        size=13,
        colour=MUTED,
    )
    left, width = _WIDTH - _MARGIN - 180, 180
    ramp = signed(np.linspace(-limit, limit, 2 * width)[None, :], limit)
    canvas.picture(left, 44, width, 10, ramp)
    least, most = (" or less", " or more") if beyond else ("", "")
    for at, text, anchor in (
        (0.0, f"{-limit:+.2f}{least}", "la"),
        (0.5, "0", "ma"),
        (1.0, f"{limit:+.2f}{most}", "ra"),
    ):
        canvas.text(left + at * width, 59, text, size=10.5, colour=MUTED, anchor=anchor)


def _title(canvas: Canvas, x: float, y: float, name: str, shape: Sequence[int], below: str = "") -> None:
    canvas.text(x, y - 36, name, size=13.5, bold=True)
    canvas.text(x, y - 17, " x ".join(str(length) for length in shape) + below, size=11.5, colour=MUTED)


def _way(canvas: Canvas, top: float, plan: _Plan) -> None:
    """Image, filtered, maximum, average, global: one row at one scale."""
    story, scale = plan.story, plan.scale
    tall = story.image.shape[0] * scale
    middle = top + tall / 2
    sums = {stage.name: stage.arithmetic for stage in story.stages}
    x = float(_MARGIN)
    shown = grey(story.image) if plan.colours is None else plan.colours
    x = _panel(canvas, x, top, tall, scale, "Image", story.image, shown, ())
    _arrow(canvas, x, middle, "filter")
    at = x + _GAP
    pixels = signed(story.filtered, plan.limit)
    x = _panel(canvas, at, top, tall, scale, "Filtered", story.filtered, pixels, sums["3x3 filter"])
    _marks(canvas, at, top + (tall - story.filtered.shape[0] * scale) / 2, plan)
    for name, values, key in (
        ("Maximum", story.largest, "2x2 max pool"),
        ("Average", story.mean, "2x2 average pool"),
    ):
        _arrow(canvas, x, middle, "pool 2 x 2") if name == "Maximum" else None
        gap = _GAP if name == "Maximum" else _GAP / 2
        x = _panel(canvas, x + gap, top, tall, 2 * scale, name, values, signed(values, plan.limit), sums[key])
    _arrow(canvas, x, middle, "global")
    _global(canvas, x + _GAP, top, plan)


def _panel(
    canvas: Canvas,
    x: float,
    top: float,
    tall: float,
    scale: float,
    name: str,
    values: NDArray[Any],
    pixels: NDArray[np.uint8],
    below: Sequence[str],
) -> float:
    """One map with its title and arithmetic; the right edge."""
    rows, columns = values.shape
    width, height = float(columns * scale), float(rows * scale)
    y = top + (tall - height) / 2
    canvas.picture(x, y, width, height, pixels)
    canvas.box(x, y, width, height, outline=LINE, line=1, outside=True)
    _title(canvas, x, top, name, values.shape)
    for i, text in enumerate(below):
        canvas.text(x, top + tall + 12 + 14 * i, text, size=10, colour=MUTED)
    return x + width


def _arrow(canvas: Canvas, x: float, y: float, label: str) -> None:
    canvas.arrow(x + 10, x + _GAP - 10, y, colour=MUTED)
    canvas.text(x + _GAP / 2, y - 9, label, size=9.5, colour=MUTED, anchor="ms")


def _marks(canvas: Canvas, x: float, y: float, plan: _Plan) -> None:
    """Outline the winners (where cells are large enough to see), the close-up, and the winner of all."""
    story, scale = plan.story, plan.scale
    columns = story.filtered.shape[1]
    if scale >= 4:
        # Where a window is flat everything ties, and an outline around its first cell would say nothing.
        lively = story.largest - story.mean > 0.01 * plan.limit
        for flat in story.winners[lively]:
            row, column = divmod(int(flat), columns)
            canvas.box(x + column * scale, y + row * scale, scale, scale, outline=INK, line=0.5)
    row, column = plan.place
    side, grow = _CLOSE * scale, max(0.0, 10 - _CLOSE * scale) / 2  # large enough to be found in a photograph
    left, top = x + column * scale - grow, y + row * scale - grow
    canvas.box(left, top, side + 2 * grow, side + 2 * grow, line=1.5, outside=True)
    row, column = divmod(story.global_winner, columns)
    canvas.ring(x + (column + 0.5) * scale, y + (row + 0.5) * scale, max(7.0, 1.2 * scale))


def _global(canvas: Canvas, x: float, top: float, plan: _Plan) -> None:
    story, side = plan.story, _GLOBAL
    row, column = divmod(story.global_winner, story.filtered.shape[1])
    for y, name, value, note in (
        (top, "Global maximum", story.global_largest, f", ringed: row {row}, column {column}"),
        (top + side + 52, "Global average", story.global_mean, ""),
    ):
        pixels = signed(np.array([[value]]), plan.limit)
        _title(canvas, x, y, name, (1, 1), note)
        canvas.cells(x, y, side, np.array([[value]]), pixels, size=17)
        canvas.box(x, y, side, side, outline=LINE, line=1, outside=True)


def _numbers(canvas: Canvas, top: float, plan: _Plan) -> None:
    """A 6 x 6 corner of the filtered map in numbers, winners outlined, and what the two pools make of it."""
    story, (row, column) = plan.story, plan.place
    half = _CLOSE // 2
    columns = story.filtered.shape[1]
    close = story.filtered[row : row + _CLOSE, column : column + _CLOSE]
    canvas.line(_MARGIN, top - 64, _WIDTH - _MARGIN, top - 64, colour=LINE)
    x = float(_MARGIN)
    _title(
        canvas, x, top, "Close-up of the filtered map, winners outlined", close.shape, " cells, the framed square above"
    )
    pixels = signed(close, plan.limit)
    canvas.cells(x, top, _CELL, close, pixels, size=12.5)
    for i in range(0, _CLOSE + 1, 2):  # the windows
        canvas.line(x + i * _CELL, top, x + i * _CELL, top + _CLOSE * _CELL, colour=INK, line=1)
        canvas.line(x, top + i * _CELL, x + _CLOSE * _CELL, top + i * _CELL, colour=INK, line=1)
    winners = story.winners[row // 2 : row // 2 + half, column // 2 : column // 2 + half]
    for flat in winners.ravel():
        r, c = divmod(int(flat), columns)
        left, upper = x + (c - column) * _CELL + 3, top + (r - row) * _CELL + 3
        red, green, blue = (int(part) for part in pixels[r - row, c - column])
        canvas.box(left, upper, _CELL - 6, _CELL - 6, outline=on((red, green, blue)), line=2.5)
    x += _CLOSE * _CELL
    for name, values in (("Maximum of each window", story.largest), ("Average of each window", story.mean)):
        if name.startswith("M"):
            _arrow(canvas, x, top + _CLOSE * _CELL / 2, "pool 2 x 2")
        x += _GAP
        part = values[row // 2 : row // 2 + half, column // 2 : column // 2 + half]
        _title(canvas, x, top, name, part.shape)
        canvas.cells(x, top, 2 * _CELL, part, signed(part, plan.limit), size=17)
        x += half * 2 * _CELL
    _words(canvas, x + _GAP - 12, top, plan)


def _words(canvas: Canvas, x: float, top: float, plan: _Plan) -> None:
    story = plan.story
    checked = sum(check.values for check in story.checks)
    agreed = "agree with the slow reference" if story.is_checked else "DO NOT AGREE with the reference"
    lines = [
        ("The maximum keeps the strongest", "answer and forgets where in its"),
        ("window it was: moved by a cell,", "an edge often pools the same."),
        ("The average lets answers of both", "signs cancel each other."),
        (f"{checked:,} pooled values were checked:", f"they {agreed}."),
    ]
    y = top
    for first, second in lines:
        canvas.text(x, y, first, size=11.5)
        canvas.text(x, y + 17, second, size=11.5)
        y += 17 * 2 + (12 if first.startswith(("window", "The av")) else 0)


def _others(canvas: Canvas, top: float, stories: Sequence[Story], limit: float) -> None:
    """The other images in small, each in four steps."""
    canvas.line(_MARGIN, top - 56, _WIDTH - _MARGIN, top - 56, colour=LINE)
    cell = _SMALL
    column = (_WIDTH - 2 * _MARGIN + 40) / len(stories)
    for i, story in enumerate(stories):
        x, tall = _MARGIN + i * column, story.image.shape[0] * cell
        canvas.text(x, top - 14, f"digit {story.label}", size=12, bold=True, anchor="ls")
        canvas.text(
            x + 60,
            top - 14,
            f"global maximum {story.global_largest:.2f}, average {story.global_mean:.2f}".replace("-0.00", "0.00"),
            size=10.5,
            colour=MUTED,
            anchor="ls",
        )
        for values, pixels, scale in (
            (story.image, grey(story.image), cell),
            (story.filtered, signed(story.filtered, limit), cell),
            (story.largest, signed(story.largest, limit), 2 * cell),
            (story.mean, signed(story.mean, limit), 2 * cell),
        ):
            width, height = values.shape[1] * scale, values.shape[0] * scale
            y = top + (tall - height) / 2
            canvas.picture(x, y, width, height, pixels)
            canvas.box(x, y, width, height, outline=LINE, line=1, outside=True)
            x += width + 14
