"""Geometry: for output i, which input positions? One place answers; everybody else asks it."""

from typing import TYPE_CHECKING, Any

from .axes import Axes, pooled_axes
from .rules import Rule, Slide, Spans, Split
from .spans import AxisSpans
from .window import Halo, Window

if TYPE_CHECKING:
    from .chain import Layer, Step, arithmetic, walk

__all__ = [
    "Axes",
    "AxisSpans",
    "Halo",
    "Layer",
    "Rule",
    "Slide",
    "Spans",
    "Split",
    "Step",
    "Window",
    "arithmetic",
    "pooled_axes",
    "walk",
]


def __getattr__(name: str) -> Any:
    # Chains are for the command line; pooling a map does not wait for them to be imported.
    if name in ("Layer", "Step", "arithmetic", "walk"):
        from . import chain

        return getattr(chain, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
