"""Who would run a call on tensors, on what, and why the others would not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from cenote.errors import CenoteError, bad_type, shown
from cenote.ops.answer import Answer
from cenote.ops.dispatch import PROVIDERS

from .devices import elsewhere, reason
from .errors import as_torch
from .functional import FUNCTIONS, Pooling
from .install import COVERED, NOT_COVERED, is_installed
from .state import is_forward_mode, is_observed
from .tensors import numpy_dtype

# The whole numbers that quantized tensors hold.
_STORED: Final = {torch.quint8: torch.uint8, torch.qint8: torch.int8, torch.qint32: torch.int32}


@dataclass(frozen=True, slots=True)
class Explanation(Answer):
    """The answer of ``explain``. As text it is a table. ``covered`` and ``not_covered`` are about ``install()``."""

    function: str
    window: str
    input: str
    output: str
    provider: str
    door: str
    target: str
    threads: int
    refusals: Mapping[str, str]
    installed: bool
    covered: tuple[str, ...]
    not_covered: Mapping[str, str]

    def rows(self) -> list[tuple[str, str]]:
        """What ``install()`` covers comes last."""
        shown = [row for row in Answer.rows(self) if row[0] not in ("covered", "not_covered")]
        shown.append(("install covers", ", ".join(self.covered)))
        return shown + [("install leaves", f"{name}: {why}") for name, why in self.not_covered.items()]


def explain(function: Callable[..., Any], input: Tensor, *args: Any, **kwargs: Any) -> Explanation:
    """Say who would run ``function(input, ...)``, without running it.

    Parameters
    ----------
    function : function or module
        A function or module of cenote.torch, or one of ``torch.nn.functional``'s pooling functions.
    input : Tensor
        The input; a ``meta`` tensor will do.
    *args, **kwargs
        What ``function`` takes after the input (nothing for a module).

    Returns
    -------
    Explanation
        ``provider`` ("native", "reference" or "torch"), ``door`` ("eager" or "registered operator"), ``refusals`` (why
        each other provider would not run it), and what ``install()`` covers.

    Raises
    ------
    TorchError
        What ``function`` itself would raise.

    Examples
    --------
    >>> import cenote.torch
    >>> answer = cenote.torch.explain(cenote.torch.max_pool2d, torch.zeros(1, 2, 8, 8), 2)
    >>> answer.provider, answer.output
    ('native', '(1, 2, 4, 4) torch.float32')
    """
    pooling, words, theirs = _asked(function, args, kwargs)
    try:
        return _explained(pooling, input, words, theirs)
    except CenoteError as error:
        raise as_torch(error) from None


def _asked(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Pooling, tuple[Any, ...], bool]:
    if isinstance(function, nn.Module) and isinstance(getattr(function, "pooling", None), Pooling):
        pooling: Pooling = function.pooling
        return pooling, tuple(getattr(function, name) for name in pooling.spelled.names), False
    found = getattr(function, "cenote", None)
    theirs = False
    if not isinstance(found, Pooling):
        name = getattr(function, "__name__", "").removeprefix("_")
        theirs = getattr(torch.nn.functional, name, None) is not None and name in FUNCTIONS
        found = FUNCTIONS[name].cenote if theirs else None
    if not isinstance(found, Pooling):
        raise as_torch(
            bad_type("explain", f"function is a pooling function or module, got {shown(function)}", "pass one")
        )
    return found, found.words.fill(args, kwargs), theirs


def _explained(pooling: Pooling, x: Tensor, words: tuple[Any, ...], theirs: bool) -> Explanation:
    request = pooling.request(x.ndim, words)
    stored = _STORED.get(x.dtype, x.dtype)
    call = request.ready(tuple(x.shape), numpy_dtype(pooling.spelled.name, stored), False).call
    refusals = {p.name: why for p in PROVIDERS if (why := p.refusal(call)) is not None}
    provider = next(p for p in PROVIDERS if p.name not in refusals)
    name, target, threads = provider.name, provider.target, min(provider.threads, torch.get_num_threads())
    why = reason(x)
    if why is not None:
        # the error, if it cannot say this; there are no quantized tensors without memory
        elsewhere(pooling.spelled, x[:1] if x.is_quantized else x.new_empty(x.shape, device="meta"), words, why)
        refusals[name] = why
        name, target, threads = "torch", str(x.device), 0
    elif theirs and not is_installed():
        refusals[name] = "PyTorch's own function was called and its pooling is not rerouted: cenote.torch.install()"
        name, target, threads = "torch", "cpu", torch.get_num_threads()
    observed = is_observed(x) or (theirs and is_forward_mode())
    return Explanation(
        function=pooling.spelled.name,
        window=str(call.window),
        input=f"{tuple(x.shape)} {x.dtype}",
        output=f"{call.out_shape} {x.dtype if x.is_quantized else f'torch.{call.result}'}",
        provider=name,
        door="PyTorch's" if name == "torch" else "registered operator" if observed else "eager",
        target=target,
        threads=threads,
        refusals=refusals,
        installed=is_installed(),
        covered=COVERED,
        not_covered=NOT_COVERED,
    )
