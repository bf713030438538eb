"""Reading and writing .npy files: never a pickle, and a damaged file is recognised before anything is allocated."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from .errors import Failure, reason
from .images import Header, Picture

SUFFIX: Final = ".npy"


def header(path: Path) -> Header:
    """Shape and dtype of a .npy file, checked against its length."""
    try:
        with path.open("rb") as file:
            shape, _, dtype = _read_header(path, file)
            here = path.stat().st_size - file.tell()
    except OSError as error:
        raise Failure(f"{path}: {reason(error)}; check the path") from None
    if dtype.hasobject:
        raise Failure(f"{path}: holds Python objects, which are never loaded; save it with a numeric dtype")
    needed = dtype.itemsize
    for length in shape:
        needed *= int(length)
    if here < needed:
        raise Failure(
            f"{path}: is cut short: shape {shape} of {dtype} takes {needed:,} bytes and {here:,} are there; get it anew"
        )
    return Header(tuple(int(length) for length in shape), dtype.newbyteorder("="), None)


def _read_header(path: Path, file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = npy.read_magic(file)
        reader = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, order, dtype = reader(file)
        if not all(type(length) is int and length >= 0 for length in shape):
            raise ValueError(f"its header says shape {shape}")
        return shape, order, dtype
    except ValueError as error:
        raise Failure(f"{path}: is no .npy file ({' '.join(str(error).split())}); write it with numpy.save") from None


def read(path: Path) -> Picture:
    """Read a .npy file."""
    found = header(path)
    try:
        array: NDArray[Any] = np.load(path, allow_pickle=False)
    except OSError as error:
        raise Failure(f"{path}: {reason(error)}; check the path") from None
    except ValueError as error:
        raise Failure(f"{path}: cannot be read ({' '.join(str(error).split())}); get it anew") from None
    except MemoryError:
        raise Failure(f"{path}: does not fit into memory; pool it in parts") from None
    return Picture(found, array.astype(found.dtype, copy=False))  # a file may be in the other byte order


class _Sink:
    """A file that NumPy does not know as one, so that it writes through ``write`` and a full disk keeps its errno."""

    def __init__(self, file: IO[bytes]) -> None:
        self.write = file.write


def write(file: IO[bytes], array: NDArray[Any]) -> None:
    """Write ``array`` in the .npy format."""
    npy.write_array(_Sink(file), array, allow_pickle=False)
