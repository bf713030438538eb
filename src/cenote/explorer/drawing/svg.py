"""A sheet as SVG: text stays text in the reader's own typeface, the rest is plain shapes, and nothing is fetched."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

from .palette import HATCH, PAPER, css
from .scene import Scene
from .shapes import Box, Part, Pixels, Shape, Sheet, Stroke, Text
from .sheet import still

_SANS: Final = "system-ui, sans-serif"
_MONO: Final = "ui-monospace, monospace"
_SHARP: Final = 600  # pixels that a map has at the least, for viewers that smooth what they enlarge
_PATTERNS: Final = (
    f'<pattern id="cenote-hatch" width="8" height="8" patternUnits="userSpaceOnUse">'
    f'<path d="M-2 2L2 -2M-1 9L9 -1M6 10L10 6" stroke="{css(HATCH)}" stroke-width="1.7"/></pattern>'
    f'<pattern id="cenote-dots" width="8" height="8" patternUnits="userSpaceOnUse">'
    f'<circle cx="4" cy="4" r="1.4" fill="{css(HATCH)}"/></pattern>'
    f'<pattern id="cenote-crosses" width="10" height="10" patternUnits="userSpaceOnUse">'
    f'<path d="M2 2L7 7M7 2L2 7" stroke="{css(HATCH)}" stroke-width="1.4"/></pattern>'
)
# What XML 1.0 has no way to write.
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def svg(scene: Scene) -> str:
    """The picture of a scene."""
    return written(still(scene))


def written(sheet: Sheet) -> str:
    """A sheet as an SVG document."""
    size = f'width="{_n(sheet.width)}" height="{_n(sheet.height)}" viewBox="0 0 {_n(sheet.width)} {_n(sheet.height)}"'
    parts = "\n".join(_part(part) for part in sheet.parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="{_SANS}">\n'
        f"<title>{_text(sheet.title)}</title>\n<desc>{_text(sheet.description)}</desc>\n<defs>{_PATTERNS}</defs>\n"
        f'<rect width="100%" height="100%" fill="{css(PAPER)}"/>\n{parts}\n</svg>\n'
    )


def _part(part: Part) -> str:
    return f'<g data-part="{part.name}">\n' + "\n".join(_shape(shape) for shape in part.shapes) + "\n</g>"


def _shape(shape: Shape) -> str:
    match shape:
        case Box():
            return _box(shape)
        case Stroke():
            points = "L".join(f"{_n(x)} {_n(y)}" for x, y in shape.points)
            return f'<path d="M{points}" fill="none" stroke="{css(shape.colour)}" stroke-width="{_n(shape.thick)}"/>'
        case Text():
            more = f' text-anchor="{shape.anchor}"' if shape.anchor != "start" else ""
            more += ' font-weight="600"' if shape.bold else ""
            more += f' font-family="{_MONO}" xml:space="preserve"' if shape.mono else ""
            at = f'x="{_n(shape.x)}" y="{_n(shape.y)}" font-size="{_n(shape.size)}" fill="{css(shape.colour)}"'
            return f"<text {at}{more}>{_text(shape.text)}</text>"
        case Pixels():
            at = f'x="{_n(shape.x)}" y="{_n(shape.y)}" width="{_n(shape.width)}" height="{_n(shape.height)}"'
            more = 'preserveAspectRatio="none" image-rendering="pixelated"'
            return f"<image {at} {more} href={quoteattr(_data(shape.pixels))}/>"


def _box(box: Box) -> str:
    at = f'x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_n(box.height)}"'
    line = ""
    if box.line is not None:
        line = f' stroke="{css(box.line)}"' + (f' stroke-width="{_n(box.thick)}"' if box.thick != 1 else "")
        line += f' stroke-dasharray="{_n(box.dash[0])} {_n(box.dash[1])}"' if box.dash else ""
    filled = css(box.fill) if box.fill is not None else "none"
    if box.pattern is None:
        return f'<rect {at} fill="{filled}"{line}/>'
    return f'<rect {at} fill="{filled}"/>\n<rect {at} fill="url(#cenote-{box.pattern})"{line}/>'


def _data(pixels: NDArray[np.uint8]) -> str:
    enlarged = max(1, -(-_SHARP // max(pixels.shape[:2]))) if pixels.shape[0] > 1 else 1
    large = pixels.repeat(enlarged, axis=0).repeat(enlarged, axis=1)
    return f"data:image/png;base64,{base64.b64encode(_png(large)).decode()}"


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """RGB pixels as a PNG file: the format's plainest form needs no library."""
    height, width = pixels.shape[:2]
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)  # 0: not filtered
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    body = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _text(text: str) -> str:
    return escape(_ILLEGAL.sub("\ufffd", text))
