"""The native provider: turns a Call into a plan and runs it."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..catalogue import Call
from ..catalogue.dtypes import INTEGRAL, accumulator, kind_of
from ..errors import bad
from ..geometry import Window
from . import _core
from .memory import new_array, read_environment
from .threads import get_num_threads, threads_now

Array = NDArray[Any]

_REDUCERS: Final = {name: code for code, (name, _) in enumerate(_core.reducers())}
_KINDS: Final = dict(_core.reducers())  # "winner", "spread" or "norm": see csrc/ops.def
_DIVISORS: Final = {name: code for code, name in enumerate(_core.divisors())}
_BY_NAME: Final = {name: code for code, name in enumerate(_core.dtypes())}
# Plans are kept by the outputs along all of their axes, 64 bytes each: many short ones, a few long ones (17 and 34 MB
# at the most), and none beyond that.
_SHORT: Final = 1 << 11
_LONG: Final = 1 << 16


@lru_cache(maxsize=1)
def target() -> str:
    """The CPU target that kernels run on: ``CENOTE_TARGET`` if set, else the best this CPU has."""
    usable = _core.targets(usable=True)
    wanted = os.environ.get("CENOTE_TARGET")
    if wanted is None:
        return _core.target()
    if wanted not in usable:
        raise bad(
            "CENOTE_TARGET",
            f"target {wanted!r} is not usable here, {', '.join(usable)} can be",
            "name one or unset it",
        )
    _core.use_target(wanted)
    return wanted


@dataclass(frozen=True, slots=True)
class Build:
    """What the compiled module says of itself."""

    version: str
    compiler: str
    targets: tuple[str, ...]
    usable: tuple[str, ...]


def build() -> Build:
    """Version, compiler and CPU targets of the compiled module, and those that this CPU has."""
    return Build(_core.version, _core.compiler(), tuple(_core.targets(usable=False)), tuple(_core.targets(usable=True)))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Saved:
    """What a forward pass keeps for backward: one small offset per output, or x and y where the rule needs them."""

    offsets: Array | None = None
    x: Array | None = None
    y: Array | None = None


class NativeProvider:
    """Runs every row whose reducer is compiled."""

    name = "native"

    def refusal(self, call: Call) -> str | None:
        """Why it would not run this call; None when it will."""
        reducer = call.op.reducer
        if reducer is None:
            return f"the row {call.op.name!r} names no compiled reducer"
        if reducer not in _REDUCERS:
            return f"the compiled module has no reducer {reducer!r} (it has {', '.join(_REDUCERS)})"
        if _code(call.dtype) is None or _code(call.result) is None:
            return f"no kernel takes {call.dtype} and gives {call.result}"
        return None

    @property
    def target(self) -> str:
        """The CPU target in use."""
        return target()

    @property
    def threads(self) -> int:
        """The most threads a call will use."""
        return get_num_threads()

    def forward(
        self, call: Call, x: Array, values: Array, indices: NDArray[np.int64] | None, *, fresh: bool = False
    ) -> None:
        """Fill ``values`` (and ``indices``), which have the shape ``call.out_shape``; ``fresh``: see new_array."""
        target()
        plan, settings = _work(call)
        if indices is None:
            _core.forward(plan, settings, _raw(x), _raw(values), fresh)
        else:
            _core.positions(plan, settings, _raw(x), _raw(values), indices, _known(indices.dtype), True, fresh)

    def forward_saving(
        self,
        call: Call,
        x: Array,
        values: Array,
        *,
        fresh: bool = False,
        offset_dtype: np.dtype[Any] | None = None,
    ) -> Saved:
        """``forward``, and what ``backward`` will need; offsets of the smallest dtype if none is asked for."""
        plan, settings = _work(call)
        kind = _KINDS[str(call.op.reducer)]
        norm = kind == "norm"
        if kind == "spread" or (norm and not math.isinf(call.params.p)):
            self.forward(call, x, values, None, fresh=fresh)
            if not norm:
                return Saved()
            wide = accumulator(call.dtype, call.result)
            exact, unused = new_array(call.out_shape, wide)  # the caller may change `values`; halves are too coarse
            if wide == call.result:
                exact[...] = values
            else:
                self.forward(replace(call, result=wide), x, exact, None, fresh=unused)
            return Saved(x=x, y=exact)
        target()
        offsets, unused = new_array(call.out_shape, offset_dtype or np.dtype(_offset_type(plan.box)))
        code = _known(offsets.dtype)
        if norm:
            self.forward(call, x, values, None, fresh=fresh)
            _core.positions(plan, settings, _raw(x), None, offsets, code, False, unused)
            return Saved(offsets=offsets, x=x)
        _core.positions(plan, settings, _raw(x), _raw(values), offsets, code, False, fresh or unused)
        return Saved(offsets=offsets)

    def backward(self, call: Call, saved: Saved, dy: Array, dx: Array, *, fresh: bool = False) -> None:
        """Fill ``dx`` (shape ``call.shape``) from ``dy`` (shape ``call.out_shape``, dtype ``call.result``)."""
        other = saved.offsets if saved.offsets is not None else saved.y
        plan, settings = _work(call)
        _core.gradient(
            plan,
            settings,
            _raw(dx),
            _raw(dy),
            _known(dy.dtype),
            None if other is None else _raw(other),
            0 if other is None else _known(other.dtype),
            None if saved.x is None else _raw(saved.x),
            fresh,
        )

    def numbers(self, call: Call) -> Numbers:
        """The operator in numbers, for who calls the kernels by another way than this one."""
        return _numbers(call)

    def offset_dtype(self, taps: int) -> np.dtype[Any]:
        """What the offsets of windows of up to so many taps are kept in."""
        return np.dtype(_offset_type(taps))

    def spread(self, call: Call, offsets: Array | None, dy: Array, dx: Array, *, fresh: bool = False) -> None:
        """``backward`` of a row whose gradient needs offsets at most."""
        self.backward(call, Saved(offsets=offsets), dy, dx, fresh=fresh)

    def maps(self, call: Call) -> _core.Maps:
        """The call as an object with its linear maps, which allocates results by itself; for WINNER and LINEAR rows."""
        target()
        read_environment()
        plan, settings = _work(call)
        offsets = np.dtype(_offset_type(plan.box))
        return _core.Maps(plan, settings, call.shape, call.out_shape, call.dtype, call.result, offsets)

    def pick(self, call: Call, offsets: Array, x: Array, values: Array) -> None:
        """Fill ``values`` (shape ``call.out_shape``, dtype of ``x``) with the cells that ``offsets`` name."""
        raw = _raw(x)
        _core.pick(_work(call)[0], raw, _raw(values), offsets, _known(raw.dtype), _known(offsets.dtype))

    def loop(self, call: Call, x: Array, values: Array, n: int) -> float:
        """Seconds per call of ``forward`` without Python: the mean of ``n`` calls made in C++."""
        target()
        plan, settings = _work(call)
        return _core.loop_forward(plan, settings, _raw(x), _raw(values), n)

    def reads(self, saved: Saved) -> tuple[Array, ...]:
        """The arrays that ``backward`` reads beside dy."""
        return tuple(a for a in (saved.offsets, saved.x, saved.y) if a is not None)

    def unpool(self, y: Array, indices: NDArray[np.int64], out: Array, axes: tuple[int, ...]) -> int | None:
        """Fill ``out`` with zeros and the values; an index that names no cell is returned, with nothing written."""
        return _core.unpool_into(_raw(y), indices, _raw(out), _known(y.dtype), list(axes), threads_now())


NATIVE: Final = NativeProvider()

# Words of a call that mean one thing for ever, beside None, bools, ints, floats, short strings and tuples of them.
_CONSTANTS: Final = tuple(
    word
    for name in ("float16", "float32", "float64", "complex64", "complex128")
    for word in (np.dtype(name), np.dtype(name).type)
)


class Door:
    """One public function's short way to the kernels.

    ``enter(x, out, own, *words)`` runs a call that ``keep`` has seen, word for word, for an array of that shape and
    dtype; NotImplemented says that the long way has to read it. ``recall(x, own, *words)`` gives what was kept with
    it, None for a call that is new, and NotImplemented for one that cannot be kept. ``own`` is a dictionary of further
    words by name.
    """

    __slots__ = ("_core", "enter", "recall")

    def __init__(self) -> None:
        self._core = _core.Door(_CONSTANTS)
        self.enter, self.recall = self._core.enter, self._core.recall

    def keep(
        self,
        call: Call,
        shape: tuple[int, ...],
        drop: bool,
        own: dict[str, Any],
        words: tuple[Any, ...],
        payload: object,
    ) -> None:
        """Remember a call that NATIVE has run. ``shape`` is the result's; with ``drop`` it lacks the pooled axes."""
        # Only a dtype that all arrays share can be recognised; one with metadata, say, is an object of its own.
        if np.dtype(call.dtype.type) is not call.dtype:
            return
        length = _length(call)
        if length > _LONG:
            return
        plan, settings = work = _work(call)
        shelf, most = (_KNOWN_SHORT, _MOST_SHORT) if length <= _SHORT else (_KNOWN_LONG, _MOST_LONG)
        if len(shelf) >= most:
            shelf.clear()
        shelf[id(call)] = (call, work)
        self._core.keep(
            *(call.shape, call.dtype, own, words, plan, settings, shape, call.result, np.dtype(np.int64)),
            *(drop, call.select, payload),
        )


@lru_cache(maxsize=256)  # dtype.name takes NumPy several microseconds
def _code(dtype: np.dtype[Any]) -> int | None:
    return _BY_NAME.get(dtype.name)


def _known(dtype: np.dtype[Any]) -> int:
    code = _code(dtype)
    assert code is not None  # refusal() let the call pass
    return code


def _offset_type(box: int) -> type[np.unsignedinteger[Any]]:
    # the contract gives one byte to windows of up to 255 taps
    for kind, most in ((np.uint8, 2**8 - 1), (np.uint16, 2**16 - 1), (np.uint32, 2**32 - 1)):
        if box <= most:
            return kind
    return np.uint64


def _raw(array: Array) -> Array:
    """The same memory under a dtype that the buffer protocol can name."""
    return array.view(np.uint16) if array.dtype.kind == "V" else array  # bfloat16, by ml_dtypes a void dtype


class Numbers(NamedTuple):
    """The operator of a call as the kernels take it."""

    reducer: int
    dtype: int
    result: int
    p: float
    divisor: int
    number: float
    whole_number: int


def _numbers(call: Call) -> Numbers:
    rule = call.params.divisor
    number: float | int = 1 if isinstance(rule, str) else rule
    whole = int(number) if kind_of(call.result) in INTEGRAL else 1
    assert call.op.reducer is not None
    return Numbers(
        _REDUCERS[call.op.reducer],
        _known(call.dtype),
        _known(call.result),
        float(call.params.p),
        _DIVISORS[rule if isinstance(rule, str) else "number"],
        float(number),
        whole,
    )


def _settings(call: Call) -> _core.Settings:
    return _core.Settings(*_numbers(call))


def _work(call: Call) -> _Work:
    known = _KNOWN_SHORT.get(id(call)) or _KNOWN_LONG.get(id(call))
    if known is not None:
        return known[1]
    length = _length(call)
    make = _short_plan if length <= _SHORT else _long_plan if length <= _LONG else _new_plan
    return make(call.who, call.window, call.lengths, call.axes), _settings(call)


def _length(call: Call) -> int:
    return sum(call.out_shape[axis] for axis in call.axes)


def _new_plan(who: str, window: Window, lengths: tuple[int, ...], axes: tuple[int, ...]) -> _core.Plan:
    tables = window.spans(lengths, who=who, axes=axes)
    return _core.Plan(list(axes), [(t.length, t.start, t.count, t.step, t.padded, t.window, t.skipped) for t in tables])


_MOST_SHORT: Final = 128
_MOST_LONG: Final = 8
_short_plan = lru_cache(maxsize=_MOST_SHORT)(_new_plan)
_long_plan = lru_cache(maxsize=_MOST_LONG)(_new_plan)

_Work = tuple[_core.Plan, _core.Settings]
# Of the calls that doors remember, by identity: the call is kept with its work, so that its id stays its own.
_KNOWN_SHORT: Final[dict[int, tuple[Call, _Work]]] = {}
_KNOWN_LONG: Final[dict[int, tuple[Call, _Work]]] = {}

_core.set_thread_source(threads_now)
