"""Saved models: files of Keras alone, which hold no program. Others are pickles and are never read."""

from __future__ import annotations

import importlib.util
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

from cenote.errors import bad


def choose_backend() -> None:
    """Say JAX to a Keras that is not loaded yet, where nobody has said anything: a plain install has no GPU baggage."""
    if "keras" not in sys.modules and "KERAS_BACKEND" not in os.environ and importlib.util.find_spec("jax"):
        os.environ["KERAS_BACKEND"] = "jax"


def read(path: Path, who: str) -> Any:
    """The model of a ``.keras`` file, layers of ``cenote.keras`` among its own; all else is an error.

    Raises ImportError where Keras is missing.
    """
    choose_backend()
    import keras

    from ... import keras as _  # noqa: F401  # registers its layers

    if not path.is_file():
        raise bad(who, f"{path}: no such file", "name a model saved by Keras (FILE.keras)")
    if not zipfile.is_zipfile(path):  # Keras would say that it is not there
        raise bad(who, f"{path}: is no model saved by Keras, or only the beginning of one", "save it anew")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise bad(who, f"{path}: is no model that Keras can read ({said})", "save it anew") from error
