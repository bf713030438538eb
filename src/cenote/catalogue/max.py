"""max: the largest tap."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .dtypes import REAL, lowest
from .op import Array, Op, Taps
from .parameters import RETURN_INDICES
from .selecting import first_best, pick, same_dtype, to_winner


def winner(taps: Taps) -> NDArray[np.int64]:
    """Walk the taps; a later one wins only if it is larger, or NaN."""
    return first_best(taps.values, np.greater)


def reference(taps: Taps) -> Array:
    """The tap at the winning position."""
    return pick(taps, winner(taps))


def gradient(taps: Taps, y: Array, g: Array) -> Any:
    """All of g to the winner."""
    return to_winner(taps, winner(taps), g)


ROW = Op(
    name="max",
    title="Maximum",
    summary="Largest value in each window; ties go to the first tap, a NaN in the window wins.",
    prose=(
        "Taps in the padding never take part: a map of negative numbers stays negative under padding. Ties go to the "
        "first tap in row-major order, +0 and -0 are equal, and of several NaNs the index is that of the last. "
        "A window without any real tap gives -inf (floats) or the type's minimum, with index -1."
    ),
    formula="y = max(x[t] for t in window)",
    kinds=REAL,
    parameters=(RETURN_INDICES,),
    identity=lowest,
    result_dtype=same_dtype,
    dtype_rule="same dtype",
    nan_rule="NaN wins; of several the last is the index",
    gradient_rule="to the winning tap, added up where windows overlap",
    reference=reference,
    winner=winner,
    gradient=gradient,
    reducer="max",
    source='Ranzato, Huang, Boureau and LeCun, "Unsupervised learning of invariant feature hierarchies", 2007.',
    examples={
        "sliding": """
>>> x = np.array([[1, 9, 2, 8], [3, 4, 5, 7], [6, 0, 1, 2], [3, 5, 5, 4]])
>>> cenote.max_pool(x, 2)
array([[9, 8],
       [6, 5]])
""",
        "adaptive": """
>>> cenote.adaptive_max_pool(np.arange(25).reshape(5, 5), 3)
array([[ 6,  8,  9],
       [16, 18, 19],
       [21, 23, 24]])
""",
        "global": """
>>> cenote.global_max_pool(np.arange(24).reshape(2, 3, 4))
array([11, 23])
""",
    },
)
