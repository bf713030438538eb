"""`cenote lab` by hand: what it prints, and how it refuses."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re

import numpy as np
import pytest
from PIL import Image

import lab_small
from cenote.cli import lab as commands
from cenote.cli import main
from cenote.lab.experiment import OUT
from lab_here import lab

pytestmark = [pytest.mark.keras, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    data, model = lab_small.write_folder(folder / "data"), lab_small.write_model(folder)
    words = ["--data", data, "--model", model, "--arms", "none,max-2/2", "--seeds", "3", "--epochs", "2"]
    return lab_small.call("run", *words, "--out", folder / "out"), folder / "out"


def test_what_is_left_out_means_the_same_as_in_python():
    of_run = inspect.signature(commands._run).parameters
    wanted = {field.name: field.default for field in dataclasses.fields(lab.Experiment)}
    found = {name: parameter.default for name, parameter in of_run.items() if name in wanted}
    assert found.pop("arms") is None  # the full set, which no list of choices could show
    assert found == {name: wanted[name] for name in found}
    assert len(found) == 8
    assert str(of_run["out"].default) == OUT


def said(capsys, *words: object) -> tuple[int, str, str]:
    code = main(["lab", *map(str, words)])
    return code, *capsys.readouterr()


def test_run_says_how_far_it_is_and_what_it_found(run):
    done, out = run
    assert done.returncode == 0, done.stderr
    assert "[6/6] max-2/2, seed 2: test accuracy" in done.stderr
    assert "timing predictions" in done.stderr
    assert re.search(r"^max-2/2 .*%", done.stdout, re.MULTILINE)
    assert "supported:" in done.stdout
    assert f"Report: {out / 'report.html'}" in done.stdout


def test_report_again(run, capsys):
    _, out = run
    before = (out / "report.html").stat().st_mtime_ns
    code, text, _ = said(capsys, "report", out)
    assert code == 0
    assert "Report: " in text
    assert (out / "report.html").stat().st_mtime_ns > before
    code, text, _ = said(capsys, "report", out, "--json")
    found = json.loads(text)
    assert found["complete"]
    assert {"supported", "undecided"} & {claim["verdict"] for claim in found["claims"]}


@pytest.mark.parametrize(
    "model, words, sizes",
    [
        ("tutorial", [], ["20x20x16", "20x20x32", "10x10x32", "10x10x64", "6400", "2"]),
        ("tutorial", ["--input", "20x20x3"], ["20x20x16", "20x20x32", "10x10x32", "10x10x64"]),
        ("digits", [], ["26x26x32", "13x13x32", "11x11x64", "5x5x64", "1600", "64", "10"]),
        ("digits", ["--arm", "max-2/2-same"], ["26x26x32", "13x13x32", "11x11x64", "6x6x64"]),
        ("ann", ["--input", "8x8x1", "--classes", "3"], ["64", "64", "3"]),
    ],
)
def test_summary(capsys, model, words, sizes):
    code, text, _ = said(capsys, "summary", model, *words)
    assert code == 0
    at = 0
    for size in sizes:
        at = text.index(f" {size} ", at)
    code, text, _ = said(capsys, "summary", model, *words, "--json")
    layers = json.loads(text)["layers"]
    assert sum(layer["parameters"] for layer in layers) == json.loads(text)["parameters"]


def test_predict(run, capsys, tmp_path):
    _, out = run
    pictures = []
    for label in (0, 1):
        x = np.full((8, 8), 40, np.uint8)
        x[1 + 4 * label : 3 + 4 * label, 3:5] = 255
        pictures.append(tmp_path / f"{label}.png")
        Image.fromarray(x).save(pictures[-1])
    code, text, _ = said(capsys, "predict", out / "models" / "max-2_2.keras", *pictures, "--json")
    found = json.loads(text)["predictions"]
    assert code == 0
    assert [one["image"] for one in found] == [str(path) for path in pictures]
    for one in found:
        assert abs(sum(one["probabilities"].values()) - 1) < 1e-5
        assert one["seconds"] > 0
        assert one["label"] == max(one["probabilities"], key=one["probabilities"].get)
    code, text, _ = said(capsys, "predict", out / "models" / "max-2_2.keras", *pictures)
    assert code == 0
    assert "%" in text


def test_what_is_wrong_is_said_in_one_line(run, capsys, tmp_path):
    _, out = run
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    (tmp_path / "raises.py").write_text("import nothing_of_this_name\n")
    (tmp_path / "odd.py").write_text("def build(shape, classes):\n    return 7\n")
    (tmp_path / "half.keras").write_bytes(b"PK nothing")
    model = out / "models" / "max-2_2.keras"
    for code, words, text in (
        (2, ["run", "--arms", "maximum"], "no arm"),
        (2, ["run", "--input", "28"], "--input"),
        (2, ["run", "--input", "0x8x1"], "--input"),
        (1, ["run", "--data", tmp_path / "nowhere"], "nowhere"),
        (2, ["run", "--model", "vgg"], "no model"),
        (2, ["run", "--model", f"{tmp_path / 'raises.py'}:build"], "nothing_of_this_name"),
        (2, ["run", "--model", f"{tmp_path / 'odd.py'}:other"], "no function"),
        (2, ["run", "--model", f"{tmp_path / 'odd.py'}:build"], "not a Keras model"),
        (2, ["run", "--seeds", "0"], "seeds"),
        (2, ["run", "--learning-rate", "-1"], "learning_rate"),
        (1, ["run", "--out", out], "--resume"),
        (2, ["report", tmp_path], "results.json"),
        (2, ["summary", tmp_path / "half.keras"], "half.keras"),
        (2, ["summary", model, "--input", "9x9x1"], "takes (8, 8, 1)"),
        (2, ["summary", "digits", "--arm", "max-30/1"], "cannot be built"),
        (1, ["predict", model, tmp_path / "broken.png"], "broken.png"),
        (1, ["predict", model, tmp_path / "nothing.png"], "nothing.png"),
        (2, ["predict", tmp_path / "nothing.keras", tmp_path / "broken.png"], "nothing.keras"),
        (2, ["predict", model], "IMAGE"),
        (2, ["train"], "train"),
    ):
        found, _, error = said(capsys, *words)
        assert (found, error.count("\n")) == (code, 1), (words, found, error)
        assert text in error, (words, error)
        assert error.startswith("cenote lab"), error
