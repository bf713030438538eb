"""`cenote explore`: what it writes for images, arrays and models, what it serves, and how it refuses the rest."""

from __future__ import annotations

import json
import os
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import cenote
from cenote.cli import examples
from cli_process import Here, environment, noise, png
from explorer_states import values

NAN, INF = float("nan"), float("inf")
#: What a page about a model runs with; the test skips where it is missing.
KERAS = pytest.mark.keras


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return Here(tmp_path, capsys)


@pytest.fixture(scope="module")
def keras() -> Any:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    return pytest.importorskip("keras", reason="Keras is not installed: no model is shown")


@pytest.fixture(scope="module")
def models(keras: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a network of two pooling layers, one without, and one that takes no images."""
    folder = tmp_path_factory.mktemp("models")
    layers, plain = keras.layers, {"kernel_initializer": keras.initializers.Constant(0.1)}  # drawn ones are compiled
    pools = [
        layers.Conv2D(3, 3, activation="relu", **plain),
        layers.MaxPooling2D(2, name="halves"),  # Keras numbers its own names by what the process made before
        layers.GlobalAveragePooling2D(name="all"),
        layers.Dense(2, **plain),
    ]
    with pytest.MonkeyPatch.context() as patch:
        if keras.backend.backend() != "tensorflow":
            patch.setitem(sys.modules, "tensorflow", None)  # saving would import it, seconds for nothing
        keras.Sequential([keras.Input((28, 28, 1)), *pools]).save(folder / "model.keras")
        keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(3, 3, **plain)]).save(folder / "dry.keras")
        keras.Sequential([keras.Input((5,)), layers.Dense(2, **plain)]).save(folder / "dense.keras")
    return folder


def given(name: str) -> dict[str, Any]:
    """What a page was given."""
    found = re.search(r'<script[^>]*id="data"[^>]*>(.*?)</script>', Path(name).read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return json.loads(found[1])


def shown(name: str) -> np.ndarray[Any, Any]:
    """The array that a page begins with."""
    state = given(name)["state"]
    return values(state["values"]).reshape(state["shape"])


def brightness(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """As the eye weighs the primaries, 0 to 1."""
    return (pixels.astype(np.float64) @ [0.299, 0.587, 0.114]) / 255


# --- what is written -----------------------------------------------------------------------------------------------


def test_without_a_file_the_tutorials_array(here: Here) -> None:
    out = here("explore").worked().out
    assert out.splitlines()[0] == "max_pool: 4 x 4 -> 2 x 2"
    assert re.fullmatch(r"Page: cenote-explorer\.html \(\d+ KB\); open it in a browser", out.splitlines()[1])
    assert here.names() == {"cenote-explorer.html"}
    assert cenote.max_pool(shown("cenote-explorer.html"), 2).tolist() == [[9, 8], [6, 5]]
    assert given("cenote-explorer.html")["token"] is None


def test_an_image(here: Here) -> None:
    Image.fromarray(pixels := noise(12, 17, 3)).save("in.png")
    out = here("explore", "in.png", "--size", "3", "--stride", "2", "--padding", "same", "--out", "o.html").worked().out
    assert out.splitlines()[:2] == ["max_pool: 12 x 17 -> 6 x 9", "Note: its colours were turned to brightness"]
    np.testing.assert_allclose(shown("o.html"), brightness(pixels), atol=1e-6)  # weighed in float32
    found = given("o.html")
    assert found["state"]["title"] == "in.png"
    assert found["note"] == "its colours were turned to brightness"
    assert found["state"]["words"] == {
        "form": "slide", "size": [3, 3], "stride": [2, 2], "padding": ["same", "same"],
        "dilation": [1, 1], "ceil": None, "divisor": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("--size 3", {"form": "slide", "size": [3, 3], "stride": None, "padding": [[0, 0], [0, 0]], "ceil": None}),
        ("--window 3x2/2x1+0:1@2^", {"size": [3, 2], "stride": [2, 1], "dilation": [2, 2], "ceil": True}),
        ("--stride 1", {"size": [2, 2], "stride": [1, 1]}),
        ("--size 3 --ceil", {"size": [3, 3], "stride": None, "ceil": True}),
        ("--size 2x2 --padding 1x0", {"padding": [[1, 1], [0, 0]]}),
        ("--size 3 --padding same_lower", {"padding": ["same_lower", "same_lower"], "stride": None}),
        ("--adaptive 3x4", {"form": "adaptive", "size": [3, 4]}),
        ("--global", {"form": "global"}),
        ("--op avg --size 3 --padding 1 --divisor padded", {"divisor": "padded"}),
        ("--op avg --size 3", {"divisor": None}),
    ],
)
def test_words_that_are_left_out_stay_left_out(here: Here, words: str, found: dict[str, Any]) -> None:
    """The frameworks fill them in differently, which is what the page shows."""
    np.save("x.npy", noise(9, 11))
    here("explore", "x.npy", *words.split(), "--out", "o.html").worked()
    state = given("o.html")["state"]
    assert {name: state["words"][name] for name in found} == found
    assert np.array_equal(shown("o.html"), noise(9, 11))


def test_an_operators_own_parameter(here: Here) -> None:
    here("explore", "--op", "lp", "--p", "3", "--out", "o.html").worked()
    assert (given("o.html")["state"]["op"], given("o.html")["state"]["p"]) == ("lp", 3.0)


@pytest.mark.parametrize(
    ("shape", "words", "said", "maps"),
    [
        ((7,), "", "max_pool: 7 -> 3", 0),
        ((9,), "--size 3 --padding 1", "max_pool: 9 -> 3", 0),
        ((4, 5, 6), "--window 2x2x2", "max_pool: 4 x 5 x 6 -> 2 x 2 x 3", 0),
        ((4, 5, 6), "--size 2", "max_pool: 5 x 6 -> 2 x 3", 4),
        ((2, 12, 12, 5), "--op avg --size 3 --ceil --axes NHWC", "avg_pool: 12 x 12 -> 4 x 4", 10),
        ((4, 5, 6), "--axes 0 --size 2", "max_pool: 4 -> 2", 24),
        ((4, 5, 6), "--axes 0,2 --size 3 --padding 1", "max_pool: 4 x 6 -> 2 x 2", 5),
        ((3, 9), "--axes CW --size 3 --padding 1", "max_pool: 9 -> 3", 3),
        ((4, 4, 4), "--axes 0,1,2", "max_pool: 4 x 4 x 4 -> 2 x 2 x 2", 0),
        ((1, 4, 4, 4, 2), "--axes NDHWC", "max_pool: 4 x 4 x 4 -> 2 x 2 x 2", 2),
    ],
)
def test_arrays(here: Here, shape: tuple[int, ...], words: str, said: str, maps: int) -> None:
    np.save("x.npy", noise(*shape))
    out = here("explore", "x.npy", *words.split(), "--out", "o.html").worked().out
    assert out.splitlines()[0] == said
    assert len(given("o.html")["gallery"]) == maps
    assert ("Note: the first 24 of 30 maps are here" in out) == (maps == 24)


def test_maps_of_an_array_with_its_channels_last(here: Here) -> None:
    np.save("x.npy", x := noise(2, 6, 7, 3))
    here("explore", "x.npy", "--axes", "NHWC", "--out", "o.html").worked()
    found = given("o.html")["gallery"]
    assert [one["title"] for one in found][:4] == [f"x.npy, map {n}, {c}" for n, c in ((0, 0), (0, 1), (0, 2), (1, 0))]
    for one, (n, c) in zip(found, np.ndindex(2, 3), strict=True):
        assert np.array_equal(values(one["values"]).reshape(one["shape"]), x[n, :, :, c])


def test_nan_and_infinities_are_shown_as_such(here: Here) -> None:
    x = np.array([[NAN, 1, 2, -INF], [3, 4, -INF, -INF], [5, -0.0, INF, 7], [5, 5, 8, NAN]])
    np.save("x.npy", x)
    here("explore", "x.npy", "--out", "o.html").worked()
    assert shown("o.html").tobytes() == x.tobytes()
    here("explore", "x.npy", "--out", "o.svg").worked()
    drawn = {element.text for element in ET.parse("o.svg").iter() if element.text}
    assert {"NaN", "-inf", "inf"} <= drawn


def test_a_large_image_is_scaled_down_and_says_so(here: Here) -> None:
    Image.fromarray(noise(600, 1000)).save("in.png")
    out = here("explore", "in.png", "--out", "o.html").worked().out
    assert "Note: it was scaled down from 600x1000 to 307x512 cells" in out
    assert shown("o.html").shape == (307, 512)
    np.save("x.npy", x := noise(1100, 3))
    out = here("explore", "x.npy", "--size", "2x1", "--out", "p.html").worked().out
    assert "Note: the array of 1100x3 cells was scaled down to 367x1 by averaging blocks" in out
    assert shown("p.html")[0, 0] == pytest.approx(x[:3].mean())


@pytest.mark.parametrize("ending", [".html", ".svg", ".png", ".gif", ".PNG"])
def test_the_ending_says_what_is_written(here: Here, ending: str) -> None:
    np.save("x.npy", noise(5, 5))
    out = here("explore", "x.npy", "--size", "3", "--stride", "2", "--out", f"o{ending}").worked().out
    content = Path(f"o{ending}").read_bytes()
    assert f"{'Page' if ending == '.html' else 'Picture'}: o{ending} (" in out
    if ending == ".html":
        assert content.startswith(b"<!doctype html>")
        assert content.rstrip().endswith(b"</html>")
    elif ending == ".svg":
        assert ET.fromstring(content).tag == "{http://www.w3.org/2000/svg}svg"
    else:
        with Image.open(f"o{ending}") as image:
            assert image.format == ending[1:].upper()
            assert getattr(image, "n_frames", 1) == (4 if ending == ".gif" else 1)
    assert here.names() == {"x.npy", f"o{ending}"}


def test_json(here: Here) -> None:
    Image.fromarray(noise(12, 17, 3)).save("in.png")
    found = json.loads(here("explore", "in.png", "--size", "2", "--out", "o.html", "--json").worked().out)
    assert found == {
        "call": "max_pool: 12 x 17 -> 6 x 8",
        "page": "o.html",
        "bytes": Path("o.html").stat().st_size,
        "note": "its colours were turned to brightness",
    }


@KERAS
def test_a_model(here: Here, models: Path) -> None:
    out = here("explore", models / "model.keras", "--out", "o.html").worked().out
    assert "Note: the model is shown a drawn seven; --input FILE is another image" in out
    found = given("o.html")["model"]
    assert [layer["name"] for layer in found["layers"]] == ["halves", "all"]
    Image.fromarray(noise(60, 90, 3)).save("seven.png")
    out = here("explore", models / "model.keras", "--input", "seven.png", "--out", "p.html").worked().out
    assert "resized to the model's 28x28" in out
    assert given("p.html")["state"]["shape"] == [26, 26]
    for words in (["--size", "2"], ["--op", "avg"], ["--axes", "NHWC"]):
        said = "a model's layers have operators and windows of their own"
        here("explore", models / "model.keras", *words, "--out", "q.html").failed(2, said)
    np.save("x.npy", noise(2, 28, 28))
    here("explore", models / "model.keras", "--input", "x.npy", "--out", "q.html").failed(
        2, "x.npy", "two axes, this has 3"
    )
    here("explore", models / "dry.keras", "--out", "q.html").failed(1, "dry.keras: no pooling ran in")
    here("explore", models / "dense.keras", "--out", "q.html").failed(2, "models of images, this one takes (None, 5)")
    assert "q.html" not in here.names()


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"no image at all", "in.png", "in.png: is no readable PNG, JPEG, TIFF or WebP"),
        (b"", "in.png", "in.png: is empty; get the file anew"),
        (b"", "in.npy", "in.npy: is empty"),
        (b"\x89PNG\r\n\x1a\n" + b"\xff" * 100, "in.png", "in.png: is no readable PNG, JPEG, TIFF or WebP"),
        (b"\x93NUMPY\x01\x00", "in.npy", "in.npy: is no .npy file"),
        (b"PK\x03\x04", "in.npz", "in.npz: is a zip file"),
        (b"\x80\x04N.", "in.bin", "in.bin: looks like a pickle, which is never loaded"),
        (b"\x80\x04N.", "in.pt", "in.pt: files of this kind can hold programs and are never loaded; save it as .keras"),
        (b"", "in.pth", "are never loaded"),
        (b"\x89HDF", "in.h5", "are never loaded"),
        (b"not a zip", "in.keras", "in.keras: is no model saved by Keras, or only the beginning of one"),
    ],
)
def test_files_of_another_kind(here: Here, content: bytes, name: str, said: str) -> None:
    if name.endswith(".keras"):
        pytest.importorskip("keras", reason="Keras is not installed: it is named before the file is read")
    Path(name).write_bytes(content)
    here("explore", name, "--out", "o.html").failed(1, said)
    assert here.names() == {name}


@pytest.mark.parametrize(
    ("array", "code", "said"),
    [
        (np.float64(3), 1, "x.npy: holds one number and no axis"),
        (np.zeros((0, 3)), 1, "x.npy: its shape 0x3 has no cells"),
        (np.zeros((3, 3), complex), 1, "x.npy: holds complex128, and the page shows real numbers"),
        (np.array(["a"]), 1, "x.npy: holds <U1"),
        (np.array([{}]), 1, "x.npy: holds Python objects, which are never loaded"),
        (
            np.zeros((1, 2, 3, 4, 5)),
            2,
            "a single size pools the last two axes of an array of 2 to 4 dimensions, this one has 5",
        ),
    ],
)
def test_arrays_that_cannot_be_shown(here: Here, array: Any, code: int, said: str) -> None:
    np.save("x.npy", array, allow_pickle=True)
    here("explore", "x.npy", "--out", "o.html").failed(code, said)
    assert here.names() == {"x.npy"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--size 100", "the output length of axis 0 would be 0 (input length 9"),
        ("--size 0", "size is at least 1, got 0"),
        ("--size 2 --stride 0", "stride is at least 1, got 0"),
        ("--size 2x2x2", "size has 3 entries but the array has 2 dimensions"),
        ("--size 2 --padding same --ceil", "joins a padding word and ^"),
        ("--adaptive 0", "parts is at least 1, got 0"),
        ("--window 3+", "cannot read the window '3+'"),
        ("--size 2 --adaptive 3", "--size and --adaptive contradict"),
        ("--size 2 --global", "--size and --global contradict each other"),
        ("--axes NHWC", "axes 'NHWC' names 4 dimensions, the array has 2"),
        ("--axes 5 --size 2", "axis 5 is outside an array of 2 dimensions; use -2 to 1"),
        ("--op median", "--op median: no such operator; write one of max, min"),
        ("--op lp --p 0", "p is greater than 0, got 0"),
        ("--divisor padded", "--divisor is not for max; it is for avg"),
        ("--op avg --divisor 0", "divisor is a finite number other than 0"),
        ("--input x.npy", "--input is what a model is shown"),
        ("--out o.pdf", "o.pdf: the ending says what is written; use .html, .svg, .png, .gif"),
        ("--out page", "page: the ending says what is written"),
        ("--port 70000", "port"),
        ("--host 0.0.0.0", "no such option"),
    ],
)
def test_usage_errors(here: Here, words: str, said: str) -> None:
    np.save("x.npy", noise(9, 11))
    here("explore", "x.npy", *words.split()).failed(2, said)
    assert here.names() == {"x.npy"}


def test_files_that_are_not_there_or_too_large(here: Here) -> None:
    here("explore", "none.png").failed(1, "none.png: no such file or directory; check the path")
    here("explore", "none.npy").failed(1, "none.npy: no such file or directory")
    Path("folder").mkdir()
    here("explore", "folder").failed(1, "folder: is a directory")
    png(Path("bomb.png"), np.zeros((1, 1), np.uint8), colour=0, size=(50_000, 50_000))
    here("explore", "bomb.png").failed(
        1, "bomb.png: has more than 89,478,485 pixels, which may be a decompression bomb"
    )
    assert here.names() == {"folder", "bomb.png"}


def test_nothing_is_overwritten(here: Here) -> None:
    Image.fromarray(noise(8, 8)).save("in.png")
    before = Path("in.png").read_bytes()
    here("explore", "in.png", "--out", "in.png").failed(
        1, "in.png: exists; choose another name, or overwrite it with --force"
    )
    here("explore", "in.png", "--out", "in.png", "--force").failed(
        2, "in.png: is the input, which is never overwritten"
    )
    assert Path("in.png").read_bytes() == before
    Path("o.html").write_text("mine")
    here("explore", "in.png", "--out", "o.html").failed(1, "o.html: exists")
    assert Path("o.html").read_text() == "mine"
    here("explore", "text.png", "--out", "o.html", "--force").failed(1, "text.png")
    assert Path("o.html").read_text() == "mine"
    here("explore", "in.png", "--out", "o.html", "--force").worked()
    assert Path("o.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert here.names() == {"in.png", "o.html"}


def test_folders_that_cannot_be_written(here: Here) -> None:
    here("explore", "--out", "none/o.html").failed(1, "the folder none does not exist; make it first: mkdir -p none")
    Path("o.html").mkdir()
    here("explore", "--out", "o.html").failed(1, "o.html: is a folder; name a file")
    assert here.names() == {"o.html"}
    if os.geteuid() == 0:
        here("explore", "--out", "/proc/o.html").failed(
            1, "choose another place for the output"
        )  # where even root may not
        return
    Path("closed").mkdir(mode=0o500)
    here("explore", "--out", "closed/o.html").failed(1, "the folder closed is not writable")


def test_a_model_without_keras(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("model.keras").write_bytes(b"PK\x03\x04")
    monkeypatch.setitem(sys.modules, "keras", None)  # as where it is not installed
    here("explore", "model.keras").failed(
        1, "is read by Keras, which is not installed; run: pip install 'cenote[keras]' jax"
    )


# --- serving -------------------------------------------------------------------------------------------------------


def test_a_busy_port(here: Here) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = f"port {port} of 127.0.0.1 is taken; close what uses it, or say port=0 for a free one"
        here("explore", "--serve", "--port", str(port)).failed(2, said)
    assert here.names() == set()


class Serving:
    """`cenote explore ... --serve` in a process of its own, with a browser that writes down where it is sent."""

    def __init__(self, words: list[str], folder: Path) -> None:
        browser = folder / "browser"
        browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {shlex.quote(str(folder / "opened"))}\n')
        browser.chmod(0o755)
        self.opened = folder / "opened"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "cenote", *words], cwd=folder, env={**environment(), "BROWSER": str(browser)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> Serving:
        assert self._process.stdout is not None
        assert select.select([self._process.stdout], [], [], 60)[0], "nothing was printed"
        line = self._process.stdout.readline()
        found = re.fullmatch(r"The explorer is at (http://127\.0\.0\.1:\d+/\?token=[\w-]+)\n", line)
        assert found, (line, self._process.communicate(timeout=10))
        self.url = found[1]
        return self

    def __exit__(self, *failed: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate(timeout=10)

    def interrupted(self) -> tuple[int, str]:
        """Ctrl-C: the exit code, and what stands on standard error."""
        self._process.send_signal(signal.SIGINT)
        said = self._process.communicate(timeout=20)[1]
        return self._process.returncode, said


# --- the examples of --help ----------------------------------------------------------------------------------------


EXAMPLES = [
    pytest.param(command, marks=[pytest.mark.keras] if ".keras" in command else []) for command, _ in examples.EXPLORE
]


@pytest.mark.parametrize("command", EXAMPLES)
def test_examples_run(here: Here, request: pytest.FixtureRequest, command: str) -> None:
    words = shlex.split(command)
    assert words[:2] == ["cenote", "explore"]
    Image.fromarray(noise(12, 18, 3)).save("photo.jpg")
    Image.fromarray(noise(28, 28)).save("seven.png")
    np.save("features.npy", noise(2, 12, 12, 5))
    if "model.keras" in words:
        models = request.getfixturevalue("models")
        Path("model.keras").write_bytes((models / "model.keras").read_bytes())
    before = here.names()
    if "--serve" not in words:
        out = here(*words[1:]).worked().out
        (made,) = here.names() - before
        assert made == (words[words.index("--out") + 1] if "--out" in words else "cenote-explorer.html")
        assert f" {made} (" in out
        return
    with Serving(words[1:], here.folder) as serving:
        with urllib.request.urlopen(serving.url, timeout=20) as answer:
            text = answer.read().decode()
        Path("served.html").write_text(text, encoding="utf-8")
        assert given("served.html")["token"] == serving.url.partition("token=")[2]
        with Image.open("photo.jpg") as image:
            np.testing.assert_allclose(shown("served.html"), brightness(np.asarray(image)), atol=1e-6)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(serving.url.partition("?")[0], timeout=20)
        assert serving.interrupted() == (0, "")
        assert serving.opened.read_text() == serving.url
    assert here.names() == before | {"browser", "opened", "served.html"}


def test_help_shows_the_examples(here: Here) -> None:
    out = here("explore", "--help").worked().out
    for command, what in examples.EXPLORE:
        assert f"  {command}\n" in out
        assert f"      {what}\n" in out
