"""Deliberately wrong pools: each overrides one step of the tap loop with a mistake that somebody has shipped.

`test_mutants.py` shows that the ordinary cases catch every one of them, and that the right pool passes.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from oracle import Slide
from taploop import Array, Axis, TapLoop, comparable, spread


class Mutant(TapLoop):
    ops: tuple[str, ...] = ("max", "min", "avg", "sum", "lp")


SELECT, MEAN = ("max", "min"), ("avg",)


class LastTapWinsTies(Mutant):
    ops = SELECT

    def wins(self, new: Array, best: Array, op: str) -> Array:
        return (new >= best if op == "max" else new <= best) | (new != new)


class NanIsDropped(Mutant):
    ops = SELECT

    def wins(self, new: Array, best: Array, op: str) -> Array:
        return new > best if op == "max" else new < best


class NanIsOvertaken(Mutant):
    """As a chain of x86 maxps does: a NaN lasts until the next number."""

    ops = SELECT

    def wins(self, new: Array, best: Array, op: str) -> Array:
        return (~(new <= best) if op == "max" else ~(new >= best)) & (new != best)


class FirstNanIsNamed(Mutant):
    ops = SELECT

    def wins(self, new: Array, best: Array, op: str) -> Array:
        return super().wins(new, best, op) & ~(np.not_equal(best, best))


class PositiveZeroBeatsNegativeZero(Mutant):
    """The order of the bit patterns instead of that of the numbers."""

    ops = SELECT

    def wins(self, new: Array, best: Array, op: str) -> Array:
        if new.dtype.kind != "f":
            return super().wins(new, best, op)
        new_sign, best_sign = np.signbit(new), np.signbit(best)
        beats = (best_sign & ~new_sign) if op == "max" else (new_sign & ~best_sign)
        return super().wins(new, best, op) | ((new == best) & (new == 0) & beats)


class StartsFromTheEmptyValue(Mutant):
    """A window of nothing but -inf (or the least integer) then has no winner."""

    ops = SELECT

    def select(self, op: str, x: Array, axes: Sequence[Axis]) -> tuple[Array, Array]:
        values, index = super().select(op, x, axes)
        return values, np.where(values == np.asarray(self.empty(op, x.dtype)).astype(x.dtype), -1, index)


class StartsFromZero(Mutant):
    ops = SELECT

    def select(self, op: str, x: Array, axes: Sequence[Axis]) -> tuple[Array, Array]:
        values, index = super().select(op, x, axes)
        zero = np.zeros((), x.dtype)
        return np.where(self.wins(comparable(zero), comparable(values), op), zero, values), index


class EmptyWindowNamesCellZero(Mutant):
    ops = SELECT

    def empty_index(self) -> int:
        return 0


class PaddingIsZeroInMax(Mutant):
    ops = SELECT

    def select(self, op: str, x: Array, axes: Sequence[Axis]) -> tuple[Array, Array]:
        values, index = super().select(op, x, axes)
        padded = ~functools.reduce(np.multiply, spread([a.real.all(axis=1) for a in axes]))
        zero = np.zeros((), x.dtype)
        return np.where(padded, (np.maximum if op == "max" else np.minimum)(values, zero), values), index


class PadOneTooFew(Mutant):
    def pads(self, rule: Slide, length: int) -> tuple[int, int]:
        low, high = super().pads(rule, length)
        return (low - 1, high + 1) if low and not isinstance(rule.pad, str) else (low, high)


class SamePutsTheOddCellLow(Mutant):
    def halves(self, total: int, word: str) -> tuple[int, int]:
        return super().halves(total, "same_lower")


class SameLowerIsSame(Mutant):
    def halves(self, total: int, word: str) -> tuple[int, int]:
        return super().halves(total, "same")


class SameForgetsDilation(Mutant):
    def pads(self, rule: Slide, length: int) -> tuple[int, int]:
        if rule.pad in ("same", "same_lower"):
            return super().pads(Slide(rule.size, rule.stride, rule.pad), length)
        return super().pads(rule, length)


class DilationIgnored(Mutant):
    def steps(self, rule: Slide) -> Array:
        return np.arange(rule.size)


class OverhangWindowKept(Mutant):
    """ceil_mode without the rule that no window starts in the right padding."""

    def starts_too_late(self, start: int, length: int, low: int) -> bool:
        return False


class OverhangRuleComparesWithoutPadding(Mutant):
    def starts_too_late(self, start: int, length: int, low: int) -> bool:
        return start >= length


class OverhangRuleIsStrict(Mutant):
    def starts_too_late(self, start: int, length: int, low: int) -> bool:
        return start > length + low


class CeilIsFloor(Mutant):
    def outputs(self, rule: Slide, length: int, low: int, high: int) -> int:
        return super().outputs(Slide(rule.size, rule.stride, rule.pad, rule.dilation), length, low, high)


class OverhangCountsInTheDivisor(Mutant):
    ops = MEAN

    def in_padded(self, at: Array, length: int, low: int, high: int) -> Array:
        return np.ones(at.shape, bool)


class PaddedIsInside(Mutant):
    ops = MEAN

    def in_padded(self, at: Array, length: int, low: int, high: int) -> Array:
        return (at >= 0) & (at < length)


class SizeAndStrideSwapped(Mutant):
    def axis(self, rule: Any, length: int) -> Axis:
        if isinstance(rule, Slide) and rule.stride < 100:  # a window of 1000 ** 3 taps is nobody's mistake
            rule = Slide(rule.stride, rule.size, rule.pad, rule.dilation, rule.ceil)
        return super().axis(rule, length)


class AxesInTheOrderOfNaming(Mutant):
    """rules[0] goes to the array's first pooled axis, whatever axes[0] says."""

    def order(self, rules: Sequence[Any], axes: Sequence[int]) -> list[tuple[int, Any]]:
        return list(zip(sorted(axes), rules, strict=True))


class TapsInTheOrderOfNaming(Mutant):
    """Ties and flat indices follow `axes` instead of the array."""

    ops = SELECT

    def order(self, rules: Sequence[Any], axes: Sequence[int]) -> list[tuple[int, Any]]:
        return list(zip(axes, rules, strict=True))


class IndexIsColumnMajor(Mutant):
    ops = SELECT

    def flat(self, axes: Sequence[Axis], taps: tuple[int, ...]) -> Array:
        total: Any = 0
        cells = spread([a.at[:, j] for a, j in zip(axes, taps, strict=True)])
        for a, at in reversed(list(zip(axes, cells, strict=True))):
            total = total * a.length + at
        return total


class TapsAreColumnMajor(Mutant):
    ops = SELECT

    def all_taps(self, axes: Sequence[Axis]) -> list[tuple[int, ...]]:
        return sorted(super().all_taps(axes), key=lambda taps: taps[::-1])


class BinsByFloatRounding(Mutant):
    def bin(self, i: int, parts: int, length: int) -> tuple[int, int]:
        step = length / parts
        return round(i * step), max(round(i * step) + 1, round((i + 1) * step))


class BinsDoNotOverlap(Mutant):
    def bin(self, i: int, parts: int, length: int) -> tuple[int, int]:
        start = i * length // parts
        return start, max(start + 1, (i + 1) * length // parts)


class WholeAverageTruncates(Mutant):
    ops = MEAN

    def round_whole(self, value: Fraction) -> int:
        return math.trunc(value)


class WholeAverageRoundsHalfUp(Mutant):
    ops = MEAN

    def round_whole(self, value: Fraction) -> int:
        return math.floor(value + Fraction(1, 2))


class WholeAverageThroughFloat(Mutant):
    """Averages of 64-bit integers keep 53 bits."""

    ops = MEAN

    def round_whole(self, value: Fraction) -> int:
        whole = round(value)
        return whole if abs(whole) < 2**53 else whole // 1024 * 1024


class WholeSumsWrapEarly(Mutant):
    ops = ("sum", "avg")

    def total(self, x: Array, axes: Sequence[Axis]) -> Array:
        total = super().total(x, axes)
        if total.dtype.kind in "fc":
            return total
        low = np.vectorize(lambda t: abs(int(t)) % 2**32 * (-1 if t < 0 else 1), otypes=[object])(total)
        return low.astype(total.dtype)


class HalfHeldInHalf(Mutant):
    ops = ("avg", "sum")

    def held(self, dtype: np.dtype) -> Any:
        return dtype


class DividesByReciprocal(Mutant):
    ops = MEAN

    def divide(self, total: Array, by: Array, dtype: np.dtype) -> Array:
        if dtype.kind != "f":
            return super().divide(total, by, dtype)
        return total * (1 / np.where(np.equal(by, 0), 1, by).astype(total.dtype)).astype(total.dtype)


class PrefixSums(Mutant):
    """Differences of running sums: one NaN smears over the rest of its row, and small numbers drown."""

    ops = ("avg", "sum")

    def total(self, x: Array, axes: Sequence[Axis]) -> Array:
        axis = axes[0]
        if len(axes) > 1 or x.dtype.kind not in "fc" or not (np.diff(axis.at, axis=1) == 1).all():
            return super().total(x, axes)
        table = np.concatenate([np.zeros((*x.shape[:-1], 1), x.dtype), np.cumsum(x, axis=-1)], axis=-1)
        first = np.clip(axis.at[:, 0], 0, axis.length)
        last = np.clip(axis.at[:, 0] + axis.real.shape[1], 0, axis.length)
        return table[..., last] - table[..., first]


class GradientToEveryTie(Mutant):
    ops = SELECT

    def run(self, op: str, x: Array, rules: Any, axes: Any, options: Any, dy: Any) -> Any:
        values, index, dx = super().run(op, x, rules, axes, options, dy)
        if dx is None:
            return values, index, dx
        pairs = self.order(rules, axes)
        places, ends = [a for a, _ in pairs], range(-len(pairs), 0)
        moved, best, g = (np.moveaxis(a, places, ends) for a in (x, values, dy.astype(self.held(x.dtype))))
        tables = [self.axis(rule, x.shape[a]) for a, rule in pairs]
        dx = np.zeros(moved.shape, g.dtype)
        for taps in self.all_taps(tables):
            new, real = self.take(moved, tables, taps)
            cells = [np.where(a.real[:, j], a.at[:, j], 0) for a, j in zip(tables, taps, strict=True)]
            lead = map(np.arange, moved.shape[: moved.ndim - len(tables)])
            self.collect(dx, tuple(spread([*lead, *cells])), np.where(real & (new == best), g, 0))
        return values, index, np.moveaxis(dx.astype(x.dtype), ends, places)


class GradientOverwrites(Mutant):
    def collect(self, dx: Array, where: tuple[Array, ...], g: Array) -> None:
        dx[where] = g


class GradientBackwardsInOrder(Mutant):
    """Added up from the last output to the first: other bits where windows overlap."""

    ops = SELECT

    def winner_gradient(self, index: Array, g: Array, lengths: Sequence[int]) -> Array:
        lead = g.shape[: g.ndim - len(lengths)]
        flipped = [a.reshape(*lead, -1)[..., ::-1].reshape(a.shape) for a in (index, g)]
        return super().winner_gradient(flipped[0], flipped[1], lengths)


class GradientDividesByTheWindow(Mutant):
    """The divisor of the gradient is not the one of the forward pass."""

    ops = MEAN

    def spread_gradient(
        self, op: str, x: Array, y: Array, dy: Array, axes: Sequence[Axis], options: dict[str, Any]
    ) -> Array:
        return super().spread_gradient(op, x, y, dy, axes, {**options, "divisor": "window"})


class LpOfThePowerNotOfTheSize(Mutant):
    """x**p instead of |x|**p: NaN or the wrong sign for odd p and negative x."""

    ops = ("lp",)

    def raised(self, x: Array, p: float) -> Array:
        return x ** x.dtype.type(p)


class LpWithoutTheRoot(Mutant):
    ops = ("lp",)

    def root(self, total: Array, p: float) -> Array:
        return total


def subclasses(kind: type[Mutant]) -> list[type[Mutant]]:
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in subclasses(child))]


MUTANTS = subclasses(Mutant)[1:]
