"""All maps of a model, and the form in which the page reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from cenote.geometry import Slide, Spans, Split, Window
from cenote.ops.request import Request

from ..data import Json, packed, spelled, state, words_of
from .layers import ChannelMaps, LayerMaps


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ModelMaps:
    """Every pooling layer of a model, in the order in which they ran on one image; made by ``maps``.

    ``shape`` is that of the image, without the batch. ``notes`` say what is not as it was given.
    """

    title: str
    framework: str
    shape: tuple[int, ...]
    layers: tuple[LayerMaps, ...]
    notes: tuple[str, ...] = ()

    def packed(self) -> Json:
        """What the page is given: plain values, maps as packed arrays."""
        return {
            "title": self.title,
            "framework": self.framework,
            "shape": list(self.shape),
            "notes": list(self.notes),
            "layers": [_packed_layer(layer) for layer in self.layers],
        }

    def first_state(self, title: str | None = None) -> Json | None:
        """A page that begins with the strongest map of the first layer whose window the page knows."""
        for layer in self.layers:
            asked, _ = _asked(layer)
            if asked is not None and layer.by_energy:
                one = layer.channels[layer.by_energy[0]]
                name = f"{title or self.title}: {layer.title}, channel {one.channel}"
                # Of a map that is scaled down the page pools another one than the model did.
                seen = one.after if layer.scaled == (1, 1) and one.after is not None else np.zeros(1)
                strongest = int(np.argmax(np.nan_to_num(seen)))
                return state(asked["op"], asked["words"], one.before, p=float(asked["p"]), title=name, focus=strongest)
        return None

    def __repr__(self) -> str:
        return f"<maps of {self.title}: {', '.join(layer.title for layer in self.layers)}>"


def joined(title: str, parts: Mapping[str, ModelMaps]) -> ModelMaps:
    """Several models that were fed the same image as one, for a page that compares them; layers bear their names."""
    first = next(iter(parts.values()))
    layers = tuple(replace(layer, name=f"{name}: {layer.name}") for name, one in parts.items() for layer in one.layers)
    notes = tuple(dict.fromkeys(note for one in parts.values() for note in one.notes))
    return ModelMaps(title, first.framework, first.shape, layers, notes)


def _packed_layer(layer: LayerMaps) -> Json:
    asked, why_not = _asked(layer)
    return {
        "name": layer.title,
        "kind": layer.kind,
        "op": layer.op,
        "words": dict(layer.words),
        "window": None if layer.request is None else str(layer.request.window),
        "asked": asked,
        "not_asked": why_not,
        "reason": layer.reason,
        "input": list(layer.input_shape),
        "output": list(layer.output_shape),
        "arithmetic": list(layer.arithmetic),
        "receptive": None if layer.receptive is None else list(layer.receptive),
        "jump": None if layer.jump is None else list(layer.jump),
        "field_reason": layer.field_reason,
        "bytes": [layer.bytes_before, layer.bytes_after],
        "kept": None if layer.kept is None else [layer.kept, layer.kept_int64],
        "receives": layer.receives,
        "low": spelled(layer.low),
        "high": spelled(layer.high),
        "count": int(layer.energy.size),
        "channels": [_packed_channel(one) for one in layer.channels],
        "by_energy": list(layer.by_energy),
        "by_removed": list(layer.by_removed),
        "scaled": list(layer.scaled),
        "notes": list(layer.notes),
    }


def _packed_channel(one: ChannelMaps) -> Json:
    return {
        "channel": one.channel,
        "energy": spelled(one.energy),
        "removed": None if one.removed is None else spelled(one.removed),
        "before": packed(one.before),
        "after": None if one.after is None else packed(one.after),
    }


def _asked(layer: LayerMaps) -> tuple[Json | None, str]:
    """The layer's call in the words of the page, or why the page cannot show it."""
    request = layer.request
    if request is None:
        return None, layer.reason or "every channel has windows of its own, drawn at random"
    rules = [
        Split(length) if isinstance(rule, Slide) and _splits(request) else rule  # an axis that is kept, cell by cell
        for rule, length in zip(request.window.rules, layer.before, strict=True)
    ]
    if any(isinstance(rule, Spans) for rule in rules):
        return None, "its windows are a table of their own"
    params = request.words.params
    divisor = params.divisor if request.op.name == "avg" else None
    words = words_of(Window(tuple(rules)), stride=True, divisor=divisor)
    return {"op": request.op.name, "words": words, "p": spelled(float(params.p))}, ""


def _splits(request: Request) -> bool:
    return any(isinstance(rule, Split) for rule in request.window.rules)
