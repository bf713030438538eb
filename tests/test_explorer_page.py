"""The page in a browser: windows, padding, winners, formulas, gradients, against the kernels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cenote
import explorer_page
from explorer_page import X, cell, choose, looked_at, numbers, of, over, places, text

loaded, page = explorer_page.loaded, explorer_page.page

pytestmark = pytest.mark.browser


def test_the_window_by_hover(page: Any) -> None:
    over(page, "output", 0, 1)
    assert text(page, "#formula") == "max(12, 8, 1, 8, 20, 20) = 20"
    assert text(page, "#reason").startswith("2 cells are equal")
    assert places(page, "input", "in-window") == {(r, c) for r in (-1, 0, 1) for c in (1, 2, 3)}
    assert places(page, "input", "winner") == {(1, 2)}
    assert places(page, "input", "tie") == {(1, 3)}
    assert places(page, "output", "chosen") == {(0, 1)}


def test_an_input_cell_lights_every_window_that_holds_it(page: Any) -> None:
    over(page, "input", 1, 1)
    assert places(page, "output", "in-window") == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert text(page, "#formula") == "cell 1, 1 = 8"
    assert text(page, "#reason") == "lies in 4 windows, wins in none"
    page.mouse.move(5, 5)
    assert text(page, "#formula").startswith("max(")


def test_pin_by_click(page: Any) -> None:
    cell(page, "output", 2, 2).click()
    pinned = looked_at(page)
    over(page, "output", 0, 0)
    over(page, "input", 3, 3)
    assert looked_at(page) == pinned
    assert places(page, "output", "pinned") == {(2, 2)}
    cell(page, "output", 2, 2).click()
    over(page, "output", 0, 0)
    assert places(page, "output", "chosen") == {(0, 0)}


def _said(page: Any, kind: str) -> set[str]:
    return {one.replace("\n", "") for one in page.locator(f"#input-grid .{kind}").all_text_contents()}


def test_padding_is_drawn_and_named(page: Any) -> None:
    choose(page, "padding 1 on both sides")
    for op, name in {"max": "-inf", "min": "inf", "sum": "0", "lp": "0"}.items():
        page.select_option("#op", op)
        assert page.locator("#input-grid .padding").count() == 6 * 6 - 16
        assert _said(page, "padding") == {name}
    choose(page, 'ceil_mode: the divisor "padded"')
    for divisor, inside, hanging in (
        ("padded", "0counted", "ignored"),
        ("inside", "ignored", "ignored"),
        ("window", "0counted", "0counted"),
    ):
        page.select_option("#divisor", divisor)
        assert (_said(page, "padding"), _said(page, "overhang")) == ({inside}, {hanging})


def test_asymmetric_same_dropped_cells_overhang_and_dilation(tmp_path: Path) -> None:
    with of(tmp_path, np.arange(16.0).reshape(4, 4), 3, stride=2, padding="same") as watched:
        page = watched.page
        assert "padded by 0 + 1 and 0 + 1" in text(page, "#input-title")
        assert cell(page, "input", 4, 0).count() == 1
        assert cell(page, "input", -1, 0).count() == 0
        choose(page, "floor drops a cell: 13 by windows of 2")
        assert page.locator("#input-grid .unread").count() == 1
        assert "1 cell in no window" in text(page, "#shape-card")
        choose(page, 'ceil_mode: the divisor "padded"')
        assert page.locator("#input-grid .overhang").count() == 7 * 7 - 6 * 6
        assert "hangs over by 1" in text(page, "#shape-card")
        choose(page, "dilation skips cells")
        over(page, "output", 0, 1)
        assert places(page, "input", "in-window") == {(0, 0), (0, 2)}


def test_formulas_say_why_that_divisor(page: Any) -> None:
    choose(page, 'ceil_mode: the divisor "padded"')
    over(page, "output", 0, 0)
    assert text(page, "#formula") == "(1 + 2 + 5 + 6) / 9 = 1.556"
    assert "all 9 taps lie in the padded input: 5 of padding count" in text(page, "#reason")
    over(page, "output", 2, 2)
    assert text(page, "#formula") == "(11 + 12 + 15 + 16) / 4 = 13.5" or "16" in text(page, "#formula")
    page.select_option("#divisor", "inside")
    over(page, "output", 0, 0)
    assert text(page, "#formula") == "(1 + 2 + 5 + 6) / 4 = 3.5"
    page.select_option("#divisor", "number")
    page.fill("#by-field input", "7")
    over(page, "output", 0, 0)
    assert text(page, "#formula") == "(1 + 2 + 5 + 6) / 7 = 2"


def test_how_often_each_cell_wins(page: Any) -> None:
    page.check("#heat")
    _, where = cenote.max_pool(X, 3, stride=2, padding="same", return_indices=True)
    counts = np.bincount(where.ravel(), minlength=25)
    badges = page.locator("#input-grid .cell .badge").all_text_contents()
    assert badges == [f"{n}x" for n in counts]
    page.select_option("#op", "avg")
    _, back = cenote.vjp(cenote.sum_pool, X, 3, stride=2, padding="same")
    assert page.locator("#input-grid .cell .badge").all_text_contents() == [
        f"{n:.0f}x" for n in np.ravel(back(np.ones((3, 3))))
    ]


@pytest.mark.parametrize("op", ["max", "min", "avg", "sum", "lp"])
def test_backward_is_autograd(op: str, page: Any) -> None:
    page.select_option("#op", op)
    page.check("#backward")
    words: dict[str, Any] = {"stride": 2, "padding": "same"}
    y, back = cenote.vjp(getattr(cenote, f"{op}_pool"), X, 3, **words)
    assert numbers(page, "output") == pytest.approx(y.ravel(), rel=1e-3)  # cells show four digits
    upstream = np.ones((3, 3))
    assert numbers(page, "gradient") == pytest.approx(np.ravel(back(upstream)), rel=1e-3)
    for (row, column), value in {(0, 1): 5.0, (1, 1): -2.5, (2, 2): 0.0}.items():
        cell(page, "upstream", row, column).dblclick()
        page.keyboard.type(str(value))
        page.keyboard.press("Enter")
        upstream[row, column] = value
    assert numbers(page, "upstream") == upstream.ravel().tolist()
    assert numbers(page, "gradient") == pytest.approx(np.ravel(back(upstream)), rel=1e-3)
    choose(page, "the gradient of a ceil-mode average: halves")
    assert numbers(page, "gradient") == [0, 0, 0.5, 0.5]


def test_three_axes_are_seen_slice_by_slice(page: Any) -> None:
    choose(page, "three axes: 4x4x4")
    x = (np.arange(64.0) * 37 % 64).reshape(4, 4, 4)
    y, where = cenote.max_pool(x, (2, 2, 2), return_indices=True)
    for flat in range(8):
        page.focus("#scrub")
        page.keyboard.press("Home")
        for _ in range(flat):
            page.keyboard.press("ArrowRight")
        assert text(page, "#formula").endswith(f"= {y.ravel()[flat]:.0f}")
        depth, row, column = np.unravel_index(where.ravel()[flat], x.shape)
        assert places(page, "input", "winner") == {(row, column)}
        assert numbers(page, "input") == x[depth].ravel().tolist()
    page.focus("#input-depth")
    page.keyboard.press("Home")
    assert numbers(page, "input") == x[0].ravel().tolist()
    # Another slice is another grid: the keyboard stays in it, where it was.
    page.locator("#output-grid [tabindex='0']").focus()
    for key in ("Home", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.matches('#output-grid [tabindex=\"0\"]')"), key


def test_large_arrays_are_drawn_on_a_canvas_and_walk_alike(tmp_path: Path) -> None:
    x = np.random.default_rng(1).random((100, 90))
    with of(tmp_path, x, 3, stride=2, padding=1) as watched:
        page = watched.page
        assert page.locator("canvas#input-grid").count() == 1
        box = page.locator("#output-grid").first.bounding_box()
        side = 560 // 50
        page.mouse.move(box["x"] + 2.5 * box["width"] / 45, box["y"] + 1.5 * box["height"] / 50)
        y = cenote.max_pool(x, 3, stride=2, padding=1)
        assert text(page, "#formula").endswith(f"= {y[1, 2]:.4g}"), side
        page.focus("#input-grid")
        page.keyboard.press("ArrowRight")
        assert text(page, "#formula") == f"cell 0, 1 = {x[0, 1]:.4g}"
