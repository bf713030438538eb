"""`cenote pool` on .npy files: axes, layouts, byte order, and files that are damaged or hold no numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cli_process import Here, halved, noise, pixels


def test_arrays_and_their_axes(here: Here) -> None:
    x = np.random.default_rng(1).normal(size=(2, 6, 8, 3))
    np.save("x.npy", x)
    here("pool", "x.npy", "a.npy", "--size", "2", "--axes", "NHWC").worked()
    np.testing.assert_array_equal(np.load("a.npy"), x.reshape(2, 3, 2, 4, 2, 3).max(axis=(2, 4)))
    here("pool", "x.npy", "b.npy", "--size", "2", "--axes", "1,2").worked()
    np.testing.assert_array_equal(np.load("b.npy"), np.load("a.npy"))
    here("pool", "x.npy", "c.npy", "--size", "2x3", "--op", "min").worked()
    np.testing.assert_array_equal(np.load("c.npy"), x.reshape(2, 6, 4, 2, 1, 3).min(axis=(3, 5)))
    here("pool", "x.npy", "d.npy", "--window", "2x2x2", "--axes", "0,1,2").worked()
    assert np.load("d.npy").shape == (1, 3, 4, 3)
    np.save("line.npy", x[0, 0, :, 0])
    here("pool", "line.npy", "e.npy", "--size", "2", "--axes", "W").worked()
    np.testing.assert_array_equal(np.load("e.npy"), x[0, 0, :, 0].reshape(4, 2).max(axis=1))


def test_an_array_can_become_an_image(here: Here) -> None:
    np.save("x.npy", noise(8, 8, 3))
    here("pool", "x.npy", "out.png", "--size", "2", "--axes", "HWC").worked()
    np.testing.assert_array_equal(pixels("out.png"), halved(noise(8, 8, 3)))
    np.save("one.npy", noise(8, 8, 1))
    here("pool", "one.npy", "one.png", "--size", "2", "--axes", "HWC").worked()
    np.testing.assert_array_equal(pixels("one.png"), halved(noise(8, 8)))


def test_fortran_order_and_the_other_byte_order(here: Here) -> None:
    x = noise(8, 6)
    np.save("f.npy", np.asfortranarray(x))
    here("pool", "f.npy", "f_out.npy", "--size", "2").worked()
    np.testing.assert_array_equal(np.load("f_out.npy"), halved(x))
    np.save("big.npy", x.astype(">i4"))
    here("pool", "big.npy", "out.npy", "--size", "2").worked()
    assert np.load("out.npy").dtype == np.int32
    np.testing.assert_array_equal(np.load("out.npy"), halved(x))


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.array([[1, None], [2, 3]], dtype=object), "Python objects, which are never loaded"),
        (np.array([["a", "b"], ["c", "d"]]), "does not take <U1"),
        (np.array([["2020-01-01"]], dtype="datetime64[D]"), "does not take datetime64[D]"),
        (np.zeros((4, 4), complex), "max pooling does not take complex128"),
        (np.zeros(5), "has 1 dimensions, and only of 2 to 4 the last two are pooled unasked; name the axes: --axes W"),
        (np.zeros((1, 1, 1, 4, 4)), "has 5 dimensions"),
        (np.zeros(()), "has 0 dimensions"),
    ],
    ids=["object", "text", "dates", "complex", "1d", "5d", "scalar"],
)
def test_arrays_that_cannot_be_pooled(here: Here, array: np.ndarray, said: str) -> None:
    np.save("x.npy", array)
    here("pool", "x.npy", "out.npy", "--size", "2").failed(1 if array.dtype == object else 2, "x.npy: ", said)
    assert here.names() == {"x.npy"}


def test_damaged_arrays(here: Here) -> None:
    np.save("x.npy", np.zeros((100, 100)))
    whole = Path("x.npy").read_bytes()
    for length, said in ((len(whole) - 1, "is cut short"), (40, "is no .npy file"), (0, "is no .npy file")):
        Path("x.npy").write_bytes(whole[:length])
        here("pool", "x.npy", "out.npy", "--size", "2").failed(1, "x.npy", said)
    Path("x.npy").write_bytes(b"PK\3\4 a zip of arrays")
    here("pool", "x.npy", "out.npy", "--size", "2").failed(1, "is no .npy file")
    huge = whole.replace(b"(100, 100), ", b"(10**6, 10)"[:11] + b" ")
    Path("x.npy").write_bytes(huge)
    here("pool", "x.npy", "out.npy", "--size", "2").failed(1, "x.npy")
    lying = whole.replace(b"'shape': (100, 100), }", b"'shape': (99999999,99)}")[: len(whole)]
    Path("x.npy").write_bytes(lying)
    here("pool", "x.npy", "out.npy", "--size", "2").failed(1, "x.npy")
    assert here.names() == {"x.npy"}
