"""What a layer was given, read once when it is made: Keras's words in, a request of the contract out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ..catalogue import OPS, Params
from ..catalogue.dtypes import INTEGRAL, names, requested
from ..catalogue.parameters import DTYPE
from ..errors import bad, bad_type, shown
from ..geometry import Split
from ..geometry.arguments import flag, is_sequence, per_axis, word
from ..ops.prepare import Words
from ..ops.request import Request
from .kinds import Kind

FORMATS: Final = ("channels_last", "channels_first")
_WHOLE: Final = frozenset(names(INTEGRAL))
Shape = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Pooling:
    """A layer's pooling, without the layer: ``config`` is what was given, as a configuration file holds it, in the
    order of the arguments; ``request`` the call it stands for on floating-point input."""

    kind: Kind
    config: tuple[tuple[str, Any], ...]
    request: Request
    keepdims: bool = True

    @classmethod
    def read(cls, kind: Kind, given: Mapping[str, Any], data_format: str) -> Pooling:
        """The arguments of a layer class, checked; ``data_format`` is the one of Keras's configuration."""
        said = {name: value for name, value in given.items() if name != "name"}
        said["data_format"] = _data_format(kind.name, said["data_format"], data_format)
        first = 1 if said["data_format"] == "channels_last" else 2
        axes = tuple(range(first, first + kind.rank))
        own = {parameter.name: said[parameter.name] for parameter in kind.own}
        return _READERS[kind.form](kind, said, axes, own)

    @property
    def parts(self) -> dict[str, Any]:
        """``config`` by name."""
        return dict(self.config)

    def request_for(self, dtype: str, compute: str) -> Request:
        """The call for input of this dtype. Whole numbers keep theirs under maxima; what is summed up or divided
        comes in the dtype that the layer computes in, as Keras's own averages do."""
        if dtype not in _WHOLE or DTYPE not in self.kind.op.parameters:
            return self.request
        return replace(self.request, words=replace(self.request.words, dtype=requested(self.kind.name, compute)))

    def result(self, dtype: str, compute: str) -> str:
        """The dtype of the result."""
        request = self.request_for(dtype, compute)
        return self.kind.op.result_dtype(request.who, requested(request.who, dtype), request.words.dtype).name

    def totals(self) -> Request:
        """The sum over the same windows: what an average with a mask is made of."""
        return replace(self.request, op=OPS["sum"], words=Words(Params(), None, False))

    def shape(self, shape: Sequence[int | None]) -> Shape:
        """The shape of the result, pooled axes kept; None for lengths that are not known."""
        who, request = self.kind.name, self.request
        if len(shape) != self.kind.rank + 2:
            raise bad(who, f"the input has shape {tuple(shape)}", f"pass {self.kind.rank + 2} dimensions")
        result = list(shape)
        for axis, rule in zip(request.axes, request.window.rules, strict=True):
            length = shape[axis]
            if length is None:
                result[axis] = rule.parts if isinstance(rule, Split) else None
            else:
                result[axis] = rule.output_length(length, who=who, axis=axis % len(shape))
        return tuple(result)

    def dropped(self, shape: Shape) -> Shape:
        """The same as the layer gives it: a global layer drops the pooled axes unless told to keep them."""
        return (
            shape if self.keepdims else tuple(n for i, n in enumerate(shape) if i - len(shape) not in self.request.axes)
        )


def _sliding(kind: Kind, said: dict[str, Any], axes: tuple[int, ...], own: dict[str, Any]) -> Pooling:
    who, rank = kind.name, kind.rank
    size = per_axis(who, "pool_size", _entries(said["pool_size"]), rank, 1)
    given = _entries(said["strides"])
    strides = size if given is None else per_axis(who, "strides", given, rank, 1)
    dilation = per_axis(who, "dilation", _entries(said["dilation"]), rank, 1)
    padding = _tuples(said["padding"])
    if isinstance(padding, str):
        padding = word(who, padding)
    request = Request.sliding(
        *(who, kind.op, rank + 2, size),
        stride=strides,
        padding=0 if padding == "valid" else padding,  # Keras's default, which must not forbid to round up
        dilation=dilation,
        ceil_mode=said["ceil_mode"],
        axes=axes,
        **own,
    )
    read = {"pool_size": size, "strides": strides, "padding": padding, "dilation": dilation}
    return Pooling(kind, tuple({**said, **read}.items()), request)


def _adaptive(kind: Kind, said: dict[str, Any], axes: tuple[int, ...], own: dict[str, Any]) -> Pooling:
    who, rank, given = kind.name, kind.rank, _entries(said["output_size"])
    if given is None or (is_sequence(given) and None in given):
        raise bad_type(
            who, f"output_size is whole numbers, got {shown(given)}", "give the number of bins of every axis"
        )
    if is_sequence(given) and len(given) != rank:  # Keras: ValueError for one axis, TypeError for more; this is both
        raise bad_type(
            who, f"output_size has {len(given)} entries for {rank} pooled axes", "give one per axis or a single int"
        )
    parts = per_axis(who, "output_size", given, rank, 1)
    request = Request.adaptive(who, kind.op, (1,) * (rank + 2), parts, axes=axes, **own)
    return Pooling(kind, tuple({**said, "output_size": parts}.items()), request)


def _global(kind: Kind, said: dict[str, Any], axes: tuple[int, ...], own: dict[str, Any]) -> Pooling:
    keepdims = flag(kind.name, "keepdims", said["keepdims"])
    request, _ = Request.global_(kind.name, kind.op, kind.rank + 2, axes=axes, **own)
    return Pooling(kind, tuple(said.items()), request, keepdims)


_READERS = {"sliding": _sliding, "adaptive": _adaptive, "global": _global}


def _data_format(who: str, given: object, default: str) -> str:
    found = default if given is None else str(given).lower()
    if found not in FORMATS:
        raise bad(who, f"data_format is one of {', '.join(FORMATS)}, got {shown(given)}", "write one of them, or None")
    return found


def _entries(value: Any) -> Any:
    """Keras takes any iterable for a tuple, arrays and the lists of a configuration file among them."""
    if value is None or isinstance(value, str | bytes) or is_sequence(value):
        return value
    try:
        return tuple(value)
    except TypeError:
        return value


def _tuples(value: Any) -> Any:
    value = _entries(value)
    return tuple(_tuples(entry) for entry in value) if is_sequence(value) else value
