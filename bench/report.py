"""``docs/benchmarks.md``, generated from a run. Nothing in it is typed but ``bench/notes.md``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from . import explorer_report as explorer
from .adapters import report as adapters
from .bars import judge, short_name
from .results import OURS, Row, Run
from .tables import bytes_text, number, table, verdicts

NOTES: Final = Path(__file__).with_name("notes.md")
IMAGE: Final = "images/benchmarks.png"
SIZES_IMAGE: Final = "images/benchmarks-sizes.png"
_TITLES: Final = {
    "torch": "PyTorch",
    "torch-other": "PyTorch, other layout",
    "jax": "JAX",
    "jax-other": "JAX, other layout",
    "tensorflow": "TensorFlow",
    "onnxruntime": "ONNX Runtime",
    "openvino": "OpenVINO",
    "opencv": "OpenCV",
    "numpy": "NumPy",
    "scipy": "SciPy",
    "skimage": "scikit-image",
    "tinybrain": "tinybrain",
    "cenote": "cenote",
    "cenote-off": "cenote, cache off",
    "cenote-1t": "cenote, one thread",
    "cenote-loop": "cenote, looped in C++",
}

_HOW: Final = """\
Each row is one workload. All contestants of a row run in one process, in random order within each round, each warmed
up before its turn and given the same number of threads; a turn begins when the threads of the one before have stopped
spinning, and a result is dropped before the next call. The tables show medians in milliseconds. **The ratios are what
to compare**: absolute times drift from hour to hour and machine to machine.

- **cenote** is the default: results come from the cache of freed buffers. **cache off** is the same with fresh memory
  for every result.
- **stream limit** is a kernel that only reads the input and writes as many bytes as the result (for forward and
  backward: both ways), on the same buffers, into memory that is already there, with the faster of plain and streaming
  stores. **x limit** is cenote's time over it; 1 is as fast as memory allows.
- **fastest** names the fastest peer in any layout, **x faster** is its time over cenote's. Above 1 cenote is faster.
- A peer that knows one layout only gets the row's numbers in that layout. PyTorch and JAX also run in the other one.
- Every peer's result is compared with cenote's once; who computes something else is left out and named.
- ± is half the distance between the quartiles. A star marks a median of fewer than three samples, because one call
  takes that long. A dash: not measured, see [who is left out](#who-is-left-out).
- Row names: window as size/stride+padding, then the shape in the order of its layout.
"""


def write(run: Run, docs: Path) -> list[Path]:
    """The page and, where matplotlib is installed, its charts; the files written."""
    (docs / IMAGE).parent.mkdir(parents=True, exist_ok=True)
    written = [docs / "benchmarks.md"]
    written[0].write_text(render(run, NOTES.read_text(encoding="utf-8")), encoding="utf-8")
    try:
        from .chart import draw, draw_sizes
    except ImportError:
        print("matplotlib is not installed: the charts are left as they are")
        return written
    if draw(run, docs / IMAGE):
        written.append(docs / IMAGE)
    if draw_sizes(run, docs / SIZES_IMAGE):
        written.append(docs / SIZES_IMAGE)
    return written


def render(run: Run, notes: str) -> str:
    """The whole page."""
    parts = [
        "# Benchmarks",
        "<!-- Made by `make bench` from its JSON. Edit bench/, not this file. -->",
        f"![How many times as long as cenote the others take, and the stream limit]({IMAGE})",
        "## How to read this",
        _HOW.strip(),
        "## The machine and the versions",
        _machine(run),
        "## The speed to reach",
        verdicts(judge(run), "Where it falls short"),
        notes.strip(),
        f"![Bytes moved per second against the size of the input]({SIZES_IMAGE})",
    ]
    for group in dict.fromkeys(row.workload.group for row in run.rows):
        parts += [f"## {group}", _group([row for row in run.rows if row.workload.group == group])]
    parts += adapters.section(run)
    parts += explorer.section(run)
    parts += ["## Who is left out", _left_out(run), "## What the checks found", _checks(run)]
    return "\n\n".join(parts) + "\n"


def _machine(run: Run) -> str:
    about = run.machine
    caches = ", ".join(f"{name} {bytes_text(size)}" for name, size in about.get("caches", {}).items())
    rows = [
        ("processor", f"{about.get('cpu')}, {about.get('processors')} processors" + _virtual(run)),
        ("vectors", ", ".join(about.get("vectors", [])) or "-"),
        ("caches", caches or "-"),
        ("memory", bytes_text(about.get("memory", 0))),
        ("governor", str(about.get("governor"))),
        ("huge pages", str(about.get("huge_pages")) or "-"),
        ("system", f"{about.get('system')}, {about.get('libc')}, {about.get('python')}"),
        ("threads", str(run.settings.get("threads"))),
        ("run", f"{_count(run)} rows in {run.settings.get('seconds', 0):.0f} s, seed {run.settings.get('seed')}"),
    ]
    rows += [(name, version) for name, version in run.versions.items()]
    rows += [(f"missing: {name}", reason) for name, reason in run.missing.items()]
    return table(("what", "value"), rows, right=2)


def _count(run: Run) -> int:
    return len(run.rows) + len(run.adapters) + len(run.peaks) + len(run.explorer)


def _virtual(run: Run) -> str:
    return ", virtual machine" if run.machine.get("virtual") else ""


def _group(rows: Sequence[Row]) -> str:
    names = [name for name in _TITLES if any(name in row.peers for row in rows)]
    extra = [n for n in ("cenote-off", "cenote-1t", "cenote-loop") if any(n in row.columns for row in rows)]
    head = ["workload", "cenote", *(_TITLES[n].removeprefix("cenote, ") for n in extra)]
    head += ["stream limit", "x limit", "fastest", "x faster", *(_TITLES[name] for name in names)]
    lines = []
    for row in rows:
        peer = row.fastest_peer
        cells = [short_name(row), _ms(row, OURS, spread=True), *(_ms(row, name) for name in extra)]
        cells += [_ms(row, row.stream_name), _times(row.ours, row.stream)]
        cells += ["-" if peer is None else _TITLES[peer], _times(row.median(peer or ""), row.ours)]
        lines.append([*cells, *(_ms(row, name) for name in names)])
    return table(head, lines)


def _times(above: float | None, below: float | None) -> str:
    return "-" if not above or not below else f"{above / below:.2f}"


def _ms(row: Row, name: str | None, spread: bool = False) -> str:
    column = row.columns.get(name or "")
    if column is None:
        return "-"
    ms = column.ms
    half = f" ± {100 * ms.spread:.0f} %" if spread else ""
    return number(ms.median) + "*" * (ms.count < 3) + half


def _left_out(run: Run) -> str:
    reasons: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in run.rows:
        for name, reason in row.left_out.items():
            reasons[name, reason].append(row)
    order = list(_TITLES)
    rows = []
    for (name, reason), where in sorted(reasons.items(), key=lambda item: (_place(order, item[0][0]), -len(item[1]))):
        which = f"`{where[0].workload.id}`" if len(where) == 1 else f"{len(where)} rows"
        rows.append((_TITLES.get(name, name), reason.replace("|", "\\|"), which))
    return table(("peer", "why", "where"), rows, right=3) if rows else "Nobody."


def _place(order: list[str], name: str) -> int:
    return order.index(name) if name in order else len(order)


def _checks(run: Run) -> str:
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    notes: dict[str, set[str]] = defaultdict(set)
    for row in run.rows:
        for name, column in row.peers.items():
            equal = all(part.endswith("equal") for part in column.check.split(", "))
            ties = "ties" in column.check
            found[name]["equal" if equal else "equal but for ties" if ties else "within the tolerance"] += 1
            if column.note:
                notes[name].add(column.note)
    rows = []
    for name in (n for n in _TITLES if n in found):
        counts = ", ".join(f"{count} {word}" for word, count in found[name].items())
        rows.append((_TITLES[name], counts, "; ".join(sorted(notes[name])) or "-"))
    return table(("peer", "rows", "notes"), rows, right=3) if rows else "No peer took part."
