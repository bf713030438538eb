"""cenote: pooling for convolutional networks, by one written contract.

>>> import cenote
>>> import numpy as np
>>> cenote.max_pool(np.array([[1, 9, 2, 8], [3, 4, 5, 7], [6, 0, 1, 2], [3, 5, 5, 4]]), 2)
array([[9, 8],
       [6, 5]])
"""

from typing import Any as _Any

from . import ops as _ops
from .errors import CenoteError, CenoteIndexError, CenoteMemoryError, CenoteTypeError
from .geometry import Slide, Spans, Split, Window
from .native import build as _build
from .ops import (
    empty_cache,
    explain,
    get_cache_limit,
    get_num_threads,
    info,
    max_unpool,
    output_shape,
    set_cache_limit,
    set_num_threads,
    vjp,
)

_functions = _ops.functions()
globals().update(_functions)

__version__ = _build().version

__all__ = [
    *_functions,
    "CenoteError",
    "CenoteIndexError",
    "CenoteMemoryError",
    "CenoteTypeError",
    "Slide",
    "Spans",
    "Split",
    "Window",
    "__version__",
    "empty_cache",
    "explain",
    "explore",
    "get_cache_limit",
    "get_num_threads",
    "info",
    "max_unpool",
    "output_shape",
    "set_cache_limit",
    "set_num_threads",
    "vjp",
]


def __getattr__(name: str) -> _Any:
    """The explorer is read when it is asked for: who only pools does not wait for a page."""
    if name == "explore":
        from .explorer import explore

        globals()["explore"] = explore
        return explore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
