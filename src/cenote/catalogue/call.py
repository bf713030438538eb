"""Call: one pooling call, checked and normalised. The only thing that travels from the door to a provider."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..geometry import Window
from .dtypes import Dtype
from .op import Op, Params


@dataclass(frozen=True, slots=True)
class Call:
    """``who`` is the public function; ``axes`` are ascending and non-negative, ``window`` has one rule for each.

    ``select`` asks for indices (or offsets) beside the values. ``out_shape`` is the shape of the result, pooled axes
    kept; an impossible window is an error here, before anything is allocated.
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
    out_shape: tuple[int, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        shape = list(self.shape)
        outputs = self.window.output_shape(self.lengths, who=self.who, axes=self.axes)
        for axis, n in zip(self.axes, outputs, strict=True):
            shape[axis] = n
        object.__setattr__(self, "out_shape", tuple(shape))

    @property
    def lengths(self) -> tuple[int, ...]:
        """Input length of every pooled axis."""
        return tuple(self.shape[axis] for axis in self.axes)
