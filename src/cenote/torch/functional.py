"""The functions: every operator of the catalogue under PyTorch's names, for one, two and three pooled axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.compiler import is_compiling
from torch.nn import Parameter
from torch.overrides import handle_torch_function, has_torch_function_unary

from cenote.catalogue import OPS
from cenote.errors import CenoteError, bad_type, shown
from cenote.native import NATIVE, Door

from . import library
from .arguments import SEQUENCES, Spelled, Words, constant, literal, numbers
from .bound import Bound, bound
from .derivatives import Held
from .devices import elsewhere, reason
from .docstrings import docstring
from .errors import as_torch
from .pooling import eager, recorded
from .state import is_autocast, is_busy, is_forward_mode, is_observed, is_odd
from .tensors import DTYPES, as_array, as_tensor, channels_last
from .threads import within

RANKS: Final = (1, 2, 3)
FORMS: Final = ("sliding", "adaptive")
_FLOAT32_RANK: Final = 3  # PyTorch's autocast computes what pools volumes in float32
_STRIDED: Final = torch.strided
_PLAIN: Final = (Tensor, Parameter)
_MOST_REQUESTS: Final = 256
_OWN: Final[dict[str, Any]] = {}  # doors take further words by name: here all go by place


class Pooling:
    """What is behind one function: how it is spelled, the short way of its plain calls, and the long way of all."""

    __slots__ = ("_requests", "door", "enter", "function", "rank", "spelled", "volumes", "words")
    function: Callable[..., Any]

    def __init__(self, spelled: Spelled) -> None:
        self.spelled = spelled
        self.words = Words(spelled)
        self.door = Door()
        self.enter, self.rank = self.door.enter, spelled.rank
        self.volumes = spelled.rank == _FLOAT32_RANK
        self._requests: dict[Any, Bound] = {}

    def run(self, x: Any, words: tuple[Any, ...]) -> Any:
        """The call, by the shortest way there is."""
        if is_compiling():
            return _compiled(self, x, words)
        if has_torch_function_unary(x):
            said = dict(zip(self.spelled.names, words, strict=True))
            return handle_torch_function(self.function, (x,), x, **said)
        # spelled out, for this is on the way of every call: plain memory, and nobody who looks on
        if (
            type(x) in _PLAIN
            and x.is_cpu
            and x.layout is _STRIDED
            and x.dtype in DTYPES
            and not (is_busy() or x.is_nested or (self.volumes and is_autocast(x)))
        ):
            y = self._short_way(x, words)
            if y is not NotImplemented:
                return y
        return self._long_way(x, words)

    def request(self, ndim: int, words: tuple[Any, ...]) -> Bound:
        """The request behind some words; an error is PyTorch's kind of error."""
        key = (ndim, _exactly(words))
        try:
            found = self._requests.get(key)
        except TypeError:  # no words that can be remembered
            return self._read(ndim, words)
        if found is None:
            found = self._read(ndim, words)
            if len(self._requests) >= _MOST_REQUESTS:
                self._requests.clear()
            self._requests[key] = found
        return found

    @torch.compiler.assume_constant_result
    def text(self, ndim: int, words: tuple[Any, ...]) -> library.Text:
        """The same as graphs hold it. A method, for to PyTorch 2.6 an argument other than a number is no constant."""
        return library.spelled(self.request(ndim, literal(words)))

    def _read(self, ndim: int, words: tuple[Any, ...]) -> Bound:
        try:
            return bound(self.spelled.request(ndim, words))
        except CenoteError as error:
            raise as_torch(error) from None

    def _long_way(self, x: Any, words: tuple[Any, ...]) -> Any:
        """Any tensor, any words."""
        try:
            if not isinstance(x, Tensor):
                raise bad_type(self.spelled.name, f"input is a tensor, got {shown(x)}", "pass a torch.Tensor")
            words = numbers(words)
            request = self.request(x.ndim, words)
            why = reason(x)
            if why is not None:
                return elsewhere(self.spelled, x, words, why)
            if is_odd(x):
                kind = "nested" if x.is_nested else f"of layout {x.layout}"
                raise bad_type(self.spelled.name, f"input is {kind}, without a regular memory", "pass a dense tensor")
            if x.dtype not in DTYPES:
                raise bad_type(self.spelled.name, f"input has dtype {x.dtype}", "convert it, x.float() for example")
            if self.volumes and is_autocast(x):
                x = x.float()
            if is_observed(x):
                return library.pool(x, *library.spelled(request))
            y = eager(request, x)
            self._keep(request, x, words)
            return y
        except CenoteError as error:
            raise as_torch(error) from None

    def _short_way(self, x: Tensor, words: tuple[Any, ...]) -> Any:
        """A call that has come before, of a tensor with plain memory; else NotImplemented."""
        last = channels_last(x, self.rank)
        array = as_array(x, last)
        if x.requires_grad and torch.is_grad_enabled():
            request = self.door.recall(array, _OWN, last, *words)
            if not isinstance(request, Bound):
                return NotImplemented
            return recorded(request, x, Held.from_array(array, last, request))
        y = within(self.enter, array, None, _OWN, last, *words)
        if y is NotImplemented:
            return y
        return as_tensor(y, last) if type(y) is np.ndarray else (as_tensor(y[0], last), as_tensor(y[1], last))

    def _keep(self, request: Bound, x: Tensor, words: tuple[Any, ...]) -> None:
        """From now on these words lead straight to the kernel, for tensors of this shape, dtype and memory format."""
        if is_forward_mode():
            return
        _, last, (call, _) = Held.of(x, request)
        if NATIVE.refusal(call) is None:
            self.door.keep(call, call.out_shape, False, _OWN, (last, *words), request)


def _exactly(value: Any) -> Any:
    """A key under which 2, 2.0 and True differ."""
    if isinstance(value, SEQUENCES):
        return (type(value), *map(_exactly, value))
    return type(value), value


def _compiled(pooling: Pooling, x: Tensor, words: tuple[Any, ...]) -> Any:
    why = reason(x)
    if why is not None:
        return elsewhere(pooling.spelled, x, words, why)
    if pooling.volumes and is_autocast(x):
        x = x.float()
    return library.pool(x, *pooling.text(x.ndim, constant(words)))


def _function(pooling: Pooling) -> Callable[..., Any]:
    fill, run = pooling.words.fill, pooling.run

    def pool(input: Tensor, *args: Any, **kwargs: Any) -> Any:
        return run(input, fill(args, kwargs))

    pooling.function = pool
    return pool


def functions() -> dict[str, Any]:
    """Every pooling function by name."""
    made: dict[str, Any] = {}
    for form in FORMS:
        for op in OPS.values():
            for rank in RANKS:
                pooling = Pooling(Spelled(op, form, rank))
                function: Any = _function(pooling)
                name = pooling.spelled.name
                function.__name__ = function.__qualname__ = name
                function.__module__ = "cenote.torch"
                function.__doc__ = docstring(pooling.spelled)
                function.__signature__ = pooling.spelled.signature()
                function.cenote = pooling
                made[name] = function
    return made


FUNCTIONS: Final = functions()
