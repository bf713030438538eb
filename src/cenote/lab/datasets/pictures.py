"""One picture of a folder: whatever a camera or a program saved, as grey or RGB pixels."""

from __future__ import annotations

import logging
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .errors import DataError, missing, refused, unreadable

MAX_PIXELS: Final = 89_478_485
"""Pillow's own limit: a quarter of a gigabyte as RGB."""

_FORMATS: Final = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "PPM")
_ORIENTATION: Final = 0x0112
_GREY: Final = ("1", "L", "LA", "La")
_GREY_16: Final = ("I;16", "I;16L", "I;16B")
_LARGEST_16: Final = 65535

# Where a program has no handler of its own, what Pillow logs of damaged files would go to stderr beside the error.
logging.getLogger("PIL").addHandler(logging.NullHandler())


@cache
def suffixes() -> frozenset[str]:
    """What the names of images end in, in lower case: every suffix that Pillow knows for the formats read here."""
    Image = _pillow()
    return frozenset(end for end, kind in Image.registered_extensions().items() if kind in _FORMATS)


def read(path: Path) -> NDArray[Any]:
    """Height x width x channels, 1 for a grey picture and 3 for RGB; uint8, or uint16 for a grey one of 16 bits.

    EXIF orientation is applied and transparency is laid over white, as a viewer shows the picture. Its mode decides
    what is grey, not its colours. Raises ``DataError``: no image, damaged, of several frames, above ``MAX_PIXELS``.
    """
    Image = _pillow()
    # Opened here, not by name: what Pillow maps into memory by name, grey TIFFs without compression, comes out
    # scrambled where EXIF turns it on its side.
    with _guard(path), _regular(path).open("rb") as file, Image.open(file, formats=_FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:  # Pillow's own limit may have been lifted
            raise _too_many(path)
        if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:  # MPO: a photograph and its previews
            raise unreadable(path, "has several frames or pages, expected one picture", "save each as its own file")
        image.load()
        try:
            orientation = image.getexif().get(_ORIENTATION, 1)  # TIFF is turned by load() already, and has none
        except Exception:  # a damaged EXIF block is no reason to refuse the picture; the parser raises anything
            orientation = 1
        return _upright(_plain(path, image), orientation)


def _upright(pixels: NDArray[Any], orientation: object) -> NDArray[Any]:
    """As a viewer shows it, by the table of EXIF; Pillow's own way writes all EXIF anew and fails if it is damaged."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels[:, ::-1] if orientation in (2, 3, 6, 7) else pixels


def _regular(path: Path) -> Path:
    if not stat.S_ISREG(path.stat().st_mode):  # a pipe would wait for ever
        raise unreadable(path, "is no file, expected an image", "check the path")
    return path


def _plain(path: Path, image: Any) -> NDArray[Any]:
    # As "I": a PNG's 16 bits in older Pillows, and a PGM's in all of them, brought to this range whatever its own is.
    if image.mode in _GREY_16 or (image.mode == "I" and image.format in ("PNG", "PPM")):
        wide: NDArray[Any] = np.clip(np.asarray(image), 0, _LARGEST_16).astype(np.uint16)
        return wide[:, :, None]
    if image.mode in ("I", "F"):
        raise unreadable(path, f"has values without a known largest (mode {image.mode})", "save it with 8 or 16 bits")
    mode = "L" if image.mode in _GREY else "RGB"
    try:
        if image.has_transparency_data:
            image = _over_white(image)
        plain = np.asarray(image.convert(mode))
    except ValueError:
        raise unreadable(path, f"is of mode {image.mode}, expected grey or colours", "save it as RGB") from None
    return plain[:, :, None] if mode == "L" else plain


def _over_white(image: Any) -> Any:
    Image = _pillow()
    # Premultiplied alpha leads to RGBA by way of its plain form alone.
    above = image.convert("LA" if image.mode == "La" else "RGBA").convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", above.size, "white"), above)


@contextmanager
def _guard(path: Path) -> Iterator[None]:
    """Turn whatever Pillow and its decoders raise into one line about the file."""
    Image = _pillow()
    from PIL import UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata is no reason to speak up; a large size is checked for here
            yield
    except (DataError, KeyboardInterrupt):
        raise
    except Image.DecompressionBombError:
        raise _too_many(path) from None
    except UnidentifiedImageError:
        raise unreadable(path, f"is no readable image, expected {', '.join(_FORMATS)}", "repair or remove it") from None
    except MemoryError:
        raise unreadable(path, "does not fit into memory", "give a smaller image") from None
    except OSError as error:
        raise (_broken(path, error) if error.errno is None else refused(path, error)) from None
    except Exception as error:  # decoders raise whatever they come across: SyntaxError, struct.error, ValueError...
        raise _broken(path, error) from None


def _broken(path: Path, error: Exception) -> DataError:
    said = " ".join(str(error).split()) or type(error).__name__
    return unreadable(path, f"is a damaged image ({said})", "repair or remove it")


def _too_many(path: Path) -> DataError:
    return unreadable(
        path, f"has more than {MAX_PIXELS:,} pixels, which may be a decompression bomb", "give a smaller image"
    )


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise missing("reading images", "Pillow", error) from error
    return Image
