"""Results as claims, tables and charts read them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from .. import statistics
from ..arms import BASELINE
from ..claims import CLAIMS, LeftOut, Verdict, judge, left_out
from ..measures import MEASURES
from ..results import ArmResult, Results, Run
from ..statistics import Interval

_LATENCY = "latency_"


@dataclass(frozen=True, slots=True)
class ResultsView:
    """What `judge` asks of results, and the same numbers as intervals."""

    results: Results

    # --- what judge asks ---

    def absent(self, arm: str) -> str:
        """Why nothing is known of this arm."""
        if arm not in self.results.arms:
            return "not among the arms of this run"
        return self.results.arms[arm].reason or ""

    def disturbed(self, arm: str, measure: str) -> str:
        """What ran beside it; predictions are always timed alone."""
        if measure.startswith(_LATENCY):
            return ""
        jobs = max((run.jobs for run in self.results.arms[arm].runs.values()), default=1)
        return f"{jobs} jobs at once" if jobs > 1 else ""

    def fixed(self, arm: str, measure: str) -> float | None:
        """A count."""
        value = self.results.arms[arm].summary.get(measure)
        return None if value is None else float(value)

    def per_seed(self, arm: str, measure: str) -> Mapping[int, float]:
        """By seed; a training without this number is left out, and of one that diverged only the time is a number."""
        runs = self.results.arms[arm].runs
        timed = measure in MEASURES and MEASURES[measure].unit.timed
        return {
            seed: float(run.measures[measure]) if timed or not _diverged(run) else math.nan
            for seed, run in runs.items()
            if measure in run.measures
        }

    def per_round(self, arm: str, measure: str) -> Mapping[int, float]:
        """Median seconds by round."""
        rounds = self.results.arms[arm].latency.get(int(measure.removeprefix(_LATENCY)), ())
        return {i: statistics.median(calls) for i, calls in enumerate(rounds)}

    # --- what tables and charts ask ---

    @property
    def arms(self) -> list[ArmResult]:
        """Those that could be built."""
        return [arm for arm in self.results.arms.values() if arm.reason is None]

    @property
    def refused(self) -> list[ArmResult]:
        """Those that could not."""
        return [arm for arm in self.results.arms.values() if arm.reason is not None]

    def place(self, arm: str) -> int:
        """Where an arm stands; its colour hangs on that."""
        return list(self.results.arms).index(arm)

    def interval(self, arm: str, measure: str) -> Interval | None:
        """Over seeds; None where no seed is finished, or one has no finite number (see ``lost``)."""
        values = self.per_seed(arm, measure)
        return None if not values or self.lost(arm, measure) else statistics.interval(values.values())

    def lost(self, arm: str, measure: str) -> list[int]:
        """Seeds whose number is none: training diverged, or no image was right."""
        return [seed for seed, value in self.per_seed(arm, measure).items() if not math.isfinite(value)]

    def difference(self, arm: str, measure: str) -> Interval | None:
        """To the baseline, seed by seed; None for the baseline, and where there is nothing to compare."""
        pair = self._pair(arm, self.interval(arm, measure) is not None)
        if pair is None or self.interval(BASELINE, measure) is None:
            return None
        a, b = (self.per_seed(one, measure) for one in pair)
        return statistics.paired(a, b) if a.keys() & b.keys() else None

    def ratio(self, arm: str, measure: str) -> Interval | None:
        """To the baseline: of counts, of times by seed, of latencies by round."""
        pair = self._pair(arm, True)
        if pair is None:
            return None
        if measure.startswith(_LATENCY):
            return _ratio(*(self.per_round(one, measure) for one in pair))
        counts = [self.fixed(one, measure) for one in pair]
        if counts[0] is None or counts[1] is None:
            return _ratio(*(self.per_seed(one, measure) for one in pair))
        value = counts[0] / counts[1] if counts[1] else math.nan
        return Interval(value, value, value, 1) if math.isfinite(value) else None

    def _pair(self, arm: str, known: bool) -> tuple[str, str] | None:
        there = known and arm != BASELINE and any(other.name == BASELINE for other in self.arms)
        return (arm, BASELINE) if there else None

    def calls(self, arm: str, batch: int) -> list[float]:
        """Seconds of all calls, whatever their round."""
        return [seconds for calls in self.results.arms[arm].latency.get(batch, ()) for seconds in calls]

    def verdicts(self) -> list[Verdict]:
        """Claims that these results speak about."""
        return judge(self, CLAIMS)

    def unspoken(self) -> list[LeftOut]:
        """Those that they do not."""
        return left_out(self, CLAIMS)


def _ratio(a: Mapping[int, float], b: Mapping[int, float]) -> Interval | None:
    keys = a.keys() & b.keys()
    usable = keys and all(0 < value < math.inf for values in (a, b) for key, value in values.items() if key in keys)
    return statistics.ratio(a, b) if usable else None


def _diverged(run: Run) -> bool:
    """Whether the network says NaN of some image.

    Among NaN the first class is the largest, whatever the image: such a network has an accuracy, no gap, and the same
    answer after every shift.
    """
    return not all(math.isfinite(run.measures.get(name, 0.0)) for name in ("train_loss", "test_loss"))
