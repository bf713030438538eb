"""Drawn cases: any operator, type, rank, layout, view and kind of values, and windows with no respect for taste."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from arrays import INTS, VIEWS, values_for
from cases import LAYOUTS, TYPES, Case, options_for
from oracle import Slide, Spans, Split
from windows import Placed

WORDS = ("same", "same_lower", "valid")


@st.composite
def slides(draw: st.DrawFn, length: int, pad: str | None, ceil: bool) -> Slide:
    """A sliding rule that has at least one output on an axis of this length."""
    size = draw(st.integers(1, max(2, min(9, length + 2))))
    dilation = draw(st.sampled_from([1, 1, 1, 2, 3, 7]))
    stride = draw(st.sampled_from([1, 1, 2, 2, 3, 5, size, size + 1]))
    if pad in ("same", "same_lower"):
        return Slide(size, stride, pad, dilation)
    low, high = draw(st.sampled_from([(0, 0), (0, 0), (1, 1), (0, 1), (2, 0), (3, 3), (size, size + 1), (9, 4)]))
    rule = Slide(size, stride, pad or (low, high), dilation, ceil)
    while rule.outputs(length) < 1:
        if rule.dilation > 1:
            rule = Slide(rule.size, stride, rule.pad, 1, ceil)
        else:
            rule = Slide(rule.size - 1, stride, rule.pad, 1, ceil)
    return rule


@st.composite
def tables(draw: st.DrawFn, length: int) -> Spans:
    """Spans in any order: overlapping, empty, far apart, backwards."""
    edge = st.integers(0, length)
    rows = draw(st.lists(st.tuples(edge, edge, st.integers(1, 5)), min_size=1, max_size=6))
    return Spans(tuple((min(a, b), max(a, b), step) for a, b, step in rows))


@st.composite
def any_rule(draw: st.DrawFn, length: int) -> Slide | Split | Spans:
    kind = draw(st.sampled_from(["slide", "split", "table", "table"]))
    if kind == "table":
        return draw(tables(length))
    if kind == "split":
        return Split(draw(st.integers(1, length + 2)))
    pad = draw(st.sampled_from([None, None, "same", "same_lower"]))
    return draw(slides(length, pad, pad is None and draw(st.booleans())))


@st.composite
def placed(draw: st.DrawFn, ranks: tuple[int, ...] = (1, 2, 3)) -> Placed:
    rank = draw(st.sampled_from(ranks))
    longest = {1: 150, 2: 14, 3: 7}[rank]
    lengths = tuple(draw(st.sampled_from([1, 2, 7, 41]) | st.integers(1, longest)) for _ in range(rank))
    lengths = tuple(min(n, longest) for n in lengths)
    kind = draw(st.sampled_from(["slide", "slide", "slide", "slide", "split", "global", "mixed"]))
    if kind == "mixed":
        return Placed(tuple(draw(any_rule(n)) for n in lengths), lengths, mixed=True)
    if kind == "global":
        return Placed((Split(1),) * rank, lengths, draw(st.booleans()))
    if kind == "split":
        return Placed(tuple(Split(draw(st.integers(1, n + 2))) for n in lengths), lengths)
    pad = draw(st.sampled_from([None, None, None, *WORDS]))
    ceil = pad is None and draw(st.booleans())
    return Placed(tuple(draw(slides(n, pad, ceil)) for n in lengths), lengths)


@st.composite
def drawn_cases(draw: st.DrawFn, op: str, types: tuple[str, ...] = (), plain: bool = False) -> Case:
    """`types` restricts the element types; `plain` leaves out the options beside the geometry."""
    window = draw(placed())
    dtype = draw(st.sampled_from(types or TYPES[op]))
    # The oracle counts every tap in Python: keep the work of one example within a fraction of a second.
    work = window.taps * math.prod(r.outputs(n) for r, n in zip(window.rules, window.lengths, strict=True))
    lead = draw(st.sampled_from([(1, 1), (2, 3), (1, 37), (5, 1)])) if work < 800 else (1, 1)
    options = {} if plain else draw(st.sampled_from(options_for(op, dtype, window.taps)))
    if not plain and op == "avg" and dtype not in INTS and draw(st.integers(0, 7)) == 0:
        options = {**options, "divisor": draw(st.sampled_from([1, 7, -3, 2.5, 0.1]))}
    return Case(
        op,
        window,
        dtype,
        draw(st.sampled_from(LAYOUTS)),
        lead,
        draw(st.sampled_from(VIEWS)),
        draw(st.sampled_from(values_for(dtype))),
        tuple(options.items()),
        draw(st.integers(0, 2**16)),
    )


__all__ = ["drawn_cases", "placed", "slides"]
