"""Reading image files, as the command line says what is wrong with one."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cenote.explorer.reading import Header, Picture, Source, images

from .errors import of_a_file

MAX_PIXELS: Final = images.MAX_PIXELS

_LARGER: Final = "if you trust the file, raise --max-pixels"


def header(path: Path, max_pixels: int) -> Header:
    """Read the header of an image file."""
    with of_a_file(), images.limited(max_pixels):
        return images.header(Source.of(path), max_pixels, larger=_LARGER)


def read(path: Path, max_pixels: int) -> Picture:
    """Read an image file: orientation applied, palette and bits resolved, value type kept."""
    with of_a_file(), images.limited(max_pixels):
        return images.read(Source.of(path), max_pixels, larger=_LARGER)
