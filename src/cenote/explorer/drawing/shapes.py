"""What a picture is made of, before it is known whether it becomes SVG or pixels. Lengths are in CSS pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .palette import INK, Colour

Pattern = Literal["hatch", "dots", "crosses"]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; its outline lies along its edge, half inside and half outside."""

    x: float
    y: float
    width: float
    height: float
    fill: Colour | None = None
    pattern: Pattern | None = None
    line: Colour | None = None
    thick: float = 1
    dash: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    colour: Colour
    thick: float = 1


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text on its baseline; ``mono`` is for formulas."""

    x: float
    y: float
    text: str
    size: float
    colour: Colour = INK
    anchor: Literal["start", "middle", "end"] = "start"
    bold: bool = False
    mono: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """A map of RGB pixels, stretched over a rectangle."""

    x: float
    y: float
    width: float
    height: float
    pixels: NDArray[np.uint8]


Shape = Box | Stroke | Text | Pixels


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Shapes that belong together, under a name that readers of the SVG find."""

    name: str
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A whole picture; ``title`` and ``description`` are for who does not see it."""

    width: float
    height: float
    title: str
    description: str
    parts: tuple[Part, ...]
