"""The custom calls: arrays in, arrays out, for the shapes of one device. What runs where a handler is: on the CPU."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from ..catalogue import Call, Derivative
from ..catalogue.dtypes import Dtype, accumulator
from ..ops.request import Request
from .calls import call_of, offset_dtype
from .compat import partitioned
from .plan import attributes
from .sharding import CELLS, OUTPUTS, Spread

Array = Any


def cells_shape(request: Request, outputs: tuple[int, ...], lengths: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of the input whose result has the shape ``outputs``."""
    shape = list(outputs)
    for axis, length in zip(request.axes, lengths, strict=True):
        shape[axis] = length
    return tuple(shape)


def _result(shape: tuple[int, ...], dtype: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, dtype)


def _call(name: str, results: Any, *operands: Array, **words: Any) -> Any:
    return jax.ffi.ffi_call(name, results)(*operands, **words)


def _spread(run: Any, takes: tuple[tuple[str, Array], ...], gives: str, request: Request) -> tuple[Array, ...]:
    """Run it with every array where it is; results have the most axes of what is taken."""
    ndim = max(array.ndim for _, array in takes)
    spread = Spread(
        tuple((kind, array.ndim) for kind, array in takes), tuple((kind, ndim) for kind in gives), request.axes
    )
    done: tuple[Array, ...] = partitioned(run, spread)(*(array for _, array in takes))
    return done


def pool(x: Array, *, request: Request) -> Array:
    """Values."""

    def run(x: Array) -> tuple[Array]:
        call = call_of(request, x.shape, x.dtype)
        return (_call("cenote_pool", _result(call.out_shape, call.result), x, **attributes(call)),)

    return _spread(run, ((CELLS, x),), OUTPUTS, request)[0]


def select(x: Array, *, request: Request, positions: Dtype | None) -> tuple[Array, ...]:
    """Values, and offsets within windows or, if they have a dtype, positions in the input."""
    name = "cenote_select" if positions is None else "cenote_locate"

    def run(x: Array) -> tuple[Array, ...]:
        call = call_of(request, x.shape, x.dtype)
        dtype = offset_dtype(request, x.shape) if positions is None else positions
        results = (_result(call.out_shape, call.result), _result(call.out_shape, dtype))
        return tuple(_call(name, results, x, **attributes(call)))

    return _spread(run, ((CELLS, x),), 2 * OUTPUTS, request)


def down(*arrays: Array, request: Request) -> Array:
    """The linear map of a LINEAR operator, or (offsets, x) of a WINNER."""
    if request.op.derivative is Derivative.LINEAR:
        return pool(*arrays, request=request)
    offsets, x = arrays

    def run(offsets: Array, x: Array) -> tuple[Array]:
        leading = (x if x.ndim >= offsets.ndim else offsets).shape
        call = call_of(request, cells_shape(request, leading, _lengths(request, x)), x.dtype)
        return (_call("cenote_down", _result(call.out_shape, x.dtype), offsets, x, **attributes(call)),)

    return _spread(run, ((OUTPUTS, offsets), (CELLS, x)), OUTPUTS, request)[0]


def up(*arrays: Array, request: Request, lengths: tuple[int, ...], dtype: Dtype) -> Array:
    """The transpose of ``down``: g of a LINEAR operator, (offsets, g) of a WINNER, (x, g) of a GENERAL one."""
    derivative = request.op.derivative
    name = {Derivative.LINEAR: "cenote_up", Derivative.WINNER: "cenote_up_chosen"}.get(derivative)

    def run(*arrays: Array) -> tuple[Array]:
        leading = max((array.shape for array in reversed(arrays)), key=len)
        call = call_of(request, cells_shape(request, leading, lengths), dtype)
        call = replace(call, result=np.dtype(arrays[-1].dtype))
        result = _result(call.shape, dtype)
        if name is not None:
            return (_call(name, result, *arrays, **attributes(call)),)
        x, g = arrays
        return (_call("cenote_up_norm", result, x, _of_norm(call, request, x), g, **attributes(call)),)

    kinds = {Derivative.LINEAR: "", Derivative.WINNER: OUTPUTS, Derivative.GENERAL: CELLS}[derivative] + OUTPUTS
    return _spread(run, tuple(zip(kinds, arrays, strict=True)), CELLS, request)[0]


def _of_norm(call: Call, request: Request, x: Array) -> Array:
    """What its gradient needs beside the input: which tap is the largest for p = infinity, else the result, in the
    accumulator's precision: halves are too coarse."""
    own = replace(call, shape=tuple(x.shape), axes=tuple(axis - len(call.shape) + x.ndim for axis in call.axes))
    if math.isinf(call.params.p):
        return _call("cenote_offsets", _result(own.out_shape, offset_dtype(request, x.shape)), x, **attributes(own))
    own = replace(own, result=accumulator(call.dtype, call.result))
    return _call("cenote_pool", _result(own.out_shape, own.result), x, **attributes(own))


def _lengths(request: Request, x: Array) -> tuple[int, ...]:
    return tuple(x.shape[axis] for axis in request.axes)
