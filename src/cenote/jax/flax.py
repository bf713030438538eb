"""Flax's pooling functions: ``flax.linen.max_pool`` and the like, by Flax's own names, argument order and defaults.

>>> import jax.numpy as jnp
>>> from cenote.jax import flax as nn
>>> nn.avg_pool(jnp.ones((8, 28, 28, 3)), (2, 2), strides=(2, 2)).shape
(8, 14, 14, 3)

Arrays are ``(batch, ..., windows, ..., features)``: any number of axes in front, features last. Strides left out are 1.
Every operator of the catalogue has its function here; those that Flax lacks are spelt like ``reduce_window``. Keywords
that Flax does not have come last: ``window_dilation``, and the operator's own (``divisor`` of an average, where it is
given, decides instead of ``count_include_pad``).
"""

from .flax_functions import functions as _make

_functions = _make()
globals().update(_functions)

__all__ = list(_functions)
