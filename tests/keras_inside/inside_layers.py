"""What makes a class a Keras layer: names, arguments, configuration, copies, shapes before there is data."""

from __future__ import annotations

import copy
import doctest
import inspect
import itertools
import json
import pickle
from typing import Any

import keras
import numpy as np
import pytest
from bridge import BACKEND, array, same_bits, tensor

import cenote
import cenote.keras
from cenote.catalogue import OPS
from cenote.keras.kinds import Kind, kinds
from cenote.keras.theirs import class_of, classes

GIVEN: dict[str, dict[str, Any]] = {
    "sliding": {"pool_size": 3, "strides": 2, "padding": "same"},
    "adaptive": {"output_size": 2},
    "global": {"keepdims": True},
}


def named(kind: Kind) -> Any:
    return getattr(cenote.keras, kind.name)


def sample(kind: Kind) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((2, *(7, 6, 5)[: kind.rank], 3)).astype("float32")


def test_there_is_a_layer_for_every_row_form_and_rank() -> None:
    assert len(kinds()) == len(OPS) * 9
    assert {kind.name for kind in kinds()} <= set(cenote.keras.__all__)
    for name in cenote.keras.__all__:
        assert hasattr(cenote.keras, name)


def test_every_pooling_layer_of_keras_is_there_under_every_name_it_has() -> None:
    """The list is Keras's own, so that a new one is noticed."""
    theirs = {name: cls for name, cls in vars(keras.layers).items() if "Pool" in name}
    assert set(theirs) <= set(cenote.keras.__all__)
    for name, cls in theirs.items():
        assert getattr(cenote.keras, name).__name__ == cls.__name__
        assert classes()[cls].name == cls.__name__


@pytest.mark.parametrize("kind", [k for k in kinds() if class_of(k)], ids=lambda k: k.name)
def test_arguments_are_keras_s_in_name_order_and_default(kind: Kind) -> None:
    theirs = list(inspect.signature(class_of(kind)).parameters.values())[:-1]
    ours = list(inspect.signature(named(kind)).parameters.values())[:-1]
    assert [(p.name, p.default, p.kind) for p in ours[: len(theirs)]] == [(p.name, p.default, p.kind) for p in theirs]
    assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in ours[len(theirs) :])


@pytest.mark.parametrize("kind", kinds(), ids=lambda k: k.name)
def test_a_real_class(kind: Kind) -> None:
    cls = named(kind)
    assert (cls.__module__, cls.__qualname__) == ("cenote.keras", kind.name)
    assert issubclass(cls, keras.layers.Layer)
    assert keras.saving.get_registered_name(cls) == f"cenote>{kind.name}"
    assert cls.__doc__.startswith(kind.op.summary)
    for parameter in list(inspect.signature(cls).parameters)[:-1]:
        assert f"    {parameter}: " in cls.__doc__
    layer = cls(**GIVEN[kind.form])
    assert layer.built
    assert not layer.weights
    theirs = class_of(kind)
    assert layer.supports_masking == (theirs is not None and theirs(**GIVEN[kind.form]).supports_masking)
    assert not hasattr(cenote.keras, kind.alias or "") or getattr(cenote.keras, kind.alias) is cls


@pytest.mark.parametrize("kind", kinds(), ids=lambda k: k.name)
def test_copies(kind: Kind) -> None:
    """Configuration, JSON, pickle and deepcopy give a layer that says the same of itself and does the same."""
    layer = named(kind)(**GIVEN[kind.form], name="here", trainable=False, dtype="float32")
    config = layer.get_config()
    x = tensor(sample(kind))
    want = array(layer(x))
    through = json.loads(json.dumps(config, default=dict))
    serialized = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    for twin in (
        type(layer).from_config(config),
        type(layer).from_config(through),
        keras.saving.deserialize_keras_object(serialized),
        pickle.loads(pickle.dumps(layer)),
        copy.deepcopy(layer),
    ):
        assert type(twin) is type(layer)
        assert twin is not layer
        assert json.dumps(twin.get_config()) == json.dumps(config)
        assert same_bits(array(twin(x)), want)


def test_every_argument_makes_the_round_trip() -> None:
    words = {
        "pool_size": (3, 2),
        "strides": (2, 1),
        "padding": ((0, 1), (1, 1)),
        "data_format": "channels_first",
        "dilation": (2, 1),
        "ceil_mode": True,
        "divisor": 7,
    }
    layer = cenote.keras.AveragePooling2D(**words)
    config = json.loads(json.dumps(layer.get_config()))
    twin = cenote.keras.AveragePooling2D.from_config(config)
    for name, value in words.items():
        assert getattr(layer, name) == getattr(twin, name) == value
    assert cenote.keras.LpPooling1D.from_config(cenote.keras.LpPooling1D(2, p=3.5).get_config()).p == 3.5


def test_a_subclass_is_an_ordinary_layer() -> None:
    @keras.saving.register_keras_serializable("tests")
    class Scaled(cenote.keras.MaxPooling2D):
        def __init__(self, pool_size: Any, scale: float = 1.0, **kwargs: Any) -> None:
            super().__init__(pool_size, **kwargs)
            self.scale = scale

        def call(self, inputs: Any) -> Any:
            return super().call(inputs) * self.scale

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "scale": self.scale}

    layer = Scaled(2, scale=3.0, strides=1)
    assert layer.built
    twin = Scaled.from_config(layer.get_config())
    assert array(twin(keras.ops.ones((1, 3, 3, 1)))).ravel().tolist() == [3] * 4

    class Weighted(cenote.keras.GlobalAveragePooling1D):
        def build(self, shape: Any) -> None:
            self.gain = self.add_weight(shape=(shape[-1],), initializer="ones")

        def call(self, inputs: Any, mask: Any = None) -> Any:
            return super().call(inputs, mask) * self.gain

    layer = Weighted()
    assert not layer.built
    assert array(layer(keras.ops.ones((2, 3, 4)))).tolist() == [[1] * 4] * 2
    assert len(layer.weights) == 1


def test_the_data_format_left_out_is_keras_s() -> None:
    before = keras.config.image_data_format()
    try:
        keras.config.set_image_data_format("channels_first")
        layer = cenote.keras.MaxPooling2D(2)
        assert layer.data_format == "channels_first"
        assert layer.compute_output_shape((None, 3, 8, 6)) == (None, 3, 4, 3)
    finally:
        keras.config.set_image_data_format(before)
    assert layer.data_format == "channels_first"
    assert cenote.keras.MaxPooling2D(2, data_format="CHANNELS_LAST").data_format == "channels_last"


def test_lengths_that_are_not_known() -> None:
    inputs = keras.Input((None, None, 3))
    h = cenote.keras.MaxPooling2D(3, 2, padding="same")(inputs)
    assert h.shape == (None, None, None, 3)
    h = cenote.keras.LpPooling2D(2, dilation=2, padding=1)(h)
    h = cenote.keras.AdaptiveMaxPooling2D((3, 2))(h)
    assert h.shape == (None, 3, 2, 3)
    model = keras.Model(inputs, cenote.keras.GlobalAveragePooling2D()(h))
    assert model.output_shape == (None, 3)
    for n in (7, 8, 12):
        x = np.random.default_rng(n).standard_normal((2, n, n + 1, 3)).astype("float32")
        h = cenote.max_pool(x, 3, stride=2, padding="same", axes="NHWC")
        h = cenote.lp_pool(h, 2, dilation=2, padding=1, axes="NHWC")
        want = cenote.global_avg_pool(cenote.adaptive_max_pool(h, (3, 2), axes="NHWC"), axes="NHWC")
        np.testing.assert_allclose(model.predict(x, verbose=0), want, rtol=1e-6)


def masked(shape: tuple[int, ...], mask: tuple[int, ...]) -> Any:
    return cenote.keras.GlobalAveragePooling1D()(keras.ops.ones(shape), mask=keras.ops.ones(mask, "bool"))


def test_an_argument_that_is_set_later_counts() -> None:
    """As in Keras's own layers, which look at their attributes at every call."""
    x = tensor(np.random.default_rng(2).standard_normal((1, 7, 7, 2)).astype("float32"))
    for change in ({"strides": (1, 1)}, {"pool_size": (3, 2)}, {"padding": "same"}, {"data_format": "channels_first"}):
        layers = [where.MaxPooling2D(2) for where in (cenote.keras, keras.layers)]
        for layer, (name, value) in itertools.product(layers, change.items()):
            setattr(layer, name, value)
        ours, theirs = (array(layer(x)) for layer in layers)
        assert same_bits(ours, theirs)
        assert layers[0].get_config()[next(iter(change))] == next(iter(change.values()))
    layer = cenote.keras.MaxPooling2D(2)
    layer.dilation = 2
    assert layer(x).shape == (1, 3, 3, 2)
    with pytest.raises(ValueError, match="MaxPooling2D: strides is at least 1, got 0"):
        layer.strides = 0
    assert (layer.dilation, layer.strides) == ((2, 2), (2, 2))


def test_padding_in_an_array() -> None:
    assert cenote.keras.MaxPooling2D(3, padding=np.array([[0, 1], [1, 0]])).padding == ((0, 1), (1, 0))


def test_messages() -> None:
    for make, text in (
        (lambda: cenote.keras.MaxPooling2D(0), "MaxPooling2D: pool_size is at least 1, got 0; pass an int >= 1"),
        (lambda: cenote.keras.AveragePooling2D(), "AveragePooling2D() missing a required argument: 'pool_size'"),
        (lambda: cenote.keras.MaxPooling2D(2, padding="full"), "MaxPooling2D: padding 'full' is no padding word"),
        (lambda: cenote.keras.MaxPooling2D(2, padding="same", ceil_mode=True), "padding 'same' fixes the rounding"),
        (lambda: cenote.keras.AveragePooling2D(2, divisor="all"), "AveragePooling2D: divisor 'all' is no divisor rule"),
        (lambda: cenote.keras.LpPooling2D(2, p=0), "LpPooling2D: p is greater than 0, got 0"),
        (lambda: cenote.keras.GlobalMaxPooling1D(keepdims=1), "GlobalMaxPooling1D: keepdims is True or False, got 1"),
        (lambda: cenote.keras.AdaptiveMaxPooling2D((2, None)), "AdaptiveMaxPooling2D: output_size is whole numbers"),
        (lambda: cenote.keras.MaxPooling2D(2)(keras.ops.ones((1, 4, 3))), "expected ndim=4, found ndim=3"),
        (lambda: cenote.keras.MaxPooling2D(5)(keras.ops.ones((1, 4, 4, 3))), "output length of axis 1 would be 0"),
        (
            lambda: cenote.keras.explain(keras.layers.MaxPooling2D(2), (1, 4, 4, 3)),
            "explain: layer is a pooling layer of",
        ),
        (lambda: cenote.keras.explain(cenote.keras.MaxPooling2D(2), None), "explain: x is a tensor, an array or a"),
        (
            lambda: cenote.keras.explain(cenote.keras.MaxPooling2D(2), (1, 2)),
            "MaxPooling2D: the input has shape (1, 2)",
        ),
        (lambda: cenote.keras.explain(cenote.keras.MaxPooling2D(2), (1, "4", 4, 3)), "explain: a length of the shape"),
        (
            lambda: masked((2, 5, 4), (2, 1)),
            "GlobalAveragePooling1D: the mask has shape (2, 1) for input of shape (2, 5",
        ),
        (lambda: masked((2, 5, 4), (5,)), "pass one bool for every step of every sequence: (batch, steps)"),
        (lambda: cenote.keras.convert("model"), "convert: model is a Keras model or layer, got 'model'"),
    ):
        with pytest.raises((ValueError, TypeError)) as error:
            make()
        assert text in str(error.value)


def test_explain() -> None:
    layer = cenote.keras.MaxPooling2D(3, dilation=2, name="pool")
    answer = cenote.keras.explain(layer, (None, 28, 28, 8))
    assert answer.backend == BACKEND
    assert answer.provider == "native"
    assert (answer.window, answer.output) == ("3x3@2x2", "(None, 8, 8, 8) float32")
    assert answer.as_dict()["layer"] == "MaxPooling2D pool"
    assert "provider" in str(answer)
    answer = cenote.keras.explain(cenote.keras.MaxPooling2D(2), np.zeros((1, 4, 4, 1), "float32"))
    assert answer.provider == ("tensorflow" if BACKEND == "tensorflow" else "native")
    assert answer.compiles
    assert cenote.keras.explain(cenote.keras.GlobalSumPooling1D(), keras.Input((5, 2))).output == "(None, 2) float32"
    assert cenote.keras.explain(cenote.keras.LpPooling1D(2), (None, None, 2)).provider == "native"


@pytest.mark.parametrize("kind", kinds(), ids=lambda k: k.name)
def test_examples_of_the_docstrings(kind: Kind) -> None:
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner()
    found = [test for test in finder.find(named(kind), kind.name, globs={}) if test.examples]
    assert found
    assert runner.run(found[0]).failed == 0
