"""The way in for everybody: a request and a tensor, and the door that suits the moment."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from cenote.catalogue import Derivative
from cenote.ops.request import Request

from . import library
from .bound import Bound, bound
from .derivatives import CenoteDown, CenoteGeneral, CenoteIndices, CenoteSelect, Held, composed, plain
from .state import is_forward_mode, is_observed


def pool(request: Request, x: Tensor) -> Any:
    """The pooled tensor, or values and indices where the request asks for them; differentiable."""
    if torch.compiler.is_compiling():
        return library.pool(x, *_spelled(request))
    found = bound(request)
    return library.pool(x, *library.spelled(found)) if is_observed(x) else eager(found, x)


@torch.compiler.assume_constant_result
def _spelled(request: Request) -> library.Text:
    return library.spelled(bound(request))


def eager(bound: Bound, x: Tensor) -> Any:
    """The eager door."""
    if not is_forward_mode() and not (x.requires_grad and torch.is_grad_enabled()):
        return plain(x, bound)
    return recorded(bound, x)


def recorded(bound: Bound, x: Tensor, held: Held | None = None) -> Any:
    """The same where a derivative is wanted; ``held`` is the memory of x, if that is at hand.

    Offsets are kept for the derivative; indices, eight times as large, are the caller's alone.
    """
    if bound.request.words.select:
        return _value(bound.plain, x, held), CenoteIndices.run(x.detach(), bound)
    return _value(bound, x, held)


def _value(bound: Bound, x: Tensor, held: Held | None) -> Tensor:
    derivative = bound.request.op.derivative
    if derivative is Derivative.WINNER:
        return CenoteSelect.run(x, bound, held)[0]
    if derivative is Derivative.LINEAR:
        return CenoteDown.run(x, None, bound, held)
    if is_forward_mode() and bound.request.op.composed is not None and x.is_floating_point():
        return composed(x, bound)
    return CenoteGeneral.run(x, bound)
