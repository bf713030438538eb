"""Deliberately wrong judges of claims: rules that misread an interval, and judges that misread the numbers.

`test_lab_claims.py` shows that its cases catch every one of them, and that the right ones pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import NormalDist, fmean, stdev
from typing import Any

from cenote.lab.claims import Kind, Ruling, ruling
from cenote.lab.measures import MEASURES, Unit
from cenote.lab.statistics import Interval
from lab_claims import INF, NO, OPEN, YES, row, verdict

Rule = Callable[..., Ruling]
Judge = Callable[[Kind, float, str, Any, Any], Ruling]


def means_only(found: Interval, claimed: tuple[float, float], *, exact: bool) -> Ruling:
    return YES if claimed[0] < found.mean < claimed[1] else NO


def two_words_only(found: Interval, claimed: tuple[float, float], *, exact: bool) -> Ruling:
    return YES if ruling(found, claimed, exact=exact) is YES else NO


def innocent_until_refuted(found: Interval, claimed: tuple[float, float], *, exact: bool) -> Ruling:
    return NO if ruling(found, claimed, exact=exact) is NO else YES


def any_number_of_seeds(found: Interval, claimed: tuple[float, float], *, exact: bool) -> Ruling:
    return ruling(replace(found, n=9), claimed, exact=exact)


def touching_is_inside(found: Interval, claimed: tuple[float, float], *, exact: bool) -> Ruling:
    return YES if claimed[0] <= found.low and found.high <= claimed[1] else ruling(found, claimed, exact=exact)


def touching_is_outside(found: Interval, claimed: tuple[float, float], *, exact: bool) -> Ruling:
    return NO if found.high <= claimed[0] or claimed[1] <= found.low else ruling(found, claimed, exact=exact)


def no_significant_difference_is_alike(found: Interval, claimed: tuple[float, float], *, exact: bool) -> Ruling:
    two_ends = claimed[0] > -INF and claimed[1] < INF
    return YES if two_ends and found.low <= 0 <= found.high else ruling(found, claimed, exact=exact)


def any_difference_is_not_alike(found: Interval, claimed: tuple[float, float], *, exact: bool) -> Ruling:
    two_ends = claimed[0] > -INF and claimed[1] < INF
    return NO if two_ends and not found.low <= 0 <= found.high else ruling(found, claimed, exact=exact)


def only_the_lower_end(found: Interval, claimed: tuple[float, float], *, exact: bool) -> Ruling:
    return ruling(found, (claimed[0], INF), exact=exact)


def counts_need_seeds(found: Interval, claimed: tuple[float, float], *, exact: bool) -> Ruling:
    return ruling(found, claimed)


def other_way_round(found: Interval, claimed: tuple[float, float], *, exact: bool) -> Ruling:
    return ruling(found, (-claimed[1], -claimed[0]), exact=exact)


WRONG_RULES: list[Rule] = [
    means_only,
    two_words_only,
    innocent_until_refuted,
    any_number_of_seeds,
    touching_is_inside,
    touching_is_outside,
    no_significant_difference_is_alike,
    any_difference_is_not_alike,
    only_the_lower_end,
    counts_need_seeds,
    other_way_round,
]


def ours(kind: Kind, margin: float, measure: str, a: Any, b: Any) -> Ruling:
    return verdict(row(kind, margin, measure), a, b)


MISTAKES = (
    "means",
    "unpaired",
    "by position",
    "all of b",
    "normal",
    "deviation",
    "two seeds",
    "drops NaN",
    "no ratios",
    "no margin",
    "margin in points",
)


@dataclass(frozen=True)
class Careless:
    """A judge of intervals written anew, with one of the `MISTAKES`, or none where that is empty."""

    mistake: str

    def __call__(self, kind: Kind, margin: float, measure: str, a: Any, b: Any) -> Ruling:
        if not isinstance(a, dict):
            return ours(kind, margin, measure, a, b)
        timed = MEASURES[measure].unit in (Unit.SECONDS, Unit.LATENCY)
        take: Callable[[float], float] = math.log if timed and self.mistake != "no ratios" else float
        keys = sorted(a.keys() & b.keys())
        pairs = [(a[key], b[key]) for key in keys]
        if self.mistake == "by position":
            pairs = list(zip(a.values(), b.values(), strict=False))
        if self.mistake == "drops NaN":
            pairs = [pair for pair in pairs if not any(map(math.isnan, pair))]
        if any(map(math.isnan, (value for pair in pairs for value in pair))):
            return OPEN
        differences = [take(x) - take(y) for x, y in pairs]
        n = len(differences)
        if n < (2 if self.mistake == "two seeds" else 3):
            return OPEN
        mean, error = fmean(differences), stdev(differences) / math.sqrt(n)
        if self.mistake == "all of b":
            mean = fmean(map(take, a.values())) - fmean(map(take, b.values()))
        if self.mistake == "unpaired":
            error = math.hypot(*(stdev(map(take, side)) / math.sqrt(n) for side in zip(*pairs, strict=True)))
        if self.mistake == "deviation":
            error *= math.sqrt(n)
        # the table of two-sided 95 % values: 12.706 for two values, 4.303 for three, 3.182 for four
        t = NormalDist().inv_cdf(0.975) if self.mistake == "normal" else {2: 12.706, 3: 4.303, 4: 3.182}[n]
        t *= self.mistake != "means"
        shift = {Kind.NOT_WORSE: margin, Kind.ALIKE: margin}.get(kind, 0.0) * (self.mistake != "no margin")
        shift *= 100 if self.mistake == "margin in points" else 1
        low, high = mean - t * error, mean + t * error
        near = 1e-12
        if kind is Kind.LESS:
            low, high = -high, -low
        if kind is Kind.ALIKE:
            inside, beyond = -shift < low and high < shift, high < -shift or shift < low
        else:
            inside, beyond = low > near - shift, high < -near - shift
        return YES if inside else NO if beyond else OPEN
