"""Run the rows about adapters: make the contestants, check them against the first, time them together, go on."""

from __future__ import annotations

import math
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from .. import check
from ..contestant import Contestant, version
from ..data import Array, Numbers
from ..results import Column, Measured, Peak, Run
from ..timing import Effort, Entry, measure, trial
from . import calls, peak
from .case import Case, Kit
from .networks import Network

Say = Callable[[str], None]
FULL: Final = Effort(whole=150.0)
QUICK: Final = Effort(seconds=0.6, rounds=7, least=3, whole=60.0)
_SMALL_CALLS_ROUNDS: Final = 3  # times as many: their turns take a few milliseconds
PACKAGES: Final = ("torch", "jax", "jaxlib", "flax")


def run(cases: Sequence[Case], threads: int, effort: Effort, seed: int, say: Say) -> tuple[Measured, ...]:
    """All rows, one after the other."""
    order, kit = random.Random(seed), Kit(threads, Numbers(seed))
    began, measured = time.perf_counter(), 0.0
    done: list[Measured] = []
    for number, case in enumerate(cases, 1):
        paced = effort.paced(time.perf_counter() - began, measured, number - 1, len(cases) - number + 1)
        row, seconds = one(case, kit, paced, order)
        measured += seconds
        done.append(row)
        say(f"[adapters {number}/{len(cases)} {time.perf_counter() - began:.0f} s] {line(row)}")
    return tuple(done)


def one(case: Case, kit: Kit, effort: Effort, order: random.Random) -> tuple[Measured, float]:
    """A row, and the seconds that its rounds took."""
    entries: list[Entry] = []
    checks: dict[str, str] = {}
    left_out: dict[str, str] = {}
    try:
        _enter(case, case.make(kit), entries, checks, left_out)
        rounds, seconds = _timed(case, entries, effort, order)
    except Exception as error:  # the framework or the adapter is missing, or the reference itself fails
        left_out[case.ours], rounds, seconds = check.reason(error), 0, 0.0
        entries.clear()
    finally:
        _leave(kit.threads)
    columns = {
        entry.contestant.name: Column(
            tuple((turn, seconds * 1e3) for turn, seconds in entry.samples),
            entry.repeat,
            checks.get(entry.contestant.name, ""),
        )
        for entry in entries
    }
    return Measured(case.id, case.title, case.group, case.ours, case.base, columns, left_out, rounds), seconds


def _enter(
    case: Case,
    contestants: Sequence[Contestant],
    entries: list[Entry],
    checks: dict[str, str],
    left_out: dict[str, str],
) -> None:
    reference: list[Array] = []
    for contestant in contestants:
        try:
            entry, result = trial(contestant)
            assert contestant.arrays is not None
            found = list(contestant.arrays(result))
            if not entries:
                reference = [np.array(array) for array in found]
                checks[contestant.name] = "the reference"
            else:
                checks[contestant.name] = _checked(case, contestant, reference, found)
        except Exception as error:
            if not entries:
                raise
            left_out[contestant.name] = check.reason(error)
            continue
        entries.append(entry)


def _checked(case: Case, contestant: Contestant, reference: Sequence[Array], found: Sequence[Array]) -> str:
    if contestant.name == calls.FILL:
        if not calls.filled(found):
            raise check.Mismatch("did not fill everything")
        return "filled"
    if case.workload is not None:
        return check.compare(case.workload, contestant, reference, found)
    return check.agree(contestant, reference, found)


def _timed(case: Case, entries: Sequence[Entry], effort: Effort, order: random.Random) -> tuple[int, float]:
    paced = replace(effort, seconds=effort.seconds * case.patience)
    if case.sample:
        paced = replace(paced, rounds=effort.rounds * _SMALL_CALLS_ROUNDS)
        for entry in entries:
            entry.repeat = max(entry.repeat, math.ceil(case.sample / max(entry.trial, 1e-9)))
    start = time.perf_counter()
    return measure(entries, paced, order), time.perf_counter() - start


def _leave(threads: int) -> None:
    """PyTorch is as it was, whatever the last turn made of it."""
    room = sys.modules.get(calls.TORCH)
    if room is not None and hasattr(room, "uninstall"):
        room.uninstall()
        sys.modules["torch"].set_num_threads(threads)


def peaks(networks: Sequence[Network], threads: int, say: Say) -> tuple[Peak, ...]:
    """The memory of training steps."""
    done = []
    for network in networks:
        found = peak.measure(network, threads)
        said = [f"{name} {count['added'] / 2**20:.0f} MB" for name, count in found.variants.items()]
        said += [f"{name}: {why}" for name, why in found.left_out.items()]
        say(f"[adapters] {found.id}: {', '.join(said)}")
        done.append(found)
    return tuple(done)


def line(row: Measured) -> str:
    """What a person watching wants to see of a row."""
    said = [f"{name} {column.ms.median:.3g}" for name, column in row.columns.items()]
    ratio = row.of_base
    if ratio is not None:
        said.append(f"{row.ours} takes {ratio.median:.3g}x {' + '.join(row.base)}")
    said += [f"WITHOUT {name}: {why}" for name, why in row.left_out.items()]
    return f"{row.id}: {', '.join(said)}"


def added(done: Run, cases: Sequence[Case], networks: Sequence[Network], effort: Effort, say: Say) -> Run:
    """A run with these rows as well."""
    threads, seed = int(done.settings["threads"]), int(done.settings["seed"])
    began = time.perf_counter()
    say(f"inside the frameworks: {len(cases)} rows, and the memory of {len(networks)} networks")
    rows, memory = run(cases, threads, effort, seed, say), peaks(networks, threads, say)
    took = round(time.perf_counter() - began, 1)
    settings = done.settings | {"adapters seconds": took, "seconds": round(done.settings["seconds"] + took, 1)}
    versions = done.versions | {package: version(package) for package in PACKAGES}
    return replace(done, adapters=rows, peaks=memory, settings=settings, versions=versions)
