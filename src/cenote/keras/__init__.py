"""cenote for Keras: pooling layers with Keras's own names and arguments, by one written contract."""

from __future__ import annotations

try:
    import keras as _keras  # noqa: F401
except ImportError as error:
    raise ImportError("cenote.keras needs Keras 3.5 or newer and a backend of it: pip install keras") from error

from .convert import Report, convert, restore
from .explain import Explanation, explain
from .layers import ALIASES as _ALIASES
from .layers import LAYERS as _LAYERS

globals().update(_LAYERS)
globals().update(_ALIASES)

__all__ = [*_LAYERS, *_ALIASES, "Explanation", "Report", "convert", "explain", "restore"]
