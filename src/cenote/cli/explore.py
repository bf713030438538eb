"""`cenote explore`: the page about a call of pooling, or about a model's layers, written or served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cenote import explorer
from cenote.errors import CenoteError, reason
from cenote.explorer import uploads
from cenote.explorer.models import files
from cenote.explorer.presets import by_hand, seven
from cenote.geometry import Slide, Split, Window, pooled_axes

from . import tables
from .errors import Failure, Usage, of_a_file, of_cenote
from .files import Outputs, check_target
from .windows import read_axes

_MODELS: Final = ".keras"
_PICKLES: Final = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".h5", ".hdf5")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line says beside the file."""

    op: str
    window: str | None
    axes: str | None
    parameters: Mapping[str, Any]
    input: Path | None


def run(source: Path | None, wish: Wish, *, out: Path, force: bool, serve: bool, port: int, as_json: bool) -> int:
    """Make the page, and write or serve it."""
    if not serve:
        _check_out(out, force, (source, wish.input))
    page = _page(source, wish)
    if serve:
        try:
            page.serve(port=port)
        except CenoteError as error:
            raise of_cenote(error) from None
        return 0
    try:
        content = page.rendered(out.suffix.lower())
    except ImportError:
        raise Failure("pictures need Pillow, which is not installed; run: pip install 'cenote[explorer]'") from None
    with Outputs(force=force) as outputs:
        with outputs.open(out) as file:
            try:
                file.write(content)
            except OSError as error:
                raise Failure(f"{out}: {reason(error)}; choose another place for the output") from None
        outputs.publish()
    if as_json:
        tables.show_json({"call": str(page), "page": str(out), "bytes": len(content), "note": page.note})
        return 0
    console = tables.console()
    console.print(str(page), markup=False)
    if page.note:
        console.print(f"Note: {page.note}", markup=False)
    size = f"{len(content) / 1000:.0f} KB"
    picture = out.suffix.lower() != ".html"
    console.print(
        f"Picture: {out} ({size})" if picture else f"Page: {out} ({size}); open it in a browser", markup=False
    )
    return 0


def _check_out(out: Path, force: bool, inputs: tuple[Path | None, ...]) -> None:
    if out.suffix.lower() not in explorer.ENDINGS:
        raise Usage(f"{out}: the ending says what is written; use {', '.join(explorer.ENDINGS)}")
    check_target(out, force=force)
    if any(path is not None and out.exists() and path.exists() and out.samefile(path) for path in inputs):
        raise Usage(f"{out}: is the input, which is never overwritten; choose another name")


def _page(source: Path | None, wish: Wish) -> explorer.Exploration:
    try:
        if source is None:
            return _array(by_hand(), wish, title="4x4 by hand", note=None)
        suffix = source.suffix.lower()
        if suffix in _PICKLES:
            raise Failure(f"{source}: files of this kind can hold programs and are never loaded; save it as .keras")
        if suffix == _MODELS:
            return _model(source, wish)
        if wish.input is not None:
            raise Usage("--input is what a model is shown; leave it out for an image or an array")
        cells, note = _read(source)
        return _array(cells, wish, title=source.name, note=note)
    except CenoteError as error:
        raise of_cenote(error) from None


def _read(path: Path) -> tuple[NDArray[Any], str | None]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Failure(f"{path}: {reason(error)}; check the path") from None
    with of_a_file():
        found = uploads.opened(content, who=str(path))
    return found.cells, "; ".join(found.notes) or None


def _array(cells: NDArray[Any], wish: Wish, *, title: str, note: str | None) -> explorer.Exploration:
    axes = read_axes(wish.axes)
    rank = min(2, cells.ndim) if axes is None else len(pooled_axes("explore", axes, cells.ndim, None))
    words = _words(wish.window, rank)
    page = explorer.explore(cells, op=wish.op, axes=axes, title=title, **words, **wish.parameters)
    return page.noting(note)


def _words(text: str | None, rank: int) -> dict[str, Any]:
    """The notation as arguments of ``explore``: what it leaves out stays so, for frameworks fill it differently."""
    if text is None:
        return {"size": (2,) if rank == 1 else 2}
    rules = Window.parse(text, who="explore").rules
    if all(isinstance(rule, Split) for rule in rules):
        parts = tuple(rule.parts for rule in rules if isinstance(rule, Split))
        if set(parts) == {1}:
            return {"form": "global"}
        return {"form": "adaptive", "size": parts if len(parts) > 1 else parts[0]}
    slides = [rule for rule in rules if isinstance(rule, Slide)]
    pads = {slide.pad for slide in slides}
    mixed = any(isinstance(pad, str) for pad in pads) and len(pads) > 1
    if len(slides) < len(rules) or mixed:
        return {"size": Window.parse(text, None if len(rules) > 1 else rank, who="explore")}
    one = len(slides) == 1 and rank > 1

    def each(values: list[Any]) -> Any:
        return values[0] if one else tuple(values)

    pad = slides[0].pad
    return {
        "size": each([slide.size for slide in slides]),
        "stride": each([slide.stride for slide in slides]) if "/" in text else None,
        "padding": pad if isinstance(pad, str) else (pad,) * rank if one else tuple(s.pad for s in slides),
        "dilation": each([slide.dilation for slide in slides]),
        "ceil_mode": slides[0].ceil_mode,
    }


def _model(path: Path, wish: Wish) -> explorer.Exploration:
    if wish.window is not None or wish.parameters or wish.op != "max" or wish.axes is not None:
        raise Usage("a model's layers have operators and windows of their own; leave --op, --size and the like out")
    try:
        model = files.read(path, "explore")
    except CenoteError as error:
        raise Failure(str(of_cenote(error))) from None
    except ImportError:
        way_out = "run: pip install 'cenote[keras]' jax"
        raise Failure(f"{path}: is read by Keras, which is not installed; {way_out}") from None
    image, note = _shown_to(model, wish.input)
    try:
        page = explorer.explore(model, image, title=path.name)
    except CenoteError as error:
        raise Failure(f"{path}: {of_cenote(error)}") from None
    return page.noting(note)


def _shown_to(model: Any, source: Path | None) -> tuple[NDArray[np.float32], str | None]:
    """An image as the model takes them: the one that was given, or a drawn seven."""
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or len(shape) != 4:
        raise Usage(f"the command shows models of images, this one takes {shape}; in Python: cenote.explore(model, x)")
    height, width, channels = (1 if i == 2 and n is None else 28 if n is None else n for i, n in enumerate(shape[1:]))
    note: str | None = "the model is shown a drawn seven; --input FILE is another image"
    cells: NDArray[Any] = seven(max(height, width))[:height, :width]
    if source is not None:
        cells, note = _read(source)
        if cells.ndim != 2:
            raise Usage(f"{source}: a model of images is shown one of two axes, this has {cells.ndim}")
        if cells.shape != (height, width):
            note = "; ".join(filter(None, (note, f"resized to the model's {height}x{width}")))
            cells = _resized(cells, height, width)
    return np.repeat(np.asarray(cells, np.float32)[:, :, None], channels, axis=2), note


def _resized(cells: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    from PIL import Image

    image = Image.fromarray(np.asarray(cells, np.float32))
    smaller = cells.shape[0] > height
    return np.asarray(image.resize((width, height), Image.Resampling.BOX if smaller else Image.Resampling.BILINEAR))
