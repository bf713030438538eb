"""Scene: one call of pooling with all that a picture of it shows. Values and winners are those of the compiled core."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cenote.catalogue import OPS
from cenote.errors import bad, shown
from cenote.geometry import AxisSpans, Slide, Window
from cenote.geometry.rules import Rule
from cenote.ops import functions

from .. import compiled
from ..data import Json

Array = NDArray[Any]

_WHO: Final = "scene"


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """One axis of the input: its cells, the padding around them, and by how much the last window hangs over that."""

    rule: Rule
    spans: AxisSpans
    lo: int
    hi: int
    over: int
    unread: NDArray[np.bool_]
    """Of every cell, whether no window reads it: the floor of the output length drops it, or a stride steps over it."""

    @classmethod
    def of(cls, rule: Rule, length: int) -> Axis:
        """The axis of a rule."""
        spans = rule.spans(length)
        lo, hi = rule.pads(length) if isinstance(rule, Slide) else (0, 0)
        last = (len(spans) - 1) * rule.stride - lo + rule.extent - 1 if isinstance(rule, Slide) else 0
        unread = np.ones(length, dtype=np.bool_)
        for taps in spans:
            unread[taps.start : taps.stop : taps.step] = False
        return cls(rule, spans, lo, hi, max(0, last - (length + hi - 1)), unread)

    @property
    def length(self) -> int:
        """Cells of the input."""
        return self.spans.length

    @property
    def whole(self) -> int:
        """Cells, padding and overhang."""
        return self.lo + self.length + self.hi + self.over

    def taps(self, output: int) -> range:
        """Places of every tap of an output, those in padding below 0 or beyond the end."""
        if not isinstance(self.rule, Slide):
            return self.spans[output]
        start = output * self.rule.stride - self.lo
        return range(start, start + self.rule.extent, self.rule.dilation)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One call: an array of one to three axes, all of them pooled, and what came of it.

    ``winners`` are flat cells, -1 where a window has none, and None for what selects nothing. ``focus`` is the flat
    output whose window is shown.
    """

    op: str
    window: Window
    values: Array
    outputs: Array
    winners: NDArray[np.int64] | None = None
    divisor: str | float = "inside"
    p: float = 2.0
    focus: int = 0
    title: str = ""
    axes: tuple[Axis, ...] = field(init=False)

    def __post_init__(self) -> None:
        if self.op not in OPS:
            raise bad(_WHO, f"there is no operator {shown(self.op)}", f"use one of {', '.join(OPS)}")
        shape = self.values.shape
        if not 1 <= len(shape) <= 3:
            raise bad(_WHO, f"an array of {len(shape)} axes", "pictures are of one to three pooled axes")
        expected = self.window.output_shape(shape, who=_WHO)
        found = [array.shape for array in (self.outputs, self.winners) if array is not None]
        if any(one != expected for one in found):
            raise bad(_WHO, f"outputs of shape {found[0]} where the window makes {expected}", "pass those of this call")
        if not 0 <= self.focus < self.outputs.size:
            raise bad(_WHO, f"focus is an output below {self.outputs.size}, got {self.focus}", "choose one of them")
        axes = tuple(Axis.of(rule, length) for rule, length in zip(self.window.rules, shape, strict=True))
        object.__setattr__(self, "axes", axes)

    @classmethod
    def of(
        cls,
        x: ArrayLike,
        window: Window,
        op: str = "max",
        *,
        divisor: str | float = "inside",
        p: float = 2.0,
        focus: int = 0,
        title: str = "",
    ) -> Scene:
        """Pool an array over all of its axes and make a scene of it."""
        values = np.asarray(x)
        if op not in OPS:
            raise bad(_WHO, f"there is no operator {shown(op)}", f"use one of {', '.join(OPS)}")
        row = OPS[op]
        own = {"divisor": divisor, "p": p, "return_indices": True}
        taken = {parameter.name: own[parameter.name] for parameter in row.parameters if parameter.name in own}
        made = functions()[f"{op}_pool"](values, window, axes=tuple(range(values.ndim)), **taken)
        outputs, winners = made if row.selects else (made, None)
        return cls(op, window, values, outputs, winners, divisor, float(p), focus, title)

    def place(self, output: int) -> tuple[int, ...]:
        """Coordinates of an output."""
        return tuple(int(i) for i in np.unravel_index(output, self.outputs.shape))

    def cells(self, output: int) -> NDArray[np.int64]:
        """Flat cells of a window, padding left out, in row-major order."""
        flat = np.zeros(1, dtype=np.int64)
        for axis, i in zip(self.axes, self.place(output), strict=True):
            flat = (flat[:, None] * axis.length + np.asarray(axis.spans[i], dtype=np.int64)).ravel()
        return flat

    def winner(self, output: int) -> int | None:
        """The cell that won, if one did."""
        if self.winners is None:
            return None
        found = int(self.winners.reshape(-1)[output])
        return None if found < 0 else found

    def ties(self, output: int) -> list[int]:
        """The cells that equal the winner, itself among them; none beside a NaN."""
        winner = self.winner(output)
        if winner is None:
            return []
        values = self.values.reshape(-1)
        cells = self.cells(output)
        return [int(cell) for cell in cells[values[cells] == values[winner]]]

    def counted(self, rule: str, output: int) -> int:
        """How many taps of a window a divisor rule counts: those that are "inside", "padded", or the whole "window"."""
        name = {"inside": "count"}.get(rule, rule)
        places = zip(self.axes, self.place(output), strict=True)
        return reduce(lambda product, pair: product * int(getattr(pair[0].spans, name)[pair[1]]), places, 1)

    def divided_by(self, output: int) -> float:
        """What the sum of an average is divided by."""
        return self.counted(self.divisor, output) if isinstance(self.divisor, str) else self.divisor


def scene(state: Json) -> Scene:
    """The scene of a page's state (see ``explorer.data``); its filter, if it has one, only the page knows."""
    values = compiled.cells_of(state)
    outputs, winners = compiled.pooled(state)
    window, divisor = compiled.window_of(state["words"], values.shape)
    return Scene(
        state["op"],
        window,
        values.astype(np.int64) if state.get("integers") is True else values,
        outputs,
        winners,
        "inside" if divisor is None else divisor,
        float(state.get("p", 2.0)),
        min(int((state.get("look") or {}).get("focus", 0)), outputs.size - 1),
        str(state.get("title", "")),
    )
