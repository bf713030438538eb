"""The speed to reach, as data: each bar says which rows it judges, by which number, and what that must be.

A value of at least ``least``, or of at most ``most``; ``None`` where a row lacks what the number needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

from .results import Row, Run
from .workload import Workload, shape_text

R = TypeVar("R")
Value = Callable[[Row, Run], float | None]
Which = Callable[[Row, Run], bool]


@dataclass(frozen=True, slots=True)
class Bar(Generic[R]):
    """One sentence of the goal, about rows of one kind."""

    id: str
    text: str
    which: Callable[[R, Run], bool]
    value: Callable[[R, Run], float | None]
    least: float | None = None
    most: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a row with this value meets the bar."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A bar on a run: the rows it judged, by name and worst first, and those it could not judge."""

    bar: Bar[Any]
    values: tuple[tuple[str, float], ...]
    unmeasured: tuple[str, ...]

    @property
    def short(self) -> tuple[tuple[str, float], ...]:
        """The rows that fall short, worst first."""
        return tuple((name, value) for name, value in self.values if not self.bar.holds(value))

    @property
    def met(self) -> bool | None:
        """None if nothing was judged."""
        return not self.short if self.values else None

    def shortfall(self, value: float) -> str:
        """By how much a value misses the bar."""
        if self.bar.least is not None and value < self.bar.least:
            return f"{value:.3g} of {self.bar.least:g}: {100 * (1 - value / self.bar.least):.0f} % short"
        limit = self.bar.most or 0.0
        over = f"{100 * (value / limit - 1):.0f} % over" if limit else "over"
        return f"{value:.3g} of at most {limit:g}: {over}"


def judge(run: Run) -> tuple[Verdict, ...]:
    """Every bar on every row that it is about."""
    return tuple(verdict(bar, run, run.rows, short_name) for bar in BARS)


def verdict(bar: Bar[R], run: Run, rows: Iterable[R], named: Callable[[R], str]) -> Verdict:
    """One bar on those of the rows that it is about."""
    found = [(named(row), bar.value(row, run)) for row in rows if bar.which(row, run)]
    values = [(name, value) for name, value in found if value is not None]
    values.sort(key=lambda pair: pair[1], reverse=bar.most is not None)
    return Verdict(bar, tuple(values), tuple(name for name, value in found if value is None))


# --- numbers ------------------------------------------------------------------------------------------------------


def over(*names: str) -> Value:
    """The fastest of these columns over cenote's time."""

    def value(row: Row, run: Run) -> float | None:
        ratios = [r for r in map(row.ratio, names) if r is not None]
        return min(ratios, default=None)

    return value


def fastest_peer(row: Row, run: Run) -> float | None:
    """The fastest peer over cenote's time."""
    return row.ratio(row.fastest_peer)


def of_stream(row: Row, run: Run) -> float | None:
    """cenote's time over the stream limit."""
    return row.ours / row.stream if row.ours and row.stream else None


def loop_of_stream(row: Row, run: Run) -> float | None:
    """The same without Python in between where that was measured: in a cache the call costs more than the work."""
    ours = row.median("cenote-loop") or row.ours
    return ours / row.stream if ours and row.stream else None


def floor(row: Row, run: Run) -> float | None:
    """How far above the floor: the better of (fastest peer / 1.5) and (1.15 stream limits), each over cenote's time."""
    peer, stream = fastest_peer(row, run), of_stream(row, run)
    shares = ([peer / 1.5] if peer is not None else []) + ([1.15 / stream] if stream is not None else [])
    return max(shares, default=None)


def per_float32(row: Row, run: Run) -> float | None:
    """The time of the float32 twin over this row's: so many times fewer milliseconds per element."""
    twin = run.row(replace(row.workload, dtype="float32").id)
    return None if twin is None or not twin.ours or not row.ours else twin.ours / row.ours


def scaling(row: Row, run: Run) -> float | None:
    """What all threads gain over one, as a share of what they gain the stream kernel."""
    one, stream, one_stream = row.median("cenote-1t"), row.stream, row.stream_one_thread
    if not (one and row.ours and stream and one_stream):
        return None
    return (one / row.ours) / (one_stream / stream)


def against_one_thread(row: Row, run: Run) -> float | None:
    """One thread's time over that of all threads."""
    one = row.median("cenote-1t")
    return one / row.ours if one and row.ours else None


def call_overhead(row: Row, run: Run) -> float | None:
    """Microseconds of a call beyond the same plan looped in C++."""
    loop = row.median("cenote-loop")
    return (row.ours - loop) * 1e3 if row.ours and loop else None


# --- rows ---------------------------------------------------------------------------------------------------------


def _forward(w: Workload) -> bool:
    return not w.backward and not w.overhead


def rows(test: Callable[[Workload], bool]) -> Which:
    """The rows whose workload passes."""
    return lambda row, run: test(row.workload)


def _torch_max(w: Workload) -> bool:
    return _forward(w) and w.op == "max" and w.dtype == "float32" and w.threads is None and not w.geometry.parts


def _window(w: Workload, *texts: str) -> bool:
    return str(w.geometry) in texts


def _streaming(w: Workload) -> bool:
    return _forward(w) and w.op == "max" and _window(w, "2x2/2", "3x3/2+1", "2x2x2/2")


def _beyond(row: Row, run: Run) -> bool:
    return row.workload.moved_bytes > run.l2_bytes


def _stride_one(w: Workload, smallest: int, largest: int) -> bool:
    return w.group == "Stride-1 windows" and smallest <= w.geometry.size[0] <= largest


def _backward(w: Workload, *ops: str) -> bool:
    return w.backward and w.op in ops and w.dtype == "float32"


BARS: Final[tuple[Bar[Row], ...]] = (
    Bar(
        "floor",
        "Every forward row, every layout and type: at least 1.5x the fastest of all peers, or within 1.15x of the "
        "stream limit (the number is the better of the two, 1 is met)",
        rows(_forward),
        floor,
        least=1,
    ),
    Bar(
        "torch-9-taps",
        "PyTorch, float32 sliding max windows of 9 taps or more, channels first: at least 20x",
        rows(lambda w: _torch_max(w) and not w.channels_last and w.taps >= 9),
        over("torch"),
        least=20,
    ),
    Bar(
        "torch-2x2",
        "PyTorch, float32 max 2x2/2, channels first: at least 15x",
        rows(lambda w: _torch_max(w) and not w.channels_last and _window(w, "2x2/2")),
        over("torch"),
        least=15,
    ),
    Bar(
        "torch-nhwc",
        "PyTorch, float32 sliding max windows, channels last: at least 5x",
        rows(lambda w: _torch_max(w) and w.channels_last),
        over("torch"),
        least=5,
    ),
    Bar(
        "sppf",
        "SPPF (5x5/1 on 20x20): at least 2.5x the fastest peer",
        rows(lambda w: _forward(w) and _window(w, "5x5/1+2") and w.lengths == (20, 20)),
        fastest_peer,
        least=2.5,
    ),
    Bar(
        "spp",
        "SPP (13x13/1 on 19x19): at least 5x the fastest peer",
        rows(lambda w: _forward(w) and _window(w, "13x13/1+6") and w.lengths == (19, 19)),
        fastest_peer,
        least=5,
    ),
    Bar(
        "opencv-31",
        "31x31: at least 3x OpenCV",
        rows(lambda w: _forward(w) and w.op == "max" and w.dtype == "float32" and _window(w, "31x31/1+15")),
        over("opencv"),
        least=3,
    ),
    Bar(
        "opencv-101",
        "101x101: at least 8x OpenCV",
        rows(lambda w: _forward(w) and w.op == "max" and w.dtype == "float32" and _window(w, "101x101/1+50")),
        over("opencv"),
        least=8,
    ),
    Bar(
        "opencv-uint8",
        "uint8 average 2x2/2: at least 1.5x OpenCV (half to even against its half up)",
        rows(lambda w: _forward(w) and w.op == "avg" and w.dtype == "uint8"),
        over("opencv"),
        least=1.5,
    ),
    Bar(
        "global",
        "Global average of 7x7: at least 2x the fastest peer",
        rows(lambda w: _forward(w) and w.op == "avg" and w.geometry.is_global),
        fastest_peer,
        least=2,
    ),
    Bar(
        "stream-beyond-l2",
        "2x2/2, 3x3/2 and 2x2x2/2 beyond the L2 caches: at most 1.3x the stream limit",
        lambda row, run: _streaming(row.workload) and _beyond(row, run),
        of_stream,
        most=1.3,
    ),
    Bar(
        "stream-inside-l2",
        "The same inside the L2 caches: at most 2.5x (plan looped in C++ where that was measured)",
        lambda row, run: _streaming(row.workload) and not _beyond(row, run),
        loop_of_stream,
        most=2.5,
    ),
    Bar(
        "stride-1-to-31",
        "Stride-1 windows up to 31 taps a side: at most 2x the stream limit",
        rows(lambda w: _stride_one(w, 1, 31)),
        of_stream,
        most=2,
    ),
    Bar(
        "stride-1-to-101",
        "Stride-1 windows up to 101 taps a side: at most 3x the stream limit",
        rows(lambda w: _stride_one(w, 32, 101)),
        of_stream,
        most=3,
    ),
    Bar(
        "backward-max-torch",
        "Forward and backward, max: at least 15x PyTorch",
        rows(lambda w: _backward(w, "max")),
        over("torch"),
        least=15,
    ),
    Bar(
        "backward-max-jax",
        "Forward and backward, max: at least 30x JAX",
        rows(lambda w: _backward(w, "max")),
        over("jax"),
        least=30,
    ),
    Bar(
        "backward-avg",
        "Forward and backward, average: at least 6x the faster of PyTorch and JAX",
        rows(lambda w: _backward(w, "avg")),
        over("torch", "jax"),
        least=6,
    ),
    Bar(
        "8-bit",
        "8-bit: at least 4x fewer milliseconds than float32 per element, beyond the L2 caches",
        lambda row, run: _forward(row.workload) and row.workload.dtype in ("int8", "uint8") and _beyond(row, run),
        per_float32,
        least=4,
    ),
    Bar(
        "16-bit-max",
        "16-bit max: at least 1.7x fewer milliseconds than float32 per element, beyond the L2 caches",
        lambda row, run: _sixteen(row.workload, "max") and _beyond(row, run),
        per_float32,
        least=1.7,
    ),
    Bar(
        "16-bit-avg",
        "16-bit average: at least 1.3x fewer milliseconds than float32 per element, beyond the L2 caches",
        lambda row, run: _sixteen(row.workload, "avg") and _beyond(row, run),
        per_float32,
        least=1.3,
    ),
    Bar(
        "threads-scale",
        "All threads from 4 MB on: at least 0.9 of the stream kernel's own gain over one thread",
        rows(lambda w: w.scaling and w.x_bytes >= 4_000_000),
        scaling,
        least=0.9,
    ),
    Bar(
        "threads-never-slower",
        "All threads are never slower than one, at any size (5 % are left to noise)",
        rows(lambda w: w.scaling),
        against_one_thread,
        least=0.95,
    ),
    Bar(
        "call-overhead",
        "A call on a small map: at most 2 microseconds more than the same plan looped in C++",
        rows(lambda w: w.overhead),
        call_overhead,
        most=2,
    ),
)


def _sixteen(w: Workload, op: str) -> bool:
    return _forward(w) and w.op == op and w.dtype in ("float16", "bfloat16")


def short_name(row: Row) -> str:
    """A row in words: all that tells it from the other rows."""
    w = row.workload
    words = [f"{w.op} {w.geometry} {w.dtype} {w.layout} {shape_text(w.shape)}"]
    words += ["forward and backward"] * w.backward + [f"misaligned by {w.offset}"] * bool(w.offset)
    words += ["one thread"] * (w.threads == 1)
    return ", ".join(words)
