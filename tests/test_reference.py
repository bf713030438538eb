"""The slow reference that ships is held to the same cases: two oracles written apart must agree."""

from __future__ import annotations

import warnings

import pytest

from cases import OPERATORS, Case, cases, cenote_window
from cenote.catalogue import OPS, Call, Params
from cenote.reference import backward, forward
from verdict import Outcome, differentiable, expect, incoming, judge

# Every window and type is in a third of the table, and the reference is slow.
CASES = [case for op in OPERATORS for case in cases(op)[1::3]]


def as_call(case: Case, select: bool) -> Call:
    options = case.parameters
    options.pop("dtype", None)
    pairs = sorted(zip(case.axes, case.rules, strict=True), key=lambda pair: pair[0])
    if "p" in options:
        options["p"] = float(options["p"])
    return Call(
        who=case.function,
        op=OPS[case.op],
        window=cenote_window(tuple(rule for _, rule in pairs)),
        axes=tuple(axis for axis, _ in pairs),
        shape=case.shape,
        dtype=case.x.dtype,
        result=case.result_dtype,
        params=Params(**options),
        select=select,
    )


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_reference(case: Case) -> None:
    expected = expect(case)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # inf - inf and the like are what the nasty values ask for
        values, _ = forward(as_call(case, False), case.x)
        outcome = Outcome(case.shaped(values))
        if OPS[case.op].selects:
            picked, indices = forward(as_call(case, True), case.x)
            assert indices is not None
            outcome.pair = case.shaped(picked), case.shaped(indices)
        if differentiable(case):
            call = as_call(case, False)
            outcome.dx = backward(call, case.x, incoming(case, call.out_shape).reshape(call.out_shape))
    judge(case, outcome, expected)
