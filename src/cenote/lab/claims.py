"""What is said about pooling, as rows, and the one rule that judges a row from measured intervals.

``judge(view)`` reads results through a `View`, whatever keeps them. Counts (parameters, bytes) are exact and compared
as they are. What training scatters is compared seed by seed, what a clock says as ratios of times; both get a 95 %
interval (`statistics`), and `ruling` sees nothing but that interval and the range the claim names.

The intervals are not widened for their number: of forty claims about arms without any difference, one is expected to
come out as supported. They speak for these images and this model, and where a clock was read for this machine: rounds
of one process tell how steady it was, not what another would do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final, Protocol

from ..errors import bad, shown
from .arms import BASELINE
from .measures import MEASURES, Unit, comparison_in_words, consistency, counts_in_words, margin_in_words
from .statistics import Interval, paired, ratio

#: Fewer seeds (or rounds of latency) than this decide nothing: two alike by chance would have an interval of no width.
LEAST_SEEDS: Final = 3
#: "Changes little" and "costs nothing" allow this much accuracy, as a share: 1 point, or one image in a hundred.
ACCURACY_MARGIN: Final = 0.01


class Ruling(StrEnum):
    """What the numbers say about a claim."""

    SUPPORTED = "supported"
    NOT_SUPPORTED = "not supported"
    UNDECIDED = "undecided"


class Kind(Enum):
    """Where the first arm lies if the claim is true, seen from the second."""

    LESS = "below"
    MORE = "above"
    NOT_WORSE = "at most the margin below"
    ALIKE = "at most the margin below or above"
    TIMES_LESS = "at most the margin-th part"


@dataclass(frozen=True, slots=True)
class Claim:
    """A row: ``arms[0]`` compared with ``arms[1]`` in one measure; ``versus`` names the second's where it is another.

    ``source`` is who says it, or whose construction it tests. ``margin`` is in the measure's own unit (a share of
    images), or the factor of `Kind.TIMES_LESS`; 0 for the kinds without one.
    """

    name: str
    sentence: str
    source: str
    arms: tuple[str, str]
    measure: str
    kind: Kind
    margin: float = 0.0
    versus: str = ""

    def __post_init__(self) -> None:
        for name in self.measures:
            if name not in MEASURES:
                raise bad(f"claim {self.name}", f"measure is {shown(name)}", f"choose among {', '.join(MEASURES)}")
        first, second = (MEASURES[name].unit for name in self.measures)
        if first is not second:
            raise bad(f"claim {self.name}", f"{first.name} is compared with {second.name}", "compare equal units")
        if (self.kind not in (Kind.LESS, Kind.MORE)) != (0 < self.margin < math.inf):
            raise bad(
                f"claim {self.name}",
                f"margin is {self.margin} for {self.kind.name}",
                "give one above 0 for NOT_WORSE, ALIKE and TIMES_LESS, none for the others",
            )
        if self.kind is Kind.TIMES_LESS and not first.exact:
            raise bad(f"claim {self.name}", f"TIMES_LESS is asked of {self.measure}", "ask it of counts")

    @property
    def measures(self) -> tuple[str, str]:
        """The measure of the first arm and that of the second."""
        return self.measure, self.versus or self.measure

    @property
    def unit(self) -> Unit:
        """That of both measures."""
        return MEASURES[self.measure].unit

    @property
    def claimed(self) -> tuple[float, float]:
        """The open range in which the comparison lies if the claim is true."""
        equal = self.unit.equal
        match self.kind:
            case Kind.LESS:
                return -math.inf, equal
            case Kind.MORE:
                return equal, math.inf
            case Kind.NOT_WORSE:
                return equal - self.margin, math.inf
            case Kind.ALIKE:
                return equal - self.margin, equal + self.margin
            case Kind.TIMES_LESS:  # exactly a tenth is ten times less, so the end belongs to the range
                return -math.inf, math.nextafter(1 / self.margin, math.inf)


_TUTORIALS: Final = "tutorials"
_HERE: Final = "this lab"


def _pooling(name: str, sentence: str, measure: str, kind: Kind = Kind.LESS, margin: float = 0.0) -> Claim:
    return Claim(name, sentence, _TUTORIALS, (BASELINE, "none"), measure, kind, margin)


CLAIMS: Final = (
    _pooling("smaller-maps", "Pooling shrinks the maps.", "activation_bytes"),
    _pooling("fewer-parameters", "Pooling saves parameters.", "parameters"),
    _pooling("fewer-multiply-adds", "Pooling saves computation.", "multiply_adds"),
    _pooling("less-kept", "Pooling saves memory for the backward pass.", "kept_bytes"),
    _pooling("less-overfitting", "Pooling curbs overfitting: train and test accuracy lie closer together.", "gap"),
    *(
        _pooling(
            f"robust-{edge}-{shift}",
            f"Pooling makes predictions robust to shifts by {shift} pixel{'s' * (shift > 1)} ({how}).",
            consistency(edge, shift, given_correct=True),
            Kind.MORE,
        )
        for edge, how in (("circular", "what leaves on one side enters on the other"), ("cropped", "cut at the edge"))
        for shift in (1, 2)
    ),
    _pooling("faster-training", "Pooling speeds up training.", "seconds_per_epoch"),
    _pooling("faster-prediction-1", "Pooling speeds up prediction, one image at a time.", "latency_1"),
    _pooling("faster-prediction-32", "Pooling speeds up prediction, 32 images at a time.", "latency_32"),
    _pooling("same-accuracy", "Pooling costs no accuracy.", "test_accuracy", Kind.NOT_WORSE, ACCURACY_MARGIN),
    Claim(
        "fewer-than-dense",
        "A convolutional network with pooling needs fewer parameters than dense layers alone.",
        _TUTORIALS,
        (BASELINE, "dense"),
        "parameters",
        Kind.LESS,
    ),
    Claim(
        "strided-keeps-accuracy",
        "A convolution with stride 2 can replace max pooling without loss of accuracy.",
        "Springenberg et al. 2014",
        ("strided", BASELINE),
        "test_accuracy",
        Kind.NOT_WORSE,
        ACCURACY_MARGIN,
    ),
    # The convolution that replaces pooling also adds parameters; this arm has both the convolution and the pooling.
    Claim(
        "strided-below-control",
        "A convolution with stride 2 is less accurate than the same convolution followed by max pooling.",
        "the control experiment of Springenberg et al. 2014",
        ("strided", "max+conv"),
        "test_accuracy",
        Kind.LESS,
    ),
    Claim(
        "overlap-changes-little",
        "Overlapping windows change the accuracy little.",
        "Scherer et al. 2010",
        ("max-3/2", BASELINE),
        "test_accuracy",
        Kind.ALIKE,
        ACCURACY_MARGIN,
    ),
    # 10 to 100 times are usual; more than 100 says the same louder, so the range has no lower end.
    Claim(
        "small-global-head",
        "A head that averages whole maps needs at least 10 times fewer parameters than flattening and dense layers.",
        "Lin et al. 2013",
        ("global-avg", BASELINE),
        "head_parameters",
        Kind.TIMES_LESS,
        10,
    ),
    Claim(
        "max-fits-harder",
        "Max pooling fits the training images harder than average pooling.",
        "Zeiler and Fergus 2013",
        (BASELINE, "avg-2/2"),
        "train_loss",
        Kind.LESS,
    ),
    *(
        Claim(
            f"accuracy-is-consistency-{edge}",
            f"Accuracy itself raises consistency: right answers survive a shift by 1 pixel more often ({edge}).",
            _HERE,
            (BASELINE, BASELINE),
            consistency(edge, 1, given_correct=True),
            Kind.MORE,
            versus=consistency(edge, 1),
        )
        for edge in ("circular", "cropped")
    ),
    Claim(
        "small-offsets",
        "Offsets within a window take less memory than int64 indices.",
        _HERE,
        (BASELINE, BASELINE),
        "kept_bytes",
        Kind.LESS,
        versus="kept_bytes_int64",
    ),
)


class View(Protocol):
    """Results as `judge` reads them; nothing is said about how they are kept."""

    def absent(self, arm: str) -> str:
        """Why nothing is known of this arm ("was not run", "its output would be empty"); empty if it was run."""

    def disturbed(self, arm: str, measure: str) -> str:
        """What ran while a clock measured this ("4 jobs at once"); empty if it was measured alone."""

    def fixed(self, arm: str, measure: str) -> float | None:
        """A count; None where it was not counted."""

    def per_seed(self, arm: str, measure: str) -> Mapping[int, float]:
        """From each finished seed to its number: shares 0 to 1, seconds; NaN where training diverged."""

    def per_round(self, arm: str, measure: str) -> Mapping[int, float]:
        """From each round of measurement, in which every arm has its turn, to the median seconds of that round."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A claim, what the numbers say, and the sentence made from them.

    ``interval`` is that of the difference (shares: 0.01 is a point) or of the ratio (times; counts, without width),
    None where a number is missing. ``reason`` says what left a claim undecided, empty for the others.
    """

    claim: Claim
    verdict: Ruling
    sentence: str
    interval: Interval | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A claim that these results cannot speak about, and why."""

    claim: Claim
    reason: str


# Shares that are equal as fractions may differ by this much after a subtraction: an end this close touches the bound.
_ROUNDING: Final = 1e-12


def ruling(found: Interval, claimed: tuple[float, float], *, exact: bool = False) -> Ruling:
    """Supported: the whole interval lies inside the open range. Not supported: the whole of it lies beyond one end.

    Anything else is undecided: an interval across an end or touching it, or fewer than `LEAST_SEEDS` values. A count is
    exact and always decided: on the end itself it is not supported.

    >>> claimed = (float("-inf"), 0.0)  # "less"
    >>> [str(ruling(Interval(mean, mean - 0.5, mean + 0.5, 5), claimed)) for mean in (-1.0, -0.2, 1.0)]
    ['supported', 'undecided', 'not supported']
    """
    low, high = claimed
    slack = 0.0 if exact else _ROUNDING
    if not exact and found.n < LEAST_SEEDS:
        return Ruling.UNDECIDED
    # An infinite end is no end: ten bytes against none are infinitely many times more, and more.
    if (low + slack < found.low or low == -math.inf) and (found.high < high - slack or high == math.inf):
        return Ruling.SUPPORTED
    if exact or found.high < low - slack or high + slack < found.low:
        return Ruling.NOT_SUPPORTED
    return Ruling.UNDECIDED


def judge(view: View, claims: Iterable[Claim] = CLAIMS) -> list[Verdict]:
    """A verdict for each claim that these results speak about; the others are what `left_out` returns.

    Parameters: ``view``; ``claims``, the rows (`CLAIMS`). No verdict rests on anything but the intervals:
    see `ruling`. A time measured beside other jobs and an arm with a diverged seed leave a claim undecided.
    """
    return [_judged(claim, view) for claim in claims if not _missing(claim, view)]


def left_out(view: View, claims: Iterable[Claim] = CLAIMS) -> list[LeftOut]:
    """The claims that `judge` does not judge, each with the reason: an arm or its numbers are missing."""
    return [LeftOut(claim, reason) for claim in claims if (reason := _missing(claim, view))]


def _missing(claim: Claim, view: View) -> str:
    for arm in dict.fromkeys(claim.arms):
        if why := view.absent(arm):
            return f"{_words(arm)}: {why}"
    found = _numbers(claim, view)
    for arm, measure, values in zip(claim.arms, claim.measures, found, strict=True):
        if not values:
            return f"{_words(arm)}: no {MEASURES[measure].words} in these results"
    first, second = claim.arms
    return "" if _shared(*found) else f"{_words(first)} and {_words(second)}: no {_key(claim)} in common"


def _judged(claim: Claim, view: View) -> Verdict:
    a, b = _numbers(claim, view)
    disturbed = next((why for arm in claim.arms if claim.unit.timed and (why := _disturbed(claim, view, arm))), "")
    if claim.unit.exact:
        found = _exact(claim, a[0], b[0])
        number = counts_in_words(claim.unit, a[0], b[0], claim.claimed)
    else:
        if lost := _lost(claim, a, b):
            return _verdict(claim, Ruling.UNDECIDED, None, "", lost)
        found = ratio(a, b) if claim.unit.timed else paired(a, b)
        number = comparison_in_words(claim.unit, found, claim.claimed)
        number += f", margin {margin_in_words(claim.unit, claim.margin)}" * bool(claim.margin)
    verdict = Ruling.UNDECIDED if disturbed else ruling(found, claim.claimed, exact=claim.unit.exact)
    if verdict is not Ruling.UNDECIDED:
        return _verdict(claim, verdict, found, number, "")
    few = f"{found.n} {_key(claim)}{'s' * (found.n > 1)} cannot decide it, {LEAST_SEEDS} are needed"
    reason = disturbed or (few if found.n < LEAST_SEEDS else "the interval leaves it open")
    return _verdict(claim, verdict, found, number, reason)


def _verdict(claim: Claim, verdict: Ruling, found: Interval | None, number: str, reason: str) -> Verdict:
    measure, versus = (MEASURES[name].words for name in claim.measures)
    what = (f"{measure} against {versus}", number) if claim.versus else (f"{measure} {number}".rstrip(),)
    arms = " against ".join(dict.fromkeys(map(_words, claim.arms)))
    said = ": ".join(part for part in (arms, *what, verdict) if part)
    return Verdict(claim, verdict, said + f", because {reason}" * bool(reason), found, reason)


def _numbers(claim: Claim, view: View) -> tuple[Mapping[int, float], Mapping[int, float]]:
    def read(arm: str, measure: str) -> Mapping[int, float]:
        if claim.unit.exact:
            count = view.fixed(arm, measure)
            return {} if count is None else {0: count}
        return (view.per_round if claim.unit is Unit.LATENCY else view.per_seed)(arm, measure)

    (first, second), (measure, versus) = claim.arms, claim.measures
    return read(first, measure), read(second, versus)


def _shared(a: Mapping[int, float], b: Mapping[int, float]) -> list[int]:
    return sorted(a.keys() & b.keys())


def _exact(claim: Claim, a: float, b: float) -> Interval:
    for count in (a, b):
        if not 0 <= count < math.inf:
            raise bad("judge", f"{claim.measure} is {shown(count)}", "give counts, or None where nothing was counted")
    value = a / b if b else (math.inf if a else 1.0)
    return Interval(value, value, value, 1)


def _lost(claim: Claim, a: Mapping[int, float], b: Mapping[int, float]) -> str:
    """A seed without a number is not dropped: that only the good runs count would be a bias."""
    for key in _shared(a, b):
        for arm, value in zip(claim.arms, (a[key], b[key]), strict=True):
            if not math.isfinite(value) or (claim.unit.timed and value <= 0):
                said = f"{value:g}" if math.isfinite(value) else "no finite number"
                return f"{_key(claim)} {key} of {_words(arm)} gave {said}"
    return ""


def _disturbed(claim: Claim, view: View, arm: str) -> str:
    why = next((why for measure in claim.measures if (why := view.disturbed(arm, measure))), "")
    return f"{_words(arm)} was measured beside other jobs ({why})" if why else ""


def _key(claim: Claim) -> str:
    return "round" if claim.unit is Unit.LATENCY else "seed"


def _words(arm: str) -> str:
    return arm.replace("-", " ")
