"""Window by window: take the real taps, ask the row. No speed work is ever done here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..catalogue import Call, Taps
from ..catalogue.dtypes import accumulator
from ..geometry import AxisSpans

Array = NDArray[Any]


def forward(call: Call, x: Array) -> tuple[Array, NDArray[np.int64] | None]:
    """Values, and flat indices over the pooled axes when ``call.select`` asks for them."""
    cells = _pooled_last(call, x)
    values = np.empty(_pooled_last_shape(call), dtype=call.result)
    indices = np.empty(values.shape, dtype=np.int64) if call.select else None
    for where, taps, flat in _windows(call, cells):
        at: Any = (..., *where)
        values[at] = call.op.reference(taps) if taps.inside else call.op.identity(call.result)
        if indices is not None:
            assert call.op.winner is not None
            indices[at] = flat[call.op.winner(taps)] if taps.inside else -1
    return _restored(call, values), None if indices is None else _restored(call, indices)


def backward(call: Call, x: Array, dy: Array) -> Array:
    """The gradient of x: what every window gives to its taps, added up in row-major order of the outputs."""
    wide = accumulator(call.dtype, call.result)
    cells, upstream = _pooled_last(call, x), _pooled_last(call, dy).astype(wide)
    # in the accumulator's precision: rounded first, a 16-bit result would round the gradient twice
    values = _pooled_last(call, forward(replace(call, result=wide, select=False), x)[0])
    dx = np.zeros(cells.shape, dtype=wide)
    flat_dx = dx.reshape(*dx.shape[: dx.ndim - len(call.axes)], -1)
    for where, taps, flat in _windows(call, cells):
        if not taps.inside:
            continue
        at: Any = (..., *where)
        shares = call.op.gradient(taps, values[at], upstream[at])
        flat_dx[..., flat] += np.moveaxis(shares, 0, -1)
    return _restored(call, dx).astype(call.dtype)


def _windows(call: Call, cells: Array) -> Iterator[tuple[tuple[int, ...], Taps, NDArray[np.int64]]]:
    """For every output: its place, its taps, and their flat positions over the pooled axes."""
    tables = call.window.spans(call.lengths, who=call.who, axes=call.axes)
    numbers = np.arange(int(np.prod(call.lengths)), dtype=np.int64).reshape(call.lengths)
    for where in np.ndindex(*[len(table) for table in tables]):
        box = np.ix_(*[np.array(table[i], dtype=np.int64) for table, i in zip(tables, where, strict=True)])
        at: Any = (..., *box)
        values = cells[at]
        values = np.moveaxis(values.reshape(*values.shape[: values.ndim - len(call.axes)], numbers[box].size), -1, 0)
        padded, window = _product("padded", tables, where), _product("window", tables, where)
        yield where, Taps(values, padded, window, call.params, call.result), numbers[box].ravel()


def _product(name: str, tables: tuple[AxisSpans, ...], where: tuple[int, ...]) -> int:
    product = 1
    for table, i in zip(tables, where, strict=True):
        product *= int(getattr(table, name)[i])
    return product


def _pooled_last(call: Call, array: Array) -> Array:
    return np.moveaxis(array, call.axes, range(-len(call.axes), 0))


def _pooled_last_shape(call: Call) -> tuple[int, ...]:
    others = [n for axis, n in enumerate(call.shape) if axis not in call.axes]
    return (*others, *[call.out_shape[axis] for axis in call.axes])


def _restored(call: Call, array: Array) -> Array:
    return np.ascontiguousarray(np.moveaxis(array, range(-len(call.axes), 0), call.axes))
