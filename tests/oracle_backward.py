"""Gradients by brute force: bits where the contract promises bits (max, min), exact rationals elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from exact import accumulator, add, fixed, from_fixed, power, round_to
from oracle import Near, cells, extreme, norm, numbers


def routed(op: str, x: np.ndarray, dy: np.ndarray, rules: Sequence[Any], axes: Sequence[int], kind: str) -> np.ndarray:
    """Max and min: each gradient goes to the winning tap, added up from 0 in row-major order of the outputs.

    The result holds floats with the very bits the contract asks for: sums are held in the accumulator's
    format and rounded once to `kind` (the name of dx's type).
    """
    elements, incoming = numbers(x), numbers(dy)
    held = accumulator(kind)
    dx = np.full(x.shape, 0.0, dtype=object)
    for cell in cells(x.shape, rules, axes):
        if cell.reads:
            taps = [(elements[where], i) for i, (where, _) in enumerate(cell.reads)]
            _, winner = extreme(op, taps, None)
            where = cell.reads[winner][0]
            dx[where] = add(dx[where], incoming[cell.at], held)
    for at in np.ndindex(*x.shape):
        value = dx[at]
        if math.isfinite(value) and value != 0:
            dx[at] = round_to(Fraction(value), kind)
    return dx


def spread(
    op: str,
    x: np.ndarray,
    dy: np.ndarray,
    rules: Sequence[Any],
    axes: Sequence[int],
    *,
    divisor: Any = "inside",
    p: float = 2.0,
) -> np.ndarray:
    """Average, sum and lp: the exact gradient of every input cell, as Near (finite input and dy only)."""
    elements, incoming = numbers(x), numbers(dy)
    terms = np.empty(x.shape, dtype=object)
    for at in np.ndindex(*x.shape):
        terms[at] = []
    for cell in cells(x.shape, rules, axes):
        if not cell.reads:
            continue
        g = incoming[cell.at]
        if op == "lp":
            taps = [elements[where] for where, _ in cell.reads]
            for (where, _), slope in zip(cell.reads, _slopes(taps, p), strict=True):
                terms[where].append(Fraction(g) * slope)
            continue
        share = cell.divisor(divisor) if op == "avg" else Fraction(1)
        for where, _ in cell.reads:
            terms[where].append((g, share))
    out = np.empty(x.shape, dtype=object)
    for at in np.ndindex(*x.shape):
        if op == "lp":
            out[at] = Near(sum(terms[at], Fraction(0)), sum(map(abs, terms[at]), Fraction(0)), len(terms[at]))
        elif x.dtype.kind == "c":
            out[at] = tuple(_shares([(part(g), by) for g, by in terms[at]]) for part in (_real, _imaginary))
        else:
            out[at] = _shares(terms[at])
    return out


def _real(g: complex) -> float:
    return g.real


def _imaginary(g: complex) -> float:
    return g.imag


def _shares(parts: Sequence[tuple[float, Fraction]]) -> Near:
    """The sum of g / divisor, gathered per divisor so that it stays one sum of integers for each."""
    by_divisor: dict[Fraction, list[int]] = {}
    for g, by in parts:
        by_divisor.setdefault(by, []).append(fixed(g))
    value = sum((from_fixed(sum(gs)) / by for by, gs in by_divisor.items()), Fraction(0))
    magnitude = sum((from_fixed(sum(map(abs, gs))) / abs(by) for by, gs in by_divisor.items()), Fraction(0))
    return Near(value, magnitude, len(parts))


def _slopes(taps: Sequence[float], p: float) -> list[Fraction]:
    """d lp / d x of every tap: sign(x) (|x| / y) ** (p - 1), 0 where y = 0 and, for p < 1, at x = 0."""
    signs = [Fraction((t > 0) - (t < 0)) for t in taps]
    sizes = [Fraction(abs(t)) for t in taps]
    if p == math.inf:
        winner = sizes.index(max(sizes))
        return [sign if i == winner else Fraction(0) for i, sign in enumerate(signs)]
    y = norm(taps, p).value
    if y == 0:
        return [Fraction(0)] * len(taps)
    q = Fraction(p) - 1
    return [
        Fraction(0) if size == 0 else sign * (power(size / y, q) if q > 0 else 1 / power(size / y, -q))
        for sign, size in zip(signs, sizes, strict=True)
    ]
