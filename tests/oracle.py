"""The second brute force: what every operator means, in Python integers and Fractions.

It is written from the contract alone and shares no code with the library: every output lists its taps, and
every number is exact until it has to be rounded. NumPy only carries the elements in and out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from exact import POINT, fixed, from_fixed, power, round_to, wrap

# --------------------------------------------------------------------------------------------- windows


@dataclass(frozen=True)
class Bin:
    """One output of one axis: its real taps, and how many taps the other two divisors count."""

    taps: tuple[int, ...]
    padded: int
    window: int


@dataclass(frozen=True)
class Slide:
    size: int
    stride: int = 1
    pad: Any = (0, 0)
    dilation: int = 1
    ceil: bool = False

    @property
    def extent(self) -> int:
        return (self.size - 1) * self.dilation + 1

    def pads(self, length: int) -> tuple[int, int]:
        if self.pad == "valid":
            return 0, 0
        if self.pad in ("same", "same_lower"):
            outputs = -(-length // self.stride)
            total = max(0, (outputs - 1) * self.stride + self.extent - length)
            less, more = total // 2, total - total // 2
            return (less, more) if self.pad == "same" else (more, less)
        return self.pad

    def outputs(self, length: int) -> int:
        if self.pad in ("same", "same_lower"):
            return -(-length // self.stride)
        low, high = self.pads(length)
        room = length + low + high - self.extent
        if not self.ceil:
            return room // self.stride + 1
        count = -(-room // self.stride) + 1
        if (count - 1) * self.stride >= length + low:
            count -= 1
        return count

    def bins(self, length: int) -> list[Bin]:
        low, high = self.pads(length)
        found = []
        for i in range(self.outputs(length)):
            taps = [i * self.stride - low + j * self.dilation for j in range(self.size)]
            real = tuple(t for t in taps if 0 <= t < length)
            found.append(Bin(real, sum(-low <= t < length + high for t in taps), self.size))
        return found


@dataclass(frozen=True)
class Split:
    parts: int

    def outputs(self, length: int) -> int:
        return self.parts

    def bins(self, length: int) -> list[Bin]:
        found = []
        for i in range(self.parts):
            start = (i * length) // self.parts
            stop = ((i + 1) * length + self.parts - 1) // self.parts
            found.append(Bin(tuple(range(start, stop)), stop - start, stop - start))
        return found


@dataclass(frozen=True)
class Spans:
    table: tuple[tuple[int, int, int], ...]

    def outputs(self, length: int) -> int:
        return len(self.table)

    def bins(self, length: int) -> list[Bin]:
        found = []
        for start, stop, step in self.table:
            taps = range(start, stop, step)
            found.append(Bin(tuple(t for t in taps if 0 <= t < length), len(taps), len(taps)))
        return found


@dataclass(frozen=True)
class Cell:
    """One output: where it is, the input cells it reads (each with its flat index), and two divisors."""

    at: tuple[int, ...]
    reads: tuple[tuple[tuple[int, ...], int], ...]
    padded: int
    window: int

    def divisor(self, rule: Any) -> Fraction:
        if isinstance(rule, str):
            return Fraction({"inside": len(self.reads), "padded": self.padded, "window": self.window}[rule])
        return Fraction(rule)


def output_shape(shape: Sequence[int], rules: Sequence[Any], axes: Sequence[int]) -> tuple[int, ...]:
    out = list(shape)
    for rule, axis in zip(rules, axes, strict=True):
        out[axis] = rule.outputs(shape[axis])
    return tuple(out)


def cells(shape: Sequence[int], rules: Sequence[Any], axes: Sequence[int]) -> Iterator[Cell]:
    """Every output in row-major order. Taps and flat indices follow the array's own axis order."""
    per_axis = dict(zip((a % len(shape) for a in axes), rules, strict=True))
    pooled = sorted(per_axis)
    tables = {a: per_axis[a].bins(shape[a]) for a in pooled}
    out = [len(tables[a]) if a in tables else shape[a] for a in range(len(shape))]
    for at in itertools.product(*map(range, out)):
        bins = [tables[a][at[a]] for a in pooled]
        reads = []
        for taps in itertools.product(*(b.taps for b in bins)):
            where, flat = list(at), 0
            for axis, tap in zip(pooled, taps, strict=True):
                where[axis] = tap
                flat = flat * shape[axis] + tap
            reads.append((tuple(where), flat))
        yield Cell(at, tuple(reads), math.prod(b.padded for b in bins), math.prod(b.window for b in bins))


# ---------------------------------------------------------------------------------------------- values


@dataclass(frozen=True)
class Near:
    """An exact result of float arithmetic: the sum, the size of its terms, their number, and the divisor."""

    value: Any  # Fraction, or a float when it is infinite or NaN
    magnitude: Fraction
    count: int
    divisor: Fraction = Fraction(1)
    exact_sum: bool = False  # every partial sum in any order is a small whole number, so only dividing rounds


@dataclass
class Pooled:
    shape: tuple[int, ...]
    values: np.ndarray = field(repr=False)  # objects: int, float, Near, or a pair of Near for complex
    indices: np.ndarray = field(repr=False)  # int64; only for max and min


def numbers(x: np.ndarray) -> np.ndarray:
    """The elements as Python numbers, whatever the type (float16 and bfloat16 are exact in a double)."""
    if x.dtype.kind not in "biufc":
        x = x.astype(np.float64)
    out = np.empty(x.shape, dtype=object)
    out[...] = x
    return out


def identity(op: str, dtype: np.dtype) -> Any:
    if dtype == np.bool_:
        return op == "min"
    if dtype.kind in "iu":
        bounds = np.iinfo(dtype)
        return int(bounds.min if op == "max" else bounds.max)
    return -math.inf if op == "max" else math.inf


def extreme(op: str, taps: Sequence[tuple[Any, int]], empty: Any) -> tuple[Any, int]:
    """The first of the best taps; any NaN beats every number, and the last NaN is the one that is named."""
    if not taps:
        return empty, -1
    best, where = taps[0]
    for value, index in taps[1:]:
        if value != value or (value > best if op == "max" else value < best):
            best, where = value, index
    return best, where


def float_sum(terms: Sequence[float | int]) -> Near:
    """The exact sum of doubles, with what is needed to judge a rounded one."""
    special = [t for t in terms if not math.isfinite(t)]
    exact = [fixed(t) for t in terms if math.isfinite(t)]
    magnitude = from_fixed(sum(map(abs, exact)))
    if special:
        return Near(sum(special), magnitude, len(terms))  # inf, -inf, or NaN from a NaN or from inf - inf
    whole = magnitude <= 2**24 and all(t % 2**POINT == 0 for t in exact)
    return Near(from_fixed(sum(exact)), magnitude, len(terms), exact_sum=whole)


def divided(total: Near, divisor: Fraction) -> Near:
    if total.count == 0:
        return Near(Fraction(0), Fraction(0), 0)
    if isinstance(total.value, float):
        value: Any = total.value if divisor > 0 else -total.value
    else:
        value = total.value / divisor
    return Near(value, total.magnitude / abs(divisor), total.count, divisor, total.exact_sum)


def norm(terms: Sequence[Any], p: float) -> Near:
    """(sum |x|**p) ** (1/p), or the largest |x| for p = inf."""
    sizes = [abs(t) for t in terms]
    if any(s != s for s in sizes):
        return Near(math.nan, Fraction(0), len(terms))
    if math.inf in sizes:
        return Near(math.inf, Fraction(0), len(terms))
    exact = [Fraction(s) for s in sizes]
    if p == math.inf:
        return Near(max(exact, default=Fraction(0)), Fraction(0), len(terms))
    total = sum((power(s, Fraction(p)) for s in exact), Fraction(0))
    return Near(power(total, 1 / Fraction(p)), total, len(terms))


def sum_dtype(dtype: np.dtype) -> np.dtype:
    """What np.sum gives: 64 bits for whole numbers and bool, else the type itself."""
    if dtype.kind == "u":
        return np.dtype(np.uint64)
    return np.dtype(np.int64) if dtype.kind in "bi" else dtype


def result_dtype(op: str, dtype: np.dtype, ask: Any = None) -> np.dtype:
    if ask is not None:
        return np.dtype(ask)
    if op == "sum":
        return sum_dtype(dtype)
    if op == "lp" and dtype.kind in "biu":
        return np.dtype(np.float32 if dtype.itemsize <= 2 else np.float64)
    return dtype


def forward(
    op: str,
    x: np.ndarray,
    rules: Sequence[Any],
    axes: Sequence[int],
    *,
    divisor: Any = "inside",
    p: float = 2.0,
    dtype: Any = None,
) -> Pooled:
    """Every output of `op` over the windows `rules[i]` of `axes[i]`."""
    elements = numbers(x)
    out_type = result_dtype(op, x.dtype, dtype)
    whole = out_type.kind in "iu"
    shape = output_shape(x.shape, rules, axes)
    values = np.empty(shape, dtype=object)
    indices = np.full(shape, -1, dtype=np.int64)
    for cell in cells(x.shape, rules, axes):
        taps = [elements[where] for where, _ in cell.reads]
        if op in ("max", "min"):
            flat = [index for _, index in cell.reads]
            found = extreme(op, list(zip(taps, flat, strict=True)), identity(op, x.dtype))
            values[cell.at], indices[cell.at] = found
        elif op == "lp":
            values[cell.at] = norm([t if x.dtype.kind not in "b" else int(t) for t in taps], p)
        elif op == "sum" and whole:
            values[cell.at] = wrap(sum(map(int, taps)), 8 * out_type.itemsize, out_type.kind == "i")
        elif op == "avg" and whole:
            share = cell.divisor(divisor) if taps else Fraction(1)
            values[cell.at] = round(sum(map(int, taps)) / share)  # Python rounds half to even
        elif op in ("sum", "avg"):
            share = cell.divisor(divisor) if op == "avg" and taps else Fraction(1)
            if x.dtype.kind == "c":
                parts = ([t.real for t in taps], [t.imag for t in taps])
                values[cell.at] = tuple(divided(float_sum(part), share) for part in parts)
            else:
                values[cell.at] = divided(float_sum([t if x.dtype.kind not in "biu" else int(t) for t in taps]), share)
        else:
            raise NotImplementedError(f"the oracle has no meaning for the operator {op!r}: write one")
    return Pooled(shape, values, indices)


OPERATORS = ("max", "min", "avg", "sum", "lp")


def unpool(y: np.ndarray, indices: np.ndarray, shape: Sequence[int], axes: Sequence[int]) -> np.ndarray:
    """Zeros with each value at its index; -1 is skipped; of a cell named twice the last stays."""
    out = np.zeros(shape, dtype=y.dtype)
    pooled = sorted(a % len(shape) for a in axes)
    for at in np.ndindex(*y.shape):
        flat = int(indices[at])
        if flat == -1:
            continue
        where = list(at)
        for axis in reversed(pooled):
            flat, where[axis] = divmod(flat, shape[axis])
        out[tuple(where)] = y[at]
    return out


def rounded(value: Any, name: str) -> float:
    """A Near's value as the nearest number of a format."""
    return round_to(value, name) if isinstance(value, Fraction) else value
