"""``cenote.explore``: one call of pooling, or a model's, as a page that shows itself."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cenote.catalogue import OPS, Op
from cenote.errors import CenoteError, bad, bad_type, shown
from cenote.geometry import Axes, Slide
from cenote.ops.arrays import as_array
from cenote.ops.request import Request

from . import data as pages
from . import html

#: Of the files that ``Exploration.save`` writes; each is made by the method of its name.
ENDINGS: Final = (".html", ".svg", ".png", ".gif")

_WHO: Final = "explore"
_MAPS: Final = 24  # that a page offers, of an array with further axes


@dataclass(frozen=True, slots=True, repr=False)
class Exploration:
    """A page about one call of pooling.

    In a notebook it shows itself; ``save`` writes it as a page (.html) or a picture (.png, .svg, .gif), ``serve`` opens
    it in the browser. Made by ``cenote.explore``.

    ``state`` is what the page begins with, as JSON (see ``explorer.data``); ``call`` the function's name, or a model's;
    ``input`` and ``output`` the shapes of what is seen first, before it was scaled down; ``title`` that of the page;
    ``gallery`` further states to begin with; ``model`` the maps of a model's layers, or None; ``note`` a
    sentence that the page shows at once, or None.
    """

    state: pages.Json
    call: str
    output: tuple[int, ...]
    input: tuple[int, ...] = ()
    title: str = "cenote explorer"
    gallery: list[pages.Json] = field(default_factory=list)
    model: pages.Json | None = None
    note: str | None = None

    def html(self, *, token: str | None = None) -> str:
        """The page, which needs nothing else; ``token`` is the server's."""
        given = pages.page_data(self.state, gallery=self.gallery, model=self.model, token=token, note=self.note)
        return html.page(given, title=self.title)

    def svg(self) -> str:
        """The picture of the window that the page begins with, on light paper; no gradient, and no filter."""
        from .drawing import scene, svg

        return svg(scene(self.state))

    def png(self) -> bytes:
        """The same as pixels (needs pillow)."""
        from .drawing import png, scene

        return png(scene(self.state))

    def gif(self) -> bytes:
        """The window walking over the outputs (needs pillow)."""
        from .drawing import gif, scene

        return gif(scene(self.state))

    def rendered(self, ending: str) -> bytes:
        """What ``save`` writes into a file with this ending."""
        if ending not in ENDINGS:
            problem = f"the ending says what is written, got {ending!r}"
            raise bad("Exploration.save", problem, f"use one of {', '.join(ENDINGS)}")
        made: str | bytes = getattr(self, ending[1:])()
        return made.encode() if isinstance(made, str) else made

    def noting(self, note: str | None) -> Exploration:
        """The same page with one more sentence that it shows at once."""
        return replace(self, note="; ".join(filter(None, (note, self.note))) or None)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page or a picture, whichever the file's ending says: .html, .svg, .png or .gif.

        The file is there whole or not at all; one that is there is replaced. Returns where it is. A CenoteError for
        another ending and for a picture of what the page alone computes; ImportError for pixels without Pillow.
        """
        place = Path(path)
        content = self.rendered(place.suffix.lower())
        half = place.with_name(f".{place.name}.{os.getpid()}.part")
        try:
            half.write_bytes(content)
            half.replace(place)
        finally:
            half.unlink(missing_ok=True)
        return place

    def serve(self, *, host: str = "127.0.0.1", port: int = 0, open_browser: bool = True) -> None:
        """Serve the page until Ctrl-C: for this machine alone, unless ``host`` says otherwise (``explorer.serve``).

        ``port`` 0 is a free one. A CenoteError for a port that is taken and for a host that is not this machine's.
        """
        from .serve import serve

        serve(lambda token: self.html(token=token), host=host, port=port, open_browser=open_browser)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from .notebook import bundle

        return bundle(self)

    def __repr__(self) -> str:
        size = " x ".join(str(n) for n in self.input or self.state["shape"])
        made = " x ".join(str(n) for n in self.output)
        return f"{self.call}: {size} -> {made}"


def explore(
    x: Any,
    size: Any = None,
    *,
    op: str = "max",
    form: Literal["sliding", "adaptive", "global"] = "sliding",
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    divisor: Any = None,
    p: float | None = None,
    axes: Axes = None,
    title: str | None = None,
) -> Exploration:
    """A page on which one call of pooling is seen: its windows, winners, divisors and gradients; or a model's maps.

    Parameters
    ----------
    x : array_like, or a Keras or PyTorch model
        The array that is pooled: numbers, bools too. Of further axes (batch, channels) the first maps are offered. Axes
        of more than 512 cells are scaled down, which the page says.
    size : int or tuple of int; with a model: its input
        Window size, or the number of bins of ``form="adaptive"``; as in ``cenote.max_pool``. Left out: 2 (with
        ``form="global"`` there is none). A model's input is one image or a batch, of which the first is shown.
    op : str, default "max"
        An operator of the catalogue.
    form : {"sliding", "adaptive", "global"}
        Which of the three functions of the operator.
    stride, padding, dilation, ceil_mode, axes
        As in ``cenote.max_pool``.
    divisor : optional
        Of averages, as in ``cenote.avg_pool``. Left out, the page compares with what frameworks do when it is left out.
    p : float, optional
        Of norms, as in ``cenote.lp_pool``; left out, 2.
    title : str, optional
        What the array is called on the page.

    Returns
    -------
    Exploration
        Shows itself in a notebook; ``save(path)``, ``serve()``, ``html()``, ``svg()``, ``png()``, ``gif()``.

    Raises
    ------
    CenoteError
        What the pooling function itself would raise; complex numbers; a model without pooling.

    Examples
    --------
    >>> import cenote
    >>> import numpy as np
    >>> page = cenote.explore(np.arange(16.0).reshape(4, 4), 3, stride=2, padding="same")
    >>> page
    max_pool: 4 x 4 -> 2 x 2
    >>> len(page.html()) > 50_000
    True
    """
    from . import models  # which makes pages of what it finds

    if not isinstance(x, np.ndarray) and models.is_model(x):
        said = (op, form, stride, padding, dilation, ceil_mode, divisor, p, axes)
        if said != ("max", "sliding", None, 0, 1, False, None, None, None):
            raise bad(_WHO, "a model's layers have windows of their own", "give the model and its input alone")
        return models.explored(x, size, title=title)
    row = OPS.get(str(op))
    if row is None:
        raise bad(_WHO, f"there is no operator {shown(op)}", f"use one of {', '.join(OPS)}")
    array = _real(x)
    given = {name: value for name, value in {"divisor": divisor, "p": p}.items() if value is not None}
    own = {one.name: given.pop(one.name) for one in row.parameters if one.name in given}
    if given:
        raise bad(_WHO, f"{' and '.join(given)} is not for {op!r}", "drop it, or choose the operator that has it")
    sliding = {"stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil_mode}
    request = _request(array, row, form, size, own, sliding, axes)
    call = request.call(array.shape, array.dtype)
    spatial = tuple(axis + array.ndim for axis in request.axes)
    maps = np.moveaxis(array, spatial, range(-len(spatial), 0))
    lead = maps.shape[: maps.ndim - len(spatial)]
    if 0 in maps.shape:
        raise bad(_WHO, f"the array of shape {array.shape} has no cells", "give one with something to see")
    # A window that was given whole has its stride said wherever it is not the size.
    strided = stride is not None or any(isinstance(r, Slide) and r.stride != r.size for r in request.window.rules)
    words = pages.words_of(request.window, stride=strided, divisor=divisor if op == "avg" else None)
    name = title or "your array"
    scaled = None
    gallery = []
    for at in list(np.ndindex(*lead))[:_MAPS]:
        cells, scaled = pages.fitted(maps[at])
        if scaled is None and not np.array_equal(
            cells.astype(array.dtype), maps[at], equal_nan=array.dtype.kind == "f"
        ):
            scaled = "some of its numbers are rounded, for the page computes in float64"
        _check_fit(request, cells.shape, scaled)
        whole = array.dtype.kind in "iub" and scaled is None
        label = f"{name}, map {', '.join(map(str, at))}" if lead else name
        gallery.append(pages.state(op, words, cells, p=2.0 if p is None else p, title=label, integers=whole))
    count = math.prod(lead)
    few = f"the first {_MAPS} of {count} maps are here" if count > _MAPS else None
    return Exploration(
        gallery[0],
        row.function_name(form),
        tuple(call.out_shape[axis] for axis in spatial),
        tuple(array.shape[axis] for axis in spatial),
        gallery=gallery if lead else [],
        note="; ".join(filter(None, (few, scaled))) or None,
    )


def _check_fit(request: Request, shape: tuple[int, ...], scaled: str | None) -> None:
    """A window may fit the array and not what the page makes of it."""
    try:
        request.window.output_shape(shape, who=_WHO)
    except CenoteError as error:
        raise bad(_WHO, f"{scaled}, and there {str(error).partition(': ')[2]}", "pool a part of the array") from None


def _request(
    array: NDArray[Any], row: Op, form: str, size: Any, own: dict[str, Any], words: dict[str, Any], axes: Axes
) -> Request:
    who = f"{_WHO}: {row.function_name(form) if form in ('sliding', 'adaptive', 'global') else form}"
    if form == "sliding":
        default_size = (2,) if array.ndim == 1 else 2
        return Request.sliding(who, row, array.ndim, default_size if size is None else size, axes=axes, **words, **own)
    defaults = {"stride": None, "padding": 0, "dilation": 1, "ceil_mode": False}
    stray = [name for name, value in words.items() if value is not defaults[name] and value != defaults[name]]
    if form not in ("adaptive", "global"):
        raise bad(_WHO, f"form is sliding, adaptive or global, got {shown(form)}", "leave it out for sliding windows")
    if stray:
        raise bad(_WHO, f"{' and '.join(stray)} belong to sliding windows, and form is {form!r}", "drop one of the two")
    if form == "adaptive":
        return Request.adaptive(who, row, array.shape, 2 if size is None else size, axes=axes, **own)
    if size is not None:
        raise bad(_WHO, f'form="global" has one window over everything, got size {shown(size)}', "leave size out")
    default: Axes = (-2, -1) if array.ndim > 1 else (-1,)
    return Request.global_(who, row, array.ndim, axes=default if axes is None else axes, **own)[0]


def _real(x: ArrayLike) -> NDArray[Any]:
    array = as_array(_WHO, "x", x)
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        way_out = "give its parts one by one" if array.dtype.kind == "c" else "give numbers"
        raise bad_type(_WHO, f"x holds real numbers, got {array.dtype}", way_out)
    return array.astype(np.uint8) if array.dtype.kind == "b" else array
