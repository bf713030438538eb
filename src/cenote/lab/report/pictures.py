"""Maps as small pictures for the page, one pixel a cell, and all of them in one figure."""

from __future__ import annotations

import base64
import io
from typing import Any, Final

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from .maps import Seen, range_of
from .markup import Html, h
from .palette import LIGHT
from .svg import BORDER, DPI

Array = NDArray[Any]

COLOURS: Final = "viridis"
_TONES: Final = 64  # fewer than an eye tells apart side by side, and half the bytes of 256
_LARGEST: Final = 160  # cells on a side; of larger maps every second or third cell is shown
# Lengths on the sheet of all maps: a tile, what lies between two of an arm and between arms, room for words.
_TILE: Final = 92
_GAP: Final = 10
_BETWEEN: Final = 44
_ABOVE: Final = 20
_WORDS: Final = 56


def map_picture(cells: Array, ends: tuple[float, float], label: str) -> Html:
    """One map; ``ends`` are the values of the first and the last colour."""
    cells = _thin(cells)
    tones = (np.clip((cells - ends[0]) / (ends[1] - ends[0]), 0, 1) * (_TONES - 1)).round()
    picture = Image.fromarray(np.nan_to_num(tones).astype(np.uint8), mode="P")
    colours = colormaps[COLOURS](np.linspace(0, 1, _TONES))[:, :3]
    picture.putpalette((colours * 255).round().astype(np.uint8).tobytes())
    return _tag(picture, label)


def photograph(image: Array, label: str) -> Html:
    """The image itself, grey or in colours."""
    return _tag(Image.fromarray((np.clip(visible(_thin(image)), 0, 1) * 255).round().astype(np.uint8)), label)


def visible(image: Array) -> Array:
    """Three channels are red, green and blue; of any other number the mean."""
    return image if image.shape[-1] == 3 else np.asarray(image, np.float64).mean(axis=-1)


def _thin(cells: Array) -> Array:
    step = -(-max(cells.shape[:2]) // _LARGEST)
    return cells[::step, ::step]


def _tag(picture: Image.Image, label: str) -> Html:
    data = io.BytesIO()
    picture.save(data, "PNG", optimize=True)
    text = base64.b64encode(data.getvalue()).decode()
    return h("img", src=f"data:image/png;base64,{text}", alt=label, width=picture.width, height=picture.height)


def colour_bar() -> Html:
    """The colours from the least value to the largest, as a CSS gradient needs them."""
    stops = colormaps[COLOURS](np.linspace(0, 1, 7))[:, :3]
    return Html(f"linear-gradient(90deg, {', '.join(map(to_hex, stops))})")


def figure(found: Seen) -> Figure | None:
    """Image, and each arm's maps before and after; None where no arm has a map."""
    drawn = [(arm, maps) for arm, maps in found.maps.items() if maps.before is not None]
    if not drawn:
        return None
    across, step = min(3, len(drawn)), 2 * _TILE + _BETWEEN
    left, down = _TILE + _BETWEEN, -(-len(drawn) // across)
    sheet = _Sheet(left + across * step - _BETWEEN, down * (_TILE + _WORDS))
    picture = np.clip(visible(found.image), 0, 1)
    height, width = picture.shape[:2]
    grey: dict[str, Any] = {} if picture.ndim == 3 else {"cmap": "gray", "vmin": 0, "vmax": 1}
    sheet.tile(0, 0, picture, "image", f"{height} x {width}", **grey)
    for i, (arm, maps) in enumerate(drawn):
        x, y = left + i % across * step, i // across * (_TILE + _WORDS)
        low, high = range_of((maps.before, maps.after))
        for k, (cells, place) in enumerate(((maps.before, maps.first), (maps.after, maps.second))):
            if cells is not None and place is not None:
                size = f"{place.height} x {place.width}"
                at = x + k * (_TILE + _GAP)
                sheet.tile(at, y, cells, "" if k else arm, size, cmap=COLOURS, vmin=low, vmax=high)
    return sheet.figure


class _Sheet:
    """A figure on which tiles are laid; lengths in pixels, without the border."""

    def __init__(self, width: float, height: float) -> None:
        self._wide, self._high = width + 2 * BORDER, height + 2 * BORDER
        self.figure = Figure(figsize=(self._wide / DPI, self._high / DPI), dpi=DPI, facecolor=LIGHT["card"])

    def tile(self, x: float, y: float, cells: Array, above: str, below: str, **colours: Any) -> None:
        left, bottom = BORDER + x, self._high - BORDER - y - _ABOVE - _TILE
        axes = self.figure.add_axes((left / self._wide, bottom / self._high, _TILE / self._wide, _TILE / self._high))
        axes.imshow(cells, interpolation="nearest", **colours)
        axes.axis("off")
        for text, high, colour in ((above, bottom + _TILE + 7, "ink"), (below, bottom - 13, "muted")):
            self.figure.text(left / self._wide, high / self._high, text, fontsize=10, color=LIGHT[colour])
