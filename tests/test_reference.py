"""The slow reference that ships is held to the same cases: two oracles written apart must agree."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest

from cases import OPERATORS, Case, cases, cenote_window
from cenote import Window
from cenote.catalogue import OPS, Call, Params, Taps
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


@pytest.mark.parametrize("op", OPERATORS)
def test_rows_never_see_a_window_without_taps(op: str) -> None:
    """Such a window holds the identity of the row, whatever its reference would make of no taps, and gives nothing."""
    row, seen = OPS[op], []

    def reference(taps: Taps) -> np.ndarray:
        seen.append(taps.inside)
        return row.reference(taps)

    def gradient(taps: Taps, y: np.ndarray, g: np.ndarray) -> np.ndarray:
        seen.append(taps.inside)
        return row.gradient(taps, y, g)

    watched = dataclasses.replace(row, identity=lambda dtype: dtype.type(42), reference=reference, gradient=gradient)
    call = Call(
        who=f"{op}_pool",
        op=watched,
        window=Window.parse("1/2+1"),  # taps at -1, 1, 3: the first one is no cell
        axes=(1,),
        shape=(3, 4),
        dtype=np.dtype(np.float32),
        result=np.dtype(np.float32),
        params=Params(),
        select=row.selects,
    )
    x = np.arange(1, 13, dtype=np.float32).reshape(3, 4)
    values, indices = forward(call, x)
    assert values.tolist() == [[42, 2, 4], [42, 6, 8], [42, 10, 12]]
    assert indices is None or indices.tolist() == [[-1, 1, 3]] * 3
    dx = backward(call, x, np.full((3, 3), 7, np.float32))
    assert dx.tolist() == [[0, 7, 0, 7]] * 3
    assert seen
    assert 0 not in seen
