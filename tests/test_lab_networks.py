"""Networks of the user's own: what they say, whether they are the same, and which of them are refused, and how."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal

import numpy as np
import pytest

from cenote.errors import CenoteError
from cenote.lab import backend, experiment, interrupts, jobs, models, training
from lab_here import lab

keras = backend.load()
layers = keras.layers
pytestmark = pytest.mark.keras
SHAPE = (6, 6, 1)
X = np.random.default_rng(3).random((4, *SHAPE), dtype=np.float32)


def network(*behind):
    return keras.Sequential([keras.Input(SHAPE), layers.Flatten(), *behind])


def head(activation):
    return keras.Sequential([keras.Input((36,)), layers.Dense(3, activation=activation)])


@pytest.mark.parametrize(
    "behind",
    [
        lambda: [layers.Dense(3, activation="softmax")],
        lambda: [layers.Dense(3), layers.Softmax()],
        lambda: [head("softmax")],
        lambda: [layers.Dense(3, activation="softmax"), layers.Activation("linear")],
    ],
)
def test_probabilities_stay_as_they_are(behind):
    net = network(*behind())
    assert np.array_equal(training.probabilities(net, X), net.predict_on_batch(X))


@pytest.mark.parametrize("behind", [lambda: [layers.Dense(3)], lambda: [head(None)], lambda: [head("relu")]])
def test_logits_become_probabilities(behind):
    net = network(*behind())
    said = np.asarray(keras.ops.convert_to_numpy(keras.ops.softmax(net.predict_on_batch(X))))
    np.testing.assert_allclose(training.probabilities(net, X), said, atol=1e-6)  # another order of additions


@pytest.mark.parametrize("last", [lambda: layers.Dense(3, activation="sigmoid"), lambda: head("sigmoid")])
def test_yes_or_no_by_class_is_refused(last, tmp_path):
    build = lambda shape, classes: keras.Sequential([keras.Input(shape), layers.Flatten(), last()])  # noqa: E731
    data = (X, np.array([0, 1, 2, 0]), X, np.array([0, 1, 2, 0]))
    with pytest.raises(CenoteError, match="sigmoid"):
        lab.compare(build, data, "own", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_predict_refuses_what_it_would_read_wrongly(tmp_path):
    x = keras.Input(SHAPE)
    flat = layers.Flatten()(x)
    nets = {
        "sigmoid": network(layers.Dense(1, activation="sigmoid")),
        "several": keras.Model(x, [layers.Dense(3)(flat), layers.Dense(2)(flat)]),
    }
    for said, net in nets.items():
        net.save(tmp_path / "net.keras")
        with pytest.raises(CenoteError, match=f"net.keras.*{said}"):
            lab.predict(tmp_path / "net.keras", ["nothing.png"])


def test_names_of_classes_are_there_when_the_run_was_killed(tmp_path):
    from PIL import Image

    (tmp_path / "models").mkdir()
    (tmp_path / "settings.json").write_text(json.dumps({"classes": ["cat", "dog", "eel"]}))
    network(layers.Dense(3)).save(tmp_path / "models" / "own.keras")
    Image.fromarray(np.full((6, 6), 9, np.uint8)).save(tmp_path / "one.png")
    (found,) = lab.predict(tmp_path / "models" / "own.keras", [tmp_path / "one.png"])
    assert list(found.probabilities) == ["cat", "dog", "eel"]


def test_several_inputs_or_outputs_and_no_graph_are_refused(tmp_path):
    x, y = keras.Input(SHAPE), keras.Input(SHAPE)
    flat = layers.Flatten()(x)
    for net in (
        keras.Model([x, y], layers.Dense(3)(layers.Flatten()(layers.Add()([x, y])))),
        keras.Model(x, [layers.Dense(3)(flat), layers.Dense(2)(flat)]),
    ):
        net.save(tmp_path / "net.keras")
        with pytest.raises(CenoteError, match="several inputs or outputs"):
            models.find(str(tmp_path / "net.keras"))

    class Own(keras.Model):
        def call(self, x):
            return x

    def build(shape, classes):
        net = Own()
        net.built = True
        return net

    with pytest.raises(CenoteError, match="no graph of layers"):
        models.built(models.Model("own", "", build), SHAPE, 3)


@pytest.mark.parametrize("part", [lambda: head("relu"), lambda: layers.Dense(3, activation=layers.LeakyReLU())])
def test_a_network_is_the_same_however_often_it_was_built(part):
    """Keras counts names up, also those of layers inside of others: `--resume` must not see another network in that."""
    assert models.digest(network(part())) == models.digest(network(part()))
    assert models.digest(network(part())) != models.digest(network(head("tanh")))
    short = keras.Sequential([keras.Input((36,)), layers.Dense(3, dtype="float16", activation="relu")])
    assert models.digest(network(head("relu"))) != models.digest(network(short))


@pytest.mark.parametrize(
    "change, said",
    [
        ({"learning_rate": "0.1"}, "learning_rate"),
        ({"learning_rate": True}, "learning_rate"),
        ({"seeds": [0.5, 1.5]}, "seeds"),
        ({"seeds": ["a"]}, "seeds"),
        ({"arms": 7}, "arms"),
    ],
)
def test_settings_of_other_types(change, said):
    with pytest.raises(CenoteError, match=said):
        lab.Experiment(**change)


def test_a_rate_of_numpy_s_is_a_number_of_json_s():
    """Else the report would fail when all the training is done."""
    plan = experiment.Plan.of(lab.Experiment(data(), "ann", "own", learning_rate=np.float32(0.5)))
    assert json.loads(json.dumps(plan.settings()))["learning_rate"] == 0.5


def data():
    y = np.array([0, 1, 0, 1], np.int64)
    return lab.Dataset("few", X, y, X, y, ("a", "b"), "random")


def test_compare_says_what_arrays_it_wants():
    with pytest.raises(CenoteError, match=r"data is 2 things; give \(x_train"):
        lab.compare(models.ann, ((X, X), (X, X)))
    with pytest.raises(CenoteError, match="built already"):
        lab.compare(network(layers.Dense(3)), data())


class Stopped(lab.Progress):
    def epoch(self, arm, seed, epoch):
        raise KeyboardInterrupt


def test_whatever_befalls_the_report_ctrl_c_is_passed_on(tmp_path, monkeypatch):
    from cenote.lab import report

    def full(*_):
        raise lab.StoreError("no room")

    monkeypatch.setattr(report, "write", full)
    with pytest.raises(KeyboardInterrupt) as stopped:
        lab.run(lab.Experiment(data(), "ann", "own", seeds=1, epochs=1), tmp_path / "out", progress=Stopped())
    assert "no room" in stopped.value.__notes__[0]


def test_building_draws_no_number_of_the_caller_s(tmp_path):
    random.seed(5), np.random.seed(5)
    wanted = random.random(), np.random.rand()
    random.seed(5), np.random.seed(5)
    with pytest.raises(KeyboardInterrupt):
        lab.run(lab.Experiment(data(), "ann", "own", seeds=1, epochs=1), tmp_path / "out", progress=Stopped())
    assert (random.random(), np.random.rand()) == wanted


def test_a_script_without_a_guard_is_told_so(tmp_path, monkeypatch):
    import multiprocessing

    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    with pytest.raises(CenoteError, match="__main__"):
        lab.run(lab.Experiment(data(), "ann", "own"), tmp_path / "out", jobs=2)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("before", [None, "torch"])
def test_other_processes_have_the_backend_of_this_one(monkeypatch, before):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    if before is not None:
        monkeypatch.setenv("KERAS_BACKEND", before)
    with jobs._same_backend():
        assert os.environ["KERAS_BACKEND"] == keras.backend.backend()
    assert os.environ.get("KERAS_BACKEND") == before


def test_an_experiment_that_a_process_cannot_have_ends_in_a_line(tmp_path, capsys, monkeypatch):
    import queue

    # This process goes on, and its Ctrl-C is the user's.
    monkeypatch.setattr(jobs.signal, "signal", lambda *_: None)
    monkeypatch.setattr(jobs, "_leave_with_parent", lambda: None)
    with pytest.raises(SystemExit) as ended:
        jobs._work(lab.Experiment("/nowhere"), str(tmp_path), queue.Queue(), 2)
    assert ended.value.code == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_nobody_listening_stops_no_training(monkeypatch):
    """`cenote lab run 2>&1 | head`"""
    from cenote.cli import lab_progress

    class Gone:
        def write(self, text):
            raise BrokenPipeError

        def flush(self):
            raise BrokenPipeError

    bars = lab_progress.Bars()
    monkeypatch.setattr(lab_progress.sys, "stderr", Gone())
    with bars:
        bars.begin(2, 1, 1)
        bars.refused("max-9/1", "too large")
        bars.writing()


def test_a_backend_that_keras_does_not_know_is_said_in_a_line():
    from fresh import python

    python(
        "import os; os.environ['KERAS_BACKEND'] = 'abacus'\n"
        "from cenote.errors import CenoteError\n"
        "try:\n    import cenote.lab\nexcept CenoteError as error:\n    assert 'abacus' in str(error), error\n"
        "else:\n    raise SystemExit('it was taken')\n"
    )


def test_a_network_is_known_by_its_wiring_and_not_by_what_keras_calls_its_layers():
    def network(crossed: bool):
        keras = backend.load()
        x = keras.Input((4, 4, 1))
        a, b = keras.layers.Conv2D(2, 1)(x), keras.layers.Conv2D(2, 3, padding="same")(x)
        joined = keras.ops.subtract(*((b, a) if crossed else (a, b)))
        return keras.Model(x, keras.layers.Dense(3)(keras.layers.Flatten()(joined)))

    first, again, crossed = (models.digest(network(order)) for order in (False, False, True))
    assert first == again
    assert first != crossed


def test_a_ctrl_c_that_is_dropped_on_its_way_is_raised_later():
    with interrupts.Attentive(lab.Progress()) as progress:
        progress.epoch("none", 0, 0)
        with contextlib.suppress(KeyboardInterrupt):  # as Python does in a callback of its garbage collector
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            progress.epoch("none", 0, 1)
        progress.writing()  # the report is written all the same
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
