"""Images that are moved, and networks whose answers to them are known."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy", reason="SciPy is not installed: the lab has no statistics")
pytest.importorskip("keras", reason="Keras is not installed: the lab does nothing")

from cenote.lab import consistency
from cenote.lab.measures import SHIFTS


def points(count: int, side: int = 12) -> np.ndarray:
    """One bright cell each, somewhere."""
    random = np.random.default_rng(4)
    x = np.zeros((count, side, side, 1), np.float32)
    x[np.arange(count), random.integers(0, side, count), random.integers(0, side, count)] = 1
    return x


def one_hot(classes: np.ndarray, count: int) -> np.ndarray:
    return np.eye(count, dtype=np.float32)[classes]


def place(x: np.ndarray) -> np.ndarray:
    return x[..., 0].reshape(len(x), -1).argmax(axis=1)


@pytest.mark.parametrize("kind", consistency.KINDS)
@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (1, 0), (-2, 0), (0, 3), (0, -1), (2, -2), (9, 0), (-9, 9)])
def test_moved_cell_by_cell(kind, rows, columns):
    x = np.random.default_rng(1).random((3, 5, 7, 2)).astype(np.float32)
    found = consistency.moved(x, rows, columns, kind)
    for i in range(5):
        for j in range(7):
            a, b = i - rows, j - columns
            a, b = (a % 5, b % 7) if kind == "circular" else (min(max(a, 0), 4), min(max(b, 0), 6))
            assert np.array_equal(found[:, i, j], x[:, a, b])


@pytest.mark.parametrize("kind", consistency.KINDS)
def test_every_direction_has_its_quarter_and_no_image_is_left(kind):
    x = np.random.default_rng(2).random((40, 6, 6, 1)).astype(np.float32)
    found = consistency.moved_apart(x, 2, kind)
    went = [
        [np.array_equal(one, consistency.moved(was[None], 2 * r, 2 * c, kind)[0]) for r, c in consistency.DIRECTIONS]
        for was, one in zip(x, found, strict=True)
    ]
    assert np.array(went).sum(axis=0).tolist() == [10, 10, 10, 10]
    assert np.array(went).sum(axis=1).tolist() == [1] * 40


def test_who_looks_at_brightness_alone_is_consistent_and_who_looks_at_places_is_not():
    x = points(60)
    x[:20] *= 9
    truth = (np.arange(60) < 20).astype(int)
    found = consistency.measure(lambda x: one_hot((x.max(axis=(1, 2, 3)) > 5).astype(int), 2), x, truth)
    circular = {name: value for name, value in found.items() if "circular" in name}
    assert set(circular.values()) == {1.0}
    assert len(found) == 2 * 2 * len(SHIFTS)
    found = consistency.measure(lambda x: one_hot(place(x), 144), x, place(x))
    assert {value for name, value in found.items() if "circular" in name} == {0.0}


def test_given_correct_counts_only_images_that_are_right_where_they_are():
    """It answers by the row; a quarter of the images moves down, a quarter up, half of them stays in its row."""
    x = points(80)
    row = lambda x: place(x) // 12  # noqa: E731
    truth = row(x).copy()
    truth[:20] = 11 - truth[:20]  # of an even number of rows, so never right
    found = consistency.measure(lambda x: one_hot(row(x), 12), x, truth)
    went = row(consistency.moved_apart(x, 1, "circular"))
    assert found["consistency_circular_1"] == 0.5
    assert found["consistency_circular_1_given_correct"] == np.mean((went == row(x))[20:])
    nothing_right = consistency.measure(lambda x: one_hot(row(x), 12), x, row(x) + 1)
    assert np.isnan(nothing_right["consistency_cropped_4_given_correct"])


def test_one_answer_to_everything_is_no_consistency():
    x = points(30)
    same = lambda x: one_hot(np.zeros(len(x), int), 3)  # noqa: E731
    assert np.isnan(list(consistency.measure(same, x, np.arange(30) % 3).values())).all()
    assert set(consistency.measure(same, x, np.zeros(30, int)).values()) == {1.0}  # where there is only one


def test_many_images_are_thinned_evenly():
    at = consistency.chosen(5000)
    assert len(at) == consistency.IMAGES
    assert (at[0], at[-1]) == (0, 4999)
    assert set(np.diff(at)) <= {4, 5}
    assert consistency.chosen(7).tolist() == list(range(7))
