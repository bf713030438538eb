"""Ramps of the demo's picture: a grey one for images, a two-sided one for filtered values."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cenote.explorer.drawing.palette import Colour, ramp

_DARK: Final[Colour] = (28, 38, 48)
_LIGHT: Final[Colour] = (248, 246, 240)
# Negative, zero, positive: equally strong to the eye, and apart for colour-blind readers as well.
_NEGATIVE: Final = ((24, 92, 122), (116, 174, 190))
_ZERO: Final[Colour] = (240, 239, 234)
_POSITIVE: Final = ((238, 172, 118), (190, 84, 30))


def grey(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Brightness 0 to 1 as RGB."""
    return ramp(values, (0.0, 1.0), (_DARK, _LIGHT))


def signed(values: NDArray[Any], limit: float) -> NDArray[np.uint8]:
    """Values from -limit to limit as RGB, 0 nearly white."""
    stops = (-1.0, -0.45, 0.0, 0.45, 1.0)
    return ramp(np.asarray(values) / limit, stops, (*_NEGATIVE, _ZERO, *_POSITIVE))
