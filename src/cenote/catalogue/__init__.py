"""The catalogue: one row per operator, one file per row."""

from importlib import import_module
from typing import Final

from .call import Call
from .op import Derivative, Op, Parameter, Params, Taps

NAMES: Final = ("max", "min", "avg", "sum", "lp")

OPS: Final[dict[str, Op]] = {name: import_module(f".{name}", __name__).ROW for name in NAMES}

__all__ = ["NAMES", "OPS", "Call", "Derivative", "Op", "Parameter", "Params", "Taps"]
