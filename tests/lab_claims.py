"""Synthetic results whose truth is known: a view over dictionaries, cases for the rule, and numbers of two arms."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cenote.lab.arms import ALL
from cenote.lab.claims import Claim, Kind, Ruling, judge
from cenote.lab.measures import MEASURES, Unit

YES, NO, OPEN = Ruling.SUPPORTED, Ruling.NOT_SUPPORTED, Ruling.UNDECIDED
A, B = "max-2/2", "none"
INF: Final = math.inf


@dataclass
class Results:
    """A view over plain dictionaries, from (arm, measure)."""

    counts: dict[tuple[str, str], float] = field(default_factory=dict)
    seeds: dict[tuple[str, str], dict[int, float]] = field(default_factory=dict)
    rounds: dict[tuple[str, str], dict[int, float]] = field(default_factory=dict)
    gone: dict[str, str] = field(default_factory=dict)
    busy: dict[tuple[str, str], str] = field(default_factory=dict)

    def absent(self, arm: str) -> str:
        return self.gone.get(arm, "")

    def disturbed(self, arm: str, measure: str) -> str:
        return self.busy.get((arm, measure), "")

    def fixed(self, arm: str, measure: str) -> float | None:
        return self.counts.get((arm, measure))

    def per_seed(self, arm: str, measure: str) -> Mapping[int, float]:
        return self.seeds.get((arm, measure), {})

    def per_round(self, arm: str, measure: str) -> Mapping[int, float]:
        return self.rounds.get((arm, measure), {})


def results(claim: Claim, a: Any, b: Any) -> Results:
    """The numbers of the claim's first and second arm, put where its measure is looked up."""
    made = Results()
    unit = MEASURES[claim.measure].unit
    place: dict[Any, Any] = (
        made.counts if unit in (Unit.NUMBER, Unit.BYTES) else made.rounds if unit is Unit.LATENCY else made.seeds
    )
    place[claim.arms[0], claim.measure] = a
    place[claim.arms[1], claim.versus or claim.measure] = b
    return made


def row(kind: Kind, margin: float = 0.0, measure: str = "test_accuracy") -> Claim:
    return Claim("case", "A sentence.", "test", (A, B), measure, kind, margin)


def verdict(claim: Claim, a: Any, b: Any) -> Ruling:
    (found,) = judge(results(claim, a, b), [claim])
    return found.verdict


def seeds(*values: float) -> dict[int, float]:
    return dict(enumerate(values))


BELOW, ABOVE, NEAR, NOT_FAR_BELOW = (-INF, 0.0), (0.0, INF), (-0.01, 0.01), (-0.01, INF)
# low, high, n, claimed, exact, what the rule says
RULE = [
    (-2, -1, 5, BELOW, False, YES),
    (1, 2, 5, BELOW, False, NO),
    (-2, 1, 5, BELOW, False, OPEN),
    (-2, 0, 5, BELOW, False, OPEN),  # touches "no difference"
    (0, 2, 5, BELOW, False, OPEN),
    (0, 0, 5, BELOW, False, OPEN),  # no difference at all, thrice: nothing speaks for or against
    (-1, -1, 5, BELOW, False, YES),  # no width
    (-2.8e-17, -2.8e-17, 5, BELOW, False, OPEN),  # 0.99 - 0.97 against 1 - 0.98
    (2.8e-17, 2.8e-17, 5, BELOW, False, OPEN),
    (-2, -1, 3, BELOW, False, YES),
    (-2, -1, 2, BELOW, False, OPEN),  # too few
    (1, 2, 2, BELOW, False, OPEN),
    (-INF, INF, 1, BELOW, False, OPEN),
    (-INF, -1, 5, BELOW, False, YES),
    (1, 2, 5, ABOVE, False, YES),
    (-2, -1, 5, ABOVE, False, NO),
    (-1, 2, 5, ABOVE, False, OPEN),
    (-0.004, 0.006, 5, NEAR, False, YES),  # the interval holds 0 and lies within the margin
    (0.002, 0.006, 5, NEAR, False, YES),  # a difference, but a small one
    (-0.02, 0.02, 5, NEAR, False, OPEN),  # "no significant difference" is not "little difference"
    (-0.004, 0.02, 5, NEAR, False, OPEN),
    (-0.02, 0.004, 5, NEAR, False, OPEN),
    (0.02, 0.03, 5, NEAR, False, NO),
    (-0.03, -0.02, 5, NEAR, False, NO),
    (-0.004, 0.03, 5, NOT_FAR_BELOW, False, YES),
    (-0.009, -0.004, 5, NOT_FAR_BELOW, False, YES),  # worse, but within the margin
    (-0.02, 0.03, 5, NOT_FAR_BELOW, False, OPEN),
    (-0.03, -0.02, 5, NOT_FAR_BELOW, False, NO),
    (0.5, 0.5, 1, (-INF, 1.0), True, YES),
    (1.0, 1.0, 1, (-INF, 1.0), True, NO),  # equal counts save nothing
    (1.5, 1.5, 1, (-INF, 1.0), True, NO),
    (1 - 1e-15, 1 - 1e-15, 1, (-INF, 1.0), True, YES),  # counts are exact: one parameter less is less
    (0.0, 0.0, 1, (-INF, 1.0), True, YES),
    (INF, INF, 1, (-INF, 1.0), True, NO),
    (INF, INF, 1, (1.0, INF), True, YES),  # from nothing
    (1.0, 1.0, 1, (1.0, INF), True, NO),
]

# Four seeds that scatter widely, alike in both arms. With differences d ± 0.002 the deviation is 0.0023, its standard
# error 0.00115, and the interval reaches 3.182 * 0.00115 = 0.0037 to both sides.
BASE = (0.90, 0.98, 0.80, 0.94)


def apart(d: float, wobble: float = 0.002) -> tuple[dict[int, float], dict[int, float]]:
    a = [base + d + (wobble if seed % 2 else -wobble) for seed, base in enumerate(BASE)]
    return seeds(*a), seeds(*BASE)


# kind, margin, measure, the two arms, what is true of them
DATA = [
    (Kind.LESS, 0, "gap", *apart(-0.01), YES),  # unpaired, the seeds would drown it
    (Kind.LESS, 0, "gap", *apart(+0.01), NO),
    (Kind.LESS, 0, "gap", *apart(-0.003), OPEN),  # 0.003 < 0.0037
    (Kind.LESS, 0, "gap", *apart(-0.0027), OPEN),  # the normal distribution would reach 0.00226 only
    (Kind.MORE, 0, "test_accuracy", *apart(+0.01), YES),
    (Kind.MORE, 0, "test_accuracy", *apart(-0.01), NO),
    (Kind.MORE, 0, "test_accuracy", *apart(+0.005), YES),  # standard error, not deviation: that would reach 0.0073
    (Kind.MORE, 0, "test_accuracy", *apart(+0.01, wobble=0.1), OPEN),
    (Kind.MORE, 0, "test_accuracy", seeds(0.9, 0.91), seeds(0.5, 0.51), OPEN),  # two seeds
    (Kind.MORE, 0, "test_accuracy", seeds(0.9), seeds(0.5), OPEN),
    # the last seed of b ran in b alone: with it b is better on average, as it would be by position
    (Kind.MORE, 0, "gap", {1: 0.31, 2: 0.21, 3: 0.11}, {9: 0.99, 3: 0.1, 2: 0.2, 1: 0.3}, YES),
    (Kind.MORE, 0, "gap", {0: 0.9, 1: 0.91, 2: 0.92, 3: math.nan}, seeds(0.5, 0.51, 0.52, 0.53), OPEN),
    (Kind.MORE, 0, "gap", seeds(0.5, 0.5, 0.5), seeds(0.5, 0.5, 0.5), OPEN),
    (Kind.NOT_WORSE, 0.01, "test_accuracy", *apart(-0.005), YES),
    (Kind.NOT_WORSE, 0.01, "test_accuracy", *apart(+0.2), YES),
    (Kind.NOT_WORSE, 0.01, "test_accuracy", *apart(-0.008), OPEN),
    (Kind.NOT_WORSE, 0.01, "test_accuracy", *apart(-0.02), NO),
    (Kind.ALIKE, 0.01, "test_accuracy", *apart(+0.005), YES),
    (Kind.ALIKE, 0.01, "test_accuracy", *apart(-0.005), YES),
    (Kind.ALIKE, 0.01, "test_accuracy", *apart(0.0, wobble=0.02), OPEN),
    (Kind.ALIKE, 0.01, "test_accuracy", *apart(+0.02), NO),
    (Kind.ALIKE, 0.01, "test_accuracy", *apart(-0.02), NO),
    (Kind.LESS, 0, "latency_1", seeds(0.9, 1.8, 9.1), seeds(1.0, 2.0, 10.0), YES),  # a tenth less in slow rounds too
    (Kind.LESS, 0, "latency_1", seeds(1.1, 2.2, 11.1), seeds(1.0, 2.0, 10.0), NO),
    (Kind.LESS, 0, "seconds_per_epoch", seeds(0.9, 2.2, 8.0), seeds(1.0, 2.0, 10.0), OPEN),
    (Kind.LESS, 0, "parameters", 100, 101, YES),
    (Kind.LESS, 0, "parameters", 100, 100, NO),
    (Kind.LESS, 0, "parameters", 101, 100, NO),
    (Kind.LESS, 0, "kept_bytes", 0, 0, NO),
    (Kind.LESS, 0, "kept_bytes", 10, 0, NO),
    (Kind.LESS, 0, "kept_bytes", 0, 10, YES),
    (Kind.MORE, 0, "kept_bytes", 0, 0, NO),
    (Kind.MORE, 0, "kept_bytes", 10, 0, YES),
    (Kind.MORE, 0, "parameters", 100, 100, NO),
    (Kind.TIMES_LESS, 10, "head_parameters", 650, 103_114, YES),
    (Kind.TIMES_LESS, 10, "head_parameters", 10, 100, YES),
    (Kind.TIMES_LESS, 10, "head_parameters", 11, 100, NO),
    (Kind.TIMES_LESS, 3, "head_parameters", 333, 999, YES),
]


def whole() -> Results:
    """Every measure of every arm: all arms equal but for noise."""
    made = Results()
    for index, arm in enumerate(ALL):
        for name, measure in MEASURES.items():
            wobble = [((index * 7 + seed * 5) % 11 - 5) / 1000 for seed in range(4)]
            made.counts[arm, name] = 1000 + index
            made.seeds[arm, name] = seeds(*(0.9 + w for w in wobble))
            made.rounds[arm, name] = seeds(*(0.01 * (1 + w) for w in wobble))
            assert measure.name == name
    return made
