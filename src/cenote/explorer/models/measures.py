"""Numbers of one pooling layer, by the contract: what is kept, what receives gradient, what is removed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cenote.catalogue import OPS, Call, Derivative
from cenote.geometry import Rule
from cenote.ops import maps
from cenote.ops.request import Request

Array = NDArray[Any]
_INT64: Final = 8


@dataclass(frozen=True, slots=True)
class Numbers:
    """``pooled`` is the contract's result, ``receives`` which input cells get a gradient for an upstream of ones,
    ``removed`` a share for each channel, ``kept`` and ``kept_int64`` the bytes that wait for the backward pass."""

    pooled: Array
    receives: NDArray[np.bool_]
    removed: NDArray[np.float64]
    kept: int
    kept_int64: int


def energy(before: Array) -> NDArray[np.float64]:
    """The mean square of each channel's map."""
    wide = before.astype(np.float64)
    with np.errstate(all="ignore"):
        found: NDArray[np.float64] = np.square(wide).mean(axis=tuple(range(1, wide.ndim)))
    return found


def measure(requests: Sequence[Request], before: Array) -> Numbers:
    """Of maps (channels first) under one request, or under one for each channel."""
    if len(requests) == 1:
        return _measured(requests[0], before)
    parts = [_measured(request, before[i : i + 1]) for i, request in enumerate(requests)]
    return Numbers(
        np.concatenate([part.pooled for part in parts]),
        np.concatenate([part.receives for part in parts]),
        np.concatenate([part.removed for part in parts]),
        sum(part.kept for part in parts),
        sum(part.kept_int64 for part in parts),
    )


def _measured(request: Request, before: Array) -> Numbers:
    wide = np.ascontiguousarray(before, dtype=np.float64)
    call = request.call(wide.shape, wide.dtype)
    ones = np.ones(call.out_shape)
    derivative = request.op.derivative
    if derivative is Derivative.WINNER:
        pooled, offsets = maps.select(call, wide)
        won = maps.up(call, offsets, ones) != 0
        return Numbers(pooled, won, removed_by_choice(wide, won), offsets.nbytes, pooled.size * _INT64)
    pooled = maps.pool(call, wide)
    if derivative is Derivative.LINEAR:
        receives = maps.up(call, None, ones) != 0
        return Numbers(pooled, receives, removed_by_mixing(call, wide), 0, 0)
    receives = maps.gradient(call, wide, ones) != 0
    kept = before.nbytes + pooled.size * before.itemsize  # input and output
    sizes = np.abs(wide)
    if math.isinf(request.words.params.p):
        largest = replace(request, op=OPS["max"]).call(wide.shape, wide.dtype)
        won = maps.up(largest, maps.select(largest, sizes)[1], ones) != 0
        return Numbers(pooled, receives, removed_by_choice(wide, won), kept, kept)
    return Numbers(pooled, receives, removed_by_mixing(call, sizes), kept, kept)


def removed_by_choice(before: Array, won: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The share of each channel's energy in cells that no window has picked; 0 of a map of zeros.

    The pooled map put back at its resolution has every winner where it was and 0 elsewhere.
    """
    axes = tuple(range(1, before.ndim))
    with np.errstate(all="ignore"):
        whole = np.square(before).sum(axis=axes)
        return _share(whole, np.square(before).sum(axis=axes, where=won))


def removed_by_mixing(call: Call, before: Array) -> NDArray[np.float64]:
    """The share of each channel's energy that the pooled map cannot tell; 0 of a map of zeros.

    The pooled map put back is the smallest map (least squares) that gives the same result: the projection of the map
    onto the windows. For windows that do not overlap it has each window's mean in all its cells, and the share is 1 -
    sum over windows (cells * mean^2) / sum over cells x^2. Padding and divisors change nothing about it. A norm knows
    no signs: for lp this is taken of |x|.
    """
    axes = tuple(range(1, before.ndim))
    told = before
    with np.errstate(all="ignore"):
        for axis, rule, length in zip(call.axes, call.window.rules, call.lengths, strict=True):
            told = np.moveaxis(np.tensordot(told, _basis(rule, length), axes=(axis, 1)), -1, axis)
        return _share(np.square(before).sum(axis=axes), np.square(told).sum(axis=axes))


def _share(whole: NDArray[np.float64], told: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.where(whole == 0, 0.0, 1 - told / np.where(whole == 0, 1, whole))
    clipped: NDArray[np.float64] = np.clip(found, 0, 1)  # rounding; NaN stays
    return clipped


@lru_cache(maxsize=32)
def _basis(rule: Rule, length: int) -> NDArray[np.float64]:
    """An orthonormal basis, in rows, of the maps of one axis that are made of its windows."""
    table = rule.spans(length)
    windows = np.zeros((len(table), length))
    for i, taps in enumerate(table):
        windows[i, list(taps)] = 1
    windows = windows[windows.any(axis=1)]
    if windows.sum(axis=0).max(initial=0) <= 1:  # nothing overlaps
        made: NDArray[np.float64] = windows / np.sqrt(windows.sum(axis=1, keepdims=True))
        return made
    _, sizes, directions = np.linalg.svd(windows, full_matrices=False)
    told: NDArray[np.float64] = directions[sizes > sizes[0] * max(windows.shape) * np.finfo(np.float64).eps]
    return told
