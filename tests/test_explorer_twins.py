"""The page's words and colours are the twins of Python's: the same numbers, sentences and shades."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import pytest

import explorer_node as node
from cenote.explorer import html
from cenote.explorer.drawing import palette, scene
from cenote.explorer.drawing.words import formula, number, reason
from explorer_scenes import INF, NAN, SCENES, state

VALUES = [0.0, -0.0, 1.0, -1.0, NAN, INF, -INF, 0.123456, 0.5, 1e-300, -3.0, 2.5, 1e300, 7.77]
NUMBERS = [
    *VALUES, 1.0625, -1.0625, 0.0625 * 3, 123456.5, 99999.7, 9999.7, 999999.0, 1e6, 1234567.0, -1e6, 0.00012345, 1e-4,
    9.9996e-5, 5e-324, 1.7976931348623157e308, 2 / 3, 12345.6, 0.99996, 1000.5, 33.335, -0.1, 1e21,
]  # fmt: skip


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """What the page's parts make of all this, in one run of Node."""
    if node.node() is None:
        pytest.skip("there is no Node: the page's pictures are not compared")
    source = """
    import { pageText, filename, jsonText } from "./export/files.js";
    import { question, restored } from "./engine/state.js";
    import { formula, reason, shown } from "./engine/formula.js";
    import { pool } from "./engine/pooling.js";
    import { rgb } from "./view/colour.js";
    export default function main({ scenes, values, numbers, source }) {
      const seen = Object.entries(scenes).map(([name, packed]) => {
        const { state } = restored(packed, packed);
        const asked = question(state), answer = pool(asked), { focus } = state.look;
        return [name, { formula: formula(asked, answer, focus), reason: reason(asked, answer, focus),
          json: jsonText(state),
          page: pageText(state, { version: 1, gallery: [], token: "secret", note: "n" }, source),
          name: filename(state, "png") }];
      });
      return { scenes: Object.fromEntries(seen),
        shown: numbers.map((number) => [shown(number), shown(number, 3)]),
        colours: [[0, 3], [-4, 4], [-1.5e308, 1.5e308]].map(([low, high]) =>
          values.map((value) => rgb(value, { low, high, signed: low < 0 }))) };
    }
    """
    payload = {
        "scenes": {name: state(one) for name, one in SCENES.items()},
        "values": VALUES,
        "numbers": NUMBERS,
        "source": '<html><script type="application/json" id="data">{"token":"t"}</script></html>',
    }
    found: dict[str, Any] = node.run(source, payload)
    return found


def test_both_colour_values_alike(page: dict[str, Any]) -> None:
    for (low, high), found in zip([(0, 3), (-4, 4), (-1.5e308, 1.5e308)], page["colours"], strict=True):
        shades = palette.shades(np.array(VALUES), low, high).tolist()
        for value, theirs, ours in zip(VALUES, found, shades, strict=True):
            assert ours == ([255, 255, 255] if math.isnan(value) else theirs), value


def test_both_write_numbers_alike(page: dict[str, Any]) -> None:
    for value, (usual, short) in zip(NUMBERS, page["shown"], strict=True):
        # Node's runner turns words into numbers again.
        assert [str(number(value)), str(number(value, 3))] == [_word(usual), _word(short)], value


def _word(text: Any) -> str:
    return text if isinstance(text, str) else number(text)


@pytest.mark.parametrize("name", SCENES)
def test_both_say_the_same(page: dict[str, Any], name: str) -> None:
    found, shown = page["scenes"][name], SCENES[name]
    assert reason(shown, shown.focus) == found["reason"]
    if name != "global":  # its root may round differently in the last digit that is shown
        assert formula(shown, shown.focus) == found["formula"]


def test_names_states_and_pages(page: dict[str, Any]) -> None:
    found = page["scenes"]
    assert found["tutorial"]["name"] == "cenote-max-2x2.png"
    assert found["adaptive"]["name"] == "cenote-adaptive-max-3x3.png"
    assert found["global"]["name"] == "cenote-global-lp.png"
    for name, one in found.items():
        np.testing.assert_array_equal(scene(json.loads(one["json"])).values, SCENES[name].values)
        inside = re.fullmatch(r'<html><script type="application/json" id="data">([^<]*)</script></html>', one["page"])
        assert inside
        given = json.loads(inside[1])
        assert given["token"] is None
        assert given["note"] is None
        assert given["version"] == 1
        np.testing.assert_array_equal(scene(given["state"]).outputs, SCENES[name].outputs)


def test_the_colours_are_those_of_the_page() -> None:
    css = re.search(r":root \{(.*?)\}", html.part("style.css"), re.DOTALL)
    assert css
    light = dict(re.findall(r"--(\w+): (#\w+);", css[1]))
    for name in ("paper", "card", "ink", "muted", "line", "window", "winner", "hatch"):
        assert palette.css(getattr(palette, name.upper())) == light[name], name
    for name in ("ONE", "TWO"):
        found = re.search(rf"const {name} = (\[\[.*?\]\]);", html.part("view/colour.js"))
        assert found
        assert [list(colour) for colour in getattr(palette, name)] == eval(found[1])
