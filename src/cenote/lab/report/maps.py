"""One test image inside the trained networks: the map before and after the first pooling, found by the explorer.

What was seen once stays in the folder (``maps.npz``), so that a later report needs neither the data nor the networks.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ...errors import CenoteError
from ...explorer.models import LayerMaps, ModelMaps, value_range
from ...explorer.models import maps as explore
from ...geometry import Slide
from ..arms import parse
from ..backend import load
from ..datasets import Dataset
from ..models import read
from ..store import Store
from .view import ResultsView

Array = NDArray[Any]

FILE: Final = "maps.npz"
_FORMAT: Final = 1
_CHANNELS: Final = 4  # of a layer, on the page of all arms


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
    """An image, H x W x C of 0 to 1, and its maps by arm; ``index`` is its place among the test images.

    ``pooling`` has every pooling layer of the networks that were looked at just now, and does not stay in the folder.
    """

    image: Array
    index: int
    label: str
    maps: Mapping[str, Maps]
    pooling: Mapping[str, ModelMaps] = field(default_factory=dict)


def seen(view: ResultsView, store: Store, data: Dataset | None) -> Seen | None:
    """What is in the folder, completed by what can be seen now; None where there is no image."""
    before = _read(store)
    if before is None:
        if data is None:
            return None
        before = Seen(np.asarray(data.x_test[0]), 0, str(data.classes[int(data.y_test[0])]), {})
    maps, pooling = dict(before.maps), {}
    for arm in view.arms:
        path = store.model_path(arm.name)
        if arm.name not in maps and arm.runs and path.is_file():
            try:
                network = read(path)
                found = of_pooling(network, before.image)
                if found is not None:
                    pooling[arm.name] = found
                maps[arm.name] = of_network(network, before.image, parse(arm.name).body, found)
            except Exception as error:  # a network of the user's own may fail in any way; the report is more than this
                maps[arm.name] = Maps(f"its maps cannot be drawn: {' '.join(str(error).split())[:200]}")
    all_of_them = Seen(before.image, before.index, before.label, maps, pooling)
    if maps.keys() != before.maps.keys():
        store.write(FILE, _packed(all_of_them))
    return all_of_them


def of_pooling(network: Any, image: Array) -> ModelMaps | None:
    """Every pooling layer of a network; None where nothing pools."""
    try:
        return explore(network, image, channels=_CHANNELS, who="lab")
    except CenoteError:
        return None


def of_network(network: Any, image: Array, body: str, pooling: ModelMaps | None = None) -> Maps:
    """The map with the most energy where the network pools first.

    A pooling layer keeps channels, so the same channel is shown before and after it. A convolution mixes them: after it
    its own strongest is shown. A network that does not pool has the map of its first convolution.
    """
    if body not in _NOT_POOLED:
        pooling = pooling or of_pooling(network, image)
        sliding = [layer for layer in pooling.layers if _slides(layer)] if pooling is not None else []
        if sliding:
            return _pooled(network, sliding[0])
    layer = _convolution(network, body)
    if layer is None:
        return Maps("there are no maps: dense layers alone")
    shrinks = max(layer.strides) > 1
    tensors = [layer.input, layer.output] if shrinks else [layer.output]
    keras = load()
    outputs = keras.Model(network.inputs[0], tensors)(np.asarray(image[None], np.float32), training=False)
    stacks = [_channels_last(np.asarray(keras.ops.convert_to_numpy(x))[0], layer) for x in keras.tree.flatten(outputs)]
    first, before = _cut(_maker(network, layer) if shrinks else layer, stacks[0])
    if not shrinks:
        return Maps("nothing pools: the map goes on as it is", first, before)
    second, after = _cut(layer, stacks[1])
    return Maps("a convolution mixes the channels: the strongest is shown on either side", first, before, second, after)


_NOT_POOLED: Final = ("none", "strided")


def _slides(layer: LayerMaps) -> bool:
    return layer.request is not None and any(isinstance(rule, Slide) for rule in layer.request.window.rules)


def _pooled(network: Any, layer: LayerMaps) -> Maps:
    """A pooling layer keeps channels, so the same channel is shown before and after it."""
    if len(layer.before) != 2:
        return Maps(f"{layer.name} does not pool over height and width")
    one = layer.channels[layer.by_energy[0]]
    count, kind = layer.energy.size, layer.kind.rpartition(".")[2]
    own = next((other for other in network.layers if other.name == layer.name), None)
    maker = None if own is None else _maker(network, own)
    first, second = (
        Place(name, word, lengths[0], lengths[1], count, one.channel)
        for name, word, lengths in (
            (str(maker.name), type(maker).__name__, layer.before) if maker else (layer.name, kind, layer.before),
            (layer.name, kind, layer.after),
        )
    )
    return Maps("", first, one.before, second, one.after)


def _convolution(network: Any, body: str) -> Any:
    """What shrinks maps instead: a convolution with a stride; else the first convolution; None where there is none."""
    layers = load().layers
    found = [layer for layer in network.layers if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D)]
    strided = next((layer for layer in found if max(layer.strides) > 1), None) if body != "none" else None
    return strided or next(iter(found), None)


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


def _cut(layer: Any, stack: Array) -> tuple[Place, Array]:
    """The strongest map of a stack."""
    height, width, channels = stack.shape
    channel = _strongest(stack)
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


def range_of(maps: Iterable[Array | None]) -> tuple[float, float]:
    """The least and the largest of all values, apart from each other; (0, 1) where none is finite."""
    low, high = value_range(one for one in maps if one is not None)
    return (low, high) if high > low and math.isfinite(high - low) else (low, low + 1)
