"""Numbers as the report writes them: as many digits as the interval lets stand, and a minus that looks like one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from ..statistics import Interval

MINUS: Final = "\N{MINUS SIGN}"
TIMES: Final = "\N{MULTIPLICATION SIGN}"
PREFIXES: Final = ((1e9, " G"), (1e6, " M"), (1e3, " k"))


def fixed(value: float, decimals: int, *, sign: bool = False) -> str:
    """A number with so many decimals; no zero has a sign.

    >>> fixed(-1234.5, 1), fixed(-0.04, 1), fixed(0.25, 2, sign=True), fixed(0.0, 1, sign=True)
    ('−1,234.5', '0.0', '+0.25', '0.0')
    """
    text = f"{value:z,.{decimals}f}"
    if sign and value > 0 and text.strip("0.,"):
        text = f"+{text}"
    return text.replace("-", MINUS)


def decimals(intervals: Iterable[Interval | None], scale: float = 1.0, least: int = 1, most: int = 3) -> int:
    """How many decimals a column needs: its usual half width then has one digit that counts, or two.

    >>> decimals([Interval(97.8, 97.5, 98.1, 5)]), decimals([Interval(97.8, 97.78, 97.82, 5)])
    (1, 2)
    """
    widths = sorted(
        width for one in intervals if one is not None and 0 < (width := scale * (one.high - one.low) / 2) < math.inf
    )
    if not widths:
        return least
    return min(most, max(least, math.ceil(-math.log10(widths[len(widths) // 2]))))


def with_interval(found: Interval, places: int, scale: float = 1.0, *, sign: bool = False) -> str:
    """A mean and half its interval, or the mean alone where one value has none.

    With a sign it is a difference, and gets the digits that tell whether its interval holds 0.

    >>> with_interval(Interval(0.978, 0.975, 0.981, 5), 1, 100)
    '97.8 ± 0.3'
    >>> with_interval(Interval(-0.0022, -0.0042, -0.0002, 5), 1, 100, sign=True)
    '−0.22 ± 0.20'
    """
    reach = scale * (found.high - found.low) / 2
    while sign and places < 6 and reach and f"{abs(scale * found.mean):.{places}f}" == f"{reach:.{places}f}":
        places += 1
    mean = fixed(scale * found.mean, places, sign=sign)
    return mean if found.n == 1 or not math.isfinite(reach) else f"{mean} ± {fixed(reach, places)}"


def factor(found: Interval) -> str:
    """A ratio with its ends.

    >>> factor(Interval(1.31, 1.2, 1.44, 7)), factor(Interval(0.25, 0.25, 0.25, 1))
    ('× 1.31 (1.20–1.44)', '× 0.250')
    """
    mean = f"{TIMES} {'1' if found.mean == 1 and found.low == found.high else significant(found.mean)}"
    if found.n == 1 or not math.isfinite(found.high):
        return mean
    return f"{mean} ({significant(found.low)}–{significant(found.high)})"


def significant(value: float, digits: int = 3) -> str:
    """So many digits that count, and those before the point always.

    >>> [significant(v) for v in (0.04567, 1.2, 158.64, 98765.4, 0)]
    ['0.0457', '1.20', '159', '98,765', '0']
    """
    if not value:
        return "0"
    return fixed(value, max(0, digits - 1 - math.floor(math.log10(abs(value)))))


def short(value: float) -> str:
    """A count in few letters, for a chart.

    >>> [short(v) for v in (0, 650, 103_114, 1_250_000, 2.5e9)]
    ['0', '650', '103 k', '1.25 M', '2.50 G']
    """
    for size, letter in PREFIXES:
        if abs(value) >= size:
            return significant(value / size) + letter
    return fixed(value, 0)


def kilobytes(value: float) -> str:
    """Bytes in KB of 1000.

    >>> kilobytes(78_400), kilobytes(1_234_567), kilobytes(12)
    ('78.4', '1,234.6', '0.012')
    """
    return fixed(value / 1000, 1) if value >= 100 or not value else significant(value / 1000, 2)


def plural(count: int, word: str) -> str:
    """A count and its word.

    >>> plural(1, "seed"), plural(1437, "image")
    ('1 seed', '1,437 images')
    """
    return f"{count:,} {word}{'s' * (count != 1)}"
