"""Real handwritten digits: the UCI set that comes inside scikit-learn's package."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE: Final = 28
DIGITS_NOTE: Final = (
    "handwritten digits of the UCI set in scikit-learn, 8 x 8, enlarged to 28 x 28 (bicubic), the size of MNIST"
)
# A 7 first, as in MNIST; then shapes that a filter for vertical strokes treats differently. Samples of the set, chosen
# for being easy to read at 8 x 8.
_CHOSEN: Final = (27, 0, 50, 64)


def digits() -> list[tuple[str, NDArray[np.float32]]]:
    """(label, image) of a few digits, values 0 to 1; ImportError where scikit-learn is missing."""
    from sklearn.datasets import load_digits

    found: Any = load_digits()
    return [(str(found.target[sample]), _enlarged(found.images[sample] / 16)) for sample in _CHOSEN]


def _enlarged(image: NDArray[Any]) -> NDArray[np.float32]:
    small = Image.fromarray(image.astype(np.float32))
    large = np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC), dtype=np.float32)
    return np.clip(large, 0, 1)
