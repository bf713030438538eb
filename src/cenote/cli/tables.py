"""Printing: tables for people, one JSON object for programs."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from rich import box
from rich.console import Console
from rich.table import Table

# Tables are as wide as they need to be; in a file or a pipe no line is ever folded.
_PLAIN_WIDTH: Final = 10_000
# Columns that a narrow terminal must not break: names and arithmetic are folded first.
_WHOLE: Final = ("shape", "result", "output", "dtype", "time", "speed", "receptive", "jump")
# A file's name may be folded, but not down to single letters.
_LEAST: Final = {"file": 12}


def console() -> Console:
    """Standard output."""
    found = Console(highlight=False, soft_wrap=True)
    if not found.is_terminal:
        found = Console(highlight=False, soft_wrap=True, width=_PLAIN_WIDTH)
    return found


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> Table:
    """A table with the columns in ``right`` aligned to the right; cells are text, never markup."""
    from rich.text import Text

    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for name in columns:
        side: Literal["left", "right"] = "right" if name in right else "left"
        made.add_column(name, justify=side, no_wrap=name in _WHOLE, overflow="fold", min_width=_LEAST.get(name))
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    return made


def grid(rows: Iterable[Sequence[str]]) -> Table:
    """Rows that begin with their name, without a head."""
    from rich.text import Text

    made = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    made.add_column(style="bold")
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    return made


def show_json(value: Any) -> None:
    """One JSON object on standard output."""
    json.dump(_finite(value), sys.stdout, indent=2, default=str, allow_nan=False)
    sys.stdout.write("\n")


def _finite(value: Any) -> Any:
    """JSON has no infinity and no NaN: they go as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return value


def by(lengths: Iterable[int | None]) -> str:
    """Lengths as people write them: 28 x 28."""
    return " x ".join("?" if length is None else str(length) for length in lengths)


def seconds(value: float) -> str:
    """A time in the unit that fits: 1.23 ms."""
    for unit, factor in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value * 1e9:.0f} ns"


def rate(per_second: float) -> str:
    """A rate in the unit that fits: 410 M."""
    for unit, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if per_second >= factor:
            return f"{per_second / factor:.3g} {unit}"
    return f"{per_second:.3g} "
