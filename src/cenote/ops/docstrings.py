"""Docstrings of the public functions, written from the rows."""

from __future__ import annotations

import textwrap

from ..catalogue import Op

_SIZE = {
    "sliding": (
        "size : int or tuple of int",
        "Window size. A tuple pools that many trailing axes, or ``axes``, entry by entry; an int pools every axis of "
        "``axes``, by default the last two of an array of 2 to 4 dimensions.",
    ),
    "adaptive": (
        "parts : int, or tuple of int or None",
        "Number of bins, which is the output length. A tuple pools that many trailing axes, or ``axes``; an int every "
        "axis of ``axes``, by default the last two of an array of 2 to 4 dimensions. None keeps an axis as it is.",
    ),
}
_GEOMETRY = (
    (
        "stride : int or tuple of int, optional",
        "Cells from one window to the next; left out, the window size.",
    ),
    (
        "padding : int, word, or one entry per axis, default 0",
        'Cells around the input that no window finds a value in: an int for all sides, "valid" (none), "same" (the '
        'output has ceil(L / stride) cells, an odd cell at the end), "same_lower" (at the beginning), or exactly one '
        "int or ``(lo, hi)`` pair per pooled axis. For one axis a pair is written ``((1, 2),)``.",
    ),
    ("dilation : int or tuple of int, default 1", "Cells between neighbouring taps of a window."),
    (
        "ceil_mode : bool, default False",
        "Round the output length up; a window may hang over the end but not start behind it. An error together with "
        "a padding word.",
    ),
)
_AXES = (
    "axes : int, tuple of int or layout string, optional",
    "The pooled axes; one to three. A layout such as 'HWC', 'NCHW' or 'NCDHW' names every dimension, and D, H and W "
    "are pooled.",
)
_GLOBAL_AXES = ("axes : int, tuple of int or layout string, default (-2, -1)", _AXES[1])
_KEEPDIMS = ("keepdims : bool, default False", "Keep the pooled axes, with length 1.")
_SHAPES = {
    "sliding": "With ``(L + lo + hi - E) // stride + 1`` cells along each pooled axis, "
    "where ``E = (size - 1) * dilation + 1``",
    "adaptive": "With ``parts`` cells along each pooled axis",
    "global": "Without the pooled axes, or with length 1 there",
}
_SOURCES = {
    "sliding": (),
    "adaptive": (
        "Bin i covers the cells from floor(i * L / parts) up to ceil((i + 1) * L / parts), as in "
        '``torch.nn.AdaptiveAvgPool2d``; He et al., "Spatial pyramid pooling in deep convolutional networks", 2014.',
    ),
    "global": ('One window over everything: Lin, Chen and Yan, "Network in network", 2013.',),
}


def docstring(op: Op, form: str) -> str:
    """The docstring of one public function in NumPy's style."""
    extra = {
        "sliding": "",
        "adaptive": " Adaptive: each axis is divided into bins.",
        "global": " Global: one window.",
    }
    first = f"{op.summary}{extra[form]}"
    sections = [first, "", "Examples", "--------", *_examples(op, form), "", "Parameters", "----------"]
    sections += _entry("x : array_like", f"The input, at least one dimension. Dtypes: {', '.join(op.dtypes)}.")
    for name, text in _parameters(op, form):
        sections += _entry(name, text)
    sections += ["", "Returns", "-------"]
    sections += _entry("ndarray", f"{_SHAPES[form]}. {_dtype_sentence(op)}")
    if op.selects:
        sections += _entry("ndarray of int64", "With ``return_indices=True``: where each value was found.")
    sections += ["", "Raises", "------"]
    sections += _entry(
        "CenoteError", "An argument breaks a rule, or no output would be left along an axis. A ValueError."
    )
    sections += _entry("CenoteTypeError", "A dtype or type that has no meaning here; also a TypeError.")
    sections += ["", "Notes", "-----"]
    for text in (op.prose, f"``{op.formula}``", *_SOURCES[form], op.source, *_elsewhere(op, form)):
        if text:
            sections += [*_wrapped(text, ""), ""]
    return "\n".join(sections).rstrip() + "\n"


def _parameters(op: Op, form: str) -> list[tuple[str, str]]:
    entries = [_SIZE[form]] if form in _SIZE else []
    if form == "sliding":
        entries += _GEOMETRY
    entries += [_GLOBAL_AXES, _KEEPDIMS] if form == "global" else [_AXES]
    for parameter in op.parameters:
        shown = f'"{parameter.default}"' if isinstance(parameter.default, str) else parameter.default
        entries.append((f"{parameter.name} : {parameter.kind}, default {shown}", parameter.doc))
    pair = " With ``return_indices=True`` a pair of arrays." if op.selects else ""
    entries.append(
        (
            "out : ndarray, optional",
            f"Where to write the result: its very shape and dtype, writeable, apart from x.{pair} A call that is "
            "interrupted leaves its contents undefined.",
        )
    )
    return entries


def _dtype_sentence(op: Op) -> str:
    rule = "The dtype of x" if op.selects else "See Notes for its dtype"
    return f"{rule}; always a plain C-ordered ndarray, also for subclasses."


def _examples(op: Op, form: str) -> list[str]:
    name = op.function if form == "sliding" else f"{form}_{op.function}"
    call = {"sliding": "2, ", "adaptive": "(60, 80), ", "global": ""}[form]
    shape = {"sliding": "(240, 320, 3)", "adaptive": "(60, 80, 3)", "global": "(3,)"}[form]
    own = [line for line in op.examples.get(form, "").splitlines() if line.strip()]
    lines = [">>> import cenote", ">>> import numpy as np", *own]
    return [
        *lines,
        "",
        "An RGB image, each channel by itself:",
        "",
        ">>> image = np.zeros((480, 640, 3), dtype=np.float32)",
        f'>>> cenote.{name}(image, {call}axes="HWC").shape',
        shape,
    ]


def _elsewhere(op: Op, form: str) -> tuple[str, ...]:
    if form != "sliding":
        return (op.torch_note,)
    strides = "JAX, Flax and ONNX default to ``stride=1``; PyTorch and Keras, like here, to the window size."
    return (op.torch_note, op.flax_note or strides)


def _entry(head: str, text: str) -> list[str]:
    return [head, *_wrapped(text, "    ")]


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        100,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
