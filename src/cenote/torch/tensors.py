"""Tensors as arrays and back, over the same memory."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cenote.catalogue.dtypes import KINDS
from cenote.errors import bad_type

Array = NDArray[Any]

_KNOWN: Final[dict[torch.dtype, np.dtype[Any]]] = {}


DTYPES: Final = frozenset(
    getattr(torch, name)
    for kind in KINDS.values()
    for name in kind
    if isinstance(getattr(torch, name, None), torch.dtype)
)


def channels_last(x: Tensor, rank: int) -> bool:
    """Does the memory of a batch (N, C and ``rank`` more axes) have the channels last? Then a result has, too.

    >>> x = torch.zeros(2, 3, 4, 5)
    >>> channels_last(x, 2), channels_last(x.to(memory_format=torch.channels_last), 2)
    (False, True)
    """
    if x.ndim != rank + 2 or rank < 2:
        return False
    strides = x.stride()
    if strides[1] > strides[-1]:
        return False
    reach = 0  # from the channels outwards no axis may lie within the one before
    for axis in (1, *range(rank + 1, 1, -1)):
        stride = strides[axis]
        if stride < reach or stride == 0:
            return False
        reach = stride * x.shape[axis]
    # where every axis has one cell both orders would do: then it is the usual one
    return strides[0] >= reach and (reach > strides[1] or strides[0] > strides[1])


def as_array(x: Tensor, last: bool) -> Array:
    """The tensor's own memory; with ``last`` axis 1 has gone to the end."""
    if x.requires_grad:
        x = x.detach()
    try:
        array: Array = x.numpy()
    except (TypeError, RuntimeError):  # seldom: asking first would cost every call
        array = _unusual(x)
    return np.moveaxis(array, 1, -1) if last else array


def _unusual(x: Tensor) -> Array:
    """What ``numpy()`` refuses although it has memory, and its error for the rest."""
    if x.dtype is torch.bfloat16:
        array: Array = x.view(torch.int16).numpy().view(bfloat16())
        return array
    return x.resolve_conj().resolve_neg().numpy()


def as_tensor(array: Array, last: bool) -> Tensor:
    """The array's own memory; with ``last`` the last axis becomes axis 1."""
    if last:
        array = array.transpose(_back(array.ndim))
    try:
        return torch.from_numpy(array)
    except TypeError:  # bfloat16, which is ml_dtypes' and no dtype of NumPy's own
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)


def _back(ndim: int) -> tuple[int, ...]:
    return (0, ndim - 1, *range(1, ndim - 1))


def bfloat16() -> np.dtype[Any]:
    """NumPy's name for it, which ml_dtypes knows."""
    try:
        import ml_dtypes
    except ImportError:
        raise bad_type(
            "cenote.torch",
            "bfloat16 tensors need the package ml_dtypes, which is not installed",
            "pip install ml_dtypes",
        ) from None
    return np.dtype(ml_dtypes.bfloat16)


def numpy_dtype(who: str, dtype: torch.dtype) -> np.dtype[Any]:
    """The dtype of NumPy that has the same values."""
    found = _KNOWN.get(dtype)
    if found is None:
        found = _KNOWN[dtype] = _numpy_dtype(who, dtype)
    return found


def _numpy_dtype(who: str, dtype: torch.dtype) -> np.dtype[Any]:
    name = str(dtype).removeprefix("torch.")
    if name == "bfloat16":
        return bfloat16()
    try:
        return np.dtype(name)
    except TypeError:
        raise bad_type(who, f"dtype {dtype} cannot be pooled", "use a float, an integer or bool") from None


def torch_dtype(dtype: np.dtype[Any]) -> torch.dtype:
    """The same dtype in PyTorch."""
    found = getattr(torch, dtype.name)
    assert isinstance(found, torch.dtype)
    return found
