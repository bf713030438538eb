"""What the explorer's engine must answer: drawn questions with the answers of the Python reference, and the contract's.

`cases()` draws them (the same in every run), `text()` is them as JSON, and `CHECK` is the JavaScript function that asks
a page's modules and returns what is wrong: `(modules by path, text) => list of sentences`.

How close an answer must be:

- max and min: which cell won, and its very bits. The gradient too: the contract adds it up in one order.
- sum and avg: exact where every partial sum is exact in any order (whole numbers and eighths, NaN and infinities among
  them), as half of the arrays are. Elsewhere within one unit in the last place of the sum of the magnitudes, over the
  divisor: the page adds cell after cell, and NumPy in an order of its own choice (for several arrays at once it is the
  same one, and the numbers are equal). Where terms cancel, the result may be far smaller than what was rounded on the
  way, so that its own last place is no measure. The kernels add in a tree: up to 8 such units away for 41 equal terms.
  Gradients are added in row-major order of the outputs by both, and are equal.
- lp: NumPy and browsers have different power functions, each good to a unit or so in the last place of every power; the
  gradient raises the norm to p - 1, which makes its error p - 1 times as large.

The page holds every number as a float64 and knows integers only in averages, which stay whole: a window without cells
shows -inf there, where an integer type has its own minimum.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from cenote.catalogue import OPS, Call, Params
from cenote.geometry import Slide, Split, Window, arithmetic
from cenote.reference import backward, forward
from explorer_contract import CONTRACT
from explorer_drawn import Json, Rule, broken, chain, perhaps_broken, pick, plain, slide, states, window_text
from explorer_node import dumps

CHECK = Path(__file__).with_name("explorer_check.js").read_text(encoding="utf-8")

QUESTIONS = 860  # each with six arrays
LENGTHS = {1: (1, 2, 5, 7, 9, 16, 41), 2: (1, 2, 3, 5, 6, 7), 3: (1, 2, 3, 4)}
MOST_OUTPUTS = 48
ULPS_OF_POWERS = 8


@functools.lru_cache(maxsize=1)
def cases() -> Json:
    """All vectors: pools, rules that may be broken, states, windows and chains as text."""
    rng = np.random.default_rng(20)
    with np.errstate(all="ignore"):  # inf - inf and the like are what the nasty values ask for
        drawn = [_question(i, rng) for i in range(QUESTIONS)]
    return {
        "pools": [*CONTRACT, *drawn],
        "rules": [*broken(), *(perhaps_broken(i, rng) for i in range(400))],
        "states": list(states()),
        "windows": [window_text(rng) for _ in range(1500)],
        "chains": [chain(rng) for _ in range(300)],
    }


@functools.lru_cache(maxsize=1)
def text() -> str:
    """The vectors as `CHECK` wants them."""
    return dumps(cases())


def count() -> int:
    """How many arrays are pooled."""
    return sum(len(question["arrays"]) for question in cases()["pools"])


# ------------------------------------------------------------------------------------------------ questions


def _rule(rng: Generator, length: int, form: str) -> Rule:
    if form == "global":
        return Split(1)
    if form == "adaptive":
        return Split(int(rng.integers(1, min(length, 6) + 3)))
    while True:
        rule = slide(rng, length)
        if rule.outputs(length) >= 1:
            return rule


def _axis(rule: Rule, length: int) -> Json:
    table = rule.spans(length)
    real = [list(taps) for taps in table]
    lo, hi = rule.pads(length) if isinstance(rule, Slide) else (0, 0)
    taps = real
    if isinstance(rule, Slide):
        taps = [[i * rule.stride - lo + j * rule.dilation for j in range(rule.size)] for i in range(len(table))]
    return {"lo": lo, "hi": hi, "taps": taps, "real": real, "padded": table.padded.tolist()}


# ------------------------------------------------------------------------------------------------ numbers


def _ties(rng: Generator, shape: tuple[int, ...]) -> Any:
    return rng.integers(-1, 3, shape).astype(float)


def _eighths(rng: Generator, shape: tuple[int, ...]) -> Any:
    return rng.integers(-128, 129, shape) / 8


def _specials(rng: Generator, shape: tuple[int, ...]) -> Any:
    return rng.choice([math.nan, math.inf, -math.inf, -0.0, 0.0, 1.0, -2.0, 3.0, 3.0, -5.0, -5.0, 4.0], shape)


def _zeros(rng: Generator, shape: tuple[int, ...]) -> Any:
    return rng.choice([-0.0, 0.0, -0.0, 0.0, -1.0], shape)


def _one_of_all(rng: Generator, shape: tuple[int, ...]) -> Any:
    return np.full(shape, pick(rng, (-math.inf, math.inf, math.nan, -1.0, 0.0)))


def _reals(rng: Generator, shape: tuple[int, ...]) -> Any:
    return rng.standard_normal(shape)


def _equal(rng: Generator, shape: tuple[int, ...]) -> Any:
    return np.full(shape, rng.standard_normal())


def _wide(rng: Generator, shape: tuple[int, ...]) -> Any:
    return rng.standard_normal(shape) * 10.0 ** rng.integers(-8, 9, shape)


EXACT = (_ties, _eighths, _specials, _zeros, _one_of_all)
ROUNDED = (_reals, _reals, _equal, _wide)
OPERATORS = ("max", "min", "avg", "avg", "sum", "lp")
DIVISORS = ("inside", "padded", "window", 2.0, -3.0, 0.5)
POWERS = (1.0, 2.0, 3.0, 0.5, 1.5, 7.0, math.inf, math.inf)


def _question(number: int, rng: Generator) -> Json:
    """One window over six arrays, and what the reference answers."""
    op = OPERATORS[number % len(OPERATORS)]
    rank = 1 + number // 6 % 3
    form = pick(rng, ("slide", "slide", "slide", "slide", "adaptive", "global", "mixed"))
    while True:
        shape = tuple(pick(rng, LENGTHS[rank]) for _ in range(rank))
        kinds = [pick(rng, ("slide", "adaptive")) if form == "mixed" else form for _ in shape]
        rules = [_rule(rng, length, kind) for length, kind in zip(shape, kinds, strict=True)]
        outputs = tuple(rule.output_length(length) for rule, length in zip(rules, shape, strict=True))
        if math.prod(outputs) <= MOST_OUTPUTS:
            break
    integers = op == "avg" and number % 5 == 0
    divisor, p = pick(rng, DIVISORS[:5] if integers else DIVISORS), pick(rng, POWERS)
    axes = [_axis(rule, length) for rule, length in zip(rules, shape, strict=True)]
    want = {
        "shape": list(outputs),
        "axes": axes,
        "arithmetic": [arithmetic(rule, length) for rule, length in zip(rules, shape, strict=True)],
    }
    if op == "avg":
        want["divisors"] = _divisors(axes, divisor)
    window = Window(tuple(rules))
    return {
        "name": f"{number} {op} {window} of {'x'.join(map(str, shape))}",
        "op": op,
        "rules": [plain(rule) for rule in rules],
        "shape": list(shape),
        "divisor": divisor,
        "p": p,
        "integers": integers,
        "want": want,
        "arrays": _arrays(rng, op, window, shape, outputs, divisor, p, integers),
    }


def _divisors(axes: Sequence[Json], divisor: Any) -> list[float]:
    products = [1]
    for axis in axes:
        rows = {"padded": axis["padded"], "window": map(len, axis["taps"])}.get(divisor, map(len, axis["real"]))
        here = list(rows)
        products = [before * taps for before in products for taps in here]
    return products if isinstance(divisor, str) else [divisor] * len(products)


def _arrays(
    rng: Generator,
    op: str,
    window: Window,
    shape: tuple[int, ...],
    outputs: tuple[int, ...],
    divisor: Any,
    p: float,
    integers: bool,
) -> list[Json]:
    makers = [*rng.permutation(len(EXACT))[:3], *(len(EXACT) + rng.permutation(len(ROUNDED))[:3])]
    kinds: list[Any] = [(*EXACT, *ROUNDED)[i] for i in makers]
    if integers:
        high = (3, 3, 40, 40, 2**31, 2**31)
        x = np.stack([rng.integers(-top, top + 1, shape) for top in high])
    else:
        x = np.stack([make(rng, shape) for make in kinds])
    upstream = np.stack([_eighths(rng, outputs) if i < 3 else _reals(rng, outputs) for i in range(6)])
    upstream[0].flat[0] = pick(rng, (-0.0, 0.0, math.inf, math.nan, 1.0))

    call = _call(op, window, x, Params(divisor=divisor, p=p))
    values, winners = forward(call, x)
    gradient = None if integers else backward(call, x, upstream)
    within = gradient_within = None
    if not OPS[op].selects and not integers:
        sizes = _call(op, window, x, Params(divisor=divisor if isinstance(divisor, str) else abs(divisor), p=p))
        ulps = ULPS_OF_POWERS if op == "lp" and p not in (1, math.inf) else 1
        within = ulps * np.spacing(forward(sizes, np.abs(x))[0])
        if op == "lp" and p != math.inf:
            gradient_within = ULPS_OF_POWERS * max(1, p) * np.spacing(backward(sizes, np.abs(x), np.abs(upstream)))
    found = []
    for i, make in enumerate(kinds):
        exact = i < 3 and not (op == "lp" and p not in (1, math.inf))
        want: Json = {"values": values[i].ravel().tolist()}
        if winners is not None:
            want["winners"] = winners[i].ravel().tolist()
        if within is not None and not exact:
            want["within"] = _finite(within[i])
        if gradient is not None:
            want["gradient"] = gradient[i].ravel().tolist()
        if gradient_within is not None:
            want["gradient_within"] = _finite(gradient_within[i])
        kind = f"integers to {x[i].max()}" if integers else make.__name__[1:]
        given = {"values": x[i].ravel().tolist(), "upstream": upstream[i].ravel().tolist()}
        found.append({"kind": kind, **given, "want": want})
    return found


def _finite(within: Any) -> list[float]:
    return (
        np.nan_to_num(within, nan=0.0, posinf=0.0).ravel().tolist()
    )  # beyond the finite numbers there is nothing near


def _call(op: str, window: Window, x: Any, params: Params) -> Call:
    row = OPS[op]
    return Call(
        who=f"{op}_pool",
        op=row,
        window=window,
        axes=tuple(range(1, x.ndim)),
        shape=x.shape,
        dtype=x.dtype,
        result=row.result_dtype(op, x.dtype, None),
        params=params,
        select=row.selects,
    )
