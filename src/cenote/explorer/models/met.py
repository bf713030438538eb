"""What a model's run shows of one pooling layer, in the words of no framework: what the rooms of both hand on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cenote.ops.request import Request

from .fields import Known

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Met:
    """One run of one layer on one image.

    ``requests`` is what it asks of the contract over the last axes of maps whose channels come first: one for all
    channels, or one for each (windows drawn at random); none where it is not known, and ``reason`` says why. ``before``
    and ``after`` are channels x maps, None where they could not be read. ``field`` is that of the layer's input.
    """

    name: str
    kind: str
    words: Mapping[str, str]
    requests: tuple[Request, ...]
    reason: str
    before: Array | None
    after: Array | None
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    field: Known


def over_last_axes(request: Request) -> Request:
    """The same for maps whose channels come first, for values alone, in the dtype of the array that it gets."""
    axes = tuple(range(-len(request.axes), 0))
    return replace(request, axes=axes, words=replace(request.words, dtype=None, select=False))


def differing(said: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, str]:
    """Words other than their defaults, as they were written."""
    return {name: repr(value) for name, value in said.items() if name not in defaults or value != defaults[name]}


def words(text: str) -> frozenset[str]:
    """Names that stand in one text."""
    return frozenset(text.split())


def plain(array: Any) -> Array:
    """A copy in a dtype of NumPy's own: bfloat16 becomes float32, complex numbers their magnitude."""
    found = np.asarray(array)
    if found.dtype.kind == "c":
        found = np.abs(found)
    return found.astype(np.float32) if found.dtype.kind not in "biuf" else found.copy()


class Unfit(Exception):
    """The input does not fit the model, before anything ran; its text says how."""


def one_image(x: Any, ndim: int | None, what: str) -> tuple[Any, int]:
    """``x`` as a batch of one image, and how many images it held. ``ndim`` is what the model wants, batch included."""
    given = len(x.shape)
    wanted = ndim if ndim is not None else max(given, 2) + (given == 3)
    if given == wanted - 1:
        return x[None], 1
    if given != wanted:
        raise Unfit(f"the model wants {wanted - 1} dimensions ({what}), or {wanted} with a batch")
    if not x.shape[0]:
        raise Unfit("the batch is empty")
    return x[:1], int(x.shape[0])
