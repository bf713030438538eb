"""Which images test a network where the data does not say: fixed rules, so that everybody gets the same split."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

EVERY: Final = 5
#: What the rule of ``every_fifth`` is called in a note.
EVERY_FIFTH: Final = "every fifth image of each class to test"


def every_fifth(labels: NDArray[np.int64]) -> NDArray[np.bool]:
    """True for the 5th, 10th, ... image of each class, in the order given: about 20 % of every class.

    A class of two to four images gives its last one, so that none is left untested.

    >>> import numpy as np
    >>> every_fifth(np.array([0, 0, 1, 0, 1, 0, 0, 0])).nonzero()[0].tolist()
    [4, 6]
    """
    chosen = np.zeros(len(labels), np.bool)
    for label in np.unique(labels):
        (places,) = np.nonzero(labels == label)
        chosen[places[EVERY - 1 :: EVERY] if len(places) >= EVERY else places[1:][-1:]] = True
    return chosen


def first_four_fifths(count: int) -> int:
    """How many images train where the first 80 % do, rounded down: 8,000 of 10,000."""
    return count * (EVERY - 1) // EVERY
