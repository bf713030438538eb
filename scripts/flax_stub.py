"""The type stub of cenote.jax.flax, from the catalogue and JAX's dialect. Needs cenote.jax, so JAX and the handlers."""

from __future__ import annotations

import inspect
from typing import Any

import cenote.jax
from cenote.jax.flax import __all__ as names

HEAD = '''"""Types of the public names. Written by scripts/generate.py from the catalogue; do not edit."""

from collections.abc import Sequence
from typing import Literal, overload

from jax import Array
from numpy.typing import ArrayLike, DTypeLike

__all__: list[str]

'''
TYPES = {
    "inputs": "ArrayLike",
    "window_shape": "Sequence[int]",
    "strides": "Sequence[int] | None",
    "padding": "str | Sequence[Sequence[int]]",
    "count_include_pad": "bool",
    "window_dilation": "Sequence[int] | None",
}
RETURNS = {"False": "Array", "True": "tuple[Array, Array]", "bool": "Array | tuple[Array, Array]"}


def stub() -> str:
    """The text of cenote/jax/flax.pyi."""
    parts = []
    for name in names:
        function = getattr(cenote.jax.flax, name)
        if "return_indices" not in inspect.signature(function).parameters:
            parts.append(_function(name, function, None))
            continue
        parts += ["@overload\n" + _function(name, function, choice) for choice in RETURNS]
    return HEAD + "\n".join(parts) + "\n"


def _function(name: str, function: Any, choice: str | None) -> str:
    own = {parameter.name: parameter.annotation for parameter in function.cenote.op.parameters}
    lines, by_name = [], False
    for argument, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY and not by_name:
            lines.append("    *,")
            by_name = True
        annotation = TYPES.get(argument) or own[argument]
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}".replace("'", '"')
        if argument == "return_indices" and choice is not None:
            annotation = "bool" if choice == "bool" else f"Literal[{choice}]"
            default = default if choice == "False" else ""
        elif parameter.default is None and "None" not in annotation:
            annotation += " | None"
        lines.append(f"    {argument}: {annotation}{default},")
    return "\n".join([f"def {name}(", *lines, f") -> {RETURNS[choice or 'False']}: ..."])
