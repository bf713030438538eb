"""Keras's own pooling layers of a model become cenote's, in place, and back again.

A layer changes its class and stays the object it is: the graph of a functional model, the attributes of a subclassed
one, shared and nested layers, names, weights, the optimizer and its state all refer to it as before. Pooling layers
have no weights, so there is nothing else to carry over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import keras

from ..errors import CenoteError, bad_type, shown
from ..ops.table import table
from . import theirs
from .arguments import Pooling
from .layer import PoolingLayer
from .layers import LAYERS as _OURS

_ABSENT: Final = "(absent)"


@dataclass(frozen=True, slots=True)
class Report:
    """What happened to ``model``: layer names to ``"OldClass -> NewClass"``, to the reason where nothing did, and to
    where results will differ from Keras's."""

    model: Any
    changed: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    differs: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        rows = [(name, f"{what}{self._note(name)}") for name, what in self.changed.items()]
        rows += [(name, f"left: {reason}") for name, reason in self.left.items()]
        return table(rows) if rows else "nothing to change"

    def _note(self, name: str) -> str:
        return f"; {self.differs[name]}" if name in self.differs else ""

    def free(self, name: str) -> str:
        """The name of a layer, or what tells it from one of the same name in another part of the model."""
        taken, n = {*self.changed, *self.left}, 2
        if name not in taken:
            return name
        while f"{name} ({n})" in taken:
            n += 1
        return f"{name} ({n})"


def convert(model: Any) -> Report:
    """Make Keras's own pooling layers of ``model`` cenote's, in place; a second call finds nothing to do.

    Layers of exactly Keras's classes change, nested and shared ones included; subclasses and functions of ``keras.ops``
    are left and reported. Names, weights, compilation and the optimizer's state stay. Compiled train, test and predict
    functions are made anew at their next use.

    Parameters
    ----------
    model : keras.Model or keras.Layer
        A model, or a layer that has layers.

    Returns
    -------
    Report
        ``changed``, ``left`` and ``differs`` by the names of the layers; ``str`` makes a table of it.

    Examples
    --------
    >>> import cenote.keras, keras
    >>> model = keras.Sequential([keras.Input((28, 28, 8)), keras.layers.MaxPooling2D(2, name="pool")])
    >>> print(cenote.keras.convert(model))
    pool  keras.layers.MaxPooling2D -> cenote.keras.MaxPooling2D
    >>> print(cenote.keras.restore(model))
    pool  cenote.keras.MaxPooling2D -> keras.layers.MaxPooling2D
    """
    report = Report(model)
    for layer in _layers("convert", model):
        name = report.free(layer.name)
        kind = theirs.classes().get(type(layer))
        if kind is None:
            if issubclass(type(layer), tuple(theirs.classes())):
                report.left[name] = f"{type(layer).__name__} is a subclass and may do more than its base"
            continue
        try:
            pooling = theirs.read(layer)
        except CenoteError as error:
            report.left[name] = str(error)
            continue
        _become(layer, _OURS[kind.name], pooling)
        report.changed[name] = f"keras.layers.{kind.name} -> cenote.keras.{kind.name}"
        if note := theirs.differs(pooling):
            report.differs[name] = note
    for name, function in _functions(model):
        report.left[report.free(name)] = f"{function} is a function of keras.ops, not a layer"
    _forget_traces(report)
    return report


def restore(model: Any) -> Report:
    """Undo ``convert``: every layer that it changed has its former class again, and the arguments that it had then.

    Layers that were made as cenote's are left and reported, those of a loaded or cloned model among them. Parameters
    and result are those of ``convert``, and so is its example.
    """
    report = Report(model)
    for layer in _layers("restore", model):
        if not isinstance(layer, PoolingLayer):
            continue
        name = report.free(layer.name)
        if hasattr(layer, "_before_cenote"):
            _revert(layer)
            report.changed[name] = f"cenote.keras.{type(layer).__name__} -> keras.layers.{type(layer).__name__}"
        else:
            report.left[name] = "it was made as a layer of cenote"
    _forget_traces(report)
    return report


def _become(layer: Any, ours: type[PoolingLayer], pooling: Pooling) -> None:
    """Give a layer our class, and remember what is needed to take it back."""
    names = (*(name for name, _ in pooling.config), "input_spec", "supports_jit")
    before = (type(layer), tuple((name, getattr(layer, name, _ABSENT)) for name in names))
    object.__setattr__(layer, "__class__", ours)
    object.__setattr__(layer, "_before_cenote", before)
    layer.take(pooling)
    layer.input_spec = keras.layers.InputSpec(ndim=pooling.kind.rank + 2)


def _revert(layer: Any) -> None:
    former, values = layer._before_cenote
    object.__setattr__(layer, "__class__", former)
    for name in ("_before_cenote", "_pooling", "_hosted", "_met"):
        object.__delattr__(layer, name)
    for name, value in values:
        if value is _ABSENT:
            delattr(layer, name)
        else:
            setattr(layer, name, value)


def _layers(who: str, model: Any) -> list[Any]:
    """The layers of a model, each once, in its own order."""
    if not isinstance(model, keras.layers.Layer):
        raise bad_type(who, f"model is a Keras model or layer, got {shown(model)}", "pass a keras.Model")
    return list({id(layer): layer for layer in model._flatten_layers()}.values())


def _functions(model: Any) -> Iterator[tuple[str, str]]:
    """Pooling functions in the graphs of functional models."""
    for layer in _layers("convert", model):
        for operation in getattr(layer, "operations", ()):
            if not isinstance(operation, keras.layers.Layer) and "Pool" in type(operation).__name__:
                yield operation.name, type(operation).__name__


def _forget_traces(report: Report) -> None:
    """Functions that Keras compiled hold the layers as they were."""
    if not report.changed:
        return
    for layer in _layers("convert", report.model):
        for name in ("train_function", "test_function", "predict_function"):
            if getattr(layer, name, None) is not None:
                setattr(layer, name, None)
        if getattr(layer, "compiled", False) and layer.jit_compile:
            layer.jit_compile = True  # Keras asks the layers whether they can be compiled, and warns if not
