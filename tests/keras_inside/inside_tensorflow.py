"""What only TensorFlow asks: which of its kernels run, what leaves the graph, what can be compiled and exported."""

from __future__ import annotations

import inspect
import itertools
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from bridge import BACKEND, array, same_bits, tensor
from hypothesis import given
from hypothesis import strategies as st

import cenote
import cenote.keras
from arrays import fill
from cenote.keras.kinds import kinds
from cenote.keras.layer import PoolingLayer
from fresh import python

if BACKEND != "tensorflow":
    pytest.skip("Keras runs on another backend here", allow_module_level=True)

import tensorflow as tf

K = cenote.keras
IN_THE_GRAPH = {
    "valid": K.MaxPooling2D(3, 2),
    "same": K.MaxPooling2D(3, 2, "same"),
    "three axes": K.MaxPooling3D(2),
    "one axis": K.MinPooling1D(2),
    "average": K.AveragePooling2D(2, padding="same"),
    "average by the window": K.AveragePooling2D(2, divisor="window"),
    "global": K.GlobalMaxPooling2D(),
    "global sum": K.GlobalSumPooling3D(),
    "equal bins": K.AdaptiveAveragePooling2D(4),
    "one bin": K.AdaptiveMaxPooling2D(1),
}
OUT_OF_IT = {
    "dilation": (K.MaxPooling2D(2, dilation=2), "no dilation"),
    "rounding up": (K.MaxPooling2D(2, ceil_mode=True), "rounds the output length down"),
    "numbers": (K.MaxPooling2D(2, padding=1), "pads by the words"),
    "same_lower": (K.MaxPooling2D(2, padding="same_lower"), "pads by the words"),
    "divisor": (K.AveragePooling2D(2, padding="same", divisor="window"), "divides by the cells inside"),
    "number": (K.AveragePooling2D(2, divisor=3), "divides by the cells inside"),
    "sum": (K.SumPooling2D(2), "no sum pooling with a sliding window"),
    "norm": (K.LpPooling2D(2), "no kernel for lp"),
    "bins": (K.AdaptiveMaxPooling2D(3), "do not make 3 equal bins"),
    "indices": (K.MaxPooling2D(2, return_indices=True), "indices"),
}


def shape_of(layer: Any) -> tuple[int, ...]:
    return (2, *(8,) * layer.kind.rank, 3)


def twin(layer: Any) -> Any:
    return type(layer).from_config({**layer.get_config(), "name": None})


def model_of(layer: Any) -> keras.Model:
    inputs = keras.Input(shape_of(layer)[1:])
    return keras.Model(inputs, twin(layer)(keras.layers.Dense(3)(inputs)))


def export(model: keras.Model, folder: Path) -> None:
    """Keras 3.5 says what it did and cannot be told not to."""
    model.export(folder, **({"verbose": False} if "verbose" in inspect.signature(model.export).parameters else {}))


def archived(model: keras.Model, folder: Path) -> None:
    archive = keras.export.ExportArchive()
    archive.add_endpoint("serve", model.call, [tf.TensorSpec(model.input_shape, "float32")])
    archive.write_out(folder)


def operations(layer: Any) -> set[str]:
    graph = tf.function(lambda x: layer(x)).get_concrete_function(tf.TensorSpec(shape_of(layer), tf.float32)).graph
    return {operation.type for operation in graph.get_operations()}


@pytest.mark.parametrize("name", IN_THE_GRAPH)
def test_in_the_graph(name: str) -> None:
    """TensorFlow's own kernels, and XLA compiles them."""
    layer = IN_THE_GRAPH[name]
    answer = K.explain(layer, shape_of(layer))
    assert (answer.provider, answer.compiles, answer.exports) == ("tensorflow", True, True)
    assert not {op for op in operations(layer) if "PyFunc" in op}
    model = model_of(layer)
    assert all(one.supports_jit for one in model.layers)
    x = fill(shape_of(layer), "float32", "random", 1)
    np.testing.assert_allclose(array(tf.function(model, jit_compile=True)(x)), array(model(x)), rtol=1e-5, atol=1e-6)


def test_a_new_process_without_cenote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs what TensorFlow's kernels were exported for. What calls Python it cannot: that is why it is refused."""
    want = {}
    for name, layer in IN_THE_GRAPH.items():
        model, x = model_of(layer), fill(shape_of(layer), "float32", "random", 1)
        want[name] = array(model(x))
        export(model, tmp_path / name)
        np.save(tmp_path / f"{name}.npy", x)
    monkeypatch.setattr(PoolingLayer, "_check_export", lambda self: None)  # the guard
    model = keras.Sequential([keras.Input((4, 1)), K.LpPooling1D(2)])
    export(model, tmp_path / "python")
    code = """
import sys, numpy as np, tensorflow as tf
from pathlib import Path
sys.modules["cenote"] = None  # cannot be imported
for x in Path().glob("*.npy"):
    saved = tf.saved_model.load(x.stem)
    np.save(f"{x.stem}.out", saved.serve(np.load(x)).numpy())
try:
    saved = tf.saved_model.load("python")
    saved.serve(tf.ones((1, 4, 1)))
except tf.errors.OpError as error:
    print("died:", "pyfunc" in str(error).lower())
"""
    assert python(code, cwd=tmp_path).splitlines()[-1] == "died: True"
    for name, y in want.items():
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.out.npy"), y, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", OUT_OF_IT)
def test_out_of_the_graph(name: str, tmp_path: Path) -> None:
    """A call of Python: no XLA, no SavedModel, and both are said at once."""
    layer, reason = OUT_OF_IT[name]
    answer = K.explain(layer, shape_of(layer))
    assert (answer.provider, answer.compiles, answer.exports) == ("native", False, False)
    assert reason in answer.refusals["tensorflow"]
    assert {op for op in operations(layer) if "PyFunc" in op}
    model = model_of(layer)
    assert not all(one.supports_jit for one in model.layers)
    writers = [lambda: export(model, tmp_path / "saved"), lambda: tf.saved_model.save(model, str(tmp_path / "saved"))]
    writers += [lambda: archived(model, tmp_path / "saved")]
    if "litert" in keras.Model.export.__doc__:
        writers += [lambda: model.export(tmp_path / "saved.tflite", format="litert")]
    for write in writers:
        with pytest.raises(ValueError, match="cannot be exported: its result is computed by a call of Python") as error:
            write()
        assert reason in str(error.value)
        assert "cenote.keras.restore(model)" in str(error.value)
    assert not list(tmp_path.iterdir())
    compiled = tf.function(lambda x: layer(x), jit_compile=True)
    with pytest.raises(tf.errors.InvalidArgumentError, match="PyFunc"):
        compiled(tf.ones(shape_of(layer)))
    with pytest.warns(UserWarning, match="Model doesn't support `jit_compile=True`"):
        model.compile("sgd", "mse", jit_compile=True)


@pytest.mark.skipif(not hasattr(keras.layers, "AdaptiveMaxPooling2D"), reason="this Keras has no adaptive layers")
def test_restored_models_can_be_exported(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.AdaptiveMaxPooling2D(3)])
    x = fill((2, 8, 8, 1), "float32", "random", 0)
    want = array(model(x))
    K.convert(model)
    with pytest.raises(ValueError, match="cannot be exported"):
        export(model, tmp_path / "saved")
    K.restore(model)
    export(model, tmp_path / "saved")
    assert np.array_equal(tf.saved_model.load(str(tmp_path / "saved")).serve(x), want)


def test_lengths_decide_who_runs_bins() -> None:
    layer = K.AdaptiveAveragePooling2D(4)
    assert not layer.supports_jit  # nobody knows the lengths yet
    layer(keras.Input((8, 12, 3)))
    assert layer.supports_jit
    layer(keras.Input((9, 12, 3)))  # bins of 3, 2 cells apart
    assert layer.supports_jit
    layer(keras.Input((10, 12, 3)))
    assert not layer.supports_jit


# TensorFlow has no rank-3 kernels of float64 and float16, and no minimum at all: what is made of two axes does.
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("kind", [k for k in kinds() if k.op.name in ("max", "min", "avg")], ids=lambda k: k.name)
def test_every_float_has_kernels(kind: Any, dtype: str) -> None:
    layer = getattr(K, kind.name)(*{"sliding": (2,), "adaptive": (2,), "global": ()}[kind.form], dtype=dtype)
    x = tensor(fill((1, *(4,) * kind.rank, 2), dtype, "whole", 3))
    assert K.explain(layer, x).provider == "tensorflow"
    y = layer(x)
    assert y.dtype == dtype
    axes = tuple(range(1, 1 + kind.rank))
    words: dict[str, Any] = {
        "sliding": {"size": (2,) * kind.rank},
        "adaptive": {"parts": (2,) * kind.rank},
        "global": {},
    }
    want = getattr(cenote, kind.op.function_name(kind.form))(array(x), axes=axes, **words[kind.form])
    if kind.op.name == "avg":
        unit = {"float16": 2.0**-10, "bfloat16": 2.0**-7}.get(dtype, 1e-6)
        np.testing.assert_allclose(array(y).astype(float), want.astype(float), rtol=unit, atol=unit)
    else:
        assert same_bits(array(y), want)


@given(
    data=st.data(),
    op=st.sampled_from(["Max", "Min"]),
    rank=st.integers(1, 3),
    values=st.sampled_from(["ties", "random"]),
)
def test_gradients_of_maxima_go_where_the_contract_sends_them(
    data: st.DataObject, op: str, rank: int, values: str
) -> None:
    """Without overlap to the last bit; where windows overlap, the same cells, added in TensorFlow's order."""
    lengths = tuple(data.draw(st.integers(1, {1: 15, 2: 8, 3: 6}[rank])) for _ in range(rank))
    size = tuple(data.draw(st.integers(1, 4)) for _ in range(rank))
    stride = tuple(k if data.draw(st.booleans()) else data.draw(st.integers(1, 4)) for k in size)
    layer = getattr(K, f"{op}Pooling{rank}D")(size, stride, "same")
    x = fill((2, *lengths, 3), "float32", values, 1)
    leaf = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(leaf)
        y = layer(leaf)
    dy = np.random.default_rng(1).standard_normal(y.shape).astype("float32")
    dx = tape.gradient(y, leaf, output_gradients=tf.constant(dy)).numpy()
    axes = tuple(range(1, 1 + rank))
    function = getattr(cenote, f"{op.lower()}_pool")
    want, pullback = cenote.vjp(function, x, size, stride=stride, padding="same", axes=axes)
    assert same_bits(y.numpy(), want)
    if all(s >= k for s, k in zip(stride, size, strict=True)):
        assert same_bits(dx, pullback(dy))
    windows = np.prod([-(-k // s) for k, s in zip(size, stride, strict=True)])
    assert (np.abs(dx - pullback(dy)) <= windows * np.finfo("float32").eps * pullback(np.abs(dy))).all()


LAYERS = [
    K.MaxPooling2D(2, 1, "same"),
    K.GlobalMaxPooling2D(),
    K.AveragePooling2D(2),
    K.MaxPooling2D(2, dilation=2),
    K.SumPooling2D(2),
    K.LpPooling2D(2),
    K.LpPooling2D(2, p=3.5),
]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
@pytest.mark.parametrize("graph", [False, True], ids=["eager", "graph"])
def test_second_derivatives(layer: Any, graph: bool) -> None:
    """Against differences of the first, in double precision."""
    layer = type(layer).from_config({**layer.get_config(), "dtype": "float64", "name": None})
    x = tf.constant(np.random.default_rng(0).uniform(0.5, 2, (1, 4, 4, 2)))
    direction = tf.constant(np.random.default_rng(1).standard_normal((1, 4, 4, 2)))

    def first(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(layer(x) ** 3)
        return tape.gradient(y, x)

    def second(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            along = tf.reduce_sum(first(x) * direction)
        return tape.gradient(along, x)

    run = tf.function(second) if graph else second
    h = 1e-6
    differences = (first(x + h * direction) - first(x - h * direction)) / (2 * h)
    # the error of the difference is about h^2 and 1e-16 / h, times third derivatives and values of order 100
    np.testing.assert_allclose(run(x), differences, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("layer", LAYERS[:5], ids=lambda layer: layer.name)
def test_forward_mode(layer: Any) -> None:
    x = tf.random.stateless_normal((1, 4, 4, 2), (1, 2))
    with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
        y = layer(x)
    tangent = accumulator.jvp(y).numpy()
    want = {"SumPooling2D": 4.0}.get(type(layer).__name__, 1.0)
    np.testing.assert_allclose(tangent, want, rtol=1e-6)


def test_denormals_count_in_calls_of_python() -> None:
    """TensorFlow's threads treat them as zero; the contract does not."""
    x = fill((1, 8, 8, 2), "float32", "denormal", 1)
    for layer, function, words in (
        (K.MaxPooling2D(3, padding=1), cenote.max_pool, {"padding": 1}),
        (K.AveragePooling2D(3, padding=1), cenote.avg_pool, {"padding": 1}),
    ):
        graph = tf.function(lambda x, layer=layer: layer(x))
        want = function(x, 3, axes="NHWC", **words)
        assert same_bits(graph(x).numpy(), want)
        assert same_bits(layer(x).numpy(), want)


def test_difference_denormals() -> None:
    """In TensorFlow's own kernels they are zero where it adds."""
    x = np.full((1, 2, 1), 1e-40, "float32")
    assert K.AveragePooling1D(2)(x).numpy().ravel().tolist() == [0]
    assert cenote.avg_pool(x, (2,), axes=(1,)).ravel().tolist() == [np.float32(1e-40)]


def test_what_would_end_the_process() -> None:
    """TensorFlow itself ends it where the window is one cell longer than the input, and its gradient of a sliding
    maximum of an empty batch does, Keras's own layers included."""
    code = """
import os
os.environ["KERAS_BACKEND"] = "tensorflow"
import cenote.keras, tensorflow as tf
K = cenote.keras
for size in (3, 9, 4):
    layer = K.MaxPooling2D(size, 1)
    run = tf.function(layer.__call__, input_signature=[tf.TensorSpec((None, None, None, 2))])
    try:
        print("shape", tuple(run(tf.ones((1, 3, 3, 2))).shape))
    except tf.errors.InvalidArgumentError as error:
        print("refused", f"the window spans {size} cells and fewer are there" in str(error))
for layer in (K.MaxPooling2D(2), K.MinPooling2D(2, 1, "same"), K.GlobalMaxPooling2D(), K.AveragePooling2D(2)):
    @tf.function(input_signature=[tf.TensorSpec((None, 4, 4, 2))])
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        return tape.gradient(y, x)
    print(*gradient(tf.ones((1, 4, 4, 2))).shape)
    try:
        print(*gradient(tf.ones((0, 4, 4, 2))).shape)
    except tf.errors.InvalidArgumentError as error:
        print("refused", "TensorFlow has no gradient of maxima without elements" in str(error))
"""
    said = python(code).splitlines()[-11:]
    assert said[:3] == ["shape (1, 1, 1, 2)", "refused True", "refused True"]
    some, none, refused = "1 4 4 2", "0 4 4 2", "refused True"
    assert said[3:] == [some, refused, some, refused, some, none, some, none]


def test_errors_inside_of_a_graph_are_ours() -> None:
    run = tf.function(K.LpPooling2D(5).__call__, input_signature=[tf.TensorSpec((None, None, None, 2))])
    with pytest.raises(tf.errors.InvalidArgumentError, match="LpPooling2D: the output length of axis 1 would be 0"):
        run(tf.ones((1, 4, 4, 2)))


def test_unknown_shapes_in_the_graph() -> None:
    for layer, (n, m) in itertools.product(
        (*IN_THE_GRAPH.values(), *(one for one, _ in OUT_OF_IT.values())), ((8, 8), (9, 11))
    ):
        if layer.kind.rank != 2 or getattr(layer, "return_indices", False):
            continue
        run = tf.function(layer.__call__, input_signature=[tf.TensorSpec((None, None, None, 3))])
        x = fill((2, n, m, 3), "float32", "random", 2)
        np.testing.assert_allclose(run(x).numpy(), layer(x).numpy(), rtol=1e-5, atol=1e-6)
