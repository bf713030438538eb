"""An arm applied to a Keras model: the same network with fresh weights and another choice where it pools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import CenoteError, bad
from .arms import Arm
from .backend import load

keras = load()

_POOLS = tuple(getattr(keras.layers, f"{word}Pooling{rank}D") for word in ("Max", "Average") for rank in (1, 2, 3))
# What may stand between Flatten and the classes where a head is exchanged.
_DENSE = (keras.layers.Dense, keras.layers.Dropout, keras.layers.BatchNormalization)
_ENDS = (keras.layers.Activation, keras.layers.Softmax)


class Unsuitable(CenoteError):
    """The arm cannot be built from this model on this data; the message is what the report says."""


def _unsuitable(problem: str, way_out: str) -> Unsuitable:
    return Unsuitable(str(bad("lab", problem, way_out)))


def pools(layer: Any) -> bool:
    """Whether a layer is a sliding pooling, Keras's or cenote's."""
    from ..keras.layer import PoolingLayer

    if isinstance(layer, PoolingLayer):
        return layer.kind.form == "sliding"
    return isinstance(layer, _POOLS)


def _hides_pools(layer: Any) -> bool:
    """Whether a layer is made of others, and some of them pool."""
    inside = layer.layers if isinstance(layer, keras.Model) else [getattr(layer, "layer", None)]
    return any(pools(part) or _hides_pools(part) for part in inside if isinstance(part, keras.layers.Layer))


def functional(model: Any) -> Any:
    """The model as a graph of layers. Keras has no other way to exchange layers than to call them anew in order."""
    if isinstance(model, keras.Sequential):
        if not model.built:
            raise _unsuitable("the model does not know its input", "begin it with keras.Input(shape)")
        model = keras.Model(model.inputs, model.outputs, name=model.name)
    try:
        inputs, outputs = len(model.inputs), len(model.outputs)
    except (AttributeError, TypeError, ValueError):
        inputs = 0
    if not inputs:
        raise _unsuitable(
            f"{type(model).__name__} is no graph of layers, so its pooling cannot be exchanged",
            "build it as a Sequential or functional model",
        )
    if inputs != 1 or outputs != 1:
        raise _unsuitable(
            f"the model has {inputs} inputs and {outputs} outputs", "give one that maps an image to its classes"
        )
    return model


def apply(arm: Arm, model: Any) -> Any:
    """A new model with fresh weights; ``Unsuitable`` where the arm has no meaning or its maps would be empty."""
    base = functional(model)
    surgeon = _Surgeon(arm, base)
    try:
        made = keras.models.clone_model(base, clone_function=_copy, call_function=surgeon.call)
    except Unsuitable:
        raise
    except Exception as error:  # whatever a layer says about a map that is too small for it
        said = " ".join(str(error).split())
        raise _unsuitable(f"{arm.name} cannot be built: {said}", "choose other arms or larger images") from error
    surgeon.check()
    if made.output_shape != base.output_shape:  # where nothing dense follows, the maps are the answer
        raise _unsuitable(
            f"{arm.name} cannot be built: an image would give {made.output_shape[1:]}, not {base.output_shape[1:]}",
            "leave this arm out",
        )
    return made


def _copy(layer: Any) -> Any:
    return type(layer).from_config(layer.get_config())


@dataclass(slots=True)
class _Surgeon:
    """Calls the layers of a model one after the other, and others in their place."""

    arm: Arm
    base: Any
    replaced: int = 0
    headed: bool = False
    heads: set[int] = field(default_factory=set)
    kept: list[Any] = field(default_factory=list)  # an id is a tensor's only while the tensor lives

    def call(self, layer: Any, *args: Any, **kwargs: Any) -> Any:
        """What ``clone_model`` does instead of ``layer(*args, **kwargs)``."""
        x = args[0]
        if self.arm.body == "dense":
            return self._dense(layer, x, *args, **kwargs)
        if self.arm.body != "own" and _hides_pools(layer):
            raise _unsuitable(
                f"{self.arm.name}: the pooling inside {layer.name} ({type(layer).__name__}) cannot be exchanged",
                "put its layers into the model one by one",
            )
        if self.arm.head != "own" and (self._is_head(x) or isinstance(layer, keras.layers.Flatten)):
            return self._head(layer, x, *args, **kwargs)
        if self.arm.body == "own" or not pools(layer):
            return layer(*args, **kwargs)
        self.replaced += 1
        for piece in self._pieces(layer, x):
            x = piece(x)
        return x

    def check(self) -> None:
        """Whether what was to be exchanged was there."""
        arm = self.arm
        if arm.body in ("pool", "strided", "max+conv") and not self.replaced:
            raise _unsuitable(f"{arm.name}: the model has no pooling layer", "choose the arms none or own")
        if (arm.head != "own" or arm.body == "dense") and not self.headed:
            raise _unsuitable(f"{arm.name}: the model has no Flatten, where a head begins", "leave this arm out")

    def _pieces(self, layer: Any, x: Any) -> Sequence[Any]:
        """Layers in the place of a pooling."""
        arm, rank, form = self.arm, len(x.shape) - 2, layer.data_format
        if arm.body == "none":
            return ()
        pooled = pooling(arm, rank, form)
        if arm.body == "pool":
            return (pooled,)
        channels = x.shape[-1] if form == "channels_last" else x.shape[1]
        convolution = getattr(keras.layers, f"Conv{rank}D")
        stride = arm.stride if arm.body == "strided" else 1
        extra = convolution(channels, 3, strides=stride, padding="same", activation="relu", data_format=form)
        return (extra,) if arm.body == "strided" else (extra, pooled)

    def _is_head(self, x: Any) -> bool:
        return id(x) in self.heads

    def _note(self, x: Any) -> Any:
        self.heads.add(id(x))
        self.kept.append(x)
        return x

    def _head(self, layer: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        """From Flatten on: one map per class, and one number of each map (Lin, Chen and Yan, 2013)."""
        if isinstance(layer, keras.layers.Flatten):
            if self.headed:
                raise _unsuitable(f"{self.arm.name}: the model has several Flatten layers", "leave this arm out")
            self.headed = True
            return self._note(self._mapped(layer, x))
        if isinstance(layer, _ENDS):  # between dense layers it goes with them; behind the last it is the answer's
            return self._note(layer(x)) if self._ends(layer) else x
        if not isinstance(layer, _DENSE):
            raise _unsuitable(
                f"{self.arm.name}: {type(layer).__name__} stands behind Flatten; only dense layers can be exchanged",
                "leave this arm out",
            )
        return x

    def _ends(self, layer: Any) -> bool:
        """Whether no dense layer follows: a model's layers are in the order of its graph, and copies keep names."""
        names = [one.name for one in self.base.layers]
        dense = [i for i, one in enumerate(self.base.layers) if isinstance(one, keras.layers.Dense)]
        return not dense or names.index(layer.name) > dense[-1]

    def _mapped(self, flatten: Any, x: Any) -> Any:
        rank, form = len(x.shape) - 2, flatten.data_format
        last = [layer for layer in self.base.layers if isinstance(layer, keras.layers.Dense)]
        if rank < 1 or not last:
            raise _unsuitable(f"{self.arm.name}: there are no maps before Flatten", "leave this arm out")
        word = "Average" if self.arm.head == "avg" else "Max"
        convolution = getattr(keras.layers, f"Conv{rank}D")
        one_each = convolution(last[-1].units, 1, data_format=form, name="class_maps")(x)
        made = getattr(_ours(), f"Global{word}Pooling{rank}D")(data_format=form)(one_each)
        return keras.layers.Activation(last[-1].activation, name="classes")(made)

    def _dense(self, layer: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Nothing before Flatten but the input."""
        if isinstance(x, list | tuple):
            x = x[0]
        if self._is_head(x):
            return self._note(layer(x, *args[1:], **kwargs))
        if isinstance(layer, keras.layers.Flatten):
            self.headed = True
            return self._note(layer(x))
        return x


def pooling(arm: Arm, rank: int, data_format: str) -> Any:
    """The layer of an arm that pools."""
    from ..catalogue import OPS
    from ..keras.kinds import Kind

    kind = Kind(OPS[arm.op], "sliding", rank)
    words = dict(arm.parameters)
    made = getattr(_ours(), kind.name)
    return made(arm.size, strides=arm.stride, padding=arm.padding, data_format=data_format, **words)


def _ours() -> Any:
    from .. import keras as room

    return room
