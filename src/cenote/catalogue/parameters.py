"""The parameters that several operators share: how they are spelled, documented and read."""

from __future__ import annotations

import math
import numbers
from typing import Final

from ..errors import bad, bad_type, shown
from ..geometry.arguments import INT64_MAX, flag, is_bool
from .dtypes import requested
from .op import Parameter

DIVISORS: Final = ("inside", "padded", "window")


def _real(who: str, name: str, value: object) -> float | int:
    if is_bool(value) or not isinstance(value, numbers.Real):
        raise bad_type(who, f"{name} is a number, got {shown(value)}", "pass an int or a float")
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value)


def read_divisor(who: str, value: object) -> str | float | int:
    """A word, or a finite number other than 0."""
    if isinstance(value, str):
        if value not in DIVISORS:
            raise bad(who, f"divisor {value!r} is no divisor rule", f"write one of {DIVISORS} or a number")
        return value
    number = _real(who, "divisor", value)
    if number == 0 or not -INT64_MAX <= number <= INT64_MAX:  # false for NaN as well
        raise bad(
            who,
            f"divisor is a finite number other than 0 (and below 2^63), got {shown(value)}",
            "pass such a number",
        )
    return number


def read_p(who: str, value: object) -> float:
    """A number > 0; infinity is the largest absolute value."""
    number = _real(who, "p", value)
    if not number > 0:
        raise bad(who, f"p is greater than 0, got {shown(value)}", "pass p > 0; math.inf gives max |x|")
    try:
        return float(number)
    except OverflowError:
        raise bad(who, f"p is beyond the largest float, got {shown(value)}", "pass math.inf") from None


def _read_dtype(who: str, value: object) -> object:
    return None if value is None else requested(who, value)


RETURN_INDICES: Final = Parameter(
    "return_indices",
    "bool",
    "bool",
    False,
    "Also return where each value was found: flat, row-major positions over the pooled axes of the unpadded input, "
    "int64; -1 for a window without a real tap.",
    lambda who, value: flag(who, "return_indices", value),
)
DIVISOR: Final = Parameter(
    "divisor",
    'Literal["inside", "padded", "window"] | float',
    '"inside", "padded", "window" or number',
    "inside",
    'What the sum is divided by: "inside" the number of real taps, "padded" the taps inside the padded input '
    '(what hangs over it with ``ceil_mode`` does not count), "window" always the number of taps, or a finite number '
    "other than 0 (a whole one where the result is an integer, which wraps if it does not fit).",
    read_divisor,
)
DTYPE: Final = Parameter(
    "dtype",
    "DTypeLike | None",
    "dtype",
    None,
    "Dtype of the result; left out, the operator's own rule (see Notes) decides.",
    _read_dtype,
)
P: Final = Parameter("p", "float", "float", 2, "The exponent, > 0; ``math.inf`` is the largest absolute value.", read_p)


def is_whole(number: float | int) -> bool:
    """True for a number without a fraction."""
    return isinstance(number, int) or (math.isfinite(number) and number == int(number))
