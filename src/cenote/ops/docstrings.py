"""Docstrings of the public functions, written from the rows."""

from __future__ import annotations

import textwrap
from functools import cache
from typing import Final

from ..catalogue import Op
from .signature import arguments

_FIRST: Final = {"sliding": "", "adaptive": " Adaptive: bins divide each axis.", "global": " Global: one window."}
_SHAPES: Final = {
    "sliding": "With ``(L + lo + hi - E) // stride + 1`` cells along each pooled axis, where "
    "``E = (size - 1) * dilation + 1``.",
    "adaptive": "With ``parts`` cells along each pooled axis.",
    "global": "Without the pooled axes, or with length 1 there.",
}
_SOURCES: Final = {
    "sliding": "",
    "adaptive": "Bin i covers the cells from floor(i * L / parts) up to ceil((i + 1) * L / parts), as in "
    '``torch.nn.AdaptiveAvgPool2d``; He et al., "Spatial pyramid pooling in deep convolutional networks", 2014.',
    "global": 'One window over everything: Lin, Chen and Yan, "Network in network", 2013.',
}
_STRIDES: Final = "JAX, Flax and ONNX default to ``stride=1``; PyTorch and Keras, like here, to the window size."


def docstring(op: Op, form: str) -> str:
    """The docstring of one public function in NumPy's style."""
    sections = [op.summary + _FIRST[form], "", "Examples", "--------", *_examples(op, form)]
    sections += ["", "Parameters", "----------"]
    for argument in arguments(op, form):
        text = argument.doc.format(dtypes=", ".join(op.dtypes)) if argument.name == "x" else argument.doc
        sections += _entry(f"{argument.name} : {argument.kind}", text)
    sections += ["", "Returns", "-------"]
    dtype = "The dtype of x" if op.selects else "See Notes for its dtype"
    sections += _entry("ndarray", f"{_SHAPES[form]} {dtype}; always a plain C-ordered ndarray, also for subclasses.")
    if op.selects:
        sections += _entry("ndarray of int64", "With ``return_indices=True``: where each value was found.")
    sections += ["", "Raises", "------"]
    sections += _entry("CenoteError", "An argument breaks a rule, or no output would be left. A ValueError.")
    sections += _entry("CenoteTypeError", "A dtype or type that has no meaning here; also a TypeError.")
    sections += ["", "Notes", "-----"]
    strides = (op.flax_note or _STRIDES) if form == "sliding" else ""
    for text in (op.prose, f"``{op.formula}``", _SOURCES[form], op.source, op.torch_note, strides):
        if text:
            sections += [*_wrapped(text, ""), ""]
    return "\n".join(sections).rstrip() + "\n"


def _examples(op: Op, form: str) -> list[str]:
    name = op.function if form == "sliding" else f"{form}_{op.function}"
    call = {"sliding": "2, ", "adaptive": "(60, 80), ", "global": ""}[form]
    shape = {"sliding": "(240, 320, 3)", "adaptive": "(60, 80, 3)", "global": "(3,)"}[form]
    own = [line for line in op.examples.get(form, "").splitlines() if line.strip()]
    return [
        ">>> import cenote",
        ">>> import numpy as np",
        *own,
        "",
        "An RGB image, each channel by itself:",
        "",
        ">>> image = np.zeros((480, 640, 3), dtype=np.float32)",
        f'>>> cenote.{name}(image, {call}axes="HWC").shape',
        shape,
    ]


def _entry(head: str, text: str) -> list[str]:
    return [head, *_wrapped(text, "    ")]


@cache  # the functions share most of their texts, and wrapping them all would double the time of the import
def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, 100, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
