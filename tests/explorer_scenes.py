"""Calls of pooling of which pictures are made, and what is read back from the pictures."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np

from cenote import Slide, Window
from cenote.explorer import data
from cenote.explorer.drawing import Scene

SVG = "{http://www.w3.org/2000/svg}"
NAN, INF = math.nan, math.inf
_rng = np.random.default_rng(5)


def slide(size: Any, rank: int = 2, **words: Any) -> Window:
    return Window.of(size, rank=rank, **words)


SCENES = {
    "tutorial": Scene.of([[1.0, 9, 2, 8], [3, 4, 5, 7], [6, 0, 1, 2], [3, 5, 5, 4]], slide(2), focus=3),
    "ceil": Scene.of(
        np.arange(1.0, 17).reshape(4, 4),
        slide(3, stride=2, padding=1, ceil_mode=True),
        "avg",
        divisor="padded",
        focus=8,
        title="ceil_mode and its divisors",
    ),
    "same": Scene.of(np.round(_rng.normal(0, 3, (6, 9)), 2), slide(3, stride=2, padding="same"), focus=4),
    "same_lower": Scene.of(_rng.normal(0, 1e-3, (4, 4)), slide(3, stride=2, padding="same_lower"), "min", focus=3),
    "dilated": Scene.of(
        [1.0, 9, 2, 8, 3, 7, 4, 6, 5], Window.of(2, stride=1, dilation=2, padding=1), focus=3, title="1 axis"
    ),
    "dilated 2": Scene.of(_rng.normal(0, 1, (9, 7)), slide((2, 3), stride=3, dilation=(3, 2)), "sum", focus=1),
    "unread": Scene.of(_rng.integers(0, 3, (8, 11)).astype(float), slide(2, stride=3), "min", focus=1),
    "nan": Scene.of(
        [[NAN, 1, 2, -INF], [3, 4, -INF, -INF], [5, 5, 6, 7], [5, 5, -0.0, INF]], slide(2), focus=2, title="NaN, inf"
    ),
    "nan average": Scene.of([[NAN, 1, 2, -INF], [3, 4, -INF, INF]], slide(2), "avg", divisor=-2.5),
    "empty window": Scene.of([5.0], Window.of(2, dilation=2, padding=1), focus=0),
    "one": Scene.of([[1 / 3]], slide(1), "avg", divisor="window"),
    "three": Scene.of(
        np.round(_rng.normal(0, 3, (3, 6, 5)), 1),
        Window.of((2, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1)),
        focus=9,
        title="a volume",
    ),
    "global": Scene.of(_rng.integers(-9, 9, (5, 6)).astype(float), Window.global_(2), "lp", p=3.0),
    "global 3": Scene.of(_rng.normal(0, 1e7, (2, 3, 3)), Window.global_(3), "lp", p=INF),
    "adaptive": Scene.of(np.arange(25.0).reshape(5, 5), Window.adaptive(3, rank=2), focus=4),
    "equal": Scene.of(np.full((4, 5), -1.0), slide(3, stride=1, padding=1), focus=7),
    "64": Scene.of(_rng.random((64, 64)), slide(3, stride=2), "avg", focus=500),
    "200": Scene.of(_rng.normal(0, 1, (200, 200)), slide(8, padding=4), focus=260, title="many"),
    "long": Scene.of(_rng.integers(0, 9, 300).astype(float), Window.of(4, stride=5, padding=1), focus=6),
}
SMALL = [name for name in SCENES if name not in ("64", "200", "long")]


def state(shown: Scene) -> dict[str, Any]:
    """The state that a page would have."""
    divisor = shown.divisor if shown.op == "avg" else None
    words = data.words_of(shown.window, stride=isinstance(shown.window.rules[0], Slide), divisor=divisor)
    return data.state(
        shown.op, words, np.asarray(shown.values, np.float64), p=shown.p, title=shown.title, focus=shown.focus
    )


def parts(text: str) -> dict[str, ET.Element]:
    return {name: part for part in ET.fromstring(text).iter(f"{SVG}g") if (name := part.get("data-part"))}


def texts(part: ET.Element) -> list[str]:
    return [one.text or "" for one in part.iter(f"{SVG}text")]


HOSTILE = [
    "</title><script>alert(1)</script>",
    "]]> & &amp; \" ' <![CDATA[",
    "\x00\x1b[31m\x07 control \ufffe",
    "half \ud800 a pair",
    "\u202e turned \u2066 çäß 漢字 🧊",
    "long " * 400,
    "url(#cenote-hatch) ${alert}",
]
