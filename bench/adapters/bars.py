"""What adapters may cost, as data: see ``bench/bars.py``."""

from __future__ import annotations

from typing import Final

from ..bars import Bar, Verdict, verdict
from ..results import Measured, Run
from .small import SHAPE

RATIO: Final = 1.1
SMALL_RATIO: Final = 1.5
SMALL_MICROSECONDS: Final = 3.0
_HOME: Final = "x".join(map(str, SHAPE))


def of_base(row: Measured, run: Run) -> float | None:
    """``ours`` over ``base``."""
    ratio = row.of_base
    return None if ratio is None else ratio.median


def microseconds(row: Measured) -> float | None:
    """``ours`` less ``base``."""
    if not all(name in row.columns for name in (row.ours, *row.base)):
        return None
    base = sum(row.columns[name].ms.median for name in row.base)
    return (row.columns[row.ours].ms.median - base) * 1e3


def small_call(row: Measured, run: Run) -> float | None:
    """The better of both allowances, as a share of what is allowed."""
    ratio, more = of_base(row, run), microseconds(row)
    if ratio is None or more is None:
        return None
    return ratio / SMALL_RATIO if more <= 0 else min(ratio / SMALL_RATIO, more / SMALL_MICROSECONDS)


BARS: Final[tuple[Bar[Measured], ...]] = (
    Bar(
        "torch-forward",
        "PyTorch, large rows without gradients: within 10 % of the NumPy call on the same memory",
        lambda row, run: row.group == "torch-forward",
        of_base,
        most=RATIO,
    ),
    Bar(
        "torch-backward",
        "PyTorch, large rows forward and backward: within 10 % of `cenote.vjp` and its pullback on the same memory",
        lambda row, run: row.group == "torch-backward",
        of_base,
        most=RATIO,
    ),
    Bar(
        "jax-forward",
        "JAX, large rows: within 10 % of the NumPy call and a handler that only fills as much memory",
        lambda row, run: row.group == "jax-forward",
        of_base,
        most=RATIO,
    ),
    Bar(
        "jax-backward",
        "JAX, large rows forward and backward: within 10 % of `cenote.vjp`, its pullback and such handlers",
        lambda row, run: row.group == "jax-backward",
        of_base,
        most=RATIO,
    ),
    Bar(
        "torch-call",
        f"PyTorch, {_HOME} without gradients: at most 1.5x PyTorch's own time or 3 microseconds more (the number is "
        "the better of the two, 1 is met)",
        lambda row, run: row.group == "torch-call" and not row.id.endswith("backward"),
        small_call,
        most=1,
    ),
    Bar(
        "torch-call-backward",
        f"PyTorch, {_HOME} forward and backward: at most 2x PyTorch's own time",
        lambda row, run: row.group == "torch-call" and row.id.endswith("backward"),
        of_base,
        most=2,
    ),
)


def judge(run: Run) -> tuple[Verdict, ...]:
    """Every bar on every row that it is about."""
    return tuple(verdict(bar, run, run.adapters, lambda row: row.title) for bar in BARS)
