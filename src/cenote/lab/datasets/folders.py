"""A folder of images by class: ``FOLDER/cat/1.png``; or split already: ``FOLDER/train/cat/1.png``, ``FOLDER/test/``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from . import pictures, pixels, spelling, split
from .dataset import Dataset, Labels
from .errors import DataError, refused, unreadable
from .pixels import Images, Shape

_TRAIN: Final = "train"
#: What the other part may be called; the first that is there is taken.
_TEST: Final = ("test", "val", "validation", "valid")


@dataclass(frozen=True, slots=True)
class _Listing:
    """What a folder holds, sorted by name, without what is hidden."""

    folders: tuple[Path, ...]
    images: tuple[Path, ...]
    others: int
    """How many entries are skipped: hidden ones, and files that are no images by their name."""

    @property
    def besides(self) -> str:
        """What is there instead of images."""
        counts = {"folders": len(self.folders), "other entries": self.others}
        return " and ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "nothing"


@dataclass(frozen=True, slots=True)
class _Part:
    """The images of some class folders: one of each class by turns, so that the first so many are of all classes."""

    classes: tuple[str, ...]
    paths: tuple[Path, ...]
    labels: Labels
    others: int


def is_here(folder: Path) -> bool:
    """Whether a folder holds folders, which may be classes."""
    return bool(_listing(folder).folders)


def load(folder: Path, shape: Shape | None) -> Dataset:
    """The images of a folder, N x H x W x 1 if all are grey and N x H x W x 3 otherwise.

    ``shape``: (height, width, channels) that every image is resized to; None asks that all have one size. Classes are
    the names of the folders, sorted. Without a given split every fifth image of each class tests, by the order of
    names. Images come one of each class by turns. Hidden entries, files that are no images by their name and folders
    within a class are skipped, and the note counts them.

    Raises ``DataError``, naming the file or folder: fewer than two classes, a class without images, parts that differ
    in their classes, images of several sizes, and every image that cannot be read.
    """
    top = _listing(folder)
    name = spelling.of_folder(folder)
    given = _given(folder, top)
    if given is None:
        part = _part(folder, top)
        _check_counts(folder, part)
        images = _images(part.paths, shape)
        tests = split.every_fifth(part.labels)
        arrays = images[~tests], part.labels[~tests], images[tests], part.labels[tests]
        classes, others = part.classes, part.others
        note = f"images of the folder {name} by class, {split.EVERY_FIFTH} and the others to train"
    else:
        parts = [_part(found, _listing(found)) for found in given]
        _check_agree(given, parts)
        images = _images([path for part in parts for path in part.paths], shape)
        count = len(parts[0].paths)
        arrays = images[:count], parts[0].labels, images[count:], parts[1].labels
        classes, others = parts[0].classes, sum(part.others for part in parts) + top.others + len(top.images)
        note = f"images of the folder {name} by class, {given[0].name}/ to train and {given[1].name}/ to test"
        if unused := [found.name for found in top.folders if found not in given]:
            note += f", {', '.join(unused)} left alone"
    note += f", {others} other {'entry' if others == 1 else 'entries'} skipped" if others else ""
    note += f", resized to {pixels.written(shape)} (bicubic, clipped to 0..1)" if shape else ""
    return Dataset(name, *arrays, classes, spelling.text(note))


def _listing(folder: Path) -> _Listing:
    try:
        with os.scandir(folder) as found:
            entries = sorted((entry.name, not entry.name.startswith(".") and entry.is_dir()) for entry in found)
    except OSError as error:  # of the folder, or of an entry: a link in a circle
        raise refused(Path(error.filename or folder), error) from None
    folders, images, others = [], [], 0
    for name, is_folder in entries:
        if name.startswith("."):
            others += 1
        elif is_folder:
            folders.append(folder / name)
        elif Path(name).suffix.lower() in pictures.suffixes():
            images.append(folder / name)
        else:
            others += 1
    return _Listing(tuple(folders), tuple(images), others)


def _given(folder: Path, top: _Listing) -> tuple[Path, Path] | None:
    """The two parts where the folder is split already.

    A folder of images called train may be a class of vehicles, but not beside one called test: that would teach a
    network to tell the two parts from each other.
    """
    named: dict[str, Path] = {}
    for found in top.folders:
        lowered = found.name.lower()
        if lowered in (_TRAIN, *_TEST) and lowered in named:
            raise unreadable(folder, f"holds both {named[lowered].name} and {found.name}", "rename or join one of them")
        named[lowered] = found
    if _TRAIN not in named:
        return None
    inside, tests = _listing(named[_TRAIN]), next((named[name] for name in _TEST if name in named), None)
    if tests is not None and (inside.folders or inside.images):
        if not inside.folders:
            raise unreadable(
                named[_TRAIN],
                f"holds images and stands beside {tests.name}/, expected one folder of images for each class in it",
                "sort them into such folders, or rename it if it is a class",
            )
        return named[_TRAIN], tests
    if inside.images or not inside.folders:
        return None
    raise unreadable(
        folder,
        f"has {named[_TRAIN].name}/ with folders in it, expected one of {', '.join(_TEST)} beside it",
        f"add it, or give {named[_TRAIN]} itself",
    )


def _part(folder: Path, top: _Listing) -> _Part:
    if len(top.folders) < 2:
        there = f"only {top.folders[0].name}" if top.folders else "none"
        raise unreadable(
            folder, f"expected two or more folders of images, one for each class, found {there}", "add one"
        )
    lists = [_listing(found) for found in top.folders]
    for found, inside in zip(top.folders, lists, strict=True):
        if not inside.images:
            ends = ", ".join(sorted(pictures.suffixes()))
            raise unreadable(
                found,
                f"expected images of the class {found.name} ({ends}), found {inside.besides}",
                "fill it or remove it",
            )
    turns = zip_longest(*([(path, label) for path in inside.images] for label, inside in enumerate(lists)))
    items = [item for item in chain.from_iterable(turns) if item is not None]
    return _Part(
        tuple(spelling.text(found.name) for found in top.folders),
        tuple(path for path, _ in items),
        np.array([label for _, label in items], np.int64),
        top.others + len(top.images) + sum(inside.others + len(inside.folders) for inside in lists),
    )


def _check_counts(folder: Path, part: _Part) -> None:
    counts = np.bincount(part.labels)
    if counts.min() < 2:
        lonely = part.classes[int(counts.argmin())]
        raise unreadable(folder / lonely, "has 1 image, which cannot both train and test", "give at least two images")


def _check_agree(given: tuple[Path, Path], parts: Sequence[_Part]) -> None:
    for has, lacks in ((0, 1), (1, 0)):
        for name in parts[has].classes:
            if name not in parts[lacks].classes:
                raise unreadable(
                    given[lacks] / name,
                    f"is missing, expected the classes of {given[has].name}/",
                    "give both parts the same classes",
                )


def _images(paths: Sequence[Path], shape: Shape | None) -> Images:
    if shape is not None:
        found = pixels.room("load", len(paths), shape)
        for i, path in enumerate(paths):
            found[i] = pixels.fitted(pixels.scaled(pictures.read(path)), shape)
        return found
    read: list[NDArray[Any]] = []
    for path in paths:
        read.append(pictures.read(path))
        if read[-1].shape[:2] != read[0].shape[:2]:
            raise _several_sizes(path, read[-1], paths[0], read[0])
    common: Shape = (*read[0].shape[:2], max(image.shape[2] for image in read))
    found = pixels.room("load", len(read), common)
    for i, image in enumerate(read):
        found[i] = pixels.scaled(image)  # grey repeats itself over the channels
    return found


def _several_sizes(path: Path, image: NDArray[Any], first: Path, other: NDArray[Any]) -> DataError:
    sizes = [pixels.written(array.shape[:2]) for array in (image, other)]
    return unreadable(
        path,
        f"is {sizes[0]} (height x width), expected {sizes[1]} as {first}",
        "say the network's input: --input HEIGHTxWIDTHxCHANNELS, in Python input=(height, width, channels)",
    )
