"""Case 11 of the contract: more than 2**31 elements. Broadcasting makes them cheap in memory, not in time."""

from __future__ import annotations

import numpy as np
import pytest

import cenote


def test_11_indices_beyond_32_bits():
    x = np.broadcast_to(np.float32(1), (2**33 + 1,))
    y, index = cenote.max_pool(x, (1,), stride=2**31, return_indices=True)
    assert index.tolist() == [0, 2**31, 2**32, 3 * 2**31, 2**33]
    assert y.tolist() == [1] * 5
    square = np.broadcast_to(np.float32(-1), (2**20, 2**20))
    _, index = cenote.max_pool(square, 1, stride=2**19 + 1, return_indices=True)
    assert index.tolist() == [[0, 2**19 + 1], [(2**19 + 1) * 2**20, (2**19 + 1) * (2**20 + 1)]]


@pytest.mark.slow
def test_11_more_elements_than_32_bits_count():
    rows, columns = 2**16 + 1, 2**15
    x = np.broadcast_to(np.array([[1], [3]], np.uint8)[:1], (rows, columns))
    assert x.size > 2**31
    assert cenote.global_sum_pool(x).item() == x.size
    assert cenote.global_avg_pool(x).item() == 1


@pytest.mark.slow
def test_11_the_last_of_more_than_two_thousand_million():
    x = np.zeros(2**31 + 41, np.uint8)  # never written pages cost no memory
    x[-1] = 1
    y, index = cenote.max_pool(x, x.shape, return_indices=True)
    assert (y.item(), index.item()) == (1, 2**31 + 40)
