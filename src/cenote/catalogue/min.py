"""min: the smallest tap."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .dtypes import REAL, highest
from .op import Array, Op, Taps
from .parameters import RETURN_INDICES
from .selecting import first_best, pick, same_dtype, to_winner


def winner(taps: Taps) -> NDArray[np.int64]:
    """Walk the taps; a later one wins only if it is smaller, or NaN."""
    return first_best(taps.values, np.less)


def reference(taps: Taps) -> Array:
    """The tap at the winning position."""
    return pick(taps, winner(taps))


def gradient(taps: Taps, y: Array, g: Array) -> Any:
    """All of g to the winner."""
    return to_winner(taps, winner(taps), g)


ROW = Op(
    name="min",
    title="Minimum",
    summary="Smallest value in each window; ties go to the first tap, a NaN in the window wins.",
    prose=(
        "Taps in the padding never take part: a map of positive numbers stays positive under padding. Ties go to the "
        "first tap in row-major order, +0 and -0 are equal, and of several NaNs the index is that of the last. "
        "A window without any real tap gives +inf (floats) or the type's maximum, with index -1."
    ),
    formula="y = min(x[t] for t in window)",
    kinds=REAL,
    parameters=(RETURN_INDICES,),
    identity=highest,
    result_dtype=same_dtype,
    dtype_rule="same dtype",
    nan_rule="NaN wins; of several the last is the index",
    gradient_rule="to the winning tap, added up where windows overlap",
    reference=reference,
    winner=winner,
    gradient=gradient,
    reducer="min",
    source='A flat erosion sampled at the strides: Serra, "Image analysis and mathematical morphology", 1982.',
    examples={
        "sliding": """
>>> x = np.array([[1, 9, 2, 8], [3, 4, 5, 7], [6, 0, 1, 2], [3, 5, 5, 4]])
>>> cenote.min_pool(x, 2)
array([[1, 2],
       [0, 1]])
""",
        "adaptive": """
>>> cenote.adaptive_min_pool(np.arange(25).reshape(5, 5), 3)
array([[ 0,  1,  3],
       [ 5,  6,  8],
       [15, 16, 18]])
""",
        "global": """
>>> cenote.global_min_pool(np.arange(24).reshape(2, 3, 4))
array([ 0, 12])
""",
    },
)
