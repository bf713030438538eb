"""Small Keras models for the tests of `cenote.lab.counts`, which is imported first: it chooses the backend."""

from __future__ import annotations

import functools
import importlib.util
import inspect
from collections.abc import Callable
from typing import Any

import pytest

if importlib.util.find_spec("keras") is None:
    pytest.skip("Keras is not installed: nothing to count", allow_module_level=True)

from cenote.lab.counts import LayerCost, summarize

import keras  # isort: skip
import cenote.keras as pools  # isort: skip


class Plain:
    """Keras's layers, their weights zeros to begin with: for random ones JAX compiles a program per shape."""

    def __getattr__(self, name: str) -> Any:
        kind = getattr(keras.layers, name)
        said = inspect.signature(kind.__init__).parameters.values()
        random = [argument.name for argument in said if argument.default == "glorot_uniform"]
        return functools.partial(kind, **dict.fromkeys(random, "zeros"))


layers = Plain()


def sequential(shape: tuple[int, ...], *stack: Any) -> Any:
    """Layers one after the other."""
    return keras.Sequential([keras.Input(shape), *stack])


def graph(shape: tuple[int, ...], build: Callable[[Any], Any]) -> Any:
    """What ``build`` makes of an input."""
    x = keras.Input(shape)
    return keras.Model(x, build(x))


def by_name(model: Any) -> dict[str, LayerCost]:
    """The rows of a summary."""
    return {layer.name: layer for layer in summarize(model).layers}


def tutorial(end: str = "softmax") -> Any:
    """The tutorials' network."""
    return sequential(
        (20, 20, 3),
        layers.Dense(16, activation="relu", name="dense"),
        layers.Conv2D(32, 3, padding="same", activation="relu", name="conv3"),
        pools.MaxPooling2D(2, strides=2, padding="valid", name="pool"),
        layers.Conv2D(64, 5, padding="same", activation="relu", name="conv5"),
        layers.Flatten(name="flatten"),
        layers.Dense(2, activation=end, name="classes"),
    )
