"""What is measured of an arm, as rows: name in the results, words, unit; and numbers in plain words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from .statistics import CONFIDENCE, Interval

#: By how many pixels images are shifted.
SHIFTS: Final = (1, 2, 3, 4)
_BYTES_PER_KB: Final = 1000


class Unit(Enum):
    """How a measure is compared and shown."""

    NUMBER = "exact; ratio"
    BYTES = "exact; ratio; shown in KB of 1000 bytes"
    SHARE = "difference per seed; shown in points, hundredths of all images"
    LOSS = "difference per seed"
    SECONDS = "ratio per seed; other jobs disturb it"
    LATENCY = "ratio per round of measurement; other jobs disturb it"

    @property
    def exact(self) -> bool:
        """A count, the same for every seed."""
        return self in (Unit.NUMBER, Unit.BYTES)

    @property
    def timed(self) -> bool:
        """Read off a clock."""
        return self in (Unit.SECONDS, Unit.LATENCY)

    @property
    def equal(self) -> float:
        """What comparing equal arms gives: a ratio of 1, a difference of 0."""
        return 1.0 if self.exact or self.timed else 0.0


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of an arm: its name in the results, the words for it, its unit."""

    name: str
    words: str
    unit: Unit


def consistency(edge: str, shift: int, *, given_correct: bool = False) -> str:
    """The name of a consistency; ``edge`` is ``circular`` or ``cropped``, ``shift`` one of `SHIFTS`.

    >>> consistency("cropped", 2, given_correct=True)
    'consistency_cropped_2_given_correct'
    """
    return f"consistency_{edge}_{shift}" + "_given_correct" * given_correct


MEASURES: Final[Mapping[str, Measure]] = {
    measure.name: measure
    for measure in (
        Measure("parameters", "parameters", Unit.NUMBER),
        Measure("head_parameters", "parameters of the head", Unit.NUMBER),
        Measure("multiply_adds", "multiply-adds", Unit.NUMBER),
        Measure("activation_bytes", "memory of the maps", Unit.BYTES),
        Measure("kept_bytes", "memory kept for backward", Unit.BYTES),
        Measure("kept_bytes_int64", "memory kept for backward with int64 indices", Unit.BYTES),
        Measure("train_accuracy", "train accuracy", Unit.SHARE),
        Measure("test_accuracy", "test accuracy", Unit.SHARE),
        Measure("gap", "gap", Unit.SHARE),
        Measure("train_loss", "train loss", Unit.LOSS),
        Measure("seconds_per_epoch", "training time per epoch", Unit.SECONDS),
        Measure("latency_1", "latency at batch 1", Unit.LATENCY),
        Measure("latency_32", "latency at batch 32", Unit.LATENCY),
        *(
            Measure(
                consistency(edge, shift, given_correct=correct),
                f"{edge} consistency at shift {shift}" + ", given correct" * correct,
                Unit.SHARE,
            )
            for edge in ("circular", "cropped")
            for shift in SHIFTS
            for correct in (False, True)
        ),
    )
}


def counts_in_words(unit: Unit, a: float, b: float, ends: Iterable[float] = ()) -> str:
    """Two counts and their ratio; ``ends`` are ratios that the digits must tell apart.

    >>> counts_in_words(Unit.NUMBER, 650, 103_114)
    '650 against 103,114 (158.6 x fewer)'
    >>> counts_in_words(Unit.BYTES, 78_400, 39_200)
    '78.4 KB against 39.2 KB (2.0 x as much)'
    """
    numbers = f"{_count(unit, a, b)} against {_count(unit, b, a)}"
    if a == b:
        return f"{numbers} (the same)"
    if a == 0 or b == 0:
        return numbers
    times = max(a, b) / min(a, b)
    ends = [1.0, *(1 / end if a < b else end for end in ends if 0 < end < math.inf)]
    fewer, many = ("less", "much") if unit is Unit.BYTES else ("fewer", "many")
    return f"{numbers} ({times:,.{_decimals((times,), ends, 1)}f} x {fewer if a < b else f'as {many}'})"


def comparison_in_words(unit: Unit, found: Interval, ends: Iterable[float] = ()) -> str:
    """A difference or a ratio with its interval; ``ends`` are values that the digits must tell apart.

    >>> comparison_in_words(Unit.SHARE, Interval(-0.012, -0.02, -0.004, 5))
    '-1.2 points (95 % interval -2.0 to -0.4)'
    >>> comparison_in_words(Unit.SECONDS, Interval(0.998, 0.997, 0.999, 5))
    '0.998 x (95 % interval 0.997 to 0.999)'
    """
    scale, least, name = {Unit.SHARE: (100, 1, " points"), Unit.LOSS: (1, 3, "")}.get(unit, (1, 2, " x"))
    mean, low, high = (scale * value for value in (found.mean, found.low, found.high))
    decimals = _decimals((mean, low, high), [scale * end for end in (unit.equal, *ends)], least)
    shown = [_signed(value, decimals) if unit.equal == 0 else f"{value:,.{decimals}f}" for value in (mean, low, high)]
    if found.n == 1:
        return f"{shown[0]}{name} (one value, no interval)"
    return f"{shown[0]}{name} ({100 * CONFIDENCE:g} % interval {shown[1]} to {shown[2]})"


def margin_in_words(unit: Unit, margin: float) -> str:
    """A difference that counts as none.

    >>> margin_in_words(Unit.SHARE, 0.01)
    '1.0 points'
    """
    return f"{100 * margin:.1f} points" if unit is Unit.SHARE else f"{margin:g}"


def _count(unit: Unit, value: float, other: float) -> str:
    if unit is Unit.BYTES:
        small = max(value, other) < 10 * _BYTES_PER_KB
        return f"{value:,.0f} bytes" if small else f"{value / _BYTES_PER_KB:,.1f} KB"
    return f"{value:,.0f}"


def _signed(value: float, decimals: int) -> str:
    text = f"{value:z,.{decimals}f}"
    return f"+{text}" if value > 0 and text.strip("0.,") else text


def _decimals(values: Iterable[float], ends: Iterable[float], least: int) -> int:
    """So many that a value beside an end does not look as if it were on it: the sentence must not belie its verdict."""
    pairs = [(value, end) for value in values for end in ends if not math.isclose(value, end, abs_tol=1e-9)]
    for decimals in range(least, 7):
        if all(f"{value:z.{decimals}f}" != f"{end:z.{decimals}f}" for value, end in pairs):
            return decimals
    return 7
