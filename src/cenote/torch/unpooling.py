"""Max unpooling under PyTorch's names: the window is given, the shape follows. The contract's own takes the shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor
from torch.autograd import Function
from torch.overrides import handle_torch_function, has_torch_function

from cenote.errors import CenoteError, bad, bad_type, shown
from cenote.geometry import Slide
from cenote.geometry.arguments import is_sequence
from cenote.ops import max_unpool

from .arguments import SEQUENCES, constant, literal, window
from .derivatives import Dims, in_front
from .errors import as_torch, renamed
from .state import is_autocast, is_forward_mode, is_legacy_batched, is_observed, is_odd
from .tensors import DTYPES, as_array, as_tensor, channels_last
from .threads import within


class CenoteUnpool(Function):
    """Values to the cells that the indices name; its gradient picks there again."""

    @staticmethod
    def forward(y: Tensor, indices: Tensor, lengths: tuple[int, ...]) -> Tensor:
        """Zeros and the values."""
        return unpooled(y, indices, lengths)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, tuple[int, ...]], output: Tensor) -> None:
        """Keep the indices, which the caller holds anyhow."""
        _, indices, ctx.lengths = inputs
        ctx.save_for_backward(indices)
        ctx.save_for_forward(indices)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None, None]:
        """By operators of PyTorch, which have derivatives of their own."""
        return picked(g, ctx.saved_tensors[0], len(ctx.lengths)), None, None

    @staticmethod
    def jvp(ctx: Any, t: Tensor, *_: Any) -> Tensor:
        """Linear."""
        if is_legacy_batched(t):
            return torch.ops.cenote.unpool(t, ctx.saved_tensors[0], ctx.lengths)
        return CenoteUnpool.apply(t, ctx.saved_tensors[0], ctx.lengths)

    @staticmethod
    def vmap(info: Any, dims: Dims, y: Tensor, indices: Tensor, lengths: tuple[int, ...]) -> tuple[Tensor, int]:
        """One more axis in front."""
        n = info.batch_size
        y, indices = in_front(y, dims[0], n), in_front(indices, dims[1], n)
        return CenoteUnpool.apply(y, indices, lengths), 0


def unpooled(y: Tensor, indices: Tensor, lengths: Sequence[int]) -> Tensor:
    """``cenote.max_unpool`` of tensors."""
    rank = len(lengths)
    last = channels_last(y, rank)
    values, where = as_array(y, last), as_array(indices, last)
    batch = values.shape[: values.ndim - rank - last]
    shape = (*batch, *lengths, *values.shape[values.ndim - last :]) if last else (*batch, *lengths)
    axes = tuple(range(len(batch), len(batch) + rank))
    try:
        return as_tensor(within(lambda: max_unpool(values, where, shape, axes=axes)), last)
    except CenoteError as error:
        who = f"max_unpool{rank}d"
        raise renamed(renamed(error, "max_unpool: y ", f"{who}: input "), "max_unpool: ", f"{who}: ") from None


def picked(g: Tensor, indices: Tensor, rank: int) -> Tensor:
    """The cells of ``g`` that the indices name; 0 for index -1, which names none."""
    flat = indices.reshape(*indices.shape[:-rank], -1)
    found = g.reshape(*g.shape[:-rank], -1).gather(-1, flat.clamp(min=0))
    return found.masked_fill(flat < 0, 0).reshape(indices.shape)


def lengths_of(
    who: str, shape: Sequence[int], rank: int, size: Any, stride: Any, padding: Any, output_size: Any
) -> Any:
    """The pooled lengths of the result: the shortest that pool to this, or what the caller says, if it can be."""
    rules = _rules(who, rank, constant(size), constant(stride), constant(padding))
    shortest = [one + (n - 1) * step for (one, step), n in zip(rules, shape[-rank:], strict=True)]
    if output_size is None:
        return tuple(shortest)
    # SEQUENCES first: what else is a sequence, the compiler of PyTorch 2.6 cannot ask
    known = isinstance(output_size, SEQUENCES) or is_sequence(output_size)
    if not known or len(output_size) not in (rank, rank + 1, rank + 2):
        raise bad(who, f"output_size has {rank} or {rank + 2} entries, got {shown(output_size)}", "pass x.size()")
    wanted = tuple(output_size)[-rank:]
    for axis, ((_, step), least, n) in enumerate(zip(rules, shortest, wanted, strict=True)):
        if isinstance(n, float):
            raise bad_type(who, f"output_size[{axis}] is a whole number, got {n}", "pass x.size()")
        if not least - step < n < least + step:
            raise bad(
                who,
                f"output_size[{axis}] is {n}, and what pools to {shape[axis - rank]} has more than "
                f"{least - step} and less than {least + step} cells",
                "pass the size of what was pooled",
            )
    return wanted


@torch.compiler.assume_constant_result
def _rules(who: str, rank: int, size: Any, stride: Any, padding: Any) -> tuple[tuple[int, int], ...]:
    """Of each axis the least length that gives one window, and how much longer one with another window is.

    Numbers, for of these alone a compiler makes constants; what they mean is not for a graph to find out.
    """
    found = []
    for rule in window(who, rank, literal(size), literal(stride), literal(padding), 1, False).rules:
        assert isinstance(rule, Slide)
        if isinstance(rule.pad, str):
            raise bad(who, f"padding is what was padded, in numbers, got {rule.pad!r}", "give ints or pairs")
        found.append((rule.shortest_input(1), rule.stride))
    return tuple(found)


def _unpooling(rank: int) -> Callable[..., Tensor]:
    who = f"max_unpool{rank}d"

    def unpool(
        input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
    ) -> Tensor:
        if has_torch_function((input, indices)):
            words = (indices, kernel_size, stride, padding, output_size)
            return handle_torch_function(unpool, (input, indices), input, *words)
        try:
            _check(who, rank, input, indices)
            lengths = lengths_of(who, input.shape, rank, kernel_size, stride, padding, output_size)
            if not input.is_cpu:
                return getattr(torch.nn.functional, who)(input, indices, kernel_size, stride, padding, output_size)
            if is_autocast(input):
                input = input.float()
            if torch.compiler.is_compiling() or is_observed(input):
                return torch.ops.cenote.unpool(input, indices, lengths)
            if is_forward_mode() or (input.requires_grad and torch.is_grad_enabled()):
                return CenoteUnpool.apply(input, indices, lengths)
            return unpooled(input, indices, lengths)
        except CenoteError as error:
            raise as_torch(error) from None

    unpool.__name__ = unpool.__qualname__ = who
    unpool.__module__ = "cenote.torch"
    unpool.__doc__ = f"""Put every value where its index says, 0 elsewhere; a cell named twice keeps the last.

Parameters
----------
input, indices : Tensor
    What ``max_pool{rank}d`` returned with ``return_indices=True``; index -1 (an empty window) is skipped.
kernel_size, stride, padding
    Those of the pooling.
output_size : sequence of int, optional
    Size of what was pooled: several sizes pool to the same. Left out, the smallest.

Returns
-------
Tensor
    Differentiable in both modes.

Raises
------
TorchError
    Shapes that do not belong together.
TorchIndexError
    An index that names no cell.

Notes
-----
``cenote.max_unpool`` says what is computed.
"""
    return unpool


def _check(who: str, rank: int, x: object, indices: object) -> None:
    for name, tensor in (("input", x), ("indices", indices)):
        if not isinstance(tensor, Tensor):
            raise bad_type(who, f"{name} is a tensor, got {shown(tensor)}", "pass a torch.Tensor")
        if is_odd(tensor):
            kind = "nested" if tensor.is_nested else f"of layout {tensor.layout}"
            raise bad_type(who, f"{name} is {kind}, without a regular memory", "pass a dense tensor")
        if tensor.ndim not in (rank + 1, rank + 2):
            raise bad(who, f"{name} has {rank + 1} or {rank + 2} dimensions, got {tensor.ndim}", "see max_pool")
    assert isinstance(indices, Tensor)
    assert isinstance(x, Tensor)
    if x.dtype not in DTYPES:
        raise bad_type(who, f"input has dtype {x.dtype}", "convert it, x.float() for example")
    if indices.dtype is not torch.int64:
        raise bad_type(who, f"indices have dtype int64, got {indices.dtype}", "pass what max_pool returned")
    if indices.shape != x.shape:
        raise bad(who, f"indices have shape {tuple(indices.shape)}, input {tuple(x.shape)}", "pass equal shapes")


UNPOOLINGS: Final = {f"max_unpool{rank}d": _unpooling(rank) for rank in (1, 2, 3)}
