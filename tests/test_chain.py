"""Receptive field and jump of a chain, against what really depends on what."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cenote.geometry import Layer, Slide, Split, Window, arithmetic, walk

LENGTH = 160  # the widest chain drawn sees 79 cells


def depends(windows: list[Window]) -> list[set[int]]:
    """For every last output the input cells it sees, by composing the taps themselves."""
    seen = [{i} for i in range(LENGTH)]
    for window in windows:
        (table,) = window.spans((len(seen),))
        seen = [set().union(*(seen[t] for t in taps)) if len(taps) else set() for taps in table]
    return seen


layers = st.lists(
    st.builds(Slide, st.integers(1, 4), st.integers(1, 3), st.integers(1, 2)).map(lambda rule: Window((rule,))),
    min_size=1,
    max_size=3,
)


@given(layers)
def test_the_field_is_what_an_output_depends_on(windows: list[Window]) -> None:
    steps = walk((LENGTH,), [Layer(str(window), window) for window in windows])
    seen = depends(windows)
    assert steps[-1].output == (len(seen),)
    # without padding every output sees its whole field
    assert {max(cells) - min(cells) + 1 for cells in seen} == {steps[-1].receptive[0]}
    distances = set(np.diff([min(cells) for cells in seen]).tolist())
    assert distances <= {steps[-1].jump[0]}


def test_the_tutorials() -> None:
    chain = [Layer("conv3", Window.parse("3x3/1")), Layer("pool2", Window.parse("2x2"))]
    assert [step.output for step in walk((28, 28), chain)] == [(26, 26), (13, 13)]
    same = [Layer("conv3", Window.parse("3x3/1+same")), Layer("pool2", Window.parse("2x2"))]
    assert [step.output for step in walk((20, 20), same)] == [(20, 20), (10, 10)]


def test_after_uneven_bins_there_is_no_jump() -> None:
    chain = [Layer("adaptive", Window.parse(">4")), Layer("pool2", Window.parse("2"))]
    steps = walk((10,), chain)
    assert [step.jump for step in steps] == [(None,), (None,)]
    assert steps[0].receptive == (3,)
    assert steps[1].receptive == (10,)  # unknown distances: bounded by the input


def test_sums_are_written_with_their_numbers() -> None:
    assert arithmetic(Slide(3, 1), 28) == "floor((28 + 0 + 0 - 3)/1) + 1 = 26"
    assert arithmetic(Slide(3, 2, 2, (1, 0)), 13) == "floor((13 + 1 + 0 - ((3 - 1)*2 + 1))/2) + 1 = 5"
    assert arithmetic(Slide(2, 3, pad=(1, 1), ceil_mode=True), 2).endswith("= 1")
    assert arithmetic(Slide(3, 2, pad="same"), 13) == "ceil(13/2) = 7"
    assert arithmetic(Split(1), 26) == "26 in 1 part = 1"
