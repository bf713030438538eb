"""From PyTorch's words to a request: names, order and defaults as PyTorch has them, and then the contract."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch

from cenote.catalogue import Op
from cenote.dialects import DIALECTS, Limit
from cenote.errors import CenoteError, bad, bad_index, bad_type, shown
from cenote.geometry import Slide, Window
from cenote.geometry.arguments import is_sequence
from cenote.ops.prepare import own_words
from cenote.ops.request import Request

from .errors import renamed
from .tensors import numpy_dtype

DIALECT: Final = DIALECTS["torch"]
REQUIRED: Final = inspect.Parameter.empty
SEQUENCES: Final = (tuple, list)  # as a pair, not tuple | list, which the compiler of PyTorch 2.6 cannot trace
_FLOAT: Final = "float "
_SLIDING: Final = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
_DEFAULTS: Final[Mapping[str, Any]] = {
    "kernel_size": REQUIRED,
    "output_size": REQUIRED,
    "norm_type": REQUIRED,
    "stride": None,
    "padding": 0,
    "dilation": 1,
    "ceil_mode": False,
    "count_include_pad": DIALECT.divisor == "padded",
    "divisor_override": None,
    "divisor": None,
    "return_indices": False,
    "dtype": None,
}


@dataclass(frozen=True, slots=True, eq=False)
class Spelled:
    """An operator in one form and rank, as PyTorch would spell it."""

    op: Op
    form: str
    rank: int

    @property
    def name(self) -> str:
        """Name of the function."""
        return f"{self.op.function_name(self.form)}{self.rank}d"

    @property
    def layer(self) -> str:
        """Name of the module."""
        spelling = DIALECT.operators.get(self.op.name)
        stem = spelling.layer if spelling else "".join(part.title() for part in self.op.name.split("_")) + "Pool"
        return f"{'Adaptive' if self.form == 'adaptive' else ''}{stem}{self.rank}d"

    @property
    def positional(self) -> tuple[str, ...]:
        """The arguments after the input that may go by place."""
        spelling = DIALECT.operators.get(self.op.name)
        order = spelling.order if spelling else (*_SLIDING, *(["return_indices"] if self.op.selects else []))
        if self.form == "sliding":
            return order
        norm = [name for name in order if name == "norm_type"]
        return (*norm, "output_size", *(name for name in order if name == "return_indices"))

    @property
    def names(self) -> tuple[str, ...]:
        """All arguments after the input; the last ones by name only."""
        said = {DIALECT.arguments.get(p.name, p.name): None for p in self.op.parameters}
        geometry = _SLIDING if self.form == "sliding" else ()
        return tuple(dict.fromkeys((*self.positional, *geometry, *said)))

    def defaults(self) -> tuple[Any, ...]:
        """What each of ``names`` is when it is left out."""
        own = {p.name: p.default for p in self.op.parameters}
        return tuple(_DEFAULTS.get(name, own.get(name)) for name in self.names)

    def signature(self) -> inspect.Signature:
        """For whoever asks Python."""
        by_place, by_name = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
        places = [inspect.Parameter("input", by_place)]
        for name, default in zip(self.names, self.defaults(), strict=True):
            places.append(inspect.Parameter(name, by_place if name in self.positional else by_name, default=default))
        return inspect.Signature(places)

    def request(self, ndim: int, words: tuple[Any, ...]) -> Request:
        """What the words, one for each of ``names``, ask of a tensor of ``ndim`` dimensions."""
        said = dict(zip(self.names, words, strict=True))
        who, rank = self.name, self.rank
        if ndim not in (rank + 1, rank + 2):
            raise bad_index(
                who,
                f"input has {rank + 1} dimensions, or {rank + 2} with a batch, got {ndim}",
                "add or drop dimensions, channels come first",
            )
        if self.form == "adaptive":
            found = _bins(who, said.pop("output_size"), rank)
        else:
            found = window(who, rank, *(said.pop(name) for name in _SLIDING))
        own = {_contract(name): value for name, value in said.items()}
        return Request(who, self.op, found, tuple(range(-rank, 0)), own_words(who, self.op, _own(who, own)))


class Words:
    """How arguments become words: one value for each name, in order."""

    def __init__(self, spelled: Spelled) -> None:
        self.who = spelled.name
        self.places = {name: i for i, name in enumerate(spelled.names)}
        self.defaults = spelled.defaults()
        self.most = len(spelled.positional)
        self.rest = tuple(self.defaults[i:] for i in range(len(self.defaults) + 1))
        self.required = [i for i, value in enumerate(self.defaults) if value is REQUIRED]

    def fill(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """A value for every name, or the TypeError that Python gives."""
        given = len(args)
        if given > self.most:
            raise TypeError(f"{self.who}() takes at most {self.most + 1} positional arguments, got {given + 1}")
        words = args + self.rest[given]
        if kwargs:
            words = self._named(words, given, kwargs)
        for i in self.required:
            if words[i] is REQUIRED:
                raise TypeError(f"{self.who}() missing required argument {list(self.places)[i]!r}")
        return words

    def _named(self, words: tuple[Any, ...], given: int, kwargs: dict[str, Any]) -> tuple[Any, ...]:
        filled = list(words)
        for name, value in kwargs.items():
            place = self.places.get(name)
            if place is None:
                raise TypeError(f"{self.who}() got an unexpected keyword argument {name!r}")
            if place < given:
                raise TypeError(f"{self.who}() got multiple values for argument {name!r}")
            filled[place] = value
        return tuple(filled)


def _contract(name: str) -> str:
    return next((ours for ours, theirs in DIALECT.arguments.items() if theirs == name), name)


def _own(who: str, said: dict[str, Any]) -> dict[str, Any]:
    """The operator's own words in the contract's terms."""
    if "divisor" in said:
        said["divisor"] = _divisor(
            who, said.pop("divisor"), said.pop("count_include_pad", True), said.pop("divisor_override", None)
        )
    if said.get("dtype") is not None and isinstance(said["dtype"], torch.dtype):
        said["dtype"] = numpy_dtype(who, said["dtype"])
    return said


def _divisor(who: str, divisor: Any, count_include_pad: Any, override: Any) -> Any:
    if divisor is not None:
        if override is not None:
            raise bad(who, "divisor and divisor_override are both given", "give one of them")
        return divisor
    if not isinstance(count_include_pad, bool):
        raise bad_type(who, f"count_include_pad is a bool, got {shown(count_include_pad)}", "pass True or False")
    if override is None:
        return "padded" if count_include_pad else "inside"
    if not _is_whole(override):
        raise bad_type(who, f"divisor_override is an int, got {shown(override)}", "pass an int, or divisor=number")
    return operator.index(override)


def _bins(who: str, output_size: Any, rank: int) -> Window:
    """Adaptive bins; None keeps an axis, cell by cell, whatever its length."""
    parts = tuple(output_size) if is_sequence(output_size) else (output_size,) * rank
    if len(parts) != rank:
        raise bad(who, f"output_size has {len(parts)} entries, got {shown(output_size)}", f"give {rank}, or one int")
    kept = Slide(1)
    if any(part is not None for part in parts):
        bins = Window.adaptive(tuple(1 if part is None else part for part in parts), who=who).rules
    else:
        bins = (kept,) * rank
    return Window(tuple(kept if part is None else bin for part, bin in zip(parts, bins, strict=True)))


def window(who: str, rank: int, size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: Any) -> Window:
    """The window that PyTorch's words mean."""
    sizes = _entries(who, "kernel_size", size, rank)
    empty = is_sequence(stride) and len(stride) == 0  # as PyTorch has it: nothing is the size
    try:
        made = Window.of(
            sizes,
            stride=None if stride is None or empty else _entries(who, "stride", stride, rank),
            padding=_padding(padding, rank),
            dilation=_entries(who, "dilation", dilation, rank),
            ceil_mode=ceil_mode,
            rank=rank,
            who=who,
        )
    except CenoteError as error:
        raise renamed(error, f"{who}: size", f"{who}: kernel_size") from None
    if _is_whole(padding) or (is_sequence(padding) and all(_is_whole(entry) for entry in padding)):
        _limit(who, made)
    return made


def _entries(who: str, name: str, value: Any, rank: int) -> Any:
    """A single int in a list stands for every axis, too."""
    if is_sequence(value) and len(value) == 1:
        return tuple(value) * rank
    if is_sequence(value) and len(value) != rank:
        raise bad(who, f"{name} is an int or {rank} of them, got {shown(value)}", "give one per pooled axis")
    return value


def _padding(padding: Any, rank: int) -> Any:
    if is_sequence(padding) and len(padding) == 1 and _is_whole(padding[0]):
        return tuple(padding) * rank
    return padding


def _is_whole(value: Any) -> bool:
    """An int, or what Python takes for one: NumPy's, a tensor of one."""
    if isinstance(value, bool | np.bool_):
        return False
    try:
        operator.index(value)
    except TypeError:
        return False
    return True


def _limit(who: str, window: Window) -> None:
    """What PyTorch says of its own operators holds for those that it lacks as well."""
    limit = DIALECT.operators["max"].limit
    assert limit is Limit.HALF
    for rule in window.rules:
        assert isinstance(rule, Slide)
        assert not isinstance(rule.pad, str)
        if rule.pad[0] > rule.size // 2:
            raise bad(
                who,
                f"padding in ints is {limit.value}, got {rule.pad[0]} for size {rule.size}",
                "give (before, after) pairs, one per axis, which have no limit",
            )


def numbers(value: Any) -> Any:
    """A tracer's symbols as the numbers that they stand for: what describes a window is not left open in a graph."""
    if isinstance(value, SEQUENCES):
        kind = list if isinstance(value, list) else tuple  # as plain ones: a torch.Size holds numbers alone
        return kind(map(numbers, value))
    return int(value) if isinstance(value, torch.SymInt) else value


def constant(value: Any) -> Any:
    """The same for symbols of torch.compile, which look like numbers: constants in a graph, which ``literal`` reads."""
    if isinstance(value, SEQUENCES):
        return tuple([constant(entry) for entry in value])
    if type(value) is int:
        return range(value).stop  # to make a range, or digits, the compiler has to settle on one
    return _FLOAT + value.hex() if type(value) is float else value  # PyTorch 2.6 cannot read the digits in a graph


def literal(value: Any) -> Any:
    """What was handed to ``constant``, but for lists, which are tuples now."""
    if isinstance(value, tuple):
        return tuple(map(literal, value))
    is_float = isinstance(value, str) and value.startswith(_FLOAT)
    return float.fromhex(value.removeprefix(_FLOAT)) if is_float else value
