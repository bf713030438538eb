"""A small convolutional network in JAX: value and gradient with its own pooling and with cenote's."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import numpy as np

from ..contestant import Contestant, load
from ..data import Array
from ..workload import shape_text
from .calls import JAX, entering
from .case import Case, Kit

SHAPE: Final = (16, 64, 64, 3)
WIDTHS: Final = (16, 32, 64)
FLAX: Final = "flax"
_CLASSES: Final = 10

Pool = Callable[[Any], Any]


def case(quick: bool, shape: tuple[int, ...] = SHAPE) -> Case:
    """The row."""
    widths = ", ".join(map(str, WIDTHS))
    return Case(
        "jax-cnn-value_and_grad",
        f"CNN with {widths} channels, max 2x2/2 after each, input {shape_text(shape)}, value_and_grad",
        "jax-networks",
        JAX,
        ("jax",),
        lambda kit: contestants(shape, kit),
        patience=2,
        quick=quick,
    )


def _pools() -> dict[str, Callable[[], Pool]]:
    """By column: max 2x2/2 with the channels last."""

    def of_jax() -> Pool:
        lax, window = load("jax.lax"), (1, 2, 2, 1)
        return lambda x: lax.reduce_window(x, np.float32(-np.inf), lax.max, window, window, "VALID")

    def of(module: str) -> Pool:
        max_pool = load(module).max_pool
        return lambda x: max_pool(x, (2, 2), strides=(2, 2))

    return {"jax": of_jax, JAX: lambda: of("cenote.jax.flax"), FLAX: lambda: of("flax.linen")}


def _weights(shape: tuple[int, ...]) -> list[Array]:
    random = np.random.default_rng(1)
    channels = (shape[-1], *WIDTHS)
    sizes = [(3, 3, a, b) for a, b in pairwise(channels)]
    cells = (shape[1] >> len(WIDTHS)) * (shape[2] >> len(WIDTHS))
    sizes_and_head: list[tuple[int, ...]] = [*sizes, (cells * WIDTHS[-1], _CLASSES)]
    return [(random.standard_normal(s) * np.sqrt(2 / np.prod(s[:-1]))).astype(np.float32) for s in sizes_and_head]


def contestants(shape: tuple[int, ...], kit: Kit) -> list[Contestant]:
    """``reduce_window``, Flax's own function where it is installed, and cenote's with Flax's signature."""
    framework, lax, jnp = load("jax"), load("jax.lax"), load("jax.numpy")
    x = framework.device_put(np.random.default_rng(2).standard_normal(shape, dtype=np.float32))
    weights = [framework.device_put(w) for w in _weights(shape)]

    def made(column: str, pool: Pool) -> Contestant:
        def loss(weights: Any, x: Any) -> Any:
            *kernels, head = weights
            y = x
            for kernel in kernels:
                y = lax.conv_general_dilated(y, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
                y = pool(jnp.maximum(y, 0))
            return jnp.mean(jnp.square(y.reshape(len(y), -1) @ head))

        # Compiled before it is tried: a first call of a second would be taken for the time of a call.
        compiled = framework.jit(framework.value_and_grad(loss)).lower(weights, x).compile()

        def arrays(result: Any) -> list[Array]:
            return [np.asarray(result[0]), *(np.asarray(gradient) for gradient in result[1])]

        return Contestant(column, lambda: framework.block_until_ready(compiled(weights, x)), arrays)

    pools = _pools()
    found = [made(column, pools[column]()) for column in ("jax", JAX)]
    try:
        found.append(made(FLAX, pools[FLAX]()))
    except ImportError as error:  # for orientation only: the row does without
        found.append(Contestant(FLAX, _missing(error)))
    return [entering(contestant, kit.threads) for contestant in found]


def _missing(error: ImportError) -> Callable[[], Any]:
    def call() -> Any:
        raise error

    return call
