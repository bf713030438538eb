"""Who pools on the backend that Keras runs: the adapter of PyTorch or JAX, TensorFlow's own kernels, or NumPy."""

from __future__ import annotations

import sys
from importlib import import_module
from types import FrameType, ModuleType
from typing import Any, Final

import keras

from ..errors import bad
from ..ops.request import Request

_ROOMS: Final = {
    "torch": "cenote.torch.pooling",
    "jax": "cenote.jax.pooling",
    "tensorflow": f"{__package__}.on_tensorflow",
    "numpy": f"{__package__}.on_numpy",
}


# Not cached, neither of them: torch.compile looks into every call of a layer, and warns of each cache that it finds.


def name() -> str:
    """Keras's backend. It is fixed when Keras is imported."""
    return str(keras.config.backend())


def room() -> ModuleType:
    """The module whose ``pool(request, x)`` knows the tensors of this backend."""
    module = _ROOMS.get(name())
    if module is None:
        raise bad(
            "cenote.keras",
            f"Keras runs on {name()!r}",
            f"set KERAS_BACKEND to one of {', '.join(_ROOMS)} before import",
        )
    return import_module(module)


def pool(request: Request, x: Any) -> Any:
    """The pooled tensor, or values and indices where the request asks for them; differentiable."""
    return room().pool(request, x)


def hosted(request: Request, dtype: str, shape: tuple[int | None, ...]) -> str | None:
    """Why this call leaves TensorFlow's graph for Python, where no compiler and no SavedModel follows; None where it
    does not."""
    found: str | None = room().refusal(request, dtype, shape) if name() == "tensorflow" else None
    return found


def index_dtype() -> str:
    """The dtype of indices: JAX has none of 64 bits unless it was told to."""
    return "int32" if name() == "jax" and not _x64() else "int64"


def _x64() -> bool:
    return bool(import_module("jax").config.jax_enable_x64)


def elsewhere(x: Any) -> str | None:
    """Why cenote's kernels cannot reach this tensor; None where they can. Nothing is copied behind anybody's back."""
    if name() == "torch":
        device = getattr(x, "device", None)
        if getattr(device, "type", "cpu") not in ("cpu", "meta"):
            return f"the tensor is on {device}, and the kernels run on the CPU"
    if name() == "jax":
        platform = import_module("jax").default_backend()
        if platform != "cpu":
            return f"JAX runs on {platform}, and the kernels run on the CPU"
    return None


def is_exporting() -> bool:
    """True inside of Keras's export, whatever the format: it traces a model like everybody else and tells nobody."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("keras.src.export."):
            return True
        frame = frame.f_back
    return False
