"""What PyTorch is doing at the moment: it decides which door a call takes. Private names of PyTorch stay here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor
from torch._functorch.utils import enable_single_level_autograd_function
from torch.autograd import forward_ad
from torch.nn import Buffer, Parameter

_HALVES = frozenset({torch.float16, torch.bfloat16})
_FUNCTIONALIZE = torch._C._functorch.TransformType.Functionalize
_dispatch_modes = torch._C._len_torch_dispatch_stack
_tracing = torch._C._get_tracing_state
_transforms = torch._C._are_functorch_transforms_active
_PLAIN = frozenset({Tensor, Parameter, Buffer})


def is_watched() -> bool:
    """True while a mode of dispatch or a tracer wants to see every operator."""
    return _dispatch_modes() > 0 or _tracing() is not None


def is_busy() -> bool:
    """``is_watched`` or ``is_forward_mode``: such a call goes the long way. Every call asks, so it is one question."""
    return _dispatch_modes() > 0 or _tracing() is not None or _transforms() or forward_ad._current_level >= 0


def is_observed(x: Tensor) -> bool:
    """True while somebody wants to see operators rather than results: a compiler, an exporter, a tracer, a mode of
    dispatch, or a tensor that is itself a wrapper or has no memory."""
    return (
        torch.compiler.is_compiling()
        or is_watched()
        or is_legacy_batched(x)
        or is_functionalizing()
        or (type(x) not in _PLAIN and type(x).__torch_dispatch__ is not torch._C._disabled_torch_dispatch_impl)
        or x.is_meta
    )


def is_transforming() -> bool:
    """True inside of a function transform (``torch.func``)."""
    return _transforms()


def is_forward_mode() -> bool:
    """True while tangents may be attached to tensors, or inside of a function transform."""
    return _transforms() or forward_ad._current_level >= 0


def has_tangent(x: Tensor) -> bool:
    """True for a tensor of forward mode."""
    if forward_ad._current_level < 0 or not forward_ad._is_fwd_grad_enabled():
        return False
    return forward_ad.unpack_dual(x).tangent is not None


def is_legacy_batched(x: Tensor) -> bool:
    """True within ``torch.autograd.grad(is_grads_batched=True)``, whose batching is older than torch.func's."""
    return torch._C._functorch.is_legacy_batchedtensor(x)


def is_functionalizing() -> bool:
    """True right inside of ``torch.func.functionalize``, which knows operators alone."""
    return _transforms() and torch._C._functorch.peek_interpreter_stack().key() == _FUNCTIONALIZE


def is_odd(x: Tensor) -> bool:
    """True for a tensor without one regular piece of memory."""
    return x.layout is not torch.strided or x.is_nested


def is_autocast(x: Tensor) -> bool:
    """True where autocast would make this tensor float32 for an operator of its list."""
    return x.dtype in _HALVES and torch.is_autocast_enabled(x.device.type)


def single_level() -> AbstractContextManager[None]:
    """For recording a Function from within the dispatcher: ``Function.apply`` would go through all function transforms
    once more, here the one that we are in is all that is meant."""
    return enable_single_level_autograd_function() if is_transforming() else nullcontext()


@contextmanager
def outer_levels_record() -> Iterator[None]:
    """Within a Function's forward nothing is recorded; the function transforms around it nevertheless have to."""
    if is_transforming():
        with torch.enable_grad(), forward_ad._set_fwd_grad_enabled(True):
            yield
    else:
        yield
