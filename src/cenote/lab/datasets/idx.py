"""IDX files, the format of MNIST: a magic number, the lengths of the axes, then the bytes. Plain or compressed by gzip.

The magic number is two zero bytes, a code for the type of the values (8: unsigned bytes) and the number of axes; every
length is four bytes, largest first. A header's claim is believed as far as the file goes: nothing is allocated by it.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import struct
import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import pixels, spelling, split
from .dataset import Dataset, Labels
from .errors import refused, unreadable

DIGITS: Final = tuple("0123456789")
FASHION: Final = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

#: What the files of each part begin with, and how many axes each kind has.
_PARTS: Final = {"train": "train", "test": "t10k"}
_RANKS: Final = {"images": 3, "labels": 1}
_UBYTE: Final = 8
_OTHER_TYPES: Final = {9: "int8", 11: "int16", 12: "int32", 13: "float32", 14: "float64"}
_GZIP: Final = b"\x1f\x8b"
_CHUNK: Final = 1 << 20
_ANEW: Final = "get the file anew"


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """The images and the labels of one part: N x H x W bytes, and N numbers."""

    where: Path
    """The file of the labels, for messages."""
    images: NDArray[np.uint8]
    labels: Labels


def names(part: str, kind: str) -> tuple[str, ...]:
    """The names that a file may have, in the order in which they are looked for.

    >>> names("test", "labels")[:2]
    ('t10k-labels-idx1-ubyte', 't10k-labels.idx1-ubyte')
    """
    return tuple(f"{_PARTS[part]}-{kind}{dot}idx{_RANKS[kind]}-ubyte{end}" for end in ("", ".gz") for dot in "-.")


def is_here(folder: Path) -> bool:
    """Whether a folder holds a file of any of these names."""
    there = _entries(folder)
    return any(name in there for part in _PARTS for kind in _RANKS for name in names(part, kind))


def load(folder: Path) -> Dataset:
    """The MNIST or Fashion-MNIST files of a folder, N x 28 x 28 x 1 (or whatever height and width they have).

    With one pair of files alone the first 80 % train and the last 20 % test, in the order of the file. The names of
    Fashion-MNIST's classes are given where the folder is called so (or is the ``raw`` inside such a folder): the files
    themselves do not tell. Otherwise classes are the digits; or, where both parts hold every number up to one above 9,
    these numbers. Raises ``DataError``, naming the file, for whatever is missing, damaged or does not go together.
    """
    name = spelling.of_folder(folder)
    train, test = _pair(folder, "train"), _pair(folder, "test")
    if train is not None and test is not None:
        how = f"{_PARTS['train']} files to train and {_PARTS['test']} files to test"
    else:
        only = train if train is not None else test
        if only is None:
            raise unreadable(folder, "has no IDX files of MNIST's names", f"expected {names('test', 'images')[0]}")
        kept, count = split.first_four_fifths(len(only.images)), len(only.images)
        if kept < 1:
            raise unreadable(only.where, "has 1 image, which cannot both train and test", "give at least two images")
        train = _Pair(only.where, only.images[:kept], only.labels[:kept])
        test = _Pair(only.where, only.images[kept:], only.labels[kept:])
        how = f"one pair of files, the first {kept:,} images to train and the last {count - kept:,} to test"
    if train.images.shape[1:] != test.images.shape[1:]:
        sizes = [pixels.written(part.images.shape[1:]) for part in (train, test)]
        raise unreadable(folder, f"has images of {sizes[0]} to train and of {sizes[1]} to test", "give both one size")
    classes = _classes(folder, train, test)
    return Dataset(
        name,
        pixels.scaled(train.images)[..., None],
        train.labels,
        pixels.scaled(test.images)[..., None],
        test.labels,
        classes,
        f"IDX files of the folder {name}, {how}",
    )


def _entries(folder: Path) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))
    except OSError as error:
        raise refused(folder, error) from None


def _place(folder: Path, part: str, kind: str) -> Path | None:
    """The first file of these names; where there is none, a folder so called, as some unpackers make around a file."""
    there = _entries(folder)
    found = [folder / name for name in names(part, kind) if name in there]
    return next((path for path in found if not os.path.isdir(path)), found[0] if found else None)


def _pair(folder: Path, part: str) -> _Pair | None:
    """The two files of a part; None where there is neither."""
    images_at, labels_at = (_place(folder, part, kind) for kind in ("images", "labels"))
    for kind, at, partner in (("images", images_at, labels_at), ("labels", labels_at, images_at)):
        if at is None and partner is not None:
            raise unreadable(
                folder / names(part, kind)[0],
                f"is missing (plain or .gz), expected beside {partner.name}",
                "put it there, or take the other away",
            )
    if images_at is None or labels_at is None:
        return None
    images, labels = read(images_at, _RANKS["images"]), read(labels_at, _RANKS["labels"])
    if len(images) != len(labels):
        raise unreadable(
            labels_at,
            f"has {len(labels):,} labels, expected {len(images):,}, one for each image of {images_at.name}",
            "get both files from one source",
        )
    return _Pair(labels_at, images, labels.astype(np.int64))


def _classes(folder: Path, train: _Pair, test: _Pair) -> tuple[str, ...]:
    whole = Path(os.path.abspath(folder))
    called = whole.parent if whole.name == "raw" else whole
    is_fashion = "fashion" in called.name.lower()
    largest = int(max(train.labels.max(), test.labels.max()))
    if largest < len(DIGITS):
        return FASHION if is_fashion else DIGITS
    # A byte that fell over makes a number which only one part holds, or one with a gap below it.
    if not is_fashion and all(len(np.unique(part.labels)) == largest + 1 for part in (train, test)):
        return tuple(map(str, range(largest + 1)))
    wrong = train if train.labels.max() >= len(DIGITS) else test
    place = int(np.argmax(wrong.labels >= len(DIGITS)))
    before = len(train.labels) if wrong is test and test.where == train.where else 0
    raise unreadable(
        wrong.where,
        f"labels image {place + before:,} (counted from 0) as {wrong.labels[place]}, expected 0 to 9",
        f"{_ANEW}; more than ten classes are read where both parts hold every number from 0 to the largest",
    )


def read(path: Path, rank: int) -> NDArray[np.uint8]:
    """The bytes of an IDX file with so many axes; compressed where its name ends in ``.gz``."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would wait for ever
            raise unreadable(path, "is no file, expected an IDX file", "check the path")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if not size:
                raise unreadable(path, "is empty, expected an IDX file", _ANEW)
            if path.suffix != ".gz":
                return _read(path, rank, file, size)
            if (start := file.read(2)) != _GZIP:
                raise unreadable(
                    path,
                    f"is not compressed by gzip: starts with {start.hex(' ')}, expected {_GZIP.hex(' ')}",
                    "get the file anew, or take .gz off its name if it is a plain IDX file",
                )
            file.seek(0)
            with gzip.open(file) as unpacked:
                return _read(path, rank, unpacked, None)
    except EOFError:
        raise unreadable(path, "ends within its compressed data, expected a whole gzip file", _ANEW) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise unreadable(path, f"is damaged, expected a gzip file ({error})", _ANEW) from None
    except OSError as error:
        raise refused(path, error) from None
    except MemoryError:
        raise unreadable(path, "does not fit into memory", "give fewer images") from None


def _read(path: Path, rank: int, file: io.BufferedIOBase, size: int | None) -> NDArray[np.uint8]:
    """``size`` of the whole file; None where only reading tells."""
    length = 4 + 4 * rank
    header = _take(file, length)
    _check_magic(path, rank, bytes(header[:4]))
    if len(header) < length:
        raise unreadable(path, f"ends within its header, after {len(header)} of {length} bytes", _ANEW)
    shape = struct.unpack(f">{rank}I", header[4:])
    expected = prod(shape)
    if not expected:
        raise unreadable(path, f"is an empty set: its header says {pixels.written(shape)}", _ANEW)
    claim = f"its header says {pixels.written(shape)}"
    if size is not None and size - length != expected:
        raise unreadable(path, f"has {size - length:,} bytes of data, expected {expected:,} ({claim})", _ANEW)
    found = _take(file, expected + 1)  # one more than there should be: it shows what follows, and gzip checks its sum
    if len(found) < expected:
        raise unreadable(path, f"has {len(found):,} bytes of data, expected {expected:,} ({claim})", _ANEW)
    if len(found) > expected:
        raise unreadable(path, f"goes on behind its data, expected {expected:,} bytes ({claim})", _ANEW)
    return np.frombuffer(found, np.uint8).reshape(shape)


def _check_magic(path: Path, rank: int, magic: bytes) -> None:
    expected = bytes((0, 0, _UBYTE, rank))
    if magic == expected[: len(magic)]:  # a file cut here is told by its length
        return
    found = f"starts with {magic.hex(' ')}, expected {expected.hex(' ')}"
    if magic[:2] == _GZIP:
        raise unreadable(path, f"is compressed by gzip: {found}", "unpack it, or add .gz to its name")
    if magic[:2] != b"\0\0"[: len(magic)]:
        raise unreadable(path, f"is no IDX file: {found}", _ANEW)
    if magic[2] != _UBYTE:
        kind = _OTHER_TYPES.get(magic[2], "of an unknown type")
        raise unreadable(path, f"holds values that are {kind}: {found}", "save them as unsigned bytes (type 8)")
    raise unreadable(path, f"has {magic[3]} axes, expected {rank}: {found}", "are images and labels swapped?")


def _take(file: io.BufferedIOBase, count: int) -> bytearray:
    """So many bytes, or what there is: in pieces, because one read of all would allocate what a header claims."""
    found = bytearray()
    while len(found) < count and (piece := file.read(min(_CHUNK, count - len(found)))):
        found += piece
    return found
