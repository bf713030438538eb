"""scikit-learn's handwritten digits: real images inside a package, so they are there without a network."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from . import pixels, split
from .dataset import Dataset
from .errors import missing

NAME: Final = "digits"
_SHAPE: Final = (28, 28, 1)
_LARGEST: Final = np.float32(16)
"""The set counts the dark ones of 4 x 4 bits: 0 to 16."""


def load() -> Dataset:
    """1,797 digits of the UCI set, 8 x 8 grey, enlarged to 28 x 28 x 1; every fifth of each class tests (355).

    The split follows the order of the set and knows no random numbers: it is the same with every version of anything.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise missing("the digits", "scikit-learn", error) from error

    found: Any = load_digits()
    small = (found.images.astype(np.float32) / _LARGEST)[..., None]
    images, labels = pixels.all_fitted(NAME, small, _SHAPE), found.target.astype(np.int64)
    tests = split.every_fifth(labels)
    return Dataset(
        NAME,
        images[~tests],
        labels[~tests],
        images[tests],
        labels[tests],
        tuple(map(str, found.target_names)),
        "handwritten digits of the UCI set in scikit-learn, 8 x 8, enlarged to 28 x 28 (bicubic, clipped to 0..1), "
        f"{split.EVERY_FIFTH} and the others to train",
    )
