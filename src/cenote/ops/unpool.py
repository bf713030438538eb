"""Max unpooling: values back to where they were found."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..catalogue.dtypes import REAL
from ..errors import bad, bad_index, bad_type, shown
from ..geometry import Axes, pooled_axes
from ..geometry.arguments import INT64_MAX, integer, is_sequence
from ..native import NATIVE
from .arrays import as_array, as_input, check_dtype, check_out, new

_WHO = "max_unpool"


def max_unpool(
    y: ArrayLike, indices: ArrayLike, shape: tuple[int, ...], *, axes: Axes = (-2, -1), out: NDArray[Any] | None = None
) -> NDArray[Any]:
    """Put every value where its index says, 0 elsewhere; index -1 is skipped, a cell named twice keeps the last.

    Parameters
    ----------
    y : array_like
        Pooled values, any real dtype.
    indices : array_like of int
        Same shape as ``y``: flat, row-major positions over the pooled axes of the result, as ``max_pool`` returns
        them with ``return_indices=True``. Dtypes other than int64 are converted.
    shape : tuple of int
        The whole shape of the result; axes that are not pooled keep their length.
    axes : int, tuple of int or layout string
        The pooled axes; the last two by default.
    out : ndarray, optional
        Where to write the result: its very shape and dtype, writeable, apart from ``y`` and ``indices``.

    Returns
    -------
    ndarray
        Of shape ``shape`` and the dtype of ``y``. "Last" means last in row-major order of the pooled axes.

    Raises
    ------
    CenoteError
        Shapes that do not belong together, or indices that are no integers.
    CenoteIndexError
        An index that names no cell.

    Examples
    --------
    >>> import cenote
    >>> import numpy as np
    >>> x = np.array([[1, 5, 2, 0], [3, 4, 8, 7]])
    >>> y, indices = cenote.max_pool(x, 2, return_indices=True)
    >>> indices
    array([[1, 6]])
    >>> cenote.max_unpool(y, indices, x.shape)
    array([[0, 5, 0, 0],
           [0, 0, 8, 0]])

    Notes
    -----
    Zeiler and Fergus, "Visualizing and understanding convolutional networks", 2014. ``torch.nn.MaxUnpool2d`` takes
    the window and derives the shape; here the shape is given.
    """
    values = as_input(_WHO, y, REAL, "y")
    where = _indices(indices, values.shape)
    if axes is None:
        raise bad_type(_WHO, "axes names the pooled axes, got None", "leave it out for the last two, or name them")
    found = tuple(sorted(pooled_axes(_WHO, axes, values.ndim, None)))
    whole = _shape(shape, values.shape, found)
    if out is None:
        result, _ = new(_WHO, whole, values.dtype)
    else:
        result = check_out(_WHO, out, whole, values.dtype, [values, where], "out")
    wrong = NATIVE.unpool(values, where, result, found)
    if wrong is not None:
        cells = tuple(whole[axis] for axis in found)
        raise bad_index(
            _WHO,
            f"index {wrong} names no cell of the pooled axes {cells}",
            f"use 0 to {math.prod(cells) - 1}, or -1 to skip",
        )
    return result


def _indices(indices: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.int64]:
    array = as_array(_WHO, "indices", indices)
    if array.size:  # an empty list is an array of floats
        check_dtype(_WHO, "indices", array.dtype, ("signed", "unsigned"))
    if array.shape != shape:
        raise bad(_WHO, f"indices has shape {array.shape}, y has {shape}", "pass one index per value")
    if array.dtype.name == "uint64" and array.size and int(array.max()) > INT64_MAX:
        raise bad_index(_WHO, f"index {int(array.max())} is beyond 2^63", "use -1 to skip, else a cell's position")
    return array.astype(np.int64, copy=False)


def _shape(shape: object, pooled: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    if not is_sequence(shape):
        raise bad_type(_WHO, f"shape is the whole shape of the result, got {shown(shape)}", "pass a tuple of ints")
    whole = tuple(integer(_WHO, f"shape[{i}]", n, 0) for i, n in enumerate(shape))
    if len(whole) != len(pooled):
        raise bad(_WHO, f"shape {whole} has {len(whole)} dimensions, y has {len(pooled)}", "give every dimension")
    for axis, (want, have) in enumerate(zip(whole, pooled, strict=True)):
        if axis not in axes and want != have:
            raise bad(
                _WHO,
                f"shape {whole} changes axis {axis} from {have} to {want}, which is not pooled",
                "keep its length",
            )
    return whole
