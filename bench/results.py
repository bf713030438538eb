"""A run as it is written to JSON, and as reports, bars and comparisons read it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from .stats import Summary, quantile, ratios, summary
from .workload import Geometry, Workload

FORMAT: Final = 1
OURS: Final = "cenote"
NOT_PEERS: Final = ("cenote", "stream")


@dataclass(frozen=True, slots=True)
class Column:
    """One contestant's part of a row: (round, milliseconds per call), and what the check of its result said."""

    samples: tuple[tuple[int, float], ...]
    repeat: int = 1
    check: str = ""
    note: str = ""

    @property
    def ms(self) -> Summary:
        """Its milliseconds per call."""
        return summary([value for _, value in self.samples])


@dataclass(frozen=True)
class Row:
    """One workload with its columns, and why others have none."""

    workload: Workload
    columns: dict[str, Column]
    left_out: dict[str, str]
    rounds: int = 0

    def median(self, name: str) -> float | None:
        """A contestant's median in milliseconds; None if it took no part."""
        column = self.columns.get(name)
        return None if column is None else column.ms.median

    @property
    def ours(self) -> float | None:
        """cenote's median at default settings."""
        return self.median(OURS)

    @cached_property
    def stream_name(self) -> str | None:
        """The faster of the stream kernels at the row's threads (in small rows also one thread)."""
        names = [n for n in self.columns if n.startswith("stream") and (self._small or not n.endswith("-1t"))]
        return min(names, key=lambda name: self.columns[name].ms.median, default=None)

    @property
    def _small(self) -> bool:
        return self.workload.moved_bytes <= 1 << 20

    @property
    def stream(self) -> float | None:
        """The stream limit in milliseconds."""
        return None if self.stream_name is None else self.median(self.stream_name)

    @property
    def stream_one_thread(self) -> float | None:
        """The stream limit of one thread."""
        found = [c.ms.median for n, c in self.columns.items() if n.startswith("stream") and n.endswith("-1t")]
        return min(found, default=None)

    @property
    def peers(self) -> dict[str, Column]:
        """The columns of other libraries."""
        return {name: column for name, column in self.columns.items() if name.split("-")[0] not in NOT_PEERS}

    @cached_property
    def fastest_peer(self) -> str | None:
        """The name of the fastest other library."""
        return min(self.peers, key=lambda name: self.columns[name].ms.median, default=None)

    def ratio(self, name: str | None) -> float | None:
        """How many times as long as cenote the column takes."""
        other = None if name is None else self.median(name)
        return None if other is None or not self.ours else other / self.ours


@dataclass(frozen=True)
class Measured:
    """A row about an adapter: ``ours`` is judged against the columns of ``base``, added up."""

    id: str
    title: str
    group: str
    ours: str
    base: tuple[str, ...]
    columns: dict[str, Column]
    left_out: dict[str, str]
    rounds: int = 0

    def ratio(self, above: tuple[str, ...], below: tuple[str, ...]) -> Summary | None:
        """Times of some columns over those of others, round by round; None if one of them took no part."""
        if not all(name in self.columns for name in (*above, *below)):
            return None
        return ratios([self.columns[n].samples for n in above], [self.columns[n].samples for n in below])

    @property
    def of_base(self) -> Summary | None:
        """``ours`` over ``base``."""
        return self.ratio((self.ours,), self.base)


@dataclass(frozen=True)
class Peak:
    """What training steps of a network need, in bytes, by variant and by what was counted."""

    id: str
    title: str
    variants: dict[str, dict[str, int]]
    left_out: dict[str, str]


@dataclass(frozen=True)
class Timed:
    """A row about the explorer's page: milliseconds in a browser, one after the other, or why there are none."""

    id: str
    title: str
    group: str
    samples: tuple[float, ...]
    left_out: str = ""

    @property
    def median(self) -> float:
        """Half of the samples are shorter."""
        return quantile(self.samples, 0.5)

    @property
    def p95(self) -> float:
        """95 of 100 samples are shorter."""
        return quantile(self.samples, 0.95)


@dataclass(frozen=True)
class Run:
    """A whole run."""

    machine: dict[str, Any]
    versions: dict[str, str]
    settings: dict[str, Any]
    missing: dict[str, str]
    rows: tuple[Row, ...]
    adapters: tuple[Measured, ...] = ()
    peaks: tuple[Peak, ...] = ()
    explorer: tuple[Timed, ...] = ()

    @property
    def l2_bytes(self) -> int:
        """The L2 caches of the threads used, together."""
        return int(self.machine.get("caches", {}).get("L2", 1 << 20)) * int(self.settings["threads"])

    def row(self, workload_id: str) -> Row | None:
        """A row by its id."""
        return next((row for row in self.rows if row.workload.id == workload_id), None)


def to_json(run: Run) -> str:
    """As text; one line per contestant, so that two runs can be compared by eye as well."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "machine": run.machine,
        "versions": run.versions,
        "settings": run.settings,
        "missing": run.missing,
    }
    head = json.dumps(document, indent=1)[:-2]
    rows = [_entry({"id": row.workload.id, "workload": asdict(row.workload)}, row) for row in run.rows]
    adapters = [
        _entry({name: getattr(case, name) for name in ("id", "title", "group", "ours", "base")}, case)
        for case in run.adapters
    ]
    peaks = ["  " + json.dumps(asdict(peak)) for peak in run.peaks]
    explorer = ["  " + json.dumps(asdict(row)) for row in run.explorer]
    lists = {"rows": rows, "adapters": adapters, "peaks": peaks, "explorer": explorer}
    return head + "".join(_listed(name, entries) for name, entries in lists.items()) + "\n}\n"


def _listed(name: str, entries: list[str]) -> str:
    return f',\n "{name}": [\n' + ",\n".join(entries) + "\n ]"


def _entry(about: dict[str, Any], row: Row | Measured) -> str:
    lines = [f'   "{name}": {json.dumps(_column(column))}' for name, column in row.columns.items()]
    columns = "{\n" + ",\n".join(lines) + "\n  }"
    said = [f'"{name}": {json.dumps(value)}' for name, value in about.items()]
    said += [f'"rounds": {row.rounds}, "left_out": {json.dumps(row.left_out)}', f'"columns": {columns}']
    return "  {" + ",\n  ".join(said) + "}"


def _column(column: Column) -> dict[str, Any]:
    samples = [[turn, float(f"{value:.5g}")] for turn, value in column.samples]
    return {"samples": samples, "repeat": column.repeat, "check": column.check, "note": column.note}


def from_json(text: str) -> Run:
    """Read it back; ValueError if it is no run of this format."""
    document = json.loads(text)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"not a benchmark run of format {FORMAT}; make one with: python -m bench run --out FILE.json")
    rows = tuple(
        Row(_workload(entry["workload"]), _columns(entry), entry["left_out"], entry["rounds"])
        for entry in document["rows"]
    )
    adapters = tuple(
        Measured(
            entry["id"],
            entry["title"],
            entry["group"],
            entry["ours"],
            tuple(entry["base"]),
            _columns(entry),
            entry["left_out"],
            entry["rounds"],
        )
        for entry in document.get("adapters", ())
    )
    peaks = tuple(Peak(**entry) for entry in document.get("peaks", ()))
    explorer = tuple(Timed(**{**entry, "samples": tuple(entry["samples"])}) for entry in document.get("explorer", ()))
    settings, missing = document["settings"], document["missing"]
    return Run(document["machine"], document["versions"], settings, missing, rows, adapters, peaks, explorer)


def _columns(entry: dict[str, Any]) -> dict[str, Column]:
    return {
        name: Column(tuple((int(r), float(ms)) for r, ms in c["samples"]), c["repeat"], c["check"], c["note"])
        for name, c in entry["columns"].items()
    }


def _workload(entry: dict[str, Any]) -> Workload:
    geometry = Geometry(**{name: tuple(value) for name, value in entry["geometry"].items()})
    return Workload(**{**entry, "geometry": geometry, "shape": tuple(entry["shape"])})


def read(path: Path) -> Run:
    """From a file."""
    return from_json(path.read_text(encoding="utf-8"))
