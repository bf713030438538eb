"""Docstrings of the public functions, written from the rows."""

from __future__ import annotations

import textwrap
from functools import cache
from typing import Final

from ..catalogue import Op
from .signature import arguments

_FIRST: Final = {"sliding": "", "adaptive": " Adaptive: bins divide each axis.", "global": " Global: one window."}
_SHAPES: Final = {
    "sliding": "The shape of x with ``(L + lo + hi - E) // stride + 1`` cells along each pooled axis, where "
    '``E = (size - 1) * dilation + 1``; ``ceil_mode`` rounds up, and "same" gives ``ceil(L / stride)``.',
    "adaptive": "The shape of x with ``parts`` cells along each pooled axis.",
    "global": "The shape of x without the pooled axes, or with length 1 there.",
}
_SOURCES: Final = {
    "sliding": "",
    "adaptive": "Bin i covers the cells from floor(i * L / parts) up to ceil((i + 1) * L / parts), as in "
    '``torch.nn.AdaptiveAvgPool2d``; He et al., "Spatial pyramid pooling in deep convolutional networks", 2014.',
    "global": 'One window over everything: Lin, Chen and Yan, "Network in network", 2013.',
}
_STRIDES: Final = "JAX, Flax and ONNX default to ``stride=1``; PyTorch and Keras, like here, to the window size."
_LAYOUT: Final = 'Flax and Keras put channels last: write ``axes="NHWC"`` for their arrays.'


def docstring(op: Op, form: str) -> str:
    """The docstring of one public function in NumPy's style."""
    sections = [op.summary + _FIRST[form], "", "Examples", "--------", *_examples(op, form)]
    sections += ["", "Parameters", "----------"]
    for argument in arguments(op, form):
        text = argument.doc.format(dtypes=", ".join(op.dtypes)) if argument.name == "x" else argument.doc
        sections += _entry(f"{argument.name} : {argument.kind}", text)
    sections += ["", "Returns", "-------"]
    dtype = "The dtype of x" if op.selects else "See Notes for its dtype"
    sections += _entry(
        "ndarray",
        f"{_SHAPES[form]} {dtype}; always a plain C-ordered ndarray, also for subclasses. "
        "From 2 MiB on its memory comes from a cache (see ``empty_cache``), and OWNDATA is False.",
    )
    if op.selects:
        sections += _entry("ndarray of int64", "With ``return_indices=True``: where each value was found.")
    sections += ["", "Raises", "------"]
    sections += _entry("CenoteError", "An argument breaks a rule, or no output would be left. A ValueError.")
    sections += _entry("CenoteTypeError", "A dtype or type that has no meaning here; also a TypeError.")
    sections += _entry("CenoteIndexError", "An axis outside the array; also an IndexError.")
    sections += _entry("CenoteMemoryError", "A result that does not fit into memory; also a MemoryError.")
    sections += ["", "Notes", "-----"]
    elsewhere = (op.torch_note, op.flax_note or _STRIDES) if form == "sliding" else ()
    for text in (op.prose, f"``{op.formula}``", _SOURCES[form], op.source, *elsewhere, _LAYOUT):
        if text:
            sections += [*_wrapped(text, ""), ""]
    return "\n".join(sections).rstrip() + "\n"


def _examples(op: Op, form: str) -> list[str]:
    name = op.function_name(form)
    call = {"sliding": "2, ", "adaptive": "(60, 80), ", "global": ""}[form]
    shape = {"sliding": "(240, 320, 3)", "adaptive": "(60, 80, 3)", "global": "(3,)"}[form]
    first, _, further = op.examples.get(form, "").strip().partition("\n\n")
    return [
        ">>> import cenote",
        ">>> import numpy as np",
        *first.splitlines(),
        "",
        "An RGB image, each channel by itself:",
        "",
        ">>> image = np.zeros((480, 640, 3), dtype=np.float32)",
        f'>>> cenote.{name}(image, {call}axes="HWC").shape',
        shape,
        *(["", *further.splitlines()] if further else []),
    ]


def _entry(head: str, text: str) -> list[str]:
    return [head, *_wrapped(text, "    ")]


@cache  # the functions share most of their texts, and wrapping them all would double the time of the import
def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, 100, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
