"""The one-line notation of windows: ``SIZE['/'STRIDE]['+'PAD]['@'DILATION]['^']``, ``>PARTS``, ``*``.

Axes whose rules cannot share one such text (a sliding axis next to an adaptive one, an explicit table, different
rounding) are written one after the other, joined by commas: ``3/2,>7``; a table is ``[0:2 1:6:2]``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from ..errors import bad, bad_type, shown
from .arguments import INT64_MAX, WORDS, Pad, word_pad
from .rules import Rule, Slide, Spans, Split

_SLIDE: Final = re.compile(
    r"(?P<size>[^/+@^]+)(?:/(?P<stride>[^/+@^]+))?(?:\+(?P<pad>[^/+@^]+))?(?:@(?P<dilation>[^/+@^]+))?(?P<ceil>\^)?"
)
T = TypeVar("T")
_WAY_OUT: Final = (
    "write SIZE[/STRIDE][+PAD][@DILATION][^] as in '3x3/2+1', '>7x7' for adaptive or '*' for global pooling"
)


def parse_rules(text: str, rank: int | None, who: str) -> tuple[Rule, ...]:
    """The rules a text stands for; ``rank`` repeats a single entry."""
    if not isinstance(text, str):
        raise bad_type(who, f"a window is written as text, got {shown(text)}", _WAY_OUT)
    compact = text.strip()
    if not compact.isascii():  # other digits would pass int()
        raise bad(who, f"cannot read the window {text!r}", _WAY_OUT)
    rules = tuple(rule for part in compact.split(",") for rule in _parse_part(part, text, who))
    if rank is None or rank == len(rules):
        return rules
    if len(rules) != 1:
        raise bad(
            who,
            f"the window {text!r} has {len(rules)} axes where {rank} are pooled",
            "give one entry per axis",
        )
    return rules * rank


def _parse_part(part: str, text: str, who: str) -> tuple[Rule, ...]:
    if part and set(part.split("x")) == {"*"}:
        return (Split(1),) * len(part.split("x"))
    if part.startswith(">"):
        return tuple(Split(n) for n in _entries(part[1:], None, _whole(1, "parts", text, who)))
    if part.startswith("[") and part.endswith("]"):
        return (Spans(tuple(_parse_span(row, text, who) for row in part[1:-1].split())),)
    match = _SLIDE.fullmatch(part)
    if match is None:
        raise bad(who, f"cannot read the window {text!r}", _WAY_OUT)
    sizes = _entries(match["size"], None, _whole(1, "size", text, who))
    count = len(sizes)
    strides = _entries(match["stride"], count, _whole(1, "stride", text, who)) if match["stride"] else sizes
    dilations = _entries(match["dilation"] or "1", count, _whole(1, "dilation", text, who))
    pads = _entries(match["pad"] or "0", count, _pad(text, who))
    for name, values in (("stride", strides), ("padding", pads), ("dilation", dilations)):
        if len(values) != count:
            raise bad(
                who,
                f"{name} has {len(values)} entries for {count} axes in {text!r}",
                "give one value, or one per axis",
            )
    ceil = match["ceil"] is not None
    if ceil and any(name in (match["pad"] or "").lower() for name in WORDS):
        raise bad(
            who,
            f"{text!r} joins a padding word and ^",
            "a word fixes the rounding: drop the ^ or pad with ints",
        )
    return tuple(Slide(k, s, d, p, ceil) for k, s, d, p in zip(sizes, strides, dilations, pads, strict=True))


def _entries(text: str, count: int | None, read: Callable[[str], T]) -> tuple[T, ...]:
    values = tuple(read(entry) for entry in text.split("x"))
    return values * count if count is not None and len(values) == 1 else values


def _whole(minimum: int, name: str, text: str, who: str) -> Callable[[str], int]:
    def read(entry: str) -> int:
        if not entry.isdecimal():
            raise bad(who, f"{name} {entry!r} in {text!r} is no whole number", _WAY_OUT)
        if len(entry) > 19 or int(entry) > INT64_MAX:  # also keeps int() away from endless digits
            raise bad(who, f"{name} in {text!r} is beyond 2^63", "use a smaller number")
        number = int(entry)
        if number < minimum:
            raise bad(who, f"{name} is at least {minimum}, got {number} in {text!r}", _WAY_OUT)
        return number

    return read


def _pad(text: str, who: str) -> Callable[[str], Pad]:
    whole = _whole(0, "padding", text, who)

    def read(entry: str) -> Pad:
        if entry.lower() in WORDS:
            return word_pad(entry.lower())
        if entry[:1].isalpha():
            raise bad(who, f"padding {entry!r} in {text!r} is no padding word", "write valid, same or same_lower")
        lo, colon, hi = entry.partition(":")
        return (whole(lo), whole(hi if colon else lo))

    return read


def _parse_span(row: str, text: str, who: str) -> tuple[int, int, int]:
    numbers = [_whole(0, "span", text, who)(entry) for entry in row.split(":")]
    if len(numbers) not in (2, 3):
        raise bad(who, f"span {row!r} in {text!r} is not start:stop or start:stop:step", _WAY_OUT)
    start, stop, step = (*numbers, 1)[:3]
    return start, stop, step


def format_rules(rules: Sequence[Rule]) -> str:
    """The notation of the rules; every axis is written, parts that say nothing (no padding, ...) are left out."""
    slides = [rule for rule in rules if isinstance(rule, Slide)]
    if len(slides) == len(rules) and len({rule.ceil_mode for rule in slides}) == 1 and not _word_hides_ceil(slides):
        return _format_slides(slides)
    splits = [rule for rule in rules if isinstance(rule, Split)]
    if len(splits) == len(rules):
        return _format_splits(splits)
    return ",".join(_format_spans(rule) if isinstance(rule, Spans) else format_rules([rule]) for rule in rules)


def _word_hides_ceil(slides: Sequence[Slide]) -> bool:
    # Slide(ceil_mode=True) beside an axis padded by a word cannot share one '^'.
    return any(rule.ceil_mode for rule in slides) and any(isinstance(rule.pad, str) for rule in slides)


def _format_slides(slides: Sequence[Slide]) -> str:
    text = _joined([rule.size for rule in slides])
    if any(rule.stride != rule.size for rule in slides):
        text += "/" + _joined([rule.stride for rule in slides])
    if any(rule.pad != (0, 0) for rule in slides):
        text += "+" + _joined([_format_pad(rule.pad) for rule in slides])
    if any(rule.dilation != 1 for rule in slides):
        text += "@" + _joined([rule.dilation for rule in slides])
    return text + ("^" if slides[0].ceil_mode else "")


def _format_splits(splits: Sequence[Split]) -> str:
    if all(rule.parts == 1 for rule in splits):
        return _joined(["*"] * len(splits))
    return ">" + _joined([rule.parts for rule in splits])


def _format_spans(rule: Spans) -> str:
    rows = (f"{a}:{b}" if step == 1 else f"{a}:{b}:{step}" for a, b, step in rule.table)
    return "[" + " ".join(rows) + "]"


def _format_pad(pad: Pad) -> str:
    if isinstance(pad, str):
        return pad
    lo, hi = pad
    return str(lo) if lo == hi else f"{lo}:{hi}"


def _joined(values: Sequence[object]) -> str:
    return "x".join(str(value) for value in values)
