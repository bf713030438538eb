"""PyTorch: numbers only, symmetric, at most half the window; averages count the padding."""

from __future__ import annotations

from .dialect import Ceil, Dialect, Limit, Note, Padding, Spelling, Stride
from .habits import Code, Habits

_SYMMETRIC = frozenset({Padding.SYMMETRIC})


def _written(call: str) -> str:
    return f"""import torch
import torch.nn.functional as F

t = torch.tensor(x, dtype=torch.float32)[None, None]  # N, C in front
y = F.{call}[0, 0].numpy()"""


_CODE = Code(
    calls={
        "max": _written("max_pool{rank}d(t, {words})"),
        "max adaptive": _written("adaptive_max_pool{rank}d(t, {size})"),
        "max global": _written("adaptive_max_pool{rank}d(t, 1)"),
        "avg": _written("avg_pool{rank}d(t, {words})"),
        "avg adaptive": _written("adaptive_avg_pool{rank}d(t, {size})"),
        "avg global": _written("adaptive_avg_pool{rank}d(t, 1)"),
        "lp": _written("lp_pool{rank}d(t, {p}, {words})"),
        "lp global": _written("lp_pool{rank}d(t, {p}, {shape})"),
    },
    bare=True,
)

ROW = Dialect(
    name="torch",
    title="PyTorch",
    covers=("torch",),
    ranks=(1, 2, 3),
    channels_last=False,
    operators={
        "max": Spelling(
            "max_pool",
            Stride.SIZE,
            _SYMMETRIC,
            Limit.HALF,
            dilation=True,
            ceil=Ceil.DROPS,
            layer="MaxPool",
            order=("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"),
        ),
        "avg": Spelling(
            "avg_pool",
            Stride.SIZE,
            _SYMMETRIC,
            Limit.HALF,
            ceil=Ceil.DROPS,
            layer="AvgPool",
            order=("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"),
        ),
        "lp": Spelling(
            "lp_pool",
            Stride.SIZE,
            ceil=Ceil.DROPS,
            layer="LPPool",
            order=("norm_type", "kernel_size", "stride", "ceil_mode"),
            adapts=False,
        ),
        "conv": Spelling(
            "conv",
            Stride.ONE,
            frozenset({Padding.SYMMETRIC, Padding.SAME}),
            dilation=True,
            same_strided=False,
        ),
    },
    missing={
        "min": "write -max_pool(-x)",
        "sum": "write avg_pool with divisor_override=1",
    },
    arguments={
        "size": "kernel_size",
        "stride": "stride",
        "padding": "padding",
        "dilation": "dilation",
        "ceil_mode": "ceil_mode",
        "return_indices": "return_indices",
        "p": "norm_type",
        "parts": "output_size",
    },
    divisor="padded",
    divisors={
        "padded": "count_include_pad=True",
        "inside": "count_include_pad=False",
        "number": "divisor_override=n",
    },
    nan="propagates; of several NaNs the last one's index",
    adaptive=True,
    notes=(
        Note(
            "padding is at most half of kernel_size, dilated or not; the message of max_pool2d speaks of an "
            "effective kernel size but the check does not use it",
            "torch 2.13, run: max_pool2d(x, 3, padding=2, dilation=2) raises",
        ),
        Note("ceil_mode drops windows that would start in the right padding", "torch.nn.MaxPool2d, note"),
        Note("stride left out is kernel_size", "torch.nn.MaxPool2d, parameters"),
        Note("lp_pool has neither padding nor dilation, and uses x^p rather than |x|^p", "torch.nn.LPPool2d"),
        Note("padding='same' of a convolution is for stride 1 only", "torch.nn.Conv2d, note"),
        Note(
            "lp_pool is avg_pool times the window size: where ceil_mode lets a window hang over, it takes the mean of "
            "the cells that are there as though there were more of them",
            "torch.nn.functional.lp_pool2d, source; 2.13, run",
        ),
        Note("avg_pool1d has no divisor_override", "torch.nn.functional.avg_pool1d"),
        Note(
            "avg_pool3d and lp_pool3d refuse a map smaller than the window, padded or not",
            "torch 2.13, run: avg_pool3d(torch.ones(1, 1, 2, 2, 2), 3, padding=1) raises",
        ),
        Note("int64 averages truncate towards zero", "torch 2.13, run"),
    ),
    habits=Habits(
        runs_on="on the CPU",
        signed_powers=True,
        scales_overhang=True,
        volumes_fit=True,
        number_axes=2,
    ),
    code=_CODE,
)
