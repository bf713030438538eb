"""Pixels as networks take them: float32 in 0..1, height x width x channels, resized where another size is asked for."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ...errors import CenoteMemoryError, bad, bad_type, message, shown
from ...geometry.arguments import integer, is_sequence
from .errors import missing

Images = NDArray[np.float32]
Shape = tuple[int, int, int]

#: Brightness as the eye weighs red, green and blue (ITU-R BT.601).
_WEIGHTS: Final = (0.299, 0.587, 0.114)


def as_shape(who: str, value: object) -> Shape:
    """(height, width, channels) as a caller spells it; grey has 1 channel, RGB has 3."""
    if not is_sequence(value) or len(value) != 3:
        raise bad_type(who, f"a shape is (height, width, channels), got {shown(value)}", "write it like (20, 20, 3)")
    height, width, channels = (
        integer(who, name, entry, 1) for name, entry in zip(("height", "width", "channels"), value, strict=True)
    )
    if channels not in (1, 3):
        raise bad(who, f"channels is 1 (grey) or 3 (RGB), got {channels}", "write (height, width, 1 or 3)")
    return height, width, channels


def written(shape: tuple[int, ...]) -> str:
    """A shape for a sentence: ``28 x 28 x 1``."""
    return " x ".join(map(str, shape))


def scaled(whole: NDArray[Any]) -> Images:
    """Unsigned integers as float32 in 0..1: divided by the largest value of their type."""
    found: Images = np.divide(whole, np.float32(np.iinfo(whole.dtype).max), dtype=np.float32)
    return found


def room(who: str, count: int, shape: Shape) -> Images:
    """Memory for so many images, not yet filled."""
    try:
        return np.empty((count, *shape), np.float32)
    except (MemoryError, ValueError):  # NumPy calls it a ValueError when the address space is too small
        raise CenoteMemoryError(
            message(who, f"{count:,} images of {written(shape)} do not fit into memory", "ask for smaller images")
        ) from None


def all_fitted(who: str, images: Images, shape: Shape) -> Images:
    """Every image of N x H x W x C by ``fitted``."""
    found = room(who, len(images), shape)
    for i, image in enumerate(images):
        found[i] = fitted(image, shape)
    return found


def fitted(image: Images, shape: Shape) -> Images:
    """One image, height x width x (1 or 3) in 0..1, in another shape: bicubic, clipped to 0..1 (bicubic overshoots).

    Grey becomes RGB by repetition, RGB becomes grey by the weights of ITU-R BT.601.

    >>> import numpy as np
    >>> fitted(np.full((2, 2, 1), 0.25, np.float32), (3, 1, 3)).tolist()
    [[[0.25, 0.25, 0.25]], [[0.25, 0.25, 0.25]], [[0.25, 0.25, 0.25]]]
    """
    if image.shape[2] == 3 and shape[2] == 1:
        image = _grey(image)
    if image.shape[:2] != shape[:2]:
        image = np.stack([_bicubic(image[:, :, c], shape) for c in range(image.shape[2])], axis=2)
    return np.repeat(image, 3, axis=2) if image.shape[2] < shape[2] else image


def _grey(image: Images) -> Images:
    # Added in float64 and in one order: the grey of equal channels is exactly their value, on every machine.
    red, green, blue = (image[:, :, c].astype(np.float64) * weight for c, weight in enumerate(_WEIGHTS))
    return np.clip(red + green + blue, 0, 1).astype(np.float32)[:, :, None]


def _bicubic(channel: Images, shape: Shape) -> Images:
    try:
        from PIL import Image
    except ImportError as error:
        raise missing("resizing images", "Pillow", error) from error
    height, width = shape[:2]
    small = Image.fromarray(np.ascontiguousarray(channel))
    large = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)
    return np.clip(large, 0, 1)
