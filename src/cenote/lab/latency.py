"""How long a prediction takes: measured after all training, with nothing of the lab running beside it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

BATCHES: Final = (1, 32)
ROUNDS: Final = 7
CALLS: Final = 30


def measure(
    networks: Mapping[str, Any],
    x: Array,
    rounds: int = ROUNDS,
    calls: int = CALLS,
    tick: Callable[[], None] = lambda: None,
) -> dict[str, dict[int, list[list[float]]]]:
    """Seconds a call, by arm, batch and round: all arms take turns in every round, in a random order.

    A machine that is slower for a while is slower for all of them, so arms are compared within rounds.
    """
    order = random.Random(0)
    found: dict[str, dict[int, list[list[float]]]] = {name: {batch: [] for batch in BATCHES} for name in networks}
    for batch in BATCHES:
        images = np.resize(x, (batch, *x.shape[1:])).astype(np.float32)
        for network in networks.values():  # compiles
            network.predict_on_batch(images)
        for _ in range(rounds):
            for name in order.sample(list(networks), len(networks)):
                found[name][batch].append(_round(networks[name], images, calls))
                tick()
    return found


def _round(network: Any, images: Array, calls: int) -> list[float]:
    network.predict_on_batch(images)  # what the arm before has left in the caches is not this arm's
    taken = []
    for _ in range(calls):
        start = time.perf_counter()
        np.asarray(network.predict_on_batch(images))
        taken.append(time.perf_counter() - start)
    return taken
