"""What each kind of file can hold, said before any work is done, and writing it."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from . import arrays
from .errors import Usage


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that can be written: the (dtype, channels) it holds, and its longest side."""

    title: str
    format: str
    holds: frozenset[tuple[str, str]]
    longest: int
    options: Callable[[], dict[str, Any]] = dict


def _held(text: str) -> frozenset[tuple[str, str]]:
    return frozenset(
        (dtype, mode) for dtype, _, modes in (e.partition(":") for e in text.split()) for mode in modes.split(",")
    )


_PNG: Final = Kind("PNG", "PNG", _held("uint8:L,LA,RGB,RGBA uint16:L"), 2**31 - 1)
# Nearly lossless where the format allows it: what is written are results, not snapshots.
_JPEG: Final = Kind("JPEG", "JPEG", _held("uint8:L,RGB,CMYK"), 65_500, lambda: {"quality": 95, "subsampling": 0})
_TIFF: Final = Kind("TIFF", "TIFF", _held("uint8:L,LA,RGB,RGBA,CMYK uint16:L int16:L int32:L float32:L"), 2**31 - 1)
_WEBP: Final = Kind("WebP", "WEBP", _held("uint8:L,LA,RGB,RGBA"), 16_383, lambda: {"lossless": True, "exact": True})

KINDS: Final = {".png": _PNG, ".jpg": _JPEG, ".jpeg": _JPEG, ".tif": _TIFF, ".tiff": _TIFF, ".webp": _WEBP}
SUFFIXES: Final = (*KINDS, arrays.SUFFIX)

_BY_CHANNELS: Final = {2: "LA", 3: "RGB", 4: "RGBA"}
_TITLES: Final = {"L": "gray", "LA": "gray with alpha", "RGB": "RGB", "RGBA": "RGB with alpha", "CMYK": "CMYK"}
_SAMPLE_FORMAT: Final = 339


def check_suffix(name: str, suffix: str) -> None:
    """The output's name must end in a kind that is written."""
    if suffix.lower() not in SUFFIXES:
        ending = f"ends in {suffix!r}" if suffix else "has no ending"
        raise Usage(f"{name}: {ending}; write {', '.join(SUFFIXES)}")


def check_holds(name: str, suffix: str, shape: tuple[int, ...], dtype: np.dtype[Any], mode: str | None) -> None:
    """Refuse a result that a file of this kind cannot hold as it is: nothing is rounded or dropped silently."""
    if suffix.lower() == arrays.SUFFIX:
        if dtype.kind == "V":  # bfloat16 would come back as two raw bytes
            raise Usage(f"{name}: a .npy file cannot say {dtype.name}; ask for --dtype float32")
        return
    kind = KINDS[suffix.lower()]
    channels = channels_of(shape, mode)
    if channels is None:
        raise Usage(f"{name}: a {kind.title} holds H x W or H x W x 2 to 4, the result is {_by(shape)}; write .npy")
    if (dtype.name, channels) not in kind.holds:
        raise Usage(
            f"{name}: a {kind.title} cannot hold {dtype.name} {_TITLES[channels]}; write {_way_out(dtype, channels)}"
        )
    side = max(shape[:2])
    if side > kind.longest:
        raise Usage(
            f"{name}: a {kind.title} has at most {kind.longest:,} pixels a side, not {_by(shape)}; "
            f"write {_way_out(dtype, channels, side)}"
        )


def channels_of(shape: tuple[int, ...], mode: str | None) -> str | None:
    """Pillow's name for the channels of a result, or None if no image has such a shape."""
    if mode == "CMYK":
        return mode
    if len(shape) == 2 or (len(shape) == 3 and shape[2] == 1):
        return "L"
    return _BY_CHANNELS.get(shape[2]) if len(shape) == 3 else None


def _way_out(dtype: np.dtype[Any], channels: str, side: int = 1) -> str:
    """The endings under which the result can be written."""
    able = {
        kind.title: suffix
        for suffix, kind in KINDS.items()
        if (dtype.name, channels) in kind.holds and side <= kind.longest
    }
    return " or ".join([*able.values(), arrays.SUFFIX])


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(str(length) for length in shape)


def write(file: IO[bytes], suffix: str, array: NDArray[Any], mode: str | None, icc: bytes | None = None) -> None:
    """Write a result that ``check_holds`` has let pass."""
    if suffix.lower() == arrays.SUFFIX:
        arrays.write(file, array)
        return
    kind = KINDS[suffix.lower()]
    options: dict[str, Any] = kind.options()
    if icc is not None:
        options["icc_profile"] = icc
    if array.dtype == np.int16:
        # Pillow has no signed 16-bit mode: the bits go out as uint16, and the tag says what they mean.
        array = array.view(np.uint16)
        options["tiffinfo"] = {_SAMPLE_FORMAT: 2}
    image = _image(array, mode)
    # Encoded in memory first: encoders that write to a file themselves report a full disk without saying so.
    encoded = io.BytesIO()
    image.save(encoded, format=kind.format, **options)
    file.write(encoded.getbuffer())


def _image(array: NDArray[Any], mode: str | None) -> Image.Image:
    channels = channels_of(array.shape, mode)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if channels == "CMYK":
        size = (array.shape[1], array.shape[0])
        return Image.frombytes("CMYK", size, np.ascontiguousarray(array).tobytes())
    return Image.fromarray(np.ascontiguousarray(array))
