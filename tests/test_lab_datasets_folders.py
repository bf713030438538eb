"""Folders of images by class: split, order, modes, and every image that cannot be read."""

from __future__ import annotations

import importlib.util
import os
import random
import re
import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if importlib.util.find_spec("keras") is None:  # looked for, not imported: the lab chooses its backend first
    pytest.skip("Keras is not installed: the lab does not run", allow_module_level=True)

from cenote.lab.datasets import DataError, load
from fresh import python
from lab_datasets import noise, pets, picture, refused

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed: the lab's loaders do not run")


def rounded(x: np.ndarray) -> list[Any]:
    return np.rint(x * 255).astype(int).tolist()


@settings(max_examples=25)
@given(st.lists(st.integers(2, 12), min_size=2, max_size=4))
def test_every_fifth_image_of_each_class_tests(counts: list[int]) -> None:
    names = [f"class {c}" for c in "dbac"[: len(counts)]]
    with tempfile.TemporaryDirectory() as folder:
        images = pets(Path(folder), dict(zip(names, counts, strict=True)))
        found = load(folder)
    assert found.classes == tuple(sorted(names))
    for number, name in enumerate(sorted(names)):
        several = images[name]
        tests = [i for i in range(len(several)) if i % 5 == 4] or [len(several) - 1]
        for x, y, wanted in (
            (found.x_train, found.y_train, [i for i in range(len(several)) if i not in tests]),
            (found.x_test, found.y_test, tests),
        ):
            assert rounded(x[y == number][..., 0]) == [several[i].tolist() for i in wanted]


def test_classes_come_by_turns(tmp_path: Path) -> None:
    """So that the first so many are of all classes."""
    pets(tmp_path, {"a": 10, "b": 10, "c": 5})
    found = load(tmp_path)
    assert found.y_train.tolist() == [0, 1, 2] * 4 + [0, 1] * 4
    assert found.limited(6).y_train.tolist() == [0, 1, 2, 0, 1, 2]


def test_the_order_of_a_listing_does_not_matter(tmp_path: Path) -> None:
    images = pets(tmp_path / "0", {"a": 9, "b": 7, "B": 6})
    digests = {load(tmp_path / "0").digest}
    for seed in (1, 2, 3):
        files = [(name, i) for name, several in images.items() for i in range(len(several))]
        random.Random(seed).shuffle(files)
        for name, i in files:
            picture(tmp_path / str(seed) / name / f"{i:03}.png", images[name][i])
        digests.add(load(tmp_path / str(seed)).digest)
    assert len(digests) == 1


@pytest.mark.parametrize(
    "train, test", [("train", "test"), ("train", "val"), ("Train", "Validation"), ("train", "valid")]
)
def test_a_given_split(tmp_path: Path, train: str, test: str) -> None:
    first = pets(tmp_path / train, {"cat": 3, "dog": 1})
    second = pets(tmp_path / test, {"cat": 1, "dog": 2})
    found = load(tmp_path)
    assert found.classes == ("cat", "dog")
    assert found.y_train.tolist() == [0, 1, 0, 0]
    assert found.y_test.tolist() == [0, 1, 1]
    wanted = [first["cat"][0], first["dog"][0], *first["cat"][1:], second["cat"][0], *second["dog"]]
    assert rounded(np.concatenate([found.x_train, found.x_test])[..., 0]) == [image.tolist() for image in wanted]
    assert f"{train}/ to train and {test}/ to test" in found.note


def test_a_second_test_part_is_left_alone_and_said(tmp_path: Path) -> None:
    for part in ("train", "test", "val"):
        pets(tmp_path / part, {"cat": 1, "dog": 1})
    assert "test/ to test, val left alone" in load(tmp_path).note


def test_parts_that_differ(tmp_path: Path) -> None:
    pets(tmp_path / "train", {"cat": 3, "dog": 1})
    with pytest.raises(DataError, match="expected one of test, val, validation, valid beside it"):
        load(tmp_path)
    pets(tmp_path / "test", {"cat": 3, "cow": 1, "dog": 1})
    refused(tmp_path, "train/cow", "is missing, expected the classes of test/")
    pets(tmp_path / "train", {"cow": 1, "eel": 1})
    refused(tmp_path, "test/eel", "is missing, expected the classes of train/")


def test_a_train_may_be_a_class(tmp_path: Path) -> None:
    (tmp_path / "train" / "steam").mkdir(parents=True)
    pets(tmp_path, {"train": 5, "car": 5})
    assert load(tmp_path).classes == ("car", "train")


def test_a_train_of_nothing(tmp_path: Path) -> None:
    pets(tmp_path, {"car": 5})
    (tmp_path / "train").mkdir()
    refused(tmp_path, "train", "expected images of the class train", "found nothing")


def test_what_is_no_image_is_skipped_and_counted(tmp_path: Path) -> None:
    pets(tmp_path, {"cat": 5, "dog": 5})
    want = load(tmp_path)
    assert "skipped" not in want.note
    (tmp_path / "cat" / "notes.txt").write_text("text")
    assert ", 1 other entry skipped" in load(tmp_path).note
    (tmp_path / "cat" / ".hidden.png").write_bytes(b"no image")
    (tmp_path / "dog" / "no suffix").write_bytes(b"\0")
    (tmp_path / "dog" / "folder.png").mkdir()
    (tmp_path / "README.md").write_text("text")
    (tmp_path / ".git").mkdir()
    picture(tmp_path / "cover.png", noise(9, 9))
    found = load(tmp_path)
    assert ", 7 other entries skipped" in found.note
    assert found.digest == want.digest


@pytest.mark.parametrize(
    "content",
    [b"", b"text", b"\x89PNG\r\n\x1a\n", "cut", "flipped"],
    ids=["empty", "text", "magic alone", "cut short", "wrong byte"],
)
def test_a_broken_image(tmp_path: Path, content: bytes | str) -> None:
    pets(tmp_path, {"cat": 5, "dog": 5}, 9, 9)
    target = tmp_path / "dog" / "002.png"
    whole = target.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :]
    target.write_bytes({"cut": whole[:middle], "flipped": flipped}.get(content, content))  # type: ignore[call-overload]
    refused(tmp_path, target, "image")


def test_a_jpeg_cut_short(tmp_path: Path) -> None:
    pets(tmp_path, {"cat": 5, "dog": 5}, 30, 30, 3)
    target = picture(tmp_path / "dog" / "x.jpeg", noise(30, 30, 3))
    target.write_bytes(target.read_bytes()[:-300])
    refused(tmp_path, target, "is a damaged image")


def test_an_empty_class(tmp_path: Path) -> None:
    pets(tmp_path, {"cat": 5, "dog": 5})
    (tmp_path / "eel" / "more").mkdir(parents=True)
    (tmp_path / "eel" / "a.txt").touch()
    refused(tmp_path, "eel", "expected images of the class eel (", ".png", "found 1 folders and 1 other entries")


def test_one_class(tmp_path: Path) -> None:
    pets(tmp_path, {"cat": 5})
    with pytest.raises(DataError, match="expected two or more folders of images, one for each class, found only cat"):
        load(tmp_path)


def test_a_class_of_one_image(tmp_path: Path) -> None:
    pets(tmp_path, {"cat": 5, "dog": 1})
    refused(tmp_path, "dog", "has 1 image, which cannot both train and test")


def test_a_folder_of_nothing(tmp_path: Path) -> None:
    for path in (tmp_path, picture(tmp_path / "1.png", noise(3, 3)), tmp_path / "nowhere"):
        with pytest.raises(
            DataError, match=f"^load: {re.escape(str(path))}: .* give digits, mnist, fashion_mnist, a folder"
        ):
            load(path)


def test_several_sizes_need_an_input(tmp_path: Path) -> None:
    pets(tmp_path, {"cat": 5, "dog": 5})
    picture(tmp_path / "dog" / "002.png", noise(3, 4))
    refused(tmp_path, "dog/002.png", "is 3 x 4 (height x width), expected 4 x 3 as", "000.png", "input=(height, width")
    found = load(tmp_path, input=(5, 6, 3))
    assert found.shape == (5, 6, 3)
    assert found.note.count("resized") == 1


def test_input_of_a_folder_is_what_resized_does(tmp_path: Path) -> None:
    pets(tmp_path, {"cat": 5, "dog": 5}, 6, 5, 3)
    for shape in ((6, 5, 3), (6, 5, 1), (9, 4, 1), (3, 8, 3)):
        assert load(tmp_path, input=shape).digest == load(tmp_path).resized(shape).digest


def mixed(folder: Path, name: str, image: Any, **keywords: Any) -> np.ndarray:
    """The pixels of one image, read as the first of a folder that holds one of everything needed."""
    pets(folder, {"b": 2, "c": 2}, image.height, image.width)
    (folder / "a").mkdir(exist_ok=True)
    for i in range(2):
        image.save(folder / "a" / f"{i}{name}", **keywords)
    return load(folder).x_train[0]


COLOUR, GREY = noise(4, 6, 3), noise(4, 6)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_modes(tmp_path: Path, mode: str) -> None:
    source = Image.fromarray(COLOUR)
    if mode == "I;16":
        wide = GREY.astype(np.uint16) * 251 + 7
        found = mixed(tmp_path, ".png", Image.fromarray(wide))
        assert found[..., 0].tolist() == (wide / 65535).astype(np.float32).tolist()
        return
    image = source.convert(mode)
    found = mixed(tmp_path, ".tif" if mode == "CMYK" else ".png", image)
    assert found.shape == (4, 6, 1 if mode in ("1", "L", "LA") else 3)
    assert (
        rounded(found) == np.asarray(image.convert("L" if found.shape[2] == 1 else "RGB")).reshape(found.shape).tolist()
    )


def test_grey_and_colours_together(tmp_path: Path) -> None:
    pets(tmp_path, {"cat": 2}, 4, 3)
    colours = pets(tmp_path, {"dog": 2}, 4, 3, 3)
    found = load(tmp_path)
    assert found.shape == (4, 3, 3)
    assert (found.x_train[0] == found.x_train[0][..., :1]).all()
    assert rounded(found.x_train[1]) == colours["dog"][0].tolist()


@pytest.mark.parametrize("mode", ["LA", "RGBA", "PA", "L", "RGB", "P"])
def test_transparency_is_laid_over_white(tmp_path: Path, mode: str) -> None:
    """Black that cannot be seen, as icons have it; a network would otherwise see a black square."""
    keywords: dict[str, Any] = {}
    image = Image.new(mode.rstrip("A") if mode == "PA" else mode, (3, 2))
    if mode in ("LA", "RGBA"):
        image.putpixel((1, 1), (0,) * (len(mode) - 1) + (255,))
    else:
        image = Image.new("P" if mode == "PA" else mode, (3, 2))
        image.putpixel((1, 1), (1, 1, 1) if mode == "RGB" else 1)
        if mode in ("P", "PA"):
            image.putpalette([0, 0, 0, 1, 1, 1])
        keywords["transparency"] = (0, 0, 0) if mode == "RGB" else 0
    found = mixed(tmp_path, ".png", image, **keywords)
    dark = np.zeros((2, 3), bool)
    dark[1, 1] = True
    assert (found[~dark] == 1).all()
    assert (found[dark] <= 1 / 255).all()


@pytest.mark.parametrize("name", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(tmp_path: Path, name: str, orientation: int) -> None:
    """A corner that is bright, where a viewer shows it: by the table of the EXIF standard."""
    array = np.zeros((16, 24), np.uint8)
    array[:8, :8] = 255  # row 0, column 0 as stored
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(array)
    shape = (16, 24) if orientation < 5 else (24, 16)
    pets(tmp_path, {"b": 2}, *shape)
    for i in range(2):
        (tmp_path / "a").mkdir(exist_ok=True)
        image.save(tmp_path / "a" / f"{i}{name}", exif=exif, **({"lossless": True} if name == ".webp" else {}))
    found = load(tmp_path).x_train[0][..., 0]
    assert found.shape == shape
    bottom, right = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    corner = found[-4:] if bottom else found[:4]
    assert (corner[:, -4:] if right else corner[:, :4]).min() > 0.9
    assert (found > 0.5).sum() == 64


def test_several_frames(tmp_path: Path) -> None:
    pets(tmp_path, {"cat": 2, "dog": 2}, 5, 5)
    frames = [Image.fromarray(noise(5, 5)) for _ in range(3)]
    frames[0].save(tmp_path / "cat" / "moving.gif", save_all=True, append_images=frames[1:])
    refused(tmp_path, "cat/moving.gif", "has several frames or pages")


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_values_without_a_largest(tmp_path: Path, dtype: type) -> None:
    pets(tmp_path, {"cat": 2, "dog": 2}, 5, 5)
    picture(tmp_path / "cat" / "x.tif", noise(5, 5).astype(dtype))
    refused(tmp_path, "cat/x.tif", "has values without a known largest")


@pytest.mark.parametrize("side", [9_500, 20_000], ids=["above Pillow's limit", "above twice that"])
def test_a_bomb(tmp_path: Path, side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes that would become a hundred million pixels; also where Pillow's own limit was lifted."""
    pets(tmp_path, {"cat": 2, "dog": 2}, 5, 5)
    target = picture(tmp_path / "cat" / "x.png", noise(5, 5))
    whole = bytearray(target.read_bytes())
    whole[16:24] = struct.pack(">II", side, side)
    whole[29:33] = struct.pack(">I", zlib.crc32(whole[12:29]))
    target.write_bytes(whole)
    refused(tmp_path, target, "has more than 89,478,485 pixels, which may be a decompression bomb")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    refused(tmp_path, target, "has more than 89,478,485 pixels, which may be a decompression bomb")


def test_parts_without_classes(tmp_path: Path) -> None:
    """Images of cats and dogs in train/ and more of them in test/: no two classes called test and train."""
    for part in ("train", "test"):
        for i in range(5):
            picture(tmp_path / part / f"cat.{i}.png", noise(4, 3))
    refused(tmp_path, "train", "holds images and stands beside test/, expected one folder of images for each class")


def test_an_image_beside_the_classes_of_a_part(tmp_path: Path) -> None:
    for part in ("train", "test"):
        pets(tmp_path / part, {"cat": 5, "dog": 5})
    want = load(tmp_path)
    for part in ("train", "test"):
        for i in range(2):
            picture(tmp_path / part / f"overview{i}.png", noise(9, 9))
    found = load(tmp_path)
    assert found.digest == want.digest
    assert ", 4 other entries skipped" in found.note


def test_a_link_in_a_circle(tmp_path: Path) -> None:
    pets(tmp_path, {"cat": 5, "dog": 5})
    want = load(tmp_path).digest
    (tmp_path / "cat" / ".hidden").symlink_to(".hidden")
    (tmp_path / "cat" / "all").symlink_to(tmp_path)
    assert load(tmp_path).digest == want
    (tmp_path / "cat" / "round.png").symlink_to("round.png")
    refused(tmp_path, "cat/round.png", "cannot be read")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_an_image_that_is_a_pipe(tmp_path: Path) -> None:
    pets(tmp_path, {"cat": 5, "dog": 5})
    os.mkfifo(tmp_path / "cat" / "x.png")
    refused(tmp_path, "cat/x.png", "is no file, expected an image")


@pytest.mark.parametrize("largest", [65535, 1023])
def test_a_grey_map_of_16_bits(tmp_path: Path, largest: int) -> None:
    pets(tmp_path, {"cat": 2, "dog": 2}, 4, 6)
    values = GREY.astype(np.uint16) * 4 + 3
    for i in range(2):
        header = f"P5 6 4 {largest}\n".encode()
        (tmp_path / "cat" / f"00{i}.pgm").write_bytes(header + values.astype(">u2").tobytes())
        (tmp_path / "cat" / f"00{i}.png").unlink()
    found = load(tmp_path).x_train[0][..., 0]
    np.testing.assert_allclose(found, values / largest, atol=0.5 / 65535 + 2**-24)  # brought to 16 bits, rounded


def test_names_that_are_no_text(tmp_path: Path) -> None:
    """Reports are UTF-8, messages are one line."""
    folder = tmp_path / os.fsdecode(b"cat\xe9")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this system has no such names")
    pets(folder, {os.fsdecode(b"na\xefve"): 5, "two\nlines": 5})
    found = load(folder)
    assert found.name == r"cat\udce9"
    assert found.classes == (r"na\udcefve", "two\nlines")
    assert "".join((found.name, found.note, *found.classes)).encode()
    pets(folder / "two\nlines", {"x.png": 1})
    (folder / "two\nlines" / "y.png").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        load(folder)
    assert r"cat\udce9/two\nlines/y.png: is no readable image" in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_turned_image_with_damaged_exif(tmp_path: Path) -> None:
    """Its orientation can be read, and its width is a text: it is turned all the same."""
    pets(tmp_path, {"cat": 2, "dog": 2}, 24, 16)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "words"
    target = picture(tmp_path / "cat" / "000.jpg", np.zeros((16, 24), np.uint8), exif=exif)
    (tmp_path / "cat" / "000.png").unlink()
    whole = target.read_bytes()
    entry = struct.pack(">HHI", 0x010E, 2, len("words\0"))
    assert whole.count(entry) == 1
    target.write_bytes(whole.replace(entry, struct.pack(">HHI", 0x0100, 2, len("words\0"))))
    assert load(tmp_path).x_train[0].shape == (24, 16, 1)


def test_pillow_logs_nothing_to_the_terminal(tmp_path: Path) -> None:
    pets(tmp_path, {"cat": 2, "dog": 2})
    target = picture(tmp_path / "cat" / "x.tif", noise(4, 3, 3))
    whole = target.read_bytes()
    entry = struct.pack("<HHIHH", 277, 3, 1, 3, 0)  # samples per pixel
    assert whole.count(entry) == 1
    target.write_bytes(whole.replace(entry, struct.pack("<HHIHH", 277, 3, 1, 248, 0)))
    python(f"""
import contextlib, io
from cenote.lab.datasets import DataError, load
with contextlib.redirect_stderr(io.StringIO()) as printed:
    try:
        load({str(tmp_path)!r})
    except DataError as error:
        assert "x.tif" in str(error)
    else:
        raise AssertionError("loaded")
assert printed.getvalue() == "", printed.getvalue()
""")
