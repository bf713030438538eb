"""TensorFlow's own kernels, for the calls where they give what the contract says for all finite input.

Found by comparing them: over windows of one or two axes maxima agree in every bit of the values, and their gradients go
to the same cells (``max_pool3d`` hands a gradient to every tie, and ``reduce_max`` shares it out). So everything here
is made of windows over two axes: of three axes the last two are pooled first, then the first, which leaves the first
tap in row-major order the winner, and a global maximum has the gradient of one window over all cells. Averages differ
by rounding: each is within (taps + 4) units of the sum of absolute values over the divisor. 16-bit floats are summed in
float32 and rounded once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import tensorflow as tf

from ..errors import message
from ..geometry import Slide, Split
from ..geometry.rules import Rule
from ..ops.request import Request

_FLOATS: Final = ("float16", "bfloat16", "float32", "float64")
_WHOLE: Final = ("int8", "int16", "int32", "int64", "uint8", "uint16")


@dataclass(frozen=True, slots=True)
class Reducer:
    """What TensorFlow has for one of the core's reducers: ``pool(x, size, stride, word)`` over two axes of
    (N, H, W, C), ``whole(x)`` over the middle axis of (N, L, C), keeping it."""

    dtypes: tuple[str, ...]
    pool: Callable[..., Any] | None
    whole: Callable[[Any], Any]
    exact: bool = False
    """Nothing is rounded, so 16-bit floats need not be widened."""


def _max_whole(x: Any) -> Any:
    """``reduce_max`` keeps NaN and -inf, which ``max_pool2d`` drops; its gradient is that of one window over all."""

    @tf.custom_gradient
    def largest(x: Any) -> Any:
        y = tf.reduce_max(x, 1, keepdims=True)

        def gradient(g: Any) -> Any:
            cells = tf.stack([1, tf.shape(x)[1], 1, 1])
            planes = (tf.expand_dims(a, 2) for a in (x, y, g))
            dx = tf.raw_ops.MaxPoolGradV2(
                **dict(zip(("orig_input", "orig_output", "grad"), planes, strict=True)),
                ksize=cells,
                strides=[1, 1, 1, 1],
                padding="VALID",
            )
            return tf.squeeze(dx, 2)

        return y, gradient

    return largest(x)


_REDUCERS: Final = {
    "max": Reducer((*_FLOATS, *_WHOLE), tf.nn.max_pool2d, _max_whole, exact=True),
    "min": Reducer(_FLOATS, lambda x, *w: -tf.nn.max_pool2d(-x, *w), lambda x: -_max_whole(-x), exact=True),
    "avg": Reducer(_FLOATS, tf.nn.avg_pool2d, lambda x: tf.reduce_mean(x, 1, keepdims=True)),
    "sum": Reducer(_FLOATS, None, lambda x: tf.reduce_sum(x, 1, keepdims=True)),
}
_INT32_MAX: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Plan:
    """A call in TensorFlow's words: over whole axes (``sizes`` is empty), or by size, stride and padding word."""

    sizes: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()
    word: str = "VALID"


def refusal(request: Request, dtype: str, shape: Sequence[int | None]) -> str | None:
    """Why TensorFlow's kernels do not run this call; None when they do."""
    op, words = request.op, request.words
    reducer = _REDUCERS.get(op.reducer or "")
    if reducer is None:
        return f"TensorFlow has no kernel for {op.name} pooling"
    if words.select:
        return "indices are not what tf.nn.max_pool_with_argmax gives"
    if dtype not in reducer.dtypes:
        return f"TensorFlow has no {op.name} pooling of {dtype}"
    if words.dtype is not None and words.dtype.name != dtype:
        return f"TensorFlow's kernels give {dtype}, not {words.dtype.name}"
    if 0 in shape[1:]:
        return "TensorFlow has no gradient of averages without elements"
    plan = _plan(request, shape)
    if isinstance(plan, str):
        return plan
    if plan.sizes and reducer.pool is None:
        return f"TensorFlow has no {op.name} pooling with a sliding window"
    rule = words.params.divisor
    if not isinstance(rule, str) or (rule != "inside" and plan.word == "SAME"):
        return f"TensorFlow divides by the cells inside, not by divisor={rule!r}"
    return None


def _plan(request: Request, shape: Sequence[int | None]) -> Plan | str:
    rules = request.window.rules
    if all(rule == Split(1) for rule in rules):
        return Plan()
    found = [_axis(rule, shape[axis]) for rule, axis in zip(rules, request.axes, strict=True)]
    for entry in found:
        if isinstance(entry, str):
            return entry
    sizes, strides, words = zip(*found, strict=True)
    if len(set(words)) > 1:
        return "TensorFlow pads all axes by one word"
    return Plan(sizes, strides, words[0])


def _axis(rule: Rule, length: int | None) -> tuple[int, int, str] | str:
    if isinstance(rule, Slide):
        if rule.dilation > 1:
            return "TensorFlow's kernels have no dilation with any stride and padding"
        if rule.ceil_mode:
            return "TensorFlow rounds the output length down"
        if rule.pad not in ("same", (0, 0)):
            return f"TensorFlow pads by the words valid and same, not by {rule.pad}"
        if max(rule.size, rule.stride) > _INT32_MAX:
            return "TensorFlow's windows fit 32 bits"
        return rule.size, rule.stride, "SAME" if rule.pad == "same" else "VALID"
    if length is None:
        return "bins follow from a length, which is not known beforehand"
    bins = rule.spans(length)
    size, stride = int(bins.count[0]), int(bins.start[1]) if len(bins.start) > 1 else length
    regular = np.all(bins.count == size) and np.array_equal(bins.start, np.arange(len(bins.start)) * stride)
    if not regular or (len(bins.start) - 1) * stride + size != length or stride == 0:
        return f"TensorFlow has no adaptive pooling, and {length} cells do not make {len(bins.start)} equal bins"
    return size, stride, "VALID"


def pool(request: Request, x: Any) -> Any:
    """The pooled tensor, by kernels that ``refusal`` has let pass."""
    reducer = _REDUCERS[str(request.op.reducer)]
    plan = _plan(request, x.shape.as_list())
    assert isinstance(plan, Plan)
    x = _checked(request, plan, x)
    result = x.dtype
    if not reducer.exact and x.dtype.size == 2:
        x = tf.cast(x, tf.float32)
    first = request.axes[-1] == -1  # the channels
    if first:
        x = tf.transpose(x, (0, *range(2, x.shape.rank), 1))
    y = _slid(reducer, plan, x) if plan.sizes else _whole(reducer, x)
    if plan.sizes and reducer.exact:
        y = _with_elements(request.who, y)
    if first:
        y = tf.transpose(y, (0, y.shape.rank - 1, *range(1, y.shape.rank - 1)))
    return tf.cast(y, result)


def _checked(request: Request, plan: Plan, x: Any) -> Any:
    """``x`` once the running graph knows its lengths. TensorFlow 2.21 does not survive a result of length 0: a window
    one cell longer than the input ends the process by a division by zero."""
    sizes = plan.sizes or (1,) * len(request.axes)
    checks = [
        tf.debugging.assert_greater_equal(
            tf.shape(x)[axis],
            size,
            message(request.who, f"the window spans {size} cells and fewer are there", "use a smaller window"),
        )
        for axis, size in zip(request.axes, sizes, strict=True)
        if x.shape[axis] is None and plan.word == "VALID"
    ]
    if not checks:
        return x
    with tf.control_dependencies(checks):
        return tf.identity(x)


def _with_elements(who: str, y: Any) -> Any:
    """``y``, a sliding maximum, whose gradient is refused where the running graph finds nothing in it. TensorFlow 2.21
    does not survive that: oneDNN's gradient of a maximum without elements ends the process. Eager calls are well."""
    if tf.executing_eagerly() or not {None, 0} & {y.shape[0], y.shape[-1]}:
        return y

    @tf.custom_gradient
    def same(y: Any) -> Any:
        def gradient(g: Any) -> Any:
            what = message(who, "TensorFlow has no gradient of maxima without elements", "drop the empty batch")
            with tf.control_dependencies([tf.debugging.assert_positive(tf.size(g), what)]):
                return tf.identity(g)

        return tf.identity(y), gradient

    return same(y)


def _lengths(x: Any) -> list[Any]:
    """What is known of a shape as numbers, the rest as tensors."""
    known = x.shape.as_list()
    return known if None not in known else [tf.shape(x)[i] if n is None else n for i, n in enumerate(known)]


def _whole(reducer: Reducer, x: Any) -> Any:
    batch, *lengths, channels = _lengths(x)
    cells = 1
    for length in lengths:
        cells = cells * length
    y = reducer.whole(tf.reshape(x, (batch, cells, channels)))
    y = tf.reshape(y, (batch, *(1,) * len(lengths), channels))
    y.set_shape((x.shape[0], *(1,) * len(lengths), x.shape[-1]))
    return y


def _slid(reducer: Reducer, plan: Plan, x: Any) -> Any:
    assert reducer.pool is not None
    sizes, strides, word = plan.sizes, plan.strides, plan.word
    if len(sizes) == 1:
        return tf.squeeze(reducer.pool(tf.expand_dims(x, 2), (*sizes, 1), (*strides, 1), word), 2)
    if len(sizes) == 2:
        return reducer.pool(x, sizes, strides, word)
    batch, depth, height, width, channels = _lengths(x)
    planes = tf.reshape(x, (batch * depth, height, width, channels))
    planes = reducer.pool(planes, sizes[1:], strides[1:], word)
    _, height, width, _ = _lengths(planes)
    columns = tf.reshape(planes, (batch, depth, height * width, channels))
    columns = reducer.pool(columns, (sizes[0], 1), (strides[0], 1), word)
    y = tf.reshape(columns, (batch, _lengths(columns)[1], height, width, channels))
    y.set_shape((x.shape[0], columns.shape[1], *planes.shape[1:3], x.shape[-1]))
    return y
