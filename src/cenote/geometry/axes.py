"""Which axes of an array are pooled: ints, tuples, or a layout such as 'NHWC'."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..errors import bad, bad_index, shown
from .arguments import INT64_MAX, integer, is_sequence

Axes = int | Sequence[int] | str | None

POOLED_LETTERS: Final = "DHW"
LAYOUT_LETTERS: Final = "NCDHW"
MOST_AXES: Final = 3


def pooled_axes(who: str, axes: Axes, ndim: int, entries: int | None, *, name: str = "size") -> tuple[int, ...]:
    """The pooled axes of an array of ``ndim`` dimensions, as non-negative numbers in the order the caller gave.

    ``entries`` is the number of window sizes given, or None when a single int stands for every axis; with ``axes``
    left out it picks that many trailing axes, and a single int picks the last two of 2 to 4. ``name`` is what the
    caller's function calls the window sizes.
    """
    if entries == 0:
        raise bad(who, f"{name} is empty", "give one entry per pooled axis or a single int")
    if axes is None:
        found = _default(who, ndim, entries, name)
    elif isinstance(axes, str):
        found = _layout(who, axes, ndim)
    elif is_sequence(axes):
        found = tuple(_one(who, axis, ndim) for axis in axes)
    else:
        found = (_one(who, axes, ndim),)
    if not found:
        raise bad(who, "axes is empty", "name at least one axis to pool")
    if len(set(found)) != len(found):
        raise bad(who, f"axes names an axis twice, got {shown(axes)} for {ndim} dimensions", "name every axis once")
    if len(found) > MOST_AXES:
        raise bad(who, f"{len(found)} axes are to be pooled, at most {MOST_AXES} can be", "pool in several calls")
    if entries is not None and entries != len(found):
        raise bad(
            who,
            f"{name} has {entries} {'entry' if entries == 1 else 'entries'} but axes {shown(axes)} "
            f"{'is 1 axis' if len(found) == 1 else f'are {len(found)} axes'}",
            f"give one {name} per pooled axis or a single int",
        )
    return found


def _default(who: str, ndim: int, entries: int | None, name: str) -> tuple[int, ...]:
    if entries is None:
        if not 2 <= ndim <= 4:
            raise bad(
                who,
                f"a single {name} pools the last two axes of an array of 2 to 4 dimensions, this one has {ndim}",
                f"give {name} as a tuple with one entry per pooled axis, or name the axes",
            )
        return (ndim - 2, ndim - 1)
    if entries > ndim:
        raise bad(
            who,
            f"{name} has {entries} entries but the array has {ndim} dimensions",
            "give at most one per dimension",
        )
    return tuple(range(ndim - entries, ndim))


def _one(who: str, axis: object, ndim: int) -> int:
    # integer() speaks of a lower bound; -ndim is ours.
    number = integer(who, "axes", axis, -INT64_MAX)
    if not -ndim <= number < ndim:
        raise bad_index(
            who,
            f"axis {number} is outside an array of {ndim} dimensions",
            f"use {-ndim} to {ndim - 1}" if ndim else "pass an array with at least one dimension",
        )
    return number % ndim


def _layout(who: str, layout: str, ndim: int) -> tuple[int, ...]:
    letters = layout.upper()
    unknown = sorted(set(letters) - set(LAYOUT_LETTERS))
    if unknown or len(set(letters)) != len(letters):
        raise bad(
            who,
            f"axes {layout!r} is no layout",
            f"use each of the letters {' '.join(LAYOUT_LETTERS)} at most once, such as 'HWC' or 'NCHW'",
        )
    if len(letters) != ndim:
        raise bad(
            who,
            f"axes {layout!r} names {len(letters)} dimensions, the array has {ndim}",
            "name every dimension",
        )
    found = tuple(i for i, letter in enumerate(letters) if letter in POOLED_LETTERS)
    if not found:
        raise bad(who, f"axes {layout!r} has none of the pooled letters D, H, W", "name what is to be pooled")
    return found
