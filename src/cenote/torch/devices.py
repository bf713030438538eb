"""Tensors that are not in this machine's memory: PyTorch's own kernels pool them, if they can; nothing is copied."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cenote.errors import bad_type

from .arguments import Spelled


def reason(x: Tensor) -> str:
    """Why the compiled kernels do not take this tensor."""
    return f"the tensor is on {x.device}, and the kernels run on the CPU"


def elsewhere(spelled: Spelled, x: Tensor, words: tuple[Any, ...]) -> Any:
    """PyTorch's own function, or the error that it cannot say these words."""
    theirs = getattr(torch.nn.functional, spelled.name, None)
    if theirs is None:
        raise bad_type(
            spelled.name, f"{reason(x)}; PyTorch has no such function of its own", "pass x.cpu() to pool it there"
        )
    defaults = spelled.defaults()
    said = {}
    for name, word, default in zip(spelled.names, words, defaults, strict=True):
        if name in spelled.positional and _plain(word):
            said[name] = word
        elif word is not default and word != default:
            raise bad_type(
                spelled.name,
                f"{reason(x)}; PyTorch's own function does not take {name}={word!r}",
                "pass x.cpu() to pool it there",
            )
    if spelled.rank == 1:  # its average has no such argument
        said = {name: word for name, word in said.items() if not (name == "divisor_override" and word is None)}
    return theirs(x, **said)


def _plain(word: Any) -> bool:
    """No padding word, and no pairs."""
    return not isinstance(word, str) and not (
        isinstance(word, tuple | list) and any(isinstance(entry, tuple | list | str) for entry in word)
    )
