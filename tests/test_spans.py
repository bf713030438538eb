"""Geometry against brute force: taps, output shapes, halos, receptive fields. Pure integers, so always exact."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import cenote
import oracle
from cases import cenote_window
from cenote.geometry import Layer, walk
from strategies import tables

lengths = st.integers(1, 60)
small = st.integers(1, 9)
pads = st.tuples(st.integers(0, 12), st.integers(0, 12)) | st.sampled_from(["same", "same_lower", "valid"])


@st.composite
def slides(draw: st.DrawFn) -> oracle.Slide:
    pad = draw(pads)
    ceil = not isinstance(pad, str) and draw(st.booleans())
    return oracle.Slide(draw(small), draw(st.integers(1, 12)), pad, draw(st.sampled_from([1, 1, 2, 3, 11])), ceil)


def library(rule):
    """The library's rule for the oracle's."""
    return cenote_window((rule,)).rules[0]


def arguments(rules):
    """Sliding rules as the arguments of a pooling function."""
    pad = rules[0].pad if isinstance(rules[0].pad, str) else tuple(r.pad for r in rules)
    rest = {"stride": tuple(r.stride for r in rules), "dilation": tuple(r.dilation for r in rules), "padding": pad}
    return (tuple(r.size for r in rules),), {**rest, "ceil_mode": rules[0].ceil}


def check_axis(rule, length: int) -> None:
    mine, theirs = rule.bins(length), library(rule).spans(length)
    assert theirs.length == length
    assert len(theirs) == len(mine) == library(rule).output_length(length)
    assert [tuple(taps) for taps in theirs] == [b.taps for b in mine]
    assert theirs.count.tolist() == [len(b.taps) for b in mine]
    assert theirs.padded.tolist() == [b.padded for b in mine]
    assert theirs.window.tolist() == [b.window for b in mine]
    for name in ("start", "count", "step", "padded", "window"):
        assert getattr(theirs, name).dtype == np.int64


@given(rule=slides(), length=lengths)
def test_slides(rule: oracle.Slide, length: int) -> None:
    mine = library(rule)
    assert mine.extent == rule.extent
    assert mine.pads(length) == rule.pads(length)
    if rule.outputs(length) < 1:
        with pytest.raises(cenote.CenoteError, match=f"{length}"):
            mine.output_length(length)
    else:
        check_axis(rule, length)


@given(length=lengths, parts=st.integers(1, 80))
def test_splits(length: int, parts: int) -> None:
    check_axis(oracle.Split(parts), length)


@given(data=st.data(), length=lengths)
def test_tables(data: st.DataObject, length: int) -> None:
    check_axis(data.draw(tables(length)), length)


@pytest.mark.parametrize("length", [1, 2, 7, 41])
def test_every_small_slide(length: int) -> None:
    """Exhaustive where mistakes by one live."""
    numbers = itertools.product((1, 2, 3), (1, 2, 3), (1, 2), (0, 1, 2), (0, 1, 2), (False, True))
    for size, stride, dilation, low, high, ceil in numbers:
        rule = oracle.Slide(size, stride, (low, high), dilation, ceil)
        if rule.outputs(length) >= 1:
            check_axis(rule, length)


@given(data=st.data(), rank=st.integers(1, 3))
def test_output_shape_of_the_whole_array(data: st.DataObject, rank: int) -> None:
    shape = data.draw(st.lists(st.integers(1, 20), min_size=rank, max_size=5))
    axes = data.draw(st.permutations(range(len(shape))))[:rank]
    first = data.draw(slides())
    rules = [first]
    for _ in axes[1:]:
        other = data.draw(slides())
        pad = first.pad if isinstance(first.pad, str) else (other.pad if not isinstance(other.pad, str) else (0, 0))
        rules.append(oracle.Slide(other.size, other.stride, pad, other.dilation, first.ceil))
    assume(all(r.outputs(shape[a]) >= 1 for r, a in zip(rules, axes, strict=True)))
    args, keywords = arguments(rules)
    want = oracle.output_shape(shape, rules, axes)
    assert cenote.output_shape(tuple(shape), *args, axes=tuple(axes), **keywords) == want
    window = cenote.Window(tuple(map(library, rules)))
    assert window.output_shape([shape[a] for a in axes]) == tuple(want[a] for a in axes)


@given(data=st.data(), length=lengths)
def test_halo_is_what_a_slice_needs_and_no_more(data: st.DataObject, length: int) -> None:
    rule = data.draw(slides() | st.builds(oracle.Split, st.integers(1, 20)) | tables(length))
    assume(rule.outputs(length) >= 1)
    first = data.draw(st.integers(0, rule.outputs(length) - 1))
    last = data.draw(st.integers(first + 1, rule.outputs(length)))
    (halo,) = cenote.Window((library(rule),)).halo((length,), (slice(first, last),))
    taps = [t for b in rule.bins(length)[first:last] for t in b.taps]
    assert (halo.start, halo.stop) == ((min(taps), max(taps) + 1) if taps else (0, 0))


@given(rule=slides(), length=lengths, data=st.data())
def test_a_slice_pooled_from_its_halo_alone(rule: oracle.Slide, length: int, data: st.DataObject) -> None:
    """Sufficient in practice: the cells of the halo, padded as it says, give the slice of the result."""
    assume(rule.outputs(length) >= 1)
    first = data.draw(st.integers(0, rule.outputs(length) - 1))
    last = data.draw(st.integers(first + 1, rule.outputs(length)))
    assume(any(b.taps for b in rule.bins(length)[first:last]))
    x = np.random.default_rng(length).integers(-99, 99, length)
    args, keywords = arguments([rule])
    whole = cenote.max_pool(x, *args, **keywords)
    (halo,) = cenote.Window((library(rule),)).halo((length,), (slice(first, last),))
    keywords.update(padding=((halo.before, halo.after),), ceil_mode=False)
    part = cenote.max_pool(x[halo.start : halo.stop], *args, **keywords)
    assert part.tolist() == whole[first:last].tolist()


@given(data=st.data(), count=st.integers(1, 4))
def test_receptive_field_and_jump(data: st.DataObject, count: int) -> None:
    """Against the cells that two neighbouring outputs of the whole chain really reach."""
    rules = [
        oracle.Slide(data.draw(st.integers(1, 4)), data.draw(st.integers(1, 3)), (0, 0), data.draw(st.integers(1, 2)))
        for _ in range(count)
    ]
    length = 400
    layers = [Layer(f"layer{i}", cenote.Window((library(r),))) for i, r in enumerate(rules)]
    steps = walk((length,), layers)
    reach = [(i, i) for i in range(length)]
    for rule, step in zip(rules, steps, strict=True):
        bins = rule.bins(len(reach))
        assert (step.input, step.output) == ((len(reach),), (len(bins),))
        reach = [(reach[b.taps[0]][0], reach[b.taps[-1]][1]) for b in bins]
        assert step.receptive == (reach[0][1] - reach[0][0] + 1,)
        if len(reach) > 1:
            assert step.jump == (reach[1][0] - reach[0][0],)


@pytest.mark.parametrize("length", [2**31, 2**40, 2**62])
def test_huge_lengths_are_counted_without_being_walked(length: int) -> None:
    assert cenote.output_shape((length,), (3,), stride=2) == ((length - 3) // 2 + 1,)
    assert cenote.output_shape((length,), (3,), stride=2, padding="same") == (-(-length // 2),)
    assert cenote.output_shape((length,), (2**20,), padding=5) == ((length + 10) // 2**20,)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: cenote.Slide(3).output_length(4.0), "Slide: .*4.0"),
        (lambda: cenote.Slide(3).spans("4"), "Slide: .*'4'"),
        (lambda: cenote.Slide(3).output_length(True), "Slide: .*True"),
        (lambda: cenote.Slide(3).output_length(-1), "Slide: .*-1"),
        (lambda: cenote.Split(3).output_length(None), "Split: .*None"),
        (lambda: cenote.Split(3).spans(4.5), "Split: .*4.5"),
        (lambda: cenote.Spans([(0, 2)]).output_length(4.5), "Spans: .*4.5"),
        (lambda: cenote.Spans([(0, 2)]).spans(4.5), "Spans: .*4.5"),
        (lambda: cenote.Window.of(3).output_shape(5), "Window: .*5"),
        (lambda: cenote.Window.of(3).output_shape((5.0,)), "Window: .*5.0"),
        (lambda: cenote.Window.of(3).output_shape((5, 5)), "Window: "),
        (lambda: cenote.Window.of(3).spans(5), "Window: .*5"),
        (lambda: cenote.Window.of(3).halo(8, (slice(0, 1),)), "Window.halo: .*8"),
        (lambda: cenote.Window.of(3).halo((8,), (3,)), "Window.halo: .*3"),
        (lambda: cenote.Window.of(3).halo((8,), slice(0, 1)), "Window.halo: "),
        (lambda: cenote.Window.of(3).halo((8,), (slice(0, 1, 2),)), "Window.halo: "),
        (lambda: cenote.Window.of(3).halo((8,), (slice(0, 1.5),)), "Window.halo: "),
    ],
)
def test_lengths_and_slices_that_make_no_sense(call: Callable[[], object], said: str) -> None:
    with pytest.raises(cenote.CenoteError, match=rf"^{said}.*; "):
        call()
