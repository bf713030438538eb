"""Dialects: one row per framework, how it spells and defaults a window."""

from importlib import import_module
from typing import Final

from .dialect import NUMBERS, Ceil, Dialect, Limit, Note, Padding, Spelling, Stride
from .habits import ADAPTIVE, GLOBAL, SLIDE, Code, Habits, Pads
from .words import Words

NAMES: Final = ("torch", "keras", "jax", "onnx", "caffe")

DIALECTS: Final[dict[str, Dialect]] = {name: import_module(f".{name}", __name__).ROW for name in NAMES}

__all__ = [
    "ADAPTIVE",
    "DIALECTS",
    "GLOBAL",
    "NAMES",
    "NUMBERS",
    "SLIDE",
    "Ceil",
    "Code",
    "Dialect",
    "Habits",
    "Limit",
    "Note",
    "Padding",
    "Pads",
    "Spelling",
    "Stride",
    "Words",
]
