"""THE table of ordinary cases: operator x type x rank x layout x window x view x values.

Several test files loop over it; `mutants.py` is measured by it. Nothing here computes: a case says what to
call (`Case.call`) and what the windows are in the oracle's words (`Case.rules`, in the order of `Case.axes`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np

from arrays import COMPLEX, FLOATS, INTS, VIEWS, make, seed_of, values_for
from oracle import OPERATORS, Spans, Split, result_dtype
from windows import Placed, windows

SHORT = {"float": "f", "bfloat": "bf", "int": "i", "uint": "u", "complex": "c"}
TYPES = {
    "max": ("bool", *INTS, *FLOATS),
    "min": ("bool", *INTS, *FLOATS),
    "avg": ("bool", *INTS, *FLOATS, *COMPLEX),
    "sum": ("bool", *INTS, *FLOATS, *COMPLEX),
    "lp": ("bool", *INTS, *FLOATS),
}


def options_for(op: str, dtype: str, taps: int) -> tuple[dict[str, Any], ...]:
    """Options beside the geometry; the cases take them in turn."""
    if op == "avg":
        if dtype == "bool":
            return ({"dtype": "float32"}, {"dtype": "float64", "divisor": "padded"})
        wide = ({"dtype": "float64"},) if dtype not in COMPLEX else ()
        # A number for all windows; of whole numbers one that is not below the taps, so that no average overflows.
        number = taps + 1 if dtype in INTS else 3
        return ({}, {"divisor": "padded"}, {"divisor": "window"}, {"divisor": number}, *wide)
    if op == "sum":
        if dtype in COMPLEX:
            return ({},)
        return ({}, {"dtype": "float64"}) + (() if dtype in FLOATS else ({"dtype": "int16"}, {"dtype": "uint32"}))
    if op == "lp":
        return ({}, {"p": 1}, {"p": 3.0}, {"p": math.inf}, {"p": 0.5}, {"p": 2.5})
    return ({},)


LAYOUTS = ("first", "last", "between", "permuted", "bare")


def short(dtype: str) -> str:
    stem = dtype.rstrip("0123456789")
    return SHORT.get(stem, stem) + dtype[len(stem) :]


@dataclass(frozen=True)
class Case:
    op: str
    window: Placed  # rules[i] and lengths[i] belong to axes[i]
    dtype: str = "float32"
    layout: str = "first"
    lead: tuple[int, int] = (2, 3)  # batch and channels
    view: str = "plain"
    values: str = "random"
    options: tuple[tuple[str, Any], ...] = ()
    salt: int = 0  # other values and spellings of the same case

    @property
    def id(self) -> str:
        words = [self.op, self.window.name, short(self.dtype), self.layout, self.view, self.values]
        words += [f"{k}={v}" for k, v in self.options]
        return "-".join(words)

    @property
    def rules(self) -> tuple[Any, ...]:
        return self.window.rules

    @property
    def rank(self) -> int:
        return len(self.rules)

    @property
    def keepdims(self) -> bool | None:
        return self.window.keepdims

    @cached_property
    def _layout(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The whole shape, and the axes in the order in which they are named."""
        (n, c), lengths, rank = self.lead, self.window.lengths, self.rank
        if self.layout == "first":
            return (n, c, *lengths), tuple(range(2, 2 + rank))
        if self.layout == "last":
            return (n, *lengths, c), tuple(range(1, 1 + rank))
        if self.layout == "bare":
            return lengths, tuple(range(rank))
        if self.layout == "between":  # pooled and other axes in turn
            shape = [n, *(m for length in lengths[:-1] for m in (length, 2)), lengths[-1], c]
            return tuple(shape), tuple(range(1, 2 * rank, 2))
        # permuted: the last named axis is the first of the array
        return (n, c, *reversed(lengths)), tuple(range(1 + rank, 1, -1))

    @property
    def shape(self) -> tuple[int, ...]:
        return self._layout[0]

    @property
    def axes(self) -> tuple[int, ...]:
        return self._layout[1]

    @cached_property
    def seed(self) -> int:
        return seed_of(self.id, self.shape, self.salt)

    @cached_property
    def x(self) -> np.ndarray:
        return make(self.shape, self.dtype, self.values, self.view, self.seed)

    @property
    def parameters(self) -> dict[str, Any]:
        return dict(self.options)

    @property
    def result_dtype(self) -> np.dtype:
        return result_dtype(self.op, self.x.dtype, self.parameters.get("dtype"))

    @property
    def function(self) -> str:
        if self.keepdims is not None:
            return f"global_{self.op}_pool"
        adaptive = isinstance(self.rules[0], Split) and not self.window.mixed
        return f"{'adaptive_' if adaptive else ''}{self.op}_pool"

    @cached_property
    def call(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments after x of the public function, in one of the spellings that the contract allows."""
        keywords = self.parameters
        turn = self.seed % 2
        if not (self.layout == "first" and turn and self.keepdims is None):
            keywords["axes"] = self.axes if turn else tuple(a - len(self.shape) for a in self.axes)
        if self.keepdims is not None:
            return (), {**keywords, "keepdims": self.keepdims}
        if self.window.mixed:
            return (cenote_window(self.rules),), keywords
        if isinstance(self.rules[0], Split):
            return (tuple(r.parts for r in self.rules),), keywords
        pads = [r.pad for r in self.rules]
        if isinstance(pads[0], str):
            keywords["padding"] = pads[0]
        elif len(set(pads)) == 1 and pads[0][0] == pads[0][1]:
            keywords["padding"] = pads[0][0]
        else:
            keywords["padding"] = tuple(lo if lo == hi else (lo, hi) for lo, hi in pads)
        for word, values, default in (
            ("stride", tuple(r.stride for r in self.rules), tuple(r.size for r in self.rules)),
            ("dilation", tuple(r.dilation for r in self.rules), (1,) * self.rank),
        ):
            if values != default or turn:
                keywords[word] = values[0] if len(set(values)) == 1 and turn else values
        if self.rules[0].ceil:
            keywords["ceil_mode"] = True
        return (tuple(r.size for r in self.rules),), keywords

    def shaped(self, values: np.ndarray) -> np.ndarray:
        """The oracle keeps every axis; global pooling without keepdims drops the pooled ones."""
        if self.keepdims is False:
            return values.reshape([n for a, n in enumerate(values.shape) if a not in self.axes])
        return values


def cenote_window(rules: tuple[Any, ...]) -> Any:
    """The library's Window for the oracle's rules."""
    import cenote

    def rule(r: Any) -> Any:
        if isinstance(r, Split):
            return cenote.Split(r.parts)
        if isinstance(r, Spans):
            return cenote.Spans(r.table)
        return cenote.Slide(r.size, r.stride, r.dilation, r.pad, r.ceil)

    return cenote.Window(tuple(map(rule, rules)))


def cases(op: str, *, ranks: tuple[int, ...] = (1, 2, 3)) -> list[Case]:
    """Every window of every rank in every layout; types, views, values and options take turns.

    A type turns with the window, so that every type meets every rank and layout; the other turns have lengths
    without a common factor, so that they meet each other too. `test_cases.py` asserts what is covered.
    """
    if op not in TYPES:
        raise NotImplementedError(f"no ordinary cases for the operator {op!r}: add it to tests/cases.py")
    found = []
    turn = count()
    for rank in ranks:
        for w, window in enumerate(windows(rank)):
            for at, layout in enumerate(LAYOUTS):
                i = next(turn)
                dtype = TYPES[op][(w + at * 2) % len(TYPES[op])]
                lead = ((2, 3), (1, 2), (3, 1), (1, 5))[i % 4]
                if math.prod(window.lengths) > 200:  # the oracle counts every tap in Python
                    lead = (1, 2)
                if layout == "last" and rank == 1 and w % 5 == 0:
                    lead = (1, 37)  # more channels than the lanes of a vector, and an odd number of them
                options = options_for(op, dtype, window.taps)
                kinds = values_for(dtype)
                found.append(
                    Case(
                        op,
                        window,
                        dtype,
                        layout,
                        lead,
                        VIEWS[i % len(VIEWS)],
                        kinds[(i // 3) % len(kinds)],
                        tuple(options[(i // 2) % len(options)].items()),
                    )
                )
    return found


__all__ = ["LAYOUTS", "OPERATORS", "TYPES", "Case", "cases", "options_for", "short"]
