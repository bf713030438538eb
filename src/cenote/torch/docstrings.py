"""Docstrings of functions and modules, from the catalogue and the dialect."""

from __future__ import annotations

from .arguments import REQUIRED, Spelled

_MEANING = {
    "kernel_size": "int or tuple: size of the window.",
    "stride": "int or tuple: cells from one window to the next; left out, kernel_size.",
    "padding": "int or tuple (at most half of kernel_size, as in PyTorch), (before, after) pairs one per axis, which "
    'have no limit, or "valid", "same", "same_lower". Padding never holds a value.',
    "dilation": "int or tuple: cells from one tap of a window to the next.",
    "ceil_mode": "bool: round the output length up.",
    "return_indices": "bool: also return where each value was found, int64, as PyTorch counts.",
    "count_include_pad": "bool: whether padding counts in the divisor.",
    "divisor_override": "int: divide by this instead.",
    "divisor": '"inside", "padded", "window" or a number: the divisor in the contract\'s words, in place of those two.',
    "norm_type": "number > 0: the exponent p; infinity is the largest absolute value.",
    "output_size": "int or tuple: number of bins; None keeps an axis as it is.",
    "dtype": "torch.dtype: of the result.",
}


def docstring(spelled: Spelled) -> str:
    """Of one function."""
    op, rank = spelled.op, spelled.rank
    axes = {1: "L", 2: "H, W", 3: "D, H, W"}[rank]
    own = {p.name: p.doc for p in op.parameters}
    lines = [
        op.summary,
        "",
        "Parameters",
        "----------",
        "input : Tensor",
        f"    Of shape (N, C, {axes}) or (C, {axes}), any strides. Dtypes: {', '.join(op.dtypes)}.",
    ]
    for name, default in zip(spelled.names, spelled.defaults(), strict=True):
        said = "" if default is REQUIRED else f", default {default!r}"
        by_name = "" if name in spelled.positional else " (by name only)"
        lines += [f"{name}{said}{by_name}", f"    {_MEANING.get(name) or own.get(name, '')}"]
    lines += [
        "",
        "Returns",
        "-------",
        "Tensor" + (", or a pair of tensors with return_indices=True" if op.selects else ""),
        "    In the memory format of the input. Differentiable in both modes, any number of times."
        if op.reducer is not None
        else "    Differentiable once, backward.",
        "",
        "Raises",
        "------",
        "TorchError",
        "    A RuntimeError and ValueError: an argument breaks a rule.",
        "TorchTypeError",
        "    A TypeError and NotImplementedError: an argument or a dtype has no meaning here.",
        "",
        "Notes",
        "-----",
        f"``cenote.{op.function_name(spelled.form)}`` says what is computed: NaN: {op.nan_rule}; gradient: "
        f"{op.gradient_rule}.",
    ]
    if op.torch_note:
        lines += ["", op.torch_note]
    return "\n".join(lines) + "\n"
