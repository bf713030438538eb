"""A sheet to draw on, in units of which each is ``scale`` pixels, so that text and thin lines stay crisp."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .palette import INK, PAPER, Colour, on

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@lru_cache(maxsize=64)
def _font(size: float) -> Font:
    # Pillow's own typeface: the picture looks alike on machines with different fonts.
    return ImageFont.load_default(size)


@lru_cache(maxsize=8)
def _coverage(pattern: str, scale: int) -> NDArray[np.float64]:
    """One tile of a pattern: how much of every pixel it covers. The same marks as in SVG."""
    side = (10 if pattern == "crosses" else 8) * scale
    y, x = (np.mgrid[0:side, 0:side] + 0.5) / scale
    if pattern == "hatch":
        distance = np.abs((x + y + 4) % 8 - 4) / math.sqrt(2) - 0.85
    elif pattern == "dots":
        distance = np.hypot(x - 4, y - 4) - 1.4
    else:
        along, away = np.abs(x - 4.5), np.abs(y - 4.5)
        distance = np.maximum(np.abs(along - away) / math.sqrt(2) - 0.7, np.maximum(along, away) - 2.5)
    found: NDArray[np.float64] = np.clip(0.5 - distance * scale, 0, 1)
    return found


class Canvas:
    """A sheet of paper."""

    def __init__(self, width: float, height: float, *, scale: int = 2) -> None:
        self.scale = scale
        self.image = Image.new("RGB", (round(width * scale), round(height * scale)), PAPER)
        self._draw = ImageDraw.Draw(self.image)

    def copy(self) -> Canvas:
        """Another sheet with the same on it."""
        twin = Canvas(0, 0, scale=self.scale)
        twin.image = self.image.copy()
        twin._draw = ImageDraw.Draw(twin.image)
        return twin

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 12,
        colour: Colour = INK,
        anchor: str = "la",
        bold: bool = False,
    ) -> None:
        """Text; ``anchor`` as Pillow has it ("la" left and top, "mm" the middle; the typeface knows ASCII only)."""
        self._draw.text(
            (x * self.scale, y * self.scale),
            text,
            fill=colour,
            font=_font(size * self.scale),
            anchor=anchor,
            stroke_width=int(bold),
        )

    def width(self, text: str, size: float = 12) -> float:
        """How wide a text is."""
        return self._draw.textlength(text, font=_font(size * self.scale)) / self.scale

    def picture(self, x: float, y: float, width: float, height: float, pixels: NDArray[np.uint8]) -> None:
        """Pixels scaled to a box: cells stay sharp when enlarged, photographs are averaged when shrunk."""
        size = (max(1, round(width * self.scale)), max(1, round(height * self.scale)))
        source = Image.fromarray(np.ascontiguousarray(pixels))
        enlarged = size[0] >= source.width
        self.image.paste(
            source.resize(size, Image.Resampling.NEAREST if enlarged else Image.Resampling.BOX),
            (round(x * self.scale), round(y * self.scale)),
        )

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        outline: Colour = INK,
        line: float = 1,
        outside: bool = False,
    ) -> None:
        """A frame, drawn inwards from the edge, or outwards."""
        thick = max(1, round(line * self.scale))
        grow = thick if outside else 0
        left, top = round(x * self.scale) - grow, round(y * self.scale) - grow
        right, bottom = round((x + width) * self.scale) - 1 + grow, round((y + height) * self.scale) - 1 + grow
        self._draw.rectangle((left, top, right, bottom), outline=outline, width=thick)

    def fill(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """A filled rectangle."""
        corners = (
            round(x * self.scale),
            round(y * self.scale),
            round((x + width) * self.scale) - 1,
            round((y + height) * self.scale) - 1,
        )
        self._draw.rectangle(corners, fill=colour)

    def outline(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        colour: Colour,
        line: float,
        dash: tuple[float, float] | None,
    ) -> None:
        """A frame whose line lies along the edge, half inside and half outside, as in SVG."""
        thick = max(1, round(line * self.scale))
        left, top = round(x * self.scale) - thick // 2, round(y * self.scale) - thick // 2
        right, bottom = (round((x + width) * self.scale) - thick // 2, round((y + height) * self.scale) - thick // 2)
        if dash is None:
            self._draw.rectangle((left, top, right + thick - 1, bottom + thick - 1), outline=colour, width=thick)
            return
        drawn, gap = (max(1, round(length * self.scale)) for length in dash)
        for start in range(left, right, drawn + gap):
            stop = min(start + drawn, right + thick) - 1
            self._draw.rectangle((start, top, stop, top + thick - 1), fill=colour)
            self._draw.rectangle((start, bottom, stop, bottom + thick - 1), fill=colour)
        for start in range(top, bottom, drawn + gap):
            stop = min(start + drawn, bottom + thick) - 1
            self._draw.rectangle((left, start, left + thick - 1, stop), fill=colour)
            self._draw.rectangle((right, start, right + thick - 1, stop), fill=colour)

    def pattern(self, x: float, y: float, width: float, height: float, pattern: str, colour: Colour) -> None:
        """A pattern over a rectangle. It lies still on the sheet, so that neighbours join."""
        left, top = round(x * self.scale), round(y * self.scale)
        wide, high = round((x + width) * self.scale) - left, round((y + height) * self.scale) - top
        if wide < 1 or high < 1:
            return
        tile = _coverage(pattern, self.scale)
        rows, columns = (np.arange(top, top + high) % len(tile), np.arange(left, left + wide) % len(tile))
        mask = Image.fromarray((tile[np.ix_(rows, columns)] * 255).astype(np.uint8))
        self.image.paste(colour, (left, top, left + wide, top + high), mask)

    def line(self, x0: float, y0: float, x1: float, y1: float, *, colour: Colour, line: float = 1) -> None:
        """A straight line."""
        self._draw.line(
            (x0 * self.scale, y0 * self.scale, x1 * self.scale, y1 * self.scale),
            fill=colour,
            width=max(1, round(line * self.scale)),
        )

    def ring(self, x: float, y: float, radius: float) -> None:
        """A ring that stands out on any ground."""
        for colour, thick, grow in ((PAPER, 5, 1.5), (INK, 2.5, 0.5)):
            reach = (radius + grow / self.scale) * self.scale
            corners = (x * self.scale - reach, y * self.scale - reach, x * self.scale + reach, y * self.scale + reach)
            self._draw.ellipse(corners, outline=colour, width=round(thick))

    def arrow(self, x0: float, x1: float, y: float, *, colour: Colour) -> None:
        """An arrow to the right."""
        self.line(x0, y, x1 - 5, y, colour=colour, line=1.5)
        head = [(x1 - 8, y - 4.5), (x1, y), (x1 - 8, y + 4.5)]
        self._draw.polygon([(px * self.scale, py * self.scale) for px, py in head], fill=colour)

    def cells(
        self, x: float, y: float, side: float, values: NDArray[Any], pixels: NDArray[np.uint8], *, size: float
    ) -> None:
        """Cells with their numbers in them, kept apart by a thin gap."""
        for row, column in np.ndindex(values.shape):
            red, green, blue = (int(part) for part in pixels[row, column])
            left, top = x + column * side, y + row * side
            self.fill(left + 0.5, top + 0.5, side - 1, side - 1, (red, green, blue))
            number = f"{values[row, column]:.2f}".replace("-0.00", "0.00")
            self.text(left + side / 2, top + side / 2, number, size=size, anchor="mm", colour=on((red, green, blue)))
