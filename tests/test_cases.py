"""Every ordinary case through the public functions, against the oracle; and what the table of cases covers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest

import cenote
from arrays import VIEWS, values_for
from cases import LAYOUTS, TYPES, Case, cases
from cenote.catalogue import OPS
from oracle import output_shape
from verdict import SELECTING, differentiable, expect, genuine, judge

OPERATORS = tuple(OPS)
# A third of the table, which has every window, type, rank and layout of each operator, is enough in a hurry.
EVERY = [
    pytest.param(case, id=case.id, marks=[pytest.mark.slow] if i % 3 else [])
    for i, case in enumerate(case for op in OPERATORS for case in cases(op))
]


@pytest.mark.sanitize
@pytest.mark.parametrize("case", EVERY)
def test_case(case: Case, eager: Callable[[], int]) -> None:
    expected = expect(case)
    cenote.set_num_threads(1)
    judge(case, genuine(case), expected)
    assert eager() == 0
    cenote.set_num_threads(3)
    judge(case, genuine(case), expected)
    # engines cut a call into pieces of their own, of small calls fewer than there are threads
    assert eager() >= (rows(case, output_shape(case.shape, case.rules, case.axes)) > 64)


def rows(case: Case, shape: tuple[int, ...]) -> int:
    """The rows along the last pooled axis that threads share; where eight or more cells of another axis lie closer
    together than those of a row, they are worked on side by side."""
    last = max(case.axes)
    side_by_side = max((n for a, n in enumerate(shape) if a not in case.axes and n >= 8), default=1)
    return math.prod(n for a, n in enumerate(shape) if a != last) // side_by_side


def must_start(case: Case) -> int:
    """One thread at least for each pass over several rows: forward, with indices, and the two of vjp."""
    outputs = rows(case, output_shape(case.shape, case.rules, case.axes)) > 1
    gradient = differentiable(case)
    return outputs * (1 + (case.op in SELECTING) + gradient) + gradient * (rows(case, case.shape) > 1)


@pytest.mark.parametrize("op", OPERATORS)
def test_most_cases_have_work_for_several_threads(op: str) -> None:
    table = cases(op)
    assert sum(must_start(case) > 0 for case in table) > 0.85 * len(table)  # the others are a single row
    # the gradient's threads meet where windows overlap: at a stride below the size
    overlapping = [case for case in table if differentiable(case) and overlaps(case)]
    assert sum(rows(case, case.shape) > 1 for case in overlapping) > 50


def overlaps(case: Case) -> bool:
    return any(
        set(a.taps) & set(b.taps)
        for rule, length in zip(case.rules, case.window.lengths, strict=True)
        for a, b in itertools.pairwise(rule.bins(length))
    )


@pytest.mark.parametrize("op", OPERATORS)
def test_every_type_meets_every_rank_and_layout(op: str) -> None:
    assert set(TYPES[op]) == set(OPS[op].dtypes), "cases.py and the catalogue disagree about the types"
    met = {(c.dtype, c.rank, c.layout) for c in cases(op)}
    assert met == set(itertools.product(TYPES[op], (1, 2, 3), LAYOUTS))


@pytest.mark.parametrize("op", OPERATORS)
def test_every_type_meets_every_view_and_kind_of_values(op: str) -> None:
    table = cases(op)
    assert {c.view for c in table} == set(VIEWS)
    for dtype in TYPES[op]:
        mine = [c for c in table if c.dtype == dtype]
        assert {c.values for c in mine} == set(values_for(dtype))
        assert len({c.view for c in mine}) >= len(VIEWS) - 1


@pytest.mark.parametrize("op", OPERATORS)
def test_ids_are_unique(op: str) -> None:
    ids = [c.id for c in cases(op)]
    assert len(ids) == len(set(ids))
