"""What the table of layers answers, and in which conventions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ..backend import load
from . import view as views
from .graph import Tensor
from .view import Known

keras = load()
BYTES: Final = 4
"""Of a float32."""

CONVENTIONS: Final = (
    "Everything is for one image, numbers in float32, whatever the policy of the layers.",
    "A multiply-add is one product and one addition, of the weights of convolutions and dense layers or of Dot; "
    "products with padding count, bias, activations and normalization do not.",
    "A pooling operation is one real cell read by one window; padding does not count.",
    "Activation bytes are the outputs of all layers, the input among them, also where one is only another shape.",
    "Kept for backward are: the input of a layer with trainable weights; the output of an activation, or its input "
    "where the output does not tell the slope; the input of a normalization and the statistics of the image; which "
    "cell won a maximum or minimum (8 bytes as an int64 index, 1 as an offset in windows of up to 255 cells); input "
    "and output of an Lp norm; the mask of a dropout (1 byte a number); the other factors of a product.",
    "Nothing is kept where no gradient passes, before the first trainable weight; what several layers need counts "
    "once, at the first of them; a layer with an activation counts as the layer and then the activation.",
    "The receptive field is how far apart the first and the last input cell are that one cell can depend on, both "
    "included and within the input; normalization by the statistics of a batch counts as in inference.",
    "The head is what comes after the first Flatten or global pooling, that layer included, and leads to nothing else; "
    "without weights there it begins with the last layer that has some.",
)
"""How is counted, in sentences for whoever reads the numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A layer where it stands: what comes in and goes out, what is known of it, and where gradients pass."""

    layer: Any
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    views: tuple[Known, ...]
    live: tuple[bool, ...]

    @property
    def learns(self) -> bool:
        """Whether it has trainable weights."""
        return bool(getattr(self.layer, "trainable_weights", ()))

    @property
    def passes(self) -> bool:
        """Whether a gradient comes to what follows its weights."""
        return self.learns or any(self.live)

    @property
    def input(self) -> tuple[int, ...]:
        """The shape of the first input."""
        return self.inputs[0].shape

    @property
    def output(self) -> tuple[int, ...]:
        """The shape of the first output."""
        return self.outputs[0].shape

    @property
    def view(self) -> Known:
        """What the first input sees."""
        return self.views[0]


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What one call costs; None is not known.

    ``needs`` are tensors kept whole for backward, ``own`` and ``own_int64`` bytes of its own kept beside them, with
    offsets and with int64 indices. ``alias`` says that the output is the memory of the input, ``flattens`` that the
    head begins here.
    """

    view: Known
    window: str = ""
    padding: str = ""
    arithmetic: tuple[str, ...] = ()
    multiply_adds: int | None = 0
    pooling_operations: int | None = 0
    needs: tuple[Tensor, ...] | None = ()
    own: int = 0
    own_int64: int = 0
    alias: bool = False
    flattens: bool = False
    unknown: str = ""


Rule = Callable[[Site], Facts]


def nobody_knows(reason: str) -> Facts:
    """The answer for a layer that is not in the table."""
    return Facts(None, multiply_adds=None, pooling_operations=None, needs=None, unknown=reason)


def size(shape: Sequence[int]) -> int:
    """Bytes of a tensor of float32."""
    return BYTES * math.prod(shape)


def by(values: Sequence[object]) -> str:
    """28x28x3."""
    return "x".join(map(str, values))


# Whether the slope of an activation is known from its output, or only from its input.
_KEEPS: Final = {
    "output": "relu relu6 leaky_relu elu selu celu sigmoid hard_sigmoid tanh hard_tanh softmax log_softmax softplus "
    "log_sigmoid softsign exponential soft_shrink hard_shrink sparsemax",
    "input": "gelu silu hard_silu mish tanh_shrink squareplus sparse_plus sparse_sigmoid threshold",
    "nothing": "linear",
}
KEEPS: Final = {name: what for what, names in _KEEPS.items() for name in names.split()}
_MIXING: Final = ("softmax", "log_softmax", "sparsemax")
# Younger functions are not in every Keras that will do.
_NAMES: Final = {getattr(keras.activations, name): name for name in KEEPS if hasattr(keras.activations, name)}


def activated(site: Site, facts: Facts, function: Any) -> Facts:
    """The layer, and then the activation that is fused into it."""
    if function is None:
        return facts
    name = _NAMES.get(function)
    if name is None:
        said = getattr(function, "__name__", type(function).__name__)
        return replace(facts, view=None, needs=None, unknown=f"its activation {said} is none of Keras's own")
    return replace(_slope(site, facts, name, fused=True), view=looked_through(facts.view, name, len(site.output) - 1))


def activation(site: Site, name: str, axis: int) -> Facts:
    """An activation by itself; ``axis`` is the one that a softmax normalizes."""
    found = Facts(looked_through(site.view, name, axis), alias=KEEPS[name] == "nothing")
    return _slope(site, found, name, fused=False)


def looked_through(view: Known, name: str, axis: int) -> Known:
    """What is seen behind an activation: most see one cell."""
    return views.mixed(view, (axis,)) if name in _MIXING else view


def _slope(site: Site, facts: Facts, name: str, *, fused: bool) -> Facts:
    if not site.passes or KEEPS[name] == "nothing" or facts.needs is None:
        return facts
    if KEEPS[name] == "output":
        return replace(facts, needs=(*facts.needs, site.outputs[0]))
    if fused:  # the tensor between the layer and its activation is no tensor of the graph
        extra = size(site.output)
        return replace(facts, own=facts.own + extra, own_int64=facts.own_int64 + extra)
    return replace(facts, needs=(*facts.needs, site.inputs[0]))


def weighted(site: Site, facts: Facts) -> Facts:
    """A layer with weights keeps its input, for the gradient of the weights; and has its activation."""
    if site.learns and facts.needs is not None:
        facts = replace(facts, needs=(site.inputs[0], *facts.needs))
    return activated(site, facts, getattr(site.layer, "activation", None))
