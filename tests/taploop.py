"""A third pool: a loop over taps in plain NumPy, made of small steps that `mutants.py` replaces one by one.

It is fast enough for wide arrays, where the oracle in Fractions is not, and it is itself held to the oracle by the
ordinary cases (`test_mutants.py`): whoever changes one must satisfy the other.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from oracle import Slide, Split, result_dtype

Array = np.ndarray


@dataclass
class Axis:
    """One pooled axis: position and reality of tap j of output i, and what the divisors count."""

    length: int
    at: Array  # (outputs, taps)
    real: Array  # the same shape
    padded: Array  # (outputs,)
    window: Array


class TapLoop:
    """Pool by looping over taps. Every method is a step that can be got wrong."""

    # ------------------------------------------------------------------------------------------ geometry

    def pads(self, rule: Slide, length: int) -> tuple[int, int]:
        if not isinstance(rule.pad, str):
            return rule.pad
        if rule.pad == "valid":
            return 0, 0
        total = max((self.same_outputs(rule, length) - 1) * rule.stride + self.extent(rule) - length, 0)
        return self.halves(total, rule.pad)

    def halves(self, total: int, word: str) -> tuple[int, int]:
        low = total // 2 if word == "same" else total - total // 2
        return low, total - low

    def extent(self, rule: Slide) -> int:
        return rule.dilation * (rule.size - 1) + 1

    def same_outputs(self, rule: Slide, length: int) -> int:
        return math.ceil(length / rule.stride)

    def outputs(self, rule: Slide, length: int, low: int, high: int) -> int:
        if rule.pad in ("same", "same_lower"):
            return self.same_outputs(rule, length)
        span = length + low + high - self.extent(rule)
        if not rule.ceil:
            return math.floor(span / rule.stride) + 1
        found = math.ceil(span / rule.stride) + 1
        return found - 1 if self.starts_too_late((found - 1) * rule.stride, length, low) else found

    def starts_too_late(self, start: int, length: int, low: int) -> bool:
        return start >= low + length

    def starts(self, outputs: int, rule: Slide, low: int) -> Array:
        return np.arange(outputs) * rule.stride - low

    def steps(self, rule: Slide) -> Array:
        return np.arange(rule.size) * rule.dilation

    def bin(self, i: int, parts: int, length: int) -> tuple[int, int]:
        return i * length // parts, -(-(i + 1) * length // parts)

    def in_padded(self, at: Array, length: int, low: int, high: int) -> Array:
        return (at >= -low) & (at < length + high)

    def axis(self, rule: Any, length: int) -> Axis:
        if isinstance(rule, Split):
            edges = [self.bin(i, rule.parts, length) for i in range(rule.parts)]
            start, sizes = np.array([a for a, _ in edges]), np.array([b - a for a, b in edges])
            j = np.arange(max(sizes, default=0))
            at = start[:, None] + j
            return Axis(length, at, j < sizes[:, None], sizes, sizes)
        low, high = self.pads(rule, length)
        at = self.starts(self.outputs(rule, length, low, high), rule, low)[:, None] + self.steps(rule)
        padded = self.in_padded(at, length, low, high).sum(axis=1)
        return Axis(length, at, (at >= 0) & (at < length), padded, np.full(len(at), rule.size))

    # -------------------------------------------------------------------------------------------- values

    def take(self, x: Array, axes: Sequence[Axis], taps: tuple[int, ...]) -> tuple[Array, Array]:
        """Element of this tap for every output (pooled axes last), and whether the tap is real."""
        where = [np.where(a.real[:, j], a.at[:, j], 0) for a, j in zip(axes, taps, strict=True)]
        real = [a.real[:, j] for a, j in zip(axes, taps, strict=True)]
        return x[(..., *spread(where))], functools.reduce(np.multiply, spread(real))

    def flat(self, axes: Sequence[Axis], taps: tuple[int, ...]) -> Array:
        """Row-major index of this tap over the pooled axes of the input."""
        total: Any = 0
        for a, at in zip(axes, spread([a.at[:, j] for a, j in zip(axes, taps, strict=True)]), strict=True):
            total = total * a.length + at
        return total

    def all_taps(self, axes: Sequence[Axis]) -> list[tuple[int, ...]]:
        return list(itertools.product(*(range(a.at.shape[1]) for a in axes)))

    def wins(self, new: Array, best: Array, op: str) -> Array:
        return (new > best if op == "max" else new < best) | (new != new)

    def empty(self, op: str, dtype: np.dtype) -> Any:
        if dtype.kind == "b":
            return op == "min"
        if dtype.kind in "iu":
            return np.iinfo(dtype).min if op == "max" else np.iinfo(dtype).max
        return -np.inf if op == "max" else np.inf

    def empty_index(self) -> int:
        return -1

    def select(self, op: str, x: Array, axes: Sequence[Axis]) -> tuple[Array, Array]:
        shape = x.shape[: x.ndim - len(axes)] + tuple(len(a.at) for a in axes)
        best = np.full(shape, self.empty(op, x.dtype), dtype=x.dtype)
        index = np.full(shape, self.empty_index(), dtype=np.int64)
        begun = np.zeros(shape, dtype=bool)
        for taps in self.all_taps(axes):
            new, real = self.take(x, axes, taps)
            take = real & (~begun | self.wins(comparable(new), comparable(best), op))
            best, index = np.where(take, new, best), np.where(take, self.flat(axes, taps), index)
            begun |= real
        return best, index

    def divisor(self, axes: Sequence[Axis], rule: Any) -> Array:
        if rule not in ("inside", "padded", "window"):
            return np.full([len(a.at) for a in axes], rule)
        counts = [{"inside": a.real.sum(axis=1), "padded": a.padded, "window": a.window}[rule] for a in axes]
        return functools.reduce(np.multiply, spread(counts))

    def held(self, dtype: np.dtype) -> Any:
        """The type in which a sum is held."""
        return np.float32 if dtype.name in ("float16", "bfloat16") else dtype

    def total(self, x: Array, axes: Sequence[Axis]) -> Array:
        total: Any = 0
        for taps in self.all_taps(axes):
            new, real = self.take(x, axes, taps)
            total = total + np.where(real, new, np.zeros((), x.dtype))
        return total

    def divide(self, total: Array, by: Array, dtype: np.dtype) -> Array:
        nothing = np.equal(by, 0)  # a window without a tap has the sum 0
        if dtype.kind in "iu":
            return np.vectorize(lambda t, d: self.round_whole(Fraction(int(t), int(d))), otypes=[object])(
                total, np.where(nothing, 1, by)
            )
        if dtype.kind == "c":  # part by part: dividing by a complex number rounds more and spreads NaN
            parts = [self.divide(np.ascontiguousarray(p), by, p.dtype) for p in (total.real, total.imag)]
            return np.stack(parts, axis=-1).view(dtype)[..., 0]
        return (total / np.where(nothing, 1, by).astype(total.dtype)).astype(total.dtype)

    def round_whole(self, value: Fraction) -> int:
        return round(value)

    def forward(self, op: str, x: Array, axes: Sequence[Axis], dtype: np.dtype, options: dict[str, Any]) -> Array:
        if op == "sum":
            return self.total(x.astype(self.held(dtype)), axes)
        if op == "avg":
            wide = x.astype(object if dtype.kind in "iu" else self.held(dtype))
            return self.divide(self.total(wide, axes), self.divisor(axes, options.get("divisor", "inside")), dtype)
        p, wide = options.get("p", 2.0), x.astype(self.held(dtype))
        if p == math.inf:
            return self.select("max", np.abs(wide), axes)[0].clip(min=0)
        return self.root(self.total(self.raised(wide, p), axes), p)

    def raised(self, x: Array, p: float) -> Array:
        return (np.abs(x) ** x.dtype.type(p)).astype(x.dtype)

    def root(self, total: Array, p: float) -> Array:
        return (total ** total.dtype.type(1 / p)).astype(total.dtype)

    # ----------------------------------------------------------------------------------------- gradients

    def collect(self, dx: Array, where: tuple[Array, ...], g: Array) -> None:
        """Add up, one after the other, in row-major order of the outputs."""
        np.add.at(dx, where, g)

    def winner_gradient(self, index: Array, g: Array, lengths: Sequence[int]) -> Array:
        lead = g.shape[: g.ndim - len(lengths)]
        dx = np.zeros((math.prod(lead), math.prod(lengths)), g.dtype)
        rows, flat = np.repeat(np.arange(len(dx)), g.size // max(1, len(dx))), index.reshape(-1)
        real = flat >= 0
        self.collect(dx, (rows[real], flat[real]), g.reshape(-1)[real])
        return dx.reshape(*lead, *lengths)

    def spread_gradient(
        self, op: str, x: Array, y: Array, dy: Array, axes: Sequence[Axis], options: dict[str, Any]
    ) -> Array:
        dx = np.zeros(x.shape, self.held(x.dtype))
        share = dy.astype(dx.dtype)
        if op == "avg":
            by = self.divisor(axes, options.get("divisor", "inside"))
            share = share / np.where(by == 0, 1, by).astype(share.dtype)
        for taps in self.all_taps(axes):
            new, real = self.take(x.astype(dx.dtype), axes, taps)
            g = share if op != "lp" else share * self.slope(new, y.astype(dx.dtype), options.get("p", 2.0))
            index = [np.where(a.real[:, j], a.at[:, j], 0) for a, j in zip(axes, taps, strict=True)]
            lead = spread([*map(np.arange, x.shape[: x.ndim - len(axes)]), *index])
            self.collect(dx, tuple(lead), np.where(real, g, 0))
        return dx

    def slope(self, x: Array, y: Array, p: float) -> Array:
        usable = (y != 0) & (x != 0)
        ratio = np.abs(np.where(usable, x, 1)) / np.where(usable, y, 1)
        return np.where(usable, np.sign(x) * ratio ** x.dtype.type(p - 1), 0)

    def peak_gradient(self, x: Array, g: Array, axes: Sequence[Axis]) -> Array:
        """lp with p = inf: the gradient goes to the first maximal |x|, with the sign of x."""
        _, index = self.select("max", np.abs(x), axes)
        lengths = [a.length for a in axes]
        flat = x.reshape(*x.shape[: x.ndim - len(axes)], -1)
        rows = index.reshape(*flat.shape[:-1], -1)
        sign = np.sign(np.take_along_axis(flat, np.maximum(rows, 0), axis=-1)).reshape(g.shape)
        return self.winner_gradient(index, g * sign, lengths)

    # ---------------------------------------------------------------------------------------------- whole

    def order(self, rules: Sequence[Any], axes: Sequence[int]) -> list[tuple[int, Any]]:
        """(axis, rule), in the array's own order of axes."""
        return sorted(zip(axes, rules, strict=True), key=lambda pair: pair[0])

    def run(
        self, op: str, x: Array, rules: Sequence[Any], axes: Sequence[int], options: dict[str, Any], dy: Array | None
    ) -> tuple[Array, Array | None, Array | None]:
        """Values, indices (max and min) and the gradient (when dy is given), every axis kept."""
        options = dict(options)
        dtype = result_dtype(op, x.dtype, options.pop("dtype", None))
        pairs = self.order(rules, axes)
        places, ends = [a for a, _ in pairs], range(-len(pairs), 0)
        moved = np.moveaxis(x, places, ends)
        tables = [self.axis(rule, x.shape[a]) for a, rule in pairs]
        index = dx = None
        with np.errstate(all="ignore"):
            if op in ("max", "min"):
                values, index = self.select(op, moved, tables)
            else:
                values = self.forward(op, moved, tables, dtype, options)
            g = None if dy is None else np.moveaxis(dy, places, ends).astype(self.held(dy.dtype))
            if g is not None and g.shape == values.shape:  # a wrong pool may differ in the very shape
                if index is not None:
                    dx = self.winner_gradient(index, g, [a.length for a in tables])
                elif op == "lp" and options.get("p") == math.inf:
                    dx = self.peak_gradient(moved.astype(self.held(x.dtype)), g, tables)
                else:
                    dx = self.spread_gradient(op, moved, values, g, tables, options)
                dx = np.moveaxis(dx.astype(x.dtype), ends, places)
        back = np.moveaxis(values.astype(dtype), ends, places)
        return back, None if index is None else np.moveaxis(index, ends, places), dx


def spread(vectors: Sequence[Array]) -> list[Array]:
    """Vector i along axis i, ready to broadcast (np.ix_ would read booleans as indices)."""
    n = len(vectors)
    return [v.reshape([-1 if i == j else 1 for j in range(n)]) for i, v in enumerate(vectors)]


def comparable(x: Array) -> Array:
    return x.astype(np.float32) if x.dtype.name in ("float16", "bfloat16") else x
