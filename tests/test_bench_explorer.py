"""The rows of the benchmark about the explorer's page: they exist, a browser runs them, the report shows them or says
why not. Nothing is timed in earnest."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import bars as main_bars
from bench import cli, explorer, install, report, results
from bench import explorer_report as section
from bench.explorer import CASES, PREFIX, STEPS
from bench.results import Run, Timed
from explorer_browser import browser

#: On a page that is made in no time.
DRAG = replace(next(case for case in CASES if case.group == "drag"), side=12)


def timed(name: str, *samples: float, left_out: str = "") -> Timed:
    (case,) = (one for one in CASES if one.name == name)
    return Timed(case.id, case.title, case.group, samples, left_out)


def run_of(*rows: Timed) -> Run:
    settings = {"threads": 2, "seed": 1, "seconds": 9.0}
    return Run({"cpu": "Some CPU", "processors": 2}, {}, settings, {}, (), explorer=rows)


def test_the_rows_have_what_was_asked_for() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
    found = {(case.group, case.side) for case in CASES}
    assert found >= {("paint", 4), ("paint", 16), ("large-paint", 64), ("drag", 64), ("pool", 64), ("pool", 512)}
    assert min(explorer.RUNS, explorer.QUICK_RUNS) >= 20
    assert {bar.most for bar in section.BARS} == {200, 500, 16}
    ids = [bar.id for bar in (*section.BARS, *main_bars.BARS)]
    assert len(set(ids)) == len(ids)
    assert "playwright" in str(install.PEERS)


def test_rows_are_chosen_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "--list", "--only", PREFIX]) == 0
    assert capsys.readouterr().out.split() == [case.id for case in CASES]
    assert cli.main(["run", "--list", "--only", "explorer-drag"]) == 0
    assert capsys.readouterr().out.split() == ["explorer-drag-64x64"]
    assert cli.main(["run", "--list"]) == 0
    assert {case.id for case in CASES} <= set(capsys.readouterr().out.split())


@pytest.mark.browser
def test_a_browser_runs_every_kind(tmp_path: Path) -> None:
    said: list[str] = []
    chosen = (CASES[0], DRAG, next(case for case in CASES if case.name == "pool-64x64"))
    rows = explorer.measured(browser(), chosen, 1, said.append)
    assert [row.left_out for row in rows] == [""] * 3
    assert [len(row.samples) for row in rows] == [1, STEPS, 1]
    assert all(0 < sample < 60_000 for row in rows for sample in row.samples)
    assert len(said) == 4


@pytest.mark.browser
def test_a_window_that_does_not_move_is_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explorer, "_DRAG", explorer._DRAG.replace('"pointermove"', '"nothing"'))
    (row,) = explorer.measured(browser(), (DRAG,), 1, lambda text: None)
    assert (row.samples, row.left_out) == ((), f"ValueError: the window moved in 0 of {STEPS} steps")


def test_without_a_browser_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(
        "playwright", reason="Playwright is not installed, which is said before a browser is looked for"
    )
    monkeypatch.setenv("PATH", "/nowhere")
    said: list[str] = []
    done = explorer.added(run_of(), CASES[:2], 20, said.append)
    assert said == [
        "*** the explorer's page is not timed: none of chromium, chromium-browser, google-chrome is there ***"
    ]
    assert [row.samples for row in done.explorer] == [(), ()]
    text = report.render(done, "")
    assert "| not measured | why |" in text
    assert text.count("none of chromium, chromium-browser, google-chrome is there") == 2
    assert "| not measured | 0 of 0, 2 not measured |" in text


def test_json_there_and_back() -> None:
    before = run_of(timed("paint-4x4", 150.5, 160.25), timed("drag-64x64", left_out="no browser"))
    text = results.to_json(before)
    assert results.from_json(text) == before
    old: dict[str, Any] = json.loads(text)
    del old["explorer"]  # what runs had before there was a page
    assert results.from_json(json.dumps(old)).explorer == ()
    assert section.TITLE not in report.render(results.from_json(json.dumps(old)), "")


def test_the_report_judges_medians_and_of_a_drag_the_slow_ones() -> None:
    rows = (
        timed("paint-4x4", *[100.0] * 15, *[900.0] * 5),
        timed("paint-16x16", *[201.0] * 20),
        timed("paint-64x64", *[499.0] * 20),
        timed("drag-64x64", *[1.0] * 18, *[17.0] * 2),
        timed("pool-512x512", 5.0, 6.0, 7.0),
    )
    verdicts = {verdict.bar.id: verdict.met for verdict in section.judge(run_of(*rows))}
    assert verdicts == {"explorer-paint": False, "explorer-large-paint": True, "explorer-drag": False}
    text = "\n\n".join(section.section(run_of(*rows)))
    assert "| first paint, the page without an array (4x4, 2x2/2) | 100 | 900 | 100 | 20 |" in text
    assert "- first paint, 16x16, 3x3/1 same: 201 of at most 200" in text
    assert "| pooling in the page, 512x512, 3x3/2 same | 6 | 6.9 | 5 | 3 |" in text
