"""A request as tensors need it: its calls, by shape, dtype and memory format."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from cenote.catalogue import OPS, Call, Params
from cenote.ops import maps
from cenote.ops.prepare import Words
from cenote.ops.request import Request

_MOST_CALLS = 64


class Ready(NamedTuple):
    """A call, and its compiled maps where it has them."""

    call: Call
    maps: maps.Maps | None


class Bound:
    """One request, the same object wherever the same request is meant; it remembers the calls made of it."""

    __slots__ = ("_calls", "_last", "_lock", "rank", "request", "text")

    def __init__(self, request: Request) -> None:
        self.request = request
        rank = len(request.axes)
        # Memory formats are about (N, C, ...): where other axes are pooled (Keras's channels last), none is followed.
        self.rank = rank if request.axes == tuple(range(-rank, 0)) else 0
        self.text = request.text()
        self._last = replace(request, axes=tuple(axis - 1 for axis in request.axes))
        self._calls: dict[Any, Ready] = {}
        self._lock = threading.Lock()

    def ready(self, shape: tuple[int, ...], dtype: np.dtype[Any], last: bool) -> Ready:
        """The call for an array of this shape and dtype, whose channels come last or not."""
        key = (shape, dtype, last)
        found = self._calls.get(key)
        if found is None:
            call = (self._last if last else self.request).call(shape, dtype)
            found = Ready(call, maps.compiled(call))
            with self._lock:
                if len(self._calls) >= _MOST_CALLS:
                    self._calls.clear()
                self._calls[key] = found
        return found

    @property
    def plain(self) -> Bound:
        """The same without positions."""
        return bound(self.request.selecting(False))

    def related(self, operator: str) -> Bound:
        """The same windows under another operator, with that operator's own defaults."""
        request = self.request
        return bound(replace(request, op=OPS[operator], words=Words(Params(), None, False)))

    def __reduce__(self) -> tuple[Callable[[str], Bound], tuple[str]]:
        return of_text, (self.text,)

    def __repr__(self) -> str:
        return self.text


@lru_cache(maxsize=4096)
def bound(request: Request) -> Bound:
    """The one Bound of a request."""
    return Bound(request)


def of_text(text: str) -> Bound:
    """The one Bound of a request written as text."""
    return bound(Request.parse(text))
