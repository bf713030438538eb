"""The reference as a provider: it runs rows that declare no compiled reducer, and refuses all others."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..catalogue import Call
from .execute import backward, forward

Array = NDArray[Any]


class ReferenceProvider:
    """Slow by design; never a fallback for a kernel that should be there."""

    name = "reference"
    target = "numpy"
    threads = 1

    def refusal(self, call: Call) -> str | None:
        """Why it would not run this call; None when it will."""
        if call.op.reducer is None:
            return None
        return f"it runs only rows without a compiled reducer; call cenote.reference.forward for {call.op.name!r}"

    def forward(
        self, call: Call, x: Array, values: Array, indices: NDArray[np.int64] | None, *, fresh: bool = False
    ) -> None:
        """Fill ``values`` (and ``indices``)."""
        found, positions = forward(call, x)
        values[...] = found
        if indices is not None and positions is not None:
            indices[...] = positions

    def forward_saving(self, call: Call, x: Array, values: Array, *, fresh: bool = False) -> Array:
        """``forward``, keeping a reference to x."""
        self.forward(call, x, values, None)
        return x

    def reads(self, saved: Array) -> tuple[Array, ...]:
        """What ``backward`` reads beside dy."""
        return (saved,)

    def backward(self, call: Call, saved: Array, dy: Array, dx: Array, *, fresh: bool = False) -> None:
        """Fill ``dx``."""
        dx[...] = backward(call, saved, dy)


REFERENCE: Final = ReferenceProvider()
