"""Reading images: what a file holds, and its pixels as an array with one value type and no surprises."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from cenote.errors import reason

from .source import Header, Picture, Source, Unreadable

FORMATS: Final = ("PNG", "JPEG", "TIFF", "WEBP")
MAX_PIXELS: Final = 89_478_485
"""Pillow's own limit: a quarter of a gigabyte as RGB."""

_ORIENTATION: Final = 0x0112
_TIFF_MAGIC: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# What every Pillow mode becomes before pooling: codes that are no quantities (palette indices, single bits) and
# values that only mean something together (premultiplied alpha, YCbCr) are resolved first.
_PLAIN: Final = {
    "1": "L",
    "PA": "RGBA",
    "La": "LA",
    "RGBa": "RGBA",
    "RGBX": "RGB",
    "YCbCr": "RGB",
    "HSV": "RGB",
}
_DTYPES: Final = {
    "L": "uint8",
    "LA": "uint8",
    "RGB": "uint8",
    "RGBA": "uint8",
    "CMYK": "uint8",
    "I;16": "uint16",
    "I;16L": "uint16",
    "I;16B": "uint16",
    "F": "float32",
}
_CHANNELS: Final = {"LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}


def header(source: Source, max_pixels: int = MAX_PIXELS, *, larger: str = "scale it down first") -> Header:
    """Read the header of an image file; ``larger`` is the way out for one of more pixels than that."""
    with _guard(source, max_pixels, larger), source.open() as file, Image.open(file, formats=FORMATS) as image:
        _check_size(image, max_pixels)
        return _header(source, image)


def read(source: Source, max_pixels: int = MAX_PIXELS, *, larger: str = "scale it down first") -> Picture:
    """Read an image file: orientation applied, palette and bits resolved, value type kept."""
    with _guard(source, max_pixels, larger), source.open() as file, Image.open(file, formats=FORMATS) as image:
        _check_size(image, max_pixels)
        found = _header(source, image)
        image.load()
        if _orientation(image) not in (1, None):  # TIFF files are turned by load() already
            ImageOps.exif_transpose(image, in_place=True)
        icc = image.info.get("icc_profile")
        mode = found.mode
        plain = image if mode is None or mode == image.mode or found.dtype != np.uint8 else image.convert(mode)
        # Pillow holds 16-bit signed and 32-bit unsigned values as int32: the same bits, whole again after the cast.
        array = np.asarray(plain).astype(found.dtype, copy=False)
    if array.shape != found.shape:
        raise source.error(f"the header promises shape {found.shape}, the pixels have {array.shape}", "repair the file")
    return Picture(found, array, icc if isinstance(icc, bytes) else None)


@contextmanager
def limited(max_pixels: int) -> Iterator[None]:
    """Lets Pillow read so many pixels and no more, and say nothing of odd metadata.

    Its limit and the filters of warnings belong to the whole process: this is for a program with one thread. Without
    it the limit of ``read`` holds below Pillow's own.
    """
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata is no reason to speak up
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


class _TooLarge(Exception):
    """More pixels than are allowed."""


def _check_size(image: Image.Image, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise _TooLarge


def _header(source: Source, image: Image.Image) -> Header:
    notes: list[str] = []
    if image.format == "MPO":
        # Phones store previews and depth maps behind the photograph; any JPEG reader shows the first picture.
        notes.append(
            f"{source.name}: holds {getattr(image, 'n_frames', 2)} pictures; the first, which viewers show, is pooled"
        )
    elif getattr(image, "n_frames", 1) > 1:
        kind = "pages" if image.format == "TIFF" else "frames"
        problem = f"has {getattr(image, 'n_frames', 2)} {kind}, one is pooled at a time"
        raise source.error(problem, "save each as its own file")
    mode, dtype = _plain(source, image)
    width, height = image.size
    if image.format == "TIFF":  # Pillow versions differ in whether .size is turned before the pixels are read
        tags: Any = getattr(image, "tag_v2", {})
        width, height = int(tags.get(256, width)), int(tags.get(257, height))
    if (orientation := _orientation(image)) is None:
        notes.append(f"{source.name}: the EXIF block cannot be read; the picture is taken as it lies")
    elif orientation >= 5:
        width, height = height, width
    channels = (_CHANNELS[mode],) if mode in _CHANNELS else ()
    return Header((height, width, *channels), dtype, mode, tuple(notes))


def _orientation(image: Image.Image) -> int | None:
    """EXIF orientation, 1 to 8; None where the block is damaged, which is no reason to refuse the picture."""
    if image.format == "PNG":
        image.load()  # EXIF may stand behind the pixels, and damaged pixels must not pass for a damaged EXIF block
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # the parser raises whatever it comes across
        return None
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _plain(source: Source, image: Image.Image) -> tuple[str, np.dtype[Any]]:
    """The mode to pool in and its value type; refuses what Pillow would narrow without a word."""
    bits, is_signed = _depth(source, image)
    mode = image.mode
    if mode == "P":
        mode = "RGBA" if image.has_transparency_data else "RGB"
    mode = _PLAIN.get(mode, mode)
    if "transparency" in image.info and mode in ("L", "RGB"):
        mode += "A"
    if mode == "I":
        name = {(16, True): "int16", (16, False): "uint16", (32, False): "uint32"}.get((bits, is_signed), "int32")
        return mode, np.dtype(name)
    if mode not in _DTYPES:
        raise source.error(f"images of mode {image.mode} are not read", "save it as RGB or as .npy")
    if _DTYPES[mode] == "uint8" and bits > 8:
        problem = f"{bits} bits in each of several channels would be cut to 8"
        raise source.error(problem, "save one channel per file or use .npy")
    return mode, np.dtype(_DTYPES[mode])


def _depth(source: Source, image: Image.Image) -> tuple[int, bool]:
    """Bits per channel as stored, and whether they are signed; Pillow's mode alone does not tell."""
    if image.format == "PNG":
        with source.open() as file:
            start = file.read(26)
        return (start[24] if len(start) == 26 else 8), False
    if image.format == "TIFF":
        tags: Any = getattr(image, "tag_v2", {})
        bits, kind = tags.get(258, (1,)), tags.get(339, (1,))
        bits = bits if isinstance(bits, tuple) else (bits,)
        kind = kind if isinstance(kind, tuple) else (kind,)
        return int(max(bits)), int(kind[0]) == 2
    return 8, False


@contextmanager
def _guard(source: Source, max_pixels: int, larger: str) -> Iterator[None]:
    """Turn whatever Pillow and its decoders raise into one line about the file."""
    try:
        yield
    except Unreadable:
        raise
    except (_TooLarge, Image.DecompressionBombWarning, Image.DecompressionBombError):
        problem = f"has more than {max_pixels:,} pixels, which may be a decompression bomb"
        raise source.error(problem, larger) from None
    except UnidentifiedImageError:
        raise _unknown(source) from None
    except MemoryError:
        raise source.error("does not fit into memory", "pool a smaller image") from None
    except OSError as error:
        if error.errno is not None:
            raise source.error(reason(error), "check the path") from None
        raise _broken(source, error) from None
    except Exception as error:  # decoders raise whatever they come across: SyntaxError, struct.error, ValueError...
        raise _broken(source, error) from None


def _broken(source: Source, error: Exception) -> Unreadable:
    said = " ".join(str(error).split()) or type(error).__name__
    return source.error(f"cannot be read ({said})", "the file is damaged or cut short, get it anew")


def _unknown(source: Source) -> Unreadable:
    try:
        with source.open() as file:
            start = file.read(4)
    except OSError as error:
        return source.error(reason(error), "check the path")
    if not start:
        return source.error("is empty", "get the file anew")
    if start in _TIFF_MAGIC:
        kinds = "several 16-bit or float channels, float64, or a damaged file"
        problem = f"is a TIFF of a kind that cannot be read here ({kinds})"
        return source.unknown(problem, "save one channel per file or use .npy")
    return source.unknown("is no readable PNG, JPEG, TIFF or WebP", "convert it to one of these or to .npy")
