"""Models with pooling layers: built in every way, trained, saved, loaded, converted and restored."""

from __future__ import annotations

import gzip
import os
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from bridge import BACKEND, array

import cenote.keras
import mnist_here
from fresh import python

layers = keras.layers


def digits() -> tuple[np.ndarray, np.ndarray]:
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed: no digits to learn")
    found = datasets.load_digits()
    return (found.images[..., None] / 16).astype("float32"), found.target


def functional(where: Any) -> keras.Model:
    """A shared pooling layer, a nested model, and one wrapped."""
    keras.utils.set_random_seed(7)
    shared = where.MaxPooling2D(2, name="shared")
    inner = keras.Sequential(
        [keras.Input((4, 4, 6)), layers.Conv2D(6, 3, padding="same"), where.AveragePooling2D(2, name="inner_pool")],
        name="inner",
    )
    inputs = keras.Input((8, 8, 1))
    left = shared(layers.Conv2D(6, 3, padding="same", activation="relu")(inputs))
    right = shared(layers.Conv2D(6, 3, padding="same", activation="relu")(inputs))
    h = layers.Add()([inner(left), inner(right)])
    h = layers.TimeDistributed(where.MaxPooling1D(2, 1, "same", name="wrapped"), name="steps")(h)
    outputs = layers.Dense(10)(where.GlobalAveragePooling2D(name="whole")(h))
    return keras.Model(inputs, outputs)


def sequential(where: Any) -> keras.Model:
    keras.utils.set_random_seed(7)
    parts = [
        layers.Conv2D(8, 3, padding="same", activation="relu"),
        where.MaxPooling2D(2),
        layers.Conv2D(8, 3, padding="same"),
    ]
    return keras.Sequential([keras.Input((8, 8, 1)), *parts, where.MaxPooling2D(2), layers.Flatten(), layers.Dense(10)])


class Net(keras.Model):
    """A subclassed model that keeps a layer in an attribute, one in a list and one in a dictionary."""

    def __init__(self, where: Any) -> None:
        super().__init__()
        keras.utils.set_random_seed(7)
        self.conv = layers.Conv2D(6, 3, padding="same", activation="relu")
        self.first = where.MaxPooling2D(2)
        self.several = [where.MaxPooling2D(2, strides=1)]
        self.named = {"last": where.GlobalMaxPooling2D()}
        self.dense = layers.Dense(10)

    def call(self, x: Any) -> Any:
        h = self.first(self.conv(x))
        for layer in self.several:
            h = layer(h)
        return self.dense(self.named["last"](h))


MODELS = {"functional": functional, "sequential": sequential, "subclassed": Net}


def compiled(model: keras.Model, **more: Any) -> keras.Model:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"], **more)
    return model


class Losses(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.seen.append(float(logs["loss"]))


def trained(model: keras.Model, x: np.ndarray, y: np.ndarray, steps: int = 50) -> list[float]:
    """The losses of that many steps of 32."""
    losses = Losses()
    n = 32 * steps
    model.fit(
        np.resize(x, (n, *x.shape[1:])), np.resize(y, n), batch_size=32, shuffle=False, verbose=0, callbacks=[losses]
    )
    return losses.seen


def kinds_of(model: keras.Model) -> list[str]:
    return [
        type(layer).__module__.split(".")[0] for layer in model._flatten_layers() if "Pooling" in type(layer).__name__
    ]


@pytest.mark.parametrize("made", ["sequential", "functional"])
def test_fifty_steps(made: str) -> None:
    """The same losses; to the last bit where only maxima are pooled."""
    x, y = digits()
    theirs = trained(compiled(MODELS[made](layers)), x, y)
    ours = trained(compiled(MODELS[made](cenote.keras)), x, y)
    assert len(ours) == 50
    assert ours[-1] < ours[0]
    if made == "sequential":
        assert ours == theirs
    else:
        # Averages differ by a few units, which fifty steps of Adam let grow.
        np.testing.assert_allclose(ours, theirs, rtol=2e-3)
    print(
        f"{BACKEND} {made}: losses {ours[0]:.6f} ... {ours[-1]:.6f}, Keras's own {theirs[0]:.6f} ... {theirs[-1]:.6f}"
    )


@pytest.mark.parametrize("made", ["functional", "subclassed"])
def test_fit_evaluate_predict(made: str) -> None:
    x, y = digits()
    model = compiled(MODELS[made](cenote.keras))
    history = model.fit(x[:640], y[:640], epochs=3, batch_size=64, verbose=0, validation_data=(x[640:700], y[640:700]))
    assert history.history["loss"][-1] < history.history["loss"][0]
    loss, accuracy = model.evaluate(x[640:1000], y[640:1000], verbose=0)
    found = model.predict(x[640:1000], verbose=0)
    assert found.shape == (360, 10)
    assert accuracy == pytest.approx((found.argmax(1) == y[640:1000]).mean())
    assert np.isfinite(loss)
    lines: list[str] = []
    model.summary(print_fn=lambda line, **_: lines.append(line))
    assert "Pooling" in "\n".join(lines)


@pytest.mark.skipif(BACKEND == "torch", reason="jit_compile is torch.compile there, which cenote.torch tests by itself")
def test_jit_compile() -> None:
    x, y = digits()
    eager = trained(compiled(sequential(cenote.keras), jit_compile=False), x, y, 8)
    compiled_by_xla = trained(compiled(sequential(cenote.keras), jit_compile=True), x, y, 8)
    np.testing.assert_allclose(compiled_by_xla, eager, rtol=1e-4)  # convolutions are compiled, too


@pytest.mark.skipif(BACKEND != "torch", reason="PyTorch's compiler alone")
def test_torch_compile_has_nothing_to_say() -> None:
    """It warns of every cached function that it finds inside of a layer, once in a process."""
    import torch

    layer = cenote.keras.MaxPooling2D(2, dilation=2)
    x = torch.linspace(-1, 1, 108).reshape(1, 6, 6, 3)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert torch.equal(torch.compile(lambda x: layer(x), backend="eager")(x), layer(x))
    assert not [str(one.message) for one in seen if "cenote" in str(one.message)]


@pytest.mark.skipif(BACKEND == "jax", reason="every eager step of JAX compiles a hundred small programs")
def test_run_eagerly() -> None:
    x, y = digits()
    model = compiled(functional(cenote.keras), run_eagerly=True)
    np.testing.assert_allclose(trained(model, x, y, 3), trained(compiled(functional(cenote.keras)), x, y, 3), rtol=1e-4)


def test_mixed_precision_training() -> None:
    x, y = digits()
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = compiled(functional(cenote.keras))
    finally:
        keras.config.set_dtype_policy(before)
    assert model.get_layer("shared").compute_dtype == "bfloat16"
    losses = trained(model, x, y, 20)
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


def test_saved_here_and_loaded_there(tmp_path: Path) -> None:
    x, y = digits()
    model = compiled(functional(cenote.keras))
    trained(model, x, y, 4)
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", x[:16])
    np.save(tmp_path / "y.npy", model.predict(x[:16], verbose=0))
    code = f"""
import os
os.environ["KERAS_BACKEND"] = {BACKEND!r}
import keras, numpy as np, cenote.keras
model = keras.saving.load_model("model.keras")
assert {{type(l).__module__ for l in model._flatten_layers() if "Pooling" in type(l).__name__}} == {{"cenote.keras"}}
assert np.array_equal(model.predict(np.load("x.npy"), verbose=0), np.load("y.npy"))
losses = model.fit(np.load("x.npy"), np.zeros(16), verbose=0).history["loss"]  # compiled as it was
print("loaded", np.isfinite(losses).all())
"""
    assert python(code, cwd=tmp_path).splitlines()[-1] == "loaded True"


def test_weights_of_keras_s_own_layers_fit(tmp_path: Path) -> None:
    x, _ = digits()
    theirs, ours = functional(layers), functional(cenote.keras)
    for layer in theirs.weights:
        layer.assign(layer + 0.01)
    theirs.save_weights(tmp_path / "w.weights.h5")
    ours.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_allclose(ours.predict(x[:9], verbose=0), theirs.predict(x[:9], verbose=0), rtol=1e-5, atol=1e-6)


# ------------------------------------------------------------------------------------------------ convert, restore


@pytest.mark.parametrize("made", MODELS)
def test_convert_and_restore(made: str) -> None:
    x, y = digits()
    model = compiled(MODELS[made](layers))
    before_losses = trained(model, x, y, 3)
    names = [layer.name for layer in model._flatten_layers()]
    objects = [id(layer) for layer in model._flatten_layers()]
    weights = [array(w.value) for w in model.weights]
    optimizer = [array(v.value) for v in model.optimizer.variables]
    want = model.predict(x[:50], verbose=0)
    configs = [layer.get_config() for layer in model._flatten_layers() if "Pooling" in type(layer).__name__]
    count = kinds_of(model).count("keras")

    report = cenote.keras.convert(model)
    assert report.model is model
    assert len(report.changed) == count == {"functional": 4, "sequential": 2, "subclassed": 3}[made]
    assert not report.left
    assert set(kinds_of(model)) == {"cenote"}
    assert [layer.name for layer in model._flatten_layers()] == names
    assert [id(layer) for layer in model._flatten_layers()] == objects
    for kept, now in ((weights, model.weights), (optimizer, model.optimizer.variables)):
        assert all(np.array_equal(a, array(b.value)) for a, b in zip(kept, now, strict=True))
    got = model.predict(x[:50], verbose=0)
    if made == "sequential":
        assert np.array_equal(got, want)
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)  # averages of a few values, through one dense layer
    again = cenote.keras.convert(model)
    assert (again.changed, again.left) == ({}, {})
    assert str(again) == "nothing to change"
    assert len(trained(model, x, y, 3)) == 3  # compiled as before, optimizer and all
    assert before_losses

    back = cenote.keras.restore(model)
    assert list(back.changed) == list(report.changed)
    assert set(kinds_of(model)) == {"keras"}
    assert [one.get_config() for one in model._flatten_layers() if "Pooling" in type(one).__name__] == configs
    assert not cenote.keras.restore(model).changed
    for layer in model._flatten_layers():
        assert not {"_pooling", "_before_cenote", "dilation", "ceil_mode"} & set(vars(layer))
    assert model.predict(x[:3], verbose=0).shape == (3, 10)


def test_a_converted_model_is_saved_as_one_of_cenote_s(tmp_path: Path) -> None:
    x, _ = digits()
    model = functional(layers)
    cenote.keras.convert(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert set(kinds_of(loaded)) == {"cenote"}
    assert np.array_equal(loaded.predict(x[:9], verbose=0), model.predict(x[:9], verbose=0))
    report = cenote.keras.restore(loaded)
    assert not report.changed
    assert set(report.left.values()) == {"it was made as a layer of cenote"}


def test_what_convert_leaves() -> None:
    class Mine(layers.MaxPooling2D):
        pass

    inputs = keras.Input((8, 8, 2))
    h = Mine(2, name="mine")(inputs)
    h = keras.ops.max_pool(h, 2)
    h = layers.MaxPooling2D(2, name="plain")(h)
    model = keras.Model(inputs, cenote.keras.GlobalMaxPooling2D(name="ours")(h))
    report = cenote.keras.convert(model)
    assert report.changed == {"plain": "keras.layers.MaxPooling2D -> cenote.keras.MaxPooling2D"}
    assert list(report.left.values()) == [
        "Mine is a subclass and may do more than its base",
        "MaxPool is a function of keras.ops, not a layer",
    ]
    assert str(report).splitlines()[0].endswith("keras.layers.MaxPooling2D -> cenote.keras.MaxPooling2D")
    assert list(cenote.keras.restore(model).left) == ["ours"]


def test_convert_says_where_results_will_differ() -> None:
    model = keras.Sequential(
        [keras.Input((9, 9, 2)), layers.AveragePooling2D(2, padding="same"), layers.MaxPooling2D(2)]
    )
    report = cenote.keras.convert(model)
    assert len(report.changed) == 2
    if BACKEND == "torch":
        ((name, note),) = report.differs.items()
        assert name == model.layers[0].name
        assert "border" in note
        assert note in str(report)
    else:
        assert not report.differs


def test_convert_leaves_what_the_contract_refuses() -> None:
    class Box(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.pool = layers.MaxPooling2D(2, strides=0)

    box = Box()
    (reason,) = cenote.keras.convert(box).left.values()
    assert "strides[0] is at least 1" in reason
    assert type(box.pool) is layers.MaxPooling2D


def test_no_warnings() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = keras.Sequential([keras.Input((8, 8, 2)), cenote.keras.MaxPooling2D(2), cenote.keras.LpPooling2D(2)])
        model(keras.ops.ones((1, 8, 8, 2)))
    assert os.environ["KERAS_BACKEND"] == BACKEND


@mnist_here.needed
def test_mnist() -> None:
    """The real test set, pooled by Keras's layer and by ours."""
    with gzip.open(mnist_here.IMAGES) as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28, 1)[:2000]
    x = keras.ops.convert_to_tensor(pixels.astype("float32") / 255)
    for words in ({"pool_size": 3, "strides": 2, "padding": "same"}, {"pool_size": 2}):
        theirs, ours = (array(where.MaxPooling2D(**words)(x)) for where in (layers, cenote.keras))
        assert np.array_equal(theirs, ours)
