"""A Keras model as the calls of its layers, one after the other, by Keras's public names alone.

``keras.models.clone_model`` shows every call of a functional model: which layer, on which tensors. The copy that it
builds on the way is made of stand-ins, so that the model itself is left as it was and no weight is made twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ...errors import bad, bad_type, shown
from ..backend import load

keras = load()
WHO: Final = "summarize"


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """One tensor of the graph, for one image: its lengths without the batch. It equals itself and nothing else."""

    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A layer (or a function of ``keras.ops``) applied; ``kind`` is its class. An input of the model is a call
    without a layer; a model that cannot be entered is one without results."""

    name: str
    kind: type
    layer: Any
    arguments: tuple[Tensor, ...]
    results: tuple[Tensor, ...]


def calls(model: Any, input_shape: Sequence[int] | None = None) -> list[Call]:
    """Every call of the model in topological order, the inputs first; those of inner models among them."""
    if not isinstance(model, keras.Model):
        raise bad_type(WHO, f"model is a keras.Model, got {shown(model)}", "pass a model")
    if input_shape is not None and isinstance(model, keras.Sequential) and not model.built:
        model.build((None, *input_shape))
    reader = _Reader()
    graph = _functional(model)
    if graph is None:
        return [Call(model.name, type(model), model, (), ())]
    reader.read(graph, _given(graph, input_shape), "")
    return reader.calls


def _given(graph: Any, input_shape: Sequence[int] | None) -> list[Tensor]:
    """The inputs of the model, their lengths known."""
    if input_shape is not None and len(graph.inputs) != 1:
        raise bad(
            WHO, f"input_shape is given and the model has {len(graph.inputs)} inputs", "fix the shapes in keras.Input"
        )
    found = []
    for x in graph.inputs:
        shape = tuple(x.shape[1:])
        if input_shape is not None:
            asked = tuple(input_shape)
            if len(asked) != len(shape) or any(n not in (None, m) for n, m in zip(shape, asked, strict=True)):
                raise bad(WHO, f"input_shape is {asked}, the model takes {shape}", "pass a shape that the model takes")
            shape = asked
        if None in shape:
            raise bad(WHO, f"input {x.name!r} has no fixed shape: {shape}", "pass input_shape=, as in (20, 20, 3)")
        found.append(Tensor(shape))
    return found


def _functional(model: Any) -> Any | None:
    """The model as a plain functional one on the same layers; None for a class with a ``call`` of its own."""
    if isinstance(model, keras.Sequential):
        if type(model).call is not keras.Sequential.call:
            return None
        if not model.built:
            raise bad(WHO, f"{model.name!r} is not built", "begin it with keras.Input, or pass input_shape=")
    elif type(model).call is not _PLAIN.call:
        return None
    return keras.Model(model.inputs, model.outputs)


def _plain() -> type:
    x = keras.Input((1,))
    return type(keras.Model(x, x))


_PLAIN: Final[Any] = _plain()  # the class of functional models, which has no public name
# Made by a call because a base that type checkers do not see is none to them.
_StandIn: Final[Any] = type("StandIn", (keras.Operation,), {"compute_output_spec": lambda self, *tensors: self.found})


class _Reader:
    """Collects the calls of a model and of the models in it."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        # by identity; the first of each pair only keeps Keras's tensor alive, and with it its identity
        self._known: dict[int, tuple[Any, Tensor]] = {}
        self._times: dict[str, int] = {}

    def read(self, graph: Any, given: Sequence[Tensor], prefix: str) -> list[Any]:
        """Note every call of a plain functional model; its outputs as Keras's tensors, known to ``_known``."""
        made = [
            keras.Input(batch_shape=(None, *tensor.shape), dtype=x.dtype, name=x.name)
            for x, tensor in zip(graph.inputs, given, strict=True)
        ]
        for x, tensor in zip(made, given, strict=True):
            self._known[id(x)] = (x, tensor)
        if not prefix:
            kind = keras.layers.InputLayer
            names = {id(layer.output): layer.name for layer in graph.layers if isinstance(layer, kind)}
            for x, tensor in zip(graph.inputs, given, strict=True):
                self.calls.append(Call(names.get(id(x), x.name), kind, None, (), (tensor,)))

        def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            return self._call(prefix, layer, args, kwargs)

        copy = keras.models.clone_model(
            graph,
            input_tensors=keras.tree.pack_sequence_as(graph.input, made),
            clone_function=lambda layer: layer,
            call_function=call,
        )
        return list(copy.outputs)

    def _call(self, prefix: str, layer: Any, args: Any, kwargs: Any) -> Any:
        """What ``clone_model`` asks for: the results of a call."""
        name, kwargs = prefix + layer.name, dict(kwargs)
        passed = _tensors((args, {key: value for key, value in kwargs.items() if key != "mask"}))
        arguments = tuple(self._known[id(x)][1] for x in passed)
        inner = _functional(layer) if isinstance(layer, keras.Model) else None
        if inner is not None:
            outputs = self.read(inner, arguments, f"{name}/")
            results = tuple(self._known[id(x)][1] for x in outputs)
            specs = [keras.KerasTensor(x.shape, dtype=x.dtype) for x in outputs]
        else:
            specs = _tensors(layer.compute_output_spec(*args, **kwargs))
            results = tuple(Tensor(_lengths(name, x.shape)) for x in specs)
            times = self._times[name] = self._times.get(name, 0) + 1
            shown_name = name if times == 1 else f"{name} ({times})"
            self.calls.append(Call(shown_name, type(layer), layer, arguments, results))
        stand_in = _StandIn()
        stand_in.found = specs
        found = stand_in(*_tensors((args, kwargs)))
        for x, tensor in zip(found, results, strict=True):
            self._known[id(x)] = (x, tensor)
        return found


def _tensors(structure: Any) -> list[Any]:
    return [x for x in keras.tree.flatten(structure) if isinstance(x, keras.KerasTensor)]


def _lengths(name: str, shape: Sequence[int | None]) -> tuple[int, ...]:
    lengths = tuple(shape[1:])
    if None in lengths:
        raise bad(WHO, f"{name!r} gives the shape {lengths}, whose size depends on the data", "fix the shape")
    return lengths  # type: ignore[return-value]  # checked above
