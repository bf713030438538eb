"""What a model costs, against numbers computed by hand and operations counted one by one."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import oracle
from cenote.errors import CenoteError
from lab_counts_models import by_name, graph, layers, sequential, tutorial

import cenote.keras as pools  # isort: skip
import keras  # isort: skip
from cenote.keras.layers import LAYERS  # isort: skip
from cenote.lab.counts import COLUMNS, CONVENTIONS, LayerCost, Summary, summarize  # isort: skip

pytestmark = pytest.mark.keras
# ---- the tutorials, number by number ---------------------------------------------------------------------------------


def test_the_tutorial() -> None:
    summary = summarize(tutorial())
    source, dense, conv3, pool, conv5, flatten, classes = summary.layers
    assert [layer.output_shape[:2] for layer in (dense, conv3, pool, conv5)] == [(20, 20), (20, 20), (10, 10), (10, 10)]  # type: ignore[index]
    assert [layer.parameters for layer in summary.layers] == [0, 64, 4640, 0, 51264, 0, 12802]
    assert (summary.parameters, summary.head_parameters) == (68770, 12802)
    # cells x products of one: 400 x 3*16, 400 x 3*3*16*32, 100 x 5*5*32*64, 6400*2
    assert [layer.multiply_adds for layer in summary.layers] == [0, 19200, 1843200, 0, 5120000, 0, 12800]
    assert pool.pooling_operations == summary.pooling_operations == 10 * 10 * 32 * 4
    assert conv3.arithmetic == ("ceil(20/1) = 20",) * 2
    assert pool.arithmetic == ("floor((20 + 0 + 0 - 2)/2) + 1 = 10",) * 2
    assert flatten.arithmetic == ("10*10*64 = 6400",)
    assert (pool.padding, pool.window, conv5.padding, conv5.window) == ("valid", "2x2/2", "same", "5x5/1")
    fields = [layer.receptive for layer in summary.layers]
    assert fields == [(1, 1), (1, 1), (3, 3), (4, 4), (12, 12), (12, 12), (20, 20)]
    assert [layer.jump for layer in (conv3, pool, conv5, classes)] == [(1, 1), (2, 2), (2, 2), (None, None)]
    # image and relu; relu; positions; pooled map and relu; nothing; the flat map is conv5's relu; softmax
    kept = [0, 4800 + 25600, 51200, 3200, 12800 + 25600, 0, 8]
    assert [layer.kept_bytes for layer in summary.layers] == kept
    kept[3] = 8 * 3200
    assert [layer.kept_bytes_int64 for layer in summary.layers] == kept
    assert [layer.head for layer in summary.layers] == [False] * 5 + [True] * 2
    assert source.kind == "InputLayer"


def test_28_26_13_11_5() -> None:
    summary = summarize(
        sequential(
            (28, 28, 1),
            *(layers.Conv2D(32, 3), layers.MaxPooling2D(2), layers.Conv2D(64, 3), pools.MaxPooling2D(2)),
            *(layers.Flatten(), layers.Dense(64), layers.Dense(10)),
        )
    )
    maps_only = [layer.output_shape for layer in summary.layers[1:5]]
    assert maps_only == [(26, 26, 32), (13, 13, 32), (11, 11, 64), (5, 5, 64)]
    assert summary.layers[1].arithmetic[0] == "floor((28 + 0 + 0 - 3)/1) + 1 = 26"
    assert summary.layers[2].arithmetic[0] == "floor((26 + 0 + 0 - 2)/2) + 1 = 13"
    assert [layer.receptive for layer in summary.layers[1:5]] == [(3, 3), (4, 4), (8, 8), (10, 10)]
    assert summary.layers[5].receptive == (10, 10)
    assert summary.layers[6].receptive == (26, 26)  # 11 cells by 2: the last row and column are pooled away
    assert summary.multiply_adds == 26 * 26 * 9 * 32 + 11 * 11 * 9 * 32 * 64 + 1600 * 64 + 640
    assert summary.pooling_operations == 13 * 13 * 32 * 4 + 5 * 5 * 64 * 4
    assert (summary.parameters, summary.head_parameters) == (320 + 18496 + 102464 + 650, 102464 + 650)


def test_heads_without_dense_layers() -> None:
    flat = summarize(sequential((12, 12, 8), layers.Conv2D(16, 3), layers.Flatten(), layers.Dense(10)))
    mean = summarize(sequential((12, 12, 8), layers.Conv2D(16, 3), pools.GlobalAveragePooling2D(), layers.Dense(10)))
    assert (flat.head_parameters, mean.head_parameters) == (10 * 10 * 16 * 10 + 10, 16 * 10 + 10)
    assert mean.layers[2].pooling_operations == 10 * 10 * 16
    assert mean.layers[2].window == "*x*"
    dense_only = summarize(sequential((9,), layers.Dense(4), layers.Dense(2)))
    assert dense_only.head_parameters == dense_only.parameters == 50
    assert summarize(sequential((8, 8, 1), layers.Conv2D(2, 3))).head_parameters == 0


def test_a_head_that_only_pools_begins_with_what_it_pools() -> None:
    maps = (layers.Conv2D(10, 1, name="maps"), pools.GlobalMaxPooling2D(), layers.Activation("softmax"))
    summary = summarize(sequential((12, 12, 8), layers.Conv2D(16, 3), *maps))
    assert summary.head_parameters == 16 * 10 + 10
    assert [layer.head for layer in summary.layers] == [False, False, True, True, True]


def test_a_gate_of_globally_pooled_channels_is_no_head() -> None:
    def build(x: Any) -> Any:
        gate = layers.Dense(8, activation="sigmoid", name="gate")(layers.GlobalAveragePooling2D(keepdims=True)(x))
        x = layers.Conv2D(4, 3, name="conv")(layers.Multiply()([x, gate]))
        return layers.Dense(2, name="classes")(layers.GlobalMaxPooling2D(name="top")(x))

    rows = by_name(graph((8, 8, 8), build))
    assert {name for name, row in rows.items() if row.head} == {"top", "classes"}
    assert rows["conv"].receptive == (8, 8)


# ---- operations ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape, layer",
    [
        ((9, 8, 6), layers.Conv2D(4, (3, 2), strides=(2, 1), groups=2, use_bias=False)),
        ((11, 2), layers.Conv1D(3, 3, dilation_rate=2, use_bias=False)),
        ((4, 5, 3, 2), layers.Conv3D(2, 2, use_bias=False)),
        ((7, 6, 3), layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False)),
        ((9, 3), layers.DepthwiseConv1D(2, strides=2, use_bias=False)),
        ((4, 3, 2), layers.Conv2DTranspose(3, (2, 3), strides=2, use_bias=False)),
        ((5, 2), layers.Conv1DTranspose(3, 4, strides=2, use_bias=False)),
        ((5, 4, 3), layers.Dense(7, use_bias=False)),
    ],
)
def test_where_all_is_one_the_result_counts_the_products(shape: tuple[int, ...], layer: Any) -> None:
    model = sequential(shape, layer)
    for weight in model.weights:
        weight.assign(np.ones(weight.shape))
    total = np.asarray(model.predict_on_batch(np.ones((1, *shape), np.float32)), np.float64).sum()
    assert by_name(model)[layer.name].multiply_adds == total


def test_products_by_hand() -> None:
    def products(shape: tuple[int, ...], layer: Any) -> int | None:
        return summarize(sequential(shape, layer)).multiply_adds

    # padding is multiplied, too: every cell has the whole window
    assert products((7, 5, 2), layers.Conv2D(3, 3, padding="same")) == 35 * 9 * 2 * 3
    assert products((7, 5, 2), layers.Conv2D(3, 3, strides=2, padding="same")) == 4 * 3 * 9 * 2 * 3
    assert products((7, 2), layers.Conv1D(4, 3, padding="causal")) == 7 * 3 * 2 * 4
    # depthwise 5x3 cells, 9 taps, 2*2 channels; then 4 to 5 channels
    assert products((7, 5, 2), layers.SeparableConv2D(5, 3, depth_multiplier=2)) == 15 * 9 * 4 + 15 * 4 * 5
    assert products((6, 2), layers.Conv1DTranspose(3, 5, strides=2, padding="same")) == 6 * 5 * 2 * 3
    x, y = keras.Input((5, 4)), keras.Input((3, 4))
    assert summarize(keras.Model([x, y], layers.Dot(axes=2)([x, y]))).multiply_adds == 5 * 3 * 4


WINDOWS = {
    "valid": ({"pool_size": (3, 2), "strides": 2}, [oracle.Slide(3, 2), oracle.Slide(2, 2)]),
    "same": ({"pool_size": 3, "strides": 2, "padding": "same"}, [oracle.Slide(3, 2, "same")] * 2),
    "numbers": (
        {"pool_size": 3, "strides": 1, "padding": ((2, 0), 1)},
        [oracle.Slide(3, 1, (2, 0)), oracle.Slide(3, 1, (1, 1))],
    ),
    "dilated": ({"pool_size": 2, "strides": 3, "dilation": 4, "padding": 2}, [oracle.Slide(2, 3, (2, 2), 4)] * 2),
    "ceil": ({"pool_size": 4, "strides": 3, "ceil_mode": True}, [oracle.Slide(4, 3, ceil=True)] * 2),
}


def reads(shape: tuple[int, ...], rules: list[Any]) -> int:
    """Real taps of all windows, times channels."""
    taps = [sum(len(cell.taps) for cell in rule.bins(n)) for n, rule in zip(shape[:-1], rules, strict=True)]
    return math.prod(taps) * shape[-1]


@pytest.mark.parametrize("name", WINDOWS)
def test_pooling_reads_real_cells(name: str) -> None:
    words, rules = WINDOWS[name]
    for kind in (pools.MaxPooling2D, pools.AveragePooling2D, pools.LpPooling2D):
        extra = {"p": 2.0} if kind is pools.LpPooling2D else {}
        summary = summarize(sequential((10, 11, 3), kind(**words, **extra)))
        assert summary.pooling_operations == reads((10, 11, 3), rules)
        assert summary.multiply_adds == 0
    if name in ("valid", "same"):
        theirs = summarize(sequential((10, 11, 3), keras.layers.MaxPooling2D(**words)))
        assert theirs.layers[1].pooling_operations == summary.pooling_operations


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_every_pooling_layer_is_known(kind: str) -> None:
    """Of cenote, and Keras's of the same name; adaptive bins overlap and count twice."""
    layer = LAYERS[kind]
    rank, form = layer.kind.rank, layer.kind.form
    words = {"sliding": {"pool_size": 2}, "adaptive": {"output_size": 3}, "global": {}}[form]
    rule = {"sliding": oracle.Slide(2, 2), "adaptive": oracle.Split(3), "global": oracle.Split(1)}[form]
    shape = (*(7, 5, 4)[:rank], 2)
    for made in (layer, getattr(keras.layers, kind, layer)):
        (row,) = summarize(sequential(shape, made(**words))).layers[1:]
        assert row.pooling_operations == reads(shape, [rule] * rank)
        assert row.window == {"sliding": "2x2x2"[: 2 * rank - 1] + "/2", "adaptive": ">" + "3x3x3"[: 2 * rank - 1]}.get(
            form, "*x*x*"[: 2 * rank - 1]
        )
        assert row.head == (form == "global")


# ---- graphs ----------------------------------------------------------------------------------------------------------


def test_inner_models_and_layers_called_again() -> None:
    block = sequential((8, 8, 2), layers.Conv2D(2, 3, padding="same", name="conv"), layers.ReLU(name="relu"))
    block.name = "block"
    inner = keras.Input((8, 8, 2))
    nest = keras.Model(inner, layers.Add(name="add")([block(inner), inner]), name="nest")

    def build(x: Any) -> Any:
        return layers.Activation("tanh", name="tanh")(keras.ops.relu(block(nest(x)) * 2.0 - x))

    model = graph((8, 8, 2), build)
    rows = [(row.name, row.parameters, row.multiply_adds, row.receptive) for row in summarize(model).layers[1:]]
    once = 64 * 9 * 2 * 2
    assert rows[:5] == [
        ("nest/block/conv", 38, once, (3, 3)),
        ("nest/block/relu", 0, 0, (3, 3)),
        ("nest/add", 0, 0, (3, 3)),
        ("block/conv", 0, once, (5, 5)),
        ("block/relu", 0, 0, (5, 5)),
    ]
    assert [row[2:] for row in rows[5:]] == [(0, (5, 5))] * 4
    assert model.count_params() == 38


def test_the_model_is_left_as_it_was() -> None:
    model = tutorial()
    before = [layer.output for layer in model.layers]
    weights = [id(weight) for weight in model.weights]
    for _ in range(2):
        assert summarize(model) == summarize(model)
    # a layer called once more would not know which output is meant
    assert all(layer.output is output for layer, output in zip(model.layers, before, strict=True))
    assert [id(weight) for weight in model.weights] == weights


class Doubled(keras.layers.Layer):
    def call(self, x: Any) -> Any:
        return x + x


class Wide(keras.layers.Conv2D):
    pass


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__(name="subclassed")
        self.dense = layers.Dense(3)

    def call(self, x: Any) -> Any:
        return self.dense(x)


def test_what_is_not_known_is_not_guessed() -> None:
    stack = (layers.Conv2D(2, 3), Doubled(name="doubled"), layers.Flatten(), layers.Dense(2, name="dense"))
    summary = summarize(sequential((6, 6, 1), *stack))
    unknown, dense = summary.layers[2], summary.layers[4]
    assert (unknown.multiply_adds, unknown.pooling_operations, unknown.kept_bytes, unknown.receptive) == (None,) * 4
    assert (dense.multiply_adds, dense.receptive, dense.output_shape) == (64, None, (2,))
    assert (summary.multiply_adds, summary.kept_bytes_int64) == (None, None)
    assert summary.parameters == 20 + 66
    assert [note.split(":")[0] for note in summary.notes] == ["doubled"]
    assert summary.rows()[2].count("?") == 6
    assert summary.rows()[-1].count("?") == 4
    # a subclass may do more than its base
    assert summarize(sequential((6, 6, 1), Wide(2, 3))).layers[1].multiply_adds is None
    own = sequential((4,), layers.Dense(2, activation=lambda x: x[:, ::-1]))
    assert (summarize(own).multiply_adds, summarize(own).kept_bytes) == (8, None)

    model = Subclassed()
    model(np.zeros((1, 4)))
    (row,) = summarize(model).layers
    assert (row.parameters, row.output_shape, row.multiply_adds, row.activation_bytes) == (15, None, None, None)
    assert "Subclassed" in summarize(model).notes[0]
    inside = summarize(graph((4,), lambda x: layers.Dense(2)(model(x))))
    assert [row.multiply_adds for row in inside.layers] == [0, None, 6]


def test_an_input_without_fixed_lengths() -> None:
    model = keras.Sequential([keras.Input((None, None, 1)), layers.Conv2D(2, 3), pools.GlobalMaxPooling2D()])
    with pytest.raises(CenoteError, match="no fixed shape"):
        summarize(model)
    assert summarize(model, (9, 8, 1)).layers[1].output_shape == (7, 6, 2)
    with pytest.raises(CenoteError, match="takes"):
        summarize(model, (9, 8, 3))
    unbuilt = keras.Sequential([layers.Dense(3)])
    with pytest.raises(CenoteError, match="not built"):
        summarize(unbuilt)
    assert summarize(unbuilt, (4,)).parameters == 15
    with pytest.raises(CenoteError, match="keras.Model"):
        summarize(keras.layers.Dense(3))


def test_where_maps_are_stacked_no_distance_is_the_same() -> None:
    def stacked(x: Any) -> Any:
        return layers.Concatenate(axis=2, name="beside")([layers.MaxPooling2D(2)(x), layers.AveragePooling2D(2)(x)])

    beside = by_name(graph((8, 8, 2), stacked))["beside"]
    assert (beside.jump, beside.receptive, beside.arithmetic) == ((2, None), (2, 2), ("4 + 4 = 8",))


def test_a_vector_beside_an_image_changes_no_field() -> None:
    image, vector = keras.Input((6, 6, 1)), keras.Input((3,))
    x = layers.Flatten()(layers.Conv2D(2, 3)(image))
    x = layers.Concatenate(name="both")([x, vector])
    rows = by_name(keras.Model([image, vector], layers.Dense(2, name="end")(x)))
    assert (rows["both"].receptive, rows["end"].receptive) == ((3, 3), (6, 6))
    assert rows["both"].arithmetic == ("32 + 3 = 35",)
    shifted = layers.Add(name="shifted")([layers.Conv2D(2, 3, strides=2)(image), layers.Dense(2)(vector)])
    row = by_name(keras.Model([image, vector], shifted))["shifted"]
    assert (row.receptive, row.jump) == ((3, 3), (2, 2))


def test_a_summary_survives_json_and_makes_a_table() -> None:
    summary = summarize(tutorial())
    read = json.loads(json.dumps(summary.as_dict()))
    again = Summary(read["name"], tuple(LayerCost(**layer) for layer in read["layers"]))
    assert again.rows() == summary.rows()
    assert again.totals() == summary.totals() == {name: read[name] for name in summary.totals()}
    assert read["conventions"] == list(CONVENTIONS)
    titles, rows, right = summary.table()
    assert titles == tuple(column.title for column in COLUMNS)
    assert set(right) < set(titles)
    assert len(rows) == len(summary.layers) + 1
    assert rows[3][:7] == ("pool", "10x10x32", "floor((20 + 0 + 0 - 2)/2) + 1 = 10", "valid", "2x2/2", "4x4", "2x2")
    titles, rows, _ = summarize(sequential((4,), layers.Dense(2))).table()
    assert "window" not in titles  # no layer has one
    assert rows[-1][0] == "all"
    assert summary.lines()[0] == "68,770 parameters, 68,770 of them trainable, 12,802 in the head"


def test_an_input_that_nobody_named_is_called_input() -> None:
    """A clone's is numbered, and the number is another in every process."""
    source = summarize(tutorial()).layers[0]
    shown = [Summary("net", (replace(source, name=name),)).rows()[0][0] for name in ("keras_tensor_67", "pixels")]
    assert shown == ["input", "pixels"]


def test_counting_does_not_import_tensorflow() -> None:
    """Keras imports it for the configuration of a layer, wherever it is installed: ten seconds."""
    code = (
        "import sys, cenote.lab.counts as counts, keras\n"
        "model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3), keras.layers.MaxPooling2D(2)])\n"
        "counts.summarize(model)\n"
        "assert keras.backend.backend() == 'tensorflow' or 'tensorflow' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
