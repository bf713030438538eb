"""The section of ``docs/benchmarks.md`` about the explorer's page, generated from a run."""

from __future__ import annotations

from typing import Final

from .bars import Bar, Verdict, verdict
from .results import Run, Timed
from .tables import number, table, verdicts

TITLE: Final = "The explorer's page"
_HOW: Final = """\
Chromium without a window, 1280 x 900, on the machine of the other rows; the page is a file.

- **First paint**: from the beginning of the navigation (`performance.timeOrigin`) until the frame with the grid of the
  output is on the screen. Mostly that is the first frame with anything in it, and the browser says when that was
  presented (`first-contentful-paint`, whose `paintTime` must lie behind the moment at which the grid was there). Where
  something was seen before the grid, it is the callback of the frame after it: never too early, but late by what the
  page does between the two, for it fills its panels then. Every run is a page of its own in a context of its own, with
  nothing cached; the browser itself runs already, and two runs before are thrown away.
- **A step of a drag**: a pointer event over another cell of the input, all that the page's scripts do in answer, and
  the layout of the whole document, forced; one step a frame, and each must have moved the window.
- **Pooling in the page**: the page's own engine on an array that is there, warmed up, without drawing; a sample is as
  many calls as last 20 ms."""


def _at(groups: tuple[str, ...], name: str, limit: float, text: str) -> Bar[Timed]:
    def value(row: Timed, run: Run) -> float | None:
        return (row.p95 if row.group == "drag" else row.median) if row.samples else None

    return Bar(name, text, lambda row, run: row.group in groups, value, most=limit)


BARS: Final[tuple[Bar[Timed], ...]] = (
    _at(("paint",), "explorer-paint", 200, "First paint of arrays up to 16x16: median of at most 200 ms"),
    _at(("large-paint",), "explorer-large-paint", 500, "First paint of 64x64: median of at most 500 ms"),
    _at(("drag",), "explorer-drag", 16, "A step of a drag on 64x64: 95 of 100 take at most 16 ms"),
)


def judge(run: Run) -> tuple[Verdict, ...]:
    """Every bar on every row that it is about."""
    found = (verdict(bar, run, run.explorer, lambda row: row.title) for bar in BARS)
    return tuple(one for one in found if one.values or one.unmeasured)


def section(run: Run) -> list[str]:
    """Its paragraphs; none if the run has no such rows."""
    if not run.explorer:
        return []
    parts = [f"## {TITLE}", _HOW, verdicts(judge(run), "Which of these rows fall short")]
    timed = [row for row in run.explorer if row.samples]
    lines = [
        (row.title, number(row.median), number(row.p95), number(min(row.samples)), str(len(row.samples)))
        for row in timed
    ]
    if lines:
        parts.append(table(("row", "median, ms", "95 of 100 within, ms", "fastest, ms", "samples"), lines))
    missing = [(row.title, row.left_out.replace("|", "\\|")) for row in run.explorer if row.left_out]
    return [*parts, table(("not measured", "why"), missing, right=2)] if missing else parts
