"""Reading and writing .npy files: never a pickle, and a damaged file is recognised before anything is allocated."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any, Final

from numpy.lib import format as npy
from numpy.typing import NDArray

from cenote.explorer.reading import Header, Picture, Source, arrays

from .errors import of_a_file

SUFFIX: Final = ".npy"


def header(path: Path) -> Header:
    """Shape and dtype of a .npy file, checked against its length."""
    with of_a_file():
        return arrays.header(Source.of(path))


def read(path: Path) -> Picture:
    """Read a .npy file."""
    with of_a_file():
        return arrays.read(Source.of(path))


class _Sink:
    """A file that NumPy does not know as one, so that it writes through ``write`` and a full disk keeps its errno."""

    def __init__(self, file: IO[bytes]) -> None:
        self.write = file.write


def write(file: IO[bytes], array: NDArray[Any]) -> None:
    """Write ``array`` in the .npy format."""
    npy.write_array(_Sink(file), array, allow_pickle=False)
