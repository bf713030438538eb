"""The rows of the benchmark about the adapters: they exist and run, who computes something else is refused, the report
shows them. Nothing is timed in earnest."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import bars as main_bars
from bench import check, cli, compare, install, report, results, timing
from bench.adapters import bars, calls, cnn, networks, peak, small, table
from bench.adapters import report as section
from bench.adapters import run as inside
from bench.adapters.case import PREFIX, Case, Kit
from bench.contestant import Contestant
from bench.data import Array, Numbers
from bench.results import Column, Measured, Peak, Run

CASES = table.cases()
BRIEF = timing.Effort(seconds=0.01, rounds=2, least=1)
KIT = Kit(1, Numbers(1))  # on a busy machine two threads wait for each other


def column(*ms: float, check: str = "equal") -> Column:
    return Column(tuple(enumerate(ms)), 1, check)


def measured(group: str, ours: str, base: tuple[str, ...], name: str = "row", **ms: float) -> Measured:
    columns = {n.replace("_", "."): column(*(value * f for f in (1, 2, 3, 4, 5))) for n, value in ms.items()}
    return Measured(f"{PREFIX}-{name}", f"the {name}", group, ours, base, columns, {}, 5)


def run_of(*rows: Measured, peaks: tuple[Peak, ...] = ()) -> Run:
    return Run({"cpu": "Some CPU", "processors": 2}, {}, {"threads": 2, "seed": 1, "seconds": 9.0}, {}, (), rows, peaks)


def constant(name: str, *arrays: Any, exact: bool = False) -> Contestant:
    made = [np.asarray(array, dtype=np.float32) for array in arrays]
    return Contestant(name, lambda: made, list, exact=exact)


def case_of(*contestants: Contestant) -> Case:
    return Case("made-up", "made up", "torch-call", "cenote.torch", ("torch",), lambda kit: list(contestants))


def one(case: Case, effort: timing.Effort = BRIEF) -> Measured:
    return inside.one(case, KIT, effort, random.Random(1))[0]


# --- the rows -----------------------------------------------------------------------------------------------------


def test_the_table_has_what_was_asked_for() -> None:
    ids = [case.id for case in CASES] + [peak.name(network) for network in peak.MEASURED]
    assert len(set(ids)) == len(ids)
    assert all(name.startswith(f"{PREFIX}-") for name in ids)
    workloads = [case.workload for case in CASES if case.workload and case.name.startswith("torch")]
    large = {(w.op, str(w.geometry), w.channels_last, w.backward) for w in workloads}
    assert large == {
        (op, window, last, backward)
        for op, window in (("max", "2x2/2"), ("max", "3x3/2+1"), ("avg", "2x2/2"), ("max", "2x2x2/2"))
        for last in (False, True)
        for backward in (False, True)
    }
    assert {case.group for case in CASES if case.name.startswith("jax")} == {
        "jax-forward",
        "jax-backward",
        "jax-call",
        "jax-networks",
    }
    for name in ("max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d"):
        for way in ("", "-backward"):
            assert any(f"-{name}-" in f"{case.id}" and case.id.endswith(f"1x8x8x8{way}") for case in CASES), name
    for network in ("vgg", "unet3d", "sppf"):
        for what in ("inference", "step"):
            assert f"{PREFIX}-torch-{network}-{what}" in ids
    assert {f"{PREFIX}-torch-memory-vgg", f"{PREFIX}-torch-memory-unet3d"} <= set(ids)
    assert 10 <= sum(case.quick for case in CASES) <= 20


def test_the_report_has_a_table_for_every_row() -> None:
    for case in CASES:
        names = {name for name, _ in section.GROUPS[case.group].columns}
        assert {case.ours, *case.base} <= names, case.id
    for group in section.GROUPS.values():
        for ratio in group.ratios:
            assert {*ratio.above, *ratio.below} <= {name for name, _ in group.columns}


def test_every_bar_judges_some_row() -> None:
    rows = [Measured(c.id, c.title, c.group, c.ours, c.base, {}, {}) for c in CASES]
    for bar in bars.BARS:
        assert any(bar.which(row, run_of()) for row in rows), bar.id
    ids = [bar.id for bar in (*bars.BARS, *main_bars.BARS)]
    assert len(set(ids)) == len(ids)


def test_rows_are_chosen_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "--list", "--only", PREFIX]) == 0
    listed = capsys.readouterr().out.split()
    assert listed == [case.id for case in CASES] + [peak.name(network) for network in peak.MEASURED]
    assert cli.main(["run", "--list", "--quick", "--only", "torch-networks"]) == 0
    assert capsys.readouterr().out.split() == [c.id for c in CASES if c.group == "torch-networks" and c.quick]
    assert cli.main(["run", "--only", "no such row"]) == 2


def test_what_the_rows_need_is_installed() -> None:
    assert "Flax" in install.PEERS


# --- contestants --------------------------------------------------------------------------------------------------


def test_who_computes_something_else_is_refused() -> None:
    row = one(
        case_of(
            constant("torch", [1, 2, 4]),
            constant("cenote.torch", [1, 2, 3]),
            constant("install", [[1, 2, 4]]),
            constant("convert", [1, 2, 4], [5]),
            constant("close", [1, 2, 4 + 1e-5]),
            constant("exact", [1, 2, 4 + 1e-5], exact=True),
            constant("nan", [1, 2, np.nan]),
        )
    )
    assert set(row.columns) == {"torch", "close"}
    assert row.left_out == {
        "cenote.torch": "result differs by up to 1, 2.5e-01 of its largest value",
        "install": "result has shape (1, 3) instead of (3,)",
        "convert": "gives 2 arrays instead of 1",
        "exact": "result is not equal",
        "nan": "result differs by up to nan, nan of its largest value",
    }
    assert row.of_base is None
    assert "WITHOUT cenote.torch: result differs" in inside.line(row)


def test_gradients_are_compared_too() -> None:
    row = one(case_of(constant("torch", [1], [2], [3]), constant("cenote.torch", [1], [2], [4])))
    assert row.left_out == {"cenote.torch": "gradient 2 differs by up to 1, 3.3e-01 of its largest value"}


def test_a_row_without_its_framework_says_so() -> None:
    def missing(kit: Kit) -> list[Contestant]:
        raise ImportError("cenote.jax needs JAX; install it")

    row = one(replace(case_of(), make=missing))
    assert (row.columns, row.left_out) == ({}, {"cenote.torch": "ImportError: cenote.jax needs JAX; install it"})

    def fails() -> Any:
        raise RuntimeError("no")

    row = one(case_of(Contestant("torch", fails), constant("cenote.torch", [1])))
    assert (row.columns, row.left_out) == ({}, {"cenote.torch": "RuntimeError: no"})


def test_the_columns_are_timed_together() -> None:
    case = replace(case_of(constant("torch", [1]), constant("cenote.torch", [1])), sample=1e-4)
    row = one(case, replace(BRIEF, seconds=1.0))
    assert {name: c.check for name, c in row.columns.items()} == {"torch": "the reference", "cenote.torch": "equal"}
    assert row.rounds == 2 * inside._SMALL_CALLS_ROUNDS
    assert all(len(c.samples) >= 1 and c.repeat > 1 for c in row.columns.values())
    ratio = row.of_base
    assert ratio is not None
    assert ratio.median > 0


def test_the_filling_handler_has_to_fill() -> None:
    ones, twos = np.full((2, 3), 0x01010101, np.int32), np.full(5, 2, np.uint8)
    assert calls.filled([ones, twos])
    assert not calls.filled([ones, twos + (np.arange(5) == 4).astype(np.uint8)])
    assert not calls.filled([twos])


@pytest.fixture
def torch_room(threads: None) -> Iterator[Any]:
    """cenote.torch; what PyTorch is told by a row, other tests do not notice."""
    room = pytest.importorskip("cenote.torch", reason="PyTorch is not installed", exc_type=ImportError)
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    yield room
    torch.set_num_threads(before)


@pytest.fixture
def jax_room(threads: None) -> Iterator[Any]:
    """cenote.jax, likewise."""
    room = pytest.importorskip("cenote.jax", reason="JAX or the handlers are missing", exc_type=ImportError)
    config = pytest.importorskip("jax").config
    before = config.jax_enable_x64
    yield room
    config.update("jax_enable_x64", before)


def _tiny(case: Case) -> Case:
    """The same with a small input."""
    workload = case.workload
    if workload is not None:
        small_shape = {"N": 2, "C": 3, "D": 4, "H": 8, "W": 6}
        shape = tuple(small_shape[letter] for letter in workload.layout)
        return calls.case(case.name.split("-")[0], replace(workload, shape=shape), quick=True)
    shapes = {"vgg": (1, 3, 64, 64), "unet3d": (1, 1, 8, 8, 8), "sppf": (2, 3, 7, 6)}
    if case.group == "torch-networks":
        network = peak.NETWORKS[case.name.split("-")[1]]
        tiny = replace(network, shape=shapes[network.name])
        return networks.case(tiny, case.name.endswith("step"), quick=True)
    return cnn.case(True, (2, 16, 16, 3)) if case.group == "jax-networks" else case


def _named(room: str) -> Callable[[Any], Any]:
    return pytest.mark.parametrize("case", [c for c in CASES if c.name.startswith(room)], ids=lambda c: c.id)


@pytest.mark.torch
@_named("torch")
def test_rows_of_torch_run(case: Case, torch_room: Any) -> None:
    row = one(_tiny(case))
    assert row.left_out == {}
    assert {case.ours, *case.base} <= set(row.columns)
    assert set(row.columns) == {name for name, _ in section.GROUPS[case.group].columns}
    assert not torch_room.is_installed()


@pytest.mark.torch
def test_an_adapter_that_computes_something_else_is_refused(torch_room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    large, network = (
        _tiny(next(c for c in CASES if c.group == group)) for group in ("torch-forward", "torch-networks")
    )

    def average(x: Any, size: Any, stride: Any = None, padding: Any = 0) -> Any:
        return torch_room.avg_pool2d(x, size, stride, padding)

    monkeypatch.setattr(torch_room, "max_pool2d", average)
    monkeypatch.setattr(torch_room.MaxPool2d, "forward", lambda self, x: average(x, 2))
    assert one(large).left_out == {calls.TORCH: "y is not equal"}
    assert set(one(network).left_out) == {networks.CONVERTED}


@pytest.mark.jax
@_named("jax")
def test_rows_of_jax_run(case: Case, jax_room: Any) -> None:
    row = one(_tiny(case))
    assert set(row.left_out) <= {cnn.FLAX}
    assert {case.ours, *case.base} <= set(row.columns)


# --- memory -------------------------------------------------------------------------------------------------------


def test_what_is_saved_is_counted_by_where_it_lies() -> None:
    found = peak.Saved()
    shared, own, again = (type("T", (), {"nbytes": n, "untyped_storage": lambda self, s=s: s}) for n, s in _storages())
    found.pack(shared())
    found.inside += 1
    found.pack(shared())
    found.pack(own())
    found.pack(again())
    assert found.numbers() == {"pooling": 60 + 20 + 20, "pooling_alone": 25, "all": 70 + 25}


def _storages() -> list[tuple[int, Any]]:
    class Storage:
        def __init__(self, at: int, size: int) -> None:
            self.at, self.size = at, size

        def data_ptr(self) -> int:
            return self.at

        def nbytes(self) -> int:
            return self.size

    first, second = Storage(1, 70), Storage(2, 25)
    return [(60, first), (20, second), (20, second)]


@pytest.mark.torch
@pytest.mark.slow
def test_the_memory_of_a_step_is_counted_in_fresh_processes(torch_room: Any) -> None:
    if not peak._CLEAR.exists():
        pytest.skip("this system does not count resident memory in /proc")
    found = peak.measure(replace(networks.VGG, shape=(1, 3, 64, 64)), 1)
    assert found.left_out == {}
    assert list(found.variants) == list(peak.VARIANTS)
    before, after = found.variants[networks.BEFORE], found.variants[small.INSTALLED]
    for counted in found.variants.values():
        assert counted["resident"] > counted["added"] > 0
        assert counted["pooling_alone"] <= counted["pooling"] <= counted["all"]
    outputs = 32 * 32 * 32 + 64 * 16 * 16 + 128 * (8 * 8 + 4 * 4 + 2 * 2)
    assert after["pooling_alone"] == outputs  # one byte each
    assert before["pooling_alone"] == 8 * outputs + 4 * 128 * 2 * 2  # int64, and what the last average keeps


def test_a_process_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peak, "VARIANTS", ("before",))
    monkeypatch.setattr(peak, "__name__", "bench.no_such_module")
    found = peak.measure(networks.VGG, 1)
    assert found.variants == {}
    assert "No module named" in found.left_out["before"]


# --- results, bars, report ----------------------------------------------------------------------------------------

PEAK = Peak(
    f"{PREFIX}-torch-memory-vgg",
    "VGG-like",
    {"before": {"resident": 3 << 20, "added": 2 << 20, "pooling": 2048, "pooling_alone": 1024, "all": 4096}},
    {"install": "RuntimeError: no"},
)


def test_json_there_and_back() -> None:
    row = measured("torch-forward", "cenote.torch", ("cenote",), cenote=1.0, cenote_torch=1.5)
    before = run_of(row, peaks=(PEAK,))
    text = results.to_json(before)
    assert results.from_json(text) == before
    old = json.loads(text)
    del old["adapters"], old["peaks"]  # what runs had before there were adapters
    assert results.from_json(json.dumps(old)).adapters == ()


def verdict(bar: str, *rows: Measured) -> main_bars.Verdict:
    return next(v for v in bars.judge(run_of(*rows)) if v.bar.id == bar)


def test_large_calls_are_judged_against_the_numpy_call() -> None:
    base = ("cenote",)
    assert verdict("torch-forward", measured("torch-forward", "cenote.torch", base, cenote=1, cenote_torch=1.09)).met
    over = verdict("torch-backward", measured("torch-backward", "cenote.torch", base, cenote=1, cenote_torch=1.21))
    assert over.met is False
    assert over.shortfall(over.short[0][1]) == "1.21 of at most 1.1: 10 % over"
    both = ("cenote", "fill")
    assert verdict("jax-forward", measured("jax-forward", "cenote.jax", both, cenote=1, fill=0.5, cenote_jax=1.6)).met
    assert verdict("jax-forward", measured("jax-forward", "cenote.jax", both, cenote=1, cenote_jax=1.6)).met is None


@pytest.mark.parametrize(
    "theirs, ours, met",
    [(10.0, 14.9, True), (10.0, 15.2, False), (1.0, 3.9, True), (1.0, 4.6, False), (9.0, 2.0, True)],
)
def test_small_calls_are_allowed_a_share_or_some_microseconds(theirs: float, ours: float, met: bool) -> None:
    def call(name: str) -> Measured:
        ms = {"torch": theirs / 3e3, "cenote_torch": ours / 3e3}  # the median of five is the third: 3x
        return measured("torch-call", "cenote.torch", ("torch",), name, **ms)

    found = verdict("torch-call", call("call"), call("call-backward"))
    assert (found.met, len(found.values)) == (met, 1)
    assert found.values[0][1] > 0
    assert verdict("torch-call-backward", call("call-backward")).met is (ours <= 2 * theirs)


def test_compare_judges_adapters_against_their_own_base() -> None:
    old = run_of(measured("torch-call", "cenote.torch", ("torch",), torch=2.0, cenote_torch=2.0))
    new = run_of(measured("torch-call", "cenote.torch", ("torch",), torch=1.0, cenote_torch=1.5))
    outcome = compare.compare(old, new)
    assert [change.id for change in outcome.slower] == [f"{PREFIX}-row"]
    assert "times torch, +50 %" in outcome.text()
    assert compare.compare(old, run_of()).not_judged == (f"{PREFIX}-row",)


def test_the_report_shows_rows_ratios_memory_and_reasons(tmp_path: Path) -> None:
    call = measured("torch-call", "cenote.torch", ("torch",), torch=0.001, cenote_torch=0.002, install=0.004)
    refused = replace(
        measured("jax-forward", "cenote.jax", ("cenote", "fill"), "other row", cenote=2.0, jax=8.0),
        left_out={"cenote.jax": "y is not equal"},
    )
    text = report.render(run_of(call, refused, peaks=(PEAK,)), "### Notes")
    assert f"## {section.TITLE}" in text
    assert "| the row | 3 ± 33 % | 6 ± 33 % | 12 ± 33 % | 2.00 | 4.00 |" in text
    assert "| the other row | 24 ± 33 % | - | 6 ± 33 % | - | - | - |" in text
    assert "| cenote.jax | y is not equal | the other row |" in text
    assert "| VGG-like | before | 3 MB | 2 MB | 2 KB | 1 KB | 4 KB |" in text
    assert "| install | RuntimeError: no | VGG-like |" in text
    assert "| JAX, large rows: within 10 % of the NumPy call" in text
    for line in text.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")
    assert section.TITLE not in report.render(run_of(), "### Notes")


def test_agreement_is_by_the_largest_value_of_each_array() -> None:
    big, little = np.float32([1000, 1]), np.float32([1e-3, 0])
    assert check.agree(Contestant("x", lambda: None), [big, little], [big, little]) == "equal"
    other: Array = little + np.float32(1e-6)
    with pytest.raises(check.Mismatch, match="gradient 1 differs"):
        check.agree(Contestant("x", lambda: None), [big, little], [big, other])
    assert check.agree(Contestant("x", lambda: None), [big], [big + np.float32(0.05)]).startswith("within 5")
