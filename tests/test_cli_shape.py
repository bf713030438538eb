"""`cenote shape`: arithmetic, receptive field and jump, and what each framework makes of the same words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cenote.dialects import DIALECTS
from cli_process import Here, process


def outputs(here: Here, *words: str) -> list[list[int]]:
    found = json.loads(here("shape", *words, "--json").worked().out)
    return [layer["output"] for layer in found["layers"]]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("28x28 conv3 pool2", [[26, 26], [13, 13]]),
        ("20x20 conv3+same pool2", [[20, 20], [10, 10]]),
        ("28x28 conv3 pool2 pool2", [[26, 26], [13, 13], [6, 6]]),
        ("28x28 conv3 pool2 pool2^", [[26, 26], [13, 13], [7, 7]]),
        ("28x28 conv3 pool2 pool2+same", [[26, 26], [13, 13], [7, 7]]),
        ("6x7 pool1/2^", [[3, 4]]),
        ("5x7 pool3/2+same@2", [[3, 4]]),
        ("5x7 conv3x3/1+same@2", [[5, 7]]),
        ("9 max2/1+1@2", [[9]]),
        ("16x56x56 conv3+1 avg2", [[16, 56, 56], [8, 28, 28]]),
        ("28x28 max>7x5 avg*", [[7, 5], [1, 1]]),
        ("28x28 pool3x2/2x1+0:1x0", [[14, 27]]),
        ("28x28 min2 sum2 lp2", [[14, 14], [7, 7], [3, 3]]),
    ],
)
def test_outputs(here: Here, words: str, expected: list[list[int]]) -> None:
    assert outputs(here, *words.split()) == expected


def test_table_of_the_tutorial_as_a_process(tmp_path: Path) -> None:
    out = process("shape", "28x28", "conv3", "pool2", cwd=tmp_path).worked().out
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["layer", "window", "output", "arithmetic", "receptive", "jump"]
    assert " ".join(lines[3]) == "conv3 3x3/1x1 26 x 26 floor((28 + 0 + 0 - 3)/1) + 1 = 26 3 x 3 1 x 1"
    assert " ".join(lines[4]) == "pool2 2x2 13 x 13 floor((26 + 0 + 0 - 2)/2) + 1 = 13 4 x 4 2 x 2"


def test_unequal_axes_have_a_line_each(here: Here) -> None:
    out = here("shape", "28x30", "pool3/2").worked().out
    assert "floor((28 + 0 + 0 - 3)/2) + 1 = 13" in out
    assert "floor((30 + 0 + 0 - 3)/2) + 1 = 14" in out


def test_receptive_field_and_jump(here: Here) -> None:
    words = ["224x224", "conv7/2+3", "pool3/2+1", "conv3+1", "conv3+1"]
    layers = json.loads(here("shape", *words, "--json").worked().out)["layers"]
    assert [layer["receptive_field"][0] for layer in layers] == [7, 11, 19, 27]
    assert [layer["jump"][0] for layer in layers] == [2, 4, 4, 4]


def test_all_dialects_side_by_side(here: Here) -> None:
    out = here("shape", "28x28", "conv3", "pool2", "--dialect", "all").worked().out
    rows = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert rows["pool2"].count("13 x 13") == 3
    assert rows["pool2"].count("25 x 25") == 3
    assert (
        "JAX, ONNX, Caffe: pool2 gives 25 x 25 instead of 13 x 13: a stride left out is 1 there, 2 here; write pool2/2"
        in out
    )


def test_written_out_words_give_the_same_everywhere(here: Here) -> None:
    out = here("shape", "28x28", "conv3", "pool2/2", "--dialect", "all").worked().out
    assert "no difference between cenote and PyTorch, Keras, JAX, ONNX, Caffe" in out


def test_refusals_stop_the_chain_with_the_reason(here: Here) -> None:
    found = json.loads(here("shape", "28x28", "pool3/2+1", "pool2/2", "--dialect", "all", "--json").worked().out)
    assert set(found["dialects"]) == set(DIALECTS)
    keras = found["dialects"]["keras"]
    assert keras["layers"] == []
    assert keras["refused"] == "pool3/2+1: Keras takes no padding in numbers, got 1; it takes 'same'"
    assert keras["refused"] in "".join(found["differences"])
    assert [layer["output"] for layer in found["dialects"]["torch"]["layers"]] == [[14, 14], [7, 7]]
    table = here("shape", "28x28", "pool3/2+1", "pool2/2", "--dialect", "keras").worked().out
    assert "refused" in table
    assert "as Keras reads it" in table


def test_caffe_rounds_up(here: Here) -> None:
    out = here("shape", "28x28", "pool3/2", "--dialect", "caffe").worked().out
    assert "Caffe: pool3/2 gives 14 x 14 instead of 13 x 13: lengths are rounded up there" in out


def test_averages_of_equal_shape_and_unequal_value(here: Here) -> None:
    out = here("shape", "28x28", "avg3/2+1", "--dialect", "torch").worked().out
    assert 'PyTorch: avg3/2+1 divides by what divisor="padded" says (count_include_pad=True)' in out
    assert "count_include_pad=False gives cenote's default" in out
    assert "divides by" not in here("shape", "28x28", "max3/2+1", "--dialect", "torch").worked().out


@pytest.mark.parametrize(("word", "title"), [("tensorflow", "Keras"), ("flax", "JAX"), ("onnxruntime", "ONNX")])
def test_names_a_row_covers(here: Here, word: str, title: str) -> None:
    assert f"as {title} reads it" in here("shape", "28x28", "pool2", "--dialect", word).worked().out
