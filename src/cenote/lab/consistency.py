"""How often a network says the same of an image and of the image moved by a few pixels.

After Zhang, "Making convolutional networks shift-invariant again", 2019. An accurate network agrees with itself because
it is right twice, so the share is also given among the images that it gets right where they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .measures import SHIFTS, consistency
from .statistics import agreement, agreement_given_correct

Array = NDArray[Any]

KINDS: Final = ("circular", "cropped")
#: Down, up, right, left.
DIRECTIONS: Final = ((1, 0), (-1, 0), (0, 1), (0, -1))
#: Images that are moved. More of them in one direction each say more than fewer in all four, for the same time.
IMAGES: Final = 1024


def moved(x: Array, rows: int, columns: int, kind: str) -> Array:
    """Images N x H x W x C moved down and to the right.

    ``circular``: what leaves comes in on the other side. ``cropped``: what leaves is lost, and the edge is repeated
    where nothing comes in, as when a camera moves before a plain wall.

    >>> x = np.array([1, 2, 3, 4]).reshape(1, 1, 4, 1)
    >>> moved(x, 0, 1, "circular").ravel(), moved(x, 0, 1, "cropped").ravel()
    (array([4, 1, 2, 3]), array([1, 1, 2, 3]))
    """
    if kind == "circular":
        return np.roll(x, (rows, columns), axis=(1, 2))
    height, width = x.shape[1:3]
    row, column = (np.clip(np.arange(n) - by, 0, n - 1) for n, by in ((height, rows), (width, columns)))
    found: Array = x[:, row[:, None], column]
    return found


def chosen(count: int) -> NDArray[np.intp]:
    """Which of ``count`` images are moved: at most ``IMAGES``, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, IMAGES)).round().astype(np.intp))


def moved_apart(x: Array, shift: int, kind: str) -> Array:
    """Images moved by so many cells, each in one of the directions, the same ones in every call."""
    # Shuffled once and for all: data sets come with their classes in some order, and a class must not have a direction.
    which = np.random.default_rng(0).permutation(len(x)) % len(DIRECTIONS)
    found = np.empty_like(x)
    for i, (row, column) in enumerate(DIRECTIONS):
        found[which == i] = moved(x[which == i], shift * row, shift * column, kind)
    return found


def measure(
    predict: Callable[[Array], Array], x: Array, truth: Array, shifts: Sequence[int] = SHIFTS
) -> dict[str, float]:
    """Shares by name: ``consistency_circular_1``, ``consistency_circular_1_given_correct``, ...

    A quarter of the images goes in each direction. NaN where no image is right, and where the network says the same of
    all images though they are not: that is no consistency.
    """
    at = chosen(len(x))
    x, truth = x[at], truth[at]
    still = predict(x).argmax(axis=1)
    blind = len(np.unique(still)) == 1 < len(np.unique(truth))
    found: dict[str, float] = {}
    for kind in KINDS:
        for shift in shifts:
            other = predict(moved_apart(x, shift, kind)).argmax(axis=1)
            found[consistency(kind, shift)] = math.nan if blind else agreement(still, other)
            given = math.nan if blind else agreement_given_correct(still, other, truth)
            found[consistency(kind, shift, given_correct=True)] = given
    return found
