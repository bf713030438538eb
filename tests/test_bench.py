"""The parts of the benchmark that need no peer: statistics, the table, timing, bars, report, comparison."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import cenote
from bench import bars, check, cli, compare, install, ours, report, results, run, stats, table, timing
from bench.contestant import Contestant, Refusal
from bench.data import Data, Numbers
from bench.peers import peers
from bench.peers.numpy_ import NumPy
from bench.results import Column, Row, Run
from bench.table import slide
from bench.workload import Geometry, Workload

TABLE = table.workloads()
SMALL = Workload("2-D windows", "max", slide("2x2/2"), "float32", "NCHW", (1, 2, 6, 8))


def column(*ms: float, check: str = "y equal") -> Column:
    return Column(tuple(enumerate(ms)), 1, check)


def row(workload: Workload = SMALL, **ms: float) -> Row:
    columns = {name.replace("_", "-"): column(value * 0.98, value, value * 1.02) for name, value in ms.items()}
    return Row(workload, columns, {"opencv": "no strides"}, 3)


def run_of(*rows: Row) -> Run:
    machine = {"cpu": "Some CPU", "processors": 2, "caches": {"L1": 32768, "L2": 1 << 20}, "memory": 8 << 30}
    return Run(machine, {"cenote": "1", "torch": "2"}, {"threads": 2, "seed": 1, "seconds": 9.0}, {}, rows)


# --- statistics ---------------------------------------------------------------------------------------------------


def test_quartiles_lie_between_neighbours() -> None:
    found = stats.summary([4.0, 1.0, 3.0, 2.0])
    assert (found.median, found.low, found.high, found.count) == (2.5, 1.75, 3.25, 4)
    assert found.spread == pytest.approx(0.3)
    assert stats.summary([7.0]).median == 7.0
    with pytest.raises(ValueError, match="empty"):
        stats.quantile([], 0.5)


def test_ratios_are_taken_within_a_round() -> None:
    assert stats.paired([[(0, 2.0), (1, 9.0), (2, 4.0)]], [[(0, 1.0), (2, 8.0)]]) == [2.0, 0.5]
    assert stats.paired([[(0, 2.0)]], [[(5, 4.0)]]) == []
    assert stats.paired([[(0, 3.0)]], [[(0, 1.0)], [(0, 2.0), (1, 7.0)]]) == [1.0]


# --- the table ----------------------------------------------------------------------------------------------------


def test_every_row_has_its_own_id() -> None:
    assert len({w.id for w in TABLE}) == len(TABLE)


@pytest.mark.parametrize("workload", TABLE, ids=lambda w: w.id)
def test_rows_are_what_cenote_computes(workload: Workload) -> None:
    assert len(workload.layout) == len(workload.shape)
    assert len(workload.axes) == workload.geometry.rank
    fn, positional, words = ours.function(workload)
    cell = np.zeros((), dtype="float32" if workload.dtype == "bfloat16" else workload.dtype)
    small = np.broadcast_to(cell, [n if i in workload.axes else 1 for i, n in enumerate(workload.shape)])
    if small.size <= 1 << 20:
        wanted = [n if i in workload.axes else 1 for i, n in enumerate(workload.out_shape)]
        assert list(fn(small, *positional, **words).shape) == wanted


def test_the_table_has_what_was_asked_for() -> None:
    for dtype in ("float16", "bfloat16", "int8", "uint8", "float64"):
        assert any(w.dtype == dtype for w in TABLE)
    sides = {
        w.geometry.size[0] for w in TABLE if w.group == "Stride-1 windows" and (w.op, w.dtype) == ("max", "float32")
    }
    assert sides == {2, 3, 5, 7, 13, 31, 51, 101}
    for window in ("7x7/2", "3x3/1", "1x2x2/1x2x2", "2x2x2/2", "global", "adaptive 7x7", "adaptive 6x6"):
        assert any(str(w.geometry) == window for w in TABLE), window
    assert {w.op for w in TABLE} == {"max", "min", "avg", "lp"}
    backward = [w for w in TABLE if w.backward]
    assert {(w.op, w.geometry.rank) for w in backward} >= {("max", 2), ("avg", 2), ("max", 3), ("avg", 3)}
    assert any(w.channels_last for w in backward)
    assert min(w.x_bytes for w in TABLE if w.scaling) <= 1 << 15
    assert max(w.x_bytes for w in TABLE if w.scaling) >= 1 << 27
    assert any(w.offset for w in TABLE)
    assert any(w.threads == 1 for w in TABLE)
    assert 15 <= sum(w.quick for w in TABLE) <= 40


def test_ladders_ascend() -> None:
    for name in {w.ladder for w in TABLE if w.ladder}:
        costs = [w.work for w in TABLE if w.ladder == name]
        assert costs == sorted(costs), name


def test_every_bar_judges_some_row() -> None:
    found = run_of(*(Row(w, {}, {}) for w in TABLE))
    for bar in bars.BARS:
        assert any(bar.which(r, found) for r in found.rows), bar.id


def test_float32_twins_exist() -> None:
    ids = {w.id for w in TABLE}
    for w in TABLE:
        if w.dtype in ("int8", "uint8", "float16", "bfloat16") and not w.backward:
            assert replace(w, dtype="float32").id in ids, w.id


def test_windows_read_as_they_are_written() -> None:
    for text in ("2x2/2", "3x3/2+1", "1x2x2/1x2x2", "2/2"):
        assert str(slide(text)) == text
    assert str(Geometry(parts=(1, 1))) == "global"
    assert SMALL.id == "max-2x2/2-f32-NCHW-1x2x6x8"


# --- data and contestants -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layout, shape", [("HW", (4, 6)), ("CHW", (3, 4, 6)), ("HWC", (4, 6, 3)), ("NHWC", (2, 4, 6, 3))]
)
def test_layouts_go_there_and_back(layout: str, shape: tuple[int, ...]) -> None:
    data = Data(replace(SMALL, layout=layout, shape=shape), Numbers(1))
    assert data.first().shape[-2:] == (4, 6)
    assert data.last().shape[1:3] == (4, 6)
    assert np.array_equal(data.from_first(data.first(), shape), data.x)
    assert np.array_equal(data.from_last(data.last(), shape), data.x)


def test_data_lie_where_the_row_says() -> None:
    for offset in (0, 4):
        assert Data(replace(SMALL, offset=offset), Numbers(1)).x.ctypes.data % 64 == offset


@pytest.mark.parametrize(
    "op, window, shape, dtype",
    [
        ("max", "3x3/2+1", (2, 7, 8), "float32"),
        ("min", "3x3/1+1", (2, 7, 8), "uint8"),
        ("avg", "3x3/2+1", (2, 7, 8), "float64"),
        ("avg", "2x2/2", (2, 6, 8), "uint8"),
        ("lp", "2x2/2", (2, 6, 8), "float32"),
    ],
)
def test_numpy_idioms_compute_what_cenote_computes(op: str, window: str, shape: tuple[int, ...], dtype: str) -> None:
    workload = replace(SMALL, op=op, geometry=slide(window), layout="CHW", shape=shape, dtype=dtype)
    data = Data(workload, Numbers(2))
    mine = ours.contestants(workload, data, 1, {})[0]
    assert mine.arrays is not None
    expected = mine.arrays(mine.call())
    for _, idiom in NumPy()._idioms(workload, data.x):
        found = [idiom().reshape(workload.out_shape)]
        check.compare(workload, Contestant("numpy", idiom), expected, found)


def test_a_peer_that_computes_something_else_is_caught() -> None:
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    peer = Contestant("peer", lambda: None)
    assert check.compare(SMALL, peer, [x], [x.copy()]) == "y equal"
    with pytest.raises(check.Mismatch, match="differs by up to 1"):
        check.compare(SMALL, peer, [x], [x + np.eye(3, 4, dtype=np.float32)])
    with pytest.raises(check.Mismatch, match="shape"):
        check.compare(SMALL, peer, [x], [x.T])
    average = replace(SMALL, op="avg", dtype="uint8")
    rounded = Contestant("peer", lambda: None, slack=1)
    assert check.compare(average, rounded, [x.astype(np.uint8)], [x.astype(np.uint8) + 1]) == "y within 1"
    with pytest.raises(check.Mismatch):
        check.compare(replace(average, dtype="float32"), peer, [x], [x + 0.01])


def test_cenote_takes_part_with_forward_and_backward(threads: None) -> None:
    for workload in (SMALL, replace(SMALL, backward=True), replace(SMALL, scaling=True)):
        data = Data(workload, Numbers(3))
        found = {c.name: c for c in ours.contestants(workload, data, 2, {})}
        mine = found[ours.NAME]
        mine.enter()
        assert mine.arrays is not None
        shapes = [workload.out_shape, workload.shape][: 1 + workload.backward]
        assert [a.shape for a in mine.arrays(mine.call())] == shapes
        assert (ours.ONE_THREAD in found) == workload.scaling
        assert mine.sample(2) > 0


def test_every_row_is_judged_with_the_cache_that_cenote_starts_with(threads: None) -> None:
    default = cenote.get_cache_limit()
    assert default > 0
    try:
        for _ in range(2):
            found = {c.name: c for c in ours.contestants(SMALL, Data(SMALL, Numbers(3)), 2, {})}
            found[ours.NAME].enter()
            assert cenote.get_cache_limit() == default
            found[ours.OFF].enter()  # the last to be timed in its row
            assert cenote.get_cache_limit() == 0
    finally:
        cenote.set_cache_limit(default)


def test_every_peer_has_a_name_and_a_title_in_the_report() -> None:
    assert all(report._TITLES[peer.name] == peer.title for peer in peers())
    assert all(isinstance(specs, tuple) and specs for specs in install.PEERS.values())


def test_a_peer_that_cannot_be_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[list[str]] = []

    def refuse_openvino(specs: list[str]) -> bool:
        asked.append(specs)
        return not any("openvino" in spec for spec in specs)

    monkeypatch.setattr(install, "install", refuse_openvino)
    assert install.main() == 0
    said = capsys.readouterr().out
    assert "OpenVINO (openvino==" in said
    assert "left out" in said
    assert said.count("***") == 2
    assert asked[-1] == [spec for name, specs in install.PEERS.items() if name != "OpenVINO" for spec in specs]


# --- timing -------------------------------------------------------------------------------------------------------


def entry(name: str, trial: float, log: list[str] | None = None, prime: bool = False) -> timing.Entry:
    def loop(repeat: int) -> float:
        if log is not None:
            log.append(name)
        return trial

    return timing.Entry(Contestant(name, lambda: None, loop=loop, prime=prime), trial)


def test_slow_contestants_get_fewer_rounds_and_the_slowest_one() -> None:
    entries = [entry("cenote", 0.004), entry("fast", 0.01), entry("torch", 0.4, prime=True), entry("lost", 0.4)]
    timing.give_up(entries)
    rounds = timing.plan(entries, timing.Effort(2.0, 21, 5))
    planned = {e.contestant.name: e.planned for e in entries}
    assert rounds == planned["cenote"] >= 5
    assert planned["torch"] == 3
    assert planned["lost"] == 0
    assert entries[3].samples == [(0, 0.4)]


def test_a_late_run_shortens_its_rounds() -> None:
    effort = timing.Effort(2.0, 21, 5, 100.0)
    assert effort.paced(0.0, 0.0, 0, 10).seconds == 2.0
    assert effort.paced(50.0, 20.0, 10, 5).seconds == 2.0  # 3 s a row beside the rounds: 10 s a row are left
    assert effort.paced(50.0, 20.0, 10, 12).seconds == pytest.approx(50 / 12 - 3)
    assert effort.paced(99.0, 20.0, 10, 12).seconds == 0.25


def test_fewer_rounds_are_spread_evenly() -> None:
    for planned in range(1, 11):
        turns = [turn for turn in range(10) if timing.takes_part(turn, 10, planned)]
        assert len(turns) == planned
        gaps = np.diff([-1, *turns])
        assert gaps.max() - gaps.min() <= 1


def test_the_order_is_drawn_anew_for_each_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "quiet", lambda: 0.0)
    monkeypatch.setattr(timing, "WARM", 0.0)
    log: list[str] = []
    entries = [entry(name, 0.001, log) for name in ("cenote", "stream", "a", "b")]
    rounds = timing.measure(entries, timing.Effort(1.0, 8, 5), random.Random(3))
    turns = [tuple(log[i : i + 4]) for i in range(0, len(log), 4)]
    assert rounds == 8
    assert all(sorted(turn) == ["a", "b", "cenote", "stream"] for turn in turns)
    assert len(set(turns)) > 3
    assert [turn for turn, _ in entries[0].samples] == list(range(8))


@pytest.mark.parametrize("spinning, pauses", [(0, 1), (3, 4), (10**6, 20)])
def test_a_turn_waits_until_threads_stop_spinning(spinning: int, pauses: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock:
        """Other threads use the processor for so many milliseconds."""

        now = 0.0

        def perf_counter(self) -> float:
            return self.now

        def process_time(self) -> float:
            return min(self.now, spinning * 1e-3)

        def sleep(self, seconds: float) -> None:
            self.now += seconds

    monkeypatch.setattr(timing, "time", Clock())
    assert timing.quiet() == pytest.approx(pauses * timing.PAUSE, abs=timing.PAUSE / 2)


def test_a_short_call_is_repeated_until_a_sample_is_long_enough() -> None:
    found, _ = timing.trial(Contestant("cenote", lambda: None, loop=lambda repeat: 1e-6))
    assert found.repeat >= 50


# --- results, bars, report ----------------------------------------------------------------------------------------


def test_json_there_and_back() -> None:
    before = run_of(row(cenote=1.0, torch=21.0, stream=0.9), row(replace(SMALL, op="avg", backward=True), cenote=2.0))
    text = results.to_json(before)
    assert json.loads(text)["format"] == 1
    assert results.from_json(text) == before
    with pytest.raises(ValueError, match="format 1"):
        results.from_json("{}")


def verdict(bar: str, run: Run) -> bars.Verdict:
    return next(v for v in bars.judge(run) if v.bar.id == bar)


def test_the_floor_is_a_peer_or_the_stream_limit() -> None:
    assert verdict("floor", run_of(row(cenote=1.0, torch=1.6, stream=0.5))).met is True
    assert verdict("floor", run_of(row(cenote=1.0, torch=1.2, stream=0.9))).met is True
    assert verdict("floor", run_of(row(cenote=1.0, torch=1.2, stream=0.5))).met is False
    assert verdict("floor", run_of(row(replace(SMALL, backward=True), cenote=1.0, torch=1.0))).met is None


def test_bars_say_by_how_much() -> None:
    found = verdict("torch-2x2", run_of(row(cenote=1.0, torch=12.0, torch_other=3.0)))
    assert found.met is False
    assert found.shortfall(found.short[0][1]) == "12 of 15: 20 % short"
    assert verdict("torch-2x2", run_of(row(cenote=1.0, torch=15.0))).met is True
    inside = verdict("stream-inside-l2", run_of(row(cenote=9.0, cenote_loop=2.0, stream=1.0, stream_nt=3.0)))
    assert inside.met is True
    assert inside.values[0][1] == pytest.approx(2.0)
    assert verdict("stream-beyond-l2", run_of(row(cenote=9.0, stream=1.0))).met is None


def test_backward_scaling_and_small_types() -> None:
    back = replace(SMALL, backward=True)
    assert verdict("backward-max-jax", run_of(row(back, cenote=1.0, jax=31.0))).met is True
    average = replace(back, op="avg")
    assert verdict("backward-avg", run_of(row(average, cenote=1.0, jax=7.0, torch=5.0))).met is False
    large = replace(SMALL, shape=(8, 64, 112, 112), scaling=True)
    scaled = run_of(row(large, cenote=1.0, cenote_1t=1.8, stream=1.0, stream_1t=1.9))
    assert verdict("threads-scale", scaled).values[0][1] == pytest.approx(1.8 / 1.9)
    bytes_ = replace(SMALL, shape=(8, 64, 112, 112), dtype="uint8")
    both = run_of(row(bytes_, cenote=1.0), row(replace(bytes_, dtype="float32"), cenote=4.2))
    assert verdict("8-bit", both).met is True


def test_the_report_shows_rows_ratios_and_reasons() -> None:
    text = report.render(run_of(row(cenote=2.0, torch=40.0, stream=1.6, cenote_off=3.0)), "### Notes\n\nBecause.")
    assert "| max 2x2/2 float32 NCHW 1x2x6x8 | 2 ± 1 % | 3 | 1.6 | 1.25 | PyTorch | 20.00 | 40 |" in text
    assert "| OpenCV | no strides | `max-2x2/2-f32-NCHW-1x2x6x8` |" in text
    assert "Because." in text
    assert "| **not met** |" in text or "| met |" in text
    for line in text.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")


def test_report_and_compare_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(results.to_json(run_of(row(cenote=1.0, torch=20.0, stream=0.9))))
    new.write_text(results.to_json(run_of(row(cenote=1.5, torch=20.0, stream=0.9))))
    assert cli.main(["compare", str(old), str(old)]) == 0
    assert cli.main(["compare", str(old), str(new), "--peer", "torch"]) == 1
    assert "slower  max-2x2/2-f32-NCHW-1x2x6x8" in capsys.readouterr().out
    assert cli.main(["compare", str(new), str(old)]) == 0
    assert cli.main(["run", "--list", "--quick", "--only", "no such row"]) == 0


def test_compare_judges_ratios_and_leaves_noise_alone() -> None:
    old = run_of(row(cenote=1.0, torch=20.0))
    drifted = run_of(row(cenote=3.0, torch=60.0))
    assert compare.compare(old, drifted, "torch").slower == ()
    noisy = Row(SMALL, {"cenote": column(0.5, 1.1, 2.0), "torch": column(20, 20, 20)}, {})
    assert compare.compare(old, run_of(noisy), "torch").slower == ()
    few = Row(SMALL, {"cenote": column(0.8, 1.07, 1.3), "torch": column(20)}, {})
    assert compare.compare(old, run_of(few), "torch").slower == ()  # one round in common proves little
    missing = compare.compare(old, run_of(row(cenote=1.0)), "torch")
    assert missing.not_judged == (SMALL.id,)
    assert missing.judged == 0


def test_a_peer_that_was_slow_is_spared_larger_windows() -> None:
    small, large = (replace(SMALL, geometry=slide(f"{k}x{k}/1"), shape=(1, 1, 64, 64)) for k in (3, 31))
    run.Rung(small, 0.01).before(large)
    with pytest.raises(Refusal, match=r"took 0.9 s for 3x3/1"):
        run.Rung(small, 0.9).before(large)


def test_a_refusal_is_no_crash() -> None:
    with pytest.raises(Refusal):
        NumPy().contestants(replace(SMALL, backward=True), Data(replace(SMALL, backward=True), Numbers(1)), 1)


def test_the_stream_kernel_reads_and_writes() -> None:
    from bench.stream import Stream

    try:
        stream = Stream()
    except Exception as error:
        pytest.skip(f"no compiler for the stream kernel: {error}")
    for workload in (SMALL, replace(SMALL, backward=True), replace(SMALL, shape=(1, 3, 65, 70), offset=4)):
        data = Data(workload, Numbers(1))
        found = stream.contestants(workload, data, 2)
        assert [c.name for c in found] == ["stream", "stream-nt", "stream-1t", "stream-nt-1t"]
        for contestant in found:
            y = contestant.keep[1]
            y[:] = 0
            assert contestant.sample(3) > 0
            assert y.any()
