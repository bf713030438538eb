"""The thin door to the compiled kernels: pointers and tables in, results out, or a reason why not."""

from .memory import empty_cache, get_cache_limit, new_array, set_cache_limit
from .provider import NATIVE, Door, build, target
from .threads import get_num_threads, limited, set_num_threads

__all__ = [
    "NATIVE",
    "Door",
    "build",
    "empty_cache",
    "get_cache_limit",
    "get_num_threads",
    "limited",
    "new_array",
    "set_cache_limit",
    "set_num_threads",
    "target",
]
