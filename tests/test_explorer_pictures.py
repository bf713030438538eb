"""The explorer's pictures: their numbers are the core's, their marks lie where the contract says, their files open."""

from __future__ import annotations

import io
import itertools
import math
import re
import sys
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
from PIL import Image

import cenote
from cenote import CenoteError, Split, Window
from cenote.explorer.drawing import Scene, gif, palette, png, scene, svg
from cenote.explorer.drawing import board as boards
from cenote.explorer.drawing import sheet as sheets
from cenote.explorer.drawing.raster import pace, walked
from cenote.explorer.drawing.words import formula, number
from explorer_scenes import HOSTILE, SCENES, SMALL, SVG, parts, slide, state, texts


def test_numbers_can_be_read_on_every_colour() -> None:
    for colours in (palette.ONE, palette.TWO):
        low = -1.0 if colours is palette.TWO else 0.0
        for shade in palette.shades(np.linspace(low, 1, 400), low, 1.0).tolist():
            ground, ink = palette.luminance(tuple(shade)) + 0.05, palette.luminance(palette.on(tuple(shade))) + 0.05
            assert max(ground, ink) / min(ground, ink) >= 4.5


# --- SVG --------------------------------------------------------------------------------------------------------------


def _near(text: str, value: float) -> bool:
    """Three digits that count, two before an exponent: half a unit of the last is at most 0.5 %, or 5 %."""
    if math.isnan(value) or math.isinf(value):
        return text == ("NaN" if math.isnan(value) else "inf" if value > 0 else "-inf")
    return math.isclose(float(text), value, rel_tol=5.1e-2 if "e" in text else 5.1e-3, abs_tol=0)


@pytest.mark.parametrize("name", SMALL)
def test_the_numbers_of_the_svg_are_those_of_the_core(name: str) -> None:
    shown = SCENES[name]
    own = {"avg": {"divisor": shown.divisor}, "lp": {"p": shown.p}}.get(shown.op, {})
    values = getattr(cenote, f"{shown.op}_pool")(
        shown.values, shown.window, axes=tuple(range(shown.values.ndim)), **own
    )
    at = shown.place(shown.focus)
    plane = np.atleast_2d(values if values.ndim < 3 else values[at[0]])
    drawn = parts(svg(shown))
    caption, *found = texts(drawn["output"])
    assert caption.startswith("Output, " + " x ".join(map(str, values.shape)))
    assert len(found) == plane.size
    assert all(_near(text, float(value)) for text, value in zip(found, plane.ravel(), strict=True))
    said = " ".join(" ".join(texts(drawn["formula"])).split())
    assert re.search(rf"= {re.escape(number(values[at]))}( |$)", said)


def large(*names: str) -> list[Any]:
    """More of the same, and slow."""
    return [pytest.param(name, marks=pytest.mark.sweep) for name in names]


@pytest.mark.parametrize("name", [*SMALL, "200", *large("64")])
def test_the_window_lies_on_its_taps(name: str) -> None:
    """Read back from the drawing, for every output: the taps of the contract's formula, the winner's index."""
    shown = SCENES[name]
    outputs = range(shown.outputs.size) if shown.outputs.size < 40 else (0, shown.focus, shown.outputs.size - 1)
    for output in outputs:
        looked = Scene.of(shown.values, shown.window, shown.op, divisor=shown.divisor, p=shown.p, focus=output)
        drawn = parts(svg(looked))
        cells = _cells_of_marks(looked, drawn, palette.css(palette.WINDOW))
        place = looked.place(output)
        taps = [
            _taps(rule, length, i)
            for rule, length, i in zip(looked.window.rules, looked.values.shape, place, strict=True)
        ]
        down, across = ([0], taps[0]) if len(taps) == 1 else taps[-2:]
        assert cells == set(itertools.product(down, across))
        rings = _cells_of_marks(looked, drawn, palette.css(palette.WINNER))
        assert rings == _winners(looked, output)


def _taps(rule: Any, length: int, i: int) -> list[int]:
    if isinstance(rule, Split):
        return list(range(i * length // rule.parts, -(-(i + 1) * length // rule.parts)))
    lo, _ = rule.pads(length)
    return [i * rule.stride - lo + j * rule.dilation for j in range(rule.size)]


def _cells_of_marks(shown: Scene, drawn: dict[str, ET.Element], colour: str) -> set[tuple[int, int]]:
    frame = list(drawn["input"].iter(f"{SVG}rect"))[-1]  # the board's own
    axes = shown.axes[-2:]
    tops, lefts = (axes[0].lo, axes[1].lo) if len(axes) == 2 else (0, axes[0].lo)
    columns = axes[-1].whole
    x, y, side = float(frame.get("x", 0)), float(frame.get("y", 0)), float(frame.get("width", 0)) / columns
    cells = set()
    for rect in drawn["window"].iter(f"{SVG}rect"):
        if rect.get("stroke") == colour:
            left, top, width, height = (float(rect.get(name, 0)) for name in ("x", "y", "width", "height"))
            if side < 10:  # around small cells, to be seen at all
                left, top, width, height = left + 1.5, top + 1.5, width - 3, height - 3
            # Marks are drawn a little inside or outside of their cells: the middles of cells are what they hold.
            rows = [r for r in range(-tops, 2000) if top < y + (r + tops + 0.5) * side < top + height]
            across = [c for c in range(-lefts, 2000) if left < x + (c + lefts + 0.5) * side < left + width]
            cells |= set(itertools.product(rows, across))
    return cells


def _winners(shown: Scene, output: int) -> set[tuple[int, int]]:
    """The cells that equal the result, in the slice of the first of them."""
    if shown.op not in ("max", "min"):
        return set()
    _, indices = getattr(cenote, f"{shown.op}_pool")(
        shown.values, shown.window, axes=tuple(range(shown.values.ndim)), return_indices=True
    )
    winner = int(indices.ravel()[output])
    if winner < 0:
        return set()
    taps = [
        [tap for tap in _taps(rule, length, i) if 0 <= tap < length]
        for rule, length, i in zip(shown.window.rules, shown.values.shape, shown.place(output), strict=True)
    ]
    best = np.unravel_index(winner, shown.values.shape)
    equal = {at for at in itertools.product(*taps) if shown.values[at] == shown.values[best]} | {tuple(map(int, best))}
    return {(0, at[0]) if len(at) == 1 else at[-2:] for at in equal if len(at) < 3 or at[0] == best[0]}


@pytest.mark.parametrize("title", HOSTILE)
def test_titles_are_text(title: str) -> None:
    text = svg(Scene.of(np.eye(3), slide(2), title=title))
    root = ET.fromstring(text.encode())
    assert not [one for one in root.iter() if one.tag.endswith("script")]
    assert root.find(f"{SVG}title") is not None
    assert len(text) < 15_000
    kept = "".join(c for c in title if c.isascii() and c.isprintable())
    assert kept[:20] in "".join(c for c in root.findtext(f"{SVG}title", "") if c.isascii() and c.isprintable())
    assert png(Scene.of(np.eye(3), slide(2), title=title))


def test_padding_and_unread_cells_are_marked() -> None:
    text = svg(SCENES["ceil"])
    labels = texts(parts(text)["input"])
    assert labels.count("counted") == 36 - 16
    assert labels.count("ignored") == 49 - 36
    assert {"padding: 0, counted", "hangs over: ignored"} <= set(texts(parts(text)["legend"]))
    for name, word in (("equal", "-inf"), ("same_lower", "inf"), ("dilated", "-inf")):
        assert word in texts(parts(svg(SCENES[name]))["input"])
    crossed = list(parts(svg(SCENES["unread"]))["input"].iter(f"{SVG}path"))
    assert len(crossed) == 8 * 11 - 6 * 8  # windows read 6 rows and 8 columns
    for name in ("200", "long"):
        assert parts(svg(SCENES[name]))["input"].find(f"{SVG}image") is not None


def _wrong_taps(patch: pytest.MonkeyPatch) -> None:
    axis = type(SCENES["one"].axes[0])
    right = axis.taps

    def shifted(one: Any, output: int) -> range:
        taps = right(one, output)
        return range(taps.start + 1, taps.stop + 1, taps.step)

    patch.setattr(axis, "taps", shifted)


def _last_tie(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Scene, "ties", lambda one, output: [])


def _stale_output(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sheets, "_flat", lambda array: np.atleast_2d(array)[..., ::-1])


def _digits(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(boards, "number", lambda value, digits=4: number(value, digits - 1))


@pytest.mark.parametrize("wrong", [_wrong_taps, _last_tie, _stale_output, _digits])
def test_wrong_pictures_are_caught(monkeypatch: pytest.MonkeyPatch, wrong: Any) -> None:
    wrong(monkeypatch)
    caught = 0
    for look, name in (
        (test_the_numbers_of_the_svg_are_those_of_the_core, "same"),
        (test_the_window_lies_on_its_taps, "unread"),
    ):
        try:
            look(name)
        except (AssertionError, ValueError):
            caught += 1
    assert caught


# --- pixels -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ceil", "nan", "three", "one", "long", "empty window", *large("64", "200")])
def test_png(name: str) -> None:
    root = ET.fromstring(svg(SCENES[name]))
    with Image.open(io.BytesIO(png(SCENES[name]))) as picture:
        assert picture.size == tuple(round(2 * float(root.get(side, 0))) for side in ("width", "height"))
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 24)}
    marks = {palette.PAPER, palette.WINDOW} | ({palette.WINNER} if SCENES[name].op == "max" else set())
    assert marks <= colours
    assert len(colours) > 20


def test_cells_of_the_png_have_their_colours() -> None:
    """Every cell of a row, in its corner beside number and marks."""
    shown = Scene.of(np.array([[0.0, 1, 2, 3, 4, 5, 6, 7]]), slide((1, 2)), focus=3)
    frame = list(parts(svg(shown))["input"].iter(f"{SVG}rect"))[-1]
    x, y, side = (float(frame.get(name, 0)) for name in ("x", "y", "height"))
    pixels = np.asarray(Image.open(io.BytesIO(png(shown))).convert("RGB"))
    expected = palette.shades(shown.values, 0, 7)[0]
    for cell in range(6):
        assert pixels[int(2 * (y + 5)), int(2 * (x + cell * side + 5))].tolist() == expected[cell].tolist()


@pytest.mark.parametrize("name", ["tutorial", "three", "dilated", "one", *large("long", "200")])
def test_gif(name: str) -> None:
    shown = SCENES[name]
    content = gif(shown)
    assert len(content) < 1_000_000
    with Image.open(io.BytesIO(content)) as film:
        assert film.info["loop"] == 0
        assert film.n_frames == min(shown.outputs.size, 64) == len(walked(shown))
        before = None
        step = 1 + film.n_frames // 9
        for frame in range(film.n_frames):
            film.seek(frame)
            assert film.info.get("duration", pace(film.n_frames)) == pace(film.n_frames)
            if frame % step:
                continue
            pixels = np.asarray(film.convert("RGB"))
            assert before is None or (pixels != before).any()
            # The marks survive the palette: thin as they are, they are not mixed into what is frequent.
            assert (pixels == palette.WINDOW).all(axis=-1).sum() > 50
            before = pixels


def test_the_walk() -> None:
    assert walked(SCENES["tutorial"]) == [0, 1, 2, 3]
    many = walked(SCENES["64"])
    assert len(many) == len(set(many)) == 64
    assert many[0] == 0
    assert many[-1] == 31 * 31 - 1
    assert all(400 <= pace(frames) <= 700 for frames in range(1, 65))


def test_without_pillow_the_svg_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "cenote.explorer.drawing.canvas", raising=False)
    assert svg(SCENES["tutorial"]).startswith("<svg")
    for made in (png, gif):
        with pytest.raises(CenoteError, match=rf"{made.__name__}: Pillow .* pip install 'cenote\[explorer\]'"):
            made(SCENES["tutorial"])


# --- scenes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCENES)
def test_the_scene_of_a_state(name: str) -> None:
    shown = SCENES[name]
    again = scene(state(shown))
    np.testing.assert_array_equal(again.values, shown.values)
    np.testing.assert_array_equal(again.outputs, shown.outputs)
    assert (again.window, again.focus, again.title) == (shown.window, shown.focus, shown.title)
    assert formula(again, again.focus) == formula(shown, shown.focus)


def test_whole_numbers_stay_whole() -> None:
    given = state(Scene.of(np.array([[1, 2], [4, 3]]), slide(2), "avg"))
    assert scene(given | {"integers": True}).outputs.tolist() == [[2]]
    assert scene(given).outputs.tolist() == [[2.5]]


def test_scenes_that_cannot_be() -> None:
    x = np.zeros((4, 4))
    with pytest.raises(CenoteError, match="no operator 'median'"):
        Scene.of(x, slide(2), "median")
    with pytest.raises(CenoteError, match="4 axes"):
        Scene.of(np.zeros((2, 2, 2, 2)), Window.of(1, rank=4))
    with pytest.raises(CenoteError, match="focus is an output below 4"):
        Scene.of(x, slide(2), focus=4)
    with pytest.raises(CenoteError, match=r"outputs of shape \(2,\)"):
        Scene("max", slide(2), x, np.zeros(2))
    with pytest.raises(CenoteError, match="filter"):
        scene(state(SCENES["tutorial"]) | {"filter": "blur"})


def test_windows_wider_than_the_world_are_drawn() -> None:
    """Padding of a million cells, a window of all of it: the drawing knows no cell but those of the array."""
    huge = Scene.of(np.ones((3, 4)), slide(2_000_001, stride=2_000_000, padding=1_000_000), "sum")
    assert len(svg(huge)) < 30_000
    assert png(huge)
