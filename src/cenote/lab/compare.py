"""A network and images of the caller's, by every arm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import bad
from .arms import ALL
from .datasets import Dataset
from .experiment import OUT, SEEDS, Experiment, run
from .models import Build
from .results import Results
from .training import DEFAULT


def compare(
    build_model: Build,
    data: Dataset | tuple[Any, Any, Any, Any] | str,
    arms: str | Sequence[str] = ALL,
    *,
    out: str | Path = OUT,
    seeds: int | Sequence[int] = SEEDS,
    epochs: int = DEFAULT.epochs,
    **further: Any,
) -> Results:
    """Your own network and images, by every arm: ``run`` with an ``Experiment`` of them.

    ``build_model(input_shape, classes)`` gives a Keras model; ``data`` is a ``Dataset``, its name or folder, or arrays
    (x_train, y_train, x_test, y_test) with images N x H x W x C of numbers 0 to 1 and classes as whole numbers.
    """
    if isinstance(data, tuple | list):
        if len(data) != 4:
            raise bad("compare", f"data is {len(data)} things", "give (x_train, y_train, x_test, y_test)")
        data = _of_arrays(*data)
    options = {name: further.pop(name) for name in ("resume", "jobs", "progress") if name in further}
    experiment = Experiment(data, build_model, arms, seeds, epochs, **further)
    return run(experiment, out, **options)


def _of_arrays(x_train: Any, y_train: Any, x_test: Any, y_test: Any) -> Dataset:
    images = [np.ascontiguousarray(x, dtype=np.float32) for x in (x_train, x_test)]
    labels = [np.ascontiguousarray(y) for y in (y_train, y_test)]
    for name, y in zip(("y_train", "y_test"), labels, strict=True):
        if y.dtype.kind not in "iu" or y.ndim != 1:
            raise bad("compare", f"{name} is {y.dtype} of shape {y.shape}", "give one whole number per image")
    count = 1 + max((int(y.max()) for y in labels if y.size), default=0)
    names = tuple(str(i) for i in range(max(2, count)))
    train, test = (y.astype(np.int64) for y in labels)
    return Dataset("arrays", images[0], train, images[1], test, names, "arrays of the caller's")
