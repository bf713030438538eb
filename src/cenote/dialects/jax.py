"""JAX and Flax: stride 1 when left out, pairs or words, averages divide by the whole window."""

from __future__ import annotations

from .dialect import NUMBERS, Dialect, Note, Padding, Spelling, Stride

_ANY = NUMBERS | {Padding.SAME, Padding.SAME_LOWER}

ROW = Dialect(
    name="jax",
    title="JAX",
    covers=("jax", "flax"),
    ranks=(1, 2, 3),
    channels_last=True,
    operators={
        "max": Spelling("max_pool", Stride.ONE, _ANY, dilation=True),
        "min": Spelling("min_pool", Stride.ONE, _ANY, dilation=True),
        "avg": Spelling("avg_pool", Stride.ONE, _ANY, dilation=True),
        "sum": Spelling("reduce_window", Stride.ONE, _ANY, dilation=True),
        "conv": Spelling("conv", Stride.ONE, _ANY, dilation=True),
    },
    missing={"lp": "write reduce_window over abs(x)**p with jax.lax.add, then to the power 1/p"},
    arguments={
        "size": "window_shape",
        "stride": "strides",
        "padding": "padding",
        "dilation": "window_dilation",
    },
    divisor="window",
    divisors={"window": "count_include_pad=True", "inside": "count_include_pad=False"},
    nan="propagates; with NaN in the window the gradient lands on a later tap",
    adaptive=False,
    notes=(
        Note("strides left out are 1 on every axis, not the window", "flax.linen.max_pool, strides"),
        Note("a single int is refused for the window and for padding: tuples and pairs only", "flax 0.12, run"),
        Note(
            "dilation is jax.lax.reduce_window's window_dilation; flax.linen's pools do not pass it on",
            "jax.lax.reduce_window",
        ),
        Note("there is no rounding up", "jax.lax.reduce_window"),
        Note(
            "averages divide by the product of the window shape unless count_include_pad=False",
            "flax.linen.avg_pool",
        ),
        Note(
            "reduce_window leaves dividing to the caller; a dilated maximum has no gradient",
            "jax.lax.reduce_window",
        ),
    ),
)
