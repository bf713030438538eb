"""The lab's data: what a dataset promises, and what is loaded by its name."""

from __future__ import annotations

import importlib.util
import pickle
import re
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if importlib.util.find_spec("keras") is None:  # looked for, not imported: the lab chooses its backend first
    pytest.skip("Keras is not installed: the lab does not run", allow_module_level=True)

from cenote.errors import CenoteError
from cenote.lab.datasets import DATASETS, Dataset, MissingPackageError, load
from fresh import python
from lab_datasets import noise, put, refused

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed: the lab's loaders do not run")


def unit(*shape: int) -> np.ndarray:
    return noise(*shape).astype(np.float32) / np.float32(255)


def dataset(n: int = 6, m: int = 3, shape: tuple[int, int, int] = (3, 2, 1), classes: str = "abc") -> Dataset:
    labels = np.arange(n + m, dtype=np.int64) % len(classes)
    return Dataset("some", unit(n, *shape), labels[:n], unit(m, *shape), labels[n:], tuple(classes), "made here")


# --- Dataset --------------------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "float64": ({"x_train": np.zeros((6, 3, 2, 1))}, "x_train is float32, got float64"),
    "bytes": ({"x_test": np.zeros((3, 3, 2, 1), np.uint8)}, "x_test is float32, got uint8; divide bytes by 255"),
    "big-endian": ({"x_train": np.zeros((6, 3, 2, 1), ">f4")}, "x_train is float32, got >f4"),
    "no channel axis": ({"x_train": np.zeros((6, 3, 2), np.float32)}, "has 4 axes"),
    "list": ({"x_train": [[0.5]]}, "is a NumPy array"),
    "masked": ({"x_train": np.ma.zeros((6, 3, 2, 1), np.float32)}, "is a NumPy array"),
    "above 1": ({"x_train": np.full((6, 3, 2, 1), np.nextafter(np.float32(1), 2))}, "lies in 0..1"),
    "below 0": ({"x_test": np.full((3, 3, 2, 1), -np.finfo(np.float32).smallest_subnormal)}, "lies in 0..1"),
    "NaN": ({"x_test": np.full((3, 3, 2, 1), np.nan, np.float32)}, "lies in 0..1, got values from nan"),
    "inf": ({"x_test": np.full((3, 3, 2, 1), np.inf, np.float32)}, "lies in 0..1"),
    "no image": ({"x_test": np.zeros((0, 3, 2, 1), np.float32)}, "x_test holds something"),
    "no pixel": ({"x_test": np.zeros((3, 0, 2, 1), np.float32)}, "x_test holds something"),
    "other shape": ({"x_test": np.zeros((3, 2, 3, 1), np.float32)}, "to train are 3 x 2 x 1, images to test 2 x 3 x 1"),
    "int32 labels": ({"y_train": np.zeros(6, np.int32)}, "y_train is int64, got int32"),
    "column of labels": ({"y_train": np.zeros((6, 1), np.int64)}, "y_train has 1 axes"),
    "too few labels": ({"y_train": np.zeros(5, np.int64)}, "y_train has 5 labels for 6 images"),
    "label too large": ({"y_test": np.array([0, 3, 0])}, "y_test is 0 to 2"),
    "negative label": ({"y_test": np.array([0, -1, 0])}, "y_test is 0 to 2"),
    "one class": ({"classes": ("a",)}, "two classes or more"),
    "same class twice": ({"classes": ("a", "b", "a")}, "names 'a' twice"),
    "classes in one text": ({"classes": "abc"}, "tuple of names"),
    "numbers as classes": ({"classes": (0, 1, 2)}, "tuple of names"),
    "no name": ({"name": ""}, "name is a text"),
    "no note": ({"note": "  "}, "note is a text"),
}


@pytest.mark.parametrize("change, said", WRONG.values(), ids=WRONG)
def test_a_dataset_checks_itself(change: dict[str, Any], said: str) -> None:
    with pytest.raises(CenoteError, match=f"^Dataset: .*{re.escape(said)}"):
        replace(dataset(), **change)


def test_a_list_of_classes_becomes_a_tuple() -> None:
    assert replace(dataset(), classes=["x", "y", "z"]).classes == ("x", "y", "z")  # type: ignore[arg-type]


def test_digest_changes_with_all_that_matters() -> None:
    data = dataset()
    found = {data.digest}
    for field in ("x_train", "x_test"):
        pixel = getattr(data, field).copy()
        pixel[-1, -1, -1, -1] = np.nextafter(pixel[-1, -1, -1, -1], np.float32(0.5))
        found.add(replace(data, **{field: pixel}).digest)
    for field in ("y_train", "y_test"):
        label = getattr(data, field).copy()
        label[-1] = (label[-1] + 1) % 3
        found.add(replace(data, **{field: label}).digest)
    found.add(replace(data, classes=("a", "b", "d")).digest)
    found.add(replace(data, classes=("a", "c", "b")).digest)
    found.add(replace(data, x_train=data.x_train[::-1]).digest)
    # the same bytes in the same order, cut elsewhere
    found.add(
        replace(data, **{f"x_{p}": getattr(data, f"x_{p}").reshape(-1, 2, 3, 1) for p in ("train", "test")}).digest
    )
    x, y = np.concatenate([data.x_train, data.x_test]), np.concatenate([data.y_train, data.y_test])
    found.add(replace(data, x_train=x[:5], y_train=y[:5], x_test=x[5:], y_test=y[5:]).digest)
    assert len(found) == 10
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in found)


def test_digest_knows_neither_names_nor_memory_layout() -> None:
    data = dataset(shape=(3, 2, 3))
    same = replace(data, name="other", note="other", x_train=np.asfortranarray(data.x_train), x_test=data.x_test.copy())
    assert not same.x_train.flags.c_contiguous
    assert same.digest == data.digest == pickle.loads(pickle.dumps(data)).digest


def test_digest_stays_what_it_was() -> None:
    """Folders of stopped experiments hold it: they could not go on after a change of the rule."""
    x, y = (np.arange(24, dtype=np.float32) / 32).reshape(4, 3, 2, 1), np.array([0, 1, 1, 0])
    data = Dataset("n", x, y, x[:2], y[:2], ("cat", "dög"), "n")
    assert data.digest == "78c1ac75c9061d797a2a223ed8666826d1e018ce55897c3f5860f1f4ebf27eae"


def test_of_classes_keeps_and_renumbers() -> None:
    data = dataset(40, 20, classes="abcd")
    found = data.of_classes(["d", "b"])
    for part in ("train", "test"):
        x, y = getattr(data, f"x_{part}"), getattr(data, f"y_{part}")
        kept = [
            (image.tolist(), "db".index("abcd"[label])) for image, label in zip(x, y, strict=True) if label in (1, 3)
        ]
        pairs = zip(getattr(found, f"x_{part}").tolist(), getattr(found, f"y_{part}").tolist(), strict=True)
        assert list(pairs) == kept
    assert found.classes == ("d", "b")
    assert "d, b" in found.note
    assert data.of_classes(tuple("abcd")) is data


@pytest.mark.parametrize(
    "chosen, said",
    [
        (["a", "x"], "some has no class 'x'; choose among 'a', 'b', 'c'"),
        ([0, 1], "some has no class 0"),
        ("ab", "is a list of class names, got 'ab'"),
        (["a"], "two or more different classes"),
        ([], "two or more different classes"),
        (["a", "a"], "two or more different classes"),
    ],
)
def test_of_classes_refuses(chosen: Any, said: str) -> None:
    with pytest.raises(CenoteError, match=re.escape(said)):
        dataset().of_classes(chosen)


def test_of_classes_without_test_images() -> None:
    with pytest.raises(CenoteError, match=r"has no image of \['b', 'c'\] to test"):
        dataset(3, 1).of_classes(["b", "c"])


@settings(max_examples=60)
@given(st.tuples(*[st.integers(1, 9)] * 4), st.sampled_from([1, 3]), st.sampled_from([1, 3]))
def test_resized(sizes: tuple[int, int, int, int], before: int, after: int) -> None:
    """Against Pillow on each channel, and against one sum of products for the grey."""
    h, w, height, width = sizes
    data = dataset(3, 2, (h, w, before))
    found = data.resized((height, width, after))
    assert found.shape == (height, width, after)
    assert found.classes == data.classes
    for part in ("train", "test"):
        x, got = getattr(data, f"x_{part}").astype(np.float64), getattr(found, f"x_{part}")
        assert (getattr(found, f"y_{part}") == getattr(data, f"y_{part}")).all()
        if before > after:
            x = (x @ np.array([0.299, 0.587, 0.114]))[..., None]
        for image, result in zip(x.astype(np.float32), got, strict=True):
            for c in range(after):
                plane = Image.fromarray(np.ascontiguousarray(image[..., min(c, image.shape[2] - 1)]))
                wanted = np.asarray(plane.resize((width, height), Image.Resampling.BICUBIC)).clip(0, 1)
                # the oracle's grey may be the neighbouring float32; weights of a bicubic sum stay below 2
                np.testing.assert_allclose(result[..., c], wanted, atol=2**-23 if before > after else 0)


def test_resized_does_not_overshoot() -> None:
    step = np.zeros((1, 8, 8, 1), np.float32)
    step[:, :, 4:] = 1
    y = np.zeros(1, np.int64)
    found = Dataset("step", step, y, step, y, ("a", "b"), "a step").resized((8, 32, 1)).x_train
    raw = np.asarray(Image.fromarray(step[0, :, :, 0]).resize((32, 8), Image.Resampling.BICUBIC))
    assert raw.min() < 0 < 1 < raw.max()  # what clipping is for
    assert found.min() == 0
    assert found.max() == 1


def test_grey_to_colours_and_back_is_exact() -> None:
    data = dataset(20, 20, (7, 5, 1))
    colours = data.resized((7, 5, 3))
    assert (colours.x_train == data.x_train).all()
    assert colours.resized((7, 5, 1)).digest == data.digest
    assert data.resized((7, 5, 1)) is data


@pytest.mark.parametrize(
    "shape, said",
    [
        ((20, 20), "a shape is (height, width, channels), got (20, 20)"),
        (20, "a shape is (height, width, channels), got 20"),
        ("20x20x3", "a shape is (height, width, channels)"),
        ((20, 20, 2), "channels is 1 (grey) or 3 (RGB), got 2"),
        ((0, 20, 3), "height is at least 1"),
        ((20, 2.5, 3), "width is a whole number"),
    ],
)
def test_a_shape_that_is_none(shape: Any, said: str) -> None:
    for call in (dataset().resized, lambda shape: load("digits", input=shape)):
        with pytest.raises(CenoteError, match=re.escape(said)):
            call(shape)


def test_resizing_what_is_neither_grey_nor_colours() -> None:
    with pytest.raises(CenoteError, match="have 2 channels"):
        dataset(shape=(3, 2, 2)).resized((4, 4, 3))


def test_resizing_beyond_memory() -> None:
    with pytest.raises(MemoryError, match="do not fit into memory"):
        dataset().resized((2**31, 2**31, 3))


def test_limited() -> None:
    data = dataset(6, 3)
    found = data.limited(4, 2)
    assert (len(found.x_train), len(found.y_train), len(found.x_test), len(found.y_test)) == (4, 4, 2, 2)
    assert (found.x_train == data.x_train[:4]).all()
    assert (found.y_test == data.y_test[:2]).all()
    assert "the first 4 to train and the first 2 to test" in found.note
    assert data.limited() is data.limited(6, 3) is data
    assert len(data.limited(test=1).x_train) == 6
    with pytest.raises(CenoteError, match="train is 7 but some has 6 images to train"):
        data.limited(7)
    with pytest.raises(CenoteError, match="test is at least 1, got 0"):
        data.limited(test=0)


# --- by name --------------------------------------------------------------------------------------------------------


def test_what_is_understood() -> None:
    assert DATASETS == ("digits", "mnist", "fashion_mnist")
    for wrong in ("letters", "MNIST", "", 3, None, b"digits"):
        with pytest.raises(
            CenoteError, match="digits, mnist, fashion_mnist, a folder with IDX files .* for each class"
        ):
            load(wrong)  # type: ignore[arg-type]


def test_what_the_system_says_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to("round")
    refused(tmp_path / "round", ".", "cannot be read (too many levels of symbolic links)")
    (tmp_path / "file").write_bytes(b"")
    refused(tmp_path / "file", ".", "is a file, expected a folder")


@pytest.fixture(scope="module")
def digits() -> Dataset:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: there are no digits offline")
    return load("digits")


def test_digits_are_split_by_every_fifth(digits: Dataset) -> None:
    from sklearn.datasets import load_digits

    raw = load_digits()
    seen: dict[int, int] = dict.fromkeys(range(10), 0)
    parts: tuple[list[int], list[int]] = ([], [])
    for sample, label in enumerate(raw.target.tolist()):
        seen[label] += 1
        parts[seen[label] % 5 == 0].append(sample)
    assert (len(parts[0]), len(parts[1])) == (1442, 355)
    for x, y, samples in ((digits.x_train, digits.y_train, parts[0]), (digits.x_test, digits.y_test, parts[1])):
        assert x.shape == (len(samples), 28, 28, 1)
        assert y.tolist() == raw.target[samples].tolist()
        assert min(np.bincount(y)) > 30
        assert x.min() == 0
        assert x.max() == 1
        # made small again by means of boxes it is about the digit, and nothing is turned or mirrored
        small = np.asarray([Image.fromarray(i[..., 0]).resize((8, 8), Image.Resampling.BOX) for i in x])
        wanted = raw.images[samples] / 16
        distances = [np.abs(small - other).mean() for other in (wanted, wanted[:, ::-1], wanted.transpose(0, 2, 1))]
        assert distances[0] < 0.06 < 2 * 0.06 < min(distances[1:])
    assert digits.classes == tuple("0123456789")
    assert "scikit-learn" in digits.note


def test_digits_of_the_demo_are_among_them(digits: Dataset) -> None:
    from cenote.demo import digits as shown

    everything = np.concatenate([digits.x_train, digits.x_test])[..., 0]
    labels = np.concatenate([digits.y_train, digits.y_test])
    for label, image in shown():
        (places,) = np.nonzero((everything == image).all(axis=(1, 2)))
        assert labels[places].tolist() == [int(label)]


def test_digits_for_the_tutorial(digits: Dataset) -> None:
    found = load("digits", classes=["3", "8"], input=(20, 20, 3))
    assert found.shape == (20, 20, 3)
    assert found.classes == ("3", "8")
    assert len(found.x_train) == np.isin(digits.y_train, (3, 8)).sum()
    assert (
        found.digest
        == digits.of_classes(["3", "8"]).resized((20, 20, 3)).digest
        == load("digits", classes=("3", "8"), input=[20, 20, 3]).digest
    )


@pytest.mark.parametrize("package, name", [("sklearn.datasets", "digits"), ("PIL", "."), ("keras", "mnist")])
def test_without_a_package(package: str, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # what the import machinery finds where nothing is installed
    from cenote.lab.datasets import pictures

    pictures.suffixes.cache_clear()
    for name_of_class in ("cat", "dog"):
        (tmp_path / name_of_class).mkdir()
        (tmp_path / name_of_class / "1.png").touch()
    with pytest.raises(CenoteError, match=r"pip install 'cenote\[lab\]'") as caught:
        load(name if name != "." else tmp_path)
    assert package == "keras" or isinstance(caught.value, MissingPackageError | ImportError)


# --- by Keras -------------------------------------------------------------------------------------------------------


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keras's home, empty, and a network whose only way out is closed."""
    if importlib.util.find_spec("jax") is None:
        pytest.skip("JAX is not installed: the lab's backend is not the one expected here")
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{door.getsockname()[1]}"  # bound but not listening: every connection is refused
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, closed)
        for name in ("no_proxy", "NO_PROXY", "KERAS_BACKEND"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
        (tmp_path / "home").mkdir()
        yield tmp_path / "home"


@pytest.mark.keras
def test_datasets_of_keras(offline: Path) -> None:
    """Without a network and without a cache; then from the cache, whole, cut short and mismatched."""
    cache = offline / "datasets" / "fashion-mnist"
    for part, count in (("train", 60), ("t10k", 20)):
        put(cache, part, noise(count, 28, 28), np.arange(count) % 10, end=".gz")
    code = f"""
import contextlib, gzip, io, os, sys
from pathlib import Path
from cenote.lab.datasets import DataError, load

def refused(name, *said):
    try:
        load(name)
    except DataError as error:
        text = str(error)
        assert text.startswith(f"load: {{name}}: Keras could not supply "), text
        assert "a folder with the IDX files" in text and all(piece in text for piece in said), text
    else:
        raise AssertionError("loaded")

with contextlib.redirect_stdout(io.StringIO()) as printed:
    refused("mnist", "MNIST (URL fetch failure", "refused")
assert printed.getvalue() == "", "what --json prints is no JSON"
import keras
assert keras.config.backend() == "jax"
found = load("fashion_mnist", input=(14, 14, 1))
assert (len(found.x_train), len(found.x_test), found.shape) == (60, 20, (14, 14, 1)), found
assert found.classes[9] == "Ankle boot" and found.y_test.tolist() == [*range(10)] * 2
assert "Fashion-MNIST by keras.datasets" in found.note and "60 images to train and 20 to test" in found.note
images, labels = (Path({str(cache)!r}, f"t10k-{{kind}}-ubyte.gz") for kind in ("images-idx3", "labels-idx1"))
whole = images.read_bytes()
images.write_bytes(whole[:-100])
refused("fashion_mnist", "Compressed file ended")
images.write_bytes(whole)
bytes_of = gzip.decompress(labels.read_bytes())
labels.write_bytes(gzip.compress(bytes_of[:-1] + bytes([10])))
refused("fashion_mnist", "expected labels 0 to 9 to test, found 10")
labels.write_bytes(gzip.compress(bytes_of[:8]))
refused("fashion_mnist")
images.unlink()
refused("fashion_mnist", "URL fetch failure")
"""
    python(code)
