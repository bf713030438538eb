"""The section of ``docs/benchmarks.md`` about the adapters, generated from a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..bars import Verdict
from ..results import Measured, Run
from ..tables import bytes_text, number, table, verdicts
from .bars import judge

TITLE: Final = "Inside the frameworks"
_HOW: Final = """\
What an adapter costs on top of the NumPy call, and what a framework gains by it. The protocol is that of the other
rows: one process, random order within each round, equal threads. Before anybody is timed, results are compared: of
large calls with the NumPy call's, which cenote.torch and cenote.jax must equal everywhere, of others with the
framework's own. Ratios are medians of the ratios within rounds (of the medians where few rounds are shared).

- **NumPy call**: `cenote.max_pool` and the like, or `cenote.vjp` and its pullback, on the same numbers; for PyTorch on
  the very memory of the tensor.
- **fill**: an XLA handler that only writes one byte everywhere into results of the same sizes. JAX owns its buffers, so
  every call pays for having them.
- **install**: PyTorch's own function or network after `cenote.torch.install()`; **convert**: after
  `cenote.torch.convert(model)`; **before**: neither."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A column of a table: some times over others."""

    title: str
    above: tuple[str, ...]
    below: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A table: its columns by name, with their titles, its ratios, and the unit."""

    title: str
    columns: tuple[tuple[str, str], ...]
    ratios: tuple[Ratio, ...]
    microseconds: bool = False


def _large(framework: str, room: str, base: tuple[str, ...], words: str) -> Group:
    columns = [(framework, _FRAMEWORKS[framework]), (room, room), ("cenote", "NumPy call")]
    columns += [("fill", "fill")] * ("fill" in base)
    to_base = "x NumPy call" + " + fill" * ("fill" in base)
    ratios = (Ratio(to_base, (room,), base), Ratio(f"{_FRAMEWORKS[framework]} / cenote", (framework,), (room,)))
    return Group(f"{_FRAMEWORKS[framework]}: large calls{words}", tuple(columns), ratios)


_FRAMEWORKS: Final = {"torch": "PyTorch", "jax": "JAX"}
_WITH_FILL: Final = ("cenote", "fill")
_BOTH_WAYS: Final = ", forward and backward"
GROUPS: Final[dict[str, Group]] = {
    "torch-forward": _large("torch", "cenote.torch", ("cenote",), ""),
    "torch-backward": _large("torch", "cenote.torch", ("cenote",), _BOTH_WAYS),
    "jax-forward": _large("jax", "cenote.jax", _WITH_FILL, ""),
    "jax-backward": _large("jax", "cenote.jax", _WITH_FILL, _BOTH_WAYS),
    "torch-call": Group(
        "PyTorch: what a call costs, on 1x8x8x8 float32",
        (("torch", "PyTorch"), ("cenote.torch", "cenote.torch"), ("install", "install")),
        (Ratio("x PyTorch", ("cenote.torch",), ("torch",)), Ratio("install x PyTorch", ("install",), ("torch",))),
        microseconds=True,
    ),
    "jax-call": Group(
        "JAX: what a call costs, on 1x8x8x8 float32",
        (("jax", "reduce_window"), ("cenote.jax", "cenote.jax"), ("cenote", "NumPy call")),
        (Ratio("x reduce_window", ("cenote.jax",), ("jax",)),),
        microseconds=True,
    ),
    "torch-networks": Group(
        "PyTorch: networks, before and after",
        (("before", "before"), ("install", "install"), ("convert", "convert")),
        (Ratio("before / install", ("before",), ("install",)), Ratio("before / convert", ("before",), ("convert",))),
    ),
    "jax-networks": Group(
        "JAX: a network, before and after",
        (("jax", "reduce_window"), ("flax", "flax.linen.max_pool"), ("cenote.jax", "cenote.jax.flax.max_pool")),
        (
            Ratio("reduce_window / cenote", ("jax",), ("cenote.jax",)),
            Ratio("Flax / cenote", ("flax",), ("cenote.jax",)),
        ),
    ),
}

_MEMORY: Final = """\
Each variant takes its steps in a fresh process. **Resident** is the high-water mark of all its memory, as the kernel
counts it, **added** how much that is above what was resident before the first step. The rest is what
`saved_tensors_hooks` see in one forward pass: **pooling saves** adds up what pooling layers keep for the backward pass,
**nobody else** what of that no other layer keeps as well (PyTorch's maxima keep their input, which the ReLU before them
keeps anyway), **all layers** everything, each piece of memory once. The C library is told to give freed memory back at
once (`MALLOC_MMAP_THRESHOLD_`), for by default the same steps differ by a tenth from run to run. **Cache off**: without
cenote's own cache of freed results, which is resident memory too (`cenote.set_cache_limit`)."""
_COUNTS: Final = (
    ("resident", "resident"),
    ("added", "added"),
    ("pooling", "pooling saves"),
    ("pooling_alone", "nobody else"),
    ("all", "all layers save"),
)
_VARIANTS: Final = {"install-off": "install, cache off"}


def section(run: Run) -> list[str]:
    """Its paragraphs; none if the run has no such rows."""
    if not (run.adapters or run.peaks):
        return []
    parts = [f"## {TITLE}", _HOW]
    if run.adapters:
        parts.append(verdicts(_judged(run), "Which of these rows fall short"))
    for name, group in GROUPS.items():
        rows = [row for row in run.adapters if row.group == name]
        if rows:
            parts += [f"### {group.title}", _table(group, rows)]
    if run.peaks:
        parts += ["### PyTorch: memory of training steps, before and after", _MEMORY, _peaks(run)]
    if any(row.columns for row in run.adapters):
        parts += ["### What the checks of these rows found", _checks(run)]
    left_out = _left_out(run)
    return [*parts, "### Who is left out of these rows", left_out] if left_out else parts


def _judged(run: Run) -> list[Verdict]:
    return [verdict for verdict in judge(run) if verdict.values or verdict.unmeasured]


def _table(group: Group, rows: Sequence[Measured]) -> str:
    unit = "us" if group.microseconds else "ms"
    head = ["row", *(f"{title}, {unit}" for _, title in group.columns), *(ratio.title for ratio in group.ratios)]
    lines = []
    for row in rows:
        times = [_time(row, name, 1e3 if group.microseconds else 1.0) for name, _ in group.columns]
        lines.append([row.title.replace("|", "\\|"), *times, *(_ratio(row, ratio) for ratio in group.ratios)])
    return table(head, lines)


def _time(row: Measured, name: str, unit: float) -> str:
    column = row.columns.get(name)
    if column is None:
        return "-"
    ms = column.ms
    return number(ms.median * unit) + "*" * (ms.count < 3) + f" ± {100 * ms.spread:.0f} %"


def _ratio(row: Measured, ratio: Ratio) -> str:
    found = row.ratio(ratio.above, ratio.below)
    return "-" if found is None else f"{found.median:.2f}"


def _peaks(run: Run) -> str:
    lines = []
    for peak in run.peaks:
        for variant, counted in peak.variants.items():
            counts = [bytes_text(counted[name]) if name in counted else "-" for name, _ in _COUNTS]
            lines.append([peak.title, _VARIANTS.get(variant, variant), *counts])
    return table(("network", "variant", *(title for _, title in _COUNTS)), lines, right=2)


def _checks(run: Run) -> str:
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in run.adapters:
        for name, column in row.columns.items():
            words = column.check
            if words.startswith("within") or " within " in words:
                words = "within the tolerance"
            elif "ties" in words:
                words = "equal but for ties"
            found[name][words.replace("y equal, dx equal", "equal").replace("y equal", "equal")] += 1
    lines = [(name, ", ".join(f"{count} {words}" for words, count in sums.items())) for name, sums in found.items()]
    return table(("column", "rows"), lines, right=2)


def _left_out(run: Run) -> str:
    reasons: dict[tuple[str, str], list[str]] = defaultdict(list)
    rows = [(row.title, row.left_out) for row in run.adapters] + [(peak.title, peak.left_out) for peak in run.peaks]
    for title, left_out in rows:
        for name, reason in left_out.items():
            reasons[name, reason].append(title)
    lines = [
        (name, reason.replace("|", "\\|"), where[0] if len(where) == 1 else f"{len(where)} rows")
        for (name, reason), where in reasons.items()
    ]
    return table(("column", "why", "where"), lines, right=3) if lines else ""
