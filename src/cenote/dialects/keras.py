"""Keras and TensorFlow: two padding words and nothing else; averages skip the padding."""

from __future__ import annotations

from .dialect import Dialect, Note, Padding, Spelling, Stride
from .habits import ADAPTIVE, SLIDE, Code, Habits

_SAME = frozenset({Padding.SAME})


def _written(layer: str) -> str:
    return f"""import os

os.environ["KERAS_BACKEND"] = "tensorflow"  # before Keras is imported
import keras

t = x.astype("float32")[None, ..., None]  # N in front, C behind
y = keras.ops.convert_to_numpy(keras.layers.{layer}(t))[0, ..., 0]"""


_CODE = Code(
    calls={
        "max": _written("MaxPooling{rank}D({words})"),
        "max adaptive": _written("AdaptiveMaxPooling{rank}D({size})"),
        "max global": _written("GlobalMaxPooling{rank}D(keepdims=True)"),
        "avg": _written("AveragePooling{rank}D({words})"),
        "avg adaptive": _written("AdaptiveAveragePooling{rank}D({size})"),
        "avg global": _written("GlobalAveragePooling{rank}D(keepdims=True)"),
    },
    pad_words={"same": 'padding="same"'},
    bare=True,
)

ROW = Dialect(
    name="keras",
    title="Keras",
    covers=("keras", "tensorflow"),
    ranks=(1, 2, 3),
    channels_last=True,
    operators={
        "max": Spelling("MaxPooling", Stride.SIZE, _SAME, size=2),
        "avg": Spelling("AveragePooling", Stride.SIZE, _SAME),
        "conv": Spelling("Conv", Stride.ONE, _SAME, dilation=True, dilated_strided=False),
    },
    missing={
        "min": "write -MaxPooling(-x)",
        "sum": "write AveragePooling with padding='valid', times the window size",
        "lp": "write AveragePooling(abs(x)**p) with padding='valid', times the window size, to the power 1/p",
    },
    arguments={
        "size": "pool_size",
        "stride": "strides",
        "padding": "padding",
        "axes": "data_format",
        "parts": "output_size",
    },
    divisor="inside",
    divisors={"inside": "always"},
    nan="TensorFlow on the CPU drops NaN ([NaN, 1] gives 1), but for global layers; the JAX and PyTorch backends "
    "propagate it",
    adaptive=True,
    notes=(
        Note(
            "padding is 'valid' or 'same'; strides left out are pool_size",
            "keras.layers.MaxPooling2D, arguments",
        ),
        Note("pool_size left out is 2 for maxima; averages want it", "keras 3.15, run: AveragePooling2D() raises"),
        Note("pooling has no dilation", "keras 3.15, run: MaxPooling2D(3, dilation_rate=2) raises"),
        Note(
            "a convolution takes strides > 1 or dilation_rate > 1, not both",
            "keras.layers.Conv2D, dilation_rate",
        ),
        Note("averages divide by the cells inside the input", "keras 3.15, run: ones with 'same' stay ones"),
        Note("adaptive layers exist from Keras 3.13 on", "keras.layers, list of layers"),
        Note("data_format left out is channels_last", "keras.layers.MaxPooling2D, arguments"),
        Note(
            "the window of all -inf gives the lowest finite float in TensorFlow on the CPU, but for global layers",
            "TensorFlow 2.21, run",
        ),
        Note(
            "adaptive layers pool with the smallest bin and with one more cell, and choose: where that does not fit "
            "into the axis, TensorFlow on the CPU ends the process",
            "keras 3.15 with TensorFlow 2.21, run: AdaptiveMaxPooling1D(1)",
        ),
    ),
    habits=Habits(
        runs_on="TensorFlow on the CPU",
        drops_nan=frozenset({SLIDE, ADAPTIVE}),
        starts_lowest=frozenset({SLIDE, ADAPTIVE}),
        spare_cell=True,
    ),
    code=_CODE,
)
