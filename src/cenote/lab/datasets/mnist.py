"""MNIST and Fashion-MNIST by Keras: its own download, kept in its own cache."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, Final

import numpy as np

from .. import backend
from . import idx, pixels
from .dataset import Dataset
from .errors import DataError, unreadable

#: The classes of what is to be had, by the name of Keras's module.
CLASSES: Final = {"mnist": idx.DIGITS, "fashion_mnist": idx.FASHION}
_TITLES: Final = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
_PATIENCE: Final = 30.0
"""Seconds without a byte after which a download is given up; by itself Python waits for ever."""


def load(name: str) -> Dataset:
    """60,000 images to train and 10,000 to test, 28 x 28 x 1, of ``mnist`` or ``fashion_mnist``.

    Raises ``DataError`` where they are neither in Keras's cache nor to be downloaded.
    """
    keras = backend.load()
    source: Any = getattr(keras.datasets, name)
    try:
        # Keras reports its download on stdout, which belongs to results: what --json prints must stay JSON.
        with _patience(), redirect_stdout(sys.stderr):
            (x_train, y_train), (x_test, y_test) = source.load_data()
    except Exception as error:  # Keras raises bare Exceptions, and damaged archives whatever their readers do
        raise _failed(name, " ".join(str(error).split()) or type(error).__name__) from error
    for part, images, labels in (("train", x_train, y_train), ("test", x_test, y_test)):
        _check(name, part, np.asarray(images), np.asarray(labels))
    return Dataset(
        name,
        pixels.scaled(x_train)[..., None],
        y_train.astype(np.int64),
        pixels.scaled(x_test)[..., None],
        y_test.astype(np.int64),
        CLASSES[name],
        f"{_TITLES[name]} by keras.datasets, its own {len(x_train):,} images to train and {len(x_test):,} to test",
    )


def _check(name: str, part: str, images: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> None:
    """Nothing guards Keras's cache of Fashion-MNIST: a download that was cut short stays there."""
    largest = int(labels.max(initial=0))
    if images.dtype != np.uint8 or images.ndim != 3 or not images.size or labels.shape != images.shape[:1]:
        found = f"{images.dtype} images of shape {images.shape} and labels of shape {labels.shape}"
        raise _failed(name, f"expected N x H x W bytes and N labels to {part}, found {found}")
    if largest >= len(CLASSES[name]):
        raise _failed(name, f"expected labels 0 to {len(CLASSES[name]) - 1} to {part}, found {largest}")


def _failed(name: str, problem: str) -> DataError:
    return unreadable(
        name,
        f"Keras could not supply {_TITLES[name]} ({problem})",
        "check the network and Keras's cache (KERAS_HOME, else ~/.keras), or give a folder with the IDX files "
        f"({idx.names('train', 'images')[0]} and its like)",
    )


@contextmanager
def _patience() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_PATIENCE if before is None else before)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
