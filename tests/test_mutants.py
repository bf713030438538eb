"""The tests are tested: the ordinary cases must catch every wrong pool, and must pass the right one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

from bounds import Differs
from cases import OPERATORS, Case, cases
from mutants import MUTANTS, Mutant
from oracle import output_shape
from taploop import TapLoop
from verdict import Outcome, differentiable, expect, incoming, judge, remembered


def run(pool: TapLoop, case: Case) -> Outcome:
    dy = None
    if differentiable(case):
        shape = output_shape(case.shape, case.rules, case.axes)
        dy = incoming(case, shape).reshape(shape)
    values, index, dx = pool.run(case.op, case.x, case.rules, case.axes, case.parameters, dy)
    values = case.shaped(values)
    return Outcome(values, None if index is None else (values, case.shaped(index)), dx)


@cache
def table(op: str) -> list[Case]:
    return cases(op)


def spread_out(op: str) -> Iterator[Case]:
    """All cases, far ones first: a mutant is caught early and the oracle need not work through the whole table."""
    found = table(op)
    for start in range(7):
        yield from found[start::7]


@pytest.mark.slow
@pytest.mark.parametrize("op", OPERATORS)
def test_the_right_pool_passes(op: str) -> None:
    for case in table(op)[::3]:  # a third holds every window and type; the whole table takes a minute
        judge(case, run(TapLoop(), case), expect(case))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.__name__)
def test_caught(mutant: type[Mutant]) -> None:
    """For every operator that the mistake can touch, some ordinary case refuses it, and not the right pool."""
    for op in mutant.ops:
        case = next((case for case in spread_out(op) if refused(mutant(), case)), None)
        assert case is not None, f"nothing catches it in {op}"
        assert not refused(TapLoop(), case), f"{case.id} refuses the right pool as well"


def refused(pool: TapLoop, case: Case) -> bool:
    with np.errstate(all="ignore"):
        outcome = run(pool, case)
    try:
        judge(case, outcome, remembered(case))
    except Differs:
        return True
    return False


def test_there_are_enough_mutants() -> None:
    assert len({m.__name__ for m in MUTANTS}) >= 20
