"""One test image inside the trained networks: the map before and after the first pooling.

What was seen once stays in the folder (``maps.npz``), so that a later report needs neither the data nor the networks.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..arms import parse
from ..backend import load
from ..datasets import Dataset
from ..models import read
from ..store import Store
from .view import ResultsView

Array = NDArray[Any]

FILE: Final = "maps.npz"
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Where was looked: a layer's name, the map's size, and which of its channels; ``kind`` is the layer's class."""

    layer: str
    kind: str
    height: int
    width: int
    channels: int
    channel: int


@dataclass(frozen=True, slots=True)
class Maps:
    """What an arm makes of the image: ``before`` and ``after`` are H x W, or None with a ``note`` that says why."""

    note: str = ""
    first: Place | None = None
    before: Array | None = None
    second: Place | None = None
    after: Array | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """An image, H x W x C of 0 to 1, and its maps by arm; ``index`` is its place among the test images."""

    image: Array
    index: int
    label: str
    maps: Mapping[str, Maps]


def seen(view: ResultsView, store: Store, data: Dataset | None) -> Seen | None:
    """What is in the folder, completed by what can be seen now; None where there is no image."""
    before = _read(store)
    if before is None:
        if data is None:
            return None
        before = Seen(np.asarray(data.x_test[0]), 0, str(data.classes[int(data.y_test[0])]), {})
    maps = dict(before.maps)
    for arm in view.arms:
        path = store.model_path(arm.name)
        if arm.name not in maps and arm.runs and path.is_file():
            try:
                maps[arm.name] = of_network(read(path), before.image, parse(arm.name).body)
            except Exception as error:  # a network of the user's own may fail in any way; the report is more than this
                maps[arm.name] = Maps(f"its maps cannot be drawn: {' '.join(str(error).split())[:200]}")
    found = Seen(before.image, before.index, before.label, maps)
    if maps.keys() != before.maps.keys():
        store.write(FILE, _packed(found))
    return found


def of_network(network: Any, image: Array, body: str) -> Maps:
    """The map with the most energy where the network pools first.

    A pooling layer keeps channels, so the same channel is shown before and after it. A convolution mixes them: after it
    its own strongest is shown. A network that does not pool has the map of its first convolution.
    """
    place, layer = _first(network, body)
    if layer is None:
        return Maps("there are no maps: dense layers alone")
    pooled = place != "convolution"
    tensors = [layer.input, layer.output] if pooled else [layer.output]
    keras = load()
    outputs = keras.Model(network.inputs[0], tensors)(np.asarray(image[None], np.float32), training=False)
    stacks = [_channels_last(np.asarray(keras.ops.convert_to_numpy(x))[0], layer) for x in keras.tree.flatten(outputs)]
    if any(stack.ndim != 3 for stack in stacks):
        return Maps(f"{layer.name} does not pool over height and width")
    strongest = _strongest(stacks[0])
    source = layer if not pooled else _maker(network, layer)
    first, before = _cut(source, stacks[0], strongest)
    if not pooled:
        return Maps("nothing pools: the map goes on as it is", first, before)
    second, after = _cut(layer, stacks[1], strongest if place == "pooling" else _strongest(stacks[1]))
    note = "" if place == "pooling" else "a convolution mixes the channels: the strongest is shown on either side"
    return Maps(note, first, before, second, after)


def _first(network: Any, body: str) -> tuple[str, Any]:
    """What shrinks maps first: a pooling, or a convolution with a stride; else the first convolution."""
    from ..surgery import pools

    keras = load()
    convolutions = [
        layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)
    ]
    found = {
        "pooling": next((layer for layer in network.layers if pools(layer)), None),
        "strided": next((layer for layer in convolutions if max(layer.strides) > 1), None),
        "convolution": next(iter(convolutions), None),
    }
    wanted = {"none": ("convolution",), "strided": ("strided", "convolution")}.get(body, tuple(found))
    return next(((place, found[place]) for place in wanted if found[place] is not None), ("", None))


def _maker(network: Any, layer: Any) -> Any:
    """The layer whose output this layer reads, or this layer itself where that cannot be told."""
    return next((other for other in network.layers if _output(other) is layer.input), layer)


def _output(layer: Any) -> Any:
    try:
        return layer.output
    except (AttributeError, ValueError):  # a layer that is called several times has no one output
        return None


def _channels_last(stack: Array, layer: Any) -> Array:
    first = getattr(layer, "data_format", "channels_last") == "channels_first"
    return np.moveaxis(stack, 0, -1) if first else stack


def _strongest(stack: Array) -> int:
    return int(np.square(stack.astype(np.float64)).sum(axis=tuple(range(stack.ndim - 1))).argmax())


def _cut(layer: Any, stack: Array, channel: int) -> tuple[Place, Array]:
    height, width, channels = stack.shape
    place = Place(str(layer.name), type(layer).__name__, height, width, channels, channel)
    return place, np.ascontiguousarray(stack[:, :, channel], np.float32)


# --- the folder's copy ---


def _packed(found: Seen) -> bytes:
    arrays: dict[str, Array] = {"image": found.image}
    about: dict[str, Any] = {"format": _FORMAT, "index": found.index, "label": found.label, "maps": {}}
    for i, (arm, maps) in enumerate(found.maps.items()):
        places = [None if place is None else asdict(place) for place in (maps.first, maps.second)]
        about["maps"][arm] = {"at": i, "note": maps.note, "places": places}
        arrays |= {f"{i}-{word}": x for word, x in (("before", maps.before), ("after", maps.after)) if x is not None}
    text = np.frombuffer(json.dumps(about).encode(), np.uint8)
    packed = io.BytesIO()
    save: Any = np.savez_compressed  # whose type knows no names of arrays
    save(packed, about=text, **arrays)
    return packed.getvalue()


def _read(store: Store) -> Seen | None:
    """None where there is no such file, or one that cannot be read: then it is made anew where it can be."""
    try:
        packed = io.BytesIO((store.folder / FILE).read_bytes())  # np.load leaves a path open that is no archive
        with np.load(packed, allow_pickle=False) as arrays:
            about = json.loads(arrays["about"].tobytes())
            if about["format"] != _FORMAT:
                return None
            maps = {arm: _unpacked(part, arrays) for arm, part in about["maps"].items()}
            return Seen(arrays["image"], int(about["index"]), str(about["label"]), maps)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error):
        return None


def _unpacked(part: Mapping[str, Any], arrays: Any) -> Maps:
    first, second = (None if place is None else Place(**place) for place in part["places"])
    before, after = (
        arrays[name] if (name := f"{part['at']}-{word}") in arrays else None for word in ("before", "after")
    )
    return Maps(part["note"], first, before, second, after)


def value_range(maps: Iterable[Array | None]) -> tuple[float, float]:
    """The least and the largest of all values; (0, 1) where none is finite."""
    finite = np.concatenate([np.zeros(0), *(x[np.isfinite(x)] for x in maps if x is not None)])
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return (low, high) if high > low and math.isfinite(high - low) else (low, low + 1)
