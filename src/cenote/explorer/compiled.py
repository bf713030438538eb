"""What the compiled core makes of a state of the page: every word checked, nothing that would take minutes begun."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from cenote.catalogue import OPS
from cenote.errors import bad, bad_type, shown
from cenote.geometry import Slide, Split, Window
from cenote.ops import functions

from . import data as pages
from .reading import Unreadable

#: Cells that a page takes, its results among them.
MOST_CELLS: Final = 1 << 20
#: Taps of a call that are computed while a page waits: a second or so.
MOST_TAPS: Final = 1 << 30

_AXES: Final = 3
_AS_SHOWN: Final = "send what the page shows"
_WORDS: Final = {"NaN": math.nan, "inf": math.inf, "-inf": -math.inf, "-0": -0.0}


def pool(content: bytes) -> pages.Json:
    """The answer to a state as JSON: ``shape``, packed ``values`` and ``winners`` (or None)."""
    values, winners = pooled(_json(content))
    return {
        "shape": list(values.shape),
        "values": pages.packed(values),
        "winners": None if winners is None else pages.packed(winners),
    }


def pooled(state: pages.Json) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
    """Values of a state's outputs, and the flat cells that won (None where nothing wins)."""
    op = _among(state.get("op"), tuple(OPS), "op")
    if state.get("filter") is not None:
        raise bad(
            "filter", f"is {shown(state['filter'])}, and the core only pools", "send the filtered array, and null"
        )
    x = cells_of(state)
    window, divisor = window_of(state.get("words"), x.shape)
    own: dict[str, Any] = {}
    if op == "avg":
        own["divisor"] = "inside" if divisor is None else divisor
    if op == "lp":
        own["p"] = _number(state.get("p", 2.0), "p")
    if op in ("max", "min"):
        own["return_indices"] = True
    if state.get("integers") is True:
        if not (np.isfinite(x).all() and (x == np.trunc(x)).all() and (np.abs(x) < 2.0**63).all()):
            raise bad("integers", "is said, and some values are not whole", "drop it")
        x = x.astype(np.int64)
    _bounded(window, x.shape)
    found = functions()[f"{op}_pool"](x, window, axes=tuple(range(x.ndim)), **own)
    return found if isinstance(found, tuple) else (found, None)


def _json(content: bytes) -> dict[str, Any]:
    def constant(word: str) -> NoReturn:
        raise ValueError(f"{word} is written as a string")

    try:
        found = json.loads(content.decode("utf-8"), parse_constant=constant)
    except (ValueError, RecursionError) as error:
        said = "it is nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())
        raise Unreadable(f"the state: is no JSON ({said}); {_AS_SHOWN}") from None
    if not isinstance(found, dict):
        raise bad("the state", f"is an object, got {shown(found)}", _AS_SHOWN)
    return found


def cells_of(state: dict[str, Any]) -> NDArray[np.float64]:
    """The array of a state."""
    shape = _whole_numbers(state.get("shape"), "shape")
    if not 1 <= len(shape) <= _AXES or min(shape) < 0:
        raise bad("shape", f"is one to three lengths, got {shown(shape)}", _AS_SHOWN)
    cells = math.prod(shape)
    if cells > MOST_CELLS:
        raise bad("shape", f"has {cells:,} cells", f"send at most {MOST_CELLS:,}")
    given = state.get("values")
    values = _unpacked(given) if isinstance(given, dict) else _list(given, "values")
    if values.size != cells:
        raise bad("values", f"are {values.size:,} for a shape of {cells:,} cells", "send one for each cell")
    return values.reshape(shape)


def _unpacked(given: dict[str, Any]) -> NDArray[np.float64]:
    """What ``data.packed`` makes, read again."""
    dtype = _among(given.get("dtype"), ("u1", "f4", "f8"), "values.dtype")
    text = given.get("data")
    try:
        found = base64.b64decode(text if type(text) is str else "!", validate=True)
        return np.frombuffer(found, dtype=np.dtype(dtype).newbyteorder("<")).astype(np.float64)
    except (ValueError, binascii.Error):
        raise bad("values.data", f"is base64 of whole numbers of {dtype}, got {shown(text)}", _AS_SHOWN) from None


def _list(given: Any, name: str) -> NDArray[np.float64]:
    if not isinstance(given, list):
        raise bad_type(name, f"is a list of numbers or packed, got {shown(given)}", _AS_SHOWN)
    return np.array([_number(value, name) for value in given], dtype=np.float64)


def window_of(words: Any, shape: tuple[int, ...]) -> tuple[Window, Any]:
    """The window and the divisor that the words of a state say."""
    if not isinstance(words, dict):
        raise bad_type("words", f"is an object, got {shown(words)}", _AS_SHOWN)
    form = _among(words.get("form"), ("slide", "adaptive", "global"), "form")
    each = _per_axis(len(shape))
    size = each(_whole_numbers(words.get("size"), "size"), "size")
    divisor = words.get("divisor")
    if divisor not in (None, "inside", "padded", "window"):
        divisor = _number(divisor, "divisor")
    if form != "slide":
        return Window(tuple(Split(1 if form == "global" else parts) for parts in size)), divisor
    stride = words.get("stride")
    strides = size if stride is None else each(_whole_numbers(stride, "stride"), "stride")
    dilations = each(_whole_numbers(words.get("dilation"), "dilation"), "dilation")
    pads = [_pad(entry) for entry in each(words.get("padding"), "padding")]
    ceil = words.get("ceil")
    if ceil not in (None, True, False):
        raise bad_type("ceil", f"is true, false or null, got {shown(ceil)}", _AS_SHOWN)
    axes = zip(size, strides, dilations, pads, strict=True)
    return Window(tuple(Slide(k, s, d, pad, ceil is True) for k, s, d, pad in axes)), divisor


def _per_axis(rank: int) -> Callable[[Any, str], list[Any]]:
    def each(entries: Any, name: str) -> list[Any]:
        if not isinstance(entries, list) or len(entries) != rank:
            raise bad(name, f"has one entry per axis ({rank}), got {shown(entries)}", _AS_SHOWN)
        return entries

    return each


def _pad(entry: Any) -> tuple[int, int] | str:
    if entry in ("same", "same_lower"):
        return str(entry)
    pair = _whole_numbers(entry, "padding")
    if len(pair) != 2:
        raise bad("padding", f"is a pair or a word, got {shown(entry)}", 'write [1, 1] or "same"')
    return pair[0], pair[1]


def _bounded(window: Window, shape: tuple[int, ...]) -> None:
    """A page waits for the answer: what would take minutes or gigabytes is refused before it begins."""
    lengths = window.output_shape(shape)
    results = math.prod(lengths)
    taps = results * math.prod(
        min(length, rule.size if isinstance(rule, Slide) else -(-length // out) + 1)
        for rule, length, out in zip(window.rules, shape, lengths, strict=True)
    )
    if results > MOST_CELLS or taps > MOST_TAPS:
        problem = f"makes {results:,} results of up to {taps:,} taps"
        raise bad("the window", problem, "use a larger stride, a smaller window or a smaller array")


def _whole_numbers(given: Any, name: str) -> list[int]:
    if not isinstance(given, list) or not all(type(value) is int for value in given):
        raise bad_type(name, f"is a list of whole numbers, got {shown(given)}", _AS_SHOWN)
    if any(abs(value) > 2**31 for value in given):
        raise bad(name, f"is at most 2^31, got {shown(given)}", "use smaller numbers")
    return given


def _number(given: Any, name: str) -> float:
    if type(given) is str and given in _WORDS:
        return _WORDS[given]
    if type(given) not in (int, float):
        raise bad_type(name, f"holds {shown(given)}, which is no number", 'write a number, "NaN", "inf" or "-inf"')
    try:
        return float(given)
    except OverflowError:
        raise bad(name, f"holds {shown(given)}, which is beyond float64", "use a smaller number") from None


def _among(given: Any, known: tuple[str, ...], name: str) -> str:
    if type(given) is not str or given not in known:
        raise bad(name, f"is one of {', '.join(known)}, got {shown(given)}", _AS_SHOWN)
    return given
