"""Bytes kept for backward, against the arrays that PyTorch and cenote really keep."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from cenote.catalogue import OPS
from cenote.ops import maps
from lab_counts_models import by_name, graph, layers, sequential

import cenote.keras as pools  # isort: skip
import keras  # isort: skip
from cenote.lab.counts import summarize  # isort: skip

pytestmark = pytest.mark.keras


def kept_by(torch: ModuleType, run: Callable[[Any], Any], weights: Sequence[Any], x: Any) -> int:
    """Bytes of all that a forward pass in PyTorch saves for backward, weights apart, each piece of memory once."""
    own = {weight.untyped_storage().data_ptr() for weight in weights}
    found: dict[int, Any] = {}

    def pack(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = run(x)
    assert result.requires_grad
    return sum(storage.nbytes() for storage in found.values())


@pytest.mark.parametrize("ours", [False, True], ids=["int64", "offsets"])
@pytest.mark.parametrize("frozen", [False, True])
def test_a_network_keeps_what_pytorch_keeps(torch: ModuleType, ours: bool, frozen: bool) -> None:
    """Convolutions with their activations, maxima, a flattened map that is kept once, dense layers."""
    model = sequential(
        (14, 13, 2),
        layers.Conv2D(4, 3, activation="relu", trainable=not frozen),
        pools.MaxPooling2D(2),
        layers.Conv2D(6, 3, activation="silu", padding="same"),
        pools.MaxPooling2D(3, strides=2, padding=1),
        layers.Flatten(),
        layers.Dense(5, activation="tanh"),
        layers.Dense(3, activation="softmax"),
    )
    f = torch.nn.functional
    w1 = torch.rand(4, 2, 3, 3, requires_grad=not frozen)
    w2, w3, w4 = (torch.rand(*shape, requires_grad=True) for shape in ((6, 4, 3, 3), (5, 54), (3, 5)))
    if ours:
        import cenote.torch

        pool = cenote.torch.max_pool2d
    else:
        pool = f.max_pool2d

    def run(x: Any) -> Any:
        x = pool(f.relu(f.conv2d(x, w1)), 2)
        x = pool(f.silu(f.conv2d(x, w2, padding=1)), 3, stride=2, padding=1)
        return f.softmax(f.linear(f.tanh(f.linear(x.flatten(1), w3)), w4), 1)

    kept = kept_by(torch, run, (w1, w2, w3, w4), torch.rand(1, 2, 14, 13))
    summary = summarize(model)
    if ours:
        assert kept == summary.kept_bytes
    else:  # PyTorch's own pooling keeps the map as well, of which it needs the shape; after a relu it is kept anyway
        assert kept - 6 * 6 * 5 * 4 == summary.kept_bytes_int64


def test_products_and_normalization_keep_what_pytorch_keeps(torch: ModuleType) -> None:
    def build(x: Any) -> Any:
        a = layers.Dense(8, activation="silu")(x)
        b = layers.Dense(8, activation="sigmoid")(layers.LayerNormalization(epsilon=1e-5)(a))
        x = layers.BatchNormalization()(layers.Multiply()([a, b]))
        x = layers.Add()([layers.Activation("gelu")(x), b])
        return layers.Dense(3)(layers.GlobalAveragePooling1D()(x))

    f = torch.nn.functional
    one, two, end = (torch.rand(*shape, requires_grad=True) for shape in ((8, 5), (8, 8), (3, 8)))
    scale, shift, gain, bias = (torch.rand(8, requires_grad=True) for _ in range(4))
    mean, variance = torch.zeros(8), torch.ones(8)

    def run(x: Any) -> Any:
        a = f.silu(f.linear(x, one))
        b = f.sigmoid(f.linear(f.layer_norm(a, (8,), scale, shift), two))
        x = f.batch_norm((a * b).flatten(0, 1), mean, variance, gain, bias, training=True)
        x = f.gelu(x).unflatten(0, (1, 6)) + b
        return f.linear(x.mean(1), end)

    weights = (one, two, end, scale, shift, gain, bias, mean, variance)
    kept = kept_by(torch, run, weights, torch.rand(1, 6, 5))
    statistics_of_the_batch = 2 * 8 * 4  # no cost of an image
    summary = summarize(graph((6, 5), build))
    assert kept - statistics_of_the_batch == summary.kept_bytes_int64 == summary.kept_bytes


POOLS: dict[str, Callable[..., Any]] = {
    "2x2": lambda: pools.MaxPooling2D(2),
    "3x3/2": lambda: pools.MaxPooling2D(3, strides=2),
    "15x17, 255 cells": lambda: pools.MaxPooling2D((15, 17), strides=1),
    "16x16, 256 cells": lambda: pools.MaxPooling2D(16, strides=1),
    "min": lambda: pools.MinPooling2D(4, strides=3, padding="same"),
    "adaptive": lambda: pools.AdaptiveMaxPooling2D(3),
    "global": lambda: pools.GlobalMaxPooling2D(),
}


@pytest.mark.parametrize("name", POOLS)
def test_positions_are_the_arrays_of_offsets(name: str) -> None:
    layer = POOLS[name]()
    model = sequential((17, 18, 3), layers.Conv2D(3, 1), layer)
    row = by_name(model)[layer.name]
    call = layer.pooling.request.call((1, 17, 18, 3), np.dtype(np.float32))
    _, offsets = maps.select(call, np.zeros((1, 17, 18, 3), np.float32))
    assert row.kept_bytes == offsets.nbytes
    assert row.kept_bytes_int64 == offsets.size * 8


@pytest.mark.parametrize("size, stride, padding", [(2, 2, 0), (3, 2, 1), (3, 1, 0)])
def test_int64_positions_are_the_indices_of_pytorch(torch: ModuleType, size: int, stride: int, padding: int) -> None:
    layer = pools.MaxPooling2D(size, strides=stride, padding=padding)
    row = by_name(sequential((12, 11, 3), layers.Conv2D(3, 1), layer))[layer.name]
    x = torch.zeros(1, 3, 12, 11)
    _, indices = torch.nn.functional.max_pool2d(x, size, stride, padding, return_indices=True)
    assert row.kept_bytes_int64 == indices.nbytes


def after_a_convolution(*stack: Any) -> list[int | None]:
    """What further layers keep behind a map of 4 x 4 x 2 numbers: 128 bytes, which nobody keeps yet."""
    return [row.kept_bytes for row in summarize(sequential((4, 4, 2), layers.Conv2D(2, 1), *stack)).layers[2:]]


def test_what_layers_keep_by_hand() -> None:
    half = pools.AveragePooling2D
    assert after_a_convolution(half(2)) == after_a_convolution(pools.SumPooling2D(2)) == [0]
    assert after_a_convolution(keras.layers.AveragePooling2D(2)) == [0]
    assert after_a_convolution(pools.LpPooling2D(2, p=2.0)) == [128 + 32]  # input and output
    assert after_a_convolution(pools.LpPooling2D(2, p=math.inf)) == [128 + 8]  # input and offsets
    assert after_a_convolution(layers.Dropout(0.5)) == [32]
    assert after_a_convolution(layers.Dropout(0.0), layers.Dense(1)) == [0, 128]
    assert after_a_convolution(layers.SpatialDropout2D(0.5)) == [2]
    assert after_a_convolution(layers.GaussianDropout(0.5)) == [128]
    assert after_a_convolution(layers.GaussianNoise(0.5)) == [0]
    assert after_a_convolution(layers.BatchNormalization()) == [128]
    assert after_a_convolution(layers.BatchNormalization(trainable=False)) == [0]
    assert after_a_convolution(layers.LayerNormalization()) == [128 + 16 * 8]  # mean and deviation of each cell
    assert after_a_convolution(layers.GroupNormalization(2)) == [128 + 2 * 8]
    # the outputs of the activation are the input of the next layer, seen as a vector or not
    assert after_a_convolution(layers.ReLU(), layers.Flatten(), layers.Dense(3)) == [128, 0, 0]
    assert after_a_convolution(layers.Activation("gelu"), layers.Dense(3)) == [128, 128]
    assert after_a_convolution(layers.Activation("linear"), layers.Dense(3)) == [0, 128]
    assert after_a_convolution(layers.SeparableConv2D(3, 2, depth_multiplier=2)) == [128 + 3 * 3 * 4 * 4]
    assert after_a_convolution(layers.PReLU()) == [128]
    assert after_a_convolution(layers.Softmax()) == [128]


def test_merges_by_hand() -> None:
    def kept(merge: Any) -> int | None:
        def build(x: Any) -> Any:
            return merge([layers.Conv2D(2, 1)(x), layers.Conv2D(2, 1)(x)])

        return summarize(graph((4, 4, 2), build)).layers[-1].kept_bytes

    assert [kept(layers.Add()), kept(layers.Average()), kept(layers.Concatenate())] == [0, 0, 0]
    assert kept(layers.Multiply()) == 2 * 128
    assert kept(layers.Maximum()) == 32
    # only what a gradient is multiplied with: the constant factor, not the image
    gate = by_name(graph((4, 4, 2), lambda x: layers.Multiply(name="gate")([x, layers.Conv2D(2, 1, name="conv")(x)])))
    assert (gate["conv"].kept_bytes, gate["gate"].kept_bytes) == (128, 0)


def test_nothing_is_kept_where_no_gradient_passes() -> None:
    stack = (pools.MaxPooling2D(2, name="first"), layers.ReLU(name="relu"), layers.Dropout(0.5, name="dropout"))
    rows = by_name(sequential((8, 8, 1), *stack, layers.Conv2D(2, 3, name="conv")))
    assert [rows[name].kept_bytes for name in ("first", "relu", "dropout", "conv")] == [0, 0, 0, 4 * 4 * 4]
    model = sequential((8, 8, 1), layers.Conv2D(2, 3, activation="relu"), pools.MaxPooling2D(2), layers.Flatten())
    model.trainable = False
    assert (summarize(model).kept_bytes, summarize(model).trainable_parameters) == (0, 0)
    turned = summarize(sequential((8, 8, 1), keras.layers.RandomFlip(), layers.Conv2D(2, 3)))
    assert (turned.kept_bytes, turned.notes) == (256, ())


def test_every_selecting_operator_keeps_positions() -> None:
    for op in OPS.values():
        if op.selects:
            layer = getattr(pools, f"{op.name.capitalize()}Pooling2D")(2)
            assert after_a_convolution(layer) == [2 * 2 * 2]
