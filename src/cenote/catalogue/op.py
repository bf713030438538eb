"""An operator is a row: everything that tells max from average is in it, and everybody loops over the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .dtypes import Dtype, names

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Params:
    """The normalised values of an operator's own parameters; a row reads the ones it has."""

    divisor: str | float | int = "inside"
    p: float = 2.0


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Parameter:
    """A keyword of the public functions beyond the geometry.

    ``annotation`` is its type for the stub, ``kind`` the same in a docstring's words.
    """

    name: str
    annotation: str
    kind: str
    default: object
    doc: str
    read: Callable[[str, Any], object]
    """(function name, what the caller gave) -> the normalised value, or an error."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Taps:
    """One window as the slow meanings see it: the real taps in row-major order on the first axis.

    ``values`` has shape (taps, ...); ``padded`` and ``window`` are the other two tap counts that a divisor can name.
    """

    values: Array
    padded: int
    window: int
    params: Params
    result: Dtype

    @property
    def inside(self) -> int:
        """The number of real taps."""
        return len(self.values)


class Derivative(Enum):
    """What an operator does to a small change of its input, as the frameworks' adapters need to know it."""

    LINEAR = "the operator itself"
    WINNER = "picks the cells that won"
    GENERAL = "depends on the values"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Op:
    """One row of the catalogue.

    ``reducer`` names the compiled reducer; a row without one runs on its reference, by declaration.
    ``fixed`` maps parameters that the row pins to their values (an operator made of an existing reducer).
    ``identity(dtype)`` is the value of a window without any real tap; ``reference`` never sees such a window.
    ``result_dtype(who, dtype, requested)`` is the dtype rule (``dtype_rule`` says it in words); ``requested`` is None
    when ``dtype=`` was left out.
    ``reference(taps)`` is the meaning: shape (taps, ...) -> (...); ``winner(taps)`` the position of the winning tap;
    ``gradient(taps, y, g)`` what each tap receives, shape (taps, ...), in the accumulator's precision.
    ``linear`` says that the result is a sum of the taps with weights that do not depend on them.
    ``composed(xp, x, params, total, largest)`` is the result of an operator that is neither linear nor a choice among
    the taps, made of ``abs``, ``where`` and powers of a framework ``xp`` and of the window's sum ``total(x)`` and its
    maximum ``largest(x)``: frameworks differentiate that as often as they like, which the kernels cannot.
    ``source`` is where the operator comes from; ``examples`` holds a doctest per form.
    """

    name: str
    title: str
    summary: str
    prose: str
    formula: str
    kinds: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    identity: Callable[[Dtype], Any]
    result_dtype: Callable[[str, Dtype, Dtype | None], Dtype]
    dtype_rule: str
    nan_rule: str
    gradient_rule: str
    reference: Callable[[Taps], Array]
    gradient: Callable[[Taps, Array, Array], Array]
    winner: Callable[[Taps], NDArray[np.int64]] | None = None
    reducer: str | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    linear: bool = False
    composed: Callable[[Any, Any, Params, Callable[[Any], Any], Callable[[Any], Any]], Any] | None = None
    source: str = ""
    examples: Mapping[str, str] = field(default_factory=dict)
    torch_note: str = ""
    flax_note: str = ""

    def __post_init__(self) -> None:
        twice = [parameter.name for parameter in self.parameters if parameter.name in self.fixed]
        if twice:
            raise ValueError(f"Op {self.name}: {twice[0]} is both a parameter and fixed; keep one of the two")

    @property
    def selects(self) -> bool:
        """True when the result is one of the taps, so that indices exist."""
        return self.winner is not None

    @property
    def derivative(self) -> Derivative:
        """What its derivative is; a row without a compiled reducer has no linear maps to offer."""
        if self.reducer is None:
            return Derivative.GENERAL
        return Derivative.LINEAR if self.linear else Derivative.WINNER if self.selects else Derivative.GENERAL

    @property
    def dtypes(self) -> tuple[str, ...]:
        """Names of the input dtypes it takes."""
        return names(self.kinds)

    def function_name(self, form: str) -> str:
        """Name of the public function in one form: "sliding", "adaptive" or "global"."""
        prefix = "" if form == "sliding" else f"{form}_"
        return f"{prefix}{self.name}_pool"

    def params(self, given: Mapping[str, Any]) -> Params:
        """The parameters of a call: those given, and those the row pins."""
        return Params(**{**given, **self.fixed})
