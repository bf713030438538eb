"""Readings of the page against the dialects, and why its answers for the frameworks differ."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import numpy as np
import pytest

import explorer_node
from cenote.catalogue import OPS
from cenote.dialects import DIALECTS, NAMES, Padding, Words
from cenote.errors import CenoteError
from cenote.explorer import rows
from cenote.geometry import Slide, Split, Window
from explorer_calls import CONTRACT, COUNTED, INF, LOWEST, NAN, NASTY, ROWS, answered, drawn_words, state, told

pytestmark = explorer_node.needs_node

READ = """
import { read } from "./engine/dialects.js";
import { RuleError } from "./engine/windows.js";
export default ({ rows, cases }) => cases.map(({ state }) => rows.map((row) => {
  try {
    return read(row, state.op, state.words);
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return { refusal: error.message, field: error.field };
  }
}));
"""


def pythons(name: str, op: str, words: dict[str, Any]) -> dict[str, Any]:
    """What the dialects of Python make of the words of a page."""
    row = DIALECTS[name]
    size = tuple(words["size"])
    try:
        if words["form"] != "slide":
            row.window(op, Words((1,) * len(size)))  # that it has the operator, and pools so many axes
            window = row.adapts(Window(tuple(Split(parts) for parts in size)), op)
        else:
            pads = tuple(pad if isinstance(pad, str) else tuple(pad) for pad in words["padding"])
            stride = None if words["stride"] is None else tuple(words["stride"])
            window = row.window(op, Words(size, stride, pads, tuple(words["dilation"]), words["ceil"]))
    except CenoteError as error:
        return {"refusal": str(error).partition(": ")[2].partition(";")[0]}
    return {"rules": [page_rule(rule) for rule in window.rules]}


def page_rule(rule: Any) -> dict[str, Any]:
    """A rule as the page writes it."""
    if isinstance(rule, Split):
        return {"kind": "split", "parts": rule.parts}
    assert isinstance(rule, Slide)
    pad = rule.pad if isinstance(rule.pad, str) else list(rule.pad)
    return {
        "kind": "slide",
        "size": rule.size,
        "stride": rule.stride,
        "dilation": rule.dilation,
        "pad": pad,
        "ceil": rule.ceil_mode,
    }


def test_words_are_read_as_the_dialects_read_them() -> None:
    """The same rules, or a refusal in the same words; only what a divisor forbids is the page's alone."""
    rng = random.Random(1)
    cases: list[Any] = [
        {"state": {"op": rng.choice([*OPS]), "words": drawn_words(rng, rng.choice([1, 2, 2, 3]))}} for _ in range(1500)
    ]
    seen: Counter[str] = Counter()
    for case, readings in zip(cases, explorer_node.run(READ, {"rows": ROWS, "cases": cases}), strict=True):
        for name, got in zip(NAMES, readings, strict=True):
            want = pythons(name, case["state"]["op"], case["state"]["words"])
            if got.get("field") == "divisor":
                assert "rules" in want, (name, case, got, want)
                seen["divisor"] += 1
            elif "refusal" in want:
                assert got["refusal"].partition(";")[0] == want["refusal"], (name, case)
                seen["refused"] += 1
            else:
                assert got["rules"] == want["rules"], (name, case, got)
                seen["read"] += 1
    assert min(seen.values()) > 200, seen


def test_the_rows_of_the_page_are_those_of_python() -> None:
    assert rows.text() == explorer_node.STATIC.joinpath("dialects.json").read_text(encoding="utf-8"), (
        "run: make generate"
    )
    assert len(rows.text()) < 25_000
    assert rows.rows() == ROWS
    assert [set(row["habits"]) for row in ROWS] == [{*CONTRACT, "runs_on"}] * len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_operator_has_code_in_every_form(name: str) -> None:
    row = DIALECTS[name]
    if row.code is None:
        assert name == "caffe"
        return
    pools = [op for op in OPS if op in row.operators]
    adaptive = [f"{op} adaptive" for op in pools if row.adaptive and row.operators[op].adapts]
    assert {*pools, *adaptive, *(f"{op} global" for op in pools)} <= set(row.code.calls)
    words = {form.value for form in (Padding.SAME, Padding.SAME_LOWER) if form in row.operators["max"].padding}
    assert words == set(row.code.pad_words)


def test_caffe_by_its_source() -> None:
    """Caffe is not run: these are its loops by hand (a maximum begins at -FLT_MAX; an average divides by the cells of
    the padded image that the window covers, which are none where the window begins at its end)."""
    nan, kept, cut, padded, rounded, dropped = told(
        (state("max", [[NAN, 1], [-INF, NAN]], (1, 1)), "caffe"),
        (state("avg", np.arange(4.0).reshape(2, 2), (1, 1), stride=[2, 2]), "caffe"),
        (state("avg", np.arange(25.0).reshape(5, 5), (2, 2), stride=[4, 4]), "caffe"),
        (state("avg", COUNTED, (3, 3), stride=[2, 2], padding=[[1, 1]] * 2), "caffe"),
        (state("avg", COUNTED, (3, 3), stride=[2, 2], padding=[[1, 1]] * 2, ceil=True), "torch"),
        (state("max", COUNTED, (2, 2), ceil=False, stride=[3, 3]), "caffe"),
    )
    assert nan["values"] == [LOWEST, 1, LOWEST, LOWEST]
    assert nan["different"] == [0, 2, 3]
    # 1 of stride 2 over 3 cells: rounded up to 2 windows of 4 x 4 cells, nothing is dropped without padding
    assert kept["shape"] == [2, 2]
    assert kept["values"][0] == 0
    assert all(np.isnan(value) for value in kept["values"][1:])
    # the second window covers one cell of the image: (4 + 9) / 2 in the corner rows, over what is there
    assert cut["values"] == [3.0, 6.5, 20.5, 24.0]
    assert padded["values"] == rounded["values"]
    assert dropped["shape"] == [1, 1]


#: A state, a framework, and what is said of its difference.
DIFFERENCES = [
    (state("max", COUNTED, (2, 2)), "jax", "a stride that is left out is 1 there, 2 here"),
    (state("max", COUNTED, (3, 3), stride=[2, 2]), "caffe", "lengths are rounded up there"),
    (
        NASTY[0],
        "torch",
        "divides by the cells of the padded input (count_include_pad=True), cenote by the cells that",
    ),
    (state("avg", [10, 20], (3,), stride=[2], padding=["same"]), "jax", "divides by all taps of the window"),
    (state("lp", -COUNTED, (2, 2), p=3), "torch", "adds x^p, not |x|^p"),
    (state("lp", COUNTED, (3, 3), p=2, ceil=True), "torch", "multiplies the mean of the cells that are there"),
    (state("max", [NAN, 1, 2, 3], (2,)), "keras", "NaN: TensorFlow on the CPU drops NaN"),
    (state("max", [-INF] * 4, (2,)), "keras", "the lowest finite float"),
    (
        state("max", [1, 9, 2, 8, 3, 7, 4, 6, 5], (3,), stride=[2], dilation=[2], padding=["same"]),
        "onnx",
        "dilation",
    ),
    (state("avg", [1, 2, 4, 4], (2,), integers=True), "torch", "averages of whole numbers are whole in cenote"),
]


def test_a_difference_has_its_reason() -> None:
    for (case, name, reason), column in zip(DIFFERENCES, told(*(one[:2] for one in DIFFERENCES)), strict=True):
        assert any(reason in said for said in column["reasons"]), (name, case, column)
        assert len(column["reasons"]) == 1, (name, case, column)


def test_what_agrees_has_no_reason() -> None:
    (answer,) = answered([state("max", COUNTED, (2, 2), stride=[2, 2])])
    for column in answer["columns"][:5]:
        assert column["reasons"] == column["different"] == []
