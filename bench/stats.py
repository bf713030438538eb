"""Medians and their spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

Samples = Sequence[tuple[int, float]]  # (round, time)
ENOUGH: Final = 5  # rounds in common


def quantile(values: Sequence[float], share: float) -> float:
    """Linear between the two nearest; the values need not be sorted, there must be one."""
    if not values:
        raise ValueError("quantile: values is empty; give at least one")
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


@dataclass(frozen=True, slots=True)
class Summary:
    """The median of some samples, its quartiles, and how many there were."""

    median: float
    low: float
    high: float
    count: int

    @property
    def spread(self) -> float:
        """Half the distance of the quartiles, as a share of the median."""
        return (self.high - self.low) / 2 / self.median if self.median else 0.0


def summary(values: Sequence[float]) -> Summary:
    """Median and quartiles."""
    return Summary(quantile(values, 0.5), quantile(values, 0.25), quantile(values, 0.75), len(values))


def paired(above: Sequence[Samples], below: Sequence[Samples]) -> list[float]:
    """The sum of some contestants over the sum of others, for every round in which all of them took part."""
    turns = set.intersection(*({turn for turn, _ in samples} for samples in (*above, *below)))
    over, under = _added(above), _added(below)
    return [over[turn] / under[turn] for turn in sorted(turns)]


def _added(side: Sequence[Samples]) -> dict[int, float]:
    added: dict[int, float] = {}
    for samples in side:
        for turn, value in samples:
            added[turn] = added.get(turn, 0.0) + value
    return added


def ratios(above: Sequence[Samples], below: Sequence[Samples]) -> Summary:
    """The same as a summary.

    Slow ones share few rounds: then the quartiles of all say how uncertain the ratio of the medians is.
    """
    pairs = paired(above, below)
    if len(pairs) >= ENOUGH:
        return summary(pairs)
    over, under = ([summary([value for _, value in samples]) for samples in side] for side in (above, below))
    return Summary(
        sum(s.median for s in over) / sum(s.median for s in under),
        sum(s.low for s in over) / sum(s.high for s in under),
        sum(s.high for s in over) / sum(s.low for s in under),
        len(pairs),
    )
