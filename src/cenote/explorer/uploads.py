"""An image or a .npy file that the page sends to its server, as an array to look at.

Bytes are never a pickle and never a model here, and whatever is done to them is said in a note.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cenote.errors import bad, bad_type

from . import data as pages
from .reading import Picture, Source, arrays

_WHO: Final = "the file"
#: Brightness as the eye weighs the primaries (ITU-R BT.601).
_WEIGHTS: Final = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_OTHERS: Final = (
    (b"PK\x03\x04", "is a zip file, as .npz, .keras and .pt files are", "save one array with numpy.save"),
    (b"\x89HDF", "is an HDF5 file", "save one array with numpy.save"),
    (b"\x80", "looks like a pickle, which is never loaded", "save the array with numpy.save"),
)
# A decoded photograph takes far more memory than its file: one at a time.
_decoding = threading.Lock()


@dataclass(frozen=True, slots=True)
class Opened:
    """What somebody handed over, as numbers."""

    cells: NDArray[Any]
    """An image's brightness from 0 to 1, two axes; an array as it is."""
    kind: str
    """"image" or "array"."""
    size: tuple[int, ...]
    """Its shape before it was scaled down."""
    notes: tuple[str, ...] = ()

    @property
    def note(self) -> str | None:
        """What was done to it, or None."""
        return "; ".join(self.notes) or None


def opened(content: bytes, *, who: str = _WHO) -> Opened:
    """An image, as brightness and at most ``MOST`` cells a side, or a .npy file with all of its axes.

    Sentences about it begin with ``who``. Unreadable bytes raise ``Unreadable``, those of another kind ``Unknown``.
    """
    source = Source(who, content)
    with _decoding:
        if content.startswith(arrays.MAGIC):
            cells = _real(arrays.read(source).array, who)
            return Opened(cells, "array", cells.shape)
        light, notes = _brightness(_picture(source, content), who)
        cells, note = _scaled(light)
    return Opened(cells, "image", light.shape, (*notes, note) if note else tuple(notes))


def array(content: bytes, *, rank: int = 2) -> pages.Json:
    """The array to look at: ``shape``, packed ``values``, ``integers``, ``title`` and ``note`` (None: nothing to say).

    Of an array with more axes than ``rank`` the first map along the others is taken; what is too large is scaled down.
    """
    found = opened(content)
    cells, notes, whole, size = found.cells, list(found.notes), found.cells.dtype.kind in "biu", found.size
    if found.kind == "array":
        cells, said = _map(cells, rank)
        size = cells.shape
        cells, note = pages.fitted(cells)
        notes += said + ([note] if note else [])
        whole = whole and note is None
    return {
        "shape": list(cells.shape),
        "values": pages.packed(cells),
        "integers": whole,
        "title": f"{found.kind} of {_by(size)} cells",
        "note": "; ".join(notes) or None,
    }


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _picture(source: Source, content: bytes) -> Picture:
    for magic, problem, way_out in _OTHERS:
        if content.startswith(magic):
            raise source.unknown(problem, way_out)
    try:
        from .reading import images
    except ImportError:
        raise source.unknown(
            "is no .npy file, and images need Pillow, which is not installed", "run: pip install 'cenote[explorer]'"
        ) from None
    return images.read(source)


def _scaled(light: NDArray[Any]) -> tuple[NDArray[Any], str | None]:
    """At most ``MOST`` cells a side, as wide for its height as before; each is the mean of what it stands for."""
    from PIL import Image

    narrow = light.astype(np.float32)
    longest = max(light.shape)
    if longest <= pages.MOST:
        return narrow, None
    height, width = (max(1, round(length * pages.MOST / longest)) for length in light.shape)
    small = np.asarray(Image.fromarray(narrow).resize((width, height), Image.Resampling.BOX))
    return small, f"it was scaled down from {_by(light.shape)} to {_by(small.shape)} cells"


def _brightness(picture: Picture, who: str) -> tuple[NDArray[Any], list[str]]:
    """One channel from 0 to 1, and what was done to get it."""
    notes = [note.removeprefix(f"{who}: ").replace("is pooled", "is shown") for note in picture.header.notes]
    mode, pixels = picture.header.mode or "", picture.array
    if mode == "CMYK":
        inks = 1 - pixels.astype(np.float32) / 255
        light = inks[..., :3] @ _WEIGHTS * inks[..., 3]
        return light, [*notes, "its inks were turned to brightness"]
    if mode in ("RGB", "RGBA"):
        light = pixels[..., :3] @ _WEIGHTS / 255
        notes.append("its colours were turned to brightness")
    elif mode == "LA":
        light = pixels[..., 0].astype(np.float32) / 255
    elif pixels.dtype == np.uint8:
        light = pixels.astype(np.float32) / 255
    else:
        return _stretched(pixels, notes)
    if mode in ("LA", "RGBA"):
        opaque = pixels[..., -1].astype(np.float32) / 255
        if opaque.min() < 1:
            light = light * opaque + (1 - opaque)
            notes.append("what is transparent is shown on white")
    return light, notes


def _stretched(pixels: NDArray[Any], notes: list[str]) -> tuple[NDArray[Any], list[str]]:
    """Values of more than 8 bits have no white of their own: the least and the largest become 0 and 1."""
    wide = pixels.astype(np.float64)
    finite = wide[np.isfinite(wide)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    notes.append(f"its values from {low:g} to {high:g} were stretched to 0 to 1")
    with np.errstate(invalid="ignore"):
        return (wide - low) / ((high - low) or 1.0), notes


def _real(found: NDArray[Any], who: str) -> NDArray[Any]:
    if found.dtype.kind not in "biuf":
        raise bad_type(who, f"holds {found.dtype}, and the page shows real numbers", "save it as floats or integers")
    if found.ndim == 0:
        raise bad(who, "holds one number and no axis", "give an array of one axis or more")
    if found.size == 0:
        raise bad(who, f"its shape {_by(found.shape)} has no cells", "give one with something to see")
    return found


def _map(found: NDArray[Any], rank: int) -> tuple[NDArray[np.float64], list[str]]:
    """The first map of the last ``rank`` axes, as the page computes, and what was done to get it."""
    notes = []
    lead = max(0, found.ndim - rank)
    cells = found[(0,) * lead]
    if lead:
        notes.append(f"of the array of {_by(found.shape)} the map at [{', '.join('0' * lead)}] is shown")
    with np.errstate(over="ignore", invalid="ignore"):
        wide = cells.astype(np.float64)
        if not np.array_equal(wide.astype(cells.dtype), cells, equal_nan=cells.dtype.kind == "f"):
            notes.append("some of its numbers are rounded, for the page computes in float64")
    return wide, notes
