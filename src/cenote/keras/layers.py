"""The layer classes: made by a loop, so that a new row of the catalogue has its layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import keras

from .docstrings import docstring
from .kinds import Kind, kinds
from .layer import MaskedLayer, PoolingLayer

PACKAGE: Final = "cenote"


def _init(kind: Kind) -> Callable[..., None]:
    signature = kind.signature()

    def __init__(self: PoolingLayer, *args: Any, **kwargs: Any) -> None:
        try:
            bound = signature.bind(self, *args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{kind.name}() {error}") from None
        bound.apply_defaults()
        given = dict(bound.arguments)
        further = given.pop("kwargs")
        given.pop("self")
        self._start(given, further)

    __init__.__signature__ = signature  # type: ignore[attr-defined]
    __init__.__qualname__ = f"{kind.name}.__init__"
    __init__.__module__ = __package__
    return __init__


def _layer(kind: Kind) -> type[PoolingLayer]:
    base = MaskedLayer if kind.masks else PoolingLayer
    body = {
        "__module__": __package__,
        "__qualname__": kind.name,
        "__doc__": docstring(kind),
        "__init__": _init(kind),
        "kind": kind,
    }
    made: type[PoolingLayer] = type(kind.name, (base,), body)
    return keras.saving.register_keras_serializable(PACKAGE)(made)


LAYERS: Final = {kind.name: _layer(kind) for kind in kinds()}
ALIASES: Final = {kind.alias: LAYERS[kind.name] for kind in kinds() if kind.alias is not None}
