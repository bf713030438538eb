"""Every ordinary case through the public functions, against the oracle; and what the table of cases covers."""

from __future__ import annotations

import itertools

import pytest

import cenote
from arrays import VIEWS, values_for
from cases import LAYOUTS, TYPES, Case, cases
from cenote.catalogue import OPS
from verdict import expect, genuine, judge

OPERATORS = tuple(OPS)
# A third of the table, which has every window, type, rank and layout of each operator, is enough in a hurry.
EVERY = [
    pytest.param(case, id=case.id, marks=[pytest.mark.slow] if i % 3 else [])
    for i, case in enumerate(case for op in OPERATORS for case in cases(op))
]


@pytest.mark.sanitize
@pytest.mark.parametrize("case", EVERY)
def test_case(case: Case, threads: None) -> None:
    expected = expect(case)
    for count in (1, 3):
        cenote.set_num_threads(count)
        judge(case, genuine(case), expected)


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
