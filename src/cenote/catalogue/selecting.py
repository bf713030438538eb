"""What the selecting operators (max, min, largest absolute value) share in their slow meanings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .dtypes import Dtype, isnan
from .op import Array, Taps


def same_dtype(who: str, dtype: Dtype, requested: Dtype | None) -> Dtype:
    """The result is one of the taps."""
    return dtype


def first_best(values: Array, better: Callable[[Array, Array], Any]) -> NDArray[np.int64]:
    """Position of the first best tap; -1 where there is none. NaN beats everything, a later NaN an earlier one."""
    position = np.full(values.shape[1:], -1, dtype=np.int64)
    best: Any = values[0] if len(values) else None
    for j, value in enumerate(values):
        wins = np.ones(value.shape, bool) if j == 0 else better(value, best) | isnan(value)
        position[wins] = j
        best = np.where(wins, value, best)
    return position


def pick(taps: Taps, position: NDArray[np.int64]) -> Array:
    """The taps at these positions."""
    return np.asarray(np.take_along_axis(taps.values, position[None], axis=0)[0])


def to_winner(taps: Taps, position: NDArray[np.int64], g: Array) -> Array:
    """g at the winning tap, 0 elsewhere."""
    taps_axis = np.arange(taps.inside).reshape(-1, *[1] * position.ndim)
    return np.where(taps_axis == position[None], g[None], g.dtype.type(0))
