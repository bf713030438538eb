"""Caffe: rounds up by default and keeps the last window unless something is padded."""

from __future__ import annotations

from .dialect import Ceil, Dialect, Limit, Note, Padding, Spelling, Stride
from .habits import GLOBAL, SLIDE, Habits

_SYMMETRIC = frozenset({Padding.SYMMETRIC})


def _pool(call: str) -> Spelling:
    return Spelling(call, Stride.ONE, _SYMMETRIC, Limit.BELOW_SIZE, ceil=Ceil.DROPS_IF_PADDED, ceil_default=True)


ROW = Dialect(
    name="caffe",
    title="Caffe",
    covers=("caffe",),
    ranks=(2,),
    channels_last=False,
    operators={
        "max": _pool("Pooling MAX"),
        "avg": _pool("Pooling AVE"),
        "conv": Spelling("Convolution", Stride.ONE, _SYMMETRIC, dilation=True),
    },
    missing={
        "min": "negate, pool MAX, negate",
        "sum": "pool AVE without padding, times the window size",
        "lp": "raise to the power p, pool AVE without padding, times the window size, to the power 1/p",
    },
    arguments={"size": "kernel_size", "stride": "stride", "padding": "pad", "ceil_mode": "round_mode"},
    divisor="padded",
    divisors={"padded": "always"},
    nan="drops NaN: the running maximum starts at -FLT_MAX and moves on x > best only",
    adaptive=False,
    notes=(
        Note("stride left out is 1", "caffe.proto, PoolingParameter: stride [default = 1]"),
        Note(
            "the output length is rounded up; newer versions have round_mode: FLOOR",
            "pooling_layer.cpp, Reshape",
        ),
        Note(
            "a window starting beyond the input is dropped only if pad_h or pad_w is not 0; without padding "
            "it stays and is empty (-FLT_MAX), which takes a stride above the window size",
            "pooling_layer.cpp, Reshape",
        ),
        Note("the padding must be smaller than the kernel", "pooling_layer.cpp, LayerSetUp"),
        Note("an average divides by the cells inside the padded image", "pooling_layer.cpp, Forward_cpu"),
    ),
    habits=Habits(
        runs_on="by its source, not run",
        drops_nan=frozenset({SLIDE, GLOBAL}),
        starts_lowest=frozenset({SLIDE, GLOBAL}),
        divides_nothing=True,
    ),
)
