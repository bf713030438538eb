"""The tutorial on real data: the first MNIST digit, a 7, through a filter and a pool."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

import cenote
import mnist_here
from oracle import Slide, forward

pytestmark = mnist_here.needed


@pytest.fixture(scope="module")
def seven() -> np.ndarray:
    with gzip.open(mnist_here.LABELS) as file:
        assert file.read(9)[8] == 7
    with gzip.open(mnist_here.IMAGES) as file:
        head = np.frombuffer(file.read(16), ">i4")
        assert head.tolist() == [2051, 10000, 28, 28]
        return np.frombuffer(file.read(28 * 28), np.uint8).reshape(28, 28)


def test_through_filter_and_pool(seven: np.ndarray) -> None:
    image = seven.astype(np.float32) / 255
    vertical_edges = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]], np.float32)
    patches = np.lib.stride_tricks.sliding_window_view(image, (3, 3))
    filtered = np.einsum("ijkl,kl->ij", patches, vertical_edges)
    assert filtered.shape == cenote.output_shape((28, 28), 3, stride=1) == (26, 26)
    pooled, where = cenote.max_pool(filtered, 2, return_indices=True)
    assert pooled.shape == (13, 13)
    want = forward("max", filtered, [Slide(2, 2)] * 2, (0, 1))
    assert pooled.tolist() == want.values.tolist()
    assert where.tolist() == want.indices.tolist()
    assert (filtered.reshape(-1)[where] == pooled).all()
    assert pooled.min() < 0 < pooled.max()  # an edge has two sides: zero padding or a forgotten sign would show


def test_the_image_itself(seven: np.ndarray) -> None:
    """Bytes stay bytes; most windows are all background, so ties are the rule."""
    for op in ("max", "min", "avg"):
        want = forward(op, seven, [Slide(2, 2)] * 2, (0, 1)).values
        assert getattr(cenote, f"{op}_pool")(seven, 2).tolist() == want.tolist()
    assert cenote.global_max_pool(seven).item() == 255
    assert cenote.global_sum_pool(seven).item() == int(seven.sum())
