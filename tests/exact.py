"""Exact numbers for the oracle: rounding of rationals into IEEE formats, roots and powers to many digits.

Python integers, Fractions and decimals only. NumPy never computes here, so a rounding mistake shared with
the library under test is not possible.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from functools import cached_property, lru_cache

# Enough for a correctly rounded float64 (17 digits) with a wide guard for the powers and roots of lp.
DIGITS = Context(prec=40, Emin=-999999, Emax=999999)


@dataclass(frozen=True)
class Format:
    """An IEEE binary format: significant bits with the hidden one, least and greatest exponent."""

    bits: int
    emin: int
    emax: int

    @cached_property
    def unit(self) -> Fraction:
        """Unit roundoff: the largest relative error of one correctly rounded operation."""
        return Fraction(1, 2**self.bits)

    @cached_property
    def tiny(self) -> Fraction:
        """The least positive subnormal number."""
        return Fraction(2) ** (self.emin - self.bits + 1)

    @cached_property
    def largest(self) -> Fraction:
        return (2 - Fraction(1, 2 ** (self.bits - 1))) * Fraction(2) ** self.emax


FORMATS = {
    "float16": Format(11, -14, 15),
    "bfloat16": Format(8, -126, 127),
    "float32": Format(24, -126, 127),
    "float64": Format(53, -1022, 1023),
}


# Every double is a whole multiple of 2**-1074, so sums of doubles are sums of integers.
POINT = 1074


def fixed(value: float) -> int:
    """value * 2**1074, exactly."""
    top, bottom = value.as_integer_ratio()
    return top << (POINT + 1 - bottom.bit_length())


def from_fixed(value: int) -> Fraction:
    return Fraction(value, 2**POINT)


def half_even(value: Fraction) -> int:
    """The nearest integer; of two equally near ones the even one."""
    down, rest = divmod(value.numerator, value.denominator)
    twice = 2 * rest
    if twice > value.denominator or (twice == value.denominator and down % 2):
        return down + 1
    return down


def exponent(value: Fraction) -> int:
    """e with 2**e <= |value| < 2**(e + 1)."""
    size = abs(value)
    guess = size.numerator.bit_length() - size.denominator.bit_length()
    if size < Fraction(2) ** guess:
        guess -= 1
    return guess


def round_to(value: Fraction, name: str) -> float:
    """`value` rounded once, half to even, into the named format; overflow gives an infinity."""
    if value == 0:
        return 0.0
    form = FORMATS[name]
    quantum = Fraction(2) ** (max(exponent(value), form.emin) - form.bits + 1)
    rounded = half_even(value / quantum) * quantum
    if abs(rounded) > form.largest:
        return math.copysign(math.inf, value)
    if rounded == 0:
        return math.copysign(0.0, value)
    return float(rounded)


def add(a: float, b: float, name: str) -> float:
    """One IEEE addition in the named format (signed zeros, infinities and NaN included).

    The double sum of two numbers of at most 24 bits, rounded once more, is the correctly rounded sum
    (53 >= 2 * 24 + 2), so going through a Python float loses nothing.
    """
    total = a + b
    if total == 0 or not math.isfinite(total):
        return total
    return round_to(Fraction(total), name)


def accumulator(name: str) -> str:
    """The format that sums of the named element type are held in."""
    return "float32" if name in ("float16", "bfloat16") else name


def wrap(value: int, bits: int, signed: bool) -> int:
    """Two's complement wrap-around."""
    value %= 2**bits
    return value - 2**bits if signed and value >= 2 ** (bits - 1) else value


def to_decimal(value: Fraction) -> Decimal:
    with localcontext(DIGITS):
        return Decimal(value.numerator) / Decimal(value.denominator)


@lru_cache(maxsize=65536)
def power(base: Fraction, exponent: Fraction) -> Fraction:
    """base ** exponent for base >= 0: exact for small whole exponents, else to about 40 digits."""
    if base == 0:
        return Fraction(0) if exponent > 0 else Fraction(1)
    if exponent.denominator == 1 and 0 <= exponent <= 8:
        return base ** int(exponent)
    with localcontext(DIGITS):
        if exponent.denominator == 2 and 0 < exponent <= 8:
            return Fraction(to_decimal(base**exponent.numerator).sqrt())
        return Fraction(to_decimal(base) ** to_decimal(exponent))
