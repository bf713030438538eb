"""cenote's kernels inside of a TensorFlow program: calls of Python with gradients of every order.

``down`` and ``up`` are each other's gradient, see ``ops.maps``. Tensors are handed over as arrays over the same memory;
those of a GPU are copied to the host and back by TensorFlow, which has no other way to call Python.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import tensorflow as tf

from ..catalogue import OPS, Call, Derivative, Params
from ..catalogue.dtypes import Dtype
from ..errors import bad_type
from ..geometry import Slide
from ..ops import maps
from ..ops.prepare import Words
from ..ops.request import Request
from .float_environment import usual

Tensor = Any
_MANY: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Cells:
    """What a gradient has to know of the input, so that the input itself need not be kept for it."""

    shape: Tensor
    known: Any
    dtype: Any

    @classmethod
    def of(cls, x: Tensor) -> Cells:
        """Of this input."""
        return cls(tf.shape(x), x.shape, x.dtype)


def numpy_dtype(dtype: Any) -> Dtype:
    """The dtype of NumPy with the same values."""
    return np.dtype(dtype.as_numpy_dtype)


def pool(request: Request, x: Tensor) -> Any:
    """The pooled tensor, or values and indices."""
    if request.words.select:
        return _value(request.selecting(False), x), _indices(request, x)
    return _value(request, x)


def _value(request: Request, x: Tensor) -> Tensor:
    derivative = request.op.derivative
    if derivative is Derivative.WINNER:
        return _select(request, x)
    return _down(request, x, ()) if derivative is Derivative.LINEAR else _general(request, x)


def _python(function: Callable[..., Any], inputs: Sequence[Tensor], dtypes: Any) -> Any:
    """A node of the graph that calls Python."""

    def run(*arrays: Any) -> Any:
        with usual():
            return function(*map(np.asarray, arrays))

    return tf.numpy_function(run, list(inputs), dtypes, stateful=False)


def _result(request: Request, dtype: Any) -> Any:
    found = request.op.result_dtype(request.who, numpy_dtype(dtype), request.words.dtype)
    return tf.as_dtype(found.name)


def _outputs(request: Request, x: Tensor) -> Any:
    """What is known of the result's shape."""
    known = x.shape.as_list()
    for axis, rule in zip(request.axes, request.window.rules, strict=True):
        length = known[axis]
        known[axis] = getattr(rule, "parts", None) if length is None else rule.output_length(length)
    return known


def _call(request: Request, x: np.ndarray[Any, Any]) -> Call:
    return request.call(x.shape, x.dtype)


def _indices(request: Request, x: Tensor) -> Tensor:
    found = _python(lambda a: maps.pool_with_indices(_call(request, a), a)[1], [tf.stop_gradient(x)], tf.int64)
    found.set_shape(_outputs(request, x))
    return found


def _offsets(request: Request, x: Tensor) -> Dtype:
    """What numbers the taps of a window, as far as they are known before the graph runs: one byte mostly."""
    taps = 1
    for axis, rule in zip(request.axes, request.window.rules, strict=True):
        length = x.shape[axis]
        most = _MANY if length is None else int(rule.spans(length).count.max(initial=1))
        taps *= min(most, rule.size) if isinstance(rule, Slide) else most
    return maps.offset_dtype(min(taps, _MANY))


def _select(request: Request, x: Tensor) -> Tensor:
    """The winners' values. All that is kept for the gradient is the offset of each."""
    small = _offsets(request, x)

    @tf.custom_gradient
    def select(x: Tensor) -> Any:
        y, offsets = _python(
            lambda a: maps.select(_call(request, a), a, small), [x], [x.dtype, tf.as_dtype(small.name)]
        )
        y.set_shape(_outputs(request, x))
        cells = Cells.of(x)
        return y, lambda g: _up(request, g, (offsets,), cells)

    return select(x)


def _down(request: Request, x: Tensor, offsets: tuple[Tensor, ...]) -> Tensor:
    """The linear map from cells to outputs; without offsets the operator itself."""

    def run(a: Any, *where: Any) -> Any:
        return maps.down(_call(request, a), where[0] if where else None, a)

    @tf.custom_gradient
    def down(x: Tensor) -> Any:
        dtype = x.dtype if offsets else _result(request, x.dtype)
        y = _python(run, [x, *offsets], dtype)
        y.set_shape(_outputs(request, x))
        cells = Cells.of(x)
        return y, lambda g: _up(request, g, offsets, cells)

    return down(x)


def _up(request: Request, g: Tensor, offsets: tuple[Tensor, ...], cells: Cells) -> Tensor:
    """The transpose of ``down``."""

    def run(g: Any, shape: Any, *where: Any) -> Any:
        call = request.call(tuple(int(n) for n in shape), numpy_dtype(cells.dtype))
        return maps.up(call, where[0] if where else None, g)

    @tf.custom_gradient
    def up(g: Tensor) -> Any:
        dx = _python(run, [g, cells.shape, *offsets], cells.dtype)
        dx.set_shape(cells.known)
        return dx, lambda h: _down(request, h, offsets)

    return up(g)


def _general(request: Request, x: Tensor) -> Tensor:
    """An operator whose gradient depends on the values."""

    @tf.custom_gradient
    def general(x: Tensor) -> Any:
        y = _python(lambda a: maps.pool(_call(request, a), a), [x], _result(request, x.dtype))
        y.set_shape(_outputs(request, x))
        return y, lambda g: _gradient(request, x, g)

    return general(x)


def _gradient(request: Request, x: Tensor, g: Tensor) -> Tensor:
    """The gradient of a GENERAL operator; its own one follows from the operator as it is composed of others."""

    @tf.custom_gradient
    def gradient(x: Tensor, g: Tensor) -> Any:
        dx = _python(lambda a, b: maps.gradient(_call(request, a), a, b), [x, g], x.dtype)
        dx.set_shape(x.shape)
        return dx, lambda h: _second(request, x, g, h)

    return gradient(x, g)


def _second(request: Request, x: Tensor, g: Tensor, h: Tensor) -> Any:
    with tf.GradientTape() as outer:
        outer.watch([x, g])
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = _composed(request, x)
        first = inner.gradient(y, x, output_gradients=g)
    return outer.gradient(first, [x, g], output_gradients=h, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def _composed(request: Request, x: Tensor) -> Tensor:
    """The operator made of ones that can be differentiated as often as one likes, in the precision it adds in."""
    op, words = request.op, request.words
    if op.composed is None:
        raise bad_type(
            request.who,
            f"{op.name} pooling has no second derivative here: its row says neither that it is linear nor how it is "
            "composed of other operators",
            "use first derivatives, or write it with operators of TensorFlow",
        )
    result = _result(request, x.dtype)
    wide = tf.float64 if tf.float64 in (x.dtype, result) else tf.float32
    plain = Words(Params(), None, False)
    total, largest = (replace(request, op=OPS[name], words=plain) for name in ("sum", "max"))
    y = op.composed(tf, tf.cast(x, wide), words.params, lambda t: _down(total, t, ()), lambda t: _select(largest, t))
    return tf.cast(y, result)
