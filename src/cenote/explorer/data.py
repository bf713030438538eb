"""What a page is given: one call in its writer's words with its array, as JSON."""

from __future__ import annotations

import base64
import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cenote.geometry import Slide, Split, Window

#: Cells of an axis beyond which an array is scaled down: more cannot be looked at.
MOST: Final = 512

Json = dict[str, Any]


def packed(array: NDArray[Any]) -> Json:
    """An array in the narrowest type that holds it exactly, little endian, base64."""
    wide = np.ascontiguousarray(array, dtype="<f8")
    narrow = wide
    for dtype in ("u1", "<f4"):
        with np.errstate(all="ignore"):
            tried = wide.astype(dtype)
        same = tried.astype("<f8")
        if np.array_equal(same, wide, equal_nan=True) and np.array_equal(np.signbit(same), np.signbit(wide)):
            narrow = tried
            break
    name = narrow.dtype.str.lstrip("<|=")
    return {"dtype": name, "shape": list(array.shape), "data": base64.b64encode(narrow.tobytes()).decode()}


def spelled(value: float) -> float | str:
    """A number as JSON can carry it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return "-0" if value == 0 and math.copysign(1, value) < 0 else value


def state(
    op: str,
    words: Json,
    array: NDArray[Any],
    *,
    p: float = 2.0,
    title: str = "",
    integers: bool = False,
    focus: int = 0,
    backward: bool = False,
) -> Json:
    """A state of the page: ``words`` as ``words_of`` makes them, ``array`` of the pooled axes alone."""
    return {
        "op": op,
        "words": words,
        "p": spelled(float(p)),
        "integers": integers,
        "shape": list(array.shape),
        "values": packed(array),
        "title": title,
        "upstream": None,
        "filter": None,
        "look": {"focus": focus, "pinned": False, "backward": backward, "heat": False},
    }


def words_of(window: Window, *, stride: bool, divisor: Any = None) -> Json:
    """A window in words, one entry per axis; ``stride`` tells whether somebody said it: frameworks' defaults differ."""
    slides = [rule for rule in window.rules if isinstance(rule, Slide)]
    splits = [rule for rule in window.rules if isinstance(rule, Split)]
    found: Json = {
        "form": "slide",
        "size": [slide.size for slide in slides],
        "stride": [slide.stride for slide in slides] if stride else None,
        "padding": [slide.pad if isinstance(slide.pad, str) else list(slide.pad) for slide in slides],
        "dilation": [slide.dilation for slide in slides],
        "ceil": True if any(slide.ceil_mode for slide in slides) else None,
        "divisor": divisor.item() if isinstance(divisor, np.generic) else divisor,
    }
    if splits:
        everything = all(split.parts == 1 for split in splits)
        found |= {
            "form": "global" if everything else "adaptive",
            "size": [split.parts for split in splits],
            "padding": [[0, 0]] * len(splits),
            "dilation": [1] * len(splits),
        }
    return found


def page_data(
    first: Json,
    *,
    gallery: list[Json] | None = None,
    model: Json | None = None,
    token: str | None = None,
    note: str | None = None,
) -> Json:
    """All that a page is given."""
    return {
        "state": first,
        "gallery": gallery or [],
        "model": model,
        "token": token,
        "note": note,
    }


def fitted(array: NDArray[Any]) -> tuple[NDArray[np.float64], str | None]:
    """The array with at most ``MOST`` cells an axis, by averaging whole blocks, and what was done to it."""
    most = max((-(-length // MOST) for length in array.shape), default=1)
    wide = np.asarray(array, dtype=np.float64)
    if most == 1:
        return wide, None
    # One block for all axes keeps a picture's shape; an axis shorter than a block stays.
    blocks = [most if length >= most else 1 for length in array.shape]
    for axis, block in enumerate(blocks):
        # A block at the end may be cut short: it is the mean of what is there.
        starts = np.arange(0, wide.shape[axis], block)
        sizes = np.diff(np.append(starts, wide.shape[axis]))
        shape = [-1 if i == axis else 1 for i in range(wide.ndim)]
        wide = np.add.reduceat(wide, starts, axis=axis) / sizes.reshape(shape)
    before, after = ("x".join(map(str, shape)) for shape in (array.shape, wide.shape))
    return wide, f"the array of {before} cells was scaled down to {after} by averaging blocks"
