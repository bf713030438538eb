"""The pooling of a Keras model, as it runs once on one image.

The ``call`` of every layer (and of every operation in the graph of a functional model) is exchanged for one run, which
is eager on all backends. What layers hand on is followed by its identity.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import keras
import numpy as np

from cenote.errors import CenoteError
from cenote.geometry import Slide, Window
from cenote.geometry.arguments import is_sequence
from cenote.keras import theirs
from cenote.keras.arguments import Pooling
from cenote.keras.layer import PoolingLayer
from cenote.keras.layers import LAYERS

from .fields import Field, Followed, Known, together
from .met import Array, Met, Unfit, differing, one_image, over_last_axes, plain, words

FRAMEWORK: Final = "Keras"
KINDS: Final = "pooling layers of keras.layers and cenote.keras, and layers with Pool in the name of their class"
_UNKNOWN: Final = "what stands before it is no layer that is followed"
# Layers and operations that give every cell a value of that cell alone.
_CELLWISE: Final = words(
    """Activation ReLU LeakyReLU PReLU ELU Softmax BatchNormalization Dropout SpatialDropout1D SpatialDropout2D
    SpatialDropout3D AlphaDropout GaussianDropout GaussianNoise Identity Rescaling Normalization ActivityRegularization
    Add Subtract Multiply Average Maximum Minimum Concatenate Relu Relu6 Sigmoid Tanh Silu Gelu Elu Selu Softplus
    Divide TrueDivide Absolute Negative Square Sqrt Exp Log Cast InputLayer"""
)
_CONVOLUTIONS: Final = words("Conv1D Conv2D Conv3D DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D")


def look(model: Any, image: Any) -> list[Met]:
    """Every run of a pooling layer on ``image`` (a batch of one), in that order. The model is left as it was."""
    if not model.built:
        model(image, training=False)
    watch = _Watch(model, image)
    with _states_kept(model), _without_gradients(), watch.exchanged():
        model(image, training=False)
    return watch.met


def fed(model: Any, x: Any) -> tuple[Any, int]:
    """``x`` as a batch of one image where the model is, and how many images it held."""
    shape = getattr(model, "input_shape", None) if getattr(model, "built", False) else None
    if isinstance(shape, list | dict):
        raise Unfit(f"the model has {len(shape)} inputs, and one image is shown")
    ndim = len(shape) if isinstance(shape, tuple) else _ndim(model)
    if not keras.ops.is_tensor(x):
        array = np.asarray(x)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"dtype {array.dtype}")
        x = array.astype(model.compute_dtype if model.compute_dtype != "bfloat16" else np.float32)
    one, given = one_image(x, ndim, "channels as the layers want them")
    return keras.ops.convert_to_tensor(one), given


def _ndim(model: Any) -> int | None:
    """Dimensions of what the first layer that wants a number of them takes."""
    for layer in model._flatten_layers():
        name = type(layer).__name__
        if name[-2:] in ("1D", "2D", "3D"):
            return int(name[-2]) + 2
    return None


@contextmanager
def _states_kept(model: Any) -> Iterator[None]:
    """Generators of random numbers and statistics are variables: what a run changes of them is put back."""
    before = [(variable, _value(variable)) for variable in model.non_trainable_variables]
    try:
        yield
    finally:
        for variable, value in before:
            if not np.array_equal(_value(variable), value, equal_nan=value.dtype.kind == "f"):
                variable.assign(value)


def _value(variable: Any) -> Array:
    return np.array(keras.ops.convert_to_numpy(variable.value))


@contextmanager
def _without_gradients() -> Iterator[None]:
    if keras.backend.backend() != "torch":
        yield
        return
    import torch

    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        yield


class _Watch:
    """Stands between a model and the ``call`` of its layers."""

    def __init__(self, model: Any, image: Any) -> None:
        self.met: list[Met] = []
        self._model, self._image = model, image
        self._within = 0  # layers whose own reading counts, not that of what they call
        self._begun = False  # whether a layer has run
        self._followed = Followed()

    @contextmanager
    def exchanged(self) -> Iterator[None]:
        """Every ``call`` is watched; each is as it was afterwards, whatever happens."""
        before = []
        try:
            for layer in _operations(self._model):
                own = vars(layer).get("call", _ABSENT)
                before.append((layer, own))
                object.__setattr__(layer, "call", self._watched(layer, layer.call))
            yield
        finally:
            for layer, own in before:
                object.__delattr__(layer, "call")
                if own is not _ABSENT:
                    object.__setattr__(layer, "call", own)

    def _watched(self, layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def watched(*args: Any, **kwargs: Any) -> Any:
            inputs = [one for one in keras.tree.flatten((args, kwargs)) if keras.ops.is_tensor(one)]
            if not inputs:
                return call(*args, **kwargs)
            fields = [self._field(one) for one in inputs]
            if _is_pool(layer):
                return self._pooled(layer, call, args, kwargs, inputs[0], fields[0])
            if _is_own_pool(layer, self._model):
                return self._own_pool(layer, call, args, kwargs, inputs[0], fields[0])
            result = call(*args, **kwargs)
            if not getattr(layer, "_layers", None):  # what is made of layers gives what the last of them gave
                self._note(result, _behind(layer, inputs, fields))
            return result

        return watched

    # --- layers ---

    def _pooled(self, layer: Any, call: Any, args: Any, kwargs: Any, x: Any, field: Known) -> Any:
        first, masked = _maps(x, _first(layer)), kwargs.get("mask") is not None
        self._within += 1
        try:
            result = call(*args, **kwargs)
        finally:
            self._within -= 1
        y = keras.tree.flatten(result)[0]
        pooling, said, reason = _read(layer)
        requests = () if pooling is None else (over_last_axes(pooling.request),)
        if masked:
            requests, reason = (), "steps are masked, and the contract knows no masks"
        after = None if first is None else _after(y, _first(layer), first)
        if first is None:
            requests, reason = (), "it runs inside of what the backend compiles, where maps cannot be read"
        if not self._within:
            self.met.append(
                Met(layer.name, _class(layer), said, requests, reason, first, after, _shape(x), _shape(y), field)
            )
        known = field
        if isinstance(field, Field):
            known = field.slid(requests[0].window) if requests else f"{reason}, so fields are not followed through it"
        self._note(result, known)
        return result

    def _own_pool(self, layer: Any, call: Any, args: Any, kwargs: Any, x: Any, field: Known) -> Any:
        base, place = _theirs(layer), len(self.met)
        before = _maps(x, _first(layer))
        self._within += base is not None
        try:
            result = call(*args, **kwargs)
        finally:
            self._within -= base is not None
        reason = (
            f"{type(layer).__name__} is a subclass of {base} and may differ from it"
            if base is not None
            else f"{type(layer).__name__} is no pooling layer that the contract knows"
        )
        if (base is not None or len(self.met) == place) and not self._within:
            y = keras.tree.flatten(result)[0]
            after = None if before is None else _after(y, _first(layer), before)
            self.met.insert(
                place, Met(layer.name, _class(layer), {}, (), reason, before, after, _shape(x), _shape(y), field)
            )
        self._note(result, field if isinstance(field, str) else f"{reason}, so fields are not followed through it")
        return result

    # --- fields ---

    def _field(self, tensor: Any) -> Known:
        known = self._followed.of(tensor)
        if known is None and not self._begun and tuple(tensor.shape) == tuple(self._image.shape):
            # Models bring their input into a form and dtype of their own before the first layer has it.
            known = Field.start(_lengths(tensor, _first(self._first_layer())))
            self._followed.note(tensor, known)
        return _UNKNOWN if known is None else known

    def _first_layer(self) -> Any:
        return next((layer for layer in self._model._flatten_layers() if hasattr(layer, "data_format")), self._model)

    def _note(self, result: Any, known: Known) -> None:
        self._begun = True
        for one in keras.tree.flatten(result):
            if keras.ops.is_tensor(one):
                self._followed.note(one, known)


def _behind(layer: Any, inputs: list[Any], fields: list[Known]) -> Known:
    """The field of what a layer gives."""
    kind, field = type(layer).__name__, fields[0]
    what = f"{layer.name} ({kind}) stands before it, through which fields are not followed"
    if isinstance(field, str):
        return field
    axis = (getattr(layer, "axis", -1) or 0) % len(inputs[0].shape)
    channel = 1 if _first(layer) else len(inputs[0].shape) - 1
    if kind in _CONVOLUTIONS:
        return field.slid(_convolution(layer))
    if kind.startswith("ZeroPadding"):
        rank = len(field.lengths)
        pairs = (layer.padding,) if rank == 1 else layer.padding
        return field.slid(Window(tuple(Slide(1, 1, 1, tuple(pair)) for pair in pairs)))
    if kind == "Dense" and len(inputs[0].shape) > 2 and not _first(layer):
        return field
    if kind in _CELLWISE and (kind != "Concatenate" or axis == channel):
        return together(fields, layer.name)
    return what


def _convolution(layer: Any) -> Window:
    rank = int(type(layer).__name__[-2])
    each = [
        tuple(value) if is_sequence(value) else (value,) * rank
        for value in (layer.kernel_size, layer.strides, layer.dilation_rate)
    ]
    causal = layer.padding == "causal"
    return Window(
        tuple(Slide(k, s, d, ((k - 1) * d, 0) if causal else layer.padding) for k, s, d in zip(*each, strict=True))
    )


# --- reading ---


def _read(layer: Any) -> tuple[Pooling | None, dict[str, str], str]:
    """The pooling of a layer by ``cenote.keras``'s reading, and the words that are not left out."""
    try:
        pooling = layer.pooling if isinstance(layer, PoolingLayer) else theirs.read(layer)
    except CenoteError as error:
        return None, {}, str(error)
    rank, usual = pooling.kind.rank, keras.config.image_data_format()
    defaults = {name: (value, (value,) * rank) for name, value in pooling.kind.words.items()}
    said = {
        name: value
        for name, value in pooling.config
        if (value not in defaults.get(name, ()) or name == "pool_size") and (name, value) != ("data_format", usual)
    }
    return pooling, differing(said, {}), ""


_ABSENT: Final = object()


def _operations(model: Any) -> Iterator[Any]:
    """The layers of a model, and the functions of ``keras.ops`` in its graphs, each once."""
    found = {id(layer): layer for layer in model._flatten_layers()}
    for layer in list(found.values()):
        for operation in getattr(layer, "operations", ()):
            found.setdefault(id(operation), operation)
    yield from found.values()


def _first(layer: Any) -> bool:
    """Whether channels come first."""
    given = getattr(layer, "data_format", None) or keras.config.image_data_format()
    return str(given) == "channels_first"


def _is_pool(layer: Any) -> bool:
    """Whether a layer is one of Keras's or of ours, and nothing more."""
    return type(layer) in theirs.classes() or type(layer) in _OURS


_OURS: Final = frozenset(LAYERS.values())


def _theirs(layer: Any) -> str | None:
    """The pooling class that a class of the user's is made from."""
    known = {*theirs.classes(), *_OURS}
    return next((base.__name__ for base in type(layer).__mro__ if base in known), None)


def _is_own_pool(layer: Any, model: Any) -> bool:
    """Whether a layer is the user's own pooling: by what it is made from, or by its name."""
    name = type(layer).__name__.lower()
    return _theirs(layer) is not None or ("pool" in name and "unpool" not in name and layer is not model)


def _class(layer: Any) -> str:
    kind = type(layer)
    home = kind.__module__
    if home.startswith("keras.src."):
        home = "keras.layers" if isinstance(layer, keras.layers.Layer) else "keras.ops"
    return f"{home}.{kind.__name__}"


# --- tensors ---


def _shape(x: Any) -> tuple[int, ...]:
    return tuple(int(length) for length in x.shape[1:])


def _lengths(x: Any, first: bool) -> tuple[int, ...]:
    """Those of the axes that windows slide over."""
    return _shape(x)[1:] if first else _shape(x)[:-1]


def _array(x: Any) -> Array | None:
    """The first image; None inside of what a backend compiles, where tensors have no values."""
    try:
        found: Array = plain(keras.ops.convert_to_numpy(x))[0]
        return found
    except Exception:  # each backend has its own errors for that
        return None


def _maps(x: Any, first: bool) -> Array | None:
    """Channels and maps of the first image."""
    array = _array(x)
    if array is None or not 1 < array.ndim < 5 or not array.size:
        return None
    return array if first else np.moveaxis(array, -1, 0)


def _after(y: Any, first: bool, before: Array) -> Array | None:
    """The same of what a layer gives; pooled axes that it drops are put back."""
    array = _array(y)
    if array is None or not array.size:
        return None
    if array.ndim == 1:
        return array.reshape(-1, *(1,) * (before.ndim - 1))
    if array.ndim != before.ndim:
        return None
    return array if first else np.moveaxis(array, -1, 0)
