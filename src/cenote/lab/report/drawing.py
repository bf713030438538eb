"""Two kinds of chart: a row of marks for each arm, and a line for each arm with its name at the end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator, ScalarFormatter

from .numbers import MINUS, PREFIXES
from .palette import LIGHT, Look
from .svg import BORDER, DPI

_WIDTH: Final = 410
_ROW: Final = 26
_LABEL: Final = 16  # the least distance of two names, in pixels
_NAME: Final = 13
_SMALL: Final = 12
_LETTER: Final = 7.6  # the usual width of a letter at 12 or 13 pixels
_TITLE: Final = 34
_AXIS: Final = 42
_LEAST: Final = 120  # of the plot itself: a chart of names without end is wider


@dataclass(frozen=True, slots=True)
class Mark:
    """A value on a row, with the line from ``low`` to ``high`` that belongs to it; a hollow one is the second kind."""

    value: float
    low: float | None = None
    high: float | None = None
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """An arm in a chart of rows; ``text`` says the main value at the right."""

    arm: str
    look: Look
    marks: tuple[Mark, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """An arm in a chart of lines."""

    arm: str
    look: Look
    x: tuple[float, ...]
    y: tuple[float, ...]


def rows(title: str, axis: str, content: Sequence[Row], *, log: bool = False, zero: bool = False) -> Figure:
    """One row for each arm, the first on top; ``axis`` names the values. ``zero`` draws a line there."""
    left = 16 + _LETTER * max(len(row.arm) for row in content)
    right = 14 + _LETTER * max(len(row.text) for row in content)
    height = _TITLE + _ROW * len(content) + _AXIS
    figure, axes = _figure(title, height, left, right)
    axes.set_ylim(len(content) - 0.5, -0.5)
    if log:
        axes.set_xscale("log")
    _ticks(axes.xaxis, log, [mark.value for row in content for mark in row.marks])
    axes.set_yticks(range(len(content)), [row.arm for row in content], color=LIGHT["ink"], fontsize=_NAME)
    axes.grid(axis="x", color=LIGHT["line"], linewidth=1)
    axes.set_xlabel(axis, color=LIGHT["muted"], fontsize=_SMALL, labelpad=5)
    if zero:
        axes.axvline(0, color=LIGHT["faint"], linewidth=1)
    for i, row in enumerate(content):
        axes.axhline(i, color=LIGHT["line"], linewidth=1, zorder=0)
        for mark in row.marks:
            _mark(axes, i, mark, row.look)
        axes.annotate(
            row.text, (1, i), (8, 0), ("axes fraction", "data"), "offset points",
            va="center", color=LIGHT["muted"], fontsize=_SMALL,
        )  # fmt: skip
    _room(axes, content, log)
    return figure


def _mark(axes: Any, y: float, mark: Mark, look: Look) -> None:
    if mark.low is not None and mark.high is not None:
        axes.plot((mark.low, mark.high), (y, y), color=look.colour, linewidth=2, solid_capstyle="round", zorder=2)
    inside = LIGHT["card"] if mark.hollow else look.colour
    axes.plot(
        (mark.value,), (y,), look.marker, markersize=7, markerfacecolor=inside, markeredgecolor=look.colour,
        markeredgewidth=1.5, zorder=3, clip_on=False,
    )  # fmt: skip


def _room(axes: Any, content: Sequence[Row], log: bool) -> None:
    """Ends of the axis that leave every mark some room."""
    values = [
        value
        for row in content
        for mark in row.marks
        for value in (mark.value, mark.low, mark.high)
        if value is not None and (value > 0 or not log)
    ]
    if not values:
        return
    low, high = min(values), max(values)
    if log:
        margin = max((high / low) ** 0.06, 1.15)
        axes.set_xlim(low / margin, high * margin)
    else:
        margin = 0.06 * (high - low) or abs(high) * 0.05 or 1.0
        axes.set_xlim(low - margin, high + margin)


def lines(
    title: str, x_axis: str, y_axis: str, content: Sequence[Line], *, whole: bool = False, log: bool = False
) -> Figure:
    """A line for each arm, named at its right end; ``whole`` puts a tick at every x."""
    right = 34 + _LETTER * max(len(line.arm) for line in content)
    plot = max(230, _LABEL * (len(content) + 1))
    figure, axes = _figure(title, _TITLE + plot + _AXIS, 46, right)
    if log:
        axes.set_yscale("log")
    _ticks(axes.yaxis, log, [y for line in content for y in line.y])
    axes.grid(axis="y", color=LIGHT["line"], linewidth=1)
    axes.tick_params(axis="y", labelcolor=LIGHT["muted"], labelsize=_SMALL)
    axes.set_xlabel(x_axis, color=LIGHT["muted"], fontsize=_SMALL, labelpad=5)
    axes.set_ylabel(y_axis, color=LIGHT["muted"], fontsize=_SMALL, labelpad=6)
    marked = max(len(line.x) for line in content) <= 12
    for line in content:
        axes.plot(
            line.x, line.y, color=line.look.colour, linestyle=line.look.dash, linewidth=1.8,
            marker=line.look.marker if marked else None, markersize=4.5, markeredgewidth=0, clip_on=False,
        )  # fmt: skip
    first, last = min(line.x[0] for line in content), max(line.x[-1] for line in content)
    axes.set_xlim(first - 0.02 * (last - first) - (first == last), last + (first == last))
    if whole:
        axes.set_xticks(sorted({x for line in content for x in line.x}))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.autoscale_view(scalex=False)
    _names(axes, content, plot, right)
    return figure


def _names(axes: Any, content: Sequence[Line], plot: float, right: float) -> None:
    """Names beside the ends of lines, moved apart where ends lie close."""
    low, high = axes.get_ylim()
    place = axes.get_position()
    width = right / (DPI * axes.figure.get_figwidth())
    margin = axes.figure.add_axes((place.x1, place.y0, width, place.height))  # in pixels
    margin.set(xlim=(0, right), ylim=(0, plot))
    margin.axis("off")

    def up(y: float) -> float:
        log = axes.get_yscale() == "log"
        return plot * float(math.log(y / low) / math.log(high / low) if log else (y - low) / (high - low))

    ends = [up(line.y[-1]) for line in content]
    for line, end, y in zip(content, ends, apart(ends, _LABEL, plot), strict=True):
        colour = line.look.colour
        margin.plot((3, 8, 18), (end, end, y), color=colour, linewidth=0.9, alpha=0.7, clip_on=False)
        margin.plot((23,), (y,), line.look.marker, color=colour, markersize=5, markeredgewidth=0, clip_on=False)
        margin.text(30, y, line.arm, va="center_baseline", fontsize=_SMALL, color=LIGHT["ink"])


def apart(wanted: Sequence[float], gap: float, top: float) -> list[float]:
    """Positions at least ``gap`` apart, in the order of ``wanted`` and as near to it as can be, within 0 and ``top``.

    >>> apart([5, 100, 6], 15, 200)
    [0.0, 100.0, 15.0]
    """
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    blocks: list[tuple[float, int]] = []  # sums of wanted - rank * gap, and how many
    for rank, i in enumerate(order):
        total, count = wanted[i] - rank * gap, 1
        while blocks and blocks[-1][0] / blocks[-1][1] >= total / count:
            before = blocks.pop()
            total, count = total + before[0], count + before[1]
        blocks.append((total, count))
    room = top - gap * (len(wanted) - 1)
    found = [0.0] * len(wanted)
    rank = 0
    for total, count in blocks:
        for _ in range(count):
            found[order[rank]] = min(max(total / count, 0.0), max(room, 0.0)) + rank * gap
            rank += 1
    return found


def _figure(title: str, height: float, left: float, right: float) -> tuple[Figure, Any]:
    """A figure of the usual width or more, with one plain plot; lengths in pixels, without the border."""
    whole = max(_WIDTH, left + right + _LEAST)
    wide, high = whole + 2 * BORDER, height + 2 * BORDER
    figure = Figure(figsize=(wide / DPI, high / DPI), dpi=DPI, facecolor=LIGHT["card"])
    plot = (whole - left - right, height - _TITLE - _AXIS)
    axes = figure.add_axes(((BORDER + left) / wide, (BORDER + _AXIS) / high, plot[0] / wide, plot[1] / high))
    at = (BORDER / wide, (BORDER + height - 14) / high)
    figure.text(*at, title, fontsize=14.5, fontweight="bold", color=LIGHT["ink"])
    axes.set_facecolor("none")
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(length=0, labelcolor=LIGHT["muted"], labelsize=_SMALL)
    return figure, axes


def _ticks(axis: Any, log: bool, values: Sequence[float]) -> None:
    largest = max(map(abs, values))
    if log:
        decades = math.log10(largest / min(values))
        subs = (1, 2, 5) if decades < 1.3 else (1, 3) if decades < 2.2 else (1,)
        axis.set_major_locator(LogLocator(subs=subs, numticks=9))
        axis.set_minor_locator(NullLocator())
        axis.set_minor_formatter(NullFormatter())
    else:
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    plain = not log and largest < 1000
    axis.set_major_formatter(
        ScalarFormatter(useOffset=False) if plain else FuncFormatter(lambda value, _: short_tick(value))
    )


def short_tick(value: float) -> str:
    """A tick in few letters.

    >>> [short_tick(v) for v in (0.0, 0.05, 97.5, 20000, 1.5e6, -2.0)]
    ['0', '0.05', '97.5', '20 k', '1.5 M', '−2']
    """
    for size, letter in PREFIXES:
        if abs(value) >= size:
            return short_tick(value / size) + letter
    return f"{value:.6g}".replace("-", MINUS)
