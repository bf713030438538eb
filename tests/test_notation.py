"""Windows written in one line: what is read, what is written, and that the two agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cenote
from cenote import Slide, Spans, Split, Window

WRITTEN = {
    "2": "2",
    "3/2": "3/2",
    "3x3/2+1": "3x3/2x2+1x1",
    "3x3/2x1+1:2x0@2^": "3x3/2x1+1:2x0@2x2^",
    "5x3+same": "5x3+samexsame",
    "3+SAME": "3+same",
    "5x3+Same_LOWERxVALID": "5x3+same_lowerx0",
    "3x3+Valid": "3x3",
    "5x3+samexsame_lower": "5x3+samexsame_lower",
    "3x3+valid": "3x3",
    "2x2/2x2": "2x2",
    "3+0@1": "3",
    "3+1:1": "3+1",
    ">7x7": ">7x7",
    ">7x1": ">7x1",
    "*": "*",
    "*x*": "*x*",
    ">1x1": "*x*",
    "2,>3": "2,>3",
    "2^,3+same": "2^,3+same",
    "[0:2 1:6:2]": "[0:2 1:6:2]",
}


@pytest.mark.parametrize(("text", "canonical"), WRITTEN.items())
def test_every_axis_is_written_and_read_back(text: str, canonical: str) -> None:
    window = Window.parse(text)
    assert str(window) == canonical
    assert Window.parse(canonical) == window
    assert str(Window.parse(canonical)) == canonical


def test_a_single_entry_is_repeated_and_several_fix_the_rank() -> None:
    assert Window.parse("3/2", rank=2) == Window.parse("3x3/2x2")
    assert Window.parse("*", rank=3) == Window((Split(1),) * 3)
    assert Window.parse(">5", rank=2) == Window((Split(5), Split(5)))
    assert Window.parse("3x2").rank == 2
    assert Window.parse("3x2/2").rules == (Slide(3, 2), Slide(2, 2))
    with pytest.raises(cenote.CenoteError, match="has 2 axes where 3 are pooled"):
        Window.parse("3x2", rank=3)


def test_what_each_part_means() -> None:
    (rule,) = Window.parse("3/2+1:2@4^").rules
    assert rule == Slide(size=3, stride=2, dilation=4, pad=(1, 2), ceil_mode=True)
    assert Window.parse("3").rules == (Slide(3, stride=3),)
    assert Window.parse("[1:7:3]").rules == (Spans([(1, 7, 3)]),)


whole = st.integers(1, 2**40)
side = st.integers(0, 2**40)
slides = st.builds(Slide, whole, whole, whole, st.tuples(side, side), st.booleans())
worded = st.builds(Slide, whole, whole, whole, st.sampled_from(["same", "same_lower", "valid"]))
spans = st.lists(st.tuples(st.integers(0, 50), st.integers(50, 99), st.integers(1, 9)), min_size=1, max_size=4)
rules = st.one_of(slides, worded, st.builds(Split, whole), st.builds(Spans, spans))


@given(st.lists(rules, min_size=1, max_size=3))
def test_any_window_survives_the_round_trip(drawn: list[Slide | Split | Spans]) -> None:
    window = Window(tuple(drawn))
    assert Window.parse(str(window)) == window


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot read"),
        ("3xx3", "no whole number"),
        ("3/0", "at least 1"),
        ("0", "at least 1"),
        ("-1", "no whole number"),
        ("3.5", "no whole number"),
        ("3+", "cannot read"),
        ("3/", "cannot read"),
        ("3^^", "cannot read"),
        ("3^/2", "cannot read"),
        ("3@2+1", "cannot read"),
        ("3+full", "no padding word"),
        ("3+1:2:3", "no whole number"),
        ("3+same^", "fixes the rounding"),
        ("3x3/2x2x2", "stride has 3 entries for 2 axes"),
        (">", "no whole number"),
        (">0", "at least 1"),
        ("**", "no whole number"),
        ("[0]", "start:stop"),
        ("[]", "table is empty"),
        ("٣", "cannot read"),
        ("9" * 30, "beyond 2\\^63"),
        (3, "written as text"),
    ],
)
def test_what_cannot_be_read_is_said(text: object, said: str) -> None:
    with pytest.raises(cenote.CenoteError, match=said):
        Window.parse(text)  # type: ignore[arg-type]


def test_a_word_for_one_axis_needs_a_window() -> None:
    with pytest.raises(cenote.CenoteError, match="stands for all axes"):
        Window.of((3, 3), padding=("same", 1))
