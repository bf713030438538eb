"""Receptive fields while a model runs: which input cells every cell of a tensor can depend on, along each axis.

Found by arithmetic over the layers that ran, not by trial: the first and the last input cell of every position. So
borders, strides, branches that are added and layers that share their input need no cases of their own.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cenote.geometry import Spans, Window
from cenote.geometry.chain import pace

Cells = NDArray[np.int64]
Jump = tuple[int | None, ...]
_BEYOND: Final = 2**62


@dataclass(frozen=True, slots=True)
class Field:
    """``first`` and ``last`` cell of the model's input behind every position of an axis; ``last < first`` where nothing
    is (padding that is a layer). ``jump``: from one field to the next in input cells, None where distances differ."""

    first: tuple[Cells, ...]
    last: tuple[Cells, ...]
    jump: Jump

    @classmethod
    def start(cls, lengths: Sequence[int]) -> Field:
        """That of the input itself."""
        cells = tuple(np.arange(length, dtype=np.int64) for length in lengths)
        return cls(cells, cells, (1,) * len(cells))

    @property
    def lengths(self) -> tuple[int, ...]:
        """Of the axes that are followed."""
        return tuple(map(len, self.first))

    @property
    def receptive(self) -> tuple[int, ...]:
        """Cells of the widest field, within the input."""
        return tuple(
            int(np.max(b - a + 1, initial=0, where=b >= a)) for a, b in zip(self.first, self.last, strict=True)
        )

    def slid(self, window: Window) -> Field:
        """Behind a layer with such windows: a convolution or a pooling."""
        first, last, jump = [], [], []
        for rule, a, b, distance in zip(window.rules, self.first, self.last, self.jump, strict=True):
            table = rule.spans(len(a))
            places = np.arange(table.most_taps)
            there = places < table.count[:, None]
            taps = np.where(there, table.start[:, None] + places * table.step[:, None], 0)
            first.append(np.min(a[taps], axis=1, initial=_BEYOND, where=there))
            last.append(np.max(b[taps], axis=1, initial=-1, where=there))
            stride = 0 if isinstance(rule, Spans) else pace(rule, len(a))[1]
            jump.append(distance * stride if distance is not None and stride else None)
        return Field(tuple(first), tuple(last), tuple(jump))

    def joined(self, other: Field) -> Field | None:
        """Of what is added, or stacked along the channels; None where the lengths differ."""
        if self.lengths != other.lengths:
            return None
        first = tuple(map(np.minimum, self.first, other.first))
        last = tuple(map(np.maximum, self.last, other.last))
        return Field(first, last, tuple(a if a == b else None for a, b in zip(self.jump, other.jump, strict=True)))


#: A field, or why there is none.
Known = Field | str


def together(fields: Sequence[Known], who: str) -> Known:
    """The field of a result that is made of these cell by cell."""
    found: Known = fields[0]
    for one in fields:
        if isinstance(one, str):
            return one
        assert isinstance(found, Field)
        both = found.joined(one)
        if both is None:
            return f"{who} brings maps of different sizes together"
        found = both
    return found


class Followed:
    """What is known of the tensors that are alive, each by its identity; nothing is kept alive by it."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[Any], Known]] = {}

    def note(self, tensor: Any, known: Known) -> None:
        """Remember it until the tensor is gone."""
        key = id(tensor)
        found: dict[int, tuple[weakref.ref[Any], Known]] = self._known

        def forget(gone: weakref.ref[Any]) -> None:
            if key in found and found[key][0] is gone:
                del found[key]

        found[key] = (weakref.ref(tensor, forget), known)

    def of(self, tensor: Any) -> Known | None:
        """What was noted, None for a tensor that nobody has met."""
        found = self._known.get(id(tensor))
        return found[1] if found is not None and found[0]() is tensor else None
