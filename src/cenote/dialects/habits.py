"""Where a framework's numbers are not the contract's, and how a call of it is written: what the explorer shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final

SLIDE: Final = "slide"
ADAPTIVE: Final = "adaptive"
GLOBAL: Final = "global"


@dataclass(frozen=True, slots=True)
class Habits:
    """What a framework makes of numbers where the contract says otherwise; a field that is left out agrees with it.

    Forms of windows are ``SLIDE``, ``ADAPTIVE`` and ``GLOBAL``.
    """

    runs_on: str = ""
    """Whose numbers these are, where a framework has several ways to run."""
    drops_nan: frozenset[str] = frozenset()
    """Forms in which a NaN never becomes the maximum."""
    starts_lowest: frozenset[str] = frozenset()
    """Forms in which a maximum of -inf alone, or of nothing, is the lowest finite number of float32."""
    unsettled: bool = False
    """Whether a maximum with a NaN, or of -inf alone, depends on kernel and processor: a NaN may win, be left out,
    or make the kernel forget what came before it."""
    signed_powers: bool = False
    """Whether norms add x^p, not |x|^p (p = inf excepted)."""
    scales_overhang: bool = False
    """Whether norms (p = inf excepted) multiply the mean of the taps that are there by all taps of the window."""
    whole_p: bool = False
    """Whether norms take whole numbers p alone."""
    divides_nothing: bool = False
    """Whether the average of no cells is 0/0, NaN, where the divisor is the number of cells that are there."""
    same_raw: bool = False
    """Whether a padding word becomes (O - 1) * stride + size - L cells: without the dilation, and below 0 where the
    stride is larger than the window, which maxima refuse; others cut cells off."""
    spare_cell: bool = False
    """Whether an adaptive window needs room for the smallest bin and one more cell."""
    volumes_fit: bool = False
    """Whether averages and norms of three axes want a window that fits into the input without its padding."""
    number_axes: int = 1
    """The least number of axes for which a number may be the divisor of an average."""


class Pads(Enum):
    """How padding in numbers is written."""

    EACH = "a number for each axis"
    PAIRS = "a (before, after) pair for each axis"
    FLAT = "all numbers before, then all numbers after"


@dataclass(frozen=True, slots=True)
class Code:
    """How a program of the framework makes ``y`` from a NumPy array ``x`` that has the pooled axes alone.

    ``calls`` has a text for "max", "max global", "max adaptive" and, where a dilation or then a divisor needs another
    one, "max dilated" and "avg dilated inside". A text holds ``{words}`` (arguments as they were chosen) or single
    ones: ``{rank}``, ``{size}``, ``{stride}``, ``{pads}``, ``{dilation}``, ``{p}``, ``{taps}`` (the number of taps) and
    ``{shape}`` (of the input). ``pad_words`` has the whole argument for a padding word.
    """

    calls: Mapping[str, str]
    pads: Pads = Pads.EACH
    pad_words: Mapping[str, str] = field(default_factory=dict)
    lists: bool = False
    """Whether several numbers are a list, not a tuple."""
    bare: bool = False
    """Whether one number for one axis is no tuple."""
    true: str = "True"
    title: str = ""
    """What runs it, where that is not the row's title."""

    def __post_init__(self) -> None:
        for name in ("calls", "pad_words"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
