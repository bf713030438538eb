"""The page's panel for a model: its layers in numbers, its maps in colours, and a map brought to the grids."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer_browser import shown

torch = pytest.importorskip("torch", reason="PyTorch is not installed: there is no model to show")
nn = torch.nn
pytestmark = [pytest.mark.browser, pytest.mark.torch]


@pytest.fixture(scope="module")
def found() -> Any:
    from cenote.explorer.models import maps

    torch.manual_seed(2)
    net = nn.Sequential(nn.Conv2d(1, 12, 3), nn.MaxPool2d(3, 2, 1), nn.Conv2d(12, 3, 2), nn.AvgPool2d(2, 1), SoftPool())
    return maps(net, np.random.default_rng(3).normal(size=(1, 16, 14)), channels=4)


class SoftPool(nn.Module):
    def forward(self, x: Any) -> Any:
        return x[:, :, ::2, ::2]


@pytest.fixture(scope="module")
def text(found: Any) -> str:
    from cenote.explorer.models import exploration

    return str(exploration(found).html())


@pytest.fixture
def page(text: str, tmp_path: Path) -> Iterator[Any]:
    with shown(text, tmp_path) as watched:
        yield watched.page


def pixels(page: Any, place: int) -> np.ndarray:
    """Red, green and blue of a small map."""
    script = """(canvas) => [canvas.height, canvas.width,
        ...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]"""
    height, width, *data = page.locator("#model-maps canvas").nth(place).evaluate(script)
    return np.array(data).reshape(height, width, 4)[..., :3]


def test_layers_are_told_in_numbers(page: Any, found: Any) -> None:
    rows = page.locator("#model-card tbody tr").all_inner_texts()
    assert len(rows) == 3
    first = found.layers[0]
    for part in (
        "MaxPool2d(kernel_size=3, stride=2, padding=1)",
        "12 × 14 × 12 → 12 × 7 × 6",
        f"{first.kept}",
        "5 × 5",
    ):
        assert part in rows[0]
    assert "floor((14 + 1 + 1 - 3)/2) + 1 = 7" in rows[0]
    assert "nothing" in rows[1]
    assert "SoftPool is no pooling that the contract knows" in rows[2]


def test_maps_share_one_range_and_may_be_ordered(page: Any, found: Any) -> None:
    layer = found.layers[0]
    names = page.locator("#model-maps b").all_inner_texts()
    assert names == [f"channel {layer.channels[i].channel}" for i in layer.by_energy]
    page.select_option("#model-order", "by_removed")
    names = page.locator("#model-maps b").all_inner_texts()
    assert names == [f"channel {layer.channels[i].channel}" for i in layer.by_removed]
    one = layer.channels[layer.by_removed[0]]
    before, after = pixels(page, 0), pixels(page, 1)
    assert before.shape[:2] == one.before.shape
    assert after.shape[:2] == one.after.shape
    # Equal numbers have equal colours on either side: every maximum is a cell of the map before.
    row, column = np.unravel_index(one.after.argmax(), one.after.shape)
    at = np.argwhere(one.before == one.after.max())[0]
    assert (after[row, column] == before[at[0], at[1]]).all()
    ends = page.locator("#model-about .bar span").all_inner_texts()
    largest = max(abs(layer.low), abs(layer.high))
    assert [float(end) for end in ends] == pytest.approx([-largest, largest], rel=5e-3)  # three digits


def test_a_map_comes_to_the_grids_by_click_and_by_enter(page: Any, found: Any) -> None:
    page.select_option("#model-layer", "1")
    button = page.locator("#model-maps button").first
    button.focus()
    page.keyboard.press("Enter")
    layer = found.layers[1]
    one = layer.channels[layer.by_energy[0]]
    said = page.locator("#said")
    said.filter(has_text=f"3, channel {one.channel} of torch.nn.AvgPool2d").wait_for(timeout=5000)
    assert page.input_value("#op") == "avg"
    label = page.locator("#input-grid [aria-label^='row 0, column 0:']").get_attribute("aria-label")
    assert float(label.split(": ")[1].split(",")[0]) == pytest.approx(float(one.before[0, 0]), rel=1e-3)  # four digits
    page.select_option("#model-layer", "0")
    page.locator("#model-maps button").nth(1).click()
    said.filter(has_text="MaxPool2d").wait_for(timeout=5000)
    assert page.input_value("#op") == "max"
    page.select_option("#model-layer", "2")
    assert page.locator("#model-maps button").count() == 0
    assert "The grids cannot show it" in page.inner_text("#model-about")


def test_a_telephone_has_room_for_it(text: str, tmp_path: Path) -> None:
    with shown(text, tmp_path, viewport={"width": 360, "height": 740}) as watched:
        wide = watched.page.evaluate("document.documentElement.scrollWidth")
        assert wide == 360
        box = watched.page.locator("#model-card table").bounding_box()
        assert box["x"] + box["width"] <= 360


def test_without_a_model_there_is_no_panel(tmp_path: Path) -> None:
    import cenote

    with shown(cenote.explore(np.eye(4)).html(), tmp_path) as watched:
        assert watched.page.locator("#model-card").is_hidden()
