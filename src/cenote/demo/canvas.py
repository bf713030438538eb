"""A sheet to draw on, in units of which each is ``SCALE`` pixels, so that text and thin lines stay crisp."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .palette import INK, PAPER, Colour, on

SCALE: Final = 2
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@lru_cache(maxsize=16)
def _font(size: float) -> Font:
    # Pillow's own typeface: the picture looks alike on machines with different fonts.
    return ImageFont.load_default(size * SCALE)


class Canvas:
    """A sheet of paper."""

    def __init__(self, width: float, height: float) -> None:
        self.image = Image.new("RGB", (round(width * SCALE), round(height * SCALE)), PAPER)
        self._draw = ImageDraw.Draw(self.image)

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
            (x * SCALE, y * SCALE), text, fill=colour, font=_font(size), anchor=anchor, stroke_width=int(bold)
        )

    def width(self, text: str, size: float = 12) -> float:
        """How wide a text is."""
        return self._draw.textlength(text, font=_font(size)) / SCALE

    def picture(self, x: float, y: float, width: float, height: float, pixels: NDArray[np.uint8]) -> None:
        """Pixels scaled to a box: cells stay sharp when enlarged, photographs are averaged when shrunk."""
        size = (round(width * SCALE), round(height * SCALE))
        source = Image.fromarray(np.ascontiguousarray(pixels))
        enlarged = size[0] >= source.width
        self.image.paste(
            source.resize(size, Image.Resampling.NEAREST if enlarged else Image.Resampling.BOX),
            (round(x * SCALE), round(y * SCALE)),
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
        thick = max(1, round(line * SCALE))
        grow = thick if outside else 0
        left, top = round(x * SCALE) - grow, round(y * SCALE) - grow
        right, bottom = round((x + width) * SCALE) - 1 + grow, round((y + height) * SCALE) - 1 + grow
        self._draw.rectangle((left, top, right, bottom), outline=outline, width=thick)

    def fill(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """A filled rectangle."""
        corners = (round(x * SCALE), round(y * SCALE), round((x + width) * SCALE) - 1, round((y + height) * SCALE) - 1)
        self._draw.rectangle(corners, fill=colour)

    def line(self, x0: float, y0: float, x1: float, y1: float, *, colour: Colour, line: float = 1) -> None:
        """A straight line."""
        self._draw.line(
            (x0 * SCALE, y0 * SCALE, x1 * SCALE, y1 * SCALE), fill=colour, width=max(1, round(line * SCALE))
        )

    def ring(self, x: float, y: float, radius: float) -> None:
        """A ring that stands out on any ground."""
        for colour, thick, grow in ((PAPER, 5, 1.5), (INK, 2.5, 0.5)):
            reach = (radius + grow / SCALE) * SCALE
            corners = (x * SCALE - reach, y * SCALE - reach, x * SCALE + reach, y * SCALE + reach)
            self._draw.ellipse(corners, outline=colour, width=round(thick))

    def arrow(self, x0: float, x1: float, y: float, *, colour: Colour) -> None:
        """An arrow to the right."""
        self.line(x0, y, x1 - 5, y, colour=colour, line=1.5)
        head = [(x1 - 8, y - 4.5), (x1, y), (x1 - 8, y + 4.5)]
        self._draw.polygon([(px * SCALE, py * SCALE) for px, py in head], fill=colour)

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
