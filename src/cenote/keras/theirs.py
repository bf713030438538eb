"""Keras's own pooling layers: which of ours is which of theirs, and what theirs can say."""

from __future__ import annotations

from functools import cache
from typing import Any

import keras

from ..catalogue.parameters import DIVISOR
from . import backends
from .arguments import Pooling
from .kinds import Kind, kinds


@cache
def classes() -> dict[type, Kind]:
    """Keras's class -> our kind of the same name. Adaptive layers are there from Keras 3.13 on."""
    found = {kind: getattr(keras.layers, kind.name, None) for kind in kinds()}
    return {theirs: kind for kind, theirs in found.items() if theirs is not None}


def class_of(kind: Kind) -> type | None:
    """Keras's class of the same name, if there is one."""
    return next((theirs for theirs, same in classes().items() if same.name == kind.name), None)


def read(layer: Any) -> Pooling:
    """What a layer of one of Keras's own classes was given; CenoteError where the contract has no such thing."""
    kind = classes()[type(layer)]
    # not get_config(), for which Keras imports TensorFlow wherever it is installed: ten seconds
    given = {name: getattr(layer, name, default) for name, default in kind.words.items()}
    return Pooling.read(kind, given, layer.data_format)


def unsaid(pooling: Pooling) -> str | None:
    """What Keras's own layer cannot say of this pooling; None when it says all."""
    kind, said = pooling.kind, pooling.parts
    if class_of(kind) is None:
        return f"Keras has no {kind.name}"
    for name in kind.added:
        value, default = said[name], kind.words[name]
        if value != default and value != (default,) * kind.rank:
            return f"Keras's {kind.name} has no {name}"
    if said.get("padding", "valid") not in ("valid", "same"):
        return f"Keras's {kind.name} has no padding={said['padding']!r}"
    return None


def differs(pooling: Pooling) -> str:
    """Where Keras's own layer gives other values, empty if nowhere: faults of a backend's version of it."""
    backend, said = backends.name(), pooling.parts
    averages = DIVISOR in pooling.kind.op.parameters
    if backend == "torch" and averages and said.get("padding") == "same" and set(said["pool_size"]) != {1}:
        return "Keras on PyTorch averages copies of the border in where it pads; this does not"
    if backend == "jax" and pooling.kind.form == "adaptive":
        return "Keras on JAX finds the edges of 7, 13, 14 and more bins in float32, and some are wrong; these are not"
    return ""


def made(pooling: Pooling, name: str, dtype: Any) -> Any:
    """Keras's own layer for a pooling that ``unsaid`` has let pass."""
    theirs = class_of(pooling.kind)
    assert theirs is not None
    given = {word: value for word, value in pooling.config if word not in pooling.kind.added}
    return theirs(**given, name=name, dtype=dtype)
