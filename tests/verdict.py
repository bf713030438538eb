"""Judging a pool by a case: what the oracle expects, and whether an outcome is allowed by the contract."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

import bounds
from arrays import fill, seed_of
from cases import Case
from oracle import Pooled, forward, numbers, output_shape
from oracle_backward import routed, spread

SELECTING = ("max", "min")
# The gradient of lp divides by powers of x and of the result: only for values whose powers neither vanish nor
# overflow in float16's accumulator. The forward pass meets every value.
CALM = ("random", "ties", "whole", "equal", "descending", "zeros")


@dataclass
class Outcome:
    """What one implementation answered: the values, the pair with indices, and the gradient of the input."""

    values: np.ndarray
    pair: tuple[np.ndarray, np.ndarray] | None = None
    dx: np.ndarray | None = None


@dataclass
class Expected:
    forward: Pooled
    dx: np.ndarray | None


def differentiable(case: Case) -> bool:
    if case.x.dtype.kind in "biu":
        return False
    return case.op != "lp" or case.values in CALM


def incoming(case: Case, shape: tuple[int, ...]) -> np.ndarray:
    """The gradient of the result: never all ones, with signed zeros where only bits are compared."""
    name = case.result_dtype.name
    dy = fill(shape, name, "random", seed_of(case.id, "dy"))
    if case.op in SELECTING and dy.size:
        dy.reshape(-1)[::5] = -0.0
    return case.shaped(dy)


def expect(case: Case) -> Expected:
    options = case.parameters
    found = forward(case.op, case.x, case.rules, case.axes, **options)
    dx = None
    if differentiable(case):
        dy = incoming(case, found.shape).reshape(found.shape)
        if case.op in SELECTING:
            dx = routed(case.op, case.x, dy, case.rules, case.axes, case.x.dtype.name)
        else:
            options.pop("dtype", None)
            dx = spread(case.op, case.x, dy, case.rules, case.axes, **options)
    return Expected(found, dx)


remembered = lru_cache(maxsize=4096)(expect)


def judge(case: Case, outcome: Outcome, expected: Expected) -> None:
    """Raise Differs with the first thing that the contract does not allow."""
    want = expected.forward
    values = case.shaped(want.values)
    bounds.shaped(outcome.values, values.shape, case.result_dtype, "values")
    if case.op in SELECTING:
        bounds.same(outcome.values, values, "values")
        assert outcome.pair is not None
        picked, indices = outcome.pair
        bounds.shaped(picked, values.shape, case.result_dtype, "values beside indices")
        bounds.shaped(indices, values.shape, np.int64, "indices")
        bounds.same(indices, case.shaped(want.indices), "indices")
        bounds.same(picked, values, "values beside indices")
        bounds.found_at(picked.reshape(want.shape), indices.reshape(want.shape), case.x, case.axes, "values")
    elif case.result_dtype.kind in "iu":
        bounds.same(outcome.values, values, "values")
    elif case.op == "lp":
        bounds.near_norm(outcome.values, values, case.parameters.get("p", 2.0), "values")
    else:
        bounds.near(outcome.values, values, "values")
    if expected.dx is not None:
        assert outcome.dx is not None
        bounds.shaped(outcome.dx, case.shape, case.x.dtype, "dx")
        if case.op in SELECTING:
            bounds.same_bits(outcome.dx, expected.dx, "dx")
        else:
            bounds.near(outcome.dx, expected.dx, "dx", slack=slope_slack(case))


def slope_slack(case: Case) -> int:
    """Roundings of one term of a gradient beyond the division that `near` counts.

    For lp a term is g sign(x) (|x| / y) ** (p - 1): the error of y (its sum, its powers) enters p - 1 times, and a
    power costs a few units (POWERS, see bounds.py).
    """
    p = float(case.parameters.get("p", 2.0))
    if case.op != "lp" or p == math.inf:
        return 0
    return math.ceil((abs(p - 1) + 1) * (1 + 1 / p) * (case.window.taps + bounds.POWERS))


def genuine(case: Case) -> Outcome:
    """The outcome of the library itself, through its public functions."""
    import cenote

    args, keywords = case.call
    function: Any = getattr(cenote, case.function)
    outcome = Outcome(function(case.x, *args, **keywords))
    if case.op in SELECTING:
        outcome.pair = function(case.x, *args, **keywords, return_indices=True)
    if differentiable(case):
        y, pullback = cenote.vjp(function, case.x, *args, **keywords)
        bounds.same(y, numbers(outcome.values), "values of vjp")
        outcome.dx = pullback(incoming(case, output_shape(case.shape, case.rules, case.axes)))
    return outcome


__all__ = ["Expected", "Outcome", "expect", "genuine", "judge", "incoming", "remembered"]
