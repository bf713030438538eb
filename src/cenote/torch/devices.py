"""Where the compiled kernels cannot be: PyTorch's own operators pool there, if they can say what was asked."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cenote.errors import bad_type

from .arguments import SEQUENCES, Spelled


def reason(x: Tensor) -> str | None:
    """Why the compiled kernels do not take this tensor; None when they do."""
    if not (x.is_cpu or x.is_meta):
        return f"the tensor is on {x.device}, and the kernels run on the CPU"
    if x.is_quantized:
        return "the tensor is quantized, and the kernels pool plain numbers"
    if _is_exported():
        return "the model is being exported to ONNX, which has PyTorch's operators alone"
    return None


@torch.compiler.assume_constant_result
def _is_exported() -> bool:
    return torch.onnx.is_in_onnx_export()


def elsewhere(spelled: Spelled, x: Tensor, words: tuple[Any, ...], why: str) -> Any:
    """PyTorch's own function (nothing is copied to the host), or the error that it cannot say these words."""
    way_out = "pool x.dequantize()" if x.is_quantized else "pool it on the CPU, outside of an export"
    theirs = getattr(torch.nn.functional, spelled.name, None)
    if theirs is None:
        raise bad_type(spelled.name, f"{why}; PyTorch has no such function", way_out)
    said = {}
    for name, word, default in zip(spelled.names, words, spelled.defaults(), strict=True):
        if name in spelled.positional and _plain(word):
            said[name] = word
        elif word is not default and word != default:
            raise bad_type(spelled.name, f"{why}; PyTorch's own function does not take {name}={word!r}", way_out)
    if spelled.rank == 1:  # its average has no such argument
        said = {name: word for name, word in said.items() if not (name == "divisor_override" and word is None)}
    try:
        return theirs(x, **said)
    except NotImplementedError:
        if x.is_quantized:  # which only some of their kernels take
            raise bad_type(spelled.name, f"{why}; PyTorch has no kernel for it either", way_out) from None
        raise


def _plain(word: Any) -> bool:
    """No padding word, and no pairs."""
    return not isinstance(word, str) and not (
        isinstance(word, SEQUENCES) and any(isinstance(entry, (*SEQUENCES, str)) for entry in word)
    )
