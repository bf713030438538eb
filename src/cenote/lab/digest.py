"""Results in a few lines of text: what a terminal shows, and claims for programs."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from . import statistics
from .arms import BASELINE
from .claims import Verdict
from .latency import BATCHES
from .measures import MEASURES
from .report import numbers
from .report.view import ResultsView
from .results import Results
from .statistics import Interval

Table = tuple[tuple[str, ...], list[tuple[str, ...]], tuple[str, ...]]


def results_table(results: Results) -> Table:
    """Titles, a row for every arm that could be built, and the titles of what stands to the right."""
    view = ResultsView(results)
    titles = (
        "arm",
        "test accuracy",
        f"against {BASELINE}",
        "gap",
        "parameters",
        "multiply-adds",
        "s/epoch",
        *(f"ms, batch {batch}" for batch in BATCHES),
    )
    rows = []
    for arm in view.arms:
        calls = [view.calls(arm.name, batch) for batch in BATCHES]
        difference = view.difference(arm.name, "test_accuracy")
        rows.append(
            (
                arm.name,
                _points(view.interval(arm.name, "test_accuracy"), "%"),
                _points(difference, "points", sign=True),
                _points(view.interval(arm.name, "gap"), "points"),
                _count(view.fixed(arm.name, "parameters")),
                _count(view.fixed(arm.name, "multiply_adds")),
                _mean(view.interval(arm.name, "seconds_per_epoch")),
                *(f"{1e3 * statistics.median(found):.2f}" if found else "-" for found in calls),
            )
        )
    return titles, rows, titles[1:]


def verdicts(results: Results) -> list[Verdict]:
    """What the numbers say of every claim that they speak about."""
    return ResultsView(results).verdicts()


def document(results: Results) -> dict[str, Any]:
    """All that is in ``results.json``: the results, and what follows from them, for readers without this program."""
    return results.as_dict() | {"intervals": intervals_as_dicts(results), "claims": claims_as_dicts(results)}


def intervals_as_dicts(results: Results) -> dict[str, dict[str, Any]]:
    """By arm and measure: mean, 95 % interval and number of seeds; the ends are None for one seed."""
    view = ResultsView(results)
    found: dict[str, dict[str, Any]] = {}
    for arm in view.arms:
        over_seeds = ((name, view.interval(arm.name, name)) for name, one in MEASURES.items() if not one.unit.exact)
        found[arm.name] = {name: _as_dict(one) for name, one in over_seeds if one is not None}
    return found


def claims_as_dicts(results: Results) -> list[dict[str, Any]]:
    """The same for JSON."""
    return [
        {
            "name": found.claim.name,
            "claim": found.claim.sentence,
            "source": found.claim.source,
            "verdict": str(found.verdict),
            "sentence": found.sentence,
            "reason": found.reason,
        }
        for found in verdicts(results)
    ]


def _as_dict(found: Interval) -> dict[str, Any]:
    return {name: value if math.isfinite(value) else None for name, value in asdict(found).items()}


def _points(found: Interval | None, unit: str, *, sign: bool = False) -> str:
    """A share in hundredths, with half the width of its interval where there is one."""
    return "-" if found is None else f"{numbers.with_interval(found, 1, 100, sign=sign)} {unit}"


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _mean(found: Interval | None) -> str:
    return "-" if found is None else f"{found.mean:.2f}"
