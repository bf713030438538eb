"""Layers that look through windows: convolutions, pooling, padding, cropping, enlarging. One small function each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ...catalogue import Derivative
from ...geometry import Rule, Slide, Spans, Split
from ...geometry.arguments import is_sequence
from ...geometry.chain import arithmetic
from ...keras import theirs
from ...keras.arguments import Pooling
from ...keras.layers import LAYERS
from ...ops import maps
from ..backend import load
from . import view as views
from .facts import Facts, Site, by, size, weighted
from .facts import Rule as Row

keras = load()
_INT64: Final = 8


def _plane(site: Site) -> tuple[tuple[int, ...], int]:
    """The axes that windows slide over, and the one of the channels."""
    rank = len(site.input) - 1
    if getattr(site.layer, "data_format", "channels_last") == "channels_first":
        return tuple(range(1, rank + 1)), 0
    return tuple(range(rank)), rank


def _values(value: Any, rank: int) -> tuple[Any, ...]:
    """Keras keeps an int or one entry per axis."""
    return tuple(value) if is_sequence(value) else (value,) * rank


def _sums(site: Site, rules: Mapping[int, Rule]) -> tuple[str, ...]:
    return tuple(arithmetic(rule, site.input[axis]) for axis, rule in rules.items())


def _lengths(site: Site, axes: Iterable[int]) -> dict[int, int]:
    return {axis: site.input[axis] for axis in axes}


def window_text(rules: Sequence[Rule]) -> str:
    """A window in one word, its stride always written, its padding left out.

    >>> window_text((Slide(2), Slide(2))), window_text((Slide(3, 1, 2),)), window_text((Split(7), Split(7)))
    ('2x2/2', '3/1@2', '>7x7')
    """
    slides = [rule for rule in rules if isinstance(rule, Slide)]
    if len(slides) < len(rules):
        parts = [rule.parts for rule in rules if isinstance(rule, Split)]
        return by("*" * len(parts)) if set(parts) == {1} else f">{by(parts)}"
    text = f"{by([rule.size for rule in slides])}/{_common([rule.stride for rule in slides])}"
    if any(rule.dilation != 1 for rule in slides):
        text += f"@{_common([rule.dilation for rule in slides])}"
    return text + "^" * any(rule.ceil_mode for rule in slides)


def _common(values: Sequence[int]) -> str:
    return str(values[0]) if len(set(values)) == 1 else by(values)


def padding_text(padding: object) -> str:
    """A word, or the cells before and after on every axis.

    >>> padding_text("same"), padding_text(1), padding_text(((0, 1), 2))
    ('same', '1', '0:1x2')
    """
    if not is_sequence(padding):
        return str(padding)
    return by([f"{entry[0]}:{entry[1]}" if is_sequence(entry) else str(entry) for entry in padding])


# ---- convolutions ----------------------------------------------------------------------------------------------------


def _slides(site: Site, axes: Sequence[int]) -> dict[int, Rule]:
    layer, rank = site.layer, len(axes)
    found: dict[int, Rule] = {}
    sizes, strides, dilations = (
        _values(value, rank) for value in (layer.kernel_size, layer.strides, layer.dilation_rate)
    )
    for axis, k, s, d in zip(axes, sizes, strides, dilations, strict=True):
        found[axis] = Slide(k, s, d, ((k - 1) * d, 0) if layer.padding == "causal" else layer.padding)
    return found


def _filtered(site: Site) -> tuple[Facts, int, int]:
    """What all convolutions share; output cells times taps, and the axis of the channels."""
    axes, channels = _plane(site)
    rules = _slides(site, axes)
    facts = Facts(
        views.slid(site.view, _lengths(site, axes), rules),
        window=window_text(tuple(rules.values())),
        padding=site.layer.padding,
        arithmetic=_sums(site, rules),
    )
    cells = math.prod(site.output[axis] for axis in axes)
    return facts, cells * math.prod(_values(site.layer.kernel_size, len(axes))), channels


def convolution(site: Site) -> Facts:
    """Conv1D and the like: every filter sees its group of channels."""
    facts, taps, channels = _filtered(site)
    inputs, filters, groups = site.input[channels], site.layer.filters, site.layer.groups
    seen = views.mixed_in_groups(facts.view, channels, inputs, groups, filters)
    return weighted(site, replace(facts, view=seen, multiply_adds=taps * (inputs // groups) * filters))


def depthwise(site: Site) -> Facts:
    """DepthwiseConv1D and the like: every channel by itself."""
    facts, taps, channels = _filtered(site)
    inputs, outputs = site.input[channels], site.output[channels]
    seen = views.mixed_in_groups(facts.view, channels, inputs, inputs, outputs)
    return weighted(site, replace(facts, view=seen, multiply_adds=taps * outputs))


def separable(site: Site) -> Facts:
    """SeparableConv1D and the like: a depthwise convolution, then one of 1 cell over all channels."""
    facts, taps, channels = _filtered(site)
    between = site.input[channels] * site.layer.depth_multiplier
    cells = math.prod(site.output) // site.output[channels]
    kept = size((cells, between)) if site.learns else 0
    found = replace(
        facts,
        view=views.mixed(facts.view, (channels,)),
        multiply_adds=taps * between + cells * between * site.layer.filters,
        own=kept,
        own_int64=kept,
    )
    return weighted(site, found)


def transposed(site: Site) -> Facts:
    """Conv1DTranspose and the like: every input cell is spread over a window of the output."""
    axes, channels = _plane(site)
    layer, rank = site.layer, len(axes)
    windows = {
        axis: Slide(k, s, d)
        for axis, k, s, d in zip(
            axes,
            *(_values(value, rank) for value in (layer.kernel_size, layer.strides, layer.dilation_rate)),
            strict=True,
        )
    }
    rules: dict[int, Rule] = {}
    sums = []
    for axis, slide in windows.items():
        length, outputs = site.input[axis], site.output[axis]
        rules[axis] = _spread(slide, length, outputs)
        grown = (length - 1) * slide.stride
        whole = layer.padding == "same" and outputs == length * slide.stride
        sums.append(f"{length}*{slide.stride} = {outputs}" if whole else f"{_grown(length, slide, outputs - grown)}")
    taps = math.prod(site.input[axis] * slide.size for axis, slide in windows.items())
    seen = views.mixed(views.slid(site.view, _lengths(site, axes), rules), (channels,))
    return weighted(
        site,
        Facts(
            seen,
            window=window_text(tuple(windows.values())),
            padding=layer.padding,
            arithmetic=tuple(sums),
            multiply_adds=taps * site.input[channels] * layer.filters,
        ),
    )


def _grown(length: int, slide: Slide, rest: int) -> str:
    return f"({length} - 1)*{slide.stride} + {rest} = {(length - 1) * slide.stride + rest}"


def _spread(slide: Slide, length: int, outputs: int) -> Spans:
    """The input cells that reach each output cell: what the windows have too much (with "same") is cut off at both
    ends, an odd cell at the far one; what they have too little lies at the far end."""
    surplus = (length - 1) * slide.stride + slide.extent - outputs
    cut = max(0, surplus // 2)
    reached: list[list[int]] = [[] for _ in range(outputs)]
    for i in range(length):
        for j in range(slide.size):
            cell = i * slide.stride + j * slide.dilation - cut
            if 0 <= cell < outputs:
                reached[cell].append(i)
    # only the ends of a span matter to a field, so a span may name cells between them that do not count
    return Spans(tuple((min(cells), max(cells) + 1, 1) if cells else (0, 0, 1) for cells in reached))


# ---- pooling ---------------------------------------------------------------------------------------------------------


def pooled(pooling: Pooling, site: Site) -> Facts:
    """Any operator in any form: its windows are all that is asked, and whether it picks a cell."""
    request, rank = pooling.request, len(site.input)
    rules = {axis + rank: rule for axis, rule in zip(request.axes, request.window.rules, strict=True)}
    whole = tuple(n or 1 for n in pooling.shape((1, *site.input)))[1:]
    seen = views.slid(site.view, _lengths(site, rules), rules)
    reads = math.prod(int(rule.spans(site.input[axis]).count.sum()) for axis, rule in rules.items())
    found = Facts(
        views.reshaped(seen, whole, site.output),
        window=window_text(tuple(rules.values())),
        padding=padding_text(pooling.parts["padding"]) if "padding" in pooling.parts else "",
        arithmetic=_sums(site, rules),
        pooling_operations=reads * math.prod(n for axis, n in enumerate(site.input) if axis not in rules),
        flattens=all(rule == Split(1) for rule in rules.values()),
    )
    if not site.passes or request.op.derivative is Derivative.LINEAR:
        return found
    positions = math.prod(whole)
    offsets = positions * maps.offset_dtype(request.most_taps((1, *site.input))).itemsize
    if request.op.derivative is Derivative.WINNER:
        return replace(found, own=offsets, own_int64=positions * _INT64)
    if math.isinf(request.words.params.p):  # the cell that won, and the sign that it had
        return replace(found, needs=(site.inputs[0],), own=offsets, own_int64=positions * _INT64)
    return replace(found, needs=(site.inputs[0], site.outputs[0]))


def _our_pool(site: Site) -> Facts:
    return pooled(site.layer.pooling, site)


def _their_pool(site: Site) -> Facts:
    return pooled(theirs.read(site.layer), site)


# ---- padding, cropping, enlarging ------------------------------------------------------------------------------------


def zero_padding(site: Site) -> Facts:
    """ZeroPadding1D and the like: a window of one cell that also stands beside the input."""
    axes, _ = _plane(site)
    pairs = dict(zip(axes, _pairs(site.layer.padding, len(axes)), strict=True))
    rules = {axis: Slide(1, 1, 1, pair) for axis, pair in pairs.items()}
    return Facts(
        views.slid(site.view, _lengths(site, axes), rules),
        padding=padding_text(tuple(pairs.values())),
        arithmetic=tuple(f"{site.input[axis]} + {lo} + {hi} = {site.output[axis]}" for axis, (lo, hi) in pairs.items()),
    )


def cropping(site: Site) -> Facts:
    """Cropping1D and the like."""
    axes, _ = _plane(site)
    pairs = dict(zip(axes, _pairs(site.layer.cropping, len(axes)), strict=True))
    rules = {
        axis: Spans(tuple((i, i + 1, 1) for i in range(lo, site.input[axis] - hi))) for axis, (lo, hi) in pairs.items()
    }
    return Facts(
        views.slid(site.view, _lengths(site, axes), rules),
        arithmetic=tuple(f"{site.input[axis]} - {lo} - {hi} = {site.output[axis]}" for axis, (lo, hi) in pairs.items()),
    )


def _pairs(value: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """Keras keeps one pair for one axis, and a pair of each axis for several."""
    return (tuple(value),) if rank == 1 else tuple(tuple(pair) for pair in value)


def enlarging(site: Site) -> Facts:
    """UpSampling1D and the like, by the nearest cell or between two."""
    axes, _ = _plane(site)
    between = getattr(site.layer, "interpolation", "nearest")
    if between not in _ENLARGED:
        return Facts(None, unknown=f"interpolation {between!r} is not in the table")
    sizes = dict(zip(axes, _values(site.layer.size, len(axes)), strict=True))
    rules = {axis: _ENLARGED[between](site.input[axis], times) for axis, times in sizes.items()}
    return Facts(
        views.slid(site.view, _lengths(site, axes), rules),
        arithmetic=tuple(f"{site.input[axis]}*{times} = {site.output[axis]}" for axis, times in sizes.items()),
    )


def _nearest(length: int, times: int) -> Spans:
    return Spans(tuple((i // times, i // times + 1, 1) for i in range(length * times)))


def _bilinear(length: int, times: int) -> Spans:
    """Centres lie at (i + 1/2)/times - 1/2; a centre on a cell needs that cell alone."""
    rows = []
    for i in range(length * times):
        above, rest = divmod(2 * i + 1 - times, 2 * times)
        ends = [min(max(cell, 0), length - 1) for cell in (above, above + (rest > 0))]
        rows.append((ends[0], ends[1] + 1, 1))
    return Spans(tuple(rows))


_ENLARGED: Final[dict[str, Callable[[int, int], Spans]]] = {"nearest": _nearest, "bilinear": _bilinear}


def _classes(row: Row, names: str) -> dict[type, Row]:
    return {getattr(keras.layers, name): row for name in names.split()}


WINDOWS: Final[dict[type, Row]] = {
    **_classes(convolution, "Conv1D Conv2D Conv3D"),
    **_classes(depthwise, "DepthwiseConv1D DepthwiseConv2D"),
    **_classes(separable, "SeparableConv1D SeparableConv2D"),
    **_classes(transposed, "Conv1DTranspose Conv2DTranspose Conv3DTranspose"),
    **_classes(zero_padding, "ZeroPadding1D ZeroPadding2D ZeroPadding3D"),
    **_classes(cropping, "Cropping1D Cropping2D Cropping3D"),
    **_classes(enlarging, "UpSampling1D UpSampling2D UpSampling3D"),
    **dict.fromkeys(LAYERS.values(), _our_pool),
    **dict.fromkeys(theirs.classes(), _their_pool),
}
"""Class -> what it costs."""
