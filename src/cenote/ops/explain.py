"""Who would run a call, on what, and why the others would not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from .answer import Answer
from .dispatch import choose, refusals
from .pooling import checked_out, pooling_of


@dataclass(frozen=True, slots=True)
class Explanation(Answer):
    """The answer of ``explain``. As text it is a table."""

    function: str
    window: str
    axes: tuple[int, ...]
    input: str
    output: str
    provider: str
    target: str
    threads: int
    refusals: dict[str, str]


def explain(fn: Callable[..., Any], x: ArrayLike, /, *args: Any, **kwargs: Any) -> Explanation:
    """Say who would run ``fn(x, ...)``, without running it.

    Parameters
    ----------
    fn : function
        One of cenote's pooling functions.
    x : array_like
        The input.
    *args, **kwargs
        What ``fn`` takes after x.

    Returns
    -------
    Explanation
        ``provider``, ``target`` (CPU target of the kernels), ``threads`` (the most that would be used) and
        ``refusals`` (why each other provider would not run it); ``str`` makes a table of it.

    Raises
    ------
    CenoteError
        What ``fn`` itself would raise.

    Examples
    --------
    >>> import cenote
    >>> import numpy as np
    >>> answer = cenote.explain(cenote.max_pool, np.zeros((4, 4), np.float32), 3, stride=1)
    >>> answer.provider
    'native'
    >>> print(answer)  # doctest: +ELLIPSIS
    function       max_pool
    window         3x3/1x1
    ...
    """
    pooling = pooling_of("explain", fn)
    out = kwargs.pop("out", None)
    prepared = pooling.prepare(x, *args, **kwargs)
    checked_out(prepared, out)
    call = prepared.call
    provider = choose(call)
    return Explanation(
        function=pooling.name,
        window=str(call.window),
        axes=call.axes,
        input=f"{call.shape} {call.dtype}",
        output=f"{prepared.shape} {call.result}",
        provider=provider.name,
        target=provider.target,
        threads=provider.threads,
        refusals={name: reason for name, reason in refusals(call).items() if reason is not None},
    )
