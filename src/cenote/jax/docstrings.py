"""Docstrings of the functions of cenote.jax and cenote.jax.flax, from the rows."""

from __future__ import annotations

import inspect
import textwrap
from functools import cache
from typing import Final

from ..catalogue import Op
from ..ops.signature import arguments

_NARROW: Final = (
    "Unless JAX is told jax_enable_x64, a result or index that would have 64 bits has 32, as everywhere in JAX."
)
_CELLS: Final = {
    "sliding": "The shape of x, with one cell for each window along the pooled axes.",
    "adaptive": "The shape of x with ``parts`` cells along each pooled axis.",
    "global": "The shape of x without the pooled axes, or with length 1 there.",
}
_ERRORS: Final = (
    ("CenoteError", "An argument breaks a rule, or no output would be left. A ValueError."),
    ("CenoteTypeError", "A dtype or type that has no meaning here; also a TypeError."),
    ("CenoteIndexError", "An axis outside the array; also an IndexError."),
    ("CenoteMemoryError", "A result that does not fit into memory; also a MemoryError."),
    ("NotImplementedError", "The program is compiled for a platform that cannot run it; see ``cenote.jax.explain``."),
)
_FLAX: Final = {
    "inputs": ("array_like", "Of shape ``(batch, ..., windows, ..., features)``. Dtypes: {dtypes}."),
    "window_shape": ("tuple of int", "Window size, one to three entries: the axes before the last are pooled."),
    "strides": ("tuple of int, optional", "Cells from one window to the next; left out, 1."),
    "padding": (
        "word or pairs, default 'VALID'",
        "'VALID' (none), 'SAME' (an odd cell at the end), 'SAME_LOWER' (at the beginning), or a ``(low, high)`` pair "
        "per window axis. Padding never holds a value.",
    ),
    "count_include_pad": ("bool, default True", "Divide by the number of taps; False: by the number of real ones."),
    "window_dilation": ("tuple of int, optional", "Cells from one tap of a window to the next; left out, 1."),
}


def docstring(op: Op, form: str) -> str:
    """Of a function of cenote.jax."""
    name = op.function_name(form)
    call = {"sliding": "2, ", "adaptive": "(60, 80), ", "global": ""}[form]
    shape = {"sliding": "(240, 320, 3)", "adaptive": "(60, 80, 3)", "global": "(3,)"}[form]
    entries = [
        (a.name, a.kind, a.doc.format(dtypes=", ".join(op.dtypes)) if a.name == "x" else a.doc)
        for a in arguments(op, form)
        if a.name != "out"
    ]
    example = [
        ">>> import cenote.jax",
        ">>> import jax, jax.numpy as jnp",
        f'>>> pool = jax.jit(lambda image: cenote.jax.{name}(image, {call}axes="HWC"))',
        ">>> pool(jnp.zeros((480, 640, 3))).shape",
        shape,
    ]
    source = f"``cenote.{name}`` for arrays of JAX's; the result is the same to the last bit."
    return _text(op, example, entries, _CELLS[form], source)


def flax_docstring(op: Op, said: inspect.Signature) -> str:
    """Of a function of cenote.jax.flax with this signature."""
    name = op.function_name("sliding")
    own = {p.name: (f"{p.kind}, default {said.parameters[p.name].default!r}", p.doc) for p in op.parameters}
    if "divisor" in own:
        kind, doc = own["divisor"]
        own["divisor"] = (kind, f"In place of ``count_include_pad``. {doc}")
    entries = []
    for argument in said.parameters:
        kind, doc = _FLAX.get(argument) or own[argument]
        entries.append((argument, kind, doc.format(dtypes=", ".join(op.dtypes)) if argument == "inputs" else doc))
    example = [
        ">>> from cenote.jax import flax as nn",
        ">>> import jax.numpy as jnp",
        f">>> nn.{name}(jnp.zeros((8, 28, 28, 3)), (2, 2), strides=(2, 2)).shape",
        "(8, 14, 14, 3)",
    ]
    cells = "The shape of inputs, with one cell for each window along the pooled axes."
    source = op.flax_note or "Spelt as ``flax.linen`` spells its own pools."
    return _text(op, example, entries, cells, source)


def _text(op: Op, example: list[str], entries: list[tuple[str, str, str]], cells: str, source: str) -> str:
    lines = [op.summary, "", "Examples", "--------", *example, "", "Parameters", "----------"]
    for name, kind, doc in entries:
        lines += [f"{name} : {kind}", *_wrapped(doc, "    ")]
    dtype = "The dtype of the input." if op.selects else f"Dtype: {op.dtype_rule}."
    lines += ["", "Returns", "-------", "jax.Array", *_wrapped(f"{cells} {dtype} {_NARROW}", "    ")]
    if op.selects:
        lines += ["jax.Array of int64", *_wrapped("With ``return_indices=True``: where each value was found.", "    ")]
    lines += ["", "Raises", "------"]
    for error, doc in _ERRORS:
        lines += [error, *_wrapped(doc, "    ")]
    lines += ["", "Notes", "-----"]
    works = "It may stand inside jit, vmap, grad and JAX's other transformations, nested as you like."
    for text in (source, op.prose, f"``{op.formula}``", f"{op.nan_rule}.", works, op.source):
        if text:
            lines += [*_wrapped(text, ""), ""]
    return "\n".join(lines).rstrip() + "\n"


@cache  # the functions share most of their texts, and wrapping takes longer than the rest
def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, 100, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
