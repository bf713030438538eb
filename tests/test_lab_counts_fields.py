"""Every layer of the table in small models: what Keras counts and gives, and what really depends on what."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lab_counts_models import graph, layers, sequential, tutorial

import cenote.keras as pools  # isort: skip
import keras  # isort: skip
from cenote.lab.counts import summarize  # isort: skip
from cenote.lab.counts.graph import calls  # isort: skip
from cenote.lab.counts.summary import Ledger  # isort: skip

pytestmark = pytest.mark.keras
NOWHERE = 10**6


def branches(x: Any) -> Any:
    a = layers.Conv2D(2, 2, padding="same", activation="relu")(x)
    b = layers.ZeroPadding2D(((2, 0), (0, 1)))(layers.Cropping2D(((2, 0), (1, 0)))(x))
    return layers.Concatenate()([layers.Add()([a, b]), layers.Conv2D(3, (5, 1), padding="same")(x), x])


def residual(x: Any) -> Any:
    y = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(x)
    y = layers.Conv2D(2, 1)(layers.ReLU(max_value=6.0)(y))
    y = layers.AveragePooling2D(2)(layers.Average()([x, layers.Maximum()([x, y])]))
    return layers.Conv2D(3, 2, strides=2, groups=1, padding="same")(
        layers.Subtract()([layers.Multiply()([y, y]), layers.Dropout(0.5)(y)])
    )


def hourglass(x: Any) -> Any:
    y = layers.Conv2D(4, 3, strides=2, padding="same")(x)
    up = layers.Conv2DTranspose(2, 3, strides=2, padding="same")(y)
    y = layers.UpSampling2D((2, 3))(y)
    y = layers.Conv2D(2, 3, padding="same")(layers.Cropping2D(((0, 0), (0, 5)))(y))
    return layers.Conv2D(2, 3, groups=2, padding="same")(layers.Concatenate()([up, y]))


def axes(x: Any) -> Any:
    y = layers.Concatenate(axis=1, name="stack")([layers.Conv2D(2, 3, padding="same")(x), layers.Conv2D(2, (2, 1))(x)])
    y = layers.LayerNormalization(axis=(1, 3))(layers.Conv2D(2, 2)(y))
    return layers.Dot(axes=1)([layers.BatchNormalization(axis=1)(y), layers.Reshape((10, 8))(y)])


ZOO: dict[str, Callable[[], Any]] = {
    "tutorial": lambda: tutorial("linear"),  # a softmax of such numbers would not move
    "same": lambda: sequential(
        *((9, 10, 1), layers.Conv2D(2, 4, padding="same"), layers.MaxPooling2D(2, strides=2, padding="same")),
        *(layers.Conv2D(2, (3, 2), strides=(1, 2), padding="same"), layers.Flatten(), layers.Dense(3)),
    ),
    "dilated": lambda: sequential(
        *((13, 12, 2), layers.Conv2D(4, 3, dilation_rate=2), layers.Conv2D(4, 2, dilation_rate=(1, 3), groups=2)),
        *(pools.MaxPooling2D(2, strides=1, dilation=2, padding=((1, 0), 2)), layers.SeparableConv2D(3, 2, strides=2)),
    ),
    "small": lambda: sequential((4, 5, 1), *(layers.Conv2D(1, 3, padding="same") for _ in range(3))),
    "branches": lambda: graph((9, 8, 2), branches),
    "axes": lambda: graph((6, 5, 2), axes),
    "residual": lambda: graph((8, 9, 2), residual),
    "hourglass": lambda: graph((8, 9, 2), hourglass),
    "transposed": lambda: sequential(
        *((5, 4, 2), layers.Conv2DTranspose(2, (3, 2), strides=(2, 3)), layers.Conv2D(1, 3, strides=3)),
        *(layers.Conv2DTranspose(2, 4, strides=1, padding="same"), layers.Conv2DTranspose(1, 2, strides=3)),
    ),
    "steps": lambda: sequential(
        *((17, 2), layers.Conv1D(3, 3, padding="causal", dilation_rate=2), layers.Conv1D(2, 2, strides=2)),
        *(
            layers.ZeroPadding1D(1),
            layers.MaxPooling1D(3, strides=2),
            layers.UpSampling1D(2),
            layers.Cropping1D((1, 0)),
        ),
        *(layers.Conv1DTranspose(2, 2, strides=2, output_padding=1, padding="same"), layers.GlobalMaxPooling1D()),
    ),
    "volumes": lambda: sequential((5, 4, 6, 1), layers.Conv3D(2, 2), pools.AveragePooling3D((2, 1, 2), padding="same")),
    "ours": lambda: sequential(
        *((12, 12, 2), pools.MinPooling2D(3, strides=2, ceil_mode=True), pools.LpPooling2D(2, strides=1, p=2.0)),
        *(pools.SumPooling2D((2, 1), padding=((0, 1), 1)), pools.AdaptiveMaxPooling2D((2, 3))),
    ),
    "adaptive": lambda: sequential((7, 9, 1), pools.AdaptiveAveragePooling2D((3, 12)), layers.AveragePooling2D(2)),
    "bilinear": lambda: sequential(
        (5, 4, 1), layers.UpSampling2D((2, 3), interpolation="bilinear"), layers.Conv2D(1, 2)
    ),
    "normalized": lambda: sequential(
        *((6, 7, 4), layers.Conv2D(4, 2), layers.BatchNormalization(), layers.LayerNormalization()),
        *(layers.GroupNormalization(2), layers.GlobalAveragePooling2D(), layers.Dense(3), layers.Softmax()),
    ),
    "moved": lambda: sequential(
        *((6, 8), layers.Reshape((6, 8, 1)), layers.Conv2D(2, (1, 3), padding="same"), layers.Permute((2, 3, 1))),
        *(layers.LeakyReLU(), layers.Conv2D(1, (3, 1), padding="same"), layers.PReLU(), layers.Reshape((-1,))),
    ),
    "first": lambda: sequential(
        *((2, 7, 6), layers.Conv2D(4, 3, data_format="channels_first", groups=2)),
        *(pools.MaxPooling2D(2, data_format="channels_first"), layers.Flatten(data_format="channels_first")),
    ),
}


def outputs(model: Any, x: np.ndarray) -> dict[str, np.ndarray]:
    """What every layer of a model gives."""
    found = {layer.name: layer.output for layer in model.layers}
    named = {summarize(model).layers[0].name: model.inputs[0], **found}  # a Sequential does not list its input
    values = keras.Model(model.inputs[0], list(named.values())).predict_on_batch(x)
    return {name: np.asarray(value) for name, value in zip(named, values, strict=True)}


class Animal:
    """A model of the zoo: its summary, and the outputs of its layers for an image and for the same image changed.

    All weights are positive, so that nothing cancels. Each cell is made by far the largest, and then the smallest, so
    that no maximum or minimum hides it. The image itself is the first of the batch.
    """

    def __init__(self, name: str) -> None:
        self.model = ZOO[name]()
        self.summary = summarize(self.model)
        rng = np.random.default_rng(7)
        for weight in self.model.weights:
            weight.assign(rng.uniform(0.5, 1.0, weight.shape))
        shape = tuple(self.model.inputs[0].shape[1:])
        plane = {"first": (1, 2), "moved": (0, 1)}.get(name, tuple(range(len(shape) - 1)))
        self.cells = np.array(list(itertools.product(*(range(shape[axis]) for axis in plane))))
        batch = np.repeat(rng.uniform(0.5, 1.0, shape).astype(np.float32)[None], 2 * len(self.cells) + 1, 0)
        for i, cell in enumerate(self.cells):
            at: list[Any] = [slice(None)] * len(shape)
            for axis, position in zip(plane, cell, strict=True):
                at[axis] = position
            batch[2 * i + 1, *at] += 100
            batch[2 * i + 2, *at] -= 100
        self.outputs = outputs(self.model, batch)

    def seen(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """For every axis and every cell of a layer's output the first and the last input cell that changes it."""
        values = self.outputs[name].reshape(2 * len(self.cells) + 1, -1)
        # a sum may round in another order elsewhere in the batch: real changes are larger by far
        moved = ~np.isclose(values[1:], values[:1], rtol=1e-4, atol=1e-6)
        changed = moved.reshape(len(self.cells), 2, 1, -1).any(1)
        at = self.cells[:, :, None]
        return np.where(changed, at, NOWHERE).min(0), np.where(changed, at, -1).max(0)


@pytest.fixture(scope="module", params=ZOO)
def animal(request: pytest.FixtureRequest) -> Animal:
    return Animal(request.param)


def test_parameters_are_those_of_keras(animal: Animal) -> None:
    summary = animal.summary
    assert summary.parameters == animal.model.count_params()
    assert summary.trainable_parameters == sum(math.prod(w.shape) for w in animal.model.trainable_weights)
    assert not summary.notes


def test_every_cell_sees_what_it_really_depends_on(animal: Animal) -> None:
    ledger = Ledger(calls(animal.model))
    for call, facts in zip(ledger.calls, ledger.facts, strict=True):
        for axis, (first, last) in enumerate(zip(*animal.seen(call.name), strict=True)):
            sight, shape = facts.view.sights[axis], call.results[0].shape
            np.testing.assert_array_equal(np.broadcast_to(sight.last, shape).ravel(), last, call.name)
            found = np.broadcast_to(sight.first, shape).ravel()
            np.testing.assert_array_equal(np.minimum(found, NOWHERE), first, call.name)
            if sight.axis is not None and sight.jump is not None:
                # a field that is cut off begins elsewhere
                inside = (first > 0) & (last < animal.cells[-1, axis]) & (last - first + 1 == sight.field)
                begins, whole = (np.moveaxis(cells.reshape(shape), sight.axis, 0) for cells in (first, inside))
                assert (np.diff(begins, axis=0)[whole[1:] & whole[:-1]] == sight.jump).all(), call.name


def test_receptive_fields_are_what_really_depends(animal: Animal) -> None:
    for layer in animal.summary.layers:
        first, last = animal.seen(layer.name)
        assert layer.receptive == tuple(np.where(last < 0, 0, last - first + 1).max(1)), layer.name


def test_shapes_and_activation_bytes_are_measured(animal: Animal) -> None:
    one = {name: value[:1] for name, value in animal.outputs.items()}
    found = animal.summary.layers
    assert {layer.name: layer.output_shape for layer in found} == {name: value.shape[1:] for name, value in one.items()}
    assert {layer.name: layer.activation_bytes for layer in found} == {name: v.nbytes for name, v in one.items()}
    assert animal.summary.activation_bytes == sum(value.nbytes for value in one.values())
    for layer in found:
        for written in layer.arithmetic:  # it ends with a length of the output
            assert int(written.rpartition("= ")[2]) in (*(layer.output_shape or ()), *(1,) * ("in 1 part" in written))
