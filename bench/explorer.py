"""Times of the explorer's page in Chromium: until it is seen, of a step of a drag, of pooling within the page."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from .check import reason
from .results import Run, Timed

PREFIX: Final = "explorer"
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
RUNS: Final = 25
QUICK_RUNS: Final = 20
STEPS: Final = 8  # of a drag, for every run
_WARM: Final = 2  # runs that are thrown away: the browser reads its own files
_PATIENCE: Final = 20_000  # ms until a page must have been seen

Say = Callable[[str], None]


class Missing(Exception):
    """Why nothing can be timed."""


@dataclass(frozen=True, slots=True)
class Case:
    """One row: a page of a drawn seven (or of the tutorials' 4x4), and what of it is timed."""

    name: str
    title: str
    group: str  # "paint", "drag" or "pool"
    side: int
    size: int
    stride: int
    padding: int | str = 0

    @property
    def id(self) -> str:
        """Names the row in files and on the command line."""
        return f"{PREFIX}-{self.name}"


CASES: Final = (
    Case("paint-4x4", "first paint, the page without an array (4x4, 2x2/2)", "paint", 4, 2, 2),
    Case("paint-16x16", "first paint, 16x16, 3x3/1 same", "paint", 16, 3, 1, "same"),
    Case("paint-64x64", "first paint, 64x64, 2x2/2", "large-paint", 64, 2, 2),
    Case("paint-64x64-overlap", "first paint, 64x64, 3x3/1 same", "large-paint", 64, 3, 1, "same"),
    Case("drag-64x64", "a step of a drag, 64x64, 3x3/1 same", "drag", 64, 3, 1, "same"),
    Case("pool-64x64", "pooling in the page, 64x64, 3x3/2 same", "pool", 64, 3, 2, "same"),
    Case("pool-512x512", "pooling in the page, 512x512, 3x3/2 same", "pool", 512, 3, 2, "same"),
)

# Begins with the document. When the grid is there the next frame draws it, and the callback of the frame after that
# comes when it was drawn: never too early, but late by what the page does between the two (it fills its panels). Where
# the frame of the grid is the first one that shows anything, the browser says itself when that was seen.
_WATCH: Final = """
(() => {
  const marks = (globalThis.benchMarks = {});
  const watch = new MutationObserver(() => {
    if (!document.querySelector("#output-grid [role=gridcell]")) return;
    watch.disconnect();
    marks.there = performance.now();
    requestAnimationFrame(() => requestAnimationFrame(() => (marks.after = performance.now())));
  });
  watch.observe(document, { childList: true, subtree: true });
  new PerformanceObserver((list) => {
    const [entry] = list.getEntriesByName("first-contentful-paint");
    if (entry) Object.assign(marks, { painted: entry.paintTime ?? 0, seen: entry.startTime });
  }).observe({ type: "paint", buffered: true });
})()
"""

# Along the rows of the input, back and forth, seven cells a frame, each step with the layout that it leads to; and how
# often the window moved.
_DRAG: Final = """
async (steps) => {
  const grid = document.getElementById("input-grid");
  const inside = (cell) => !/padding|overhang/.test(cell.getAttribute("class"));
  const cells = [...grid.querySelectorAll("[role=gridcell]")].filter(inside);
  const side = Math.round(Math.sqrt(cells.length));
  const path = cells.map((_, i) => {
    const [row, column] = [Math.floor(i / side), i % side];
    return cells[row * side + (row % 2 ? side - 1 - column : column)];
  });
  const frame = () => new Promise((found) => requestAnimationFrame(found));
  const send = (cell, type, button, buttons) => {
    const { left, top, width, height } = cell.getBoundingClientRect();
    const [clientX, clientY] = [left + width / 2, top + height / 2];
    const event = new PointerEvent(type, { bubbles: true, button, buttons, clientX, clientY });
    const start = performance.now();
    cell.dispatchEvent(event);
    grid.getBoundingClientRect();
    document.body.offsetHeight;
    return performance.now() - start;
  };
  const place = () => document.getElementById("place").textContent;
  send(path[0], "pointerdown", 0, 1);
  const times = [];
  let moved = 0;
  for (let i = 1; i <= steps; i++) {
    await frame();
    const before = place();
    times.push(send(path[(i * 7) % path.length], "pointermove", -1, 1));
    moved += place() !== before;
  }
  send(path[0], "pointerup", 0, 0);
  return { times, moved };
}
"""

# Clocks of pages tick in tenths of a millisecond: a sample is as many calls as last long enough.
_POOL: Final = """
({ state, runs }) => {
  const asked = cenote.question(cenote.restored(state, null).state);
  const sample = (calls) => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) cenote.pool(asked);
    return (performance.now() - start) / calls;
  };
  let calls = 1;
  while (sample(calls) * calls < 20) calls *= 2;
  return Array.from({ length: runs }, () => sample(calls));
}
"""


def cases(wanted: Callable[[Case], bool]) -> tuple[Case, ...]:
    """The rows that somebody asked for."""
    return tuple(case for case in CASES if wanted(case))


def added(done: Run, rows: tuple[Case, ...], runs: int, say: Say) -> Run:
    """A run with these rows as well."""
    began = time.perf_counter()
    version, timed = measure(rows, runs, say)
    took = round(time.perf_counter() - began, 1)
    settings = done.settings | {"explorer seconds": took, "seconds": round(done.settings["seconds"] + took, 1)}
    versions = done.versions | ({"Chromium": version} if version else {})
    return replace(done, explorer=timed, settings=settings, versions=versions)


def measure(rows: tuple[Case, ...], runs: int, say: Say) -> tuple[str, tuple[Timed, ...]]:
    """The browser's version and every row; without a browser each row says why it has no times."""
    try:
        with _browser() as browser:
            return str(browser.version), measured(browser, rows, runs, say)
    except Missing as missing:
        say(f"*** the explorer's page is not timed: {missing} ***")
        return "", tuple(Timed(case.id, case.title, case.group, (), str(missing)) for case in rows)


def measured(browser: Any, rows: tuple[Case, ...], runs: int, say: Say) -> tuple[Timed, ...]:
    """Every row in this browser."""
    say(f"the explorer's page: {len(rows)} rows in Chromium {browser.version}")
    with tempfile.TemporaryDirectory() as folder:
        return tuple(_said(_row(case, browser, Path(folder), runs), say) for case in rows)


@contextmanager
def _browser() -> Iterator[Any]:
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise Missing("Playwright is not installed") from None
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise Missing(f"none of {', '.join(BROWSERS)} is there")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except Error as error:
            raise Missing(f"{path} does not start: {reason(error)}") from None
        try:
            yield browser
        finally:
            browser.close()


def _row(case: Case, browser: Any, folder: Path, runs: int) -> Timed:
    way = {"drag": _dragged, "pool": _pooled}.get(case.group, _painted)
    try:
        samples = way(case, browser, folder, runs)
    except Exception as error:  # a page that does not do what it should is no time
        return Timed(case.id, case.title, case.group, (), reason(error))
    return Timed(case.id, case.title, case.group, tuple(round(ms, 4) for ms in samples))


def _said(row: Timed, say: Say) -> Timed:
    times = f"median {row.median:.3g} ms, p95 {row.p95:.3g} ms of {len(row.samples)}" if row.samples else row.left_out
    say(f"[explorer] {row.id}: {times}")
    return row


def _exploration(case: Case) -> Any:
    import cenote
    from cenote.explorer.presets import by_hand, seven

    array = by_hand() if case.side == 4 else seven(case.side)
    return cenote.explore(array, case.size, stride=case.stride, padding=case.padding)


@contextmanager
def _page(case: Case, browser: Any, folder: Path, script: str = "") -> Iterator[Any]:
    """The page in a context of its own: nothing of it was read before."""
    file = folder / f"{case.name}.html"
    if not file.exists():
        file.write_text(_exploration(case).html(), encoding="utf-8")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        if script:
            page.add_init_script(script)
        page.goto(file.as_uri())
        page.wait_for_selector("#output-grid", timeout=_PATIENCE)
        yield page
    finally:
        context.close()


def _painted(case: Case, browser: Any, folder: Path, runs: int) -> list[float]:
    found = []
    for _ in range(_WARM + runs):
        with _page(case, browser, folder, _WATCH) as page:
            marks = page.evaluate("benchMarks")
            until = time.monotonic() + _PATIENCE / 1000
            while not {"after", "seen"} <= marks.keys() and time.monotonic() < until:
                page.wait_for_timeout(20)
                marks = page.evaluate("benchMarks")
            found.append(marks["seen"] if marks["painted"] >= marks["there"] else max(marks["after"], marks["seen"]))
    return found[_WARM:]


def _dragged(case: Case, browser: Any, folder: Path, runs: int) -> list[float]:
    with _page(case, browser, folder) as page:
        page.wait_for_timeout(500)  # panels below are filled in when the stage is drawn
        steps = STEPS * runs
        page.evaluate(_DRAG, STEPS)
        found = page.evaluate(_DRAG, steps)
        if found["moved"] < steps:
            raise ValueError(f"the window moved in {found['moved']} of {steps} steps")
        return list(found["times"])


def _pooled(case: Case, browser: Any, folder: Path, runs: int) -> list[float]:
    first = CASES[0]  # a small page: it has the engine, and nothing else to do
    with _page(first, browser, folder) as page:
        page.wait_for_timeout(300)
        state = _exploration(case).state
        page.evaluate(_POOL, {"state": state, "runs": 3})
        return list(page.evaluate(_POOL, {"state": state, "runs": runs}))
