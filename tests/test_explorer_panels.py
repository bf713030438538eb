"""What stands around the grids: examples, what is typed, links, images, shifts, layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cenote
import explorer_page
from cenote.explorer.presets import presets
from explorer_browser import shown
from explorer_page import X, cell, choose, looked_at, numbers, of, text, wait
from explorer_states import computed

loaded, page = explorer_page.loaded, explorer_page.page

pytestmark = pytest.mark.browser


def test_presets_are_what_the_kernels_say(page: Any) -> None:
    for preset in presets():
        choose(page, preset["title"])
        assert page.locator("#controls .problem:not(:empty)").count() == 0
        y = computed(preset)
        if y.ndim < 3:
            assert numbers(page, "output") == pytest.approx(y.ravel(), rel=1e-3, nan_ok=True), preset["title"]
        assert text(page, "#output-title") == f"Output, {' × '.join(map(str, y.shape))}"


def test_every_filter_stands_in_the_form(page: Any) -> None:
    found = page.eval_on_selector_all("#filter option", "all => all.map((one) => one.value)")
    assert found == ["", *page.evaluate("Object.keys(cenote.FILTERS)")]


def test_an_impossible_window_is_said_beside_its_field_and_the_picture_stays(page: Any) -> None:
    before = numbers(page, "output")
    for field, value, said in (
        ("#size-0", "0", "from 1 on"),
        ("#size-0", "1.5", "whole number"),
        ("#size-0", "", "whole number"),
        ("#stride-1", "-2", "from 1 on"),
        ("#dilation-0", "0", "from 1 on"),
        ("#size-0", "999999999", "more than a page can show"),
    ):
        old = page.input_value(field)
        page.fill(field, value)
        problem = field.rstrip("01").rstrip("-") + "-problem"
        assert said in text(page, problem), field
        assert numbers(page, "output") == before
        assert "stale" in page.get_attribute("#stage", "class")
        page.fill(field, old)
        assert text(page, problem) == ""
    page.select_option("#pad", "numbers")
    page.fill("#size-0", "9")
    assert "spans 9 cells and 5 are there" in text(page, "#size-problem")
    page.fill("#size-0", "3")
    page.fill("#padding-0", "-1")
    assert "from 0 on" in text(page, "#padding-problem")


def test_a_link_keeps_all_and_a_broken_one_is_said(tmp_path: Path) -> None:
    html = cenote.explore(X, 3, stride=2, padding="same").html()
    with shown(html, tmp_path) as watched:
        page = watched.page
        page.select_option("#op", "avg")
        page.check("#backward")
        cell(page, "output", 1, 2).click()
        link = page.evaluate("cenote.link(cenote.page.view().state)")
        before = looked_at(page)
    with shown(html, tmp_path, link=f"#s={link}") as watched:
        assert looked_at(watched.page) == before
        assert watched.page.input_value("#op") == "avg"
        assert watched.page.is_checked("#backward")
    first, *others = ("!!!", "AAAA", link[:40], "bnVsbA", "e30")
    with shown(html, tmp_path, link=f"#s={first}") as watched:
        page = watched.page
        for other in others:
            wait(page, "#said", "the link is broken")
            assert page.input_value("#op") == "max"
            page.evaluate("(link) => { said.textContent = ''; location.hash = '#s=' + link; }", other)
        wait(page, "#said", "the link is broken")
        assert page.input_value("#op") == "max"


def test_a_link_without_its_array_says_so(tmp_path: Path) -> None:
    with of(tmp_path, np.random.default_rng(0).random((17, 17))) as watched:
        page = watched.page
        link = page.evaluate("cenote.link(cenote.page.view().state)")
        page.evaluate("(link) => { location.hash = '#s=' + link; }", link)
        wait(page, "#said", "too large for a link")
        assert len(link) < 1000


def test_user_text_never_becomes_markup(tmp_path: Path) -> None:
    evil = "</script><img src=x onerror=alert(1)><!--<script>"
    page_ = cenote.explore(X, 2, title=evil)
    with shown(page_.html(), tmp_path) as watched:
        assert watched.page.locator("img").count() == 0
    gallery = cenote.explore(np.stack([X, X]), 2, title=evil)
    with shown(gallery.html(), tmp_path) as watched:
        page = watched.page
        assert evil in page.locator("#preset option").nth(1).inner_text()
        page.select_option("#preset", index=1)
        assert evil in text(page, "#said")
        assert page.locator("img").count() == 0


def test_your_image_by_file_and_by_paste(page: Any, tmp_path: Path) -> None:
    from PIL import Image

    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 256, (12, 10), dtype=np.uint8)
    file = tmp_path / "tiny.png"
    Image.fromarray(pixels).save(file)
    page.set_input_files("#image-file", file)
    wait(page, "#input-title", "12 × 10")
    assert numbers(page, "input") == pytest.approx(pixels.ravel() / 255, abs=1e-3)
    Image.fromarray(rng.integers(0, 256, (300, 600, 3), dtype=np.uint8)).save(file)
    page.set_input_files("#image-file", file)
    wait(page, "#image-said", "scaled down to 64 × 32")
    for name, content, said in (
        ("a.png", b"no image", "no image"),
        ("b.png", b"", "empty"),
        ("c.npy", b"x", "read by cenote"),
    ):
        bad = tmp_path / name
        bad.write_bytes(content)
        page.set_input_files("#image-file", bad)
        wait(page, "#image-said", said)
        assert "32 × 64" in text(page, "#input-title")
    page.evaluate(
        """async () => {
            const canvas = Object.assign(document.createElement("canvas"), { width: 7, height: 6 });
            const blob = await new Promise((done) => canvas.toBlob(done));
            const transfer = new DataTransfer();
            transfer.items.add(new File([blob], "", { type: "image/png" }));
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
        }"""
    )
    wait(page, "#input-title", "6 × 7")


def test_moving_the_input(page: Any) -> None:
    choose(page, "0, 0, 1, 1: what a shift does")
    x = np.array([0.0, 0, 1, 1, 0, 0, 1, 1])
    assert "Not moved" in text(page, "#shift-said")
    page.focus("#shift-right")
    page.keyboard.press("ArrowRight")
    moved = np.roll(x, 1)
    share = {
        "maximum": np.mean(cenote.max_pool(x, (2,)) == cenote.max_pool(moved, (2,))),
        "average": np.mean(cenote.avg_pool(x, (2,)) == cenote.avg_pool(moved, (2,))),
        "first cell of the window": np.mean(x[::2] == moved[::2]),
    }
    for name, part in share.items():
        assert f"{name} {100 * part:.0f} %" in text(page, "#shift-said")
    page.select_option("#shift-border", "zero")
    assert numbers(page, "shift-input") == [0, *x[:-1]]


def test_the_arithmetic_and_a_stack_of_layers(page: Any) -> None:
    choose(page, "a 28x28 seven, convolved to 26x26, pooled to 13x13")
    assert "floor((28 + 0 + 0 - 3)/1) + 1 = 26" in text(page, "#shape-card")
    assert "floor((26 + 0 + 0 - 2)/2) + 1 = 13" in text(page, "#shape-card")
    page.fill("#stack-layers", "conv3:32 pool2 conv3:64 avg>7 max*")
    rows = [row.split("\t") for row in text(page, "#stack-card tbody").split("\n") if row.strip()]
    assert [row[1] for row in rows] == ["26 × 26 × 32", "13 × 13 × 32", "11 × 11 × 64", "7 × 7 × 64", "1 × 1 × 64"]
    assert rows[0][5] == "320"
    assert rows[2][5] == "18,496"
    assert rows[2][3] == "8"
    page.fill("#stack-layers", "conv30")
    assert "spans 30 cells" in text(page, "#stack-problem")
    assert page.locator("#stack-card tbody tr").count() == 5


def test_an_editor_writes_into_the_array_that_it_was_opened_on(page: Any) -> None:
    cell(page, "input", 4, 4).dblclick()
    page.evaluate("cenote.page.change((was) => ({ ...was, shape: [3, 3], values: [1, 2, 3, 4, 5, 6, 7, 8, 9] }))")
    assert page.locator(".editor").count() == 0
    assert numbers(page, "input") == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    cell(page, "input", 1, 1).dblclick()
    page.keyboard.type("1,5")
    page.keyboard.press("Enter")
    assert page.get_attribute(".editor", "aria-invalid") == "true"
    page.locator(".editor").fill("42")
    page.click("#size-0")
    page.keyboard.type("2")
    assert page.evaluate("document.activeElement.id") == "size-0"
    assert numbers(page, "input")[4] == 42


@pytest.mark.parametrize(
    "words,field",
    [
        ({"padding": [[1000000, 1000000]] * 2, "stride": [1000000] * 2}, "padding"),
        ({"size": [4096, 4096], "stride": [1, 1], "padding": ["same", "same"]}, "padding"),
        ({"dilation": [100000, 1], "padding": [[100000, 100000], [0, 0]]}, "padding"),
        ({"divisor": 1e19}, "divisor"),
    ],
)
def test_what_cannot_be_drawn_is_said_and_changes_nothing(page: Any, words: Any, field: str) -> None:
    before = numbers(page, "output")
    change = "(words) => cenote.page.change((was) => ({ ...was, op: 'avg', words: { ...was.words, ...words } }))"
    page.evaluate(change, words)
    assert text(page, f"#{field}-problem")
    assert numbers(page, "output") == before
    brought = """(words) => {
        const { state } = cenote.page.view();
        return cenote.page.bring('no', () => ({ ...state, op: 'avg', words: { ...state.words, ...words } }));
    }"""
    assert page.evaluate(brought, words) is False
    assert text(page, "#said").startswith("no (")


def test_a_saved_state_is_one_that_could_be_drawn(page: Any) -> None:
    page.fill("#size-0", "")
    page.evaluate("document.activeElement.blur()")
    assert page.evaluate("cenote.page.view().state.words.size") == [3, 3]
    page.evaluate("(link) => { location.hash = '#s=' + link; }", page.evaluate("cenote.link(cenote.page.view().state)"))
    wait(page, "#said", "opened from the link")
    page.evaluate("history.replaceState(null, '', location.pathname)")
    assert page.input_value("#size-0") == "3"
