"""Layers that look through no window: dense, activations, normalization, dropout, shapes and merges."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from ..backend import load
from . import view as views
from .facts import BYTES, KEEPS, Facts, Site, activation, weighted
from .facts import Rule as Row
from .graph import Tensor

keras = load()


def _axis(site: Site, axis: int) -> int:
    """An axis as Keras counts it, the batch among them, among those of one image."""
    return axis % (len(site.input) + 1) - 1


def _axes(site: Site, axes: Any) -> tuple[int, ...]:
    return tuple(_axis(site, axis) for axis in ((axes,) if isinstance(axes, int) else axes))


def source(site: Site) -> Facts:
    """InputLayer: its view is given by whoever knows the model."""
    return Facts(site.view)


def dense(site: Site) -> Facts:
    """Dense: on a map, cell by cell."""
    last = len(site.input) - 1
    products = math.prod(site.input) * site.layer.units
    return weighted(site, Facts(views.mixed(site.view, (last,)), multiply_adds=products))


# ---- activations -----------------------------------------------------------------------------------------------------


def _fixed(name: str) -> Row:
    return lambda site: activation(site, name, len(site.input) - 1)


def activation_layer(site: Site) -> Facts:
    """Activation: a layer that is nothing else, so nothing stands between."""
    found = weighted(site, Facts(site.view))
    needs = (site.inputs[0],) if found.own else found.needs
    nothing = site.layer.activation is keras.activations.linear
    return replace(found, needs=needs, own=0, own_int64=0, alias=nothing)


def softmax(site: Site) -> Facts:
    """Softmax, whatever its axes."""
    found = activation(site, "softmax", 0)
    return replace(found, view=views.mixed(site.view, _axes(site, site.layer.axis)))


def prelu(site: Site) -> Facts:
    """PReLU: the sign of its slopes may change, so the output does not tell."""
    return Facts(site.view, needs=(site.inputs[0],) if site.passes else ())


# ---- normalization ---------------------------------------------------------------------------------------------------


def batch_normalization(site: Site) -> Facts:
    """BatchNormalization: statistics of the batch are no cost of one image; frozen, it is a fixed line."""
    kept = site.layer.trainable and site.passes
    return Facts(site.view, needs=(site.inputs[0],) if kept else ())


def _by_image(site: Site, view: views.Known, numbers: int) -> Facts:
    """A normalization by ``numbers`` statistics of the image itself."""
    if not site.passes:
        return Facts(view)
    return Facts(view, needs=(site.inputs[0],), own=BYTES * numbers, own_int64=BYTES * numbers)


def _along(statistics: int) -> Row:
    def found(site: Site) -> Facts:
        axes = _axes(site, site.layer.axis)
        groups = math.prod(site.input) // math.prod(site.input[axis] for axis in axes)
        return _by_image(site, views.mixed(site.view, axes), statistics * groups)

    return found


def group_normalization(site: Site) -> Facts:
    """GroupNormalization: all cells of a group of channels."""
    (channels,), groups = _axes(site, site.layer.axis), site.layer.groups
    seen = views.mixed(site.view, [axis for axis in range(len(site.input)) if axis != channels])
    seen = views.mixed_in_groups(seen, channels, site.input[channels], groups, site.input[channels])
    return _by_image(site, seen, 2 * groups)


def pointwise(site: Site) -> Facts:
    """A fixed line, or noise that is added: the slope is no matter of the input."""
    return Facts(site.view)


def identity(site: Site) -> Facts:
    """Identity: the very same memory."""
    return Facts(site.view, alias=True)


def augmentation(site: Site) -> Facts:
    """RandomFlip and the like: in inference nothing; what a gradient through them would need is not known."""
    if not site.passes:
        return identity(site)
    return Facts(site.view, needs=None, unknown="a gradient passes through it")


# ---- dropout ---------------------------------------------------------------------------------------------------------


def _dropping(numbers: Callable[[Site], int], width: int = 1) -> Row:
    """In training ``numbers`` of a mask are drawn, each ``width`` bytes."""

    def found(site: Site) -> Facts:
        if not site.layer.rate:
            return identity(site)
        kept = width * numbers(site) if site.passes else 0
        return Facts(site.view, own=kept, own_int64=kept)

    return found


def _every_number(site: Site) -> int:
    """The mask of Dropout, whose ``noise_shape`` may say that it is shared along an axis."""
    noise = getattr(site.layer, "noise_shape", None)
    if noise is None:
        return math.prod(site.input)
    return math.prod(n if given is None else given for n, given in zip(site.input, noise[1:], strict=True))


def _every_map(site: Site) -> int:
    first = getattr(site.layer, "data_format", "channels_last") == "channels_first"
    return site.input[0 if first else -1]


# ---- shapes ----------------------------------------------------------------------------------------------------------


def flatten(site: Site) -> Facts:
    """Flatten: the same memory, unless the channels have to go last first."""
    text = (f"{'*'.join(map(str, site.input))} = {site.output[0]}",) if len(site.input) > 1 else ()
    view, shape = site.view, site.input
    first = site.layer.data_format == "channels_first" and len(shape) > 1
    if first:
        order = (*range(1, len(shape)), 0)
        view, shape = views.moved(view, order), tuple(shape[axis] for axis in order)
    return Facts(views.reshaped(view, shape, site.output), arithmetic=text, alias=not first, flattens=True)


def reshape(site: Site) -> Facts:
    """Reshape: to one axis it is a Flatten by another name."""
    seen = views.reshaped(site.view, site.input, site.output)
    return Facts(seen, alias=True, flattens=len(site.output) == 1)


def permute(site: Site) -> Facts:
    """Permute."""
    return Facts(views.moved(site.view, [axis - 1 for axis in site.layer.dims]))


# ---- merges ----------------------------------------------------------------------------------------------------------


def _merging(needs: Callable[[Site], tuple[Tensor, ...]], masks: int = 0) -> Row:
    """Cell by cell of all inputs; ``masks`` bytes say for each number and each further input which of two won."""

    def found(site: Site) -> Facts:
        kept = masks * (len(site.inputs) - 1) * math.prod(site.output) if site.passes else 0
        seen = views.merged(site.views, len(site.output))
        return Facts(seen, needs=needs(site), own=kept, own_int64=kept)

    return found


def _nothing(site: Site) -> tuple[Tensor, ...]:
    return ()


def _other_factors(site: Site) -> tuple[Tensor, ...]:
    """What each gradient is multiplied with."""
    live = site.live
    return tuple(x for i, x in enumerate(site.inputs) if any(live[:i]) or any(live[i + 1 :]))


def _quotient(site: Site) -> tuple[Tensor, ...]:
    """The divisor, and the dividend where a gradient goes to the divisor. One of both may be a plain number."""
    if len(site.inputs) < 2:
        return site.inputs if site.passes else ()
    return site.inputs if site.live[1] else site.inputs[1:] if site.live[0] else ()


def concatenate(site: Site) -> Facts:
    """Concatenate."""
    axis = _axis(site, site.layer.axis)
    lengths = [x.shape[axis] for x in site.inputs]
    seen = views.joined(site.views, [x.shape for x in site.inputs], axis)
    return Facts(seen, arithmetic=(f"{' + '.join(map(str, lengths))} = {site.output[axis]}",))


def dot(site: Site) -> Facts:
    """Dot: products of two inputs along one axis of each."""
    if site.layer.normalize:
        return Facts(None, multiply_adds=None, needs=None, unknown="normalize=True is not in the table")
    given = site.layer.axes
    pair = (given, given) if isinstance(given, int) else tuple(given)
    ends = [axis % (len(x.shape) + 1) - 1 for axis, x in zip(pair, site.inputs, strict=True)]
    shapes = [_without(x.shape, axis) for x, axis in zip(site.inputs, ends, strict=True)]
    parts = []
    for view, x, axis, shape, room in zip(
        site.views, site.inputs, ends, shapes, ((0, len(shapes[1])), (len(shapes[0]), 0)), strict=True
    ):
        summed = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
        wide = (1,) * room[0] + shape + (1,) * room[1]
        parts.append(views.reshaped(views.mixed(view, (axis,)), summed, wide))
    seen = views.merged(parts, len(shapes[0]) + len(shapes[1]))
    if not any(shapes):
        seen = views.reshaped(seen, (), site.output)
    products = math.prod(site.output) * site.inputs[0].shape[ends[0]]
    return Facts(seen, multiply_adds=products, needs=_other_factors(site))


def _without(shape: Sequence[int], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], *shape[axis + 1 :])


def _rows(rows: dict[str, Row]) -> dict[type, Row]:
    """By class; younger layers are not in every Keras that will do."""
    return {getattr(keras.layers, name): row for name, row in rows.items() if hasattr(keras.layers, name)}


CELLS: Final = _rows(
    {
        "InputLayer": source,
        "Dense": dense,
        "Activation": activation_layer,
        "ReLU": _fixed("relu"),
        "LeakyReLU": _fixed("leaky_relu"),
        "ELU": _fixed("elu"),
        "Softmax": softmax,
        "PReLU": prelu,
        "BatchNormalization": batch_normalization,
        "LayerNormalization": _along(2),
        "RMSNormalization": _along(1),
        "UnitNormalization": _along(1),
        "GroupNormalization": group_normalization,
        "Normalization": pointwise,
        "Rescaling": pointwise,
        "GaussianNoise": pointwise,
        "Identity": identity,
        "Dropout": _dropping(_every_number),
        "AlphaDropout": _dropping(_every_number),
        "GaussianDropout": _dropping(_every_number, BYTES),
        **dict.fromkeys(("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"), _dropping(_every_map)),
        **{
            f"Random{what}": augmentation
            for what in ("Flip", "Rotation", "Translation", "Zoom", "Contrast", "Brightness")
        },
        "Flatten": flatten,
        "Reshape": reshape,
        "Permute": permute,
        **dict.fromkeys(("Add", "Subtract", "Average"), _merging(_nothing)),
        **dict.fromkeys(("Maximum", "Minimum"), _merging(_nothing, masks=1)),
        "Multiply": _merging(_other_factors),
        "Concatenate": concatenate,
        "Dot": dot,
    }
)
"""Class -> what it costs."""

OPERATIONS: Final[dict[str, Row]] = {
    **dict.fromkeys(("Add", "Subtract", "Negative"), _merging(_nothing)),
    **dict.fromkeys(("Maximum", "Minimum"), _merging(_nothing, masks=1)),
    "Multiply": _merging(_other_factors),
    **dict.fromkeys(("Divide", "TrueDivide"), _merging(_quotient)),
    **{
        name.title().replace("_", ""): _fixed(name)
        for name in KEEPS
        if "softmax" not in name and name not in ("linear", "sparsemax")
    },
}
"""The functions of ``keras.ops`` that become operations of a graph (``x + y``, ``keras.ops.relu``), by the name of
their class, which is all that they show."""
