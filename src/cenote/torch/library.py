"""The compilers' door: the maps as operators registered with PyTorch, for compilers, exporters and modes of dispatch.

Their arguments are tensors, numbers and the request as text, so that graphs can be saved; a program that loads such a
graph imports ``cenote.torch`` first. ``recording`` has their derivatives and batching rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from cenote.catalogue import Derivative
from cenote.ops import maps

from . import derivatives
from .bound import Bound, of_text
from .tensors import channels_last, numpy_dtype, torch_dtype
from .unpooling import unpooled

LIBRARY = torch.library.Library("cenote", "DEF")
_FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}


class Text(NamedTuple):
    """A request as graphs hold it: the registered operator, its text, and the text that asks for positions."""

    operator: str
    text: str
    indices: str | None


_OPERATORS = {Derivative.WINNER: "select", Derivative.LINEAR: "down", Derivative.GENERAL: "general"}


def spelled(bound: Bound) -> Text:
    """How graphs hold this request."""
    request = bound.request
    return Text(_OPERATORS[request.op.derivative], bound.plain.text, bound.text if request.words.select else None)


def pool(x: Tensor, operator: str, text: str, indices: str | None) -> Any:
    """A request by registered operators: the pooled tensor, or values and indices."""
    ops = torch.ops.cenote
    if operator == "select":
        y = ops.select(x, text)[0]
    else:
        y = ops.down(x, None, text) if operator == "down" else ops.general(x, text)
    return y if indices is None else (y, ops.indices(x.detach(), indices))


def _define(schema: str, kernel: Callable[..., Any], fake: Callable[..., Any]) -> None:
    name = schema.split("(")[0]
    LIBRARY.define(schema, tags=(torch.Tag.pt2_compliant_tag,))
    LIBRARY.impl(name, kernel, "CPU")
    torch.library.register_fake(f"cenote::{name}", fake, lib=LIBRARY)


def _outputs(x: Tensor, text: str, dtype: torch.dtype) -> Tensor:
    bound = of_text(text)
    return _like(x, bound.request.outputs(x.shape), dtype, channels_last(x, bound.rank))


def _like(x: Tensor, shape: Sequence[Any], dtype: torch.dtype, last: bool) -> Tensor:
    memory = _FORMATS[len(shape)] if last else torch.contiguous_format
    return x.new_empty(list(shape), dtype=dtype).contiguous(memory_format=memory)


def _result_dtype(x: Tensor, text: str) -> torch.dtype:
    request = of_text(text).request
    return torch_dtype(request.op.result_dtype(request.who, numpy_dtype(request.who, x.dtype), request.words.dtype))


# --- the operators: what each computes, and what is known of its result without ---------------------------------------


def _select(x: Tensor, text: str) -> tuple[Tensor, Tensor]:
    return derivatives.select(x, of_text(text), None, _offset_dtype(x, text))


def _select_fake(x: Tensor, text: str) -> tuple[Tensor, Tensor]:
    return _outputs(x, text, x.dtype), _outputs(x, text, torch_dtype(_offset_dtype(x, text)))


def _offset_dtype(x: Tensor, text: str) -> np.dtype[Any]:
    # By the declared window: whether all of its taps are real depends on lengths that a graph leaves open.
    return maps.offset_dtype(of_text(text).request.most_taps(x.shape))


def _down(x: Tensor, offsets: Tensor | None, text: str) -> Tensor:
    return derivatives.pick(x, offsets, of_text(text))


def _down_fake(x: Tensor, offsets: Tensor | None, text: str) -> Tensor:
    return _outputs(x, text, _result_dtype(x, text))


def _up(g: Tensor, offsets: Tensor | None, shape: Sequence[int], dtype: torch.dtype, last: bool, text: str) -> Tensor:
    return derivatives.spread(g, offsets, of_text(text), tuple(shape), dtype, last)


def _up_fake(g: Tensor, offsets: Tensor | None, shape: Any, dtype: torch.dtype, last: bool, text: str) -> Tensor:
    return _like(g, shape, dtype, last)


def _general(x: Tensor, text: str) -> Tensor:
    return derivatives.plain(x, of_text(text).plain)


def _general_up(x: Tensor, g: Tensor, text: str) -> Tensor:
    return derivatives.gradient(x, g, of_text(text))


def _general_up_fake(x: Tensor, g: Tensor, text: str) -> Tensor:
    return _like(x, x.shape, x.dtype, channels_last(x, of_text(text).rank))


def _indices(x: Tensor, text: str) -> Tensor:
    return derivatives.plain(x, of_text(text))[1]


def _indices_fake(x: Tensor, text: str) -> Tensor:
    return _outputs(x, text, torch.int64)


def _unpool(y: Tensor, indices: Tensor, lengths: Sequence[int]) -> Tensor:
    return unpooled(y, indices, lengths)


def _unpool_fake(y: Tensor, indices: Tensor, lengths: Sequence[Any]) -> Tensor:
    rank = len(lengths)
    return _like(y, (*y.shape[: y.ndim - rank], *lengths), y.dtype, channels_last(y, rank))


_define("select(Tensor x, str call) -> (Tensor, Tensor)", _select, _select_fake)
_define("down(Tensor x, Tensor? offsets, str call) -> Tensor", _down, _down_fake)
_define("up(Tensor g, Tensor? offsets, SymInt[] shape, ScalarType dtype, bool last, str call) -> Tensor", _up, _up_fake)
_define("general(Tensor x, str call) -> Tensor", _general, lambda x, text: _down_fake(x, None, text))
_define("general_up(Tensor x, Tensor g, str call) -> Tensor", _general_up, _general_up_fake)
_define("indices(Tensor x, str call) -> Tensor", _indices, _indices_fake)
_define("unpool(Tensor y, Tensor indices, SymInt[] lengths) -> Tensor", _unpool, _unpool_fake)
