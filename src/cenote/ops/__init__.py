"""The public functions, and what stands between them and a provider."""

from ..native import empty_cache, get_cache_limit, get_num_threads, set_cache_limit, set_num_threads
from .explain import Explanation, explain
from .info import Info, info
from .pooling import functions
from .request import Request
from .shape import output_shape
from .unpool import max_unpool
from .vjp import Pullback, vjp

__all__ = [
    "Explanation",
    "Info",
    "Pullback",
    "Request",
    "empty_cache",
    "explain",
    "functions",
    "get_cache_limit",
    "get_num_threads",
    "info",
    "max_unpool",
    "output_shape",
    "set_cache_limit",
    "set_num_threads",
    "vjp",
]
