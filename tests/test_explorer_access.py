"""The page by mouse, keyboard and finger, on narrow and wide screens, and for who does not see it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cenote
import explorer_page
from cenote.explorer.serve import Server
from explorer_browser import Watched, needed, opened, shown
from explorer_page import X, cell, choose, looked_at, numbers, places, text, walk_by_mouse

loaded, page = explorer_page.loaded, explorer_page.page

pytestmark = pytest.mark.browser


def test_drag_takes_the_nearest_window_along(page: Any) -> None:
    start, end = cell(page, "input", 0, 0).bounding_box(), cell(page, "input", 4, 4).bounding_box()
    page.mouse.move(start["x"] + 5, start["y"] + 5)
    page.mouse.down()
    seen = []
    for part in np.linspace(0, 1, 9):
        page.mouse.move(*(start[k] + 5 + part * (end[k] - start[k]) for k in ("x", "y")))
        seen += [place for place in places(page, "output", "chosen") if [place] != seen[-1:]]
    page.mouse.up()
    assert [place for i, place in enumerate(seen) if i == 0 or place != seen[i - 1]][-3:] == [(0, 0), (1, 1), (2, 2)]


def test_the_keyboard_walk_is_the_mouse_walk(page: Any) -> None:
    by_mouse = walk_by_mouse(page, (3, 3))
    page.mouse.move(5, 5)
    cell(page, "output", 0, 0).focus()
    by_keys = []
    for row in range(3):
        page.keyboard.press("Home")
        for column in range(3):
            by_keys.append(looked_at(page))
            if column < 2:
                page.keyboard.press("ArrowRight")
        if row < 2:
            page.keyboard.press("ArrowDown")
    assert by_keys == by_mouse
    page.keyboard.press("Control+Home")
    assert looked_at(page) == by_mouse[0]
    page.keyboard.press("Control+End")
    assert looked_at(page) == by_mouse[8]
    page.keyboard.press("Enter")
    assert places(page, "output", "pinned") == {(2, 2)}
    page.keyboard.press("Escape")
    assert not places(page, "output", "pinned")
    assert page.locator("#output-grid [tabindex='0']").count() == 1


def test_step_scrub_and_play_show_the_same(loaded: Watched, page: Any) -> None:
    by_mouse = walk_by_mouse(page, (3, 3))
    page.mouse.move(5, 5)
    page.focus("#scrub")
    page.keyboard.press("Home")
    seen = [looked_at(page)]
    for _ in range(8):
        page.click("#next")
        seen.append(looked_at(page))
    assert seen == by_mouse
    page.click("#next")
    assert looked_at(page) == by_mouse[0]
    page.click("#back")
    assert looked_at(page) == by_mouse[8]
    page.focus("#scrub")
    page.keyboard.press("ArrowLeft")
    assert looked_at(page) == by_mouse[7]
    loaded.worn = True  # its clock is ours from here on
    page.clock.install()
    page.click("#play")
    page.clock.run_for(1500)
    assert places(page, "output", "chosen") == {(0, 0)}
    page.click("#play")
    page.clock.run_for(3000)
    assert places(page, "output", "chosen") == {(0, 0)}


def test_cells_are_changed_by_keyboard(page: Any) -> None:
    cell(page, "input", 1, 2).focus()
    page.keyboard.press("Enter")
    page.keyboard.type("99")
    page.keyboard.press("Enter")
    assert cell(page, "input", 1, 2).text_content() == "99"
    assert max(numbers(page, "output")) == 99
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("row 1, column 2")
    page.keyboard.press("Enter")
    page.keyboard.type("no number")
    assert page.get_attribute(".editor", "aria-invalid") == "true"
    page.keyboard.press("Escape")
    assert cell(page, "input", 1, 2).text_content() == "99"


def _fits(watched: Watched) -> None:
    page = watched.page
    wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1], wide


@contextmanager
def hosted(exploration: Any, host: str, folder: Path, **context: Any) -> Iterator[Any]:
    """The page in a file, in a notebook's frame, or served: what finds elements in it."""
    if host == "served":
        with (
            Server(lambda token: exploration.html(token=token)) as server,
            opened(server.url, allowed=server.url.partition("/?")[0], **context) as watched,
        ):
            yield watched.page
        return
    text_ = exploration.html()
    if host == "notebook":
        cell_ = exploration._repr_mimebundle_()["text/html"].replace(' loading="lazy"', "")
        text_ = f"<!doctype html><title>a notebook</title>{cell_}"
    with shown(text_, folder, **context) as watched:
        inside = watched.page.frames[-1] if host == "notebook" else watched.page
        inside.wait_for_selector("#output-grid")
        yield inside


@pytest.mark.parametrize(
    "host,scheme",
    [("file", "light"), ("served", "dark"), ("notebook", "dark")],
)
def test_accessible_by_axe(host: str, scheme: str, tmp_path: Path) -> None:
    name = "axe_playwright_python.sync_playwright"
    axe = needed(name, "axe is not installed: no accessibility scan")
    exploration = cenote.explore(np.arange(25.0).reshape(5, 5), 3, stride=2, padding=1)
    with hosted(exploration, host, tmp_path, color_scheme=scheme) as page:
        page.check("#backward")
        cell(page, "output", 1, 1).click()
        found = axe.Axe().run(page).response["violations"]
        assert [(v["id"], v["impact"], [n["target"] for n in v["nodes"]][:3]) for v in found] == []


def test_the_policy_lets_nothing_out(loaded: Watched) -> None:
    """Beside what the page itself does not ask for: what is asked in its name is refused before it leaves."""
    tried = """async () => {
        const said = await fetch("https://example.org/").then(() => "went out", () => "refused");
        const image = Object.assign(new Image(), { src: "https://example.org/a.png" });
        await new Promise((done) => (image.onerror = done));
        const script = Object.assign(document.createElement("script"), { textContent: "globalThis.ran = true" });
        document.head.append(script);
        script.remove();
        return [said, globalThis.ran === undefined];
    }"""
    assert loaded.page.evaluate(tried) == ["refused", True]
    assert loaded.outside == []
    loaded.errors.clear()  # the browser says what it refused


def test_nothing_is_wider_than_the_window(loaded: Watched, page: Any) -> None:
    """On a telephone, a tablet, a wide screen, and on 1280 pixels twice as large."""
    page.check("#backward")
    for title in (None, "a 28x28 seven, convolved to 26x26, pooled to 13x13"):
        if title:
            choose(page, title)
        for width in (360, 768, 1920, 1280 // 2):
            page.set_viewport_size({"width": width, "height": 800})
            _fits(loaded)
    page.set_viewport_size({"width": 1280, "height": 900})


def test_by_touch(tmp_path: Path) -> None:
    html = cenote.explore(X, 3, stride=2, padding="same").html()
    with shown(html, tmp_path, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True) as watched:
        page = watched.page
        cell(page, "output", 1, 1).tap()
        assert places(page, "output", "chosen") == {(1, 1)}
        cell(page, "input", 1, 1).tap()
        assert text(page, "#formula") == "cell 1, 1 = 8"
