"""Who runs a call: the first provider that does not refuse. Every refusal has a reason."""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ..catalogue import Call
from ..errors import bad_type
from ..native import NATIVE
from ..reference import REFERENCE

Array = NDArray[Any]


class Provider(Protocol):
    """What runs calls. ``fresh`` says of a result's memory that it was perhaps never written before."""

    @property
    def name(self) -> str:
        """How explain() calls it."""

    @property
    def target(self) -> str:
        """The CPU target (or library) it would run on."""

    @property
    def threads(self) -> int:
        """The most threads it would use."""

    def refusal(self, call: Call) -> str | None:
        """Why it would not run the call; None when it will."""

    def forward(
        self, call: Call, x: Array, values: Array, indices: NDArray[np.int64] | None, *, fresh: bool = False
    ) -> None:
        """Fill values and indices."""

    def forward_saving(self, call: Call, x: Array, values: Array, *, fresh: bool = False) -> Any:
        """Fill values; give what backward needs."""

    def reads(self, saved: Any) -> tuple[Array, ...]:
        """The arrays that backward reads beside dy."""

    def backward(self, call: Call, saved: Any, dy: Array, dx: Array, *, fresh: bool = False) -> None:
        """Fill dx."""


PROVIDERS: Final[tuple[Provider, ...]] = (NATIVE, REFERENCE)


def refusals(call: Call) -> dict[str, str | None]:
    """Every provider's answer: None for yes, else its reason."""
    return {provider.name: provider.refusal(call) for provider in PROVIDERS}


def choose(call: Call) -> Provider:
    """The provider that runs the call; an error that gives everyone's reason when there is none."""
    reasons = []
    for provider in PROVIDERS:
        reason = provider.refusal(call)
        if reason is None:
            return provider
        reasons.append(f"{provider.name}: {reason}")
    raise bad_type(call.who, f"nobody can run this call ({'; '.join(reasons)})", "use another dtype or operator")
