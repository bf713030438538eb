"""The type stub of cenote.torch, from the catalogue and PyTorch's dialect. Needs PyTorch, as the room itself does."""

from __future__ import annotations

import inspect
from typing import Any

from cenote.torch import __all__ as names
from cenote.torch.arguments import REQUIRED
from cenote.torch.functional import FUNCTIONS
from cenote.torch.modules import MODULES
from cenote.torch.unpooling import UNPOOLINGS

HEAD = '''"""Types of the public names. Written by scripts/generate.py from the catalogue; do not edit."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, overload

import torch
from torch import Tensor, nn

from .convert import Report as Report
from .convert import convert as convert
from .convert import restore as restore
from .errors import TorchError as TorchError
from .errors import TorchIndexError as TorchIndexError
from .errors import TorchTypeError as TorchTypeError
from .explain import Explanation as Explanation
from .explain import explain as explain
from .install import COVERED as COVERED
from .install import NOT_COVERED as NOT_COVERED
from .install import install as install
from .install import installed as installed
from .install import is_installed as is_installed
from .install import uninstall as uninstall

Padding: TypeAlias = int | Literal["valid", "same", "same_lower"] | Sequence[int | tuple[int, int]]

OLDEST: tuple[int, int]
__all__: list[str]
'''
TYPES = {
    "input": "Tensor",
    "indices": "Tensor",
    "kernel_size": "int | Sequence[int]",
    "stride": "int | Sequence[int] | None",
    "padding": "Padding",
    "dilation": "int | Sequence[int]",
    "ceil_mode": "bool",
    "count_include_pad": "bool",
    "divisor_override": "int | None",
    "divisor": 'Literal["inside", "padded", "window"] | float | None',
    "return_indices": "bool",
    "norm_type": "float",
    "output_size": "int | Sequence[int | None] | None",
    "dtype": "torch.dtype | None",
}


def stub() -> str:
    """The text of cenote/torch/__init__.pyi."""
    parts = [HEAD]
    for name, function in FUNCTIONS.items():
        own = {p.name: p.annotation for p in function.cenote.spelled.op.parameters}
        signature = inspect.signature(function)
        if "return_indices" not in signature.parameters:
            parts.append(_function(name, signature, own, "Tensor"))
            continue
        for choice, returns in (("False", "Tensor"), ("True", "tuple[Tensor, Tensor]")):
            parts.append("@overload\n" + _function(name, signature, own, returns, choice))
    for name, function in UNPOOLINGS.items():
        parts.append(_function(name, inspect.signature(function), {}, "Tensor"))
    for name, module in MODULES.items():
        parts.append(_module(name, module))
    assert set(names) >= {*FUNCTIONS, *UNPOOLINGS, *MODULES}
    return "\n".join(parts) + "\n"


def _arguments(signature: inspect.Signature, own: dict[str, str], choice: str | None) -> list[str]:
    lines, by_name = [], False
    for name, parameter in signature.parameters.items():
        required = parameter.default is REQUIRED
        annotation = TYPES.get(name) or own.get(name, "Any")
        if name == "return_indices" and choice is not None:
            annotation, required = f"Literal[{choice}]", choice == "True"
        if (
            parameter.kind is parameter.KEYWORD_ONLY or (required and choice and name == "return_indices")
        ) and not by_name:
            lines.append("    *,")
            by_name = True
        lines.append(f"    {name}: {annotation}{'' if required else f' = {parameter.default!r}'},")
    return lines


def _function(
    name: str, signature: inspect.Signature, own: dict[str, str], returns: str, choice: str | None = None
) -> str:
    return "\n".join([f"def {name}(", *_arguments(signature, own, choice), f") -> {returns}: ..."])


def _module(name: str, module: type[Any]) -> str:
    parent = module.__mro__[1]
    base = f"nn.{parent.__name__}" if parent.__name__ == name else "nn.Module"
    signature = inspect.signature(module.__init__)
    parameters = [p for n, p in signature.parameters.items() if n != "self"]
    pooling = getattr(module, "pooling", None)
    own = {p.name: p.annotation for p in pooling.spelled.op.parameters} if pooling else {}
    lines = ["    def __init__(", "        self,"]
    lines += ["    " + line for line in _arguments(signature.replace(parameters=parameters), own, None)]
    return "\n".join([f"\nclass {name}({base}):", *lines, "    ) -> None: ..."])
