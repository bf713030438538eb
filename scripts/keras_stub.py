"""The type stub of cenote.keras, from the catalogue and Keras's dialect. Keras itself is not needed."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import cenote

HEAD = '''"""Types of the public names. Written by scripts/generate.py from the catalogue; do not edit."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from .convert import Report as Report
from .convert import convert as convert
from .convert import restore as restore
from .explain import Explanation as Explanation
from .explain import explain as explain
from .layer import MaskedLayer, PoolingLayer

Padding: TypeAlias = int | Literal["valid", "same", "same_lower"] | Sequence[int | tuple[int, int]]
DataFormat: TypeAlias = Literal["channels_last", "channels_first"] | None

__all__: list[str]
'''
TYPES = {
    "pool_size": "int | Sequence[int]",
    "strides": "int | Sequence[int] | None",
    "padding": "Padding",
    "data_format": "DataFormat",
    "name": "str | None",
    "output_size": "int | Sequence[int]",
    "keepdims": "bool",
    "dilation": "int | Sequence[int]",
    "ceil_mode": "bool",
}


def _kinds() -> ModuleType:
    """cenote.keras.kinds without the package around it, which imports Keras."""
    name = "cenote.keras"
    if name in sys.modules:
        return importlib.import_module(f"{name}.kinds")
    package = ModuleType(name)
    package.__path__ = [str(Path(cenote.__file__).parent / "keras")]
    sys.modules[name] = package
    try:
        return importlib.import_module(f"{name}.kinds")
    finally:
        del sys.modules[name]
        sys.modules.pop(f"{name}.kinds", None)


def stub() -> str:
    """The text of cenote/keras/__init__.pyi."""
    module = _kinds()
    parts, aliases = [HEAD], []
    for kind in module.kinds():
        parts.append(_class(kind, module.REQUIRED))
        if kind.alias is not None:
            aliases.append(f"{kind.alias} = {kind.name}")
    return "\n".join([*parts, *aliases]) + "\n"


def _class(kind: Any, required: Any) -> str:
    own = {parameter.name: parameter.annotation for parameter in kind.own}
    lines = []
    for place in list(kind.signature().parameters.values())[1:-1]:
        if place.kind is place.KEYWORD_ONLY and "        *," not in lines:
            lines.append("        *,")
        default = "" if place.default is required else f" = {place.default!r}".replace("'", '"')
        lines.append(f"        {place.name}: {own.get(place.name) or TYPES[place.name]}{default},")
    base = "MaskedLayer" if kind.masks else "PoolingLayer"
    arguments = "\n".join(["        self,", *lines, "        **kwargs: Any,"])
    return f"class {kind.name}({base}):\n    def __init__(\n{arguments}\n    ) -> None: ...\n"
