"""The words of PyTorch's functions: what a pooling or a convolution was called with, as requests and windows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import torch
from torch import Tensor

from cenote.catalogue import OPS
from cenote.geometry import Spans, Window
from cenote.ops.prepare import own_words
from cenote.ops.request import Request
from cenote.torch.arguments import SEQUENCES, numbers
from cenote.torch.arguments import window as read_window
from cenote.torch.functional import FUNCTIONS

from .fields import Field, Known
from .met import differing, over_last_axes


def of_function(name: str, ndim: int, args: Any, kwargs: Any) -> tuple[dict[str, str], tuple[Request, ...]]:
    """The words of a call, and what they mean by ``cenote.torch``'s reading."""
    pooling = FUNCTIONS[name].cenote
    given = numbers(pooling.words.fill(tuple(map(_frozen, args[1:])), {n: _frozen(v) for n, v in kwargs.items()}))
    defaults = dict(zip(pooling.spelled.names, pooling.spelled.defaults(), strict=True))
    said = dict(zip(pooling.spelled.names, given, strict=True))
    return differing(said, defaults), (over_last_axes(pooling.spelled.request(ndim, given)),)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, SEQUENCES) else value


SAMPLES: Final = 6  # input, kernel_size, output_size, output_ratio, return_indices, samples


def samples(x: Tensor, rank: int) -> Tensor:
    """Where a fractional pooling begins: as PyTorch would draw it."""
    batch = 1 if x.ndim == rank + 1 else x.shape[0]
    return torch.rand(batch, x.shape[-rank - 1], rank, dtype=x.dtype, device=x.device)


def of_fractional(rank: int, args: Any, kwargs: Any, y: Tensor) -> tuple[dict[str, str], tuple[Request, ...]]:
    """Windows that were drawn at random, for every channel its own."""
    x = args[0]
    size = kwargs["kernel_size"] if "kernel_size" in kwargs else args[1]
    sizes = tuple(size) if isinstance(size, SEQUENCES) else (size,) * rank
    samples = kwargs["_random_samples"] if "_random_samples" in kwargs else args[5]
    samples = samples[0].detach().cpu().numpy()
    lengths, outputs = x.shape[-rank:], y.shape[-rank:]
    own = own_words("maps", OPS["max"], {})
    order = range(rank) if rank == 3 else (1, 0)  # of two axes sample 0 is W
    requests = tuple(
        Request(
            "maps",
            OPS["max"],
            Window(
                tuple(
                    _spans(k, length, count, channel[place])
                    for k, length, count, place in zip(sizes, lengths, outputs, order, strict=True)
                )
            ),
            tuple(range(-rank, 0)),
            own,
        )
        for channel in samples
    )
    return {"kernel_size": repr(sizes), "output_size": repr(tuple(outputs))}, requests


def _spans(size: int, length: int, count: int, sample: Any) -> Spans:
    """``start_i = int((i + u)*alpha) - int(u*alpha)``, the last at the end; in the tensor's precision, as PyTorch."""
    kind = type(sample)
    starts = [length - size] * count
    if count > 1:
        alpha = kind(length - size) / kind(count - 1)
        starts[:-1] = [int((kind(i) + sample) * alpha) - int(sample * alpha) for i in range(count - 1)]
    return Spans(tuple((start, start + size, 1) for start in starts))


def convolved(field: Field, name: str, args: Any, kwargs: Any) -> Known:
    """The field behind a convolution."""
    given = dict(zip(("input", "weight", "bias", "stride", "padding", "dilation"), args, strict=False)) | kwargs
    sizes = tuple(given["weight"].shape[2:])
    if len(sizes) != len(field.lengths):
        return f"{name} stands before it, over axes that are not followed"
    each = {word: _each(given.get(word, default), len(sizes)) for word, default in _CONVOLVES.items()}
    padding = each["padding"] if isinstance(each["padding"], str) else tuple((n, n) for n in each["padding"])
    return field.slid(read_window("maps", len(sizes), sizes, each["stride"], padding, each["dilation"], False))


_CONVOLVES: Final = {"stride": 1, "padding": 0, "dilation": 1}


def _each(value: Any, rank: int) -> Any:
    if isinstance(value, str) or (isinstance(value, SEQUENCES) and len(value) == rank):
        return value if isinstance(value, str) else tuple(value)
    return (value[0] if isinstance(value, SEQUENCES) else value,) * rank


def along(args: Any, kwargs: Any) -> int:
    """The axis along which tensors are put together, counted from the front."""
    axis = kwargs.get("dim", kwargs.get("axis", args[1] if len(args) > 1 else 0))
    ndim: int = next(tensors(args or kwargs)).ndim
    return int(axis) % ndim


def tensors(value: Any) -> Iterator[Tensor]:
    """Those among arguments or results, however deep they lie."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from tensors(list(value.values()))
    elif isinstance(value, tuple | list):
        for one in value:
            yield from tensors(one)
