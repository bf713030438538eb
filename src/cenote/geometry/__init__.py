"""Geometry: for output i, which input positions? One place answers; everybody else asks it."""

from .axes import Axes, pooled_axes
from .chain import Layer, Step, arithmetic, walk
from .rules import Rule, Slide, Spans, Split
from .spans import AxisSpans
from .window import Halo, Window

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
