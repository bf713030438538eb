"""The pooling of models of Keras: maps against passes made layer by layer, models left as they were, every backend."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import numpy as np
import pytest

import explorer_models
from cenote.errors import CenoteError
from cenote.explorer.models import maps
from explorer_models import channel, unpacked, weights
from fresh import python

pytestmark = pytest.mark.keras


def by_hand(values: np.ndarray, size: int = 2) -> np.ndarray:
    """C x windows x cells of windows that do not overlap."""
    c, rows, columns = values.shape
    cut = values[:, : rows // size * size, : columns // size * size]
    blocks = cut.reshape(c, rows // size, size, columns // size, size).transpose(0, 1, 3, 2, 4)
    return blocks.reshape(c, rows // size, columns // size, size * size)


@pytest.fixture(scope="module")
def keras() -> Any:
    return explorer_models.keras()


def digits(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu", kernel_initializer=weights),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu", kernel_initializer=weights),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(10, kernel_initializer=weights),
        ],
        name="digits",
    )


def test_keras_maps_are_those_of_the_layers(keras: Any) -> None:
    net = digits(keras)
    x = np.random.default_rng(1).random((28, 28, 1))
    found = maps(net, x, channels=64)
    y = keras.ops.convert_to_tensor(x[None].astype(np.float32))
    pools = iter(found.layers)
    for layer in net.layers[:4]:
        before, y = np.asarray(y)[0], layer(y)
        if isinstance(layer, keras.layers.MaxPooling2D):
            seen = next(pools)
            assert seen.name == layer.name
            for one in seen.channels:
                wanted = by_hand(np.moveaxis(before, -1, 0))[one.channel].max(-1)
                assert np.array_equal(one.before, before[..., one.channel])
                assert np.array_equal(one.after, wanted)  # a maximum is one of its cells
    assert [layer.receptive for layer in found.layers] == [(4, 4), (10, 10)]
    assert [layer.jump for layer in found.layers] == [(2, 2), (4, 4)]
    assert found.layers[1].receives == pytest.approx(25 / 121)
    packed = maps(net, x).packed()
    assert len(json.dumps(packed, allow_nan=False)) < 120_000
    first = packed["layers"][0]["channels"][0]
    assert np.array_equal(unpacked(first["before"]), channel(found.layers[0], first["channel"]).before)
    assert not [layer for layer in net._flatten_layers() if "call" in vars(layer)]


def test_keras_shared_nested_subclassed_and_ours(keras: Any) -> None:
    import cenote.keras as ours

    layers = keras.layers
    shared = layers.AveragePooling2D(3, 2, padding="same", name="shared")
    inner = keras.Sequential([keras.Input((8, 8, 4)), ours.LpPooling2D(2, p=3, name="inner")])
    given = keras.Input((32, 32, 2))
    y = shared(layers.Conv2D(4, 3, padding="same", kernel_initializer=weights)(given))
    y = layers.Add()([shared(y), layers.MaxPooling2D(3, 2, padding="same", name="beside")(y)])
    y = ours.AdaptiveMaxPooling2D(3, name="bins")(inner(y))
    net = keras.Model(given, layers.GlobalAveragePooling2D(name="all")(y))
    x = np.random.default_rng(2).random((32, 32, 2), np.float32)
    found = {layer.title: layer for layer in maps(net, x).layers}
    assert set(found) == {"shared (call 1 of 2)", "shared (call 2 of 2)", "beside", "inner", "bins", "all"}
    assert found["beside"].receptive == found["shared (call 2 of 2)"].receptive == (9, 9)
    assert found["inner"].receptive == (13, 13)
    assert found["all"].after == (1, 1)
    assert found["all"].output_shape == (4,)
    assert found["bins"].jump == (8, 8)
    assert all((layer.reason, layer.notes) == ("", ()) for layer in found.values())

    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.parts = [layers.Conv2D(3, 3, kernel_initializer=weights), layers.ReLU(), layers.MaxPooling2D(2)]
            self.special = Special(2)

        def call(self, x: Any) -> Any:
            for part in self.parts:
                x = part(x)
            return self.special(x)

    class Special(layers.MaxPooling2D):
        def call(self, x: Any) -> Any:
            return -super().call(x)

    pool, special = maps(Own(), x).layers
    assert (pool.op, pool.receptive) == ("max", (4, 4))
    assert "subclass of MaxPooling2D" in special.reason
    assert special.channels[0].after is not None


def test_keras_padding_layers_and_functions(keras: Any) -> None:
    layers = keras.layers
    given = keras.Input((16, 16, 1))
    y = layers.Conv2D(2, 3, strides=2, kernel_initializer=weights)(layers.ZeroPadding2D(((0, 1), (2, 3)))(given))
    y = layers.AveragePooling2D(2)(layers.Dense(3, kernel_initializer=weights)(layers.BatchNormalization()(y)))
    y = layers.MaxPooling2D(2)(keras.ops.max_pool(y, 2, 2))
    pool, function, last = maps(keras.Model(given, y), np.random.default_rng(5).random((16, 16, 1))).layers
    assert pool.receptive == (5, 5)
    assert pool.jump == (4, 4)
    assert function.kind == "keras.ops.MaxPool"
    assert "no pooling layer that the contract knows" in function.reason
    assert function.channels[0].after is not None
    assert (last.reason, last.receptive) == ("", None)
    assert "MaxPool is no pooling layer" in last.field_reason


def test_a_keras_model_is_left_as_it_was_after_an_error(keras: Any) -> None:
    layers = keras.layers

    class Fails(layers.Layer):
        def call(self, x: Any) -> Any:
            raise RuntimeError("no further")

    net = keras.Sequential([layers.MaxPooling2D(2), layers.Dropout(0.5), Fails()])
    net.built = True
    with pytest.raises(CenoteError, match=r"was fed a .* of shape \(1, 8, 8, 1\) .*no further"):
        maps(net, np.ones((8, 8, 1)))
    assert not [layer for layer in net._flatten_layers() if "call" in vars(layer)]
    model = digits(keras)
    with pytest.raises(CenoteError, match=r"wants 3 dimensions"):
        maps(model, np.ones((28, 28)))
    with pytest.raises(CenoteError, match=r"of shape \(1, 20, 28, 1\)"):
        maps(model, np.ones((20, 28, 1)))
    with pytest.raises(CenoteError, match="no pooling ran in Sequential; looked for: pooling layers of keras.layers"):
        maps(
            keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(1, 2, kernel_initializer=weights)]),
            np.ones((4, 4, 1)),
        )
    ends = [keras.Input((4, 4, 1)), keras.Input((4, 4, 1))]
    with pytest.raises(CenoteError, match="the model has 2 inputs"):
        maps(keras.Model(ends, layers.MaxPooling2D(2)(layers.Add()(ends))), np.ones((4, 4, 1)))


BACKEND = """
import numpy as np, keras
import cenote.keras as ours
from cenote.explorer.models import maps
layers = keras.layers
net = keras.Sequential([keras.Input((12, 12, 1)), layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(2),
                        layers.Conv2D(4, 2), ours.AvgPool2D(2, 1), layers.GlobalMaxPooling2D()])
x = np.random.default_rng(0).random((2, 12, 12, 1))
found = maps(net, x)
for layer in found.layers:
    assert (layer.reason, layer.notes, layer.field_reason) == ("", (), ""), (layer, layer.reason, layer.notes)
assert not [layer for layer in net._flatten_layers() if "call" in vars(layer)]
print(found.framework, [layer.receptive for layer in found.layers], found.notes)
"""


@pytest.mark.sweep
@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_other_backends(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for needed in ("keras", backend):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed")
    monkeypatch.setenv("KERAS_BACKEND", backend)
    said = python(BACKEND)
    assert said.splitlines()[-1] == ("Keras [(4, 4), (8, 8), (12, 12)] ('2 images were given; the first is shown',)")
