"""When one of cenote's results and PyTorch's are the same: bit for bit, within a bound, or different for a reason that
the contract gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

# What may differ, and why. Everything else has to agree.
REASONS = {
    "whole averages": "averages of integers: the contract rounds half to even, PyTorch truncates towards zero",
    "16-bit gradients": "the contract adds in float32 and rounds once, PyTorch adds up in 16 bits",
    "16-bit averages": "the contract adds in float32 and rounds once, PyTorch's adaptive ones add up in 16 bits",
    "no channels": "an empty axis that is not pooled gives an empty result; PyTorch refuses some of them",
    "signed lp": "lp: the contract has |x|^p, PyTorch x^p, which is NaN or of the wrong sign for odd and broken p",
    "overhang of lp": "lp with ceil_mode: the contract adds what is there, PyTorch scales it up to a whole window",
    "format of volumes": "channels_last_3d in, channels_last_3d out; PyTorch does so for max_pool3d alone",
    "empty window": "index of a window without any tap: -1 by the contract, out of range in PyTorch",
    "lp at zero": "gradient of lp where the result is 0: 0 by the contract, PyTorch has NaN for p < 2",
}
HALVES = (torch.float16, torch.bfloat16)


def pair(result: Any) -> tuple[Tensor, Tensor | None]:
    """Values, and indices where there are any."""
    return result if isinstance(result, tuple) else (result, None)


def same_bits(a: Tensor, b: Tensor) -> bool:
    """Every NaN is one, and so are both zeros: without indices neither is promised."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.is_floating_point():
        return bool(((a == b) | (a.isnan() & b.isnan())).all())
    return bool((a == b).all())


def same_format(a: Tensor, b: Tensor) -> bool:
    """Wherever PyTorch's result has a memory format, so has this."""
    if a.numel() == 0:  # NumPy says nothing of the strides of nothing
        return True
    formats: list[Any] = [torch.contiguous_format]
    formats += [torch.channels_last] * (a.ndim == 4) + [torch.channels_last_3d] * (a.ndim == 5)
    return all(b.is_contiguous(memory_format=f) for f in formats if a.is_contiguous(memory_format=f))


def taps(name: str, x: Tensor, args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    """No window has more taps than this."""
    rank = int(name[-2])
    if name.startswith("adaptive"):
        return math.prod(x.shape[-rank:])
    size = kwargs.get("kernel_size", args[0] if args else None)
    entries = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    return math.prod(entries * rank if len(entries) == 1 else entries)


def within(a: Tensor, b: Tensor, reach: Tensor, terms: int) -> bool:
    """Both added up ``terms`` numbers in an order of their own and divided once: each is off by at most
    (terms + 1) u reach, where ``reach`` is the same average of absolute values, so they differ by twice that at most.
    16-bit numbers add in float32 (both) and are rounded once more: a unit of the result's precision, i.e. its eps."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    wide_a, wide_b, reach = a.double(), b.double(), reach.double()
    u = torch.finfo(torch.float32 if a.dtype in HALVES else a.dtype).eps / 2
    bound = (2 * terms + 3) * u * reach
    if a.dtype in HALVES:
        info = torch.finfo(a.dtype)
        bound = bound + info.eps * wide_b.abs() + info.smallest_normal * info.eps
    equal = (wide_a == wide_b) | (wide_a.isnan() & wide_b.isnan())
    return bool((equal | ((wide_a - wide_b).abs() <= bound)).all())


def gradients(function: Callable[..., Any], x: Tensor, g: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Of ``function`` at a copy of ``x`` (with the same strides), for the output's gradient ``g``."""
    leaf = x.detach().clone().requires_grad_()
    y, _ = pair(function(leaf, *args, **kwargs))
    (found,) = torch.autograd.grad(y, leaf, g)
    return found


def absolute(kwargs: dict[str, Any], args: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The same call with a positive divisor: it measures how much could have gone wrong."""
    positive = {k: abs(v) if k == "divisor_override" and v is not None else v for k, v in kwargs.items()}
    whole = list(args)
    if len(whole) == 6 and whole[5] is not None:  # averages: the sixth argument is divisor_override
        whole[5] = abs(whole[5])
    return tuple(whole), positive


def values_agree(name: str, ours: Callable[..., Any], theirs: Callable[..., Any], sample: Any) -> str | None:
    """None where results are equal, the key of a reason where they differ as they should; AssertionError else."""
    x, args, kwargs = sample.input, sample.args, sample.kwargs
    want, want_indices = pair(theirs(x, *args, **kwargs))
    got, got_indices = pair(ours(x, *args, **kwargs))
    told = f"{name}({tuple(x.shape)} {x.dtype}, {args}, {kwargs})"
    assert (want_indices is None) == (got_indices is None), told
    assert got.dtype == want.dtype, told
    assert got.shape == want.shape, told
    assert same_format(want, got), f"{told}: strides {got.stride()}, PyTorch's are {want.stride()}"
    reason = None
    if want_indices is not None:
        assert got_indices is not None
        assert same_format(want_indices, got_indices), told
        if not same_bits(got_indices, want_indices):
            cells = math.prod(x.shape[-int(name[-2]) :])
            differs = got_indices != want_indices
            outside = (want_indices < 0) | (want_indices >= cells)
            assert bool((outside & (got_indices == -1))[differs].all()), told
            reason = "empty window"
    if "avg" not in name:
        assert same_bits(got, want), told
    elif not x.is_floating_point():
        # float64 holds the exact sum, and a quotient of small numbers rounds to a half only if it is one
        exact = theirs(x.double(), *args, **kwargs)
        assert same_bits(got, exact.round().to(got.dtype)), told
        assert same_bits(want, exact.trunc().to(want.dtype)), told
        reason = None if same_bits(got, want) else "whole averages"
    else:
        less, more = absolute(kwargs, args)
        reach = theirs(x.double().abs(), *less, **more)
        terms = taps(name, x, args, kwargs)
        if x.dtype in HALVES and not within(got, want, reach, terms):
            want = theirs(x.float(), *args, **kwargs).to(x.dtype)
            reason = "16-bit averages"
        assert within(got, want, reach, terms), told
    return reason


def gradients_agree(name: str, ours: Callable[..., Any], theirs: Callable[..., Any], sample: Any) -> str | None:
    """As ``values_agree``, for the gradient. 16-bit ones are held against PyTorch's of float32, rounded once."""
    x, args, kwargs = sample.input.detach(), sample.args, sample.kwargs
    y, _ = pair(theirs(x, *args, **kwargs))
    g = torch.randn(y.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64).to(y.dtype)
    told = f"gradient of {name}({tuple(x.shape)} {x.dtype}, {args}, {kwargs})"
    got = gradients(ours, x, g, *args, **kwargs)
    want = gradients(theirs, x, g, *args, **kwargs)
    assert got.dtype == want.dtype, told
    assert got.shape == want.shape, told
    if not same_format(want, got):  # PyTorch's gradient of max_unpool2d forgets that its input has channels last
        assert same_format(x, got), f"{told}: strides {got.stride()}, PyTorch's are {want.stride()}"
    if "avg" in name:
        less, more = absolute(kwargs, args)
        reach = gradients(theirs, x.double(), g.double().abs(), *less, **more)
        windows = g[0, 0].numel() if g.numel() else 0  # no cell is in more of them
        reason = None
        if x.dtype in HALVES and not within(got, want, reach, windows):
            want = gradients(theirs, x.float(), g.float(), *args, **kwargs).to(x.dtype)
            reason = "16-bit gradients"
        assert within(got, want, reach, windows), told
        return reason
    if same_bits(got, want):
        return None
    if x.dtype in HALVES:
        exact = gradients(theirs, x.float(), g.float(), *args, **kwargs).to(x.dtype)
        assert same_bits(got, exact), told
        return "16-bit gradients"
    raise AssertionError(told)
