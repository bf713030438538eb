"""How a result is compared with the oracle. Every allowance is derived here, once, with its reason.

u is the unit roundoff of the format that sums are held in (float32 for float16 and bfloat16):
- a sum of n terms, added in any order or tree, is off by at most (n - 1) u sum|x| (1 + small);
- terms that had to be converted into that format first, and a divisor that has to, add one u each;
- a division is one more rounding; the result is rounded once into its own type (half a unit there).
A whole-number sum below 2**24 is exact in any order, so there the quotient must be the correctly rounded one:
that is what catches a reciprocal, a running sum and a second rounding.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from exact import FORMATS, accumulator, power, round_to
from oracle import Near, numbers


class Differs(AssertionError):
    """A result that the contract does not allow."""


def kind_of(dtype: Any) -> str:
    """The name of the real format behind an element type."""
    name = np.dtype(dtype).name
    return {"complex64": "float32", "complex128": "float64"}.get(name, name)


def shaped(got: Any, shape: tuple[int, ...], dtype: Any, what: str) -> None:
    if not isinstance(got, np.ndarray):
        raise Differs(f"{what}: {type(got).__name__} instead of an ndarray")
    if got.shape != tuple(shape) or got.dtype != np.dtype(dtype):
        raise Differs(f"{what}: {got.dtype}{got.shape} instead of {np.dtype(dtype)}{tuple(shape)}")


def same(got: np.ndarray, want: np.ndarray, what: str) -> None:
    """Equal numbers; NaN equals NaN, and the sign of a zero is free."""
    have = numbers(got)
    for at in np.ndindex(*want.shape):
        a, b = have[at], want[at]
        if not (a == b or (a != a and b != b)):
            raise Differs(f"{what}{list(at)}: {a!r} instead of {b!r}")


def same_bits(got: np.ndarray, want: np.ndarray, what: str) -> None:
    """Equal numbers and equal signs, zeros included; any NaN will do for a NaN."""
    same(got, want, what)
    have = numbers(got)
    for at in np.ndindex(*want.shape):
        if want[at] == 0 and math.copysign(1, have[at]) != math.copysign(1, want[at]):
            raise Differs(f"{what}{list(at)}: {have[at]!r} instead of {want[at]!r}")


def found_at(values: np.ndarray, indices: np.ndarray, x: np.ndarray, axes: tuple[int, ...], what: str) -> None:
    """With indices, a value has the very bits of the element it names (NaN payload and sign of zero too)."""
    pooled = sorted(a % x.ndim for a in axes)
    rest = [a for a in range(x.ndim) if a not in pooled]
    flat = x.transpose(rest + pooled).reshape(*(x.shape[a] for a in rest), -1)
    where = indices.transpose(rest + pooled).reshape(*(x.shape[a] for a in rest), -1)
    picked = values.transpose(rest + pooled).reshape(where.shape)
    real = where >= 0
    taken = np.take_along_axis(flat, np.where(real, where, 0), axis=-1) if flat.size else picked
    if taken[real].tobytes() != picked[real].tobytes():
        raise Differs(f"{what}: a value has other bits than the element its index names")


def near(got: np.ndarray, want: np.ndarray, what: str, *, slack: int = 0) -> None:
    """Sums and averages: within the bound above; `slack` are further roundings of every term (gradients)."""
    have = numbers(got)
    form = kind_of(got.dtype)
    for at in np.ndindex(*want.shape):
        if isinstance(want[at], tuple):
            pairs = [(have[at].real, want[at][0]), (have[at].imag, want[at][1])]
        else:
            pairs = [(have[at], want[at])]
        for a, b in pairs:
            problem = _far(float(a), b, form, slack)
            if problem:
                raise Differs(f"{what}{list(at)}: {a!r} {problem}")


def _far(got: float, want: Near, form: str, slack: int) -> str | None:
    held = accumulator(form)
    if isinstance(want.value, float):
        return None if got == want.value or (got != got and want.value != want.value) else f"not {want.value}"
    if want.exact_sum and round_to(want.divisor, held) == want.divisor:
        once = round_to(want.value, form)
        # It may be divided where the sum is held, and then rounded to the type of the result.
        through = round_to(want.value, held)
        twice = round_to(Fraction(through), form) if math.isfinite(through) else through
        return None if got in (once, twice) else f"instead of the correctly rounded {once!r}"
    u = FORMATS[held].unit
    if abs(got - _double(want.value)) <= 2 * float(u) * _double(want.magnitude):
        return None  # inside without any doubt (and NaN or infinity is not): the exact bound need not be computed
    # n terms of which each may have been converted, one division by a converted divisor: n + 4 roundings.
    # 17/16 covers the products of roundings for every n that is tested here (n u < 1/32).
    error = (want.count + 4 + slack) * u * want.magnitude * Fraction(17, 16) + FORMATS[held].tiny
    error += abs(want.value) * FORMATS[form].unit + FORMATS[form].tiny / 2
    return _outside(got, want.value - error, want.value + error, form, want.magnitude * abs(want.divisor) * 2)


def _double(value: Fraction) -> float:
    return float(value) if abs(value) <= FORMATS["float64"].largest else math.nan


def _outside(got: float, low: Fraction, high: Fraction, form: str, reach: Fraction) -> str | None:
    """None when got lies in [low, high], or overflowed where a partial sum (`reach`) or the result may."""
    if not math.isfinite(got):
        held = accumulator(form)
        overflows = max(abs(low), abs(high)) > FORMATS[form].largest or reach > FORMATS[held].largest
        return None if overflows else f"where nothing overflows: [{float(low)!r}, {float(high)!r}]"
    return None if low <= Fraction(got) <= high else f"outside [{_show(low)}, {_show(high)}]"


def _show(value: Fraction) -> str:
    return f"{float(value):.17g}" if abs(value) < FORMATS["float64"].largest else "huge"


# pow, sqrt and the rounding of the exponent 1/p: a few units each, and 1/p rounded moves S**(1/p) by
# |ln S| u / p, where |ln S| stays below 64 for the magnitudes drawn in the tests (about 1e-27 to 1e27).
POWERS = 64


def near_norm(got: np.ndarray, want: np.ndarray, p: float, what: str) -> None:
    """lp: the sum of powers as any sum, widened by the underflow of small powers; then the root."""
    have = numbers(got)
    form = kind_of(got.dtype)
    held = accumulator(form)
    u, tiny = FORMATS[held].unit, FORMATS[held].tiny
    for at in np.ndindex(*want.shape):
        a, b = float(have[at]), want[at]
        if isinstance(b.value, float) or p == math.inf:
            exact = b.value if isinstance(b.value, float) else round_to(b.value, form)
            if not (a == exact or (a != a and exact != exact)):
                raise Differs(f"{what}{list(at)}: {a!r} instead of {exact!r}")
            continue
        blur = (b.count + POWERS) * u
        # A power below the normal range loses bits or vanishes: at most the least normal number per term.
        lost = b.count * tiny / (2 * u)
        low = power(max(Fraction(0), b.magnitude * (1 - blur) - lost), 1 / Fraction(p))
        high = power(b.magnitude * (1 + blur) + lost, 1 / Fraction(p))
        low -= low * (POWERS * u + FORMATS[form].unit) + FORMATS[form].tiny
        high += high * (POWERS * u + FORMATS[form].unit) + FORMATS[form].tiny
        problem = _outside(a, low, high, form, b.magnitude * 2)
        if problem:
            raise Differs(f"{what}{list(at)}: {a!r} {problem}")
