"""The report to the eye: colours that every reader tells apart, names that do not overlap, and a look in a browser."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import explorer_browser
from cenote.lab.arms import ALL
from cenote.lab.report import REPORT, write
from cenote.lab.report.drawing import Line, Mark, Row, apart, lines, rows
from cenote.lab.report.palette import look, variables
from cenote.lab.store import Store
from lab_report_pages import made

pytestmark = pytest.mark.keras


@given(st.lists(st.floats(-50, 350), min_size=1, max_size=18), st.floats(1, 16))
def test_names_are_moved_apart_and_no_further(wanted: list[float], gap: float) -> None:
    found = apart(wanted, gap, 300)
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    assert all(found[b] - found[a] > gap * (1 - 1e-9) for a, b in itertools.pairwise(order))
    assert min(found) >= 0
    assert max(found) <= 300 + 1e-9
    if all(0 <= y <= 300 for y in wanted) and all(wanted[b] - wanted[a] > gap for a, b in itertools.pairwise(order)):
        assert found == pytest.approx(wanted)


def test_arms_are_told_apart() -> None:
    looks = [look(place) for place in range(42)]
    assert len({(one.hue, one.marker) for one in looks}) == 42


def test_names_without_end_make_a_wider_chart() -> None:
    content = [Row("l2." + 60 * "0" + "-2/2", look(0), (Mark(1.0),), "97.8")]
    assert rows("a", "b", content).get_figwidth() > rows("a", "b", [replace(content[0], arm="max-2/2")]).get_figwidth()
    curve = Line(content[0].arm, look(0), (1.0, 2.0), (3.0, 4.0))
    assert lines("a", "b", "c", [curve]).get_figwidth() > lines("a", "b", "c", [replace(curve, arm="x")]).get_figwidth()


# What is left of linear light without one kind of cones: Machado, Oliveira and Fernandes 2009, severity 1.
_SIGHTS = {
    "usual": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def _linear(colour: str) -> Any:
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _oklab(light: Any) -> Any:
    to_cones = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566]]
    to_cones.append([0.0883024619, 0.2817188376, 0.6299787005])
    to_lab = [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099]]
    to_lab.append([0.0259040371, 0.7827717662, -0.8086757660])
    return np.array(to_lab) @ np.cbrt(np.array(to_cones) @ np.clip(light, 0, 1))


def _schemes() -> Iterator[dict[str, str]]:
    for block in re.findall(r"\{([^{}]*)\}", variables()):
        yield dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", block))


@pytest.mark.parametrize("sight", _SIGHTS)
def test_hues_are_apart_for_every_reader(sight: str) -> None:
    for scheme in _schemes():
        seen = [_oklab(_SIGHTS[sight] @ _linear(value)) for name, value in scheme.items() if name.startswith("hue-")]
        assert len(seen) == 6
        assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 0.11


def test_colours_stand_out_from_the_paper() -> None:
    def contrast(a: str, b: str) -> float:
        dark, light = sorted(float(_linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (a, b))
        return (light + 0.05) / (dark + 0.05)

    for scheme in _schemes():
        for name, value in scheme.items():
            least = {"ink": 7.0, "muted": 4.5, "good": 4.5, "bad": 4.5}.get(name, 3.0 if name[:3] == "hue" else 0.0)
            assert min(contrast(value, scheme[paper]) for paper in ("paper", "card")) >= least, name


# --- in a browser ---


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found: Path = tmp_path_factory.mktemp("report")
    write(made(ALL, refused=("max-3/3",)), Store(found), None)
    return found


@pytest.fixture(scope="module")
def browser() -> Any:
    return explorer_browser.browser()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser(scheme: str, browser: Any, folder: Path) -> None:
    heard: list[str] = []
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    shown = context.new_page()
    shown.on("console", lambda said: heard.append(said.text))
    shown.on("pageerror", lambda error: heard.append(str(error)))
    shown.on("requestfailed", lambda request: heard.append(request.url))
    shown.on("request", lambda request: None if request.url[:5] in ("file:", "data:") else heard.append(request.url))
    shown.goto((folder / REPORT).as_uri())
    for width in (1280, 768, 360):
        shown.set_viewport_size({"width": width, "height": 900})
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        # what is wider than the window scrolls in a box of its own
        loose = shown.evaluate(
            """() => [...document.querySelectorAll('body *')].filter(e =>
                e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, nav, details:not([open])')
            ).map(e => e.tagName + '.' + e.className)"""
        )
        assert loose == []
    ink = shown.evaluate("getComputedStyle(document.querySelector('svg.chart text')).fill")
    assert (sum(map(int, re.findall(r"\d+", ink)[:3])) > 3 * 127) == (scheme == "dark")
    assert heard == []
    context.close()
