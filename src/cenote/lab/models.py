"""Networks to begin with, and a user's own."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..errors import CenoteError, bad, shown
from ..explorer.models import files
from .backend import load

Shape = tuple[int, ...]
Build = Callable[[Shape, int], Any]


@dataclass(frozen=True, slots=True)
class Model:
    """A network before it is built: ``build(input_shape, classes)`` makes it with fresh weights.

    ``input`` is the shape (height, width, channels) that it insists on, ``classes`` how many it knows; None: as the
    data has it.
    """

    name: str
    title: str
    build: Build
    input: Shape | None = None
    classes: int | None = None


def tutorial(input_shape: Shape = (20, 20, 3), classes: int = 2) -> Any:
    """The network of the tutorials: 20x20x3, a dense layer per pixel, 3x3 and 5x5 convolutions, one pooling between.

    >>> [layer.output.shape[1:3] for layer in tutorial().layers[:4]]
    [(20, 20), (20, 20), (10, 10), (10, 10)]
    """
    keras = load()
    from .. import keras as cenote_keras

    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Dense(16, activation="relu"),
            layers.Conv2D(32, 3, activation="relu", padding="same"),
            cenote_keras.MaxPooling2D(2, strides=2, padding="valid"),
            layers.Conv2D(64, 5, activation="relu", padding="same"),
            layers.Flatten(),
            layers.Dense(classes, activation="softmax"),
        ],
        name="tutorial",
    )


def digits(input_shape: Shape = (28, 28, 1), classes: int = 10) -> Any:
    """Two convolutions of 3x3, each with a pooling: 28x28 -> 26x26 -> 13x13 -> 11x11 -> 5x5, then dense layers.

    >>> [layer.output.shape[1:3] for layer in digits().layers[:4]]
    [(26, 26), (13, 13), (11, 11), (5, 5)]
    """
    keras = load()
    from .. import keras as cenote_keras

    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(32, 3, activation="relu"),
            cenote_keras.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            cenote_keras.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ],
        name="digits",
    )


def ann(input_shape: Shape = (28, 28, 1), classes: int = 10) -> Any:
    """Dense layers alone, for comparison.

    >>> ann().count_params()
    50890
    """
    keras = load()
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ],
        name="ann",
    )


PRESETS: Final = {
    model.name: model
    for model in (
        Model("tutorial", "the tutorials' network: dense, 3x3 and 5x5 convolutions", tutorial, (20, 20, 3), 2),
        Model("digits", "two 3x3 convolutions with a pooling each, two dense layers", digits),
        Model("ann", "two dense layers", ann),
    )
}


def find(text: str) -> Model:
    """A preset, ``FILE.py:build`` or ``FILE.keras``."""
    if text in PRESETS:
        return PRESETS[text]
    path, _, function = text.rpartition(":")
    if path.endswith(".py"):
        return _of_python(Path(path), function)
    if text.endswith(".keras"):
        return _of_file(Path(text))
    raise bad(
        "lab",
        f"there is no model {shown(text)}",
        f"choose {', '.join(PRESETS)}, FILE.py:FUNCTION for a function of (input_shape, classes), or FILE.keras",
    )


def _of_python(path: Path, function: str) -> Model:
    if not path.is_file():
        raise bad("lab", f"{path}: no such file", "name a Python file and a function in it, as in model.py:build")
    spec = importlib.util.spec_from_file_location(f"cenote_lab_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # layers that the file defines are found by their module when models are cloned
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise bad("lab", f"{path}: fails when it is imported ({_said(error)})", "mend the file") from error
    build = getattr(module, function, None)
    if not callable(build):
        raise bad("lab", f"{path}: has no function {shown(function)}", "name one of (input_shape, classes)")
    return Model(f"{path.stem}:{function}", str(path), build)


def _of_file(path: Path) -> Model:
    loaded = read(path)
    config = loaded.get_config()
    taken, given = ends(str(path), loaded)
    shape, classes = taken[1:], given[-1]
    if None in shape or classes is None:
        raise bad("lab", f"{path}: maps {shape} to {given[1:]}, no fixed sizes", "save a model with a fixed input")

    def build(input_shape: Shape, count: int) -> Any:
        return type(loaded).from_config(config)

    return Model(path.stem, str(path), build, shape, classes)


def read(path: Path) -> Any:
    """A saved Keras model, layers of cenote.keras among them."""
    load()
    return files.read(path, "lab")


def ends(name: str, model: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The shapes of what a network takes and gives, where that is one tensor each."""
    try:
        shapes = tuple(model.input_shape), tuple(model.output_shape)
    except (AttributeError, ValueError):
        raise bad(
            "lab",
            f"{name}: {type(model).__name__} is no graph of layers",
            "build it as a Sequential or functional model",
        ) from None
    if not all(length is None or isinstance(length, int) for shape in shapes for length in shape):
        raise bad("lab", f"{name}: has several inputs or outputs", "give one that maps an image to its classes")
    return shapes


def built(model: Model, input_shape: Shape, classes: int) -> Any:
    """The network for this data, after a look at whether it fits it."""
    try:
        made = model.build(input_shape, classes)
    except CenoteError:
        raise
    except (Exception, SystemExit) as error:
        raise bad(
            "lab",
            f"{model.name}: cannot be built for input {input_shape} and {classes} classes ({_said(error)})",
            "choose larger images with --input, or another model",
        ) from error
    keras = load()
    if not isinstance(made, keras.Model):
        raise bad("lab", f"{model.name}: gives {shown(made)}, not a Keras model", "return keras.Model or Sequential")
    if not made.built:
        raise bad("lab", f"{model.name}: does not know its input", "begin it with keras.Input(input_shape)")
    wanted, (given, said) = (None, *input_shape), ends(model.name, made)
    if given != wanted:
        raise bad("lab", f"{model.name}: takes {given}, the data is {wanted}", "build it for input_shape")
    if said != (None, classes):
        raise bad(
            "lab",
            f"{model.name}: gives {said} for an image, the data has {classes} classes",
            "end it with one number per class",
        )
    return made


def digest(model: Any) -> str:
    """Names a network by its layers, their arguments and shapes; its weights and the names of layers do not count."""
    keras, found = load(), hashlib.sha256()
    for layer in model.layers:
        if isinstance(layer, keras.Model) and layer.layers:
            config: Any = digest(layer)
        else:
            config = {name: _unnamed(value) for name, value in layer.get_config().items() if name != "name"}
        shapes = [str(getattr(part, "shape", part)) for part in _list(layer.output)]
        found.update(json.dumps([type(layer).__name__, config, shapes], sort_keys=True, default=_config).encode())
    if not isinstance(model, keras.Sequential):
        found.update(_wiring(model).encode())
    return found.hexdigest()


def _wiring(model: Any) -> str:
    """Who is called on what, layers by their place."""
    config = model.get_config()
    parts = [config.get(name) for name in ("input_layers", "output_layers")]
    parts += [[layer["class_name"], layer["inbound_nodes"]] for layer in config.get("layers", ())]
    places = {operation.name: f"#{i}" for i, operation in enumerate(getattr(model, "operations", ()))}

    def placed(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [placed(part) for part in value]
        if isinstance(value, dict):
            return {key: placed(part) for key, part in value.items()}
        return places.get(value, value) if isinstance(value, str) else value

    return json.dumps(placed(parts), sort_keys=True, default=_config)


def _unnamed(value: Any) -> Any:
    """Without the names of layers inside: Keras counts them up, so they are others in every network that is built."""
    if isinstance(value, list | tuple):
        return [_unnamed(part) for part in value]
    if not isinstance(value, dict):
        return value
    found = {key: _unnamed(part) for key, part in value.items()}
    if isinstance(found.get("config"), dict) and "Policy" not in str(found.get("class_name")):  # those are their names
        found["config"].pop("name", None)
    return found


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _config(value: Any) -> Any:
    config = getattr(value, "get_config", None)
    return [type(value).__name__, config() if config else str(value)]


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}"
