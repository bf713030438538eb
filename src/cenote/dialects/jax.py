"""JAX and Flax: stride 1 when left out, pairs or words, averages divide by the whole window."""

from __future__ import annotations

from .dialect import NUMBERS, Dialect, Note, Padding, Spelling, Stride
from .habits import Code, Habits, Pads

_ANY = NUMBERS | {Padding.SAME, Padding.SAME_LOWER}


def _flax(function: str) -> str:
    return f"""import jax.numpy as jnp
from flax import linen as nn

t = jnp.asarray(x, jnp.float32)[None, ..., None]  # N in front, C behind
y = nn.{function}(t, {{words}})[0, ..., 0]"""


def _reduced(start: str, function: str, finish: str = "") -> str:
    """Flax cannot: without dividing, or with a dilation."""
    words = "{size}, {stride}, {pads}, window_dilation={dilation}"
    return f"""import jax.numpy as jnp
from jax import lax

t = jnp.asarray(x, jnp.float32)
y = lax.reduce_window(t, {start}, lax.{function}, {words})""" + finish.replace("{}", words)


def _whole(method: str) -> str:
    return f"""import jax.numpy as jnp

y = jnp.asarray(x, jnp.float32).{method}(keepdims=True)"""


_CODE = Code(
    calls={
        "max": _flax("max_pool"),
        "max dilated": _reduced("-jnp.inf", "max"),
        "max global": _whole("max"),
        "min": _flax("pooling.min_pool"),
        "min dilated": _reduced("jnp.inf", "min"),
        "min global": _whole("min"),
        "avg": _flax("avg_pool"),
        "avg dilated window": _reduced("0.0", "add", " / {taps}"),
        "avg dilated inside": _reduced("0.0", "add", " / lax.reduce_window(jnp.ones_like(t), 0.0, lax.add, {})"),
        "avg global": _whole("mean"),
        "sum": _reduced("0.0", "add"),
        "sum global": _whole("sum"),
    },
    pads=Pads.PAIRS,
    pad_words={"same": 'padding="SAME"', "same_lower": 'padding="SAME_LOWER"'},
)

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
        Note("min_pool stands in flax.linen.pooling: flax.linen does not export it", "flax 0.12, run"),
        Note("there is no rounding up", "jax.lax.reduce_window"),
        Note(
            "averages divide by the product of the window shape unless count_include_pad=False",
            "flax.linen.avg_pool",
        ),
        Note("an average of no cells is NaN (0/0) with count_include_pad=False", "flax 0.12, run"),
        Note(
            "reduce_window leaves dividing to the caller; a dilated maximum has no gradient",
            "jax.lax.reduce_window",
        ),
    ),
    habits=Habits(runs_on="Flax on the CPU", divides_nothing=True),
    code=_CODE,
)
