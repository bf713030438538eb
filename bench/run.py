"""Run the table: make everybody's contestant, check it, time them together, print a line, go on."""

from __future__ import annotations

import gc
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

import numpy as np

from . import check, ours
from .contestant import Contestant, Peer, Refusal, version
from .data import Array, Data, Numbers
from .machine import machine, use_processors
from .results import Column, Row, Run
from .stream import Stream
from .timing import Effort, Entry, measure, trial
from .workload import Workload

PATIENCE: Final = 8.0  # seconds
SEPARABLE: Final = ("numpy", "opencv", "scipy")  # their time grows with the sides of a window, not with its area
FULL: Final = Effort(whole=900.0)  # the adapters take up to 180 s more
QUICK: Final = Effort(seconds=1.2, rounds=9, least=3, whole=150.0)

Say = Callable[[str], None]


@dataclass(slots=True)
class Field:
    """Who is there: peers that started, those that are missing, and the stream kernel."""

    threads: int
    peers: list[Peer] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    stream: Stream | None = None


@dataclass(frozen=True, slots=True)
class Rung:
    """What a peer's call took for the last row of a ladder; the next may be more than anybody wants to wait for."""

    workload: Workload
    seconds: float

    def before(self, following: Workload) -> None:
        """``Refusal`` if the work of the following row, at the same speed, would last too long."""
        if self.seconds * following.work / self.workload.work > PATIENCE:
            raise Refusal(f"took {self.seconds:.2g} s for {self.workload.geometry}, too long to go on")


def assemble(threads: int, candidates: Sequence[Peer], say: Say) -> Field:
    """Start everybody with the same number of threads; who cannot start is named."""
    chosen = use_processors(threads)
    # JAX reads these when it starts and then never again.
    os.environ["NPROC"] = str(threads)
    if threads == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    # So does the OpenMP runtime of PyTorch, which would otherwise start more workers than it is told to use later.
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    found = Field(min(threads, len(chosen)))
    for peer in candidates:
        try:
            peer.start(found.threads)
        except Exception as error:  # an installed library that cannot be loaded is missing as well
            found.missing[peer.name] = check.reason(error)
            say(f"missing: {peer.title} ({found.missing[peer.name]}), left out")
        else:
            found.peers.append(peer)
    try:
        found.stream = Stream()
    except Exception as error:
        found.missing["stream"] = check.reason(error)
        say(f"missing: the stream limit ({found.missing['stream']})")
    gc.freeze()  # ten libraries' modules: looking through them takes a third of a second, twice a row
    return found


def run(rows: Sequence[Workload], entrants: Field, effort: Effort, seed: int, say: Say) -> Run:
    """All rows, one after the other."""
    order = random.Random(seed)
    numbers = Numbers(seed)
    ladders: dict[tuple[str, str], Rung] = {}
    done: list[Row] = []
    began = time.perf_counter()
    if rows:
        say(f"{len(rows)} workloads, {entrants.threads} threads, about {effort.seconds + 1.5:.0f} s each, seed {seed}")
        say(f"taking part: {', '.join(peer.title for peer in entrants.peers)}")
    measured = 0.0
    for number, workload in enumerate(rows, 1):
        paced = effort.paced(time.perf_counter() - began, measured, number - 1, len(rows) - number + 1)
        row, seconds = _row(workload, entrants, paced, order, numbers, ladders)
        measured += seconds
        done.append(row)
        say(f"[{number}/{len(rows)} {time.perf_counter() - began:.0f} s] {line(row)}")
        gc.collect()
    took = round(time.perf_counter() - began, 1)
    settings = {"threads": entrants.threads, "seed": seed, "seconds": took, "effort": asdict(effort)}
    return Run(machine(), _versions(entrants), settings, entrants.missing, tuple(done))


def _row(
    workload: Workload,
    entrants: Field,
    effort: Effort,
    order: random.Random,
    numbers: Numbers,
    ladders: dict[tuple[str, str], Rung],
) -> tuple[Row, float]:
    """The row, and the seconds that its rounds took."""
    threads = workload.threads or entrants.threads
    data = Data(workload, numbers)
    left_out = dict(entrants.missing)
    mine = ours.contestants(workload, data, threads, left_out)
    entries, checks, reference = _own_entries(mine)
    for peer in entrants.peers:
        rung = ladders.get((workload.ladder, peer.name))
        try:
            if rung is not None:
                rung.before(workload)
            contestants = peer.contestants(workload, data, threads)
        except Exception as error:  # whatever a peer raises for work it does not know is its refusal
            left_out[peer.name] = check.reason(error)
            continue
        for contestant in contestants:
            try:
                entry, checks[contestant.name] = _tried(workload, contestant, reference)
            except Exception as error:
                left_out[contestant.name] = check.reason(error)
                continue
            entries.append(entry)
            if workload.ladder and contestant.name == peer.name and peer.name not in SEPARABLE:
                ladders[workload.ladder, peer.name] = Rung(workload, entry.trial)
    if entrants.stream is not None:
        entries += [trial(c)[0] for c in entrants.stream.contestants(workload, data, threads)]
    reference.clear()
    start = time.perf_counter()
    rounds = measure(entries, effort, order)
    seconds = time.perf_counter() - start
    columns = {
        entry.contestant.name: Column(
            tuple((turn, seconds * 1e3) for turn, seconds in entry.samples),
            entry.repeat,
            checks.get(entry.contestant.name, ""),
            entry.contestant.note,
        )
        for entry in entries
    }
    return Row(workload, columns, left_out, rounds), seconds


def _own_entries(mine: Sequence[Contestant]) -> tuple[list[Entry], dict[str, str], list[Array]]:
    entries, reference = [], []
    for contestant in mine:
        entry, result = trial(contestant)
        entries.append(entry)
        if contestant.name == ours.NAME and contestant.arrays is not None:
            reference = [np.array(array) for array in contestant.arrays(result)]
    return entries, {}, reference


def _tried(workload: Workload, contestant: Contestant, reference: list[Array]) -> tuple[Entry, str]:
    entry, result = trial(contestant)
    assert contestant.arrays is not None
    shapes = [workload.out_shape, workload.shape]
    theirs = [np.asarray(a).reshape(s) for a, s in zip(contestant.arrays(result), shapes, strict=False)]
    mine = [a.reshape(s) for a, s in zip(reference, shapes, strict=False)]
    return entry, check.compare(workload, contestant, mine, theirs)


def _versions(entrants: Field) -> dict[str, str]:
    import cenote

    about = cenote.info()
    own = {"cenote": about.version, "cenote target": about.target, "cenote compiler": about.compiler}
    packages = {package: version(package) for peer in entrants.peers for package in peer.packages}
    return own | packages | {"ml_dtypes": version("ml_dtypes")}


def line(row: Row) -> str:
    """What a person watching wants to see of a row."""

    def timed(name: str, label: str, factor: bool = True) -> str:
        ratio = row.ratio(name)
        return f"{label} {_number(row.columns[name].ms.median)}" + (f" ({ratio:.2g}x)" if factor and ratio else "")

    said = [timed("cenote", "cenote", False) + " ms"] if row.ours else ["cenote -"]
    peers = sorted(row.peers, key=lambda name: row.columns[name].ms.median)
    said += [timed(name, name) for name in peers]
    if row.stream_name is not None:
        said.append(timed(row.stream_name, "stream"))
    wrong = [name for name, why in row.left_out.items() if "differs" in why or "shape" in why or "finite" in why]
    tail = [f"EXCLUDED {name}: {row.left_out[name]}" for name in wrong]
    return f"{row.workload.id}: {', '.join(said + tail)}"


def _number(ms: float) -> str:
    return f"{ms:.3g}" if ms < 1000 else f"{ms:.0f}"
