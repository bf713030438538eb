"""Images to train and test networks with: by name, or out of a folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from ...errors import bad, bad_type, shown
from . import digits, folders, idx, mnist, pixels
from .dataset import Dataset
from .errors import DataError, MissingPackageError, refused, unreadable

__all__ = ["DATASETS", "DataError", "Dataset", "MissingPackageError", "load"]

_NAMED: Final[dict[str, Callable[[], Dataset]]] = {
    digits.NAME: digits.load,
    **{name: partial(mnist.load, name) for name in mnist.CLASSES},
}
DATASETS: Final = tuple(_NAMED)
"""The names that ``load`` knows."""


def load(
    name_or_path: str | os.PathLike[str], *, input: Sequence[int] | None = None, classes: Sequence[str] | None = None
) -> Dataset:
    """A dataset by its name, or the images of a folder; a name comes before a folder of that name (write ``./digits``).

    Two classes of handwritten digits in the size of the tutorials' network::

        data = load("digits", classes=["0", "1"], input=(20, 20, 3))

    >>> load("letters")
    Traceback (most recent call last):
    ...
    cenote.lab.datasets.errors.DataError: load: letters: is no dataset by name and no folder; give digits, mnist, ...

    ``name_or_path``: one of ``DATASETS``; or a folder with IDX files under MNIST's names, plain or .gz (one pair alone
    is split); or with images in one folder for each class, perhaps inside train/ and test/. ``input``: (height, width,
    channels) that all images are resized to; None keeps their size, which must then be one for all. ``classes``: the
    names of the classes to keep, numbered in that order; None keeps all. Raises ``DataError`` for files that are
    missing, damaged or do not go together, ``MissingPackageError`` where a package is not installed.
    """
    who = "load"
    if not isinstance(name_or_path, str | os.PathLike):
        raise bad_type(who, f"data is a name or a folder, got {shown(name_or_path)}", f"give {_understood()}")
    if name_or_path == "":  # as a path it would mean the current folder
        raise bad(who, "data is a name or a folder, got an empty text", f"give {_understood()}")
    shape = None if input is None else pixels.as_shape(who, input)
    if isinstance(name_or_path, str) and name_or_path in _NAMED:
        data = _NAMED[name_or_path]()
    else:
        data = _of_folder(Path(name_or_path), shape)
    if classes is not None:
        data = data.of_classes(classes)
    return data if shape is None else data.resized(shape)


def _of_folder(folder: Path, shape: pixels.Shape | None) -> Dataset:
    try:
        is_folder = stat.S_ISDIR(os.stat(folder).st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the last for a zero byte
        raise unreadable(folder, "is no dataset by name and no folder", f"give {_understood()}") from None
    except OSError as error:
        raise refused(folder, error) from None
    if not is_folder:
        raise unreadable(folder, "is a file, expected a folder", f"give {_understood()}")
    if idx.is_here(folder):
        return idx.load(folder)
    if (inside := _idx_inside(folder)) is not None:
        there = inside.relative_to(folder)
        raise unreadable(folder, f"has no IDX files itself, but {there} in it has some", f"give {inside}")
    if folders.is_here(folder):
        return folders.load(folder, shape)
    raise unreadable(folder, "holds neither IDX files nor folders of images", f"give {_understood()}")


def _idx_inside(folder: Path) -> Path | None:
    """Where torchvision has put them: ``MNIST/raw`` in the folder that it was given."""
    found = (inside for pattern in ("raw", "*/raw") for inside in sorted(folder.glob(pattern)))
    return next((inside for inside in found if os.path.isdir(inside) and idx.is_here(inside)), None)


def _understood() -> str:
    return (
        f"{', '.join(DATASETS)}, a folder with IDX files ({idx.names('train', 'images')[0]} and its like, plain or "
        ".gz), or a folder with one folder of images for each class"
    )
