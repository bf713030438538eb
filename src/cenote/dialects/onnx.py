"""ONNX: stride 1 when left out, begins-then-ends pads or auto_pad, averages skip the padding."""

from __future__ import annotations

from .dialect import NUMBERS, Ceil, Dialect, Limit, Note, Padding, Spelling, Stride

_ANY = NUMBERS | {Padding.SAME, Padding.SAME_LOWER}


def _pool(call: str) -> Spelling:
    return Spelling(call, Stride.ONE, _ANY, Limit.BELOW_SIZE, dilation=True, ceil=Ceil.DROPS)


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
    nan="ONNX Runtime drops NaN ([NaN, 1] gives 1)",
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
        Note("the padding must be smaller than the kernel", "ONNX Runtime, PoolAttributes; 1.31, run"),
        Note(
            "the text counts dilation in auto_pad=SAME_*; ONNX Runtime leaves it out for pools: length 9, "
            "kernel 3, stride 2, dilation 2 gives 4 where ceil(9/2) is 5",
            "onnxruntime 1.31, run",
        ),
        Note(
            "Indices are flat over N*C*D*...; storage_order=1 makes them column-major",
            "ONNX MaxPool, Indices",
        ),
    ),
)
