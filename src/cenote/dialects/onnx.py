"""ONNX: stride 1 when left out, begins-then-ends pads or auto_pad, averages skip the padding."""

from __future__ import annotations

from .dialect import NUMBERS, Ceil, Dialect, Limit, Note, Padding, Spelling, Stride
from .habits import GLOBAL, SLIDE, Code, Habits, Pads

_ANY = NUMBERS | {Padding.SAME, Padding.SAME_LOWER}


def _pool(call: str) -> Spelling:
    return Spelling(call, Stride.ONE, _ANY, Limit.BELOW_SIZE, dilation=True, ceil=Ceil.DROPS)


def _written(operator: str, words: str) -> str:
    said = f", {words}" if words else ""
    return f"""import numpy as np
import onnx
import onnxruntime

t = x.astype(np.float32)[None, None]  # N, C in front
node = onnx.helper.make_node("{operator}", ["x"], ["y"]{said})
info = onnx.helper.make_tensor_value_info
ends = [info("x", onnx.TensorProto.FLOAT, t.shape)], [info("y", onnx.TensorProto.FLOAT, None)]
graph = onnx.helper.make_graph([node], "pooling", *ends)
model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)], ir_version=10)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
y = session.run(None, {{"x": t}})[0][0, 0]"""


_CODE = Code(
    calls={
        "max": _written("MaxPool", "{words}"),
        "max global": _written("GlobalMaxPool", ""),
        "avg": _written("AveragePool", "{words}"),
        "avg global": _written("GlobalAveragePool", ""),
        "lp": _written("LpPool", "p={p}, {words}"),
        "lp global": _written("GlobalLpPool", "p={p}"),
    },
    pads=Pads.FLAT,
    pad_words={"same": 'auto_pad="SAME_UPPER"', "same_lower": 'auto_pad="SAME_LOWER"'},
    lists=True,
    true="1",
    title="ONNX Runtime",
)


ROW = Dialect(
    name="onnx",
    title="ONNX",
    covers=("onnx", "onnxruntime"),
    ranks=(1, 2, 3),
    channels_last=False,
    operators={
        "max": _pool("MaxPool"),
        "avg": _pool("AveragePool"),
        "lp": _pool("LpPool"),
        "conv": Spelling("Conv", Stride.ONE, _ANY, dilation=True),
    },
    missing={
        "min": "write Neg, MaxPool, Neg",
        "sum": "write AveragePool with count_include_pad=1 and no ceil_mode, times the window size",
    },
    arguments={
        "size": "kernel_shape",
        "stride": "strides",
        "padding": "pads",
        "dilation": "dilations",
        "ceil_mode": "ceil_mode",
        "p": "p",
    },
    divisor="inside",
    divisors={"inside": "count_include_pad=0", "padded": "count_include_pad=1"},
    nan="ONNX says nothing; in ONNX Runtime a NaN wins, is dropped or hides what came before it, by rank, kernel, "
    "place and processor",
    adaptive=False,
    notes=(
        Note("strides left out are 1 along each spatial axis", "ONNX MaxPool, attribute strides"),
        Note(
            "pads lists all begins, then all ends; auto_pad is SAME_UPPER, SAME_LOWER or VALID",
            "ONNX MaxPool",
        ),
        Note(
            "windows that would start in the right padding are ignored",
            "ONNX MaxPool, ceil_mode, opset 22 text",
        ),
        Note("AveragePool has dilations from opset 19 on, LpPool from 18 on", "ONNX operators, changelog"),
        Note(
            "ONNX Runtime on x86: a maximum of [NaN, 1] in one dimension is 1, of a column [NaN, 1] in two NaN; of "
            "-inf alone -inf or -3.4e38, and -3.4e38 of no cells",
            "onnxruntime 1.31, run",
        ),
        Note("p of a norm is a whole number", "ONNX LpPool, attribute p"),
        Note("the padding must be smaller than the kernel", "ONNX Runtime, PoolAttributes; 1.31, run"),
        Note(
            "the text counts dilation in auto_pad=SAME_*; ONNX Runtime leaves it out for pools: length 9, "
            "kernel 3, stride 2, dilation 2 gives 4 where ceil(9/2) is 5",
            "onnxruntime 1.31, run",
        ),
        Note(
            "where auto_pad=SAME_* would pad by less than 0 (a stride above the kernel), ONNX Runtime refuses maxima "
            "and cuts cells off for averages and norms",
            "onnxruntime 1.31, run",
        ),
        Note(
            "where no window fits, ONNX Runtime gives a result without elements, or one window that hangs over",
            "onnxruntime 1.31, run",
        ),
        Note(
            "Indices are flat over N*C*D*...; storage_order=1 makes them column-major",
            "ONNX MaxPool, Indices",
        ),
    ),
    habits=Habits(
        runs_on="ONNX Runtime on the CPU",
        drops_nan=frozenset({SLIDE, GLOBAL}),
        starts_lowest=frozenset({SLIDE, GLOBAL}),
        unsettled=True,
        whole_p=True,
        same_raw=True,
    ),
    code=_CODE,
)
