"""The modules. Those that PyTorch has too are subclasses of its own: ``isinstance`` still holds, and so do constructor,
repr, state dict and pickles."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Final

from torch import Tensor, nn
from torch.compiler import is_compiling

from .arguments import REQUIRED
from .functional import FUNCTIONS, RANKS, Pooling
from .unpooling import UNPOOLINGS


def _ours(pooling: Pooling, theirs: type[nn.Module] | None) -> dict[str, Any]:
    """Arguments that PyTorch's constructor lacks, and their defaults."""
    known = inspect.signature(theirs.__init__).parameters if theirs else {}
    named = zip(pooling.spelled.names, pooling.spelled.defaults(), strict=True)
    return {name: default for name, default in named if name not in known}


def _constructor(pooling: Pooling, theirs: Any, ours: Mapping[str, Any]) -> Any:
    def of_all(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        nn.Module.__init__(self)
        for name, value in zip(pooling.spelled.names, pooling.words.fill(args, kwargs), strict=True):
            setattr(self, name, value)

    def of_theirs(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        own = {name: kwargs.pop(name) for name in ours if name in kwargs}
        theirs.__init__(self, *args, **kwargs)
        padding = signature.bind(self, *args, **kwargs).arguments.get("padding")
        if isinstance(padding, str):  # which AvgPool1d would make a tuple of letters
            own["padding"] = padding
        for name, value in own.items():
            setattr(self, name, value)

    if theirs is None:
        return _signed(of_all, _with_self(pooling.spelled.signature()))
    signature = inspect.signature(theirs.__init__)
    further = [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=d) for n, d in ours.items()]
    return _signed(of_theirs, signature.replace(parameters=[*signature.parameters.values(), *further]))


def _signed(function: Any, signature: inspect.Signature) -> Any:
    function.__signature__ = signature
    return function


def _with_self(signature: inspect.Signature) -> inspect.Signature:
    """A function's signature as that of a constructor: ``input`` comes later."""
    self = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return signature.replace(parameters=[self, *list(signature.parameters.values())[1:]])


def _module(pooling: Pooling) -> type[nn.Module]:
    spelled, names = pooling.spelled, pooling.spelled.names
    theirs: type[nn.Module] | None = getattr(nn, spelled.layer, None)
    ours = _ours(pooling, theirs)
    run = pooling.run
    # attrgetter of a single name gives a bare value
    words = attrgetter(*names) if len(names) > 1 else lambda self: (getattr(self, names[0]),)

    def forward(self: nn.Module, input: Tensor) -> Any:
        if is_compiling():  # and attrgetter, a quarter of the time, cannot be traced
            return run(input, tuple([getattr(self, name) for name in names]))
        return run(input, words(self))

    def extra_repr(self: nn.Module) -> str:
        shown = [theirs.extra_repr(self)] if theirs else []
        own = self.__dict__
        told = {name: own[name] for name, default in ours.items() if name in own and own[name] != default}
        return ", ".join(shown + [f"{name}={value!r}" for name, value in told.items()])

    parent = f"those of ``torch.nn.{spelled.layer}``" if theirs else f"those of ``{spelled.name}``"
    further = f"; by name also {', '.join(ours)}" if theirs and ours else ""
    members = {
        "__init__": _constructor(pooling, theirs, ours),
        "__module__": "cenote.torch",
        "__doc__": f"{spelled.op.summary}\n\nThe arguments are {parent}{further}. See ``{spelled.name}``.\n",
        "forward": forward,
        "extra_repr": extra_repr,
        "pooling": pooling,
        # What a module of PyTorch that became one of these has never heard of.
        **({name: default for name, default in ours.items() if default is not REQUIRED} if theirs else {}),
    }
    return type(spelled.layer, (theirs or nn.Module,), members)


def _unpool_module(rank: int) -> type[nn.Module]:
    theirs, function = getattr(nn, f"MaxUnpool{rank}d"), UNPOOLINGS[f"max_unpool{rank}d"]

    def forward(self: nn.Module, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        return function(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    members = {
        "__module__": "cenote.torch",
        "__doc__": f"``max_unpool{rank}d`` as a module, with the arguments of ``torch.nn.MaxUnpool{rank}d``.",
        "forward": forward,
    }
    return type(f"MaxUnpool{rank}d", (theirs,), members)


MODULES: Final[dict[str, type[nn.Module]]] = {
    **{f.cenote.spelled.layer: _module(f.cenote) for f in FUNCTIONS.values()},
    **{f"MaxUnpool{rank}d": _unpool_module(rank) for rank in RANKS},
}
