"""The compiled module, as the native door uses it."""

from typing import Any

from ..geometry.spans import Table

class Plan:
    def __init__(self, axes: list[int], tables: list[tuple[int, Table, Table, Table, Table, Table]]) -> None: ...
    @property
    def box(self) -> int: ...

class Settings:
    def __init__(
        self,
        reducer: int,
        dtype: int,
        result: int,
        p: float,
        divisor: int,
        number: float,
        whole_number: int,
        threads: int,
    ) -> None: ...

def forward(plan: Plan, settings: Settings, x: Any, y: Any) -> None: ...
def positions(
    plan: Plan, settings: Settings, x: Any, y: Any | None, found: Any, position_type: int, indices: bool
) -> None: ...
def gradient(
    plan: Plan,
    settings: Settings,
    dx: Any,
    g: Any,
    g_type: int,
    other: Any | None,
    other_type: int,
    x: Any | None,
) -> None: ...
def unpool_into(y: Any, indices: Any, out: Any, type: int, axes: list[int], threads: int) -> int | None: ...
def compiler() -> str: ...
def targets() -> list[str]: ...
def dtypes() -> list[str]: ...
def reducers() -> list[tuple[str, str]]: ...
def divisors() -> list[str]: ...
def set_work_per_thread(n: int) -> None: ...
def threads_started() -> int: ...

version: str
