"""What takes part in a row of the benchmark, and how a peer says that it does not."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, Protocol

from .data import Array, Data
from .workload import Workload


class Refusal(Exception):
    """Why a peer takes no part in a row, in a few words that end up in the results."""


def _nothing() -> None:
    return None


@dataclass(slots=True, eq=False)
class Contestant:
    """One column of one row.

    ``call`` does the work once and returns the result, which is dropped before the next call. ``arrays`` turns it into
    NumPy arrays of the workload's layout: y, for backward rows y and dx. ``enter`` runs before each turn, untimed.
    ``margin`` cells at the edges are left out of the check, where a peer treats the edges in another way.
    """

    name: str
    call: Callable[[], Any]
    arrays: Callable[[Any], Sequence[Array]] | None = None
    note: str = ""
    enter: Callable[[], None] = _nothing
    loop: Callable[[int], float] | None = None
    margin: int = 0
    warm: bool = False  # an untimed call opens its turn even if calls are long: its `enter` may have emptied a cache
    prime: bool = False  # measured in full however slow it is
    slack: float = 0.0  # an absolute difference that is known and accepted; `note` says why
    exact: bool = False  # its results are equal, or it takes no part
    keep: list[Any] = field(default_factory=list)

    @property
    def is_peer(self) -> bool:
        """Neither cenote nor the stream limit."""
        return self.name.split("-")[0] not in ("cenote", "stream")

    def sample(self, repeat: int) -> float:
        """Seconds per call over ``repeat`` calls; each result is dropped before the next call."""
        if self.loop is not None:
            return self.loop(repeat)
        call = self.call
        clock = time.perf_counter
        start = clock()
        for _ in range(repeat):
            result = call()
            del result
        return (clock() - start) / repeat


class Peer(Protocol):
    """A library to compare with. One file each."""

    @property
    def name(self) -> str:
        """As in columns."""

    @property
    def title(self) -> str:
        """As in tables."""

    @property
    def packages(self) -> tuple[str, ...]:
        """What to ask for versions."""

    def start(self, threads: int) -> None:
        """Import what is needed and fix the number of threads; ImportError if it is not installed."""

    def contestants(self, workload: Workload, data: Data, threads: int) -> list[Contestant]:
        """Who takes part, or ``Refusal``."""


def load(module: str) -> Any:
    """A module by name: peers have no types that the checks of this project could rely on."""
    return importlib.import_module(module)


def version(package: str) -> str:
    """The installed version, or ``-``."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "-"
