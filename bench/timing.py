"""The protocol: everybody in one process, in random order within each round, warmed up, results dropped at once."""

from __future__ import annotations

import gc
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from .contestant import Contestant

SHORTEST: Final = 50e-6  # a sample takes at least this long, by repeating short calls
PAUSE: Final = 0.001  # between turns; again and again while threads of the one before still spin
LONGEST_PAUSE: Final = 0.02
WARM: Final = 0.05  # calls shorter than this get one untimed call at the start of their turn
WAKING: Final = 0.0005  # ... and short ones as many as take this long
SLOW: Final = 1.0  # calls longer than this are timed once, in their trial
PATIENT: Final = 0.2  # calls longer than this are tried once only
HOPELESS: Final = 8  # a peer this many times behind the fastest cannot become it: its trial is its only sample


@dataclass(frozen=True, slots=True)
class Effort:
    """How much time the timed rounds of a row may take, how many there are, and how long the whole run may last."""

    seconds: float = 2.4
    rounds: int = 21
    least: int = 5
    whole: float = 1080.0

    def paced(self, elapsed: float, measured: float, done: int, left: int) -> Effort:
        """The same for the next row, shortened if the run is late: ``measured`` of ``elapsed`` went into rounds.

        What rows take beside their rounds (making data, compiling, checking) is taken from the rows that are done.
        """
        if not done or not left:
            return self
        other = (elapsed - measured) / done
        share = (self.whole - elapsed) / left - other
        return replace(self, seconds=min(self.seconds, max(self.seconds / 8, share)))


@dataclass(slots=True, eq=False)
class Entry:
    """A contestant, how long its trial took, and its samples: (round, seconds per call)."""

    contestant: Contestant
    trial: float
    samples: list[tuple[int, float]] = field(default_factory=list)
    planned: int = 0
    repeat: int = 1

    @property
    def turn(self) -> float:
        """Estimated seconds of one turn."""
        return max(self.trial * self.repeat, SHORTEST) + (self.trial if self.warmed else 0) + PAUSE

    @property
    def warmed(self) -> bool:
        """Whether an untimed call opens its turn."""
        return self.contestant.warm or self.trial < WARM


def trial(contestant: Contestant) -> tuple[Entry, object]:
    """The first call, whose result is returned for the check; quick ones are called again for a better estimate."""
    contestant.enter()
    start = time.perf_counter()
    result = contestant.call()
    seconds = time.perf_counter() - start
    entry = Entry(contestant, seconds)
    if seconds > SLOW:
        entry.samples.append((0, seconds))
        return entry, result
    for _ in range(2 if seconds < WARM else 1 if seconds < PATIENT else 0):
        entry.trial = min(entry.trial, contestant.sample(1))
    entry.repeat = max(1, math.ceil(SHORTEST / max(entry.trial, 1e-9)))
    return entry, result


def give_up(entries: Sequence[Entry]) -> None:
    """Spare the row the slowest peers, but for those that bars name (``prime``)."""
    peers = [entry for entry in entries if entry.contestant.is_peer]
    fastest = min((entry.trial for entry in peers), default=0.0)
    for entry in peers:
        hopeless = entry.trial > max(HOPELESS * fastest, WARM / 2)
        if hopeless and not entry.contestant.prime and not entry.samples:
            entry.samples.append((0, entry.trial))


def plan(entries: Sequence[Entry], effort: Effort) -> int:
    """Give everybody a number of rounds: nobody takes more than a fifth of the time, unless three rounds need it."""
    taking_part = [entry for entry in entries if not entry.samples]
    for entry in taking_part:
        share = int(effort.seconds / 5 / entry.turn)
        entry.planned = min(effort.rounds, max(3 if entry.trial < SLOW / 2 else 1, share))
    total = sum(entry.planned * entry.turn for entry in taking_part)
    if total > effort.seconds:
        for entry in taking_part:
            fewer = int(entry.planned * effort.seconds / total)
            entry.planned = max(min(entry.planned, effort.least), fewer)
    return max((entry.planned for entry in taking_part), default=0)


def takes_part(turn: int, rounds: int, planned: int) -> bool:
    """Whether one with fewer rounds than the others is due in this one; its rounds are spread evenly."""
    return (turn + 1) * planned // rounds > turn * planned // rounds


def quiet() -> float:
    """Wait until no thread of this process runs, so that nobody pays for another's spinning; the seconds waited."""
    start = time.perf_counter()
    while True:
        begin, used = time.perf_counter(), time.process_time()
        time.sleep(PAUSE)
        now = time.perf_counter()
        if time.process_time() - used < 0.2 * (now - begin) or now - start > LONGEST_PAUSE:
            return now - start


def warm_up(contestant: Contestant) -> None:
    """One untimed call, more while they are short: threads that slept take longer to wake than a small call lasts."""
    start = time.perf_counter()
    contestant.sample(1)
    while time.perf_counter() - start < WAKING:
        contestant.sample(1)


def measure(entries: Sequence[Entry], effort: Effort, order: random.Random) -> int:
    """Fill the samples; the number of rounds."""
    give_up(entries)
    rounds = plan(entries, effort)
    gc.collect()
    gc.disable()
    try:
        for turn in range(rounds):
            due = [entry for entry in entries if entry.planned and takes_part(turn, rounds, entry.planned)]
            order.shuffle(due)
            for entry in due:
                contestant = entry.contestant
                contestant.enter()
                quiet()
                if entry.warmed:
                    warm_up(contestant)
                entry.samples.append((turn, contestant.sample(entry.repeat)))
    finally:
        gc.enable()
    return rounds
