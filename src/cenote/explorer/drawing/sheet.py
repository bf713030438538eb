"""The picture of a call, laid out: heading, input and output, formula, shape, and a legend of the marks that occur."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cenote.geometry import Slide, arithmetic

from .board import CELL, GRID, Board, paled
from .palette import CARD, HATCH, LINE, MUTED, ONE, WINDOW, WINNER, shades, span
from .scene import Axis, Scene
from .shapes import Box, Part, Pattern, Pixels, Shape, Sheet, Stroke, Text
from .words import formula, heading, number, padding_name, reason

_MARGIN: Final = 36
_ROOM: Final = 600  # for each of two grids side by side
_WIDE: Final = 1160  # for a grid that has a row for itself
_GAP: Final = 76
_LEAST: Final = 640
_FORMULA: Final = 16
_LINE: Final = 24
_NAMES: Final = (("length",), ("rows", "columns"), ("depth", "rows", "columns"))


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Where everything of a scene lies, whichever of its outputs is looked at; ``lines`` is the room for formulas."""

    scene: Scene
    input: Board
    output: Board
    stacked: bool
    width: float
    below: float
    lines: int
    reasons: bool
    ties: bool

    @property
    def height(self) -> float:
        """Of the whole sheet."""
        return below(self) + _legend_height(self) + _MARGIN - 8

    @property
    def after_formula(self) -> float:
        """Where the arithmetic of the shape begins."""
        return self.below + self.lines * _LINE + (36 if self.reasons else 16)

    @property
    def letters(self) -> int:
        """How many letters of a formula fit into a line."""
        return int((self.width - 2 * _MARGIN) / (0.602 * _FORMULA))


def plan(scene: Scene, outputs: Sequence[int]) -> Plan:
    """The plan of pictures of these outputs."""
    low_high = span(scene.values, scene.outputs)
    down, across = (None, scene.axes[0]) if len(scene.axes) == 1 else scene.axes[-2:]
    labels = (padding_name(scene), padding_name(scene, over=True))
    before = Board(_flat(scene.values), low_high, _MARGIN, 0, 1, down, across, labels)
    after = Board(_flat(scene.outputs), low_high, _MARGIN, 0, 1)
    stacked = before.columns > 2 * max(before.rows, after.rows) and before.columns > 12
    room = _WIDE if stacked else _ROOM
    before = replace(before, cell=_side(before, room), y=_top(scene) + 36)
    taken = max(before.width, before.height, 3 * CELL) if not stacked else _WIDE
    after = replace(after, cell=_side(after, taken))
    if stacked:
        after = replace(after, y=before.y + before.height + _GAP)
        height = before.height + _GAP + after.height
        width = max(before.width, after.width)
    else:
        height = max(before.height, after.height)
        before = replace(before, y=before.y + (height - before.height) / 2)
        after = replace(after, x=_MARGIN + before.width + _GAP, y=_top(scene) + 36 + (height - after.height) / 2)
        width = before.width + _GAP + after.width
    captioned = after.x + 6.8 * max(len(_caption(scene, output, 1)) for output in outputs)
    titled = min(800, 2 * _MARGIN + 0.68 * 18 * len(heading(scene)))
    width = max(_LEAST, 2 * _MARGIN + width, _MARGIN + captioned, titled)
    made = Plan(scene, before, after, stacked, width, _top(scene) + 36 + height + 42, 1, False, False)
    return replace(
        made,
        lines=max(len(_wrapped(made, output)) for output in outputs),
        reasons=any(reason(scene, output) for output in outputs),
        ties=any(len(scene.ties(output)) > 1 for output in outputs),
    )


def _top(scene: Scene) -> float:
    return _MARGIN + 50 + (20 if scene.title else 0)


def _side(board: Board, room: float) -> float:
    """Whole units, so that every cell is as large as its neighbour, unless there are too many of them."""
    exact = room / max(board.rows, board.columns, 1)
    return float(min(CELL, int(exact))) if exact >= 2 else exact


def _flat(array: NDArray[Any]) -> NDArray[Any]:
    """A plane: of one axis a row, of three the first slice, for the lengths alone."""
    if array.ndim == 1:
        return array[None, :]
    return array if array.ndim == 2 else array[0] if len(array) else np.empty(array.shape[1:], array.dtype)


def slices(scene: Scene, output: int) -> tuple[int, int] | None:
    """Of three axes, which slice of the input is shown and which of the output: that of the winner, or the first."""
    if len(scene.axes) < 3:
        return None
    winner, at = scene.winner(output), scene.place(output)[0]
    if winner is not None:
        return winner // (scene.axes[1].length * scene.axes[2].length), at
    real = scene.axes[0].spans[at]
    return (real[0] if real else 0), at


def still(scene: Scene) -> Sheet:
    """The picture of one output."""
    made = plan(scene, [scene.focus])
    title = heading(scene) + (f": {scene.title}" if scene.title else "")
    why = reason(scene, scene.focus)
    described = _said(scene, scene.focus) + (f"; {why}" if why else "")
    parts = (*ground(made, scene.focus), *marks(made, scene.focus))
    return Sheet(made.width, made.height, title, described, parts)


def ground(made: Plan, output: int) -> tuple[Part, ...]:
    """What stays while the window moves (of three axes: within a slice)."""
    before, after = _boards(made, output)
    return (
        Part("paper", tuple(_head(made))),
        Part("input", (*_captions(made, output, 0), *before.shapes())),
        Part("output", (*_captions(made, output, 1), *after.shapes())),
        Part("arrow", tuple(_arrow(made))),
        Part("shape", tuple(_arithmetic(made))),
        Part("legend", tuple(_legend(made))),
    )


def marks(made: Plan, output: int) -> tuple[Part, ...]:
    """The window, its winner, the output and the formula."""
    scene = made.scene
    before, after = _boards(made, output)
    place = scene.place(output)
    taps = [axis.taps(i) for axis, i in zip(scene.axes, place, strict=True)][-2:]
    rows, columns = taps if len(taps) == 2 else (range(1), taps[0])
    shown = slices(scene, output)
    cells: list[Shape] = list(before.around(rows, columns))
    winner = scene.winner(output)
    for cell in scene.ties(output):
        at = _in_slice(scene, cell, shown)
        if at is not None and cell != winner:
            cells += before.tied(*at)
    if winner is not None and (at := _in_slice(scene, winner, shown)) is not None:
        cells += before.won(*at)
    row, column = (0, place[0]) if len(place) == 1 else place[-2:]
    return (
        Part("window", tuple(cells)),
        Part("chosen", tuple(after.chosen(row, column))),
        Part("formula", tuple(_formula(made, output))),
    )


def _boards(made: Plan, output: int) -> tuple[Board, Board]:
    shown = slices(made.scene, output)
    if shown is None:
        return made.input, made.output
    depth, at = shown
    scene = made.scene
    before = scene.values[depth] if scene.axes[0].length else made.input.values
    unread = bool(scene.axes[0].length) and bool(scene.axes[0].unread[depth])
    return replace(made.input, values=before, unread=unread), replace(made.output, values=scene.outputs[at])


def _in_slice(scene: Scene, cell: int, shown: tuple[int, int] | None) -> tuple[int, int] | None:
    """Row and column of a cell, if it lies in the slice that is shown."""
    at = [int(i) for i in np.unravel_index(cell, scene.values.shape)]
    if shown is not None and at[0] != shown[0]:
        return None
    return (0, at[0]) if len(at) == 1 else (at[-2], at[-1])


def _head(made: Plan) -> Iterator[Shape]:
    scene = made.scene
    title = heading(scene)
    size = max(12.0, min(21.0, (made.width - 2 * _MARGIN) / (0.68 * len(title))))
    yield Text(_MARGIN, _MARGIN + 19, title, round(size, 1), bold=True)
    if scene.title:
        yield Text(_MARGIN, _MARGIN + 44, _cut(scene.title, made.width, 14), 14, MUTED)


def _cut(text: str, width: float, size: float) -> str:
    most = int((width - 2 * _MARGIN) / (0.62 * size))
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _captions(made: Plan, output: int, side: int) -> Iterator[Shape]:
    board = (made.input, made.output)[side]
    yield Text(board.x, board.y - 12, _caption(made.scene, output, side), 13, MUTED)


def _caption(scene: Scene, output: int, side: int) -> str:
    """Of the input (0) or the output (1)."""
    text = f"{('Input', 'Output')[side]}, {' x '.join(map(str, (scene.values, scene.outputs)[side].shape))}"
    shown = slices(scene, output)
    if shown is None:
        return text
    taps = scene.axes[0].taps(scene.place(output)[0])
    window = f" (window: {', '.join(map(str, taps))})" if side == 0 and 1 < len(taps) < 6 else ""
    return f"{text}: depth {shown[side]}{window}"


def _arrow(made: Plan) -> Iterator[Shape]:
    before, after = made.input, made.output
    if made.stacked:
        return
    x, y = before.x + before.width + 22, after.y + after.height / 2
    end = x + _GAP - 44
    yield Stroke(((x, y), (end, y)), MUTED, 1.5)
    yield Stroke(((end - 6, y - 5), (end, y), (end - 6, y + 5)), MUTED, 1.5)


def _said(scene: Scene, output: int) -> str:
    return f"output {', '.join(map(str, scene.place(output)))}: {formula(scene, output)}"


def _wrapped(made: Plan, output: int) -> list[str]:
    return textwrap.wrap(_said(made.scene, output), made.letters, subsequent_indent="    ")


def _formula(made: Plan, output: int) -> Iterator[Shape]:
    for i, line in enumerate(_wrapped(made, output)):
        yield Text(_MARGIN, made.below + i * _LINE, line, _FORMULA, bold=True, mono=True)
    why = reason(made.scene, output)
    if why:
        yield Text(_MARGIN, made.below + made.lines * _LINE, why, 13, MUTED)


def _arithmetic(made: Plan) -> Iterator[Shape]:
    y = made.after_formula
    yield Stroke(((_MARGIN, y - 20), (made.width - _MARGIN, y - 20)), LINE)
    for i, (axis, name) in enumerate(zip(made.scene.axes, _NAMES[len(made.scene.axes) - 1], strict=True)):
        yield Text(_MARGIN, y + 4 + 20 * i, name, 12.5, MUTED)
        notes = [arithmetic(axis.rule, axis.length), *_notes(axis)]
        yield Text(_MARGIN + 64, y + 4 + 20 * i, _cut(", ".join(notes), made.width - 64, 12.5), 12.5, mono=True)


def _notes(axis: Axis) -> Iterator[str]:
    dropped = int(axis.unread.sum())
    if isinstance(axis.rule, Slide) and isinstance(axis.rule.pad, str) and axis.lo + axis.hi:
        yield f"padded {axis.lo} before, {axis.hi} after"
    if dropped:
        yield f"{dropped} cell{'s' if dropped > 1 else ''} in no window"
    if axis.over:
        yield f"the last window hangs over by {axis.over}"


def below(made: Plan) -> float:
    """Where the legend begins."""
    return made.after_formula + 20 * len(made.scene.axes) + 12


def _entries(made: Plan) -> list[tuple[str, str]]:
    """The marks that occur, with what they mean."""
    scene, plane = made.scene, made.scene.axes[-2:]
    found = [("window", "the window and its output")]
    if scene.winners is not None:
        found.append(("winner", "wins"))
        if made.ties:
            found.append(("tie", "equals the winner"))
    if any(axis.lo or axis.hi for axis in plane):
        found.append(("hatch", f"padding: {_meaning(padding_name(scene))}"))
    if any(axis.over for axis in plane):
        found.append(("dots", f"hangs over: {_meaning(padding_name(scene, over=True))}"))
    if any(axis.unread.any() for axis in scene.axes):
        small = max(made.input.rows, made.input.columns) <= GRID
        found.append(("unread" if small else "pale", "in no window"))
    if np.isnan(scene.values.astype(np.float64)).any():
        found.append(("crosses", "NaN"))
    return found


def _meaning(name: str) -> str:
    return {"-inf": "-inf, never wins", "inf": "inf, never wins", "0": "0, adds nothing"}.get(name, name)


def _legend(made: Plan) -> Iterator[Shape]:
    y = below(made)
    for kind, text, x, row in _placed(made):
        yield from _swatch(kind, x, y + 26 * row)
        yield Text(x + 24, y + 26 * row + 12.5, text, 12.5, MUTED)
    yield from _scale(made, y + _legend_height(made) - 30)


def _placed(made: Plan) -> Iterator[tuple[str, str, float, int]]:
    """Every entry of the legend with its place: as many in a row as there is room for."""
    x, row = float(_MARGIN), 0
    for kind, text in _entries(made):
        wide = 24 + 6.9 * len(text) + 18
        if x > _MARGIN and x + wide > made.width - _MARGIN:
            x, row = _MARGIN, row + 1
        yield kind, text, x, row
        x += wide


def _legend_height(made: Plan) -> float:
    return 26 * (1 + max(row for *_, row in _placed(made))) + 40


def _swatch(kind: str, x: float, y: float) -> Iterator[Shape]:
    patterns: dict[str, Pattern] = {"hatch": "hatch", "dots": "dots", "crosses": "crosses"}
    if kind in patterns:
        yield Box(x, y, 16, 16, fill=CARD, pattern=patterns[kind], line=HATCH)
    elif kind == "pale":
        yield Box(x, y, 16, 16, fill=paled(ONE[-1]), line=LINE)
    elif kind == "unread":
        yield Box(x, y, 16, 16, fill=CARD, line=LINE)
        yield Stroke(((x + 2, y + 14), (x + 14, y + 2)), MUTED)
    else:
        colour, thick = (WINDOW, 2.5) if kind == "window" else (WINNER, 3.5 if kind == "winner" else 2)
        dash = (4.0, 3.0) if kind == "tie" else None
        yield Box(x + 1, y + 1, 14, 14, fill=CARD, line=colour, thick=thick, dash=dash)


def _scale(made: Plan, y: float) -> Iterator[Shape]:
    """The colours' range."""
    low, high = made.input.limits
    yield Pixels(_MARGIN, y, 240, 12, shades(np.linspace(low, high, 240)[None, :], low, high))
    yield Box(_MARGIN, y, 240, 12, line=LINE)
    yield Text(_MARGIN, y + 27, number(low), 12, MUTED)
    yield Text(_MARGIN + 240, y + 27, number(high), 12, MUTED, "end")
    if low < 0:
        yield Text(_MARGIN + 120, y + 27, "0", 12, MUTED, "middle")
