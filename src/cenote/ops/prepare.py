"""From a caller's words to a Call: arguments are read once, here, and nowhere below."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..catalogue import Call, Op, Params
from ..catalogue.dtypes import INTEGRAL, Dtype, accumulator, kind_of
from ..catalogue.parameters import is_whole
from ..errors import bad, bad_type, shown
from ..geometry import Axes, Window, pooled_axes
from ..geometry.arguments import is_sequence
from ..native import NATIVE, Door

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Known:
    """A call without its input: ``shape`` is that of the result as the caller sees it, ``drop_axes`` says that it
    lacks the pooled axes (of one cell each)."""

    call: Call
    shape: tuple[int, ...]
    drop_axes: bool

    @classmethod
    def of(cls, call: Call, drop_axes: bool = False) -> Known:
        """What follows from a call."""
        full = call.out_shape
        kept = tuple(n for axis, n in enumerate(full) if axis not in call.axes) if drop_axes else full
        return cls(call, kept, drop_axes)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Spelling:
    """A call in its caller's words, as its function's door takes them."""

    door: Door
    own: dict[str, Any]
    words: tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Prepared:
    """A call and its input; ``spelling`` is None when the call was recognised, or cannot be."""

    known: Known
    x: Array
    spelling: Spelling | None = None

    @property
    def call(self) -> Call:
        """What to run."""
        return self.known.call

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the result as the caller sees it."""
        return self.known.shape

    def keep(self, provider: object) -> None:
        """The call has been run: from now on its words lead straight to its plan."""
        if self.spelling is not None and provider is NATIVE:
            known, said = self.known, self.spelling
            said.door.keep(known.call, known.shape, known.drop_axes, said.own, said.words, known)

    def full(self, array: Array) -> Array:
        """A result array with its dropped axes put back (a view)."""
        return np.expand_dims(array, self.call.axes) if self.known.drop_axes else array


def sliding_window(
    who: str,
    ndim: int,
    size: Any,
    *,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: Any,
    axes: Axes,
) -> tuple[tuple[int, ...], Window]:
    """Ascending axes and the window that belongs to them, for an array of ``ndim`` dimensions."""
    if isinstance(size, Window):
        _refuse_beside_window(who, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode)
        return ascending(pooled_axes(who, axes, ndim, size.rank), size)
    found = pooled_axes(who, axes, ndim, len(size) if is_sequence(size) else None)
    window = Window.of(
        size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode, rank=len(found), who=who
    )
    return ascending(found, window)


def _refuse_beside_window(who: str, **given: Any) -> None:
    """A Window says everything about the geometry; a second word about it would have to lose."""
    defaults = {"stride": None, "padding": 0, "dilation": 1, "ceil_mode": False}
    for name, value in given.items():
        if value is not defaults[name] and not (type(value) is int and value == defaults[name]):
            raise bad(who, f"{name}={shown(value)} is given beside a Window", "put it into the Window")


def adaptive_window(who: str, shape: tuple[int, ...], parts: Any, *, axes: Axes) -> tuple[tuple[int, ...], Window]:
    """The same for adaptive bins; a part of None keeps the length."""
    found = pooled_axes(who, axes, len(shape), len(parts) if is_sequence(parts) else None, name="parts")
    window = Window.adaptive(parts, rank=len(found), lengths=[shape[axis] for axis in found], who=who)
    return ascending(found, window)


def global_window(who: str, ndim: int, *, axes: Axes) -> tuple[tuple[int, ...], Window]:
    """The same for one window over everything."""
    if axes is None:
        raise bad_type(who, "axes names the axes to pool, got None", "leave it out for the last two, or name them")
    found = pooled_axes(who, axes, ndim, None)
    return ascending(found, Window.global_(len(found)))


def ascending(axes: tuple[int, ...], window: Window) -> tuple[tuple[int, ...], Window]:
    """Rules belong to the axes in the caller's order; ties and indices follow the array's own order."""
    order = sorted(range(len(axes)), key=axes.__getitem__)
    return tuple(axes[i] for i in order), Window(tuple(window.rules[i] for i in order))


@dataclass(frozen=True, slots=True)
class Words:
    """An operator's own keywords, read: its parameters, the dtype asked for, and whether positions are wanted."""

    params: Params
    dtype: Dtype | None
    select: bool


def own_words(who: str, op: Op, own: Mapping[str, Any]) -> Words:
    """Read the operator's own keywords; one that it does not have is a TypeError, as for any function."""
    unknown = [name for name in own if name not in {parameter.name for parameter in op.parameters}]
    if unknown:
        raise TypeError(f"{who}() got an unexpected keyword argument {unknown[0]!r}")
    read: dict[str, Any] = {p.name: p.read(who, own.get(p.name, p.default)) for p in op.parameters}
    requested: Dtype | None = read.pop("dtype", None)
    select = bool(read.pop("return_indices", False))
    return Words(op.params(read), requested, select)


def make_call(who: str, op: Op, x: Array, axes: tuple[int, ...], window: Window, own: Mapping[str, Any]) -> Call:
    """Read the operator's own keywords and put everything together."""
    return checked_call(who, op, x.shape, x.dtype, axes, window, own_words(who, op, own))


def checked_call(
    who: str, op: Op, shape: tuple[int, ...], dtype: Dtype, axes: tuple[int, ...], window: Window, words: Words
) -> Call:
    """The call for an array of this shape and dtype."""
    call = Call(
        who=who,
        op=op,
        window=window,
        axes=axes,
        shape=shape,
        dtype=dtype,
        result=op.result_dtype(who, dtype, words.dtype),
        params=words.params,
        select=words.select,
    )
    _check_divisor(call)
    _check_p(call)
    return call


def _check_divisor(call: Call) -> None:
    """A number must be able to divide in the type that divides."""
    number = call.params.divisor
    if isinstance(number, str):
        return
    if kind_of(call.result) in INTEGRAL:
        if not is_whole(number):
            raise bad(
                call.who,
                f"divisor is a whole number where the result is {call.result}, got {number}",
                "pass an int, or ask for a float result with dtype=np.float32",
            )
        return
    if kind_of(call.dtype) in INTEGRAL:
        return  # divided in double
    wide = accumulator(call.dtype, call.result)
    with np.errstate(over="ignore", under="ignore"):
        rounded = abs(float(wide.type(number).real))
    if rounded == 0 or math.isinf(rounded):
        raise bad(call.who, f"divisor {number} is {rounded} in {wide}", "ask for dtype=np.float64")


def _check_p(call: Call) -> None:
    """p and 1/p must exist in the type that raises to powers."""
    p = call.params.p
    if p in (1, 2, math.inf):
        return
    wide = accumulator(call.dtype, call.result)
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        exponents = (float(wide.type(p).real), float(wide.type(np.float64(1) / np.float64(p)).real))
    if 0 in exponents or math.inf in exponents:
        way_out = "ask for dtype=np.float64" if wide.itemsize == 4 else "use a p that is nearer to 1"
        raise bad(call.who, f"p = {p} or 1/p is beyond {wide}", way_out)
