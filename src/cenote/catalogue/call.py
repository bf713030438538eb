"""Call: one pooling call, checked and normalised. The only thing that travels from the door to a provider."""

from __future__ import annotations

from dataclasses import dataclass

from ..geometry import Window
from .dtypes import Dtype
from .op import Op, Params


@dataclass(frozen=True, slots=True)
class Call:
    """``who`` is the public function; ``axes`` are ascending and non-negative, ``window`` has one rule for each.

    ``select`` asks for indices (or offsets) beside the values.
    """

    who: str
    op: Op
    window: Window
    axes: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: Dtype
    result: Dtype
    params: Params
    select: bool = False

    @property
    def lengths(self) -> tuple[int, ...]:
        """Input length of every pooled axis."""
        return tuple(self.shape[axis] for axis in self.axes)

    @property
    def out_shape(self) -> tuple[int, ...]:
        """Shape of the result, pooled axes kept."""
        shape = list(self.shape)
        for axis, outputs in zip(
            self.axes, self.window.output_shape(self.lengths, who=self.who, axes=self.axes), strict=True
        ):
            shape[axis] = outputs
        return tuple(shape)
