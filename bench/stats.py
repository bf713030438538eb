"""Medians and their spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


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


def paired(ours: Sequence[tuple[int, float]], theirs: Sequence[tuple[int, float]]) -> list[float]:
    """ours / theirs for every round in which both took part."""
    other = dict(theirs)
    return [value / other[turn] for turn, value in ours if turn in other]
