"""What a page offers to begin with: the tutorials' arrays, pictures that teach, cases that somebody got wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from . import data as pages

_BY_HAND: Final = np.array([[1, 9, 2, 8], [3, 4, 5, 7], [6, 0, 1, 2], [3, 5, 5, 4]], dtype=np.float64)
_NAN: Final = float("nan")
_INF: Final = float("inf")


def seven(side: int = 28) -> NDArray[np.float64]:
    """A handwritten seven of two strokes, as a pen leaves it: brightness 0 to 1 by the distance to them."""
    rows, columns = (np.indices((side, side)) + 0.5) / side
    away = np.full((side, side), _INF)
    for x0, y0, x1, y1 in ((0.24, 0.25, 0.74, 0.25), (0.74, 0.25, 0.42, 0.82)):
        along = ((columns - x0) * (x1 - x0) + (rows - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2)
        part = np.clip(along, 0, 1)
        away = np.minimum(away, np.hypot(columns - x0 - part * (x1 - x0), rows - y0 - part * (y1 - y0)))
    return np.asarray(np.round(255 * np.clip(1.6 - away * 26, 0, 1)) / 255, dtype=np.float32).astype(np.float64)


def by_hand() -> NDArray[np.float64]:
    """The tutorials' 4x4, whose 2x2 blocks have the maxima 9, 8, 6 and 5."""
    return _BY_HAND.copy()


def _ascending(*shape: int, start: int = 0) -> NDArray[np.float64]:
    return np.arange(start, start + int(np.prod(shape)), dtype=np.float64).reshape(shape)


def _preset(
    title: str,
    op: str,
    array: Sequence[Any] | NDArray[Any],
    size: int | Sequence[int] = 2,
    *,
    stride: int | None = None,
    pad: int | str = 0,
    dilation: int = 1,
    ceil: bool = False,
    divisor: str | None = None,
    form: str = "slide",
    filter: str | None = None,
    upstream: Sequence[float] | None = None,
    backward: bool = False,
    focus: int = 0,
) -> pages.Json:
    cells = np.asarray(array, dtype=np.float64)
    rank = cells.ndim
    words = {
        "form": form,
        "size": [size] * rank if isinstance(size, int) else list(size),
        "stride": None if stride is None else [stride] * rank,
        "padding": [pad if isinstance(pad, str) else [pad, pad]] * rank,
        "dilation": [dilation] * rank,
        "ceil": True if ceil else None,
        "divisor": divisor,
    }
    found = pages.state(op, words, cells, title=title, focus=focus, backward=backward)
    return {**found, "filter": filter, "upstream": None if upstream is None else list(upstream)}


def presets() -> list[pages.Json]:
    """States of the page, the tutorials' first."""
    sixteen, from_one = _ascending(4, 4), _ascending(4, 4, start=1)
    return [
        _preset("4x4 by hand: 9, 8, 6, 5", "max", _BY_HAND),
        _preset("4x4 by hand: the averages", "avg", _BY_HAND),
        _preset("a 28x28 seven, convolved to 26x26, pooled to 13x13", "max", seven(), filter="vertical", focus=59),
        _preset("checkerboard", "avg", np.indices((8, 8)).sum(axis=0) % 2),
        _preset("a single spike", "avg", np.eye(81)[40].reshape(9, 9) * 9, 3, stride=1, pad="same"),
        _preset("0, 0, 1, 1: what a shift does", "max", [0, 0, 1, 1, 0, 0, 1, 1]),
        _preset("three axes: 4x4x4", "max", _ascending(4, 4, 4) * 37 % 64),
        _preset('ceil_mode: the divisor "padded"', "avg", from_one, 3, stride=2, pad=1, ceil=True, divisor="padded"),
        _preset('ceil_mode: the divisor "inside"', "avg", from_one, 3, stride=2, pad=1, ceil=True, divisor="inside"),
        _preset("padding 1 on both sides", "max", sixteen, 3, stride=2, pad=1),
        _preset('"same" pads on one side only', "max", sixteen, 3, stride=2, pad="same"),
        _preset("floor drops a cell: 13 by windows of 2", "max", [4, 2, 7, 1, 9, 3, 5, 8, 6, 2, 7, 3, 9]),
        _preset("ceil_mode drops a window that begins in the padding", "max", [3, 1, 4, 1, 5], pad=1, ceil=True),
        _preset('dilated "same" of 5x7', "max", _ascending(5, 7) * 8 % 35, 3, stride=2, dilation=2, pad="same"),
        _preset("an average beside the edge: 15, not 10", "avg", [10, 20], 3, stride=2, pad="same", divisor="inside"),
        _preset(
            "the gradient of a ceil-mode average: halves",
            "avg",
            [1, 2, 3, 4],
            3,
            stride=2,
            ceil=True,
            divisor="padded",
            upstream=[0, 1],
            backward=True,
        ),
        _preset(
            "overlapping windows: one cell, two gradients", "max", [0, 0, 9, 0, 0, 0, 1, 0], 4, stride=2, backward=True
        ),
        _preset("ties: the first of three equals", "max", [1, 2, 2, 2], 4, backward=True),
        _preset("adaptive: 5x5 into 3x3", "max", _ascending(5, 5), 3, form="adaptive"),
        _preset("adaptive: 10 cells into 4 bins that overlap", "avg", _ascending(10, start=1), 4, form="adaptive"),
        _preset("dilation skips cells", "max", [1, 9, 2, 8, 3, 7, 4, 6, 5], stride=1, dilation=2, pad=1),
        _preset("a window without a cell", "max", [5], dilation=2, pad=1),
        _preset("a map of -1 stays -1 under padding", "max", -np.ones((4, 4)), 3, stride=1, pad=1),
        _preset(
            "NaN, -inf and equals", "max", [[_NAN, 1, 2, -_INF], [3, 4, -_INF, -_INF], [5, 5, 6, 7], [5, 5, 8, _NAN]]
        ),
        _preset("-inf alone", "max", np.full((2, 2), -_INF)),
        _preset("two NaN: the last is the index", "max", [_NAN, 1, _NAN], 3),
        _preset("-0 and +0 are equal: the first is taken", "max", [[-1, -0.0], [0.0, -1]]),
        _preset(
            "a spike of 1e6 is forgotten a window later", "avg", [0.1, 0.2, 1e6, 0.3, 0.1, 0.2, 0.3, 0.4], 3, stride=1
        ),
        _preset("a global average", "avg", _BY_HAND, 1, form="global"),
        _preset("the Euclidean norm of 3 and 4", "lp", [3, 4, 5, 12]),
    ]
