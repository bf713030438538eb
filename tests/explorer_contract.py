"""Section 4 of the contract as questions to the explorer's engine, with answers written by hand.

(Cases 10's float16, 11 and the views of 12 are about memory that the page does not have.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]
NAN, INF = math.nan, math.inf


def _slide(size: int, stride: int | None = None, *, pad: Any = 0, dilation: int = 1, ceil: bool = False) -> Json:
    both = [pad, pad] if isinstance(pad, int) else pad
    step = size if stride is None else stride
    return {"kind": "slide", "size": size, "stride": step, "dilation": dilation, "pad": both, "ceil": ceil}


def _split(parts: int) -> Json:
    return {"kind": "split", "parts": parts}


def _case(
    name: str,
    op: str,
    rules: Sequence[Json],
    shape: Sequence[int],
    values: Sequence[float],
    outputs: Sequence[int],
    want: Sequence[float],
    *,
    divisor: Any = "inside",
    upstream: Sequence[float] = (),
    **more: Any,
) -> Json:
    array = {"kind": "the contract", "values": values, "upstream": upstream, "want": {"values": want, **more}}
    question = {"op": op, "rules": rules, "shape": shape, "divisor": divisor, "p": 2, "integers": False}
    return {"name": f"contract {name}", **question, "want": {"shape": outputs}, "arrays": [array]}


def _shape(lengths: Sequence[int], rules: Sequence[Json], outputs: Sequence[int]) -> Json:
    cells, results = math.prod(lengths), math.prod(outputs)
    return _case(f"3 {lengths} {outputs}", "max", rules, lengths, [0] * cells, outputs, [0] * results)


_ONES = list(range(1, 17))
_TWICE = [_slide(3, 2, pad=1, ceil=True)] * 2
_LENGTHENED = [1e6, *[1] * 7]

CONTRACT: list[Json] = [
    _case(
        "1 padded",
        "avg",
        _TWICE,
        [4, 4],
        _ONES,
        [3, 3],
        [14 / 9, 20 / 6, 2, 38 / 6, 11, 6, 4.5, 7.5, 4],
        divisor="padded",
    ),
    _case("1 inside", "avg", _TWICE, [4, 4], _ONES, [3, 3], [3.5, 5, 6, 9.5, 11, 12, 13.5, 15, 16]),
    _case("2 padding 1", "max", [_slide(3, 2, pad=1)] * 2, [4, 4], list(range(16)), [2, 2], [5, 7, 13, 15]),
    _case("2 same", "max", [_slide(3, 2, pad="same")] * 2, [4, 4], list(range(16)), [2, 2], [10, 11, 14, 15]),
    _shape([6, 7], [_slide(1, 2, ceil=True)] * 2, [3, 4]),
    _shape([5], [_slide(2, 2, pad=1, ceil=True)], [3]),
    _shape([2], [_slide(2, 3, pad=1, ceil=True)], [1]),
    _shape([2], [_slide(3, 2, ceil=True)], [1]),
    _shape([13], [_slide(3, 2)], [6]),
    _shape([13], [_slide(3, 2, ceil=True)], [6]),
    _shape([13], [_slide(3, 2, pad="same")], [7]),
    _shape([5, 7], [_slide(3, 2, pad="same", dilation=2)] * 2, [3, 4]),
    _shape([28], [_slide(3, 1)], [26]),
    _shape([26], [_slide(2)], [13]),
    _shape([13], [_slide(2)], [6]),
    _shape([13], [_slide(2, ceil=True)], [7]),
    _shape([13], [_slide(2, pad="same")], [7]),
    _case("4", "avg", [_slide(3, 2, pad="same")], [2], [10, 20], [1], [15]),
    _case(
        "5",
        "avg",
        [_slide(3, 2, ceil=True)],
        [4],
        [0] * 4,
        [2],
        [0, 0],
        divisor="padded",
        upstream=[0, 1],
        gradient=[0, 0, 0.5, 0.5],
    ),
    _case(
        "6 overlaps",
        "max",
        [_slide(4, 2)],
        [8],
        [0, 0, 9, 0, 0, 0, 1, 0],
        [3],
        [9, 9, 1],
        upstream=[1, 1, 1],
        winners=[2, 2, 6],
        gradient=[0, 0, 2, 0, 0, 0, 1, 0],
    ),
    _case("6 ties", "max", [_slide(4)], [4], [1, 2, 2, 2], [1], [2], upstream=[1], winners=[1], gradient=[0, 1, 0, 0]),
    _case("7", "max", [_split(3)] * 2, [5, 5], list(range(25)), [3, 3], [6, 8, 9, 16, 18, 19, 21, 23, 24]),
    _case("7 bins", "sum", [_split(4)], [10], [2**i for i in range(10)], [4], [7, 28, 224, 896]),
    _case(
        "8",
        "max",
        [_slide(2, 1, pad=1, dilation=2)],
        [9],
        [1, 9, 2, 8, 3, 7, 4, 6, 5],
        [9],
        [9, 2, 9, 3, 8, 4, 7, 5, 6],
        winners=[1, 2, 1, 4, 3, 6, 5, 8, 7],
    ),
    *[
        _case(
            f"9 no tap {op}",
            op,
            [_slide(2, 1, pad=1, dilation=2)],
            [1],
            [5],
            [1],
            [empty],
            upstream=[1],
            gradient=[0],
            **({"winners": [-1]} if op in ("max", "min") else {}),
        )
        for op, empty in (("max", -INF), ("min", INF), ("avg", 0), ("sum", 0), ("lp", 0))
    ],
    _case("9 all -inf", "max", [_slide(2)], [2], [-INF, -INF], [1], [-INF], winners=[0]),
    _case("9 all NaN", "max", [_slide(3)], [3], [NAN] * 3, [1], [NAN], winners=[2]),
    _case("9 NaN first", "max", [_slide(2)], [2], [NAN, 1], [1], [NAN], winners=[0]),
    _case("9 NaN last", "min", [_slide(2)], [2], [1, NAN], [1], [NAN], winners=[1]),
    _case("9 negative map", "max", [_slide(3, 1, pad=1)] * 2, [2, 2], [-1] * 4, [2, 2], [-1] * 4, winners=[0] * 4),
    _case("9 zeros", "max", [_slide(2)] * 2, [2, 2], [-1, -0.0, 0.0, -1], [1, 1], [-0.0], winners=[1]),
    _case("10 spike", "avg", [_slide(2, 1)], [8], _LENGTHENED, [7], [500000.5, *[1] * 6]),
    _case("10 NaN", "sum", [_slide(2, 1)], [6], [1, 1, NAN, 1, 1, 1], [5], [2, NAN, NAN, 2, 2]),
    _case("12 whole input", "max", [_slide(3)] * 2, [3, 3], [4, 1, 8, 8, 2, 0, 0, 3, 3], [1, 1], [8], winners=[2]),
    _case("12 huge stride", "max", [_slide(2, 10**9)], [5], [3, 4, 9, 9, 9], [1], [4], winners=[1]),
    _case("12 huge dilation", "sum", [_slide(2, 1, pad=[0, 10**9 - 2], dilation=10**9)], [3], [3, 4, 5], [1], [3]),
    _case(
        "13 tutorial",
        "max",
        [_slide(2)] * 2,
        [4, 4],
        [1, 9, 2, 8, 3, 4, 5, 7, 6, 0, 1, 2, 3, 5, 5, 4],
        [2, 2],
        [9, 8, 6, 5],
    ),
    _shape([20, 20], [_slide(2)] * 2, [10, 10]),
    _shape([26, 26], [_slide(2)] * 2, [13, 13]),
]
