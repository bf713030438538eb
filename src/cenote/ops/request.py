"""Request: a pooling call before its array is known. What the adapters of the frameworks make of their users' words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, Final

from ..catalogue import OPS, Call, Op, Params
from ..catalogue.dtypes import Dtype, requested
from ..geometry import Axes, Window
from ..geometry.arguments import flag
from .arrays import check_dtype
from .prepare import Words, adaptive_window, checked_call, global_window, own_words, sliding_window


@dataclass(frozen=True, slots=True)
class Request:
    """``axes`` count from the end (so that further axes in front change nothing) and ascend; ``window`` has one rule
    for each. Two equal requests are one and the same call for arrays of the same shape and dtype."""

    who: str
    op: Op
    window: Window
    axes: tuple[int, ...]
    words: Words

    @classmethod
    def sliding(
        cls,
        who: str,
        op: Op,
        ndim: int,
        size: Any,
        *,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: Any = False,
        axes: Axes = None,
        **own: Any,
    ) -> Request:
        """The words of ``max_pool``, for an array of ``ndim`` dimensions."""
        found, window = sliding_window(
            who, ndim, size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode, axes=axes
        )
        return cls._of(who, op, ndim, found, window, own)

    @classmethod
    def adaptive(cls, who: str, op: Op, shape: Sequence[int], parts: Any, *, axes: Axes = None, **own: Any) -> Request:
        """The words of ``adaptive_max_pool``, for an array of this shape (a part of None keeps a length)."""
        found, window = adaptive_window(who, tuple(shape), parts, axes=axes)
        return cls._of(who, op, len(shape), found, window, own)

    @classmethod
    def global_(
        cls, who: str, op: Op, ndim: int, *, axes: Axes = (-2, -1), keepdims: Any = False, **own: Any
    ) -> tuple[Request, bool]:
        """The words of ``global_max_pool``, and whether the pooled axes stay. The request itself always keeps them."""
        found, window = global_window(who, ndim, axes=axes)
        return cls._of(who, op, ndim, found, window, own), flag(who, "keepdims", keepdims)

    @classmethod
    def _of(cls, who: str, op: Op, ndim: int, axes: tuple[int, ...], window: Window, own: dict[str, Any]) -> Request:
        return cls(who, op, window, tuple(axis - ndim for axis in axes), own_words(who, op, own))

    def selecting(self, select: bool = True) -> Request:
        """The same request with positions asked for, or not."""
        return replace(self, words=replace(self.words, select=select))

    def outputs(self, shape: Sequence[int]) -> list[int]:
        """The shape of the result by the formulas alone, for compilers whose lengths may be symbols."""
        whole = list(shape)
        for axis, rule in zip(self.axes, self.window.rules, strict=True):
            whole[axis] = rule.outputs(whole[axis])
        return whole

    def most_taps(self, shape: Sequence[int]) -> int:
        """No window has more taps than this, by the formulas alone."""
        return math.prod(rule.most_taps(shape[axis]) for axis, rule in zip(self.axes, self.window.rules, strict=True))

    def text(self) -> str:
        """The request as one line, for graphs that hold nothing but tensors, numbers and strings.

        >>> from cenote.catalogue import OPS
        >>> text = Request.sliding("max_pool2d", OPS["max"], 4, 3, stride=2).text()
        >>> text
        '{"who": "max_pool2d", "op": "max", "window": "3x3/2x2", "axes": [-2, -1]}'
        >>> Request.parse(text).text() == text
        True
        """
        said: dict[str, Any] = {
            "who": self.who,
            "op": self.op.name,
            "window": str(self.window),
            "axes": self.axes,
            **{f.name: getattr(self.words.params, f.name) for f in fields(Params)},
            "dtype": self.words.dtype and self.words.dtype.name,
            "select": self.words.select,
        }
        import json  # only frameworks ask: who imports cenote alone does not wait for it

        return json.dumps({name: value for name, value in said.items() if value != _DEFAULTS.get(name, _DEFAULTS)})

    @staticmethod
    def parse(text: str) -> Request:
        """What ``text`` wrote."""
        return _parsed(text)

    def __repr__(self) -> str:
        return f"Request({self.text()})"

    def call(self, shape: tuple[int, ...], dtype: Dtype) -> Call:
        """The call for an array of this shape and dtype, or the error that it is not possible."""
        return _call(self, shape, dtype)


# What a text leaves out.
_DEFAULTS: Final = {**{f.name: f.default for f in fields(Params)}, "dtype": None, "select": False}


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Request:
    import json

    said = {**_DEFAULTS, **json.loads(text)}
    who, axes = said["who"], tuple(said["axes"])
    params = Params(**{f.name: said[f.name] for f in fields(Params)})
    dtype = None if said["dtype"] is None else requested(who, said["dtype"])
    window = Window.parse(said["window"], len(axes), who=who)
    return Request(who, OPS[said["op"]], window, axes, Words(params, dtype, said["select"]))


@lru_cache(maxsize=1024)
def _call(request: Request, shape: tuple[int, ...], dtype: Dtype) -> Call:
    check_dtype(request.who, "x", dtype, request.op.kinds)
    axes = tuple(axis + len(shape) for axis in request.axes)
    return checked_call(request.who, request.op, shape, dtype, axes, request.window, request.words)
