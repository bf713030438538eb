"""The compiled module, as the native door uses it."""

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

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
    ) -> None: ...

class Memory: ...

class Door:
    enter: Callable[..., Any]
    recall: Callable[..., Any]
    def __init__(self, constants: tuple[Any, ...]) -> None: ...
    def keep(
        self,
        shape: tuple[int, ...],
        dtype: Any,
        own: dict[str, Any],
        rest: tuple[Any, ...],
        plan: Plan,
        settings: Settings,
        result_shape: tuple[int, ...],
        result_type: Any,
        index_type: Any,
        drop: bool,
        select: bool,
        payload: object,
    ) -> None: ...

def set_thread_source(source: Callable[[], int]) -> None: ...
def forget_calls() -> None: ...
def short_ways() -> int: ...
def new_array(shape: tuple[int, ...], dtype: Any, bytes: int) -> tuple[NDArray[Any], bool]: ...
def empty_cache() -> int: ...
def set_cache_limit(bytes: int) -> None: ...
def cache_limit() -> int: ...
def cache_held() -> int: ...
def loop_forward(plan: Plan, settings: Settings, x: Any, y: Any, n: int) -> float: ...
def forward(plan: Plan, settings: Settings, x: Any, y: Any, fresh: bool) -> None: ...
def positions(
    plan: Plan,
    settings: Settings,
    x: Any,
    y: Any | None,
    found: Any,
    position_type: int,
    indices: bool,
    fresh: bool,
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
    fresh: bool,
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
least_kept: int
