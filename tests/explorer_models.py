"""What is read from the maps of a model, and Keras for those that need it."""

from __future__ import annotations

import base64
import importlib.util
from typing import Any

import numpy as np
import pytest

from cenote.explorer.models import ChannelMaps, LayerMaps
from cenote.explorer.models.files import choose_backend


def unpacked(packed: dict[str, Any]) -> np.ndarray:
    """The array of packed bytes, in its own type."""
    dtype = {"u1": "u1", "f4": "<f4", "f8": "<f8"}[packed["dtype"]]
    return np.frombuffer(base64.b64decode(packed["data"]), dtype).reshape(packed["shape"])


def channel(layer: LayerMaps, number: int) -> ChannelMaps:
    """The maps of one channel."""
    return next(one for one in layer.channels if one.channel == number)


def keras() -> Any:
    """Keras on the backend that the command chooses, so that one worker imports one framework for it; or a skip."""
    if importlib.util.find_spec("keras") is None:
        pytest.skip("Keras is not installed: its models are not looked at")
    choose_backend()
    import keras

    return keras


def weights(shape: tuple[int, ...], dtype: Any = None) -> Any:
    """Weights by NumPy: Keras's own way to draw them is compiled anew for every shape, which takes most of a test."""
    return np.random.default_rng(len(shape)).normal(size=shape).astype("float32")
