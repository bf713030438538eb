"""The oracle is held to numbers worked out by hand, and to NumPy where NumPy is exact."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import exact
from arrays import BFLOAT16
from oracle import Slide, Spans, Split, cells, extreme, float_sum, forward, norm, unpool
from oracle_backward import routed, spread


@pytest.mark.parametrize("name", ["float16", "float32", "float64", "bfloat16"])
@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_rounding_is_that_of_the_format(name: str, value: float) -> None:
    with np.errstate(over="ignore"):
        want = float(np.float64(value).astype(BFLOAT16 if name == "bfloat16" else name))
    if name == "bfloat16":  # ml_dtypes goes through float32 and rounds twice: only what float32 holds is comparable
        value = float(np.float32(value)) if abs(value) < 3e38 else 1.0
        want = float(np.float32(value).astype(BFLOAT16))
    assert math.copysign(1, exact.round_to(Fraction(value), name) or want) == math.copysign(1, want)
    assert exact.round_to(Fraction(value), name) == want


@given(st.floats(width=32), st.floats(width=32))
def test_float32_addition(a: float, b: float) -> None:
    with np.errstate(all="ignore"):
        want = np.float32(a) + np.float32(b)
    got = exact.add(a, b, "float32")
    assert (got != got and want != want) or (got == want and math.copysign(1, got) == math.copysign(1, want))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_fixed_point_is_exact(value: float) -> None:
    assert exact.from_fixed(exact.fixed(value)) == Fraction(value)


def test_half_even() -> None:
    halves = [Fraction(n, 2) for n in (-5, -3, -1, 1, 3, 5)]
    assert [exact.half_even(h) for h in halves] == [-2, -2, 0, 0, 2, 2]
    assert [round(h) for h in halves] == [-2, -2, 0, 0, 2, 2]


@pytest.mark.parametrize(
    ("rule", "length", "pads", "starts"),
    [
        (Slide(3, 2), 7, (0, 0), [0, 2, 4]),
        (Slide(3, 2, (1, 1)), 7, (1, 1), [-1, 1, 3, 5]),
        (Slide(3, 2, ceil=True), 6, (0, 0), [0, 2, 4]),
        (Slide(2, 2, (1, 1), ceil=True), 5, (1, 1), [-1, 1, 3]),
        (Slide(3, 2, "same"), 6, (0, 1), [0, 2, 4]),
        (Slide(3, 2, "same_lower"), 6, (1, 0), [-1, 1, 3]),
        (Slide(3, 2, "same", 2), 7, (2, 2), [-2, 0, 2, 4]),
        (Slide(1, 4, "same"), 6, (0, 0), [0, 4]),
    ],
)
def test_slides_worked_out_by_hand(rule: Slide, length: int, pads: tuple[int, int], starts: list[int]) -> None:
    assert rule.pads(length) == pads
    want = [tuple(t for t in range(s, s + rule.extent, rule.dilation) if 0 <= t < length) for s in starts]
    assert [b.taps for b in rule.bins(length)] == want


def test_divisor_counts() -> None:
    # length 4, k3 s2 p1 ceil: the third window starts at 3 and overhangs the right padding by one
    assert [(len(b.taps), b.padded, b.window) for b in Slide(3, 2, (1, 1), ceil=True).bins(4)] == [
        (2, 3, 3),
        (3, 3, 3),
        (1, 2, 3),
    ]


def test_bins_and_tables() -> None:
    assert [(b.taps[0], b.taps[-1] + 1) for b in Split(4).bins(10)] == [(0, 3), (2, 5), (5, 8), (7, 10)]
    assert [b.taps for b in Split(5).bins(3)] == [(0,), (0, 1), (1,), (1, 2), (2,)]
    assert [b.taps for b in Spans(((0, 5, 2), (3, 4, 1))).bins(5)] == [(0, 2, 4), (3,)]


def test_taps_follow_the_arrays_axes_not_the_order_of_naming() -> None:
    one = next(iter(cells((3, 5), [Slide(2), Slide(3)], (1, 0))))
    assert [index for _, index in one.reads] == [0, 1, 5, 6, 10, 11]


def test_choosing() -> None:
    nan = math.nan
    assert extreme("max", [(1.0, 4), (2.0, 5), (2.0, 6)], None) == (2.0, 5)
    assert extreme("min", [(1.0, 4), (2.0, 5), (1.0, 6)], None) == (1.0, 4)
    assert extreme("max", [(nan, 0), (9.0, 1), (nan, 2), (3.0, 3)], None)[1] == 2
    assert extreme("max", [(-math.inf, 3), (-math.inf, 4)], None) == (-math.inf, 3)
    assert extreme("max", [(-0.0, 0), (0.0, 1)], None)[1] == 0
    assert extreme("max", [], -7) == (-7, -1)


def test_sums() -> None:
    assert float_sum([0.1, 0.2]).value == Fraction(0.1) + Fraction(0.2)
    assert float_sum([math.inf, 1.0]).value == math.inf
    assert math.isnan(float_sum([math.inf, -math.inf]).value)
    assert float_sum([3.0, -4.0]).exact_sum
    assert not float_sum([3.5]).exact_sum
    assert norm([3.0, -4.0], 2).value == 5
    assert norm([3, -4], math.inf).value == 4
    assert abs(norm([1.0, 1.0], 2).value - Fraction(math.sqrt(2))) < Fraction(1, 2**52)


def test_whole_numbers() -> None:
    x = np.array([[1, 2], [2, 5]], np.int8)
    assert forward("avg", x, [Slide(2)], (1,)).values.tolist() == [[2], [4]]  # 1.5 and 3.5: to the even one
    big = np.full(3, 2**63 - 1)
    assert forward("avg", big, [Slide(3)], (0,)).values.tolist() == [2**63 - 1]
    assert forward("sum", big, [Slide(3)], (0,)).values.tolist() == [2**63 - 3]
    assert forward("sum", np.array([200, 100], np.uint8), [Slide(2)], (0,)).values.tolist() == [300]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=9))
def test_sum_wraps_as_numpy_does(values: list[int]) -> None:
    x = np.array(values, np.int64)
    assert forward("sum", x, [Split(1)], (0,)).values.tolist() == [np.sum(x)]


def test_gradients_by_hand() -> None:
    x = np.array([0, 0, 9, 0, 0, 0, 1, 0.0])
    assert routed("max", x, np.ones(3), [Slide(4, 2)], (0,), "float64").tolist() == [0, 0, 2, 0, 0, 0, 1, 0]
    found = spread("avg", np.zeros(4), np.array([0, 1.0]), [Slide(3, 2, ceil=True)], (0,), divisor="padded")
    assert [n.value for n in found] == [0, 0, Fraction(1, 2), Fraction(1, 2)]
    found = spread("lp", np.array([3.0, -4.0, 0.0]), np.array([10.0]), [Slide(3)], (0,))
    assert [n.value for n in found] == [6, -8, 0]


def test_half_gradients_are_held_wider_and_rounded_once() -> None:
    # 2048 + 1 + 1 in float16 alone stays 2048; held in float32 and rounded once it is 2050
    x = np.array([0, 1, 0], np.float16)
    dy = np.array([2048, 1, 1], np.float16)
    rules = [Spans(((0, 3, 1),) * 3)]
    assert routed("max", x, dy, rules, (0,), "float16").tolist() == [0, 2050, 0]


def test_unpool() -> None:
    y, indices = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2, -1, 0, 2])
    assert unpool(y, indices, (4,), (0,)).tolist() == [3, 0, 4, 0]
