"""What a network costs, by its name: `cenote lab summary`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import bad
from .arms import parse
from .models import Model, built, find

if TYPE_CHECKING:
    from .counts import Summary

#: Where neither the caller nor the model says what it is for: MNIST's images.
_INPUT, _CLASSES = (28, 28, 1), 10


def summary(
    model: str | Model,
    input: Sequence[int] | None = None,
    classes: int | None = None,
    arm: str | None = None,
) -> Summary:
    """Every layer's shape and its arithmetic, window, receptive field, parameters, multiply-adds and bytes.

    ``model``: a name or file, as in ``Experiment``. ``input`` (height, width, channels) and ``classes``: left out, the
    model's own, else 28x28x1 and 10. ``arm``: another choice where it pools.

    >>> [layer.output_shape for layer in summary("digits").layers][1:4]
    [(26, 26, 32), (13, 13, 32), (11, 11, 64)]
    """
    from .counts import summarize
    from .surgery import apply

    found = find(model) if isinstance(model, str) else model
    if found.input is not None and input is not None and tuple(input) != found.input and found.name not in _FREE:
        raise bad("lab summary", f"{found.title} takes {found.input}, not {tuple(input)}", "leave input out")
    shape = tuple(input or found.input or _INPUT)
    network = built(found, shape, classes or found.classes or _CLASSES)
    return summarize(network if arm is None else apply(parse(arm), network))


#: Presets can be built for any input, whatever they are trained on.
_FREE = ("tutorial",)
