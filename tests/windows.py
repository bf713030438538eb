"""The windows of the ordinary cases, for one to three pooled axes, in the oracle's words.

Odd and uneven on purpose: stride above size, dilation, padding on one side or larger than the window, padding
words, ceil overhang, empty windows, more bins than cells, lengths 1, 7 and 41, more than 255 taps, long rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from oracle import Slide, Split

# (length, size, stride, lo, hi, dilation) per axis, of which rank r takes the first r; ceil_mode or a word.
SLIDES: tuple[tuple[tuple[tuple[int, ...], ...], bool | str], ...] = (
    (((7, 2, 2, 0, 0, 1), (9, 2, 2, 0, 0, 1), (4, 2, 2, 0, 0, 1)), False),
    (((7, 3, 2, 1, 1, 1), (8, 3, 2, 1, 1, 1), (5, 3, 2, 1, 1, 1)), False),
    (((6, 3, 1, 1, 1, 1), (7, 3, 1, 1, 1, 1), (3, 3, 1, 1, 1, 1)), False),
    (((7, 1, 1, 0, 0, 1), (1, 1, 1, 0, 0, 1), (3, 1, 1, 0, 0, 1)), False),
    (((6, 1, 2, 0, 0, 1), (7, 1, 2, 0, 0, 1), (2, 1, 2, 0, 0, 1)), True),
    (((11, 2, 5, 0, 0, 1), (7, 3, 4, 0, 0, 1), (9, 2, 3, 1, 0, 1)), False),
    (((9, 3, 2, 0, 0, 2), (8, 2, 1, 0, 0, 3), (6, 3, 1, 0, 0, 2)), False),
    (((9, 2, 1, 1, 1, 2), (1, 2, 1, 1, 1, 2), (4, 2, 1, 1, 1, 2)), False),
    (((1, 2, 1, 1, 1, 2), (5, 3, 2, 2, 2, 2), (1, 2, 1, 1, 1, 2)), False),
    (((7, 7, 7, 0, 0, 1), (5, 5, 5, 0, 0, 1), (3, 3, 3, 0, 0, 1)), False),
    (((4, 2, 1, 3, 4, 1), (3, 3, 1, 4, 0, 1), (2, 2, 2, 2, 3, 1)), False),
    (((8, 3, 2, 0, 1, 1), (6, 3, 2, 2, 0, 1), (4, 2, 1, 0, 1, 1)), False),
    (((7, 3, 3, 0, 1, 1), (6, 2, 1, 0, 0, 1), (5, 4, 2, 1, 2, 1)), False),
    (((7, 3, 2, 0, 0, 1), (8, 3, 2, 0, 0, 1), (5, 2, 3, 0, 0, 1)), "same"),
    (((5, 2, 1, 0, 0, 1), (6, 4, 1, 0, 0, 1), (4, 2, 1, 0, 0, 1)), "same"),
    (((5, 3, 2, 0, 0, 2), (7, 2, 3, 0, 0, 2), (6, 2, 2, 0, 0, 3)), "same"),
    (((7, 3, 2, 0, 0, 1), (8, 3, 2, 0, 0, 1), (5, 2, 3, 0, 0, 1)), "same_lower"),
    (((5, 2, 1, 0, 0, 1), (6, 4, 1, 0, 0, 1), (4, 2, 1, 0, 0, 1)), "same_lower"),
    (((5, 3, 2, 0, 0, 2), (7, 2, 3, 0, 0, 2), (6, 2, 2, 0, 0, 3)), "same_lower"),
    (((7, 3, 2, 0, 0, 1), (8, 3, 2, 0, 0, 1), (5, 2, 3, 0, 0, 1)), "valid"),
    (((5, 2, 1, 0, 0, 1), (6, 4, 1, 0, 0, 1), (4, 2, 1, 0, 0, 1)), "valid"),
    (((5, 3, 2, 0, 0, 2), (7, 2, 3, 0, 0, 2), (6, 2, 2, 0, 0, 3)), "valid"),
    (((6, 3, 2, 0, 0, 1), (7, 2, 3, 0, 0, 1), (4, 3, 2, 0, 0, 1)), True),
    (((2, 2, 3, 1, 1, 1), (5, 2, 2, 1, 1, 1), (7, 2, 3, 1, 1, 1)), True),
    (((6, 3, 2, 1, 1, 1), (4, 3, 2, 1, 1, 1), (3, 3, 2, 1, 1, 1)), True),
    (((2, 3, 2, 0, 0, 1), (6, 3, 2, 0, 0, 1), (3, 4, 2, 0, 0, 1)), True),
    (((61, 2, 1000, 0, 0, 50), (3, 2, 1000, 1, 1, 4), (2, 1, 1000, 0, 0, 1)), False),
    (((41, 4, 1, 1, 2, 1), (7, 5, 1, 2, 2, 1), (1, 3, 1, 1, 1, 1)), False),
    (((41, 7, 4, 3, 3, 1), (1, 3, 1, 1, 1, 1), (7, 3, 4, 1, 1, 1)), False),
    (((300, 260, 40, 3, 0, 1), (19, 17, 2, 0, 0, 1), (1, 1, 1, 0, 0, 1)), False),
    (((133, 3, 1, 0, 0, 1), (3, 3, 2, 1, 1, 1), (1, 1, 1, 0, 0, 1)), False),
    (((3, 1, 1, 0, 0, 1), (67, 2, 2, 0, 0, 1), (2, 2, 2, 0, 0, 1)), False),
)
# (parts, lengths)
SPLITS = (
    ((3, 2, 4), (5, 7, 4)),
    ((4, 3, 1), (10, 6, 3)),
    ((6, 5, 3), (4, 3, 2)),
    ((7, 1, 2), (7, 41, 1)),
    ((1, 1, 1), (1, 5, 3)),
    ((13, 6, 2), (41, 7, 3)),
)
# (lengths, keepdims) of global pooling
GLOBALS = (((7, 5, 3), False), ((41, 7, 2), True), ((1, 1, 6), False))


@dataclass(frozen=True)
class Placed:
    """Window rules over lengths; rules[i] belongs to lengths[i]."""

    rules: tuple[Any, ...]
    lengths: tuple[int, ...]
    keepdims: bool | None = None  # a bool: global pooling
    mixed: bool = False  # rules of several kinds, which only a Window can say

    @property
    def taps(self) -> int:
        """The most real taps that a window has."""
        pairs = zip(self.rules, self.lengths, strict=True)
        return math.prod(max((len(b.taps) for b in rule.bins(n)), default=0) for rule, n in pairs)

    @property
    def name(self) -> str:
        """The window in the notation of the library, and the lengths: 3x3/2+1^:7x8."""
        lengths = _joined(self.lengths, keep=True)
        if self.mixed:
            return f"{'|'.join(map(repr, self.rules))}:{lengths}"
        if self.keepdims is not None:
            return f"*:{lengths}"
        if isinstance(self.rules[0], Split):
            return f">{_joined([r.parts for r in self.rules], keep=True)}:{lengths}"
        first = self.rules[0]
        text = _joined([r.size for r in self.rules], keep=True)
        text += "/" + _joined([r.stride for r in self.rules])
        if isinstance(first.pad, str):
            text += "+" + first.pad
        elif any(r.pad != (0, 0) for r in self.rules):
            pads = [r.pad for r in self.rules]
            text += "+" + _joined([str(lo) if lo == hi else f"{lo}:{hi}" for lo, hi in pads])
        if any(r.dilation != 1 for r in self.rules):
            text += "@" + _joined([r.dilation for r in self.rules])
        return f"{text}{'^' if first.ceil else ''}:{lengths}"


def _joined(values: Sequence[Any], *, keep: bool = False) -> str:
    """x-joined; one value for all when they are equal, unless every axis is to be kept."""
    return "x".join(map(str, values if keep or len(set(values)) > 1 else values[:1]))


def windows(rank: int) -> Iterator[Placed]:
    """Every window of a rank."""
    for axes, how in SLIDES:
        rules = tuple(
            Slide(k, s, how if isinstance(how, str) else (lo, hi), d, how is True) for _, k, s, lo, hi, d in axes[:rank]
        )
        yield Placed(rules, tuple(a[0] for a in axes[:rank]))
    for parts, lengths in SPLITS:
        yield Placed(tuple(map(Split, parts[:rank])), lengths[:rank])
    for lengths, keep in GLOBALS:
        yield Placed((Split(1),) * rank, lengths[:rank], keep)
