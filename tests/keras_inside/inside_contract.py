"""Layers of cenote.keras against the contract: every operator, form, rank, data format and dtype.

Two judges: cenote for arrays, bit for bit where the backend runs cenote's kernels, and the independent oracle.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import keras
import numpy as np
import pytest
from bridge import BACKEND, array, examples, same_bits, tensor, value_and_gradient
from hypothesis import assume, given
from hypothesis import strategies as st

import bounds
import cenote
import cenote.keras
from arrays import fill
from cases import OPERATORS, Case
from cenote.keras.kinds import kinds
from oracle import Split, forward
from oracle_backward import routed, spread
from strategies import drawn_cases
from verdict import differentiable, genuine, incoming

SELECTING = ("max", "min")
FORMS = {kind.op.name: kind for kind in kinds()}
FLOATS = ("float16", "bfloat16", "float32", "float64")
WHOLE = ("bool", "int8", "uint8", "int32", "int64")


def types(op: str) -> tuple[str, ...]:
    floats = FLOATS if BACKEND != "jax" else FLOATS[:3]  # Keras runs JAX without 64 bits
    whole = WHOLE if BACKEND != "jax" else WHOLE[:4]
    return (*floats, *whole) if op in SELECTING else floats


@st.composite
def layered(draw: st.DrawFn, op: str) -> Case:
    """A drawn case that a layer can say."""
    case = draw(drawn_cases(op, types=types(op)))
    assume(not case.window.mixed)
    options = tuple((name, value) for name, value in case.options if name != "dtype")
    return dataclasses.replace(case, layout=draw(st.sampled_from(["first", "last"])), view="plain", options=options)


def layer_of(case: Case, **more: Any) -> Any:
    """The layer that says what the case says."""
    words: dict[str, Any] = {**case.parameters, **more}
    words["data_format"] = "channels_first" if case.layout == "first" else "channels_last"
    dtype = case.x.dtype.name
    words["dtype"] = dtype if dtype in FLOATS else "float32"
    form = "global" if case.keepdims is not None else "adaptive" if isinstance(case.rules[0], Split) else "sliding"
    kind = next(k for k in kinds() if (k.op.name, k.form, k.rank) == (case.op, form, case.rank))
    if form == "global":
        words["keepdims"] = case.keepdims
    elif form == "adaptive":
        words["output_size"] = tuple(rule.parts for rule in case.rules)
    else:
        pads = [rule.pad for rule in case.rules]
        words |= {
            "pool_size": tuple(rule.size for rule in case.rules),
            "strides": tuple(rule.stride for rule in case.rules),
            "dilation": tuple(rule.dilation for rule in case.rules),
            "padding": pads[0] if isinstance(pads[0], str) else tuple(pads),
            "ceil_mode": case.rules[0].ceil,
        }
    return getattr(cenote.keras, kind.name)(**words)


def runs_kernels(case: Case) -> bool:
    """Do cenote's own kernels run it? On TensorFlow not always."""
    if BACKEND != "tensorflow":
        return True
    return cenote.keras.explain(layer_of(case), tensor(case.x)).provider == "native"


@pytest.mark.parametrize("op", OPERATORS)
@examples(torch=100, tensorflow=100, jax=10)
@given(data=st.data())
def test_drawn_case(op: str, data: st.DataObject) -> None:
    case = data.draw(layered(op))
    layer = layer_of(case)
    want = genuine(case)
    native = runs_kernels(case)
    if not native and case.values in ("nan", "infinite", "denormal"):
        return  # differences of TensorFlow's kernels
    if want.dx is None:
        got = array(layer(tensor(case.x)))
    else:
        got, dx = value_and_gradient(layer, case.x, lambda shape: incoming(case, case_shape(case)).reshape(shape))
    assert layer.compute_output_shape(case.shape) == got.shape
    spec = layer.compute_output_spec(keras.KerasTensor(case.shape, dtype=keras.backend.standardize_dtype(case.x.dtype)))
    assert (tuple(spec.shape), spec.dtype) == (got.shape, got.dtype.name)
    if native:
        assert same_bits(got, want.values)
        assert want.dx is None or same_bits(dx, want.dx)
        return
    expected = forward(case.op, case.x, case.rules, case.axes, **case.parameters)
    values = case.shaped(expected.values)
    if case.op in SELECTING:
        bounds.same(got, values, "values")
    else:  # over three axes TensorFlow adds and divides twice
        near(got, values, slack=4)
    if want.dx is not None:
        dy = incoming(case, expected.shape).reshape(expected.shape)
        if case.op in SELECTING:
            exact = routed(case.op, case.x, dy, case.rules, case.axes, case.x.dtype.name)
            u = np.finfo("float32").eps if case.dtype != "float64" else np.finfo("float64").eps
            size = routed(case.op, case.x, np.abs(dy), case.rules, case.axes, case.x.dtype.name).astype(float)
            # the same cells; windows that share a winner are added in TensorFlow's order, and halves rounded once
            own = np.finfo(np.float16).eps if case.dtype == "float16" else 2.0**-8 if case.dtype == "bfloat16" else u
            assert (np.abs(dx.astype(float) - exact.astype(float)) <= (case.window.taps * u + own) * size).all()
        else:
            near(dx, spread(case.op, case.x, dy, case.rules, case.axes, **case.parameters), slack=4)


def near(got: np.ndarray, want: np.ndarray, slack: int) -> None:
    """`bounds.near`, without its demand that whole sums be divided exactly once."""
    want = (
        np.vectorize(lambda one: dataclasses.replace(one, exact_sum=False), otypes=[object])(want)
        if want.size
        else want
    )
    bounds.near(got, want, "values", slack=slack)


def case_shape(case: Case) -> tuple[int, ...]:
    from oracle import output_shape

    return output_shape(case.shape, case.rules, case.axes)


@pytest.mark.parametrize("op", OPERATORS)
@examples(torch=15, tensorflow=15, jax=5)
@given(data=st.data())
def test_drawn_case_by_the_oracle(op: str, data: st.DataObject) -> None:
    """A second judge, which shares no code with either; where cenote's kernels run."""
    from verdict import Outcome, expect, judge

    case = data.draw(layered(op))
    assume(runs_kernels(case))
    outcome = Outcome(array(layer_of(case)(tensor(case.x))))
    if op in SELECTING:
        y, indices = layer_of(case, return_indices=True)(tensor(case.x))
        outcome.pair = array(y), array(indices).astype(np.int64)
        outcome.values = outcome.pair[0]
    if differentiable(case):
        outcome.dx = value_and_gradient(
            layer_of(case), case.x, lambda shape: incoming(case, case_shape(case)).reshape(shape)
        )[1]
    judge(case, outcome, expect(case))


@pytest.mark.parametrize("op", SELECTING)
def test_indices(op: str) -> None:
    word = {"max": "Max", "min": "Min"}[op]
    x = fill((2, 6, 7, 3), "float32", "ties", 1)
    layer = getattr(cenote.keras, f"{word}Pooling2D")(3, 2, padding=1, return_indices=True)
    y, indices = layer(tensor(x))
    want = getattr(cenote, f"{op}_pool")(x, (3, 3), stride=2, padding=1, axes=(1, 2), return_indices=True)
    assert same_bits(array(y), want[0])
    assert array(indices).tolist() == want[1].tolist()
    symbols = layer(keras.Input((6, 7, 3)))
    assert [tuple(s.shape) for s in symbols] == [(None, 3, 4, 3)] * 2
    assert [s.dtype for s in symbols] == ["float32", array(indices).dtype.name]
    _, dx = value_and_gradient(lambda x: layer(x)[0], x, np.ones)
    assert same_bits(
        dx,
        cenote.vjp(getattr(cenote, f"{op}_pool"), x, (3, 3), stride=2, padding=1, axes=(1, 2))[1](
            np.ones_like(want[0])
        ),
    )


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
@pytest.mark.parametrize("layer", ["GlobalAveragePooling2D", "GlobalSumPooling2D"])
def test_halves_are_summed_in_single_precision(name: str, layer: str) -> None:
    made = getattr(cenote.keras, layer)(dtype=name)
    y = made(tensor(np.ones((1, 64, 64, 1), fill((1,), name, "equal", 0).dtype)))
    assert keras.backend.standardize_dtype(y.dtype) == name
    assert float(array(y).ravel()[0]) == {"GlobalAveragePooling2D": 1, "GlobalSumPooling2D": 4096}[layer]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(policy: str) -> None:
    x = fill((2, 6, 6, 3), "float32", "random", 2)
    half = policy.removeprefix("mixed_")
    narrow = array(keras.ops.cast(x, half))
    for name, function in (("MaxPooling2D", cenote.max_pool), ("AveragePooling2D", cenote.avg_pool)):
        y = getattr(cenote.keras, name)(2, dtype=policy)(tensor(x))
        assert same_bits(array(y), function(narrow, 2, axes="NHWC"))


@pytest.mark.parametrize("op", ["avg", "sum", "lp"])
def test_whole_numbers_come_in_the_dtype_of_computation(op: str) -> None:
    kind = next(k for k in kinds() if (k.op.name, k.form, k.rank) == (op, "sliding", 2))
    x = fill((1, 4, 4, 1), "int8", "random", 2)
    y = array(getattr(cenote.keras, kind.name)(2)(tensor(x)))
    assert same_bits(y, getattr(cenote, f"{op}_pool")(x, 2, axes="NHWC", dtype="float32"))
    if BACKEND != "jax":
        exact = array(getattr(cenote.keras, kind.name)(2, dtype="float64")(tensor(x)))
        assert same_bits(exact, getattr(cenote, f"{op}_pool")(x, 2, axes="NHWC", dtype="float64"))


def test_empty_batches() -> None:
    for name, words in (
        ("MaxPooling2D", (2,)),
        ("LpPooling2D", (2,)),
        ("GlobalAveragePooling2D", ()),
        ("AdaptiveMaxPooling2D", (2,)),
    ):
        layer = getattr(cenote.keras, name)(*words)
        assert array(layer(keras.ops.zeros((0, 4, 4, 3)))).shape[0] == 0
        _, dx = value_and_gradient(layer, np.zeros((0, 4, 4, 3), "float32"), np.zeros)
        assert dx.shape == (0, 4, 4, 3)


@pytest.mark.parametrize("mask_words", [{}, {"divisor": "window"}, {"divisor": 2}])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_masked_averages_are_averages_of_what_is_left(dtype: str, mask_words: dict[str, Any]) -> None:
    x = fill((2, 7, 3), dtype, "whole", 4)
    mask = np.array([[1, 1, 0, 1, 0, 0, 1], [0, 0, 0, 0, 0, 1, 0]], bool)
    layer = cenote.keras.GlobalAveragePooling1D(dtype=dtype, **mask_words)
    y = array(layer(tensor(x), mask=keras.ops.convert_to_tensor(mask)))
    for one, steps, got in zip(x, mask, y, strict=True):
        by = {"window": 7, 2: 2}.get(mask_words.get("divisor"), int(steps.sum()))
        assert same_bits(got, (one[steps].astype("float32").sum(0) / np.float32(by)).astype(dtype))


def test_masked_averages_are_divided_to_the_last_bit() -> None:
    """By 3, 7 and 11 as well, which XLA does with a reciprocal where it may: every backend, compiled or not."""
    x = fill((50, 12, 3), "float32", "whole", 6)
    mask = np.arange(12) < np.arange(50)[:, None] % 13
    want = (x * mask[..., None]).sum(1) / np.maximum(mask.sum(1), 1)[:, None].astype("float32")
    inputs, steps = keras.Input((12, 3)), keras.Input((12,), dtype="bool")
    model = keras.Model([inputs, steps], cenote.keras.GlobalAveragePooling1D()(inputs, mask=steps))
    assert same_bits(array(cenote.keras.GlobalAveragePooling1D()(tensor(x), mask=tensor(mask))), want)
    assert same_bits(model.predict([x, mask], batch_size=50, verbose=0), want)


def test_a_mask_comes_along_by_itself() -> None:
    words = np.array([[3, 4, 0, 0], [5, 6, 7, 0]])
    embedding = keras.layers.Embedding(9, 4, mask_zero=True)
    theirs = keras.Sequential([embedding, keras.layers.GlobalAveragePooling1D()])
    ours = keras.Sequential([embedding, cenote.keras.GlobalAveragePooling1D()])
    np.testing.assert_allclose(ours.predict(words, verbose=0), theirs.predict(words, verbose=0), rtol=1e-6)
    assert cenote.keras.GlobalAveragePooling1D().compute_mask(None, None) is None


@pytest.mark.parametrize("name", ["cases", "lengths"])
def test_lengths_of_the_contract(name: str) -> None:
    """Section 4 of the contract, in layers."""
    pool = cenote.keras.MaxPooling1D
    shapes = [
        (pool(2, 2, padding=1, ceil_mode=True), 5, 3),
        (pool(2, 3, padding=1, ceil_mode=True), 2, 1),
        (pool(3, 2, ceil_mode=True), 2, 1),
        (pool(3, 2), 13, 6),
        (pool(3, 2, padding="same"), 13, 7),
        (pool(3, 2, dilation=2, padding="same"), 5, 3),
    ]
    for layer, length, outputs in shapes:
        assert layer.compute_output_shape((None, length, 3)) == (None, outputs, 3)
        assert array(layer(keras.ops.ones((1, length, 3)))).shape == (1, outputs, 3)
    x = np.arange(1.0, 17).reshape(1, 4, 4, 1).astype("float32")
    y = cenote.keras.AveragePooling2D(3, 2, padding=1, ceil_mode=True, divisor="padded")(tensor(x))
    np.testing.assert_allclose(array(y)[0, ..., 0], [[14 / 9, 20 / 6, 2], [38 / 6, 11, 6], [4.5, 7.5, 4]], rtol=1e-6)
    y = cenote.keras.AveragePooling1D(3, 2, padding="same")(tensor(np.array([[[10.0], [20]]], "float32")))
    assert array(y).ravel().tolist() == [15]


def test_a_converted_view_is_read_right() -> None:
    """Results of convolutions on PyTorch have the channels first in memory and last in shape."""
    x = keras.ops.transpose(tensor(fill((2, 3, 5, 6), "float32", "random", 3)), (0, 2, 3, 1))
    for shape in ((2, 5, 6, 3), (1, 5, 1, 3), (2, 1, 6, 3)):
        part = x[: shape[0], : shape[1], : shape[2], : shape[3]]
        y = cenote.keras.MaxPooling2D(2, 1, padding="same")(part)
        assert same_bits(array(y), cenote.max_pool(array(part), 2, stride=1, padding="same", axes="NHWC"))
    turned = keras.ops.transpose(tensor(fill((2, 6, 3, 5), "float32", "random", 3)), (0, 3, 1, 2))
    y = cenote.keras.MaxPooling2D(2, 1, padding="same")(turned)
    assert same_bits(array(y), cenote.max_pool(array(turned), 2, stride=1, padding="same", axes="NHWC"))
    assert math.prod(y.shape) == math.prod(turned.shape)
