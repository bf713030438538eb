"""PyTorch's own setting bounds the threads of a call that comes from PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from cenote.native import get_num_threads, limited

R = TypeVar("R")


def within(function: Callable[..., R], *args: object) -> R:
    """``function(*args)`` on at most ``torch.get_num_threads()`` threads."""
    most = torch.get_num_threads()
    if most >= get_num_threads():
        return function(*args)
    return limited(most, function, *args)
