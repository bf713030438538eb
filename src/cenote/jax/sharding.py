"""Which axes of a call may be spread over devices: all but the pooled ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .compat import is_spread, with_whole_axes

CELLS, OUTPUTS = "i", "o"


@dataclass(frozen=True, slots=True)
class Spread:
    """What a call takes and gives: per array CELLS or OUTPUTS (along pooled axes it has the lengths of the input or of
    the result) and its number of axes. ``pooled`` counts from the end. What is taken may lack axes in front; the last
    array with most axes says how all of them are spread."""

    takes: tuple[tuple[str, int], ...]
    gives: tuple[tuple[str, int], ...]
    pooled: tuple[int, ...]

    @property
    def rule(self) -> str:
        """For Shardy: an axis is a name, and axes of one name are cut alike."""
        left, right = (", ".join(self._names(*array) for array in arrays) for arrays in (self.takes, self.gives))
        return f"{left} -> {right}"

    def _names(self, letter: str, ndim: int) -> str:
        return " ".join(f"{letter if axis in self.pooled else 'n'}{-axis}" for axis in range(-ndim, 0))

    def operands(self, operands: Sequence[Any], results: Sequence[Any]) -> tuple[Any, ...]:
        """How what is taken is to be spread, where XLA would like it as here."""
        return self._like_leader(operands, results, self.takes)

    def results(self, operands: Sequence[Any], results: Sequence[Any]) -> tuple[Any, ...]:
        """How what is given is spread then."""
        return self._like_leader(operands, results, self.gives)

    def _like_leader(
        self, operands: Sequence[Any], results: Sequence[Any], arrays: tuple[tuple[str, int], ...]
    ) -> tuple[Any, ...]:
        """What is taken leads; where it is whole on every device, the result as it is wanted: cutting is free."""
        leader = operands[max(range(len(operands)), key=lambda i: (self.takes[i][1], i))]
        if not is_spread(leader.sharding):
            leader = next((result for result in results if is_spread(result.sharding)), leader)
        shape = tuple(leader.shape)
        return tuple(with_whole_axes(leader.sharding, shape, ndim, self.pooled) for _, ndim in arrays)
