"""The thin door to the compiled kernels: pointers and tables in, results out, or a reason why not."""

from .provider import NATIVE, build, target
from .threads import get_num_threads, set_num_threads

__all__ = ["NATIVE", "build", "get_num_threads", "set_num_threads", "target"]
