"""IDX files: read where they are whole; every way of being damaged is told, and nothing is allocated on a claim."""

from __future__ import annotations

import gzip
import importlib.util
import os
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if importlib.util.find_spec("keras") is None:  # looked for, not imported: the lab chooses its backend first
    pytest.skip("Keras is not installed: the lab does not run", allow_module_level=True)

import mnist_here
from cenote.lab.datasets import DataError, load
from lab_datasets import idx, noise, put, refused

MNIST = mnist_here.FOLDER
FORMS = ("-idx", ".idx")


@st.composite
def arrays(draw: st.DrawFn, h: int, w: int) -> tuple[np.ndarray, np.ndarray]:
    n = draw(st.integers(2, 7))
    values = draw(st.binary(min_size=n * h * w, max_size=n * h * w))
    labels = draw(st.lists(st.integers(0, 9), min_size=n, max_size=n))
    return np.frombuffer(values, np.uint8).reshape(n, h, w), np.array(labels)


@settings(max_examples=60)
@given(st.data(), st.integers(1, 6), st.integers(1, 6))
def test_idx_round_trip(data: st.DataObject, h: int, w: int) -> None:
    """Two parts in whatever spelling, plain or compressed: the bytes over 255, the labels as they are."""
    with tempfile.TemporaryDirectory() as name:
        parts = {}
        for part in ("train", "t10k"):
            parts[part] = data.draw(arrays(h, w))
            put(
                Path(name),
                part,
                *parts[part],
                data.draw(st.sampled_from(FORMS)),
                data.draw(st.sampled_from(["", ".gz"])),
            )
        found = load(name)
    assert found.shape == (h, w, 1)
    for x, y, (images, labels) in (
        (found.x_train, found.y_train, parts["train"]),
        (found.x_test, found.y_test, parts["t10k"]),
    ):
        assert x.dtype == np.float32
        assert (x[..., 0] == (images / 255).astype(np.float32)).all()
        assert np.rint(x[..., 0] * 255).astype(int).tolist() == images.tolist()
        assert y.tolist() == labels.tolist()


@settings(max_examples=40)
@given(st.integers(2, 40), st.sampled_from(["train", "t10k"]), st.sampled_from(["", ".gz"]))
def test_one_pair_is_split_in_file_order(n: int, part: str, end: str) -> None:
    images, labels = noise(n, 2, 3), np.arange(n) % 10
    with tempfile.TemporaryDirectory() as name:
        put(Path(name), part, images, labels, end=end)
        found = load(name)
    first = int(0.8 * n + 1e-9)
    assert len(found.x_train) == first
    assert np.rint(np.concatenate([found.x_train, found.x_test])[..., 0] * 255).astype(int).tolist() == images.tolist()
    assert np.concatenate([found.y_train, found.y_test]).tolist() == labels.tolist()
    assert f"the first {first} images to train and the last {n - first} to test" in found.note


def test_plain_comes_before_compressed_and_both_say_the_same(tmp_path: Path) -> None:
    images, labels = noise(10, 3, 3), np.arange(10)
    for folder, end in (("plain", ""), ("packed", ".gz")):
        put(tmp_path / folder, "t10k", images, labels, end=end)
    plain = load(tmp_path / "plain")
    assert plain.digest == load(tmp_path / "packed").digest
    put(tmp_path / "plain", "t10k", noise(10, 3, 3), labels, end=".gz")
    assert load(tmp_path / "plain").digest == plain.digest


@pytest.fixture
def ten(tmp_path: Path) -> Path:
    """A folder with one good pair of ten images, 3 x 2."""
    put(tmp_path / "ten", "t10k", noise(10, 3, 2), np.arange(10))
    return tmp_path / "ten"


IMAGES, LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


@pytest.mark.parametrize("name, header", [(IMAGES, 16), (LABELS, 8)])
@pytest.mark.parametrize("end", ["", ".gz"])
def test_cut_short_at_every_byte(ten: Path, name: str, header: int, end: str) -> None:
    """Of the plain bytes; compressed, each cut is a whole gzip file of fewer bytes."""
    whole = (ten / name).read_bytes()
    (ten / name).unlink()
    target = ten / (name + end)
    for count in range(len(whole)):
        target.write_bytes(gzip.compress(whole[:count]) if end else whole[:count])
        if count == 0 and not end:
            refused(ten, target, "is empty, expected an IDX file")
        elif count < header:
            refused(ten, target, f"ends within its header, after {count} of {header} bytes")
        else:
            refused(ten, target, f"has {count - header} bytes of data, expected {len(whole) - header}")
    target.write_bytes(gzip.compress(whole) if end else whole)
    assert len(load(ten).x_train) == 8


@pytest.mark.parametrize("name", [IMAGES, LABELS])
def test_compressed_data_cut_short_at_every_byte(ten: Path, name: str) -> None:
    packed = gzip.compress((ten / name).read_bytes())
    (ten / name).unlink()
    target = ten / f"{name}.gz"
    for count in range(len(packed)):
        target.write_bytes(packed[:count])
        refused(ten, target, "expected")


def test_compressed_data_with_one_wrong_byte(ten: Path) -> None:
    """Found, or a byte that means nothing here: flags, time, level, system, and what fills up the last data byte."""
    want = load(ten).digest
    packed = gzip.compress((ten / IMAGES).read_bytes(), mtime=0)
    (ten / IMAGES).unlink()
    target = ten / f"{IMAGES}.gz"
    harmless, told = set(), set()
    for place in range(len(packed)):
        for flip in (0x01, 0x80, 0xFF):
            target.write_bytes(packed[:place] + bytes([packed[place] ^ flip]) + packed[place + 1 :])
            try:
                found = load(ten)
            except DataError as error:
                told.add(str(error).startswith(f"load: {target}: "))
            else:
                assert found.digest == want
                harmless.add(place)
    assert told == {True}
    assert harmless <= {*range(3, 10), len(packed) - 9}


@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize("more", [b"\0", b"x", b"\0" * 5000])
def test_bytes_behind_the_data(ten: Path, end: str, more: bytes) -> None:
    whole = (ten / IMAGES).read_bytes()
    (ten / IMAGES).unlink()
    target = ten / (IMAGES + end)
    target.write_bytes(gzip.compress(whole + more) if end else whole + more)
    found = "goes on behind its data" if end else f"has {60 + len(more):,} bytes of data"
    refused(ten, target, f"{found}, expected 60")


def test_rubbish_behind_compressed_data(ten: Path) -> None:
    (ten / f"{IMAGES}.gz").write_bytes(gzip.compress((ten / IMAGES).read_bytes()) + b"rubbish")
    (ten / IMAGES).unlink()
    refused(ten, f"{IMAGES}.gz", "is damaged, expected a gzip file")


@pytest.mark.parametrize("name, rank", [(IMAGES, 3), (LABELS, 1)])
def test_every_wrong_magic_byte(ten: Path, name: str, rank: int) -> None:
    whole = (ten / name).read_bytes()
    said = {0: "is no IDX file", 1: "is no IDX file", 2: "holds values that are", 3: f"axes, expected {rank}"}
    for place, words in said.items():
        for value in {whole[place] ^ 1 << bit for bit in range(8)} | {9, 11, 12, 13, 14, 255} - {whole[place]}:
            (ten / name).write_bytes(whole[:place] + bytes([value]) + whole[place + 1 :])
            refused(ten, name, words, "starts with", f"expected 00 00 08 0{rank}")
    (ten / name).write_bytes(whole[:2] + b"\x0d" + whole[3:])
    refused(ten, name, "holds values that are float32", "save them as unsigned bytes")


@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize("name", [IMAGES, LABELS])
def test_every_wrong_byte_in_the_lengths(ten: Path, name: str, end: str) -> None:
    """Up to a claim of 2**31 x 2**31 x 2**31 bytes: never is more allocated than the file holds."""
    whole = (ten / name).read_bytes()
    (ten / name).unlink()
    target = ten / (name + end)
    header = 16 if name == IMAGES else 8
    claims = [whole[:p] + bytes([v]) + whole[p + 1 :] for p in range(4, header) for v in {0, 1, 128, 255} - {whole[p]}]
    claims.append(whole[:4] + b"\xff" * (header - 4) + whole[header:])
    tracemalloc.start()
    try:
        for claim in claims:
            target.write_bytes(gzip.compress(claim) if end else claim)
            refused(ten, target, "its header says", *(() if b"\0" * 4 in claim[4:header] else ("expected",)))
        # the pieces in which a file is read, and Python's own
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_an_empty_set(ten: Path) -> None:
    (ten / IMAGES).write_bytes(idx(np.zeros((0, 28, 28), np.uint8)))
    refused(ten, IMAGES, "is an empty set: its header says 0 x 28 x 28")


def test_more_labels_than_images(ten: Path) -> None:
    for count in (9, 11):
        (ten / LABELS).write_bytes(idx(np.zeros(count, np.uint8)))
        refused(ten, LABELS, f"has {count} labels, expected 10, one for each image of {IMAGES}")


@pytest.mark.parametrize("part", ["train", "t10k"])
@pytest.mark.parametrize("kind, rank", [("images", 3), ("labels", 1)])
def test_a_missing_partner(tmp_path: Path, part: str, kind: str, rank: int) -> None:
    for each in ("train", "t10k"):
        put(tmp_path, each, noise(4, 2, 2), np.arange(4), end=".gz")
    (tmp_path / f"{part}-{kind}-idx{rank}-ubyte.gz").unlink()
    refused(tmp_path, f"{part}-{kind}-idx{rank}-ubyte", "is missing (plain or .gz), expected beside", ".gz")


def test_swapped_files(ten: Path) -> None:
    images, labels = (ten / IMAGES).read_bytes(), (ten / LABELS).read_bytes()
    (ten / IMAGES).write_bytes(labels)
    (ten / LABELS).write_bytes(images)
    refused(ten, IMAGES, "has 1 axes, expected 3", "are images and labels swapped?")


def test_compressed_under_a_plain_name_and_the_other_way(ten: Path) -> None:
    whole = (ten / IMAGES).read_bytes()
    (ten / IMAGES).write_bytes(gzip.compress(whole))
    refused(ten, IMAGES, "is compressed by gzip", "add .gz to its name")
    (ten / IMAGES).unlink()
    (ten / f"{IMAGES}.gz").write_bytes(whole)
    refused(ten, f"{IMAGES}.gz", "is not compressed by gzip: starts with 00 00, expected 1f 8b", "take .gz off")


def test_parts_of_two_sizes(ten: Path) -> None:
    put(ten, "train", noise(10, 2, 3), np.arange(10))
    with pytest.raises(DataError, match="has images of 2 x 3 to train and of 3 x 2 to test"):
        load(ten)


def test_one_image_cannot_be_split(tmp_path: Path) -> None:
    put(tmp_path, "t10k", noise(1, 2, 2), np.zeros(1))
    refused(tmp_path, LABELS, "has 1 image")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_no_file(ten: Path) -> None:
    (ten / IMAGES).unlink()
    os.mkfifo(ten / IMAGES)
    refused(ten, IMAGES, "is no file, expected an IDX file")
    (ten / IMAGES).unlink()
    (ten / IMAGES).mkdir()
    refused(ten, IMAGES, "is no file, expected an IDX file")
    (ten / IMAGES).rmdir()
    (ten / IMAGES).symlink_to(ten / "nothing")
    refused(ten, IMAGES, "cannot be read (no such file or directory)")


@pytest.mark.parametrize("place", [0, 7, 8, 9])
@pytest.mark.parametrize("value", [10, 137, 255])
def test_a_label_out_of_range(ten: Path, place: int, value: int) -> None:
    labels = np.arange(10, dtype=np.uint8)
    labels[place] = value
    (ten / LABELS).write_bytes(idx(labels))
    refused(ten, LABELS, f"labels image {place} (counted from 0) as {value}, expected 0 to 9")


def test_a_label_out_of_range_in_one_part(ten: Path) -> None:
    put(ten, "train", noise(11, 3, 2), np.arange(11))
    refused(ten, "train-labels-idx1-ubyte", "labels image 10 (counted from 0) as 10")
    put(ten, "t10k", noise(12, 3, 2), np.arange(12))
    put(ten, "train", noise(10, 3, 2), np.arange(10))
    refused(ten, LABELS, "labels image 10 (counted from 0) as 10")


def test_more_than_ten_classes_are_numbers(tmp_path: Path) -> None:
    for part in ("train", "t10k"):
        put(tmp_path, part, noise(47, 2, 2), np.arange(47))
    found = load(tmp_path)
    assert found.classes == tuple(map(str, range(47)))
    assert found.y_test.tolist() == list(range(47))


@pytest.mark.parametrize(
    "folder, is_known",
    [
        ("fashion-mnist", True),
        ("FashionMNIST/raw", True),
        ("Fashion", True),
        ("mnist", False),
        ("fashion/digits", False),
    ],
)
def test_names_of_fashion_where_they_can_be_known(tmp_path: Path, folder: str, is_known: bool) -> None:
    put(tmp_path / folder, "t10k", noise(10, 2, 2), np.arange(10))
    found = load(tmp_path / folder)
    assert found.classes == (
        ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
        if is_known
        else tuple("0123456789")
    )
    if is_known:
        (tmp_path / folder / LABELS).write_bytes(idx(np.arange(1, 11, dtype=np.uint8)))
        refused(tmp_path / folder, LABELS, "as 10, expected 0 to 9")
        for part in ("train", "t10k"):
            put(tmp_path / folder, part, noise(11, 2, 2), np.arange(11))
        refused(tmp_path / folder, "train-labels-idx1-ubyte", "as 10, expected 0 to 9")


def test_input_and_classes_of_a_folder(ten: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(ten, input=(4, 5, 3), classes=["9", "1", "8"])
    assert found.shape == (4, 5, 3)
    assert found.classes == ("9", "1", "8")
    assert (found.y_train.tolist(), found.y_test.tolist()) == ([1], [2, 0])
    monkeypatch.chdir(ten)
    assert load(".").name == "ten"
    assert "\n" not in load(".").note


@mnist_here.needed
def test_mnist_itself() -> None:
    found = load(MNIST)
    assert found.x_train.shape == (8000, 28, 28, 1)
    assert found.x_test.shape == (2000, 28, 28, 1)
    assert found.y_train[:5].tolist() == [7, 2, 1, 0, 4]
    assert found.classes == tuple("0123456789")
    with gzip.open(MNIST / f"{IMAGES}.gz") as images, gzip.open(MNIST / f"{LABELS}.gz") as labels:
        pixels, numbers = images.read()[16:], labels.read()[8:]
    assert np.rint(found.x_train * 255).astype(np.uint8).tobytes() == pixels[: 8000 * 784]
    assert np.rint(found.x_test * 255).astype(np.uint8).tobytes() == pixels[8000 * 784 :]
    assert found.y_train.astype(np.uint8).tobytes() + found.y_test.astype(np.uint8).tobytes() == numbers
    assert len(found.limited(100, 50).x_test) == 50


def test_a_folder_called_like_a_file(ten: Path) -> None:
    """Unpackers put a file into a folder of its own name, and the file lies beside it under the other spelling."""
    want = load(ten).digest
    (ten / IMAGES).rename(ten / "t10k-images.idx3-ubyte")
    (ten / IMAGES).mkdir()
    assert load(ten).digest == want
    (ten / LABELS).rename(ten / "labels")
    (ten / LABELS).mkdir()
    refused(ten, LABELS, "is no file, expected an IDX file")


@pytest.mark.parametrize("above", ["MNIST", "."])
def test_a_folder_above_the_files(tmp_path: Path, above: str) -> None:
    """Where torchvision has put them; FashionMNIST beside it is another choice."""
    for name in ("MNIST", "FashionMNIST"):
        put(tmp_path / name / "raw", "t10k", noise(10, 3, 2), np.arange(10))
        (tmp_path / name / "processed").mkdir()
    found = tmp_path / ("FashionMNIST" if above == "." else "MNIST") / "raw"
    refused(tmp_path / above, ".", "has no IDX files itself", f"give {found}")
    assert load(tmp_path / "MNIST" / "raw").classes == tuple("0123456789")
