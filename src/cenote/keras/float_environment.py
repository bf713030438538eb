"""The arithmetic of the thread, for as long as a kernel runs in it.

TensorFlow's threads treat numbers below the smallest normal one as zero. The contract does not, and kernels with
threads of their own would mix the two. C's ``fesetenv`` gives a thread the usual arithmetic; where the C library lacks
it, the thread stays as it is.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


@cache
def _functions() -> tuple[Any, Any, Any] | None:
    library = ctypes.CDLL(None)
    try:
        get, put = library.fegetenv, library.fesetenv
    except AttributeError:
        return None
    try:
        usual: Any = ctypes.byref(ctypes.c_char.in_dll(library, "_FE_DFL_ENV"))  # macOS
    except ValueError:
        usual = ctypes.c_void_p(-1)  # glibc and musl: FE_DFL_ENV
    return get, put, usual


@contextmanager
def usual() -> Iterator[None]:
    """Denormal numbers count within this block."""
    functions = _functions()
    if functions is None:
        yield
        return
    get, put, wanted = functions
    before = ctypes.create_string_buffer(256)  # a fenv_t has 32 bytes on x86-64, 8 or 16 on AArch64
    get(before)
    put(wanted)
    try:
        yield
    finally:
        put(before)
