"""Keras on NumPy: inference only."""

from __future__ import annotations

from typing import Any

from ..ops import maps
from ..ops.arrays import as_array
from ..ops.request import Request


def pool(request: Request, x: Any) -> Any:
    """The pooled array, or values and indices."""
    array = as_array(request.who, "inputs", x)
    call = request.call(array.shape, array.dtype)
    return maps.pool_with_indices(call, array) if call.select else maps.pool(call, array)
