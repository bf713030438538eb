"""Reading .npy files: never a pickle, and a damaged file is recognised before anything is allocated."""

from __future__ import annotations

from typing import IO, Any, Final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from cenote.errors import reason

from .source import Header, Picture, Source

MAGIC: Final = npy.MAGIC_PREFIX


def header(source: Source) -> Header:
    """Shape and dtype of a .npy file, checked against its length."""
    try:
        with source.open() as file:
            shape, _, dtype = _read_header(source, file)
            here = source.length() - file.tell()
    except OSError as error:
        raise source.error(reason(error), "check the path") from None
    if dtype.hasobject:
        raise source.error("holds Python objects, which are never loaded", "save it with a numeric dtype")
    needed = dtype.itemsize
    for length in shape:
        needed *= int(length)
    if here < needed:
        raise source.error(
            f"is cut short: shape {shape} of {dtype} takes {needed:,} bytes and {here:,} are there", "get it anew"
        )
    return Header(tuple(int(length) for length in shape), dtype.newbyteorder("="), None)


def _read_header(source: Source, file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = npy.read_magic(file)
        reader = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, order, dtype = reader(file)
        if not all(type(length) is int and length >= 0 for length in shape):
            raise ValueError(f"its header says shape {shape}")
        return shape, order, dtype
    except ValueError as error:
        raise source.error(f"is no .npy file ({' '.join(str(error).split())})", "write it with numpy.save") from None


def read(source: Source) -> Picture:
    """Read a .npy file."""
    found = header(source)
    try:
        with source.open() as file:
            array: NDArray[Any] = np.load(file, allow_pickle=False)
    except OSError as error:
        raise source.error(reason(error), "check the path") from None
    except ValueError as error:
        raise source.error(f"cannot be read ({' '.join(str(error).split())})", "get it anew") from None
    except MemoryError:
        raise source.error("does not fit into memory", "pool it in parts") from None
    return Picture(found, array.astype(found.dtype, copy=False))  # a file may be in the other byte order
