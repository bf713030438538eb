"""Colours of pictures: those of the page on light paper, and its two ramps.

Tests hold them to the page's own, in ``static/style.css`` and ``static/view/colour.js``.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]


def _colour(text: str) -> Colour:
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return red, green, blue


PAPER: Final = _colour("#fbfaf8")
CARD: Final = _colour("#ffffff")
INK: Final = _colour("#15181d")
BLACK: Final = _colour("#000000")
MUTED: Final = _colour("#5a6270")
LINE: Final = _colour("#d9dce1")
WINDOW: Final = _colour("#d9480f")
WINNER: Final = _colour("#0b7a53")
HATCH: Final = _colour("#c9cdd4")

#: Light to dark blue, for values of one sign; and orange through white to blue.
ONE: Final[tuple[Colour, ...]] = (
    (247, 250, 253),
    (203, 222, 240),
    (140, 184, 222),
    (72, 136, 193),
    (22, 86, 148),
    (8, 48, 100),
)
TWO: Final[tuple[Colour, ...]] = (
    (130, 56, 4),
    (196, 96, 22),
    (238, 163, 93),
    (250, 246, 240),
    (140, 184, 222),
    (46, 110, 172),
    (8, 48, 100),
)


def ramp(shares: NDArray[Any], stops: tuple[float, ...], colours: tuple[Colour, ...]) -> NDArray[np.uint8]:
    """Colours between those that stand at the stops, halves rounded up."""
    channels = [np.interp(shares, stops, [colour[i] for colour in colours]) for i in range(3)]
    return np.floor(np.stack(channels, axis=-1) + 0.5).astype(np.uint8)


def shades(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Values as RGB, through zero where ``low`` is negative; what lies beyond is as the end, and NaN is white."""
    colours = TWO if low < 0 else ONE
    wide = np.asarray(values, dtype=np.float64)
    unknown = np.isnan(wide)
    # Halved first: the range of float64's extremes does not overflow.
    shares = (np.clip(np.where(unknown, low, wide), low, high) / 2 - low / 2) / (high / 2 - low / 2 or 1)
    found = ramp(shares, tuple(i / (len(colours) - 1) for i in range(len(colours))), colours)
    found[unknown] = CARD
    return found


def span(*arrays: NDArray[Any]) -> tuple[float, float]:
    """The range of arrays that are looked at together: from 0, or as far below it as above."""
    finite = [wide[np.isfinite(wide)] for wide in (np.asarray(array, dtype=np.float64) for array in arrays)]
    kept = [part for part in finite if part.size]
    if not kept:
        return 0.0, 1.0
    low, high = min(float(part.min()) for part in kept), max(float(part.max()) for part in kept)
    if low < 0:
        most = max(-low, high)
        return -most, most
    return 0.0, high or 1.0


def luminance(colour: Colour) -> float:
    """Relative luminance as WCAG has it."""
    shares = [part / 255 for part in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def on(background: Colour) -> Colour:
    """Black or white, whichever has the larger contrast to a background: at least 4.58 to 1, which no ink has."""
    light = luminance(background) + 0.05
    return BLACK if light / 0.05 > 1.05 / light else CARD


def css(colour: Colour) -> str:
    """For an attribute."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
