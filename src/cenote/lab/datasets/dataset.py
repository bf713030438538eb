"""Dataset: images to train and to test with, and what they are called."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import bad, bad_type, shown
from ...geometry.arguments import integer, is_sequence
from . import pixels
from .pixels import Images

Labels = NDArray[np.int64]

_WHO = "Dataset"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Dataset:
    """Labelled images in two parts that share no image; what breaks a rule below is an error that names it.

    >>> import numpy as np
    >>> x, y = np.zeros((4, 2, 2, 1), np.float32), np.array([0, 1, 0, 1])
    >>> data = Dataset("blank", x, y, x[:2], y[:2], ("cat", "dog"), "nothing to see")
    >>> data
    <Dataset blank: 4 images to train, 2 to test, 2 x 2 x 1, 2 classes>
    >>> data.of_classes(["dog", "cat"]).y_train.tolist()
    [1, 0, 1, 0]

    ``name``: for titles. ``x_train``, ``x_test``: float32 in 0..1, N x H x W x C, the same H x W x C in
    both, at least one image each. ``y_train``, ``y_test``: int64, N, the place of each image's class in ``classes``.
    ``classes``: the names, two or more and all different. ``note``: one sentence on where the images come from, how
    they were split and how resized. Datasets are equal when their ``digest`` is.
    """

    name: str
    x_train: Images
    y_train: Labels
    x_test: Images
    y_test: Labels
    classes: tuple[str, ...]
    note: str

    def __post_init__(self) -> None:
        texts: tuple[tuple[str, object], ...] = (("name", self.name), ("note", self.note))
        for field, text in texts:
            if not isinstance(text, str) or not text.strip():
                raise bad_type(_WHO, f"{field} is a text that says something, got {shown(text)}", "write one")
        object.__setattr__(self, "classes", _class_names(self.classes))
        for part in ("train", "test"):
            images, labels = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
            _check_images(f"x_{part}", images)
            _check_labels(f"y_{part}", labels, len(images), len(self.classes))
        if self.x_train.shape[1:] != self.x_test.shape[1:]:
            train, test = pixels.written(self.x_train.shape[1:]), pixels.written(self.x_test.shape[1:])
            raise bad(_WHO, f"images to train are {train}, images to test {test}", "give both one shape")

    def __repr__(self) -> str:
        return (
            f"<Dataset {self.name}: {len(self.x_train):,} images to train, {len(self.x_test):,} to test, "
            f"{pixels.written(self.shape)}, {len(self.classes)} classes>"
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of every image."""
        _, height, width, channels = self.x_train.shape
        return height, width, channels

    @property
    def digest(self) -> str:
        """SHA-256 (hexadecimal) of images, labels and classes; the name and the note do not count.

        Computed anew at each call, about a second per gigabyte.
        """
        found = hashlib.sha256()
        for part in (self.x_train, self.y_train, self.x_test, self.y_test):
            # The same digest on every machine: little-endian, rows first. The shape stands before the values, so that
            # no two datasets run together into the same bytes.
            plain = np.ascontiguousarray(part, part.dtype.newbyteorder("<"))
            found.update(f"{plain.dtype.str}{plain.shape}".encode())
            found.update(plain.data)
        found.update(json.dumps(self.classes).encode())
        return found.hexdigest()

    def of_classes(self, chosen: Sequence[str]) -> Dataset:
        """The images of some classes, numbered in the order in which they are ``chosen``; an unknown name is an error.

        ``chosen``: two or more names of ``classes``. The images keep their order.
        """
        who = "of_classes"
        if not is_sequence(chosen):
            raise bad_type(who, f"chosen is a list of class names, got {shown(chosen)}", "write it like ['3', '8']")
        for name in chosen:
            if name not in self.classes:
                there = ", ".join(map(repr, self.classes))
                raise bad(who, f"{self.name} has no class {shown(name)}", f"choose among {there}")
        if len(chosen) < 2 or len(set(chosen)) < len(chosen):
            raise bad(who, f"chosen is two or more different classes, got {shown(chosen)}", "name each once")
        if tuple(chosen) == self.classes:
            return self
        number = np.full(len(self.classes), -1, np.int64)
        number[[self.classes.index(name) for name in chosen]] = np.arange(len(chosen))
        parts: dict[str, Any] = {}
        for part, images, labels in (("train", self.x_train, self.y_train), ("test", self.x_test, self.y_test)):
            renumbered = number[labels]
            kept = renumbered >= 0
            if not kept.any():
                raise bad(who, f"{self.name} has no image of {shown(list(chosen))} to {part}", "choose other classes")
            parts |= {f"x_{part}": images[kept], f"y_{part}": renumbered[kept]}
        note = f"{self.note}, classes {', '.join(chosen)} alone"
        return replace(self, **parts, classes=tuple(chosen), note=note)

    def resized(self, shape: Sequence[int]) -> Dataset:
        """Every image in another ``shape``, (height, width, channels): bicubic, clipped to 0..1.

        Grey becomes RGB by repetition, RGB becomes grey by the weights of ITU-R BT.601; other numbers of channels are
        an error. A dataset of that shape already is returned as it is.
        """
        who = "resized"
        wanted = pixels.as_shape(who, shape)
        if wanted == self.shape:
            return self
        if self.shape[2] not in (1, 3):
            raise bad(who, f"images of {self.name} have {self.shape[2]} channels", "give grey (1) or RGB (3) images")
        return replace(
            self,
            x_train=pixels.all_fitted(who, self.x_train, wanted),
            x_test=pixels.all_fitted(who, self.x_test, wanted),
            note=f"{self.note}, resized to {pixels.written(wanted)} (bicubic, clipped to 0..1)",
        )

    def limited(self, train: int | None = None, test: int | None = None) -> Dataset:
        """The first ``train`` images to train and ``test`` to test; None keeps all, more than there are is an error."""
        who = "limited"
        kept, said = [], []
        for part, wanted, there in (("train", train, len(self.x_train)), ("test", test, len(self.x_test))):
            count = there if wanted is None else integer(who, part, wanted, 1)
            if count > there:
                raise bad(who, f"{part} is {count:,} but {self.name} has {there:,} images to {part}", "ask for fewer")
            kept.append(count)
            said += [f"the first {count:,} to {part}"] if count < there else []
        if not said:
            return self
        m, n = kept
        return replace(
            self,
            x_train=self.x_train[:m],
            y_train=self.y_train[:m],
            x_test=self.x_test[:n],
            y_test=self.y_test[:n],
            note=f"{self.note}, of these {' and '.join(said)}",
        )


def _class_names(classes: object) -> tuple[str, ...]:
    if not is_sequence(classes) or not all(isinstance(name, str) and name for name in classes):
        raise bad_type(_WHO, f"classes is a tuple of names, got {shown(classes)}", "write it like ('cat', 'dog')")
    names = tuple(classes)
    if len(names) < 2:
        raise bad(_WHO, f"there are two classes or more, got {shown(names)}", "with one there is nothing to learn")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise bad(_WHO, f"classes names {twice[0]!r} twice", "give every class a name of its own")
    return names


def _array(name: str, value: object, dtype: type[np.generic], form: str, rank: int) -> NDArray[Any]:
    if not isinstance(value, np.ndarray) or isinstance(value, np.ma.MaskedArray):
        kind = type(value).__name__
        raise bad_type(_WHO, f"{name} is a NumPy array, got {shown(value)} ({kind})", "convert it with np.asarray")
    if value.dtype != dtype:
        way_out = "divide bytes by 255, then x.astype(np.float32)" if dtype is np.float32 else "y.astype(np.int64)"
        raise bad_type(_WHO, f"{name} is {dtype.__name__}, got {value.dtype}", way_out)
    if value.ndim != rank:
        raise bad(_WHO, f"{name} has {rank} axes ({form}), got shape {value.shape}", "reshape it")
    if 0 in value.shape:
        raise bad(_WHO, f"{name} holds something, got shape {value.shape}", "give at least one image to each part")
    return value


def _check_images(name: str, images: object) -> None:
    x = _array(name, images, np.float32, "image, height, width, channel", 4)
    low, high = x.min(), x.max()
    if not (low >= 0 and high <= 1):  # NaN fails both
        raise bad(_WHO, f"{name} lies in 0..1, got values from {low} to {high}", "scale it, bytes by 255")


def _check_labels(name: str, labels: object, images: int, classes: int) -> None:
    y = _array(name, labels, np.int64, "image", 1)
    if len(y) != images:
        raise bad(_WHO, f"{name} has {len(y):,} labels for {images:,} images", "give one label to each image")
    low, high = y.min(), y.max()
    if low < 0 or high >= classes:
        raise bad(
            _WHO, f"{name} is 0 to {classes - 1}, the places in classes, got {low} to {high}", "number classes from 0"
        )
