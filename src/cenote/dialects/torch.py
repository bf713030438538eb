"""PyTorch: numbers only, symmetric, at most half the window; averages count the padding."""

from __future__ import annotations

from .dialect import Ceil, Dialect, Limit, Note, Padding, Spelling, Stride

_SYMMETRIC = frozenset({Padding.SYMMETRIC})

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
        Note("int64 averages truncate towards zero", "torch 2.13, run"),
    ),
)
