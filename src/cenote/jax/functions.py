"""The public functions: every function of cenote that pools, by its own name and arguments, for arrays of JAX's."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jax.numpy as jnp

from ..catalogue import OPS, Op
from ..geometry import Axes
from ..ops.request import Request
from ..ops.signature import FORMS, signature
from .docstrings import docstring
from .pooling import Array, as_jax, pool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Pooling:
    """One public function: an operator in one form. ``ready`` takes the function's arguments, and gives what is to be
    pooled, how, and which axes are to go afterwards."""

    op: Op
    name: str
    ready: Callable[..., tuple[Array, Request, tuple[int, ...]]]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Pool."""
        x, request, dropped = self.ready(*args, **kwargs)
        done = pool(request, x)
        if not dropped:
            return done
        return tuple(_without(array, dropped) for array in done) if request.words.select else _without(done, dropped)


def _without(array: Array, axes: tuple[int, ...]) -> Array:
    return jnp.squeeze(array, axis=axes)


def _sliding(op: Op, who: str) -> Callable[..., tuple[Array, Request, tuple[int, ...]]]:
    def ready(
        x: Any,
        size: Any,
        *,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: Any = False,
        axes: Axes = None,
        **own: Any,
    ) -> tuple[Array, Request, tuple[int, ...]]:
        x = as_jax(who, op, x)
        geometry = {"stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil_mode}
        return x, Request.sliding(who, op, x.ndim, size, **geometry, axes=axes, **own), ()

    return ready


def _adaptive(op: Op, who: str) -> Callable[..., tuple[Array, Request, tuple[int, ...]]]:
    def ready(x: Any, parts: Any, *, axes: Axes = None, **own: Any) -> tuple[Array, Request, tuple[int, ...]]:
        x = as_jax(who, op, x)
        return x, Request.adaptive(who, op, x.shape, parts, axes=axes, **own), ()

    return ready


def _global(op: Op, who: str) -> Callable[..., tuple[Array, Request, tuple[int, ...]]]:
    def ready(
        x: Any, *, axes: Axes = (-2, -1), keepdims: Any = False, **own: Any
    ) -> tuple[Array, Request, tuple[int, ...]]:
        x = as_jax(who, op, x)
        request, keep = Request.global_(who, op, x.ndim, axes=axes, keepdims=keepdims, **own)
        return x, request, () if keep else request.axes

    return ready


_MAKERS: Final = {"sliding": _sliding, "adaptive": _adaptive, "global": _global}


def functions(rows: Mapping[str, Op] = OPS) -> dict[str, Callable[..., Any]]:
    """Every public pooling function by name: three forms of each row."""
    return {op.function_name(form): _function(op, form) for form in FORMS for op in rows.values()}


def _function(op: Op, form: str) -> Callable[..., Any]:
    name = op.function_name(form)
    ready = _MAKERS[form](op, name)
    pooling = Pooling(op, name, ready)

    def function(*args: Any, **kwargs: Any) -> Any:
        return pooling(*args, **kwargs)

    for named in (function, ready):  # a missing argument is said of the public function
        named.__name__ = named.__qualname__ = name
    function.__module__ = "cenote.jax"
    function.__doc__ = docstring(op, form)
    every = signature(op, form)
    without_out = [p for p in every.parameters.values() if p.name != "out"]
    function.__signature__ = inspect.Signature(without_out)  # type: ignore[attr-defined]
    function.cenote = pooling  # type: ignore[attr-defined]
    return function
