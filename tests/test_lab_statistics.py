"""Intervals against tables of the t distribution, closed forms and simulation; agreement and quantiles by counting."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cenote.errors import CenoteError

pytest.importorskip("scipy", reason="SciPy is not installed: the lab has no intervals")

from cenote.lab.statistics import (
    Interval,
    agreement,
    agreement_given_correct,
    interval,
    median,
    p95,
    paired,
    ratio,
)

# Two-sided critical values as printed in textbooks, three decimals: by confidence, then by degrees of freedom.
TABLE = {
    0.90: {1: 6.314, 2: 2.920, 4: 2.132, 9: 1.833, 29: 1.699},
    0.95: {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 7: 2.365, 9: 2.262, 19: 2.093, 29: 2.045},
    0.99: {1: 63.657, 2: 9.925, 4: 4.604, 9: 3.250, 29: 2.756},
}
# Shares and losses: far from overflow, close to each other and to 0.
numbers = st.floats(-1e6, 1e6, allow_subnormal=True)


def spread(n: int) -> list[float]:
    """n values of mean 10 and standard deviation exactly 1 on paper: 10 ± r, and 10 itself where n is odd."""
    r = math.sqrt((n - 1) / (n - n % 2))
    return [10 - r, 10 + r] * (n // 2) + [10.0] * (n % 2)


@pytest.mark.parametrize(
    "confidence, freedom, t", [(c, freedom, t) for c, row in TABLE.items() for freedom, t in row.items()]
)
def test_the_interval_reaches_as_far_as_the_table_says(confidence: float, freedom: int, t: float) -> None:
    n = freedom + 1
    found = interval(spread(n), confidence)
    half_of_the_last_digit = 0.0005 / math.sqrt(n) + 1e-9
    assert found.mean == pytest.approx(10)
    assert found.high - 10 == pytest.approx(t / math.sqrt(n), abs=half_of_the_last_digit)
    assert 10 - found.low == pytest.approx(t / math.sqrt(n), abs=half_of_the_last_digit)
    assert found.n == n


def test_an_interval_computed_by_hand() -> None:
    # mean 40 / 8 = 5; squares 9+1+1+1+0+0+4+16 = 32; s = sqrt(32 / 7) = 2.13809; s / sqrt(8) = 0.75593;
    # 2.365 * 0.75593 = 1.78777
    found = interval([2, 4, 4, 4, 5, 5, 7, 9])
    assert (found.mean, found.n) == (5, 8)
    assert found.low == pytest.approx(3.21223, abs=5e-4)
    assert found.high == pytest.approx(6.78777, abs=5e-4)


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95, 0.999])
def test_two_and_three_values_follow_the_closed_forms(confidence: float) -> None:
    # Student's t with 1 degree of freedom is Cauchy's; with 2 the distribution function solves by a square root.
    one = math.tan(math.pi * confidence / 2)
    two = confidence * math.sqrt(2 / (1 - confidence**2))
    assert interval([9, 11], confidence).high == pytest.approx(10 + one * math.sqrt(2) / math.sqrt(2), rel=1e-12)
    assert interval([9, 10, 11], confidence).high == pytest.approx(10 + two / math.sqrt(3), rel=1e-12)


@pytest.mark.parametrize("n", [4, 5, 6, 10, 31])
def test_the_density_of_t_within_the_interval_is_its_confidence(n: int) -> None:
    freedom, confidence = n - 1, 0.95
    t = (interval(spread(n), confidence).high - 10) * math.sqrt(n)
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
    steps = 2000  # Simpson's error is far below the tolerance
    x = np.linspace(-t, t, steps + 1)
    weight = np.ones(steps + 1)
    weight[1:-1:2], weight[2:-1:2] = 4, 2
    area = float(np.sum(weight * scale * (1 + x * x / freedom) ** (-(freedom + 1) / 2)) * (2 * t / steps) / 3)
    assert area == pytest.approx(confidence, abs=1e-7)


def coverage(make: Callable[[np.random.Generator], tuple[float, float]], truth: float, tries: int = 3000) -> float:
    rng = np.random.default_rng(20)
    hits = 0
    for _ in range(tries):
        low, high = make(rng)
        hits += low <= truth <= high
    return hits / tries


# Four standard errors of a share of 0.95 in 3000 tries.
NEAR = 4 * math.sqrt(0.95 * 0.05 / 3000)


@pytest.mark.parametrize("n", [3, 5, 12])
def test_about_95_percent_of_the_intervals_hold_the_truth(n: int) -> None:
    def ours(rng: np.random.Generator) -> tuple[float, float]:
        found = interval(rng.normal(0.97, 0.004, n))
        return found.low, found.high

    assert coverage(ours, 0.97) == pytest.approx(0.95, abs=NEAR)


def test_the_simulation_would_notice_the_normal_distribution() -> None:
    def normal(rng: np.random.Generator) -> tuple[float, float]:
        values = rng.normal(0.97, 0.004, 5)
        reach = 1.96 * values.std(ddof=1) / math.sqrt(5)
        return values.mean() - reach, values.mean() + reach

    assert coverage(normal, 0.97) < 0.95 - NEAR


def test_paired_intervals_cover_though_seeds_scatter_ten_times_wider() -> None:
    widths = []

    def ours(rng: np.random.Generator) -> tuple[float, float]:
        seed = rng.normal(0.9, 0.05, 5)  # what a seed does to both arms
        a, b = seed + rng.normal(0.01, 0.005, 5), seed + rng.normal(0, 0.005, 5)
        found = paired(dict(enumerate(a)), dict(enumerate(b)))
        widths.append(found.high - found.low)
        return found.low, found.high

    assert coverage(ours, 0.01) == pytest.approx(0.95, abs=NEAR)
    assert np.median(widths) < 0.03  # unpaired it would be about 0.13


def test_ratios_of_times_cover_on_their_own_scale() -> None:
    def ours(rng: np.random.Generator) -> tuple[float, float]:
        moment = rng.lognormal(0, 0.5, 8)
        a, b = 0.8 * moment * rng.lognormal(0, 0.1, 8), moment * rng.lognormal(0, 0.1, 8)
        found = ratio(dict(enumerate(a)), dict(enumerate(b)))
        return found.low, found.high

    assert coverage(ours, 0.8) == pytest.approx(0.95, abs=NEAR)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 0.0, -7.25, 1e-300, 0.9999999999999999])
@pytest.mark.parametrize("n", [2, 3, 7, 10])
def test_equal_values_have_no_width_to_the_last_bit(value: float, n: int) -> None:
    # sum([0.1] * 3) / 3 is not 0.1, and a deviation of 1e-17 would decide a claim
    assert interval([value] * n) == Interval(value, value, value, n)


def test_one_value_leaves_everything_possible() -> None:
    assert interval([0.97]) == Interval(0.97, -math.inf, math.inf, 1)
    assert ratio({3: 1.0}, {3: 4.0}) == Interval(0.25, 0.0, math.inf, 1)


@given(st.lists(numbers, min_size=2, max_size=12), st.randoms())
def test_the_order_of_values_changes_no_bit(values: list[float], random: Any) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)
    assert interval(shuffled) == interval(values)


@given(st.lists(numbers, min_size=1, max_size=12))
def test_the_mean_is_the_exact_one_rounded_once_and_signs_mirror(values: list[float]) -> None:
    found, mirrored = interval(values), interval([-value for value in values])
    assert found.mean == float(sum(map(Fraction, values)) / len(values))
    assert (mirrored.mean, mirrored.low, mirrored.high) == (-found.mean, -found.high, -found.low)


def test_values_may_come_from_numpy_or_a_generator() -> None:
    wanted = interval([0.5, 0.75, 1.0])
    assert interval(np.array([0.5, 0.75, 1.0], dtype=np.float32)) == wanted
    assert interval(value for value in (0.5, 0.75, 1)) == wanted
    assert all(type(part) is float for part in (wanted.mean, wanted.low, wanted.high))


@pytest.mark.parametrize("who", [interval, median, p95])
@pytest.mark.parametrize(
    "values, words",
    [
        ([], "no values"),
        ([0.5, math.nan], "nan"),
        ([0.5, math.inf], "inf"),
        ([0.5, -math.inf], "-inf"),
        ([0.5, None], "None"),
        (["0.5"], "'0.5'"),
        ([10**400], "float can hold"),
        (np.zeros((2, 2)), "array"),
    ],
)
def test_what_is_no_finite_number_is_refused(who: Callable[..., Any], values: Any, words: str) -> None:
    with pytest.raises(CenoteError, match=words):
        who(values)


@pytest.mark.parametrize("confidence", [0, 1, 95, -0.5, math.nan])
def test_a_confidence_is_a_share(confidence: float) -> None:
    with pytest.raises(CenoteError, match="confidence"):
        interval([1, 2], confidence)


@pytest.mark.parametrize(
    "mean, low, high, n", [(1, 2, 3, 5), (1, 0, 0.5, 5), (math.nan, 0, 1, 5), (1, math.nan, 2, 5), (1, 0, 2, 0)]
)
def test_an_interval_checks_itself(mean: float, low: float, high: float, n: int) -> None:
    with pytest.raises(CenoteError, match="Interval"):
        Interval(mean, low, high, n)


def test_pairs_go_by_seed_whatever_the_order_and_leave_lone_seeds_out() -> None:
    a = {3: 0.5, 1: 0.75, 2: 1.0, 9: 100.0}
    b = {1: 0.5, 2: 0.5, 3: 0.5, 4: -100.0}
    assert paired(a, b) == interval([0.25, 0.5, 0.0])
    swapped = paired(b, a)
    assert (swapped.mean, swapped.low, swapped.high) == (-0.25, -paired(a, b).high, -paired(a, b).low)


@pytest.mark.parametrize("compare", [paired, ratio])
def test_no_common_seed_is_said(compare: Callable[..., Any]) -> None:
    with pytest.raises(CenoteError, match=r"\[1\] and \[2\] have no key in common"):
        compare({1: 1.0}, {2: 1.0})


def test_a_diverged_seed_is_not_averaged_away() -> None:
    with pytest.raises(CenoteError, match="nan"):
        paired({0: 0.5, 1: math.nan}, {0: 0.5, 1: 0.5})


def test_ratios_are_geometric_and_turn_over() -> None:
    a, b = {0: 1.0, 1: 8.0, 2: 2.0}, {0: 2.0, 1: 4.0, 2: 4.0}  # 1/2, 2, 1/2: the cube root of 1/2
    found, turned = ratio(a, b), ratio(b, a)
    assert found.mean == pytest.approx(0.5 ** (1 / 3))
    # by hand: logs of base 2 are -1, 1, -1, deviation sqrt(4/3), t 4.303 over sqrt(3): 2.8687
    assert found.low == pytest.approx(2 ** (-1 / 3 - 2.8687), rel=1e-3)
    assert (turned.mean, turned.low, turned.high) == pytest.approx((1 / found.mean, 1 / found.high, 1 / found.low))


@pytest.mark.parametrize("value", [0.0, -1.0, math.inf, math.nan])
def test_times_are_above_zero(value: float) -> None:
    with pytest.raises(CenoteError, match="above 0"):
        ratio({0: 1.0, 1: value}, {0: 1.0, 1: 1.0})
    with pytest.raises(CenoteError, match="above 0"):
        ratio({0: 1.0, 1: 1.0}, {0: 1.0, 1: value})


def test_ratios_beyond_a_float_are_infinite() -> None:
    found = ratio({0: 1e300, 1: 1e-300}, {0: 1e-300, 1: 1e300})
    assert (found.low, found.high) == (0.0, math.inf)


classes = st.integers(0, 3)
rows = st.lists(st.tuples(classes, classes, classes), min_size=1, max_size=40)


@given(rows)
def test_agreement_is_counted(found: list[tuple[int, int, int]]) -> None:
    p, q, labels = (list(column) for column in zip(*found, strict=True))
    assert agreement(p, q) == sum(a == b for a, b, _ in found) / len(found)
    right = [(a, b) for a, b, label in found if a == label]
    given_correct = agreement_given_correct(p, q, labels)
    if right:
        assert given_correct == pytest.approx(sum(a == b for a, b in right) / len(right), rel=1e-15)
    else:
        assert math.isnan(given_correct)


def test_correctness_is_that_of_the_unshifted_prediction() -> None:
    labels = [1, 1, 1, 1]
    three_right, all_right = np.array([1, 1, 2, 1]), np.array([1, 1, 1, 1], np.uint8)
    assert agreement(three_right, all_right) == 0.75
    assert agreement_given_correct(three_right, all_right, labels) == 1.0
    assert agreement_given_correct(all_right, three_right, labels) == 0.75


@pytest.mark.parametrize(
    "p, q, words",
    [
        ([], [], "empty"),
        ([1, 2], [1], "shape"),
        ([1, 2], 1, "shape"),
        (1, 1, "shape"),
        ([[1, 2]], [[1, 2]], "shape"),
        ([0.9, 0.1], [0.9, 0.1], "argmax"),
        ([True], [True], "argmax"),
        (["a"], ["a"], "argmax"),
    ],
)
def test_agreement_wants_one_class_per_image(p: Any, q: Any, words: str) -> None:
    with pytest.raises(CenoteError, match=words):
        agreement(p, q)
    with pytest.raises(CenoteError, match=words):
        agreement_given_correct(p, q, p)


def test_labels_are_as_many_as_images() -> None:
    with pytest.raises(CenoteError, match=r"labels has shape \(3,\)"):
        agreement_given_correct([1, 2], [1, 2], [1, 2, 3])


@given(st.lists(st.integers(0, 20), min_size=1, max_size=130))
def test_p95_is_the_first_sample_that_95_percent_do_not_exceed(values: list[int]) -> None:
    found = p95(values)
    assert found in values
    assert 100 * sum(value <= found for value in values) >= 95 * len(values)
    assert 100 * sum(value < found for value in values) < 95 * len(values)


@given(st.lists(numbers, min_size=1, max_size=30))
def test_the_median_halves(values: list[float]) -> None:
    found = median(values)
    assert 2 * sum(value < found for value in values) <= len(values)
    assert 2 * sum(value > found for value in values) <= len(values)


def test_one_slow_sample_moves_p95_of_few_but_not_the_median() -> None:
    assert p95([0.001] * 19 + [9.0]) == 0.001
    assert p95([0.001] * 18 + [9.0]) == 9.0
    assert median([0.001] * 18 + [9.0]) == 0.001
