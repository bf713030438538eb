"""Reading images: what a file holds, and its pixels as an array with one value type and no surprises."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from .errors import Failure, reason

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


@dataclass(frozen=True, slots=True)
class Header:
    """What a file holds, known without reading its values."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    mode: str | None
    """Pillow's name for the channels ("RGB", "L", ...); None for an array."""
    notes: tuple[str, ...] = ()

    @property
    def pixels(self) -> int:
        """Height times width of an image, the number of values of an array."""
        lengths = self.shape if self.mode is None else self.shape[:2]
        return int(np.prod(lengths, dtype=object))


@dataclass(frozen=True, slots=True)
class Picture:
    """A file's values."""

    header: Header
    array: NDArray[Any]
    icc: bytes | None = None
    """The colour profile, kept so that the pooled picture looks like its original."""


def header(path: Path, max_pixels: int) -> Header:
    """Read the header of an image file."""
    with _guard(path, max_pixels), Image.open(path, formats=FORMATS) as image:
        return _header(path, image)


def read(path: Path, max_pixels: int) -> Picture:
    """Read an image file: orientation applied, palette and bits resolved, value type kept."""
    with _guard(path, max_pixels), Image.open(path, formats=FORMATS) as image:
        found = _header(path, image)
        image.load()
        if _orientation(image) not in (1, None):  # TIFF files are turned by load() already
            ImageOps.exif_transpose(image, in_place=True)
        icc = image.info.get("icc_profile")
        mode = found.mode
        plain = image if mode is None or mode == image.mode or found.dtype != np.uint8 else image.convert(mode)
        # Pillow holds 16-bit signed and 32-bit unsigned values as int32: the same bits, whole again after the cast.
        array = np.asarray(plain).astype(found.dtype, copy=False)
    if array.shape != found.shape:
        raise Failure(
            f"{path}: the header promises shape {found.shape}, the pixels have {array.shape}; repair the file"
        )
    return Picture(found, array, icc if isinstance(icc, bytes) else None)


def _header(path: Path, image: Image.Image) -> Header:
    notes: list[str] = []
    if image.format == "MPO":
        # Phones store previews and depth maps behind the photograph; any JPEG reader shows the first picture.
        notes.append(
            f"{path}: holds {getattr(image, 'n_frames', 2)} pictures; the first, which viewers show, is pooled"
        )
    elif getattr(image, "n_frames", 1) > 1:
        kind = "pages" if image.format == "TIFF" else "frames"
        raise Failure(
            f"{path}: has {getattr(image, 'n_frames', 2)} {kind}, one is pooled at a time; save each as its own file"
        )
    mode, dtype = _plain(path, image)
    width, height = image.size
    if image.format == "TIFF":  # Pillow versions differ in whether .size is turned before the pixels are read
        tags: Any = getattr(image, "tag_v2", {})
        width, height = int(tags.get(256, width)), int(tags.get(257, height))
    if (orientation := _orientation(image)) is None:
        notes.append(f"{path}: the EXIF block cannot be read; the picture is taken as it lies")
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


def _plain(path: Path, image: Image.Image) -> tuple[str, np.dtype[Any]]:
    """The mode to pool in and its value type; refuses what Pillow would narrow without a word."""
    bits, is_signed = _depth(path, image)
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
        raise Failure(f"{path}: images of mode {image.mode} are not read; save it as RGB or as .npy")
    if _DTYPES[mode] == "uint8" and bits > 8:
        raise Failure(
            f"{path}: {bits} bits in each of several channels would be cut to 8; save one channel per file or use .npy"
        )
    return mode, np.dtype(_DTYPES[mode])


def _depth(path: Path, image: Image.Image) -> tuple[int, bool]:
    """Bits per channel as stored, and whether they are signed; Pillow's mode alone does not tell."""
    if image.format == "PNG":
        with path.open("rb") as file:
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
def _guard(path: Path, max_pixels: int) -> Iterator[None]:
    """Turn whatever Pillow and its decoders raise into one line about the file."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata is no reason to speak up
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (Failure, KeyboardInterrupt):
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise Failure(
            f"{path}: has more than {max_pixels:,} pixels, which may be a decompression bomb; "
            "if you trust the file, raise --max-pixels"
        ) from None
    except UnidentifiedImageError:
        raise Failure(_unknown(path)) from None
    except MemoryError:
        raise Failure(f"{path}: does not fit into memory; pool a smaller image") from None
    except OSError as error:
        if error.errno is not None:
            raise Failure(f"{path}: {reason(error)}; check the path") from None
        raise Failure(_broken(path, error)) from None
    except Exception as error:  # decoders raise whatever they come across: SyntaxError, struct.error, ValueError...
        raise Failure(_broken(path, error)) from None
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _broken(path: Path, error: Exception) -> str:
    said = " ".join(str(error).split()) or type(error).__name__
    return f"{path}: cannot be read ({said}); the file is damaged or cut short, get it anew"


def _unknown(path: Path) -> str:
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        return f"{path}: {reason(error)}; check the path"
    if not start:
        return f"{path}: is empty; get the file anew"
    if start in _TIFF_MAGIC:
        return (
            f"{path}: is a TIFF of a kind that cannot be read here (several 16-bit or float channels, float64, "
            "or a damaged file); save one channel per file or use .npy"
        )
    return f"{path}: is no readable PNG, JPEG, TIFF or WebP; convert it to one of these or to .npy"
