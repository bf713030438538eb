"""The demo: what it computes, what it says, and the picture it draws."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import cenote
from cenote import CenoteError
from cenote.demo import digits, draw, tell
from cenote.demo.palette import grey, signed
from cenote.demo.story import FILTER, filtered
from cli_process import Here, noise, png, process, tiff


@pytest.fixture(scope="module")
def seven() -> np.ndarray:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: the demo has no digits to show")
    label, image = digits()[0]
    assert label == "7"
    return image


def test_digits_are_the_size_of_mnist(seven: np.ndarray) -> None:
    found = digits()
    assert [label for label, _ in found] == ["7", "0", "2", "4"]
    for _, image in found:
        assert image.shape == (28, 28)
        assert image.dtype == np.float32
        assert 0 <= image.min() < 0.1 < 0.9 < image.max() <= 1


def test_filter_is_a_correlation() -> None:
    x = noise(6, 7).astype(np.float32) / 256  # with quarters as weights every sum is exact, in whatever order
    slow = [
        [sum(FILTER[i, j] * x[r + i, c + j] for i in range(3) for j in range(3)) for c in range(5)] for r in range(4)
    ]
    np.testing.assert_array_equal(filtered(x), slow)


def near_mean(found: np.ndarray, taps: np.ndarray) -> bool:
    """n taps added in any order and divided: n roundings, each of at most half a unit of sum|x|. The mean that it is
    compared with is a float64's, whose own error is 2**29 times smaller: one more rounding is plenty for it."""
    n, u = taps.shape[-1], np.finfo(np.float32).eps / 2
    wide = taps.astype(np.float64)
    return bool((np.abs(found - wide.mean(axis=-1)) <= (n + 1) * u * np.abs(wide).mean(axis=-1)).all())


def test_story_of_a_digit(seven: np.ndarray) -> None:
    story = tell("7", seven)
    assert [stage.values.shape for stage in story.stages] == [(28, 28), (26, 26), (13, 13), (13, 13), (), ()]
    assert story.stages[1].arithmetic == ("floor((28 + 0 + 0 - 3)/1) + 1 = 26",)
    assert story.stages[2].arithmetic == ("floor((26 + 0 + 0 - 2)/2) + 1 = 13",)
    blocks = story.filtered.reshape(13, 2, 13, 2)
    np.testing.assert_array_equal(story.largest, blocks.max(axis=(1, 3)))
    assert near_mean(story.mean, blocks.transpose(0, 2, 1, 3).reshape(13, 13, 4))
    np.testing.assert_array_equal(story.filtered.ravel()[story.winners], story.largest)
    assert story.global_largest == story.filtered.max() == story.filtered.ravel()[story.global_winner]
    assert near_mean(np.float32(story.global_mean), story.filtered.reshape(676))
    assert story.is_checked
    assert [check.function for check in story.checks] == ["max_pool", "avg_pool", "global_max_pool", "global_avg_pool"]


def test_a_wrong_pool_does_not_pass_the_check(seven: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    from cenote.demo import story as module

    honest = module.functions()

    def off_by_one(x: np.ndarray, *size: int, return_indices: bool = False) -> object:
        values, indices = cenote.max_pool(x, *size, return_indices=True)
        values = values.copy()
        values.flat[-1] = np.nextafter(values.flat[-1], np.float32(np.inf))
        return (values, indices) if return_indices else values

    monkeypatch.setattr(module, "functions", lambda: {**honest, "max_pool": off_by_one})
    told = tell("7", seven)
    assert not told.is_checked
    assert [check.passed for check in told.checks] == [False, True, True, True]


def test_images_too_small_are_refused() -> None:
    with pytest.raises(CenoteError, match="at least 8 x 8 is needed"):
        tell("dot", np.zeros((7, 20), np.float32))


@pytest.mark.parametrize("shape", [(8, 8), (9, 40), (40, 9), (300, 451)])
def test_every_shape_can_be_drawn(shape: tuple[int, int]) -> None:
    picture = draw([tell("any", noise(*shape).astype(np.float32) / 255)])
    assert picture.mode == "RGB"
    assert picture.width == 2680
    few = np.asarray(picture.resize((268, picture.height // 10), Image.Resampling.NEAREST))
    assert len({tuple(pixel) for pixel in few.reshape(-1, 3).tolist()}) > 20


def test_a_flat_image_can_be_drawn() -> None:
    """Nothing happens in it: every map has the colour of 0, and no winner is outlined."""
    pixels = np.asarray(draw([tell("flat", np.zeros((12, 12), np.float32))])).reshape(-1, 3)
    zero, black = signed(np.zeros(1), 1.0)[0], grey(np.zeros(1))[0]
    cell = 40  # pixels: a map 10 cells wide is drawn 208 units wide at most, in whole units of two pixels
    # filtered, maximum and average have the same size; a frame and a ring are drawn over the first
    assert (pixels == zero).all(axis=1).sum() > 0.95 * 3 * (10 * cell) ** 2
    assert (pixels == black).all(axis=1).sum() >= (12 * cell) ** 2


def test_the_picture_shows_the_winners(seven: np.ndarray) -> None:
    told = tell("7", seven)
    first = np.add.outer(np.arange(0, 26, 2) * 26, np.arange(0, 26, 2))  # the first cell of each window
    other = replace(told, winners=first)
    assert np.any(np.asarray(draw([told])) != np.asarray(draw([other])))


def test_demo_as_a_process(tmp_path: Path, seven: np.ndarray) -> None:
    out = process("demo", cwd=tmp_path).worked().out
    for text in ("28 x 28", "26 x 26", "13 x 13", "floor((26 + 0 + 0 - 2)/2) + 1 = 13", "enlarged to 28 x 28"):
        assert text in out
    assert "Checked 1,360 values, native against the slow reference: maxima and their positions are identical" in out
    assert out.splitlines()[-2] == f"Picture: {Path('cenote-demo', 'pooling.png')}"
    page = Path("cenote-demo", "explorer.html")
    assert out.splitlines()[-1].startswith(f"Page: {page}, ")
    assert (tmp_path / page).stat().st_size < 400_000
    with Image.open(tmp_path / "cenote-demo" / "pooling.png") as picture:
        picture.load()
        assert picture.size[0] == 2680
    assert {path.name for path in (tmp_path / "cenote-demo").iterdir()} == {"explorer.html", "pooling.png"}


def test_demo_again_and_as_json(here: Here, seven: np.ndarray) -> None:
    for _ in range(2):
        found = json.loads(here("demo", "--out", "a/b", "--json").worked().out)
    assert found["picture"] == str(Path("a", "b", "pooling.png"))
    assert found["page"] == str(Path("a", "b", "explorer.html"))
    assert [one["label"] for one in found["images"]] == ["7", "0", "2", "4"]
    assert all(check["passed"] for one in found["images"] for check in one["checks"])
    assert found["images"][0]["stages"][3]["shape"] == [13, 13]


@pytest.mark.parametrize("kind", ["rgb", "rgba", "gray", "gray with alpha", "deep", "float"])
def test_demo_of_an_own_image(here: Here, kind: str) -> None:
    path = Path("own.png")
    if kind == "deep":
        png(path, noise(30, 40).astype(np.uint16) * 200, colour=0)
    elif kind == "float":
        path = Path("own.tiff")
        tiff(path, noise(30, 40).astype(np.float32) - 100)
    else:
        Image.fromarray(noise(30, 40, *{"rgb": (3,), "rgba": (4,), "gray": (), "gray with alpha": (2,)}[kind])).save(
            path
        )
    out = here("demo", "--image", path, "--out", "out").worked().out
    assert f"Source: {path}" in out
    assert "28 x 38" in out
    assert "14 x 19" in out
    assert here.names("out") == {"explorer.html", "pooling.png"}


def test_demo_that_cannot_be(here: Here) -> None:
    Image.fromarray(noise(5, 5)).save("small.png")
    here("demo", "--image", "small.png").failed(2, "at least 8 x 8 is needed")
    here("demo", "--image", "none.png").failed(1, "none.png: no such file or directory")
    x = noise(9, 9).astype(np.float32)
    x[3, 3] = np.nan
    tiff(Path("nan.tiff"), x)
    here("demo", "--image", "nan.tiff").failed(1, "holds NaN or infinity")
    Image.fromarray(noise(12, 12)).save("good.png")
    here("demo", "--image", "good.png", "--out", "small.png").failed(1, "small.png", "choose another folder with --out")
    assert here.names() == {"small.png", "nan.tiff", "good.png"}


def test_demo_without_scikit_learn_says_what_to_install(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    from cenote.cli import demo as command

    def missing() -> None:
        raise ImportError("No module named 'sklearn'")

    monkeypatch.setattr(command, "digits", missing)
    here("demo").failed(1, "pip install 'cenote[demo]', or give --image FILE")
    assert here.names() == set()


def test_demo_of_a_broken_build_fails(here: Here, seven: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    from cenote.demo import story as module

    honest = module.functions()
    monkeypatch.setattr(module, "functions", lambda: {**honest, "global_avg_pool": lambda x: x.mean() + 1})
    ran = here("demo")
    assert ran.code == 1
    assert "NO: " in ran.out
    assert "native and reference disagree" in ran.err
