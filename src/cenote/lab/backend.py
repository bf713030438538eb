"""Keras, on JAX unless the user has chosen another backend."""

from __future__ import annotations

import sys
from types import ModuleType

from ..errors import bad
from ..explorer.models.files import choose_backend

INSTALL = "pip install 'cenote[lab]'"


def load() -> ModuleType:
    """Keras, or what to install."""
    choose_backend()
    try:
        import keras
    except ImportError as error:
        raise bad("lab", f"Keras cannot be imported ({error})", f"run: {INSTALL}") from None
    except ValueError as error:
        raise bad("lab", f"Keras cannot be imported ({error})", "set KERAS_BACKEND to one that it knows") from None
    found: ModuleType = keras
    return found


def versions() -> dict[str, str]:
    """What numbers depend on."""
    import numpy as np

    from .. import __version__

    keras = load()
    backend = keras.backend.backend()
    module = __import__({"jax": "jax", "torch": "torch", "tensorflow": "tensorflow"}.get(backend, backend))
    return {
        "cenote": __version__,
        "keras": str(keras.__version__),
        "backend": backend,
        backend: str(getattr(module, "__version__", "unknown")),
        "numpy": np.__version__,
        "python": ".".join(map(str, sys.version_info[:3])),
    }
