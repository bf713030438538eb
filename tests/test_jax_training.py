"""A small network trained for fifty steps, with Flax's pooling and with cenote's: the losses are the same."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

import cenote
from jax_here import jax, marks

jnp = jax.numpy
pytestmark = [
    *marks,
    pytest.mark.skipif(importlib.util.find_spec("flax") is None, reason="Flax is not installed"),
]
STEPS = 50


def losses(pools: Any, first: str, second: str, window: Any) -> np.ndarray:
    """Plain gradient descent on digits of noise, which the network learns by heart."""
    from flax import linen as nn

    class Network(nn.Module):
        @nn.compact
        def __call__(self, x: Any) -> Any:
            x = nn.relu(nn.Conv(8, (3, 3))(x))
            x = getattr(pools, first)(x, *window)
            x = nn.relu(nn.Conv(16, (3, 3))(x))
            x = getattr(pools, second)(x, *window)
            return nn.Dense(10)(x.reshape(x.shape[0], -1))

    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((32, 16, 16, 3)).astype(np.float32), rng.integers(0, 10, 32)
    network = Network()
    weights = network.init(jax.random.key(0), x)

    def loss(weights: Any) -> Any:
        scores = jax.nn.log_softmax(network.apply(weights, x))
        return -scores[jnp.arange(len(labels)), labels].mean()

    @jax.jit
    def step(weights: Any) -> Any:
        value, slopes = jax.value_and_grad(loss)(weights)
        return jax.tree.map(lambda w, g: w - 0.1 * g, weights, slopes), value

    seen = []
    for _ in range(STEPS):
        weights, value = step(weights)
        seen.append(float(value))
    return np.array(seen)


@pytest.mark.parametrize("window", [((2, 2), (2, 2)), ((3, 3), (2, 2), "SAME")], ids=["2x2", "3x3-same"])
def test_maxima_give_the_very_losses(window: Any) -> None:
    from flax import linen

    theirs, ours = (losses(pools, "max_pool", "max_pool", window) for pools in (linen, cenote.jax.flax))
    assert theirs[-1] < 0.75 * theirs[0], "it learns nothing, and the comparison says little"
    assert ours.tolist() == theirs.tolist()


def test_averages_give_the_same_losses() -> None:
    from flax import linen

    theirs, ours = (losses(pools, "avg_pool", "avg_pool", ((2, 2), (2, 2))) for pools in (linen, cenote.jax.flax))
    assert theirs[-1] < 0.75 * theirs[0]
    # Four values are added in another order: half a unit in the last place, in fifty steps of a smooth loss.
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
