"""Drawn cases: the library must say what the oracle says, forward and backward, whoever runs the call.

Exactly for max, min and whole numbers (values, indices, the bits of gradients); within the bounds of `bounds.py`,
where each allowance has its reason, for float sums.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bounds
import cenote
from arrays import make
from cases import OPERATORS, Case
from oracle import Split, forward, unpool
from strategies import drawn_cases
from verdict import expect, genuine, judge

pytestmark = pytest.mark.sanitize


@pytest.mark.parametrize("op", OPERATORS)
@given(data=st.data(), threads=st.sampled_from([1, 2, 5]))
def test_drawn_case(op: str, data: st.DataObject, threads: int) -> None:
    case: Case = data.draw(drawn_cases(op))
    before = cenote.get_num_threads()
    cenote.set_num_threads(threads)
    try:
        judge(case, genuine(case), expect(case))
    finally:
        cenote.set_num_threads(before)


@given(data=st.data(), op=st.sampled_from(["max", "min"]))
def test_unpool_puts_every_value_back(data: st.DataObject, op: str) -> None:
    case: Case = data.draw(drawn_cases(op).filter(lambda c: c.keepdims is not False))
    args, keywords = case.call
    y, indices = getattr(cenote, case.function)(case.x, *args, **keywords, return_indices=True)
    got = cenote.max_unpool(y, indices, case.shape, axes=case.axes)
    want = unpool(y, indices, case.shape, case.axes)
    assert got.dtype == y.dtype
    assert got.tobytes() == want.tobytes()


@given(data=st.data())
def test_unpool_of_any_indices(data: st.DataObject) -> None:
    """Cells named twice keep the last; -1 is skipped; the pooled shapes need not have come from a pool."""
    shape = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5)))
    pooled = data.draw(st.tuples(st.just(shape[0]), st.integers(1, 4), st.integers(1, 4)))
    dtype = data.draw(st.sampled_from(["float32", "int8", "float16", "uint64", "bool"]))
    y = make(pooled, dtype, seed=data.draw(st.integers(0, 99)), values="ties")
    cell = st.integers(-1, shape[1] * shape[2] - 1)
    count = int(np.prod(pooled))
    flat = data.draw(st.lists(cell, min_size=count, max_size=count))
    indices = np.array(flat, np.int64).reshape(pooled)
    assert cenote.max_unpool(y, indices, shape).tobytes() == unpool(y, indices, shape, (1, 2)).tobytes()


@given(data=st.data())
def test_a_gradient_is_linear_in_dy_for_whole_numbers(data: st.DataObject) -> None:
    """With small whole numbers every sum is exact, so pulling back is exactly additive: nothing is lost or counted
    twice, whatever the engine."""
    case: Case = data.draw(drawn_cases("sum", ("float32", "float64"), plain=True))
    args, keywords = case.call
    y, pullback = cenote.vjp(getattr(cenote, case.function), case.x, *args, **keywords)
    rng = np.random.default_rng(case.seed)
    a, b = (rng.integers(-8, 9, y.shape).astype(y.dtype) for _ in range(2))
    assert (pullback(a) + pullback(b) == pullback(a + b)).all()
    taps = forward("sum", np.ones(case.shape), case.rules, case.axes).values
    assert pullback(np.ones_like(y)).sum() == sum(int(n.value) for n in taps.reshape(-1))


def test_the_bounds_refuse_what_is_wrong() -> None:
    """A bound that lets everything pass proves nothing: one unit too far, or a NaN, is refused."""
    x = np.array([0.1, 0.2, 0.7], np.float32)
    want = forward("sum", x, [Split(1)], (0,)).values
    bounds.near(np.array([x.sum()], np.float32), want, "sum")
    for wrong in (x.sum() * np.float32(1 + 2e-6), np.float32(np.nan), np.float32(np.inf)):
        with pytest.raises(bounds.Differs):
            bounds.near(np.array([wrong], np.float32), want, "sum")
