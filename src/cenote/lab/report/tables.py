"""The numbers of all arms as tables, each cell with its comparison to the baseline; and the layers of every network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .. import statistics
from ..arms import BASELINE
from ..claims import LEAST_SEEDS
from ..consistency import KINDS
from ..counts import LayerCost, Summary
from ..latency import BATCHES
from ..measures import MEASURES, Unit, consistency
from ..results import ArmResult
from ..statistics import Interval
from . import numbers
from .markup import Html, h, join
from .palette import look
from .view import ResultsView

NOTHING: Final = "–"


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a table: a number, and below it how it compares; ``apart`` where that is no chance."""

    text: str
    below: str = ""
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A heading with its unit, and a cell for every arm."""

    title: str
    unit: str
    cell: Callable[[str], Cell]


def swatch(view: ResultsView, arm: str) -> Html:
    """The mark of an arm, as it stands in charts."""
    mark = look(view.place(arm))
    path = h("path", d=mark.outline)
    return h("svg", path, class_="swatch", viewBox="0 0 12 12", style=f"fill: var(--{mark.hue})", aria_hidden="true")


def scrolled(label: str, table: Html) -> Html:
    """A table in a box that scrolls by itself, by keyboard too."""
    return h("div", table, class_="scroll", tabindex="0", role="region", aria_label=label)


def _table(view: ResultsView, label: str, columns: Sequence[Column]) -> Html:
    heads = [
        h("th", h("span", column.title), h("small", column.unit or "\N{NO-BREAK SPACE}"), scope="col")
        for column in columns
    ]
    body = [_row(view, arm, columns) for arm in view.arms]
    head = h("thead", h("tr", h("th", "arm", scope="col"), heads))
    return scrolled(label, h("table", h("caption", label), head, h("tbody", body), class_="arms"))


def _row(view: ResultsView, arm: ArmResult, columns: Sequence[Column]) -> Html:
    cells = []
    for column in columns:
        cell = column.cell(arm.name)
        below = h("small", cell.below, class_="apart" if cell.apart else None) if cell.below else None
        cells.append(h("td", h("span", cell.text), below))
    tag = h("small", "baseline") if arm.name == BASELINE else None
    return h("tr", h("th", swatch(view, arm.name), h("span", arm.name), tag, scope="row", title=arm.title), cells)


def learning(view: ResultsView) -> Html:
    """Accuracies, gap and loss."""
    columns = [
        _measured(view, "test_accuracy", "test accuracy", "%"),
        _measured(view, "train_accuracy", "train accuracy", "%"),
        _measured(view, "gap", "gap", "points"),
        _measured(view, "train_loss", "train loss", ""),
    ]
    return _table(view, "What was learned", columns)


def shifts(view: ResultsView, edge: str) -> Html:
    """Consistencies of one kind."""
    columns = [
        _measured(view, consistency(edge, shift, given_correct=correct), f"shift {shift}", "% of " + among)
        for correct, among in ((True, "right images"), (False, "all images"))
        for shift in view.results.settings["shifts"]
    ]
    return _table(view, f"{edge.capitalize()} shifts: the same answer", columns)


def all_shifts(view: ResultsView) -> list[Html]:
    """Both kinds, each below its name."""
    return [part for edge in KINDS for part in (h("h3", f"{edge.capitalize()} shifts"), shifts(view, edge))]


def costs(view: ResultsView) -> Html:
    """Counts, which are exact."""
    columns = [
        _counted(view, "parameters", "parameters"),
        _counted(view, "head_parameters", "of the head"),
        _counted(view, "multiply_adds", "multiply-adds"),
        _counted(view, "pooling_operations", "pooling operations"),
        _counted(view, "activation_bytes", "maps", "KB"),
        _counted(view, "kept_bytes_int64", "kept, int64", "KB"),
        _counted(view, "kept_bytes", "kept, offsets", "KB"),
    ]
    return _table(view, "What it costs, for one image", columns)


def times(view: ResultsView) -> Html:
    """What a clock says."""
    columns = [Column("training", "s an epoch", lambda arm: _epoch(view, arm))]
    for batch in BATCHES:
        columns += [
            Column(f"batch {batch}, median", "ms", lambda arm, batch=batch: _median(view, arm, batch)),  # type: ignore[misc]
            Column(f"batch {batch}, 95 %", "ms", lambda arm, batch=batch: _slow(view, arm, batch)),  # type: ignore[misc]
        ]
    return _table(view, "How long it takes", columns)


def _measured(view: ResultsView, measure: str, title: str, unit: str) -> Column:
    share = measure not in MEASURES or MEASURES[measure].unit is Unit.SHARE
    scale, least = (100.0, 1) if share else (1.0, 3)
    found = {arm.name: (view.interval(arm.name, measure), view.difference(arm.name, measure)) for arm in view.arms}
    places = numbers.decimals([pair[0] for pair in found.values()], scale, least, 5)

    def cell(arm: str) -> Cell:
        value, difference = found[arm]
        if value is None:
            lost = view.lost(arm, measure)
            return Cell(f"none for seed {', '.join(map(str, lost))}" if lost else NOTHING)
        text = numbers.with_interval(value, places, scale)
        if difference is None:
            return Cell(text)
        return Cell(text, numbers.with_interval(difference, places, scale, sign=True), _is_apart(difference, 0.0))

    return Column(title, unit, cell)


def _counted(view: ResultsView, measure: str, title: str, unit: str = "") -> Column:
    def cell(arm: str) -> Cell:
        value = view.fixed(arm, measure)
        if value is None:
            return Cell("not known")
        ratio = view.ratio(arm, measure)
        return Cell(numbers.kilobytes(value) if unit else f"{value:,.0f}", numbers.factor(ratio) if ratio else "")

    return Column(title, unit, cell)


def _epoch(view: ResultsView, arm: str) -> Cell:
    found, ratio = view.interval(arm, "seconds_per_epoch"), view.ratio(arm, "seconds_per_epoch")
    if found is None:
        return Cell(NOTHING)
    text = numbers.with_interval(found, numbers.decimals([found], 1.0, 2, 4))
    return Cell(text, numbers.factor(ratio) if ratio else "", ratio is not None and _is_apart(ratio, 1.0))


def _median(view: ResultsView, arm: str, batch: int) -> Cell:
    calls, ratio = view.calls(arm, batch), view.ratio(arm, f"latency_{batch}")
    if not calls:
        return Cell(NOTHING)
    text = numbers.significant(1e3 * statistics.median(calls))
    return Cell(text, numbers.factor(ratio) if ratio else "", ratio is not None and _is_apart(ratio, 1.0))


def _slow(view: ResultsView, arm: str, batch: int) -> Cell:
    calls = view.calls(arm, batch)
    return Cell(numbers.significant(1e3 * statistics.p95(calls)) if calls else NOTHING)


def _is_apart(found: Interval, equal: float) -> bool:
    return found.n >= LEAST_SEEDS and not found.low <= equal <= found.high


# --- layers ---


def layers(summary: Mapping[str, Any], label: str) -> Html:
    """The layers of a network, with the columns that `Summary` has."""
    found = Summary(summary["name"], tuple(LayerCost(**layer) for layer in summary["layers"]))
    titles, rows, right = found.table()
    sides = ["number" if title in right else None for title in titles]
    heads = [h("th", title, scope="col", class_=side) for title, side in zip(titles, sides, strict=True)]
    body = []
    for i, row in enumerate(rows):
        first, *others = (join(text.split("; "), "<br>") for text in row)
        cells = [h("td", text, class_=side) for text, side in zip(others, sides[1:], strict=True)]
        body.append(h("tr", h("th", first, scope="row"), cells, class_="total" if i == len(rows) - 1 else None))
    return scrolled(
        label, h("table", h("caption", label), h("thead", h("tr", heads)), h("tbody", body), class_="layers")
    )
