"""A sheet as pixels, still or moving. Pillow is asked for only here, and only when a picture is."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cenote.errors import CenoteError, message

from .palette import CARD, HATCH, INK, LINE, MUTED, ONE, PAPER, TWO, WINDOW, WINNER, Colour
from .scene import Scene
from .shapes import Box, Part, Pixels, Shape, Stroke, Text
from .sheet import Plan, ground, marks, plan, slices, still

if TYPE_CHECKING:
    from PIL import Image

    from .canvas import Canvas

#: A walk of more windows takes samples of them.
FRAMES: Final = 64
_COLOURS: Final = 96  # of the ramp
_ANCHORS: Final = {"start": "ls", "middle": "ms", "end": "rs"}


def png(scene: Scene) -> bytes:
    """The picture of a scene as a PNG file, two pixels a unit. Letters that Pillow's typeface lacks are ``?``."""
    canvas = _canvas("png")
    sheet = still(scene)
    drawn = canvas(sheet.width, sheet.height)
    _draw(drawn, sheet.parts)
    out = io.BytesIO()
    drawn.image.save(out, "PNG", optimize=True)
    return out.getvalue()


def gif(scene: Scene) -> bytes:
    """The window walking over the outputs, as an animated GIF that begins anew; of more than 64 outputs, samples."""
    canvas = _canvas("gif")
    from PIL import Image

    outputs = walked(scene)
    made = plan(scene, outputs)
    # One palette for all: what does not change must not change its colour either.
    palette = _palette(TWO if made.input.limits[0] < 0 else ONE)
    flat = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in _frames(canvas, made, outputs)]
    out = io.BytesIO()
    flat[0].save(
        out, "GIF", save_all=True, append_images=flat[1:], duration=pace(len(flat)), loop=0, optimize=True, disposal=1
    )
    return out.getvalue()


def walked(scene: Scene) -> list[int]:
    """The outputs of an animation: all, or evenly spread ones with the first and the last."""
    count = scene.outputs.size
    return [int(output) for output in np.linspace(0, count - 1, min(count, FRAMES)).round()]


def pace(frames: int) -> int:
    """Milliseconds of a frame: fewer for a long walk."""
    return 700 if frames <= 9 else 550 if frames <= 25 else 400


def _frames(canvas: type[Canvas], made: Plan, outputs: Sequence[int]) -> Iterable[Image.Image]:
    """The still parts are drawn once for every slice, with the taps that its caption names."""
    bases: dict[Any, Canvas] = {}
    for output in outputs:
        shown = slices(made.scene, output)
        if shown not in bases:
            bases[shown] = canvas(made.width, made.height)
            _draw(bases[shown], ground(made, output))
        frame = bases[shown].copy()
        _draw(frame, marks(made, output))
        yield frame.image.reduce(2)  # smoother than what is drawn at this size


def _palette(ramp: Sequence[Colour]) -> Image.Image:
    """The colours of pictures: the marks, steps between them and the paper for smooth edges, and the ramp in use.

    Chosen by hand: a palette of what is frequent drops the marks, which are a few thin lines.
    """
    from PIL import Image

    edges = ((INK, 8), (MUTED, 6), (WINDOW, 4), (WINNER, 4), (HATCH, 3), (LINE, 2))
    colours = [CARD, *(_between(colour, PAPER, i / steps) for colour, steps in edges for i in range(steps)), PAPER]
    colours += [_between(INK, ramp[len(ramp) // 2], 0.5), *_sampled(ramp, _COLOURS)]
    made = Image.new("P", (1, 1))
    made.putpalette([part for colour in colours for part in colour])
    return made


def _between(first: Colour, second: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _sampled(colours: Sequence[Colour], count: int) -> list[Colour]:
    last = len(colours) - 1
    places = [i * last / (count - 1) for i in range(count)]
    starts = [min(int(place), last - 1) for place in places]
    return [_between(colours[i], colours[i + 1], place - i) for i, place in zip(starts, places, strict=True)]


def _canvas(who: str) -> type[Canvas]:
    try:
        from .canvas import Canvas
    except ImportError as error:
        way = "pip install 'cenote[explorer]', or take the SVG, which needs NumPy alone"
        raise CenoteError(message(who, f"Pillow draws this picture and cannot be imported ({error})", way)) from error
    return Canvas


def _draw(canvas: Canvas, parts: Iterable[Part]) -> None:
    for part in parts:
        for shape in part.shapes:
            _shape(canvas, shape)


def _shape(canvas: Canvas, shape: Shape) -> None:
    match shape:
        case Box(x, y, width, height):
            if shape.fill is not None:
                canvas.fill(x, y, width, height, shape.fill)
            if shape.pattern is not None:
                canvas.pattern(x, y, width, height, shape.pattern, HATCH)
            if shape.line is not None:
                canvas.outline(x, y, width, height, colour=shape.line, line=shape.thick, dash=shape.dash)
        case Stroke():
            for (x0, y0), (x1, y1) in zip(shape.points, shape.points[1:], strict=False):
                canvas.line(x0, y0, x1, y1, colour=shape.colour, line=shape.thick)
        case Text():
            text = shape.text.encode("ascii", "replace").decode()
            canvas.text(
                shape.x,
                shape.y,
                text,
                size=shape.size,
                colour=shape.colour,
                anchor=_ANCHORS[shape.anchor],
                bold=shape.bold,
            )
        case Pixels():
            canvas.picture(shape.x, shape.y, shape.width, shape.height, shape.pixels)
