"""Images and arrays that the explorer's page sends to its server: what it gets back, and what is refused."""

from __future__ import annotations

import io
import os
import pickle
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cenote.errors import CenoteError
from cenote.explorer import uploads
from cenote.explorer.serve import Server
from explorer_client import PAGE, Client, image, npy, unpacked


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Server(lambda token: PAGE) as server:
        yield Client(server)


NASTY = [np.nan, np.inf, -np.inf, -0.0, 0.0, 5e-324, 1.7976931348623157e308, -1.5, 0.1]


@pytest.mark.parametrize(
    "given, whole",
    [
        (np.array(NASTY), False),
        (np.array(NASTY).reshape(3, 3).T, False),
        (np.array([[0.1, np.nan]], dtype=">f4"), False),
        (np.array([0.1, np.inf], dtype=np.float16), False),
        (np.arange(-5, 7, dtype=">i8").reshape(3, 4), True),
        (np.array([[True, False]]), True),
        (np.array([2**53, -(2**53)]), True),
        (np.zeros((1, 512)), False),
    ],
)
def test_arrays_come_back_as_they_are(client: Client, given: np.ndarray[Any, Any], whole: bool) -> None:
    found = client.array(npy(given))
    assert found["note"] is None
    assert found["integers"] is whole
    assert found["shape"] == list(given.shape)
    cells = unpacked(found["values"])
    np.testing.assert_array_equal(cells, given.astype(np.float64), strict=True)
    np.testing.assert_array_equal(np.signbit(cells), np.signbit(given.astype(np.float64)))


def test_what_is_left_out_of_an_array_is_said(client: Client) -> None:
    given = np.random.default_rng(1).normal(size=(2, 3, 4, 5, 6))
    found = client.array(npy(given))
    np.testing.assert_array_equal(unpacked(found["values"]), given[0, 0, 0])
    assert "2x3x4x5x6" in found["note"]
    assert "[0, 0, 0]" in found["note"]
    found = client.array(npy(given), "?rank=3")
    np.testing.assert_array_equal(unpacked(found["values"]), given[0, 0])
    found = client.array(npy(given[0, 0, 0]), "?rank=3")
    assert (found["shape"], found["note"]) == ([5, 6], None)
    found = client.array(npy(np.array([2**62 + 1, 3])))
    assert "rounded" in found["note"]
    client.ask("POST", "/array?rank=4", npy(given)).refused(400, "1, 2 or 3")


def test_a_large_array_is_scaled_down_and_says_so(client: Client) -> None:
    """By one block for all axes, so that shapes stay; blocks at the far ends are what is left."""
    given = np.random.default_rng(2).normal(size=(1030, 7))
    found = client.array(npy(given))
    assert found["shape"] == [344, 3]
    assert "1030x7" in found["note"]
    assert "344x3" in found["note"]
    blocks = [[given[r : r + 3, c : c + 3].mean() for c in range(0, 7, 3)] for r in range(0, 1030, 3)]
    np.testing.assert_allclose(unpacked(found["values"]), blocks, rtol=0, atol=1e-15)  # the order of nine additions


def test_images_are_brightness_from_0_to_1(client: Client) -> None:
    rng = np.random.default_rng(3)
    gray = rng.integers(0, 256, (5, 7), dtype=np.uint8)
    colours = rng.integers(0, 256, (5, 7, 4), dtype=np.uint8)
    near = {"rtol": 0, "atol": 2e-7}  # float32, in a handful of operations on numbers up to 1
    found = client.array(image(gray))
    assert (found["shape"], found["note"], found["integers"]) == ([5, 7], None, False)
    np.testing.assert_allclose(unpacked(found["values"]), gray / 255, **near)
    light = (colours[..., :3] * [0.299, 0.587, 0.114]).sum(axis=2) / 255
    found = client.array(image(np.ascontiguousarray(colours[..., :3])))
    assert "colours" in found["note"]
    np.testing.assert_allclose(unpacked(found["values"]), light, **near)
    opaque = colours[..., 3] / 255
    found = client.array(image(colours))
    assert "transparent" in found["note"]
    np.testing.assert_allclose(unpacked(found["values"]), light * opaque + 1 - opaque, **near)
    deep = rng.integers(1000, 60000, (4, 4), dtype=np.uint16)
    found = client.array(image(deep))
    assert "stretched" in found["note"]
    np.testing.assert_allclose(unpacked(found["values"]), (deep - deep.min()) / np.ptp(deep), **near)
    floats = np.array([[np.nan, 2, 6], [np.inf, 4, -np.inf]], dtype=np.float32)
    found = client.array(image(floats, "TIFF"))
    np.testing.assert_array_equal(unpacked(found["values"]), [[np.nan, 0, 1], [np.inf, 0.5, -np.inf]])
    for kind in ("JPEG", "WEBP", "TIFF"):
        assert client.array(image(np.full((8, 8), 255, np.uint8), kind))["shape"] == [8, 8]
    constant = client.array(image(np.full((2, 2), 7, np.uint16)))
    np.testing.assert_array_equal(unpacked(constant["values"]), 0)


def test_a_photograph_is_scaled_down_in_its_shape(client: Client) -> None:
    wide = np.zeros((600, 900), np.uint8)
    wide[:, 450:] = 255
    found = client.array(image(wide))
    assert found["shape"] == [341, 512]
    assert "600x900" in found["note"]
    assert "341x512" in found["note"]
    cells = unpacked(found["values"])
    np.testing.assert_array_equal(cells, np.repeat([[0.0] * 256 + [1.0] * 256], 341, axis=0))
    assert client.array(image(np.zeros((1, 5000), np.uint8)))["shape"] == [1, 512]


def test_how_a_camera_was_held_is_heeded(client: Client) -> None:
    module = pytest.importorskip("PIL.Image", reason="Pillow is not installed: no images")
    exif = module.Exif()
    exif[0x0112] = 6  # turned by a quarter
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    found = client.array(image(pixels, exif=exif.tobytes()))
    np.testing.assert_allclose(unpacked(found["values"]) * 255, np.rot90(pixels, -1), rtol=0, atol=1e-5)  # float32


class Trap:
    """Says so when somebody loads it."""

    def __reduce__(self) -> Any:
        return os.system, ("touch /tmp/cenote-explorer-loaded-a-pickle",)


def bad_files() -> dict[str, tuple[int, str, Any]]:
    whole = npy(np.zeros((4, 4)))
    header = whole.replace(b"'<f8'", b"'|O' ")
    huge = whole.replace(b"(4, 4)", b"(4" + b"0" * 15 + b", 4)")
    negative = whole.replace(b"(4, 4)", b"(-4, 4)")
    code = whole.replace(b"(4, 4)", b"__import__('os')")
    zipped = io.BytesIO()
    np.savez(zipped, np.zeros(3))
    return {
        "text": (415, "PNG", b"hello"),
        "svg": (415, "PNG", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        "pickle": (415, "pickle", pickle.dumps(Trap())),
        "old pickle": (415, "PNG", pickle.dumps(Trap(), protocol=0)),
        "npz": (415, "zip", zipped.getvalue()),
        "hdf5": (415, "HDF5", b"\x89HDF\r\n\x1a\n" + bytes(50)),
        "objects": (422, "never loaded", npy(np.array([Trap()], dtype=object), objects=True)),
        "objects by header": (422, "never loaded", header),
        "cut": (422, "cut short", whole[:-1]),
        "magic alone": (422, "no .npy", b"\x93NUMPY"),
        "version": (422, "no .npy", b"\x93NUMPY\x09\x00" + whole[8:]),
        "huge": (422, "cut short", huge),
        "negative": (422, "", negative),
        "code": (422, "no .npy", code),
        "number": (422, "no axis", npy(np.array(1.0))),
        "no cells": (422, "no cells", npy(np.zeros((3, 0)))),
        "complex": (422, "complex128", npy(np.zeros(3, complex))),
        "text array": (422, "real numbers", npy(np.array(["a"]))),
        "dates": (422, "real numbers", npy(np.array([0], "M8[s]"))),
        "records": (422, "real numbers", npy(np.zeros(2, "i4,f4"))),
    }


@pytest.mark.parametrize("name", bad_files())
def test_what_is_no_array_and_no_image_gets_one_sentence(client: Client, name: str) -> None:
    status, word, content = bad_files()[name]
    client.ask("POST", "/array", content).refused(status, word)
    assert not Path("/tmp/cenote-explorer-loaded-a-pickle").exists()


def test_damaged_images_get_one_sentence(client: Client) -> None:
    whole = image(np.random.default_rng(4).integers(0, 256, (40, 40), dtype=np.uint8))
    client.ask("POST", "/array", whole[:60]).refused(422, "damaged")
    width = struct.pack(">I", 40_000)
    bomb = image(np.zeros((1, 1), np.uint8))
    bomb = bomb[:16] + width + width + bomb[24:]
    client.ask("POST", "/array", bomb).refused(415)  # whose checksum is wrong is not taken for a PNG
    chunk = b"IHDR" + width + width + bytes([8, 0, 0, 0, 0])
    bomb = bomb[:12] + chunk + struct.pack(">I", zlib.crc32(chunk)) + bomb[33:]
    client.ask("POST", "/array", bomb).refused(422, "pixels")
    client.ask("POST", "/array", image(np.zeros((2, 2), np.uint8), "GIF")).refused(415)
    client.still_answers()


def test_no_pillow_no_images(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    content = image(np.zeros((2, 2), np.uint8))
    for name in [name for name in sys.modules if name.split(".")[0] == "PIL" or name.endswith("reading.images")]:
        monkeypatch.delitem(sys.modules, name)
    import cenote.explorer.reading

    monkeypatch.delattr(cenote.explorer.reading, "images", raising=False)
    monkeypatch.setitem(sys.modules, "PIL", None)
    client.ask("POST", "/array", content).refused(415, "cenote[explorer]")
    assert client.array(npy(np.zeros(3)))["shape"] == [3]


def test_pixels_are_counted_before_they_are_decoded() -> None:
    from cenote.explorer.reading import Source, Unreadable, images

    content = image(np.zeros((20, 20), np.uint8))
    assert images.read(Source("mine", content), 400).array.shape == (20, 20)
    for way in (images.read, images.header):
        with pytest.raises(Unreadable, match="mine: has more than 399 pixels.*scale it down first"):
            way(Source("mine", content), 399)


def test_opened_for_whoever_wants_every_axis() -> None:
    given = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    found = uploads.opened(npy(given), who="mine.npy")
    np.testing.assert_array_equal(found.cells, given, strict=True)
    assert (found.kind, found.note) == ("array", None)
    found = uploads.opened(image(np.zeros((600, 900), np.uint8)))
    assert (found.kind, found.cells.shape, found.size) == ("image", (341, 512), (600, 900))
    assert "scaled down" in (found.note or "")
    for content in (b"", b"text", npy(np.zeros(3, complex)), npy(np.array(1))):
        with pytest.raises(CenoteError, match="^mine.npy: "):
            uploads.opened(content, who="mine.npy")
