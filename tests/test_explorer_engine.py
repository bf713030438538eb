"""The explorer's engine against the Python reference, in Node; and engines made wrong on purpose, which must be caught.

The same vectors run in a browser, inside the assembled page, in test_explorer_page.py.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import explorer_vectors
from explorer_node import STATIC, copy, needs_node, run

# One worker draws the vectors for all of these.
pytestmark = [needs_node, pytest.mark.xdist_group("explorer_engine")]

MODULES = sorted(set(re.findall(r'cenote\["(engine/\w+\.js)"\]', explorer_vectors.CHECK)))
_CHECKED = f"""
const check = {explorer_vectors.CHECK.rstrip().removesuffix(";")};
const names = {json.dumps(MODULES)};
const engine = async (folder) =>
  Object.fromEntries(await Promise.all(names.map(async (name) => [name, await import(folder + name)])));
"""


def test_there_are_enough_of_them() -> None:
    vectors = explorer_vectors.cases()
    assert explorer_vectors.count() >= 5000
    assert len(vectors["windows"]) + len(vectors["chains"]) + len(vectors["rules"]) > 2000
    for name in ("windows", "chains"):  # what is read and what is refused
        read = sum(vector["want"] is not None for vector in vectors[name])
        assert 0.3 < read / len(vectors[name]) < 0.8, f"{name} are nearly all good or nearly all bad"
    empty = [
        question
        for question in vectors["pools"]
        if any([] in axis["real"] for axis in question["want"].get("axes", []))
    ]
    assert len(empty) > 30, "windows without cells are hardly met"


def test_the_engine_gives_what_the_reference_gives() -> None:
    failures = run(
        _CHECKED + 'export default async (text) => check(await engine("./"), text);', explorer_vectors.text()
    )
    assert failures == []


#: (what is wrong, file, the text that is right, the text that is not)
MUTANTS = [
    ("the last tap wins", "pooling", "value > values[found]", "value >= values[found]"),
    ("the last tap wins a minimum", "pooling", "value < values[found]", "value <= values[found]"),
    ("NaN is dropped", "pooling", "if (wins || Number.isNaN(value))", "if (wins)"),
    ("the first NaN is named", "pooling", "|| Number.isNaN(value)", "|| (value !== value && values[found] <= 1 / 0)"),
    ("starts from zero", "pooling", 'op === "max" ? -Infinity : Infinity', "0"),
    ("an empty window has a winner", "pooling", "count ? cells[0] : -1", "count ? cells[0] : 0"),
    ("padding counts inside", "pooling", '(divisor === "inside" ? real : taps)', "taps"),
    ("window instead of padded", "pooling", 'divisor === "padded" ? padded :', ""),
    ("half up", "pooling", "&& near % 2 ?", "&& false ?"),
    ("towards zero", "pooling", "halfEven(total / by)", "Math.trunc(total / by)"),
    ("no absolute value", "pooling", "Math.abs(values[cells[i]])", "values[cells[i]]"),
    ("a norm drops NaN", "pooling", "Math.max(total, size)", "(size > total ? size : total)"),
    ("no root", "pooling", "total ** (1 / p)", "total"),
    ("padded by one too many", "windows", "i * rule.stride - lo +", "i * rule.stride - lo - 1 +"),
    ("the odd cell on the other side", "windows", 'rule.pad === "same" ?', 'rule.pad !== "same" ?'),
    ("no clip in ceil mode", "windows", ">= length + lo ? count - 1 : count", ">= length + lo ? count : count"),
    ("ceil rounds down", "windows", "Math.ceil(room / rule.stride) + 1", "Math.floor(room / rule.stride) + 1"),
    ("same rounds down", "windows", "return Math.ceil(length / rule", "return Math.floor(length / rule"),
    ("the overhang counts", "windows", "at < length + hi)", "at <= length + hi)"),
    ("dilation is ignored", "windows", "+ j * rule.dilation", "+ j"),
    ("same without dilation", "windows", "(rule.size - 1) * rule.dilation + 1", "rule.size"),
    ("bins without overlap", "windows", "Math.ceil(((i + 1) * length)", "Math.floor(((i + 1) * length)"),
    ("one cell too many is real", "windows", "at >= 0 && at < length)", "at >= 0 && at <= length)"),
    ("the first cell is no cell", "windows", "at >= 0 && at < length)", "at > 0 && at < length)"),
    ("columns first", "windows", "from[i] * shape[level] + row[j]", "from[i] + row[j] * (level ? shape[0] : 1)"),
    ("negative padding is taken", "windows", 'whole("padding", cells, 0)', 'whole("padding", cells, -9)'),
    ("a word with ceil is taken", "windows", "else if (rule.ceil)", "else if (false)"),
    ("overlaps overwrite", "gradient", "received[winner] += upstream[flat]", "received[winner] = upstream[flat]"),
    ("a gradient without divisor", "gradient", "answer.divisors?.[flat] ?? 1", "1"),
    ("no sign", "gradient", "g * Math.sign(value) *", "g *"),
    ("infinite slope at zero", "gradient", "value === 0 && p < 1 ? 0 :", ""),
    ("the last of the largest", "gradient", "size > Math.abs(values[first])", "size >= Math.abs(values[first])"),
    ("a field of sizes", "shapes", "[extent(rule), rule.stride]", "[rule.size, rule.stride]"),
    ("a field without jump", "shapes", "Math.max(0, paces[i][0] - 1) * jump[i]", "Math.max(0, paces[i][0] - 1)"),
    ("no bias", "shapes", "weights + (filters ?? 0)", "weights"),
    ("sums without padding", "shapes", "${lo} + ${hi}", "${lo}"),
    ("a convolution strides by its size", "notation", 'slice(head.length), rank, "1")', "slice(head.length), rank)"),
    ("a pool strides by 1", "notation", "parseRules(notation, rank), ch", 'parseRules(notation, rank, "1"), ch'),
    ("padding after is lost", "notation", 'read("padding", hi, 0)', 'read("padding", lo, 0)'),
    ("any divisor", "state", "divisor === 0 ||", ""),
]  # fmt: skip


def test_wrong_engines_are_caught(tmp_path: Path) -> None:
    folders: dict[str, str] = {}
    for number, (name, file, right, wrong) in enumerate(MUTANTS):
        folder = copy(tmp_path / str(number))
        path = folder / "engine" / f"{file}.js"
        text = path.read_text(encoding="utf-8")
        assert right in text, f"{file}.js has no {right!r} any more: write the mutant {name!r} anew"
        path.write_text(text.replace(right, wrong), encoding="utf-8")
        folders[name] = f"{folder.as_uri()}/"
    source = """
    export default async ({ vectors, folders }) => {
      const found = {};
      for (const [name, folder] of Object.entries(folders)) {
        try {
          found[name] = check(await engine(folder), vectors, 1)[0] ?? null;
        } catch (error) {
          found[name] = `throws ${error}`;
        }
      }
      return found;
    };"""
    found = run(_CHECKED + source, {"vectors": explorer_vectors.cases(), "folders": folders})
    assert [name for name, failure in found.items() if failure is None] == []
    broken = {name: failure for name, failure in found.items() if failure.startswith("throws")}
    assert broken == {}, "these mutants do not run at all, which shows nothing"


def test_filters_are_what_a_convolution_layer_computes() -> None:
    rng = np.random.default_rng(1)
    image, signal = rng.standard_normal((9, 7)), rng.standard_normal(11)
    source = """
    import { FILTERS, convolve } from "./engine/convolution.js";
    export default ({ image, signal }) => ({
      kernels: FILTERS,
      images: Object.fromEntries(
        Object.entries(FILTERS).map(([name, kernel]) => [name, convolve(image, [9, 7], kernel)])),
      signal: convolve(signal, [11], [1, 0, -2]),
    });"""
    found = run(source, {"image": image.ravel().tolist(), "signal": signal.tolist()})
    assert {"vertical", "horizontal", "outline", "blur", "sharpen"} <= found["kernels"].keys()
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3))
    for name, kernel in found["kernels"].items():
        want = np.einsum("ijkl,kl->ij", windows, np.reshape(kernel, (3, 3)))
        assert found["images"][name]["shape"] == [7, 5]
        # nine products, added in another order: a few units in the last place of numbers up to about 10
        np.testing.assert_allclose(np.reshape(found["images"][name]["values"], (7, 5)), want, rtol=0, atol=1e-14)
    assert found["signal"]["shape"] == [9]
    np.testing.assert_allclose(found["signal"]["values"], signal[:-2] - 2 * signal[2:], rtol=0, atol=1e-14)


ARRAYS = {
    "bytes": ([0.0, 255.0, 7.0], "u1"),
    "one zero is negative": ([0.0, -0.0], "f4"),
    "beyond a byte": ([256.0, -1.0], "f4"),
    "specials": ([np.nan, np.inf, -np.inf, -0.0, 0.5], "f4"),
    "tenths": ([0.1, 1e300, 5e-324], "f8"),
    "nothing": ([], "u1"),
}


def test_arrays_come_back_as_they_were() -> None:
    source = """
    import { pack, unpack } from "./engine/arrays.js";
    export default (arrays) => Object.fromEntries(Object.entries(arrays).map(([name, values]) => {
      const packed = pack(values, [values.length]);
      return [name, { packed, values: unpack(packed, "values") }];
    }));"""
    found = run(source, {name: values for name, (values, _) in ARRAYS.items()})
    for name, (values, kind) in ARRAYS.items():
        assert found[name]["packed"]["dtype"] == kind, name
        got, want = np.array(found[name]["values"]), np.array(values)
        assert np.array_equal(got, want, equal_nan=True), name
        assert np.array_equal(np.signbit(got), np.signbit(want)), name


NO_ARRAYS = [
    "text",
    None,
    [None],
    [["1"]],
    {"dtype": "i8", "shape": [1], "data": ""},
    {"dtype": "toString", "data": ""},
    {"dtype": "f8", "data": "AAAA"},
]


def test_broken_arrays_are_said() -> None:
    source = """
    import { unpack } from "./engine/arrays.js";
    const said = (packed) => { try { return unpack(packed, "values"); } catch (error) { return error.message; } };
    export default (arrays) => arrays.map(said);"""
    for packed, said in zip(NO_ARRAYS, run(source, NO_ARRAYS), strict=True):
        assert str(said).startswith("values "), packed


@pytest.mark.parametrize("shape", [(7,), (4, 5), (2, 3, 4)], ids=str)
def test_moved_is_roll(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(2).standard_normal(shape)
    by = [1, -2, 9][: len(shape)]
    source = """
    import { moved } from "./engine/shift.js";
    export default ({ values, shape, by }) => Object.fromEntries(
      ["circular", "zero", "edge"].map((border) => [border, moved(values, shape, by, border)]));"""
    found = run(source, {"values": values.ravel().tolist(), "shape": shape, "by": by})
    places = np.meshgrid(*[np.arange(n) - step for n, step in zip(shape, by, strict=True)], indexing="ij")
    outside = np.any([(at < 0) | (at >= n) for at, n in zip(places, shape, strict=True)], axis=0)
    edge = values[tuple(np.clip(at, 0, n - 1) for at, n in zip(places, shape, strict=True))]
    axes = tuple(range(len(shape)))
    assert np.array_equal(np.reshape(found["circular"], shape), np.roll(values, by, axes))
    assert np.array_equal(np.reshape(found["zero"], shape), np.where(outside, 0, edge))
    assert np.array_equal(np.reshape(found["edge"], shape), edge)


#: op, values, size, more -> formula and reason of output 0
SENTENCES = [
    ("max", [12, 5, 8, 20], 4, {}, "max(12, 5, 8, 20) = 20", ""),
    ("max", [1, 2, 2, 2], 4, {}, "max(1, 2, 2, 2) = 2", "3 cells are equal: the first in reading order wins"),
    ("min", [1, np.nan], 2, {}, "min(1, NaN) = NaN", "a NaN wins; of several the last one is the index"),
    ("avg", [1, 2, 3, 6], 4, {}, "(1 + 2 + 3 + 6) / 4 = 3", "all 4 taps are cells"),
    ("avg", [1, 2], 2, {"pad": [1, 0]}, "(1) / 1 = 1", "1 of 2 taps are cells; padding does not count"),
    (
        "avg",
        [1, 2],
        2,
        {"pad": [1, 0], "divisor": "window"},
        "(1) / 2 = 0.5",
        "always the 2 taps of the window, cells or not",
    ),
    ("avg", [1, 2], 2, {"divisor": 4}, "(1 + 2) / 4 = 0.75", "divided by 4, the number that was asked for"),
    ("sum", [0.5, -0.0, np.inf], 3, {}, "0.5 + -0 + inf = inf", ""),
    ("lp", [3, -4], 2, {}, "(|3|^2 + |-4|^2)^(1/2) = 5", ""),
    ("lp", [3, -4], 2, {"p": np.inf}, "max(|3|, |-4|) = 4", ""),
    ("lp", [3, -4], 2, {"p": 1}, "|3| + |-4| = 7", ""),
    ("max", [5], 2, {"dilation": 2, "pad": [1, 1]}, "max() = -inf", "no cell lies in this window: max gives -inf"),
]


def test_formulas_have_the_numbers_and_reasons_the_rule() -> None:
    source = """
    import { formula, reason } from "./engine/formula.js";
    import { pool } from "./engine/pooling.js";
    export default (all) => all.map((asked) => [formula(asked, pool(asked), 0), reason(asked, pool(asked), 0)]);"""
    asked = []
    for op, values, size, more, _, _ in SENTENCES:
        slide = {"kind": "slide", "size": size, "stride": size, "dilation": 1, "pad": [0, 0], "ceil": False}
        rule = {key: more.get(key, word) for key, word in slide.items()}
        numbers = {"divisor": more.get("divisor", "inside"), "p": more.get("p", 2), "integers": False}
        asked.append({"op": op, "rules": [rule], "shape": [len(values)], "values": values, **numbers})
    assert run(source, asked) == [[formula, reason] for *_, formula, reason in SENTENCES]


TOO_MUCH = {
    "a wide window": ([2_000_000], [2_000_000, 0], [9]),
    "many outputs": ([1], [10**8, 0], [9]),
    "many outputs in all": ([1, 1], [2000, 0], [9, 9]),
    "endless padding": ([1], [2**53 - 1, 0], [9]),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_more_than_a_page_can_show_is_refused_and_not_tried(name: str) -> None:
    """Python would do it, or run out of memory; a page that tries does not answer any more."""
    size, pad, shape = TOO_MUCH[name]
    source = """
    import { pool } from "./engine/pooling.js";
    import { RuleError } from "./engine/windows.js";
    export default (asked) => {
      try {
        return pool(asked).shape;
      } catch (error) {
        if (error instanceof RuleError) return error.message;
        throw error;
      }
    };"""
    rules = [{"kind": "slide", "size": k, "stride": 1, "dilation": 1, "pad": pad, "ceil": False} for k in size]
    asked = {
        "op": "max",
        "rules": rules,
        "shape": shape,
        "values": [0.0] * 81,
        "divisor": "inside",
        "p": 2,
        "integers": False,
    }
    assert "more than a page can show" in run(source, asked)


def test_the_modules_are_those_of_the_installed_package() -> None:
    assert (STATIC / "engine" / "pooling.js").is_file()
