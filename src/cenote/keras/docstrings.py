"""Docstrings of the layers, written from the rows."""

from __future__ import annotations

import textwrap
from typing import Final

from ..catalogue.parameters import DTYPE
from .kinds import Kind

_FIRST: Final = {
    "sliding": "",
    "adaptive": " Adaptive: bins divide each pooled axis.",
    "global": " Global: one window over all of the pooled axes.",
}
_AXES: Final = {1: "steps", 2: "rows, cols", 3: "dim1, dim2, dim3"}
_POOLED: Final = {1: "new_steps", 2: "new_rows, new_cols", 3: "new_dim1, new_dim2, new_dim3"}
_ARGUMENTS: Final = {
    "pool_size": "int or tuple of {rank} ints: the window.",
    "strides": "int, tuple of {rank} ints, or None: cells from one window to the next. Left out, pool_size.",
    "padding": '"valid" (none), "same" (ceil(length / strides) results, an odd cell at the end), "same_lower" (an odd '
    "cell at the beginning), an int for all sides, or one int or (before, after) pair per pooled axis. No window "
    "finds a value in the padding.",
    "data_format": '"channels_last" or "channels_first". Left out, keras.config.image_data_format().',
    "name": "the layer's name.",
    "output_size": "int or tuple of {rank} ints: the number of bins.",
    "keepdims": "bool: keep the pooled axes, with length 1.",
    "dilation": "int or tuple of {rank} ints: cells from one tap of a window to the next. Not in Keras.",
    "ceil_mode": "bool: round the output length up. An error together with a padding word. Not in Keras.",
}
_SOURCES: Final = {
    "sliding": "Arguments, their order and their defaults are those of keras.layers.MaxPooling{rank}D.",
    "adaptive": "Arguments are those of keras.layers.AdaptiveMaxPooling{rank}D (Keras 3.13 and newer).",
    "global": "Arguments are those of keras.layers.GlobalMaxPooling{rank}D.",
}


def docstring(kind: Kind) -> str:
    """The docstring of one class, in the form of Keras's own."""
    rank = kind.rank
    lines = [kind.op.summary + _FIRST[kind.form], "", *textwrap.wrap(kind.op.prose, 100), ""]
    if DTYPE in kind.op.parameters:
        lines += [*textwrap.wrap(_DTYPE, 100), ""]
    lines += ["Examples:", "", *_example(kind), "", "Args:"]
    own = {parameter.name: f"{parameter.doc} Not in Keras." for parameter in kind.own}
    for name in kind.words:
        lines += _entry(name, own[name] if name in own else _ARGUMENTS[name].format(rank=rank))
    lines += _entry("**kwargs", "what every Keras layer takes: dtype, trainable, activity_regularizer, ...")
    if kind.masks:
        lines += ["", "Call arguments:", *_entry("inputs", "the input."), *_entry("mask", _MASK)]
    last, first = f"(batch, {_AXES[rank]}, channels)", f"(batch, channels, {_AXES[rank]})"
    lines += ["", "Input shape:", f"    {last}, or {first} with channels_first.", "", "Output shape:"]
    lines += [f"    {_output(kind)}"]
    lines += [
        "",
        "Raises:",
        *_entry("ValueError", _ERRORS),
        "",
        *textwrap.wrap(_SOURCES[kind.form].format(rank=rank), 100),
    ]
    return "\n".join(lines) + "\n"


_DTYPE: Final = (
    "In a layer, dtype= is the layer's policy. Whole numbers and bool come in the dtype that the layer computes in, "
    "float32 unless dtype= says otherwise."
)
_MASK: Final = "bool (batch, steps): the steps that count. A sequence whose steps are all left out gives 0."
_ERRORS: Final = "an argument breaks a rule, here and not at the first call; or no output would be left."


def _output(kind: Kind) -> str:
    if kind.form == "global":
        return f"(batch, channels); with keepdims {kind.rank} axes of length 1 besides."
    return f"(batch, {_POOLED[kind.rank]}, channels), or the channels first."


def _example(kind: Kind) -> list[str]:
    length = {1: 60, 2: 32, 3: 8}[kind.rank]
    shape = (2, *(length,) * kind.rank, 3)
    given, parts = {"sliding": ("2", length // 2), "adaptive": ("4", 4), "global": ("", 0)}[kind.form]
    result = (2, *(parts,) * kind.rank, 3) if parts else (2, 3)
    return [
        ">>> import cenote.keras, keras",
        f">>> x = keras.ops.ones({shape})",
        f">>> tuple(cenote.keras.{kind.name}({given})(x).shape)",
        f"{result}",
    ]


def _entry(head: str, text: str) -> list[str]:
    return textwrap.wrap(f"{head}: {text}", 100, initial_indent="    ", subsequent_indent="        ")
