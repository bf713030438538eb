"""Flax's arguments, read by its dialect: what the functions of cenote.jax.flax are made of."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..catalogue import OPS, Op
from ..dialects import DIALECTS, Words
from ..errors import bad, bad_type, shown
from ..geometry.arguments import flag, integer, is_sequence
from ..ops.request import Request
from .docstrings import flax_docstring
from .functions import Pooling
from .pooling import Array, as_jax

ROW: Final = DIALECTS["jax"]
_ANY_MONOID: Final = "sum"  # the row of reduce_window
_WORDS: Final = {"VALID": None, "SAME": "same", "SAME_LOWER": "same_lower"}
_COUNT: Final = "count_include_pad"


def _ints(who: str, name: str, value: Any, rank: int | None, least: int) -> tuple[int, ...]:
    if not is_sequence(value):
        raise bad_type(who, f"{name} is a tuple with one int per window axis, got {shown(value)}", "write (2, 2)")
    if rank is not None and len(value) != rank:
        raise bad(who, f"{name} has {len(value)} entries, window_shape has {rank}", "give one per window axis")
    return tuple(integer(who, f"{name}[{i}]", entry, least) for i, entry in enumerate(value))


def _pads(who: str, padding: Any, rank: int) -> tuple[Any, ...] | None:
    if isinstance(padding, str):
        if padding.upper() not in _WORDS:
            words = ", ".join(map(repr, _WORDS))
            raise bad(who, f"padding is one of {words} or pairs, got {shown(padding)}", "write one of these")
        word = _WORDS[padding.upper()]
        return None if word is None else (word,) * rank
    if not is_sequence(padding):
        problem = f"padding is a word or a (low, high) pair per window axis, got {shown(padding)}"
        raise bad_type(who, problem, "write ((1, 1), (1, 1))")
    if len(padding) != rank:
        raise bad(who, f"padding has {len(padding)} entries, window_shape has {rank}", "give a pair per window axis")
    pairs = [_ints(who, f"padding[{i}]", pair, None, 0) for i, pair in enumerate(padding)]
    for i, pair in enumerate(pairs):
        if len(pair) != 2:
            raise bad(who, f"padding[{i}] has {len(pair)} entries", "write (low, high)")
    return tuple(pairs)


def _divisor(who: str, counted: Any) -> str:
    said = f"{_COUNT}={flag(who, _COUNT, counted)}"
    return next(divisor for divisor, words in ROW.divisors.items() if words == said)


def _signature(op: Op) -> inspect.Signature:
    """Flax's arguments in Flax's order, and behind them, by keyword, what it does not have."""
    either, keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    places = [inspect.Parameter(name, either) for name in ("inputs", "window_shape")]
    places += [inspect.Parameter("strides", either, default=None)]
    places += [inspect.Parameter("padding", either, default="VALID")]
    own = {parameter.name: parameter.default for parameter in op.parameters}
    if own.pop("divisor", None) is not None:
        places += [inspect.Parameter(_COUNT, either, default=ROW.divisors[ROW.divisor] == f"{_COUNT}=True")]
        own = {"divisor": None, **own}
    places += [inspect.Parameter("window_dilation", keyword, default=None)]
    return inspect.Signature([*places, *(inspect.Parameter(n, keyword, default=d) for n, d in own.items())])


def _ready(op: Op, who: str, said: inspect.Signature) -> Callable[..., tuple[Array, Request, tuple[int, ...]]]:
    spelt = op.name if op.name in ROW.operators else _ANY_MONOID

    def ready(*args: Any, **kwargs: Any) -> tuple[Array, Request, tuple[int, ...]]:
        try:
            bound = said.bind(*args, **kwargs)
        except TypeError as error:  # it does not say of what function
            raise TypeError(f"{who}() {error}") from None
        bound.apply_defaults()
        given = bound.arguments
        x = as_jax(who, op, given.pop("inputs"))
        size = _ints(who, "window_shape", given.pop("window_shape"), None, 1)
        rank = len(size)
        if x.ndim < rank + 1:
            raise bad(
                who,
                f"inputs has {x.ndim} dimensions, too few for {rank} window axes and one for features",
                "features come last: (batch, window axes..., features)",
            )
        strides, padding, dilation = (given.pop(name) for name in ("strides", "padding", "window_dilation"))
        words = Words(
            size,
            None if strides is None else _ints(who, "strides", strides, rank, 1),
            _pads(who, padding, rank),
            None if dilation is None else _ints(who, "window_dilation", dilation, rank, 1),
        )
        if _COUNT in given:
            counted = _divisor(who, given.pop(_COUNT))
            if given["divisor"] is None:  # and no other false value: 0 is to be refused
                given["divisor"] = counted
        window = ROW.window(spelt, words, who=who)
        return x, Request.sliding(who, op, x.ndim, window, axes=tuple(range(-rank - 1, -1)), **given), ()

    return ready


def _function(op: Op) -> Callable[..., Any]:
    name = op.function_name("sliding")
    who = f"flax.{name}"
    said = _signature(op)
    pooling = Pooling(op, who, _ready(op, who, said))

    def function(*args: Any, **kwargs: Any) -> Any:
        return pooling(*args, **kwargs)

    function.__name__ = function.__qualname__ = name
    function.__module__ = "cenote.jax.flax"
    function.__doc__ = flax_docstring(op, said)
    function.__signature__ = said  # type: ignore[attr-defined]
    function.cenote = pooling  # type: ignore[attr-defined]
    return function


def functions(rows: Mapping[str, Op] = OPS) -> dict[str, Callable[..., Any]]:
    """A function per row."""
    return {op.function_name("sliding"): _function(op) for op in rows.values()}
