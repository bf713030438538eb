"""Means with an interval, paired comparisons, and how often predictions agree.

Two arms are compared seed by seed: what a seed does to both (its initial weights, its order of images) cancels, and the
interval is that of the differences. It tells how far another set of seeds might move the mean. It does not tell what
other images would do: all seeds share one test set.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import bad, bad_type, shown

CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean of ``n`` values, and the ends of its interval: ``low <= mean <= high``, infinite where ``n`` is 1.

    >>> Interval(mean=2.0, low=1.5, high=2.5, n=5).high
    2.5
    """

    mean: float
    low: float
    high: float
    n: int

    def __post_init__(self) -> None:
        if not self.low <= self.mean <= self.high:  # false for NaN too
            raise bad(
                "Interval",
                f"the mean {self.mean} does not lie between low {self.low} and high {self.high}",
                "give the ends in order, and numbers",
            )
        if self.n < 1:
            raise bad("Interval", f"n is {self.n}", "an interval stands on at least one value")


def interval(values: Iterable[float], confidence: float = CONFIDENCE) -> Interval:
    """The mean and its Student t interval; one value alone gives infinite ends, equal values an interval of no width.

    One value says nothing about how others would scatter. Infinite ends are the honest answer, and whoever asks whether
    the interval lies on one side of something hears no without asking for ``n`` first.

    >>> interval([1.0, 2.0, 3.0])  # 2 ± 4.3027 / sqrt(3)
    Interval(mean=2.0, low=-0.4841..., high=4.4841..., n=3)
    >>> interval([0.1, 0.1, 0.1])
    Interval(mean=0.1, low=0.1, high=0.1, n=3)
    >>> interval([0.7])
    Interval(mean=0.7, low=-inf, high=inf, n=1)

    Parameters: ``values``, finite numbers, at least one; ``confidence``, between 0 and 1 (0.95). Errors: no values, a
    NaN or an infinity (a run that diverged must be spoken about, not averaged), a confidence outside its range.
    """
    found = _finite("interval", values)
    if not 0 < confidence < 1:
        raise bad("interval", f"confidence is {shown(confidence)}", "give a share between 0 and 1, as in 0.95")
    # The standard library works in fractions: equal values have their own value as mean and a deviation of exactly 0.
    mean, n = statistics.mean(found), len(found)
    if n == 1:
        return Interval(mean, -math.inf, math.inf, n)
    reach = _student(n - 1, confidence) * statistics.stdev(found) / math.sqrt(n)
    return Interval(mean, mean - reach, mean + reach, n)


def paired(a: Mapping[int, float], b: Mapping[int, float], confidence: float = CONFIDENCE) -> Interval:
    """The interval of ``a - b``, seed by seed, over the seeds that both have; no seed in common is an error.

    >>> paired({0: 0.75, 1: 1.0}, {0: 0.5, 1: 0.75, 7: 0.1})
    Interval(mean=0.25, low=0.25, high=0.25, n=2)

    Parameters: ``a``, ``b``, from a seed (or another thing both were measured under) to a finite number.
    """
    return interval((a[key] - b[key] for key in _shared("paired", a, b)), confidence)


def ratio(a: Mapping[int, float], b: Mapping[int, float], confidence: float = CONFIDENCE) -> Interval:
    """The interval of ``a / b`` over the keys that both have: geometric mean, ends from the logarithms. For times.

    A machine's slow moment multiplies a time; in logarithms it adds, which is what a t interval expects, and ``a / b``
    and ``b / a`` say the same.

    >>> ratio({0: 1.0, 1: 2.0}, {0: 2.0, 1: 4.0})
    Interval(mean=0.5, low=0.5, high=0.5, n=2)

    Parameters: ``a``, ``b``, from a seed or round to a finite number above 0. One common key gives the ends 0 and inf.
    """
    keys = _shared("ratio", a, b)
    for key in keys:
        for value in (a[key], b[key]):
            if not 0 < value < math.inf:
                raise bad("ratio", f"a value is {shown(value)}", "give finite numbers above 0, such as seconds")
    logs = interval((math.log(a[key]) - math.log(b[key]) for key in keys), confidence)
    return Interval(_exp(logs.mean), _exp(logs.low), _exp(logs.high), logs.n)


def agreement(p: ArrayLike, q: ArrayLike) -> float:
    """The share of images for which two rows of predicted classes are equal, 0 to 1.

    >>> agreement([3, 1, 4, 1], [3, 1, 4, 5])
    0.75

    Parameters: ``p``, ``q``, integers of one shape ``(images,)``, at least one. Errors: other shapes, or probabilities.
    """
    return float(np.mean(_classes("p", p) == _classes("q", q, like=p)))


def agreement_given_correct(p: ArrayLike, q: ArrayLike, labels: ArrayLike) -> float:
    """The share of agreeing predictions among the images that ``p`` gets right, NaN where it gets none right.

    ``p`` holds the predictions for the images as they are, ``q`` those for the changed images. A network that is right
    more often agrees with itself more often, robust or not; among its right answers the two can be told apart.

    >>> agreement_given_correct([3, 1, 4, 1], [3, 1, 4, 5], labels=[3, 1, 7, 1])  # right: the 1st, 2nd and 4th
    0.666...

    Parameters: three rows of integers of one shape ``(images,)``.
    """
    before, after, right = _classes("p", p), _classes("q", q, like=p), _classes("labels", labels, like=p)
    among = before == right
    # No error: a long run must not end because one arm learned nothing. `judge` speaks about the NaN.
    return float(np.mean(before[among] == after[among])) if among.any() else math.nan


def median(samples: Iterable[float]) -> float:
    """The middle sample, or the mean of the two middle ones.

    >>> median([0.3, 0.1, 9.0, 0.2])
    0.25
    """
    return statistics.median(_finite("median", samples))


def p95(samples: Iterable[float]) -> float:
    """The smallest sample that at least 95 % of the samples do not exceed (nearest rank): one that was measured.

    >>> p95(range(1, 101))
    95.0
    >>> p95([0.2, 0.1])
    0.2
    """
    found = sorted(_finite("p95", samples))
    return found[-(-95 * len(found) // 100) - 1]  # in integers: 0.95 * n may land just above a whole number


def _finite(who: str, values: Iterable[float]) -> list[float]:
    found = []
    for value in values:
        try:
            number = math.fsum((value,))  # as float(), which would read a string too
        except (TypeError, ValueError, OverflowError):
            raise bad_type(who, f"a value is {shown(value)}", "give numbers that a float can hold") from None
        if not math.isfinite(number):
            raise bad(who, f"a value is {number}", "leave out runs without a finite result, and say so")
        found.append(number)
    if not found:
        raise bad(who, "there are no values", "give at least one")
    return found


def _student(freedom: int, confidence: float) -> float:
    # Here, and not scipy.stats, whose import alone takes longer than a report: scipy.stats.t.ppf calls this function.
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + confidence) / 2))


def _shared(who: str, a: Mapping[int, float], b: Mapping[int, float]) -> list[int]:
    keys = sorted(a.keys() & b.keys())
    if not keys:
        raise bad(who, f"{_some(a)} and {_some(b)} have no key in common", "measure both under the same seeds")
    return keys


def _some(keys: Iterable[int]) -> str:
    return shown(sorted(keys), 30)


def _exp(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def _classes(name: str, values: ArrayLike, like: ArrayLike | None = None) -> NDArray[Any]:
    found = np.asarray(values)
    if found.ndim != 1 or (like is not None and found.shape != np.shape(like)):
        wanted = "(images,)" if like is None else f"{np.shape(like)}, that of p"
        raise bad("agreement", f"{name} has shape {found.shape}", f"give one predicted class per image, shape {wanted}")
    if not found.size:
        raise bad("agreement", f"{name} is empty", "give at least one image")
    if found.dtype.kind not in "iu":
        raise bad_type("agreement", f"{name} holds {found.dtype}", "give classes as integers, such as scores.argmax(1)")
    return found
