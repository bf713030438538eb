"""One row about an adapter, and what it is run with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ..contestant import Contestant
from ..data import Numbers
from ..workload import Workload

PREFIX: Final = "adapters"


@dataclass(frozen=True, slots=True)
class Kit:
    """What contestants are made with."""

    threads: int
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class Case:
    """One row: ``ours`` is judged against the columns of ``base``, added up.

    ``make`` gives the contestants: all others are compared with the first, by the rules of ``workload`` if there is
    one. It raises where the framework or the adapter is missing; the reason is shown in the row's place. ``patience``
    multiplies the time for the row; a sample of a short call lasts at least ``sample`` seconds.
    """

    name: str
    title: str
    group: str
    ours: str
    base: tuple[str, ...]
    make: Callable[[Kit], list[Contestant]]
    workload: Workload | None = None
    patience: float = 1.0
    sample: float = 0.0
    quick: bool = False

    @property
    def id(self) -> str:
        """Names the row in files and on the command line."""
        return f"{PREFIX}-{self.name}"
