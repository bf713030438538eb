"""The public functions, and what stands between them and a provider."""

from ..native import get_num_threads, set_num_threads
from .explain import Explanation, explain
from .info import Info, info
from .pooling import functions
from .shape import output_shape
from .unpool import max_unpool
from .vjp import Pullback, vjp

__all__ = [
    "Explanation",
    "Info",
    "Pullback",
    "explain",
    "functions",
    "get_num_threads",
    "info",
    "max_unpool",
    "output_shape",
    "set_num_threads",
    "vjp",
]
