"""What the cells of a tensor depend on: the receptive field, followed exactly through the graph.

For every cell of a tensor and every axis of the input the first and the last input cell that can change it are kept,
and each layer combines those of the cells it reads. So borders, strides, padding, branches and enlarged maps need no
formula: a field is what a cell really sees of this input, never more than the input holds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ...geometry import AxisSpans, Rule
from ...geometry.chain import pace

Cells = NDArray[np.int64]
_BEHIND: Final = np.iinfo(np.int64).max  # the first cell seen by a cell that sees none
_BEFORE: Final = -1  # and its last
Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """Along one input axis the first and the last cell that each cell of a tensor depends on.

    Both arrays have one axis per axis of the tensor, of its length, or of length 1 where it makes no difference.
    ``axis`` is the axis of the tensor that runs along this input axis, ``jump`` the distance in input cells from one
    of its positions to the next; each is None where there is no such thing.
    """

    first: Cells
    last: Cells
    axis: int | None
    jump: int | None

    @property
    def field(self) -> int:
        """Cells from the first to the last that any one cell depends on."""
        return int(np.maximum(0, np.where(self.last < 0, 0, self.last - self.first + 1)).max())


_BLIND: Final = Sight(np.full((), _BEHIND), np.full((), _BEFORE), None, None)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The sights of one tensor: one for each input axis that is not the channels, of ``lengths`` cells."""

    lengths: Shape
    sights: tuple[Sight, ...]

    @property
    def field(self) -> Shape:
        """The receptive field per input axis, in cells."""
        return tuple(sight.field for sight in self.sights)

    @property
    def jump(self) -> tuple[int | None, ...]:
        """The distance of neighbours per input axis, in cells."""
        return tuple(sight.jump for sight in self.sights)


Known = View | None
"""None: nobody knows, because a layer on the way is unknown."""


def of_input(shape: Shape, axes: Sequence[int]) -> View:
    """The input itself, of which ``axes`` are followed."""
    sights = []
    for axis in axes:
        cells = np.arange(shape[axis], dtype=np.int64).reshape([-1 if k == axis else 1 for k in range(len(shape))])
        sights.append(Sight(cells, cells, axis, 1))
    return View(tuple(shape[axis] for axis in axes), tuple(sights))


def slid(view: Known, lengths: Mapping[int, int], rules: Mapping[int, Rule]) -> Known:
    """Windows along some axes of the tensor; ``lengths`` and ``rules`` by axis."""
    for axis, rule in rules.items():
        if view is None:
            return None
        spans, stride = rule.spans(lengths[axis]), pace(rule, lengths[axis])[1]
        sights = []
        for sight in view.sights:
            jump = sight.jump
            if sight.axis == axis and jump is not None:
                jump = jump * stride if stride else None
            first = _under(sight.first, spans, axis, np.minimum, _BEHIND)
            last = _under(sight.last, spans, axis, np.maximum, _BEFORE)
            sights.append(Sight(first, last, sight.axis, jump))
        view = View(view.lengths, tuple(sights))
    return view


def _under(cells: Cells, spans: AxisSpans, axis: int, best: Any, nothing: int) -> Cells:
    """The least (or greatest) of the cells under each window."""
    real = spans.count > 0
    if cells.shape[axis] == 1:
        if real.all():
            return cells
        cells = np.repeat(cells, spans.length, axis)
    begins = np.cumsum(spans.count) - spans.count
    nth = np.arange(int(spans.count.sum())) - np.repeat(begins, spans.count)
    taps = np.repeat(spans.start, spans.count) + nth * np.repeat(spans.step, spans.count)
    shape = list(cells.shape)
    shape[axis] = len(spans)
    found = np.full(shape, nothing, dtype=np.int64)
    if real.any():
        where = (slice(None),) * axis + (real,)
        found[where] = best.reduceat(np.take(cells, taps, axis), begins[real], axis)
    return found


def mixed(view: Known, axes: Sequence[int]) -> Known:
    """Every cell sees all along these axes, and they run along no input axis any more."""
    if view is None:
        return None
    axes = tuple(axes)
    return View(
        view.lengths,
        tuple(
            _loose(
                Sight(
                    sight.first.min(axis=axes, keepdims=True),
                    sight.last.max(axis=axes, keepdims=True),
                    sight.axis,
                    sight.jump,
                ),
                sight.axis in axes,
            )
            for sight in view.sights
        ),
    )


def mixed_in_groups(view: Known, axis: int, inputs: int, groups: int, outputs: int) -> Known:
    """Along ``axis`` each of ``groups`` equal parts of the ``outputs`` positions sees its part of the ``inputs``."""
    if view is None or groups == 1:
        return mixed(view, (axis,))

    def part(cells: Cells, best: Any) -> Cells:
        if cells.shape[axis] == 1:
            return cells
        begins = np.arange(groups) * (inputs // groups)
        return np.repeat(best.reduceat(cells, begins, axis), outputs // groups, axis)

    return View(
        view.lengths,
        tuple(
            _loose(
                replace(sight, first=part(sight.first, np.minimum), last=part(sight.last, np.maximum)),
                sight.axis == axis,
            )
            for sight in view.sights
        ),
    )


def _loose(sight: Sight, loose: bool) -> Sight:
    return replace(sight, axis=None, jump=None) if loose else sight


def moved(view: Known, order: Sequence[int]) -> Known:
    """The axes in another order."""
    if view is None:
        return None
    order = tuple(order)
    return View(
        view.lengths,
        tuple(
            Sight(
                sight.first.transpose(order),
                sight.last.transpose(order),
                None if sight.axis is None else order.index(sight.axis),
                sight.jump,
            )
            for sight in view.sights
        ),
    )


def reshaped(view: Known, old: Shape, new: Shape) -> Known:
    """The same cells in another shape. An axis that is left whole runs where it ran."""
    if view is None:
        return None

    def cells(given: Cells) -> Cells:
        return given.reshape((1,) * len(new)) if given.size == 1 else np.broadcast_to(given, old).reshape(new)

    sights = []
    for sight in view.sights:
        axis = None if sight.axis is None else _same_axis(sight.axis, old, new)
        sights.append(Sight(cells(sight.first), cells(sight.last), axis, None if axis is None else sight.jump))
    return View(view.lengths, tuple(sights))


def _same_axis(axis: int, old: Shape, new: Shape) -> int | None:
    before = math.prod(old[:axis])
    for k, length in enumerate(new):
        if math.prod(new[:k]) == before and length == old[axis]:
            return k
    return None


def merged(views: Sequence[Known], rank: int) -> Known:
    """Cell by cell, shapes broadcast from the right to ``rank`` axes."""

    def wide(cells: Cells) -> Cells:
        return cells.reshape((1,) * (rank - cells.ndim) + cells.shape)

    def join(sights: Sequence[Sight]) -> tuple[Cells, Cells]:
        first, last = wide(sights[0].first), wide(sights[0].last)
        for sight in sights[1:]:
            first, last = np.minimum(first, wide(sight.first)), np.maximum(last, wide(sight.last))
        return first, last

    return _together(views, rank, join)


def joined(views: Sequence[Known], shapes: Sequence[Shape], axis: int) -> Known:
    """One after the other along ``axis``."""

    def join(sights: Sequence[Sight]) -> tuple[Cells, Cells]:
        whole = max(math.prod(sight.first.shape) for sight in sights)
        if whole == 1 and len({(sight.first.item(), sight.last.item()) for sight in sights}) == 1:
            return sights[0].first, sights[0].last
        return (
            np.concatenate([np.broadcast_to(s.first, shape) for s, shape in zip(sights, shapes, strict=True)], axis),
            np.concatenate([np.broadcast_to(s.last, shape) for s, shape in zip(sights, shapes, strict=True)], axis),
        )

    found = _together(views, len(shapes[0]), join)
    if found is None:
        return None
    return View(found.lengths, tuple(_loose(sight, sight.axis == axis) for sight in found.sights))


def _together(views: Sequence[Known], rank: int, join: Any) -> Known:
    """Tensors that depend on inputs of the same lengths; None for others. ``rank`` is that of the result."""
    known = [view for view in views if view is not None]
    if len(known) < len(views):
        return None
    lengths = {view.lengths for view in known if view.lengths}
    if len(lengths) > 1:
        return None
    followed = next((view for view in known if view.lengths), known[0])
    blind = tuple(_BLIND for _ in followed.sights)  # a vector that came in beside images sees nothing of them
    sights = []
    for several in zip(*(view.sights or blind for view in known), strict=True):
        first, last = join(several)
        # axes are compared from the right, where shapes of different rank meet
        paces = {
            (None if sight.axis is None else sight.axis + rank - sight.first.ndim, sight.jump)
            for sight in several
            if sight is not _BLIND
        }
        axis, jump = paces.pop() if len(paces) == 1 else (None, None)
        sights.append(Sight(first, last, axis, jump))
    return View(followed.lengths, tuple(sights))
