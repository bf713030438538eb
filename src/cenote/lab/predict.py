"""A trained network asked about images."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import bad
from .datasets import pictures, pixels
from .models import ends, read
from .store import SETTINGS
from .training import check, probabilities


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a network says of an image. ``seconds``: one call with this image alone, after one to warm up."""

    image: str
    label: str
    probabilities: dict[str, float]
    seconds: float


def predict(model: str | Path, images: Sequence[str | Path], *, invert: bool = False) -> list[Prediction]:
    """Classes, probabilities and times of image files, by a network saved by Keras or by ``run``.

    Images are brought to the network's input as folders of images are: resized, grey or RGB, 0 to 1; ``invert`` makes
    dark on light light on dark. Names of classes are those of the run that the network is from, else numbers.
    Raises ``CenoteError`` for a file that is no network or no image.
    """
    network = read(Path(model))
    (_, *shape), (_, *given) = ends(str(model), network)
    if len(shape) != 3 or None in shape or shape[2] not in (1, 3) or len(given) != 1 or None in given:
        raise bad("predict", f"{model}: maps {shape} to {given}", "give one that classifies images")
    check(str(model), network)
    if not images:
        raise bad("predict", "no images were named", "name at least one file")
    names, wanted = _classes(Path(model), given[0]), pixels.as_shape("predict", shape)
    pictures_ = [pixels.fitted(pixels.scaled(pictures.read(Path(image))), wanted) for image in images]
    found = []
    for image, x in zip(images, pictures_, strict=True):
        batch = (1 - x if invert else x)[None]
        said, seconds = _timed(network, batch)
        if not np.isfinite(said).all():
            raise bad("predict", f"{model}: answers {image} with NaN", "train it anew: its weights have diverged")
        shares = {name: float(share) for name, share in zip(names, said, strict=True)}
        found.append(Prediction(str(image), names[int(said.argmax())], shares, seconds))
    return found


def _timed(network: Any, batch: Any) -> tuple[Any, float]:
    probabilities(network, batch)  # the first call compiles
    start = time.perf_counter()
    said = probabilities(network, batch)[0]
    return said, time.perf_counter() - start


def _classes(model: Path, count: int) -> list[str]:
    """By the settings beside the folder of models, if this network is one of theirs: also of a run that was killed."""
    try:
        found = json.loads((model.resolve().parent.parent / SETTINGS).read_text(encoding="utf-8"))["classes"]
        if len(found) == count:
            return [str(name) for name in found]
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return [str(i) for i in np.arange(count)]
