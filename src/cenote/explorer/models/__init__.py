"""A trained model's pooling: every layer that pools, with its maps before and after.

PyTorch and Keras 3; each is asked only about models of its own, and none is imported for it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from cenote.errors import CenoteError, bad, bad_type, shown
from cenote.geometry.arguments import integer

from ..exploration import Exploration
from .layers import ChannelMaps, LayerMaps, layers, value_range
from .met import Unfit
from .page import ModelMaps, joined

__all__ = [
    "ChannelMaps",
    "LayerMaps",
    "ModelMaps",
    "exploration",
    "explored",
    "is_model",
    "joined",
    "maps",
    "value_range",
]

# Keras first: with its PyTorch backend a Keras model is a module of PyTorch's, too.
_ROOMS: Final = {"keras": "keras_models", "torch": "torch_models"}


def is_model(model: Any) -> bool:
    """Whether ``maps`` takes it: a Keras 3 model or a PyTorch module."""
    return _room(model) is not None


def maps(model: Any, x: Any, *, channels: int = 8, who: str = "explore") -> ModelMaps:
    """Every pooling layer of a model with its maps for one image; a model that does not pool is an error.

    The model runs once, in evaluation and without gradients, and is left as it was: training flags, hooks, random
    numbers. Layers are found as they run, so those that do not run are not there, and one that runs twice is there
    twice. Layers that call themselves pools and are none that the contract knows are there with their maps, and say why
    their numbers are missing. Pooling by other means (``x.mean((2, 3))``, a slice) is no layer and not found.

    Parameters
    ----------
    model : torch.nn.Module or keras.Model
        Any of PyTorch's, functions such as ``F.max_pool2d`` and ``cenote.torch`` included; any of Keras 3's, nested,
        shared and subclassed, with Keras's layers or those of ``cenote.keras``, on any backend.
    x : array_like or tensor
        One example, channels where the model wants them, or a batch, of which the first is shown. NumPy arrays come in
        the dtype of the model's weights; nothing is scaled.
    channels : int, default 8
        So many of the strongest channels, and of those that lost most, are kept for every layer.
    who : str
        Who asks, for messages.

    Returns
    -------
    ModelMaps
        ``layers``, each a ``LayerMaps`` whose docstring defines the numbers; ``packed()`` for the page.

    Raises
    ------
    CenoteError
        ``model`` is no model or does not pool, ``x`` does not fit it, or the model fails: with what was fed.
    """
    room = _room(model)
    if room is None:
        raise _no_model(who, model)
    most = integer(who, "channels", channels, 1)
    if x is None:
        raise bad_type(who, "a model needs an input to show its maps", "pass one image, or a batch: (model, x)")
    try:
        image, given = room.fed(model, x)
    except Unfit as error:
        raise bad(who, f"x has shape {_shape(x)}; {error}", "pass one example or a batch") from None
    except (TypeError, ValueError, RuntimeError) as error:
        raise bad(who, f"x is {shown(x)}, which is no array of numbers ({_said(error)})", "pass one image") from error
    fed = f"{type(image).__name__} of shape {tuple(image.shape)} and dtype {image.dtype}"
    try:
        found = room.look(model, image)
    except CenoteError:
        raise
    except Exception as error:  # a model of the user's own may fail in any way
        raise bad(
            who,
            f"{type(model).__name__} was fed a {fed} and failed ({_said(error)})",
            "see its error above; feed it what it was made for",
        ) from error
    if not found:
        raise bad(who, f"no pooling ran in {type(model).__name__}", f"looked for: {room.KINDS}")
    notes = (f"{given} images were given; the first is shown",) if given > 1 else ()
    title = str(getattr(model, "name", "") or type(model).__name__)
    return ModelMaps(title, room.FRAMEWORK, tuple(image.shape[1:]), layers(found, most), notes)


def explored(model: Any, x: Any, *, title: str | None = None, channels: int = 8) -> Exploration:
    """The page about a model: it begins with the strongest map of the first pooling layer that the page can draw."""
    return exploration(maps(model, x, channels=channels), title)


def exploration(found: ModelMaps, title: str | None = None) -> Exploration:
    """The same for maps that are there."""
    first = found.first_state(title)
    if first is None:
        reasons = "; ".join(
            f"{layer.title}: {layer.reason or 'its windows are not the page’s'}" for layer in found.layers
        )
        raise bad("explore", f"no pooling of {found.title} can be drawn ({reasons})", "see cenote.explorer.models.maps")
    shape = tuple(next(layer.after for layer in found.layers if layer.request is not None and layer.after))
    return Exploration(
        first,
        found.title,
        shape,
        next(layer.before for layer in found.layers if layer.request is not None and layer.after),
        title=f"{title or found.title}: cenote explorer",
        model=found.packed(),
        note="; ".join(found.notes) or None,
    )


def _room(model: Any) -> ModuleType | None:
    """Who runs it: only a framework that is loaded can have made it."""
    for framework, name in _ROOMS.items():
        base = _base(framework)
        if base is not None and isinstance(model, base):
            return import_module(f"{__name__}.{name}")
    return None


def _base(framework: str) -> type | None:
    module = sys.modules.get(framework)
    part = getattr(module, "layers" if framework == "keras" else "nn", None)
    found: type | None = getattr(part, "Layer" if framework == "keras" else "Module", None)
    return found


def _no_model(who: str, model: Any) -> CenoteError:
    if isinstance(model, type):
        return bad_type(who, f"model is the class {model.__name__}", f"make one of it: {model.__name__}(...)")
    return bad_type(who, f"model is {shown(model)}", "pass a torch.nn.Module or a Keras 3 model")


def _shape(x: Any) -> tuple[int, ...]:
    import numpy as np

    return tuple(getattr(x, "shape", None) or np.shape(x))


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}"
