"""Two runs judged by ratios to a column of the same run: absolute times drift between machines and hours."""

from __future__ import annotations

from dataclasses import dataclass

from .results import OURS, Row, Run
from .stats import Summary, ratios


@dataclass(frozen=True, slots=True)
class Change:
    """cenote's time over the peer's, before and after."""

    id: str
    peer: str
    old: Summary
    new: Summary

    @property
    def factor(self) -> float:
        """Above 1: slower."""
        return self.new.median / self.old.median

    def beyond_noise(self, least: float) -> bool:
        """Slower by more than ``least``, and each median outside the other run's quartiles."""
        return self.factor > 1 + least and self.new.median > self.old.high and self.new.low > self.old.median

    def better(self, least: float) -> bool:
        """The same the other way round."""
        return self.factor < 1 - least and self.new.median < self.old.low and self.new.high < self.old.median

    def __str__(self) -> str:
        old, new = self.old, self.new
        return (
            f"{self.id}: {old.median:.3g} [{old.low:.3g} {old.high:.3g}] -> {new.median:.3g} "
            f"[{new.low:.3g} {new.high:.3g}] times {self.peer}, {100 * (self.factor - 1):+.0f} %"
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rows that got slower and faster beyond the noise, how many were judged, and which could not be."""

    slower: tuple[Change, ...]
    faster: tuple[Change, ...]
    judged: int
    not_judged: tuple[str, ...]

    def text(self) -> str:
        """For the terminal."""
        lines = [f"slower  {change}" for change in self.slower] + [f"faster  {change}" for change in self.faster]
        if self.not_judged:
            lines.append(f"not judged, the column or the row is in one run only: {', '.join(self.not_judged)}")
        same = self.judged - len(self.slower) - len(self.faster)
        lines.append(f"{len(self.slower)} slower, {len(self.faster)} faster, {same} unchanged within the noise")
        return "\n".join(lines)


def ratio(row: Row, peer: str) -> Summary | None:
    """cenote over the peer; ``stream`` is the faster of the stream kernels."""
    name = row.stream_name if peer == "stream" else peer
    ours, theirs = row.columns.get(OURS), row.columns.get(name or "")
    return None if ours is None or theirs is None else ratios([ours.samples], [theirs.samples])


def _judged(run: Run, peer: str) -> dict[str, tuple[str, Summary | None]]:
    """By the row's id: whom its ratio is to, and the ratio. Rows about adapters have a base of their own."""
    rows = {row.workload.id: (peer, ratio(row, peer)) for row in run.rows}
    return rows | {case.id: (" + ".join(case.base), case.of_base) for case in run.adapters}


def compare(old: Run, new: Run, peer: str = "stream", least: float = 0.05) -> Outcome:
    """Judge every row that both runs have."""
    changes: list[Change] = []
    not_judged: list[str] = []
    before, after = _judged(old, peer), _judged(new, peer)
    for name in before | after:
        to, past = before.get(name, ("", None))
        _, now = after.get(name, ("", None))
        if past is None or now is None:
            not_judged.append(name)
        else:
            changes.append(Change(name, to, past, now))
    changes.sort(key=lambda change: change.factor, reverse=True)
    slower = tuple(change for change in changes if change.beyond_noise(least))
    faster = tuple(change for change in reversed(changes) if change.better(least))
    return Outcome(slower, faster, len(changes), tuple(not_judged))
