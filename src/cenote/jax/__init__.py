"""Pooling inside JAX: the functions of cenote, by the same names and with the same arguments, for arrays of JAX's.

>>> import jax.numpy as jnp
>>> import cenote.jax
>>> x = jnp.array([[1.0, 9, 2, 8], [3, 4, 5, 7], [6, 0, 1, 2], [3, 5, 5, 4]])
>>> print(cenote.jax.max_pool(x, 2))
[[9. 8.]
 [6. 5.]]

They may be compiled, differentiated (forward, backward, as often as you like), vectorised and spread over devices.
Numbers are those of the NumPy functions, bit for bit. ``cenote.jax.flax`` has Flax's signatures.
"""

from . import ready as _ready

_ready.load()

from . import flax  # noqa: E402  # below: these need JAX and the handlers
from .explain import explain  # noqa: E402
from .functions import functions as _make  # noqa: E402

_functions = _make()
globals().update(_functions)

__all__ = [*_functions, "explain", "flax"]
