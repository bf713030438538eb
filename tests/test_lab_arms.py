"""Arms by name, and what they make of a network."""

from __future__ import annotations

import importlib.util

import pytest

if importlib.util.find_spec("keras") is None:
    pytest.skip("Keras is not installed: the lab builds no networks", allow_module_level=True)

from cenote.catalogue import OPS
from cenote.errors import CenoteError
from cenote.lab import arms, models, surgery
from cenote.lab.backend import load

keras = load()
pytestmark = pytest.mark.keras
SHAPES = {
    "none": [(26, 26), (24, 24)],
    "max-2/2": [(26, 26), (13, 13), (11, 11), (5, 5)],
    "max-3/2": [(26, 26), (12, 12), (10, 10), (4, 4)],
    "max-2/2-same": [(26, 26), (13, 13), (11, 11), (6, 6)],
    "max-3/1": [(26, 26), (24, 24), (22, 22), (20, 20)],
    "max-3/3": [(26, 26), (8, 8), (6, 6), (2, 2)],
    "strided": [(26, 26), (13, 13), (11, 11), (6, 6)],
    "max+conv": [(26, 26), (26, 26), (13, 13), (11, 11), (11, 11), (5, 5)],
    "global-avg": [(26, 26), (13, 13), (11, 11), (5, 5), (5, 5)],
    "dense": [],
}


def built(name: str, model: str = "digits", shape: tuple[int, ...] = (28, 28, 1), classes: int = 10):
    return surgery.apply(arms.parse(name), models.built(models.find(model), shape, classes))


@pytest.mark.parametrize("name", arms.ALL)
def test_every_arm_of_the_full_set_is_built_and_classifies(name):
    network = built(name)
    assert network.output_shape == (None, 10)
    assert network.layers[-1].activation is keras.activations.softmax


@pytest.mark.parametrize("name", SHAPES)
def test_shapes(name):
    maps = [layer.output.shape[1:3] for layer in built(name).layers[1:] if len(layer.output.shape) == 4]
    assert maps == SHAPES[name]


@pytest.mark.parametrize("op", [name for name in OPS if name != "lp"])
def test_every_operator_is_an_arm(op):
    network = built(f"{op}-2/2")
    pools = [layer for layer in network.layers if surgery.pools(layer)]
    assert [pool.kind.op.name for pool in pools] == [op, op]


def test_norms_have_their_exponent():
    (first, _) = [layer for layer in built("l3-2/2").layers if surgery.pools(layer)]
    assert first.p == 3


def test_control_and_strided_have_the_same_extra_weights():
    plain, strided, control = (built(name) for name in ("max-2/2", "strided", "max+conv"))

    def convolutions(network):
        return sum(layer.count_params() for layer in network.layers if isinstance(layer, keras.layers.Conv2D))

    extra = 32 * (9 * 32 + 1) + 64 * (9 * 64 + 1)
    assert convolutions(strided) == convolutions(control) == convolutions(plain) + extra


def test_a_global_head_has_no_dense_layer_and_one_map_a_class():
    network = built("global-max")
    assert not [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
    assert network.get_layer("class_maps").output.shape[1:] == (5, 5, 10)
    assert network.get_layer("class_maps").count_params() == 64 * 10 + 10


def test_dense_is_the_dense_network():
    assert built("dense").count_params() == models.ann().count_params() == 28 * 28 * 64 + 64 + 64 * 10 + 10


def test_weights_are_fresh():
    base = models.digits()
    made = surgery.apply(arms.parse("max-2/2"), base)
    kernels = [network.layers[-1].kernel for network in (base, made)]
    assert (keras.ops.convert_to_numpy(kernels[0]) != keras.ops.convert_to_numpy(kernels[1])).any()
    assert surgery.apply(arms.parse("own"), base).count_params() == base.count_params()


@pytest.mark.parametrize(
    "model, name, said",
    [
        ("ann", "max-2/2", "no pooling layer"),
        ("digits", "max-27/1", "cannot be built"),
        ("headless", "global-avg", "no Flatten"),
        ("headless", "dense", "no Flatten"),
        ("two inputs", "none", "2 inputs"),
        ("subclass", "none", "no graph of layers"),
        ("odd head", "global-avg", "LayerNormalization stands behind Flatten"),
    ],
)
def test_what_cannot_be_built_says_why(model, name, said):
    layers = keras.layers
    x = keras.Input((28, 28, 1))

    class Own(keras.Model):
        def call(self, x):
            return x

    nets = {
        "headless": lambda: keras.Model(x, layers.GlobalAveragePooling2D()(layers.MaxPooling2D()(x))),
        "two inputs": lambda: keras.Model([x, y := keras.Input((28, 28, 1))], layers.Flatten()(layers.Add()([x, y]))),
        "subclass": Own,
        "odd head": lambda: keras.Model(
            x, layers.Dense(10)(layers.LayerNormalization()(layers.Flatten()(layers.MaxPooling2D()(x))))
        ),
    }
    base = nets[model]() if model in nets else models.built(models.find(model), (28, 28, 1), 10)
    with pytest.raises(surgery.Unsuitable, match=said):
        surgery.apply(arms.parse(name), base)


@pytest.mark.parametrize(
    "name", ["", "mx-2/2", "max", "max-2", "max-0/1", "max-2/0", "l-2/2", "lp-2/2", "max-2/2-sam", "l1.2.3-2/2"]
)
def test_no_such_arm(name):
    with pytest.raises(CenoteError, match="no arm"):
        arms.parse(name)


@pytest.mark.parametrize("wrong", [7, [1], [["none"]], None])
def test_arms_are_names(wrong):
    with pytest.raises(CenoteError, match="arms is"):
        arms.parse_all(wrong)


def test_lists():
    assert [arm.name for arm in arms.parse_all("all")] == list(arms.ALL)
    assert [arm.name for arm in arms.parse_all(" none , avg-3/2 ")] == ["none", "avg-3/2"]
    for bad in ("", ",", "none,none", "demo,none"):
        with pytest.raises(CenoteError, match="no arms|twice"):
            arms.parse_all(bad)


def test_an_activation_between_dense_layers_goes_with_them_and_one_behind_the_last_stays():
    layers = keras.layers
    x = keras.Input((12, 12, 1))
    flat = layers.Flatten()(layers.MaxPooling2D()(layers.Conv2D(4, 3)(x)))
    said = layers.Softmax()(layers.Dense(3)(layers.Activation("relu")(layers.Dense(8)(flat))))
    made = surgery.apply(arms.parse("global-avg"), keras.Model(x, said))
    behind = made.layers[made.layers.index(made.get_layer("class_maps")) :]
    assert not [layer for layer in behind if getattr(layer, "activation", None) is keras.activations.relu]
    assert isinstance(made.layers[-1], layers.Softmax)


@pytest.mark.parametrize("name", ["none", "avg-2/2", "strided", "global-max"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_pooling_that_cannot_be_reached_is_no_arm(name, wrapped):
    """Else ``none`` would pool, and its numbers would stand in the report as those of a network without pooling."""
    layers = keras.layers
    inner = keras.Sequential([keras.Input((12, 12, 1)), layers.Conv2D(4, 3), layers.MaxPooling2D()])
    parts = [inner, layers.Conv2D(4, 3)]
    if wrapped:
        parts = [
            layers.Reshape((1, 12, 12, 1)),
            layers.TimeDistributed(layers.MaxPooling2D()),
            layers.Reshape((6, 6, 1)),
        ]
    net = keras.Sequential([keras.Input((12, 12, 1)), *parts, layers.MaxPooling2D(), layers.Flatten(), layers.Dense(3)])
    with pytest.raises(surgery.Unsuitable, match="cannot be exchanged"):
        surgery.apply(arms.parse(name), net)
    assert surgery.apply(arms.parse("own"), net).output_shape == (None, 3)


def test_an_arm_that_would_change_the_number_of_classes_is_none():
    layers = keras.layers
    net = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Conv2D(3, 1), layers.MaxPooling2D(8), layers.Flatten(), layers.Softmax()]
    )
    with pytest.raises(surgery.Unsuitable, match=r"none cannot be built: an image would give \(192,\), not \(3,\)"):
        surgery.apply(arms.parse("none"), net)
    assert surgery.apply(arms.parse("avg-8/8"), net).output_shape == (None, 3)


def test_a_network_of_the_user_s_with_channels_first_and_branches():
    layers = keras.layers
    x = keras.Input((3, 20, 20))
    pool = layers.AveragePooling2D(2, data_format="channels_first")  # shared by two branches
    left = pool(layers.Conv2D(4, 3, padding="same", data_format="channels_first")(x))
    right = pool(layers.Conv2D(4, 1, data_format="channels_first")(x))
    flat = layers.Flatten(data_format="channels_first")(layers.Concatenate(axis=1)([left, right]))
    net = keras.Model(x, layers.Dense(2)(layers.Dropout(0.5)(flat)))
    strided = surgery.apply(arms.parse("strided"), net)
    extra = [layer for layer in strided.layers if isinstance(layer, keras.layers.Conv2D) and layer.strides == (2, 2)]
    assert [conv.output.shape for conv in extra] == [(None, 4, 10, 10)] * 2
    assert surgery.apply(arms.parse("global-max"), net).output_shape == (None, 2)
    assert surgery.apply(arms.parse("dense"), net).count_params() == 1200 * 2 + 2
