"""From options to a Window, and from a Window to the arguments of a public function."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cenote.geometry import Axes, Split, Window, pooled_axes

from .errors import Usage

_WHOLE: Final = r"\d+(x\d+)*"
_SIDE: Final = r"(\d+(:\d+)?|valid|same|same_lower)"
_FORMS: Final = {
    "size": (_WHOLE, "3 or 3x2"),
    "stride": (_WHOLE, "2 or 2x1"),
    "padding": (f"{_SIDE}(x{_SIDE})*", "1, 1x0, 0:1 (before:after), valid, same or same_lower"),
    "dilation": (_WHOLE, "2 or 2x1"),
    "adaptive": (_WHOLE, "7 or 7x5"),
}
WAYS: Final = "--size 2, --window 3x3/2+1, --adaptive 7x7 or --global"


def notation(
    *,
    window: str | None,
    size: str | None,
    stride: str | None,
    padding: str | None,
    dilation: str | None,
    ceil: bool,
    adaptive: str | None,
    global_: bool,
) -> str:
    """The one window the options ask for, in the notation of ``Window.parse``."""
    ways = {"--window": window, "--size": size, "--adaptive": adaptive, "--global": global_ or None}
    given = [name for name, value in ways.items() if value is not None]
    if not given:
        raise Usage(f"the window is missing; give {WAYS}")
    if len(given) > 1:
        raise Usage(f"{' and '.join(given)} contradict each other; give one of {WAYS}")
    details = {"--stride": stride, "--padding": padding, "--dilation": dilation, "--ceil": ceil or None}
    stray = [name for name, value in details.items() if value is not None]
    if stray and size is None:
        if window is None:
            raise Usage(f"{' and '.join(stray)} belong to a sliding window, not to {given[0]}; give --size as well")
        raise Usage(f"{' and '.join(stray)} cannot be added to --window; write SIZE/STRIDE+PADDING@DILATION^ in one")
    if window is not None:
        return window.strip()
    if adaptive is not None:
        return ">" + _formed("adaptive", adaptive)
    if size is None:
        return "*"
    parts = [_formed("size", size)]
    parts += [mark + _formed(name, value) for mark, name, value in _marked(stride, padding, dilation)]
    return "".join(parts) + ("^" if ceil else "")


def _marked(*values: str | None) -> list[tuple[str, str, str]]:
    names = (("/", "stride"), ("+", "padding"), ("@", "dilation"))
    return [(mark, name, value) for (mark, name), value in zip(names, values, strict=True) if value is not None]


def _formed(name: str, value: str) -> str:
    form, example = _FORMS[name]
    if not re.fullmatch(form, value):
        raise Usage(f"--{name} {value!r} cannot be read; write {example}")
    return value


@dataclass(frozen=True, slots=True)
class Pooling:
    """A window together with the axes of an array it pools."""

    window: Window
    axes: tuple[int, ...]
    form: str
    """The form of the public function: "sliding", "adaptive" or "global"."""

    def lengths(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The lengths of the pooled axes."""
        return tuple(shape[axis] for axis in self.axes)

    def output_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The whole shape after pooling, or the error that says why there is none."""
        out = list(shape)
        pooled = self.window.output_shape(self.lengths(shape), who="pool", axes=self.axes)
        for axis, length in zip(self.axes, pooled, strict=True):
            out[axis] = length
        return tuple(out)

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional (after the array) and keyword arguments of the public function."""
        if self.form == "global":
            return (), {"axes": self.axes, "keepdims": True}
        if self.form == "adaptive":
            return (tuple(rule.parts for rule in self.window.rules if isinstance(rule, Split)),), {"axes": self.axes}
        return (self.window,), {"axes": self.axes}


def check(text: str) -> None:
    """Read the notation on its own, so that a slip in it is not blamed on a file."""
    Window.parse(text, who="pool")


def one_number(text: str) -> bool:
    """Whether the window says the same for every axis, however many there are."""
    return Window.parse(text, who="pool").rank == 1


def pooling(text: str, axes: Axes, ndim: int) -> Pooling:
    """The window ``text`` on an array of ``ndim`` dimensions."""
    parsed = Window.parse(text, who="pool")
    # One entry stands for every pooled axis, as an int size does in Python.
    found = pooled_axes("pool", axes, ndim, None if parsed.rank == 1 else parsed.rank)
    window = Window.parse(text, len(found), who="pool")
    return Pooling(window, found, _form(window))


def _form(window: Window) -> str:
    splits = [rule for rule in window.rules if isinstance(rule, Split)]
    if len(splits) < window.rank:
        return "sliding"  # the sliding functions take any Window
    return "global" if all(rule.parts == 1 for rule in splits) else "adaptive"


def read_axes(text: str | None) -> Axes:
    """``--axes``: a layout such as HWC, or numbers such as 0,1."""
    if text is None:
        return None
    if re.fullmatch(r"-?\d{1,4}(,-?\d{1,4})*", text):
        return tuple(int(number) for number in text.split(","))
    return text
