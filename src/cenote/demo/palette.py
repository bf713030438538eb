"""Colours of the demo's picture: quiet paper and ink, a grey ramp for images, a two-sided ramp for filtered values."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]

PAPER: Final[Colour] = (250, 249, 246)
INK: Final[Colour] = (34, 46, 58)
MUTED: Final[Colour] = (104, 116, 127)
LINE: Final[Colour] = (214, 219, 223)

_DARK: Final[Colour] = (28, 38, 48)
_LIGHT: Final[Colour] = (248, 246, 240)
# Negative, zero, positive: equally strong to the eye, and apart for colour-blind readers as well.
_NEGATIVE: Final = ((24, 92, 122), (116, 174, 190))
_ZERO: Final[Colour] = (240, 239, 234)
_POSITIVE: Final = ((238, 172, 118), (190, 84, 30))


def _ramp(values: NDArray[Any], stops: tuple[float, ...], colours: tuple[Colour, ...]) -> NDArray[np.uint8]:
    channels = [np.interp(values, stops, [colour[i] for colour in colours]) for i in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def grey(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Brightness 0 to 1 as RGB."""
    return _ramp(values, (0.0, 1.0), (_DARK, _LIGHT))


def signed(values: NDArray[Any], limit: float) -> NDArray[np.uint8]:
    """Values from -limit to limit as RGB, 0 nearly white."""
    stops = (-1.0, -0.45, 0.0, 0.45, 1.0)
    return _ramp(np.asarray(values) / limit, stops, (*_NEGATIVE, _ZERO, *_POSITIVE))


def on(background: Colour) -> Colour:
    """Ink or paper, whichever can be read on a background."""
    red, green, blue = background
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else PAPER
