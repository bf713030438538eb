"""Reading integers, per-axis values and paddings as a caller spells them: done once, at the door.

Everything below the door sees plain Python ints and ``(lo, hi)`` pairs only.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, Final, TypeGuard

import numpy as np

from ..errors import bad, bad_type, shown

INT64_MAX: Final = 2**63 - 1
WORDS: Final = ("valid", "same", "same_lower")

Pad = tuple[int, int] | str


def is_bool(value: object) -> bool:
    """Python's bool or NumPy's."""
    return isinstance(value, bool | np.bool)


def integer(who: str, name: str, value: object, minimum: int) -> int:
    """A whole number >= minimum that fits a 64-bit index. Bools and floats are refused, NumPy integers accepted."""
    if is_bool(value):
        raise bad_type(who, f"{name} is a whole number, got the bool {value}", "write it as an int")
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise bad_type(
            who, f"{name} is a whole number, got {shown(value)} ({type(value).__name__})", "pass an int"
        ) from None
    if number < minimum:
        raise bad(who, f"{name} is at least {minimum}, got {number}", f"pass an int >= {minimum}")
    if number > INT64_MAX:
        raise bad(who, f"{name} fits a 64-bit index (< 2^63), got {number}", "pass a smaller number")
    return number


def is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    """True for a tuple or list (or another sequence that is no text): one entry per axis."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def flag(who: str, name: str, value: object) -> bool:
    """A true bool; a number or a word in its place is more often a shifted argument than a wish."""
    if is_bool(value):
        return bool(value)
    raise bad_type(who, f"{name} is True or False, got {shown(value)}", f"write {name}=True or {name}=False")


def per_axis(who: str, name: str, value: object, rank: int, minimum: int) -> tuple[int, ...]:
    """One int for all axes, or exactly one per pooled axis."""
    if not is_sequence(value):
        return (integer(who, name, value, minimum),) * rank
    entries = tuple(value)
    if len(entries) != rank:
        raise bad(
            who,
            f"{name} has {len(entries)} {'entry' if len(entries) == 1 else 'entries'} "
            f"but there {'is 1 pooled axis' if rank == 1 else f'are {rank} pooled axes'}",
            f"give one entry per pooled axis or a single int, got {shown(value)}",
        )
    return tuple(integer(who, f"{name}[{i}]", entry, minimum) for i, entry in enumerate(entries))


def word(who: str, value: str, name: str = "padding") -> str:
    """One of the padding words, in any case (TensorFlow and JAX shout them)."""
    lowered = value.lower()
    if lowered not in WORDS:
        raise bad(
            who,
            f"{name} {value!r} is no padding word",
            "write 'valid', 'same', 'same_lower', an int, or one int or (lo, hi) pair per axis",
        )
    return lowered


def _pair(who: str, name: str, value: Sequence[Any]) -> tuple[int, int]:
    entries = tuple(value)
    if len(entries) != 2:
        raise bad(who, f"{name} is an int or a (lo, hi) pair, got {shown(value)}", "give two ints: (before, after)")
    for side in entries:
        if is_sequence(side) or isinstance(side, str):
            raise bad_type(who, f"{name} is nested too deeply, got {shown(value)}", "give one (lo, hi) pair per axis")
    return (integer(who, f"{name}[0]", entries[0], 0), integer(who, f"{name}[1]", entries[1], 0))


def padding(who: str, value: object, rank: int) -> tuple[Pad, ...]:
    """Normalise ``padding``: an int, a word, or one entry (int or ``(lo, hi)``) per pooled axis.

    Nesting decides what is meant, never length: for two axes ``(1, 2)`` is 1 on the first axis and 2 on the
    second, and for one axis it is an error that shows how to write a pair.
    """
    if isinstance(value, str):
        return (word_pad(word(who, value)),) * rank
    if not is_sequence(value):
        side = integer(who, "padding", value, 0)
        return ((side, side),) * rank
    entries = tuple(value)
    if len(entries) != rank:
        raise bad(who, *_wrong_length(entries, rank))
    pads: list[Pad] = []
    for i, entry in enumerate(entries):
        name = f"padding[{i}]"
        if isinstance(entry, str):
            spelled = word(who, entry, name)
            raise bad(
                who,
                f"{name} is the word {spelled!r}, and a word stands for all axes",
                f"write padding={spelled!r}, or pass a Window of one Slide per axis",
            )
        if is_sequence(entry):
            pads.append(_pair(who, name, entry))
        else:
            side = integer(who, name, entry, 0)
            pads.append((side, side))
    return tuple(pads)


def word_pad(spelled: str) -> Pad:
    """What a (valid) padding word stands for before the length is known: "valid" is simply no padding."""
    return (0, 0) if spelled == "valid" else spelled


def _wrong_length(entries: tuple[object, ...], rank: int) -> tuple[str, str]:
    """The problem and the right spelling for the wrong lengths people really write."""
    flat = all(not is_sequence(entry) and not isinstance(entry, str) for entry in entries)
    got = shown(entries)
    axes = "1 pooled axis" if rank == 1 else f"{rank} pooled axes"
    if rank == 1 and flat and len(entries) == 2:
        return f"padding {got} has 2 entries for 1 pooled axis", f"for a (lo, hi) pair write ({got},)"
    if flat and len(entries) == 2 * rank:
        pairs = ", ".join(f"({entries[i]}, {entries[rank + i]})" for i in range(rank))
        return (
            f"padding {got} is a flat list of {len(entries)} for {axes}",
            f"give one (lo, hi) pair per axis; all begins, then all ends is written ({pairs})",
        )
    if len(entries) == 1 and is_sequence(entries[0]):
        pair = shown(entries[0])
        return f"padding {got} is one pair for {axes}", f"give one per axis: ({', '.join([pair] * rank)})"
    count = f"{len(entries)} {'entry' if len(entries) == 1 else 'entries'}"
    return f"padding has {count} but size has {axes.replace(' pooled', '')}, got {got}", (
        "give one entry per pooled axis (an int or a (lo, hi) pair) or a single int"
    )
