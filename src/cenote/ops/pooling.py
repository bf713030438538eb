"""The public functions: three forms (sliding, adaptive, global) of every row of the catalogue, made by a loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..catalogue import OPS, Op
from ..errors import bad_type, shown
from ..geometry import Axes
from ..geometry.arguments import flag
from ..native import Door
from . import prepare
from .arrays import as_input, check_out, new
from .dispatch import choose
from .docstrings import docstring
from .prepare import Known, Prepared, Spelling
from .signature import FORMS, signature

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Pooling:
    """One public function: an operator in one form. ``prepare`` takes the arguments of the function itself."""

    op: Op
    form: str
    prepare: Callable[..., Prepared]

    @property
    def name(self) -> str:
        """Name of the public function."""
        return self.op.function_name(self.form)


def run(prepared: Prepared, out: object) -> Any:
    """Run a prepared call into ``out`` or fresh arrays."""
    call, who = prepared.call, prepared.call.who
    provider = choose(call)
    values_out, indices_out = checked_out(prepared, out)
    shape = prepared.shape
    values, fresh = new(who, shape, call.result) if values_out is None else (values_out, False)
    if not call.select:
        provider.forward(call, prepared.x, prepared.full(values), None, fresh=fresh)
        prepared.keep(provider)
        return values
    indices, fresh_too = new(who, shape, np.dtype(np.int64)) if indices_out is None else (indices_out, False)
    provider.forward(call, prepared.x, prepared.full(values), prepared.full(indices), fresh=fresh or fresh_too)
    prepared.keep(provider)
    return values, indices


def checked_out(prepared: Prepared, out: object) -> tuple[Any, Any]:
    """Where values and indices go (None for a fresh array), if they can go there."""
    call, who = prepared.call, prepared.call.who
    values_out, indices_out = _outs(who, out, call.select)
    shape = prepared.shape
    for array, dtype, name, others in (
        (values_out, call.result, "out[0]" if call.select else "out", [prepared.x]),
        (indices_out, np.dtype(np.int64), "out[1]", [prepared.x, values_out]),
    ):
        if array is not None:
            check_out(who, array, shape, dtype, [a for a in others if isinstance(a, np.ndarray)], name)
    return values_out, indices_out


def _outs(who: str, out: object, select: bool) -> tuple[Any, Any]:
    if out is None:
        return None, None
    if not select:
        return out, None
    if not isinstance(out, tuple | list) or len(out) != 2:
        raise bad_type(
            who,
            f"out is a pair (values, indices) with return_indices=True, got {shown(out)}",
            "pass two arrays",
        )
    return out[0], out[1]


def _sliding(op: Op) -> tuple[Pooling, Callable[..., Any]]:
    who = op.function_name("sliding")
    door = Door()
    enter, recall = door.enter, door.recall

    def ready(
        x: ArrayLike,
        size: Any,
        *,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: Any = False,
        axes: Axes = None,
        **own: Any,
    ) -> Prepared:
        words = (size, stride, padding, dilation, ceil_mode, axes)
        known = recall(x, own, *words)
        if isinstance(known, Known):
            return Prepared(known, x)  # type: ignore[arg-type]  # only a plain array is recognised
        spelling = Spelling(door, own, words) if known is None else None
        array = as_input(who, x, op.kinds)
        found, window = prepare.sliding_window(
            who,
            array.ndim,
            size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            ceil_mode=ceil_mode,
            axes=axes,
        )
        known = Known.of(prepare.make_call(who, op, array, found, window, own))
        return Prepared(known, array, spelling)

    def pool(
        x: ArrayLike,
        size: Any,
        *,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: Any = False,
        axes: Axes = None,
        out: Any = None,
        **own: Any,
    ) -> Any:
        y = enter(x, out, own, size, stride, padding, dilation, ceil_mode, axes)
        if y is not NotImplemented:
            return y
        prepared = ready(
            x, size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode, axes=axes, **own
        )
        return run(prepared, out)

    return Pooling(op, "sliding", ready), pool


def _adaptive(op: Op) -> tuple[Pooling, Callable[..., Any]]:
    who = op.function_name("adaptive")
    door = Door()
    enter, recall = door.enter, door.recall

    def ready(x: ArrayLike, parts: Any, *, axes: Axes = None, **own: Any) -> Prepared:
        known = recall(x, own, parts, axes)
        if isinstance(known, Known):
            return Prepared(known, x)  # type: ignore[arg-type]  # only a plain array is recognised
        spelling = Spelling(door, own, (parts, axes)) if known is None else None
        array = as_input(who, x, op.kinds)
        found, window = prepare.adaptive_window(who, array.shape, parts, axes=axes)
        known = Known.of(prepare.make_call(who, op, array, found, window, own))
        return Prepared(known, array, spelling)

    def pool(x: ArrayLike, parts: Any, *, axes: Axes = None, out: Any = None, **own: Any) -> Any:
        y = enter(x, out, own, parts, axes)
        return run(ready(x, parts, axes=axes, **own), out) if y is NotImplemented else y

    return Pooling(op, "adaptive", ready), pool


def _global(op: Op) -> tuple[Pooling, Callable[..., Any]]:
    who = op.function_name("global")
    door = Door()
    enter, recall = door.enter, door.recall

    def ready(x: ArrayLike, *, axes: Axes = (-2, -1), keepdims: Any = False, **own: Any) -> Prepared:
        known = recall(x, own, axes, keepdims)
        if isinstance(known, Known):
            return Prepared(known, x)  # type: ignore[arg-type]  # only a plain array is recognised
        spelling = Spelling(door, own, (axes, keepdims)) if known is None else None
        array = as_input(who, x, op.kinds)
        found, window = prepare.global_window(who, array.ndim, axes=axes)
        keep = flag(who, "keepdims", keepdims)
        known = Known.of(prepare.make_call(who, op, array, found, window, own), drop_axes=not keep)
        return Prepared(known, array, spelling)

    def pool(x: ArrayLike, *, axes: Axes = (-2, -1), keepdims: Any = False, out: Any = None, **own: Any) -> Any:
        y = enter(x, out, own, axes, keepdims)
        return run(ready(x, axes=axes, keepdims=keepdims, **own), out) if y is NotImplemented else y

    return Pooling(op, "global", ready), pool


_MAKERS: Final = {"sliding": _sliding, "adaptive": _adaptive, "global": _global}


def functions(rows: Mapping[str, Op] = OPS) -> dict[str, Callable[..., Any]]:
    """Every public pooling function by name: three forms of each row."""
    made: dict[str, Callable[..., Any]] = {}
    for form in FORMS:
        for op in rows.values():
            pooling, function = _MAKERS[form](op)
            for named in (function, pooling.prepare):  # a missing argument is said of the public function
                named.__name__ = named.__qualname__ = pooling.name
            function.__module__ = "cenote"
            function.__doc__ = docstring(op, form)
            function.__signature__ = signature(op, form)  # type: ignore[attr-defined]
            function.cenote = pooling  # type: ignore[attr-defined]
            made[pooling.name] = function
    return made


def pooling_of(who: str, function: object) -> Pooling:
    """The operator and form behind a public function."""
    found = getattr(function, "cenote", None)
    if not isinstance(found, Pooling):
        raise bad_type(
            who,
            f"fn is one of cenote's pooling functions, got {shown(function)}",
            "pass cenote.max_pool or the like",
        )
    return found
