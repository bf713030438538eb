"""Forward with a pullback: gradients for whoever writes their own training loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..catalogue import Call
from ..catalogue.dtypes import INTEGRAL, REAL, kind_of
from ..errors import bad, bad_type, shown
from .arrays import as_array, check_dtype, check_out, new
from .dispatch import Provider, choose
from .pooling import pooling_of
from .prepare import Prepared

Array = NDArray[Any]


class Pullback:
    """``pullback(dy)`` is the gradient of x. May be called again, and from any thread.

    It keeps one small offset per output for max and min (one byte for windows of up to 255 taps), nothing for
    average and sum; lp keeps the result and a reference to x, which must not be changed until the last call.
    """

    __slots__ = ("_call", "_provider", "_saved", "_shape")

    def __init__(self, prepared: Prepared, provider: Provider, saved: Any) -> None:
        # not `prepared` itself, which holds x
        self._call, self._shape = prepared.call, prepared.shape
        self._provider, self._saved = provider, saved

    def __call__(self, dy: ArrayLike, *, out: Array | None = None) -> Array:
        """The gradient of x (its shape and dtype) for the gradient ``dy`` of y (the shape of y).

        ``dy`` is brought to the dtype of y where that loses no more than precision; complex numbers are not made real.
        ``out`` is where to write the result: of the shape and dtype of x, apart from dy (and, for ``lp_pool``, from x).
        """
        call = self._call
        given = _as_gradient(dy, self._shape, call)
        gradient = given.reshape(call.out_shape)  # pooled axes of one cell put back
        if out is None:
            dx, fresh = new("pullback", call.shape, call.dtype)
        else:
            read = [given, *self._provider.reads(self._saved)]
            dx, fresh = check_out("pullback", out, call.shape, call.dtype, read, "out"), False
        self._provider.backward(call, self._saved, gradient, dx, fresh=fresh)
        return dx

    def __repr__(self) -> str:
        call = self._call
        return f"<pullback of {call.who} {call.window}: {self._shape} -> {call.shape} {call.dtype}>"


def _as_gradient(dy: ArrayLike, shape: tuple[int, ...], call: Call) -> Array:
    array = as_array("pullback", "dy", dy)
    if array.shape != shape:
        raise bad("pullback", f"dy has shape {array.shape}, the result of {call.who} has {shape}", "pass that shape")
    check_dtype("pullback", "dy", array.dtype, (*REAL, "complex"))
    if kind_of(array.dtype) == "complex" and kind_of(call.result) != "complex":
        raise bad_type(
            "pullback",
            f"dy has dtype {array.dtype}, the result of {call.who} has {call.result}",
            "pass that dtype",
        )
    if array.dtype == call.result:
        return array
    with np.errstate(over="ignore"):  # a gradient too large for the result's dtype is infinite there
        return array.astype(call.result, copy=False)


def vjp(fn: Callable[..., Any], x: ArrayLike, /, *args: Any, **kwargs: Any) -> tuple[Array, Pullback]:
    """Pool, and get the function that takes gradients back: ``y, pullback = vjp(fn, x, ...)``.

    Parameters
    ----------
    fn : function
        One of cenote's pooling functions, such as ``cenote.max_pool``.
    x : array_like
        The input, of a float dtype (complex too for average and sum). Integers have no gradient.
    *args, **kwargs
        What ``fn`` takes after x, except ``out`` and ``return_indices``.

    Returns
    -------
    y : ndarray
        ``fn(x, ...)``.
    pullback : Pullback
        ``pullback(dy)`` returns the gradient of x as a new array of x's shape and dtype, ``pullback(dy, out=dx)``
        writes it to ``dx``. It may be called again and from other threads. For ``lp_pool`` it keeps a reference to x,
        which must not be changed before.

    Raises
    ------
    CenoteError
        x is not of a float dtype, or ``fn`` itself refuses the arguments.

    Examples
    --------
    >>> import cenote
    >>> import numpy as np
    >>> x = np.array([0.0, 0, 9, 0, 0, 0, 1, 0])
    >>> y, pullback = cenote.vjp(cenote.max_pool, x, (4,), stride=2)
    >>> y
    array([9., 9., 1.])
    >>> pullback(np.ones(3))  # two windows found the 9
    array([0., 0., 2., 0., 0., 0., 1., 0.])

    Notes
    -----
    A gradient goes to the winning tap (max, min), to all real taps (sum) or in equal parts, with the divisor of the
    forward pass (average); where windows overlap the parts are added in row-major order of the outputs, starting
    from 0, in float32 for 16-bit floats. The name is that of ``jax.vjp``.
    """
    pooling = pooling_of("vjp", fn)
    for name in ("out", "return_indices"):
        if kwargs.get(name) is not None and kwargs[name] is not False:
            raise bad(
                "vjp",
                f"{name}={shown(kwargs[name])} has no meaning here, vjp returns (y, pullback)",
                f"leave {name} out",
            )
        kwargs.pop(name, None)
    prepared = pooling.prepare(x, *args, **kwargs)
    call = prepared.call
    if kind_of(call.dtype) in INTEGRAL:
        raise bad_type("vjp", f"x has dtype {call.dtype}, and only floats have a gradient", "use x.astype(np.float32)")
    provider = choose(call)
    y, fresh = new(call.who, prepared.shape, call.result)
    saved = provider.forward_saving(call, prepared.x, prepared.full(y), fresh=fresh)
    prepared.keep(provider)
    return y, Pullback(prepared, provider, saved)
