"""The explorer's page in a browser: one page for a module, begun anew for every test, and what is read off it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cenote
from explorer_browser import Watched, shown

X = np.array([[3.0, 12, 8, 1, 7], [5, 8, 20, 20, 2], [9, -4, 0, 6, 6], [1, 1, 13, 2, 11], [7, 2, 2, 4, 10]])
# The state that the page was given, nothing pinned; and the pointer out of the way.
_ANEW = """() => cenote.page.change(() =>
    cenote.restored(JSON.parse(document.getElementById("data").textContent).state, null).state)"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """5x5 by windows of 3, stride 2, "same": padding on both sides, 3x3 outputs."""
    text = cenote.explore(X, 3, stride=2, padding="same").html()
    with shown(text, tmp_path_factory.mktemp("page")) as watched:
        yield watched


@pytest.fixture
def page(loaded: Watched) -> Any:
    """That page as it was when it was opened."""
    loaded.page.mouse.move(5, 5)
    loaded.page.evaluate("document.activeElement.blur()")
    loaded.page.evaluate(_ANEW)
    return loaded.page


def of(folder: Path, *args: Any, **kwargs: Any) -> Any:
    """A page of its own."""
    return shown(cenote.explore(*args, **kwargs).html(), folder)


def text(page: Any, selector: str) -> str:
    """What an element says."""
    return str(page.inner_text(selector)).strip()


def places(page: Any, grid: str, name: str) -> set[tuple[int, int]]:
    """The squares of a grid that carry an outline of this name."""
    found = page.eval_on_selector_all(
        f"#{grid}-grid .overlay rect[data-place].{name}", "all => all.map((one) => one.dataset.place)"
    )
    return {tuple(map(int, place.split(","))) for place in found}


def cell(page: Any, grid: str, row: int, column: int) -> Any:
    """A square of a grid."""
    return page.locator(f"#{grid}-grid [aria-label^='row {row}, column {column}:']")


def over(page: Any, grid: str, row: int, column: int) -> None:
    """The pointer over a square, without waiting for what does not move anyway."""
    box = cell(page, grid, row, column).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def wait(page: Any, selector: str, part: str) -> None:
    """Until an element says so; a page without eval cannot be asked by a function."""
    page.locator(selector).filter(has_text=part).wait_for(timeout=5000)


def numbers(page: Any, grid: str) -> list[float]:
    """What stands in the cells of a grid, padding left out."""
    labels = page.eval_on_selector_all(
        f"#{grid}-grid .square.cell", "all => all.map((one) => one.getAttribute('aria-label'))"
    )
    words = {"NaN": "nan"}
    found = (label.split(": ", 1)[1].split(",")[0] for label in labels)
    return [float(words.get(word, word)) for word in found]


def choose(page: Any, title: str) -> None:
    """An example of the list."""
    page.select_option("#preset", label=title)


_LOOK = """() => {
    const said = (place) => document.querySelector(place).innerText.trim();
    const marked = (grid, name) => [...document.querySelectorAll(`#${grid}-grid .overlay rect[data-place].${name}`)]
        .map((one) => one.dataset.place).sort();
    const kinds = ["in-window", "winner", "tie"].map((name) => marked("input", name));
    const live = document.getElementById("live").textContent;
    return [said("#formula"), said("#reason"), live, kinds, marked("output", "chosen")];
}"""


def looked_at(page: Any) -> list[Any]:
    """All that follows from where one looks."""
    found: list[Any] = page.evaluate(_LOOK)
    return found


def walk_by_mouse(page: Any, shape: tuple[int, int]) -> list[list[Any]]:
    """What is seen over every output, one after the other."""
    seen = []
    for row, column in np.ndindex(*shape):
        over(page, "output", row, column)
        seen.append(looked_at(page))
    return seen
