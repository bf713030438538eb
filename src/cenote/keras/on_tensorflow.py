"""Keras on TensorFlow: its own kernels where they compute what the contract says, else a call of Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from ..ops.request import Request
from . import tensorflow_host, tensorflow_kernels
from .tensorflow_kernels import refusal

__all__ = ["pool", "refusal"]


def pool(request: Request, x: Any) -> Any:
    """The pooled tensor, or values and indices where the request asks for them; differentiable."""
    x = tf.convert_to_tensor(x)
    shape: Sequence[int | None] = x.shape.as_list()
    dtype = x.dtype.name
    if None not in shape:  # what is wrong is said here, in the words of the contract
        request.call(tuple(n or 0 for n in shape), tensorflow_host.numpy_dtype(x.dtype))
    if refusal(request, dtype, shape) is None:
        return tensorflow_kernels.pool(request, x)
    return tensorflow_host.pool(request, x)
