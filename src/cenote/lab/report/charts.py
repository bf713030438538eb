"""Which charts there are, and what of the results they show. What nothing is known of is left out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from .. import statistics
from ..consistency import KINDS
from ..latency import BATCHES
from ..measures import MEASURES, consistency
from ..results import ArmResult
from . import drawing, numbers
from .drawing import Line, Mark, Row
from .palette import look
from .svg import Picture, picture, settings
from .view import ResultsView

#: Counts farther apart than this are drawn by their logarithms.
_FAR: Final = 8.0


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: ``name`` is that of its files, ``group`` the section it belongs to."""

    name: str
    group: str
    title: str
    caption: str
    picture: Picture


@dataclass(frozen=True, slots=True)
class _Sketch:
    name: str
    group: str
    title: str
    caption: str
    axis: str
    content: Sequence[Row] | Sequence[Line]
    log: bool = False
    zero: bool = False
    y_axis: str = ""


def charts(view: ResultsView) -> Iterator[Chart]:
    """All charts, drawn."""
    for sketch in _sketches(view):
        with settings(sketch.name):
            if sketch.y_axis:
                lines = [line for line in sketch.content if isinstance(line, Line)]
                whole = sketch.group == "shift"
                figure = drawing.lines(sketch.title, sketch.axis, sketch.y_axis, lines, whole=whole, log=sketch.log)
            else:
                rows = [row for row in sketch.content if isinstance(row, Row)]
                figure = drawing.rows(sketch.title, sketch.axis, rows, log=sketch.log, zero=sketch.zero)
        drawn = picture(sketch.name, f"{sketch.title}. {sketch.caption}", figure)
        yield Chart(sketch.name, sketch.group, sketch.title, sketch.caption, drawn)


def _sketches(view: ResultsView) -> Iterator[_Sketch]:
    for sketch in (*_learning(view), *_costs(view), *_times(view), *_shifts(view), *_losses(view)):
        if sketch.content:
            yield sketch


def _rows(view: ResultsView, found: Callable[[ArmResult], tuple[tuple[Mark, ...], str] | None]) -> list[Row]:
    rows = [(arm, found(arm)) for arm in view.arms]
    return [Row(arm.name, look(view.place(arm.name)), *row) for arm, row in rows if row is not None]


# --- what was learned ---


def _over_seeds(view: ResultsView) -> str:
    """What the lines around marks are; one seed has none."""
    return "with 95 % intervals over seeds" if len(view.results.seeds) > 1 else "one seed"


def _learning(view: ResultsView) -> Iterator[_Sketch]:
    several = _over_seeds(view)
    yield _Sketch(
        "accuracy",
        "learning",
        "Accuracy",
        f"Filled: test images, {several}. Hollow: training images.",
        "accuracy, %",
        _rows(view, lambda arm: _shares(view, arm, "test_accuracy", "train_accuracy")),
    )
    yield _Sketch(
        "gap",
        "learning",
        "Gap",
        f"Train accuracy less test accuracy, {several}: what was learned and holds for the training images alone.",
        "gap, points",
        _rows(view, lambda arm: _shares(view, arm, "gap")),
        zero=True,
    )


def _shares(view: ResultsView, arm: ArmResult, measure: str, second: str = "") -> tuple[tuple[Mark, ...], str] | None:
    found = view.interval(arm.name, measure)
    if found is None:
        return None
    marks = [_interval(found, 100)]
    other = view.interval(arm.name, second) if second else None
    if other is not None:
        marks.insert(0, Mark(100 * other.mean, hollow=True))
    places = numbers.decimals([view.interval(one.name, measure) for one in view.arms], 100)
    return tuple(marks), numbers.with_interval(found, places, 100)


def _interval(found: statistics.Interval, scale: float = 1.0) -> Mark:
    ends = (scale * found.low, scale * found.high) if math.isfinite(found.high - found.low) else (None, None)
    return Mark(scale * found.mean, *ends)


# --- what is paid ---


def _costs(view: ResultsView) -> Iterator[_Sketch]:
    yield _count_sketch(
        view,
        "parameters",
        "Parameters",
        "Filled: the whole network. Hollow: its head.",
        ("parameters", "head_parameters"),
    )
    yield _count_sketch(view, "multiply_adds", "Multiply-adds", "For one image.", ("multiply_adds",))
    yield _count_sketch(
        view, "memory_maps", "Memory of the maps", "Outputs of all layers for one image.", ("activation_bytes",)
    )
    yield _count_sketch(
        view,
        "memory_kept",
        "Memory kept for the backward pass",
        "For one image. Filled: where a maximum was, as cenote's offsets. Hollow: as int64 indices.",
        ("kept_bytes", "kept_bytes_int64"),
    )


def _count_sketch(view: ResultsView, name: str, title: str, caption: str, measures: tuple[str, ...]) -> _Sketch:
    in_bytes = MEASURES[measures[0]].unit.name == "BYTES"
    scale, axis = (1e-3, "KB") if in_bytes else (1.0, MEASURES[measures[0]].words)

    def row(arm: ArmResult) -> tuple[tuple[Mark, ...], str] | None:
        values = [view.fixed(arm.name, measure) for measure in measures]
        if not values[0]:
            return None
        marks = [Mark(scale * value, hollow=i > 0) for i, value in enumerate(values) if value]
        text = f"{numbers.kilobytes(values[0])} KB" if in_bytes else numbers.short(values[0])
        return tuple(reversed(marks)), text

    content = _rows(view, row)
    drawn = [mark.value for one in content for mark in one.marks]
    far = bool(drawn) and max(drawn) > _FAR * min(drawn)
    return _Sketch(name, "cost", title, caption, axis + ", logarithmic" * far, content, log=far)


# --- how long it takes ---


def _times(view: ResultsView) -> Iterator[_Sketch]:
    beside = next((why for arm in view.arms if (why := view.disturbed(arm.name, "seconds_per_epoch"))), "")
    yield _Sketch(
        "epoch",
        "time",
        "Training time",
        f"Seconds an epoch, {_over_seeds(view)}." + f" Measured with {beside}." * bool(beside),
        "seconds an epoch",
        _rows(view, lambda arm: _seconds(view, arm)),
    )
    for batch in BATCHES:

        def latency(arm: ArmResult, batch: int = batch) -> tuple[tuple[Mark, ...], str] | None:
            calls = view.calls(arm.name, batch)
            if not calls:
                return None
            middle, slow = 1e3 * statistics.median(calls), 1e3 * statistics.p95(calls)
            return (Mark(middle, middle, slow),), f"{numbers.significant(middle)} ms"

        yield _Sketch(
            f"latency_{batch}",
            "time",
            f"Latency, {numbers.plural(batch, 'image')} a call",
            "The mark is the median of all calls; its line ends where 95 % of them were done.",
            "milliseconds a call",
            _rows(view, latency),
        )


def _seconds(view: ResultsView, arm: ArmResult) -> tuple[tuple[Mark, ...], str] | None:
    found = view.interval(arm.name, "seconds_per_epoch")
    return None if found is None else ((_interval(found),), f"{numbers.significant(found.mean)} s")


# --- how it takes shifts ---

_EDGES: Final = {"circular": "what leaves comes in on the other side", "cropped": "what leaves is lost"}


def _shifts(view: ResultsView) -> Iterator[_Sketch]:
    for edge in KINDS:
        for correct in (True, False):
            found = [_shifted(view, arm, edge, correct) for arm in view.arms]
            among = "images that are right unshifted" if correct else "all images"
            yield _Sketch(
                f"consistency_{edge}" + "_given_correct" * correct,
                "shift",
                f"{edge.capitalize()} shifts, {'given correct' if correct else 'all images'}",
                f"Share of {among} for which the network says the same after a shift ({_EDGES[edge]}).",
                "shift, pixels",
                [line for line in found if line is not None],
                y_axis="the same answer, %",
            )


def _shifted(view: ResultsView, arm: ArmResult, edge: str, correct: bool) -> Line | None:
    points = []
    for shift in view.results.settings["shifts"]:
        found = view.interval(arm.name, consistency(edge, shift, given_correct=correct))
        if found is not None:
            points.append((float(shift), 100 * found.mean))
    if not points:
        return None
    x, y = zip(*points, strict=True)
    return Line(arm.name, look(view.place(arm.name)), x, y)


# --- how training went ---


def _losses(view: ResultsView) -> Iterator[_Sketch]:
    content = [line for arm in view.arms if (line := _loss(view, arm)) is not None]
    drawn = [y for line in content for y in line.y]
    far = bool(drawn) and min(drawn) > 0 and max(drawn) > _FAR * min(drawn)
    diverged = sum(not all(map(math.isfinite, run.losses)) for arm in view.arms for run in arm.runs.values())
    lost = f" Left out: {numbers.plural(diverged, 'training')} that diverged." if diverged else ""
    yield _Sketch(
        "loss",
        "training",
        "Training loss",
        "Mean over the images of an epoch while the weights moved, and over seeds." + lost,
        "epoch",
        content,
        log=far,
        y_axis="cross-entropy" + ", logarithmic" * far,
    )


def _loss(view: ResultsView, arm: ArmResult) -> Line | None:
    curves = [run.losses for run in arm.runs.values() if run.losses and all(map(math.isfinite, run.losses))]
    if not curves:
        return None
    length = min(map(len, curves))
    y = tuple(sum(curve[epoch] for curve in curves) / len(curves) for epoch in range(length))
    return Line(arm.name, look(view.place(arm.name)), tuple(map(float, range(1, length + 1))), y)
