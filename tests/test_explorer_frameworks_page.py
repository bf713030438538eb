"""The panels of the frameworks and of the code, looked at in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cenote.explorer import html
from cenote.explorer.data import page_data, state
from explorer_browser import shown

pytestmark = pytest.mark.browser

NUMBERS = np.arange(1.0, 17.0).reshape(4, 4)
WORDS: dict[str, Any] = {
    "form": "slide",
    "size": [3, 3],
    "stride": [2, 2],
    "padding": [[1, 1], [1, 1]],
    "dilation": [1, 1],
    "ceil": True,
    "divisor": None,
}


def text(op: str, array: Any = NUMBERS, **words: Any) -> str:
    """A page that begins with a call."""
    return html.page(page_data(state(op, WORDS | words, np.asarray(array, float))))


def verdicts(page: Any) -> list[str]:
    page.wait_for_selector(".verdict:not(:empty)")
    found: list[str] = page.locator(".framework .verdict").all_inner_texts()
    return found


@pytest.mark.parametrize("width", [360, 1280])
def test_differences_are_marked_and_explained(tmp_path: Path, width: int) -> None:
    with shown(text("avg"), tmp_path, viewport={"width": width, "height": 800}) as watched:
        page = watched.page
        assert verdicts(page) == [
            "3 × 3",
            "≠ 3 × 3, 8 of 9 differ",
            "⊘ Keras always rounds the output length down",
            "⊘ JAX always rounds the output length down",
            "= 3 × 3, all alike",
            "≠ 3 × 3, 8 of 9 differ",
        ]
        torch = page.locator(".framework", has_text="PyTorch").first
        cells = torch.locator("td").all_inner_texts()
        assert [cell.replace("\n", "") for cell in cells[3:6]] == ["≠6.33, differs", "11", "≠6, differs"]
        assert "count_include_pad=True" in torch.locator(".reasons").inner_text()
        torch.locator("summary").click()
        assert "torch.nn.LPPool2d" in torch.locator(".facts").inner_text()  # a note has its source
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_nobody_can_know_is_marked_as_that(tmp_path: Path) -> None:
    array = np.where(NUMBERS == 6, np.nan, NUMBERS)
    with shown(text("max", array, size=[2, 2], padding=[[0, 0]] * 2, ceil=None), tmp_path) as watched:
        said = verdicts(watched.page)
        assert said[2] == "≠ 2 × 2, 1 of 4 differ"  # TensorFlow drops it
        assert said[4] == "≠ 2 × 2, 1 may differ"
        assert watched.page.locator(".framework td.unsure").inner_text().startswith("?")


def test_many_outputs_are_counted_not_listed(tmp_path: Path) -> None:
    words = {"size": [2, 2], "padding": [[0, 0]] * 2, "ceil": None, "stride": None}
    with shown(text("max", np.arange(400.0).reshape(20, 20), **words), tmp_path) as watched:
        said = verdicts(watched.page)
        assert said[1] == "= 10 × 10, all alike"
        assert said[3] == "≠ 19 × 19, another shape"
        assert watched.page.locator(".framework td").count() == 0


def test_tabs_by_the_keyboard_and_copying(tmp_path: Path) -> None:
    with shown(text("avg"), tmp_path, permissions=["clipboard-read", "clipboard-write"]) as watched:
        page = watched.page
        verdicts(page)
        tabs = page.get_by_role("tab")
        assert tabs.all_inner_texts() == ["cenote", "PyTorch", "Keras", "JAX", "ONNX Runtime"]
        page.locator("#snippet-cenote").focus()
        assert "cenote.avg_pool(x, (3, 3)," in page.locator("#snippet code").inner_text()
        page.get_by_role("button", name="Copy code").click()
        page.wait_for_selector("#said:not(:empty)")  # a page without eval cannot be asked by an expression
        assert page.evaluate("navigator.clipboard.readText()") == page.locator("#snippet code").text_content()
        page.locator("#snippet-cenote").focus()
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.id") == "snippet-torch"
        assert "F.avg_pool2d(t," in page.locator("#snippet code").inner_text()
        page.keyboard.press("ArrowRight")
        assert page.locator("#snippet .refusal").inner_text() == "⊘ Keras always rounds the output length down"
        assert not page.locator("#snippet pre").is_visible()
        assert not page.locator("#snippet .copy").is_visible()
        page.keyboard.press("End")
        assert page.locator("#snippet-onnx").get_attribute("aria-selected") == "true"
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowLeft")
        assert page.locator("[role=tab][tabindex='0']").all_inner_texts() == ["ONNX Runtime"]


def test_where_there_is_no_clipboard_the_code_is_selected(tmp_path: Path) -> None:
    with shown(text("avg"), tmp_path) as watched:
        page = watched.page
        verdicts(page)
        page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        page.get_by_role("button", name="Copy code").click()
        assert page.evaluate("getSelection().toString()").startswith("# x is a NumPy array of shape (4, 4)")
        assert "selected" in page.locator("#said").inner_text()
