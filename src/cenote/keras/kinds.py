"""Which layers there are: every row of the catalogue in three forms and three ranks, under Keras's names."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, Final

from ..catalogue import OPS, Op
from ..catalogue.op import Parameter
from ..catalogue.parameters import DIVISOR, DTYPE
from ..dialects import DIALECTS

REQUIRED: Final = inspect.Parameter.empty
RANKS: Final = (1, 2, 3)
FORMS: Final = ("sliding", "adaptive", "global")
_PREFIX: Final = {"sliding": "", "adaptive": "Adaptive", "global": "Global"}
# Keras's own arguments in Keras's order, and behind the star what cenote adds to every operator. The default of the
# window size is the operator's business, see Kind.size.
_KERAS: Final[dict[str, dict[str, Any]]] = {
    "sliding": {"pool_size": None, "strides": None, "padding": "valid", "data_format": None, "name": None},
    "adaptive": {"output_size": REQUIRED, "data_format": None},
    "global": {"data_format": None, "keepdims": False},
}
_OURS: Final[dict[str, dict[str, Any]]] = {
    "sliding": {"dilation": 1, "ceil_mode": False},
    "adaptive": {},
    "global": {},
}


@dataclass(frozen=True, slots=True, repr=False)
class Kind:
    """One layer class: an operator in one form, over 1, 2 or 3 axes."""

    op: Op
    form: str
    rank: int

    @property
    def name(self) -> str:
        """MaxPooling2D, GlobalAveragePooling1D, ...: Keras's word for the operator, or the operator's own name."""
        spelling = DIALECTS["keras"].operators.get(self.op.name)
        word = f"{_camel(self.op.name)}Pooling" if spelling is None else spelling.call
        return f"{_PREFIX[self.form]}{word}{self.rank}D"

    @property
    def alias(self) -> str | None:
        """MaxPool2D, GlobalAvgPool1D, ...: Keras has short names for all but adaptive layers."""
        if self.form == "adaptive":
            return None
        return f"{_PREFIX[self.form]}{_camel(self.op.name)}Pool{self.rank}D"

    @property
    def size(self) -> Any:
        """The window size when it is left out; REQUIRED where Keras wants it."""
        spelling = DIALECTS["keras"].operators.get(self.op.name)
        size = 2 if spelling is None else spelling.size
        if size is None:
            return REQUIRED
        return size if self.rank == 1 else (size,) * self.rank

    @property
    def own(self) -> tuple[Parameter, ...]:
        """The operator's own keywords. ``dtype`` is not among them: in a Keras layer it is the policy of the layer."""
        return tuple(parameter for parameter in self.op.parameters if parameter is not DTYPE)

    @property
    def added(self) -> tuple[str, ...]:
        """The arguments that Keras's own layer of this name has not."""
        return (*_OURS[self.form], *(parameter.name for parameter in self.own))

    @property
    def masks(self) -> bool:
        """Whether a mask of time steps is understood: averages of sequences, as in Keras."""
        return self.form == "global" and self.rank == 1 and DIVISOR in self.op.parameters

    @property
    def words(self) -> dict[str, Any]:
        """Every argument of the class and its default, in order."""
        keras = {name: self.size if name == "pool_size" else value for name, value in _KERAS[self.form].items()}
        return {**keras, **_OURS[self.form], **{parameter.name: parameter.default for parameter in self.own}}

    def signature(self) -> inspect.Signature:
        """The signature of ``__init__``: Keras's arguments by place or name, ours by name."""
        either, named = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
        places = [inspect.Parameter("self", either)]
        for name, default in self.words.items():
            kind = either if name in _KERAS[self.form] else named
            places.append(inspect.Parameter(name, kind, default=default))
        return inspect.Signature([*places, inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)])


def kinds() -> tuple[Kind, ...]:
    """All of them."""
    return tuple(Kind(op, form, rank) for form in FORMS for op in OPS.values() for rank in RANKS)


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
