"""How many real taps every window of a padded average has: what the sum is divided by."""

from __future__ import annotations

import numpy as np

from .data import Array
from .workload import Geometry


def counts(geometry: Geometry, lengths: tuple[int, ...]) -> Array:
    """One number per output of the pooled axes."""
    found = np.ones((1,) * geometry.rank)
    rules = zip(lengths, geometry.outputs(lengths), geometry.size, geometry.stride, geometry.padding, strict=True)
    for axis, (n, outputs, k, s, p) in enumerate(rules):
        starts = np.arange(outputs) * s - p
        real = np.minimum(starts + k, n) - np.maximum(starts, 0)
        shape = [1] * geometry.rank
        shape[axis] = outputs
        found = found * real.reshape(shape)
    return found
