"""Data to load: noise as IDX files and as folders of images, and what a refusal must look like."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cenote.lab.datasets import DataError, load

_rng = np.random.default_rng(20)


def noise(*shape: int) -> np.ndarray:
    return _rng.integers(0, 256, shape).astype(np.uint8)


def refused(folder: Path, file: Path | str, *said: str) -> None:
    """Loading fails with one line that names the file and says all this."""
    with pytest.raises(DataError) as caught:
        load(folder)
    text = str(caught.value)
    assert text.startswith(f"load: {folder / file}: "), text
    assert "\n" not in text
    assert "; " in text
    for piece in said:
        assert piece in text, text


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


def put(folder: Path, part: str, images: np.ndarray, labels: np.ndarray, form: str = "-idx", end: str = "") -> None:
    folder.mkdir(exist_ok=True, parents=True)
    pack = gzip.compress if end else bytes
    (folder / f"{part}-images{form}3-ubyte{end}").write_bytes(pack(idx(images)))
    (folder / f"{part}-labels{form}1-ubyte{end}").write_bytes(pack(idx(labels.astype(np.uint8))))


def picture(path: Path, array: np.ndarray, **keywords: Any) -> Path:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **keywords)
    return path


def pets(folder: Path, counts: dict[str, int], *shape: int) -> dict[str, list[np.ndarray]]:
    """Class folders of noise; the images by class in the order of their names."""
    found = {}
    for name, count in counts.items():
        found[name] = [noise(*(shape or (4, 3))) for _ in range(count)]
        for i, array in enumerate(found[name]):
            picture(folder / name / f"{i:03}.png", array)
    return found
