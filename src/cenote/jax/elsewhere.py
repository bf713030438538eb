"""Where no handler is (GPUs, TPUs): ``lax.reduce_window`` for what it computes to the contract, a reason for the rest.

To the contract are maxima and minima, and sums of whole numbers, which come out the same in whatever order they are
joined. Sums of floats do not: the contract fixes one order, XLA leaves it to the device. And what won a window, which
gradients and positions need, XLA tells otherwise where there are ties or NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from jax import lax

from ..catalogue import Call
from ..catalogue.dtypes import INTEGRAL, kind_of
from ..errors import message
from ..geometry import Slide, Window
from ..ops.request import Request
from .calls import call_of

Array = Any

_MONOIDS: Final[dict[str | None, Callable[[Array, Array], Array]]] = {"max": lax.max, "min": lax.min, "sum": lax.add}
_WAY_OUT: Final = "run it on the CPU (with jax.default_device(jax.devices('cpu')[0]): ...), or use lax or Flax there"


def refusal(call: Call) -> str | None:
    """Why ``lax.reduce_window`` is not the contract's result; None where it is."""
    if call.op.reducer not in _MONOIDS:
        return f"lax.reduce_window has no {call.op.name} that is exact to the contract"
    if call.op.reducer == "sum" and not (kind_of(call.dtype) in INTEGRAL and kind_of(call.result) in INTEGRAL):
        return "floats are added in another order there, and bits would differ"
    if call.select:
        return "lax.reduce_window does not tell which tap won"
    return None if _sliding(call) is not None else "its windows differ in size, which lax.reduce_window cannot say"


def pool(x: Array, *, request: Request) -> Array:
    """Values, or the refusal."""
    call = call_of(request, x.shape, x.dtype)
    reason = refusal(call)
    if reason is not None:
        raise refused(request, reason)
    slides = _sliding(call)
    assert slides is not None
    n = x.ndim
    start, stop = [0] * n, list(x.shape)
    size, stride, dilation, pads = [1] * n, [1] * n, [1] * n, [(0, 0)] * n
    for axis, (slide, first, last, before, after) in zip(call.axes, slides, strict=True):
        start[axis], stop[axis], pads[axis] = first, last, (before, after)
        size[axis], stride[axis], dilation[axis] = slide.size, slide.stride, slide.dilation
    cells = lax.slice(x, start, stop).astype(call.result)
    return lax.reduce_window(
        cells,
        np.asarray(call.op.identity(call.result), call.result),
        _MONOIDS[call.op.reducer],
        tuple(size),
        tuple(stride),
        tuple(pads),
        window_dilation=tuple(dilation),
    )


def _sliding(call: Call) -> list[tuple[Slide, int, int, int, int]] | None:
    """Per pooled axis a window that slides, the cells ``[first, last)`` that it reads, and how far it reaches out."""
    found = []
    for rule, length in zip(call.window.rules, call.lengths, strict=True):
        window = Window((rule,))
        if isinstance(rule, Slide):
            (halo,) = window.halo((length,), (slice(None),))
            found.append((rule, halo.start, halo.stop, halo.before, halo.after))
            continue
        (table,) = window.spans((length,))
        ways = np.diff(table.start) if len(table) > 1 else np.ones(1, np.int64)
        if (table.count != table.count[0]).any() or (table.step != table.step[0]).any() or table.count[0] < 1:
            return None
        if (ways != ways[0]).any() or ways[0] < 1:
            return None
        slide = Slide(int(table.count[0]), int(ways[0]), int(table.step[0]))
        found.append((slide, table[0][0], table[len(table) - 1][-1] + 1, 0, 0))
    return found


def refused(request: Request, reason: str) -> NotImplementedError:
    """The error of a call that is lowered for a platform which cannot run it."""
    return NotImplementedError(message(request.who, f"only the CPU runs this call ({reason})", _WAY_OUT))


def select(x: Array, *, request: Request, **_: Any) -> Array:
    """Refused."""
    raise refused(request, "lax.reduce_window does not tell which tap won, and positions and gradients need that")


def down(*arrays: Array, request: Request, **_: Any) -> Array:
    """Refused."""
    raise refused(request, "derivatives have handlers on the CPU alone")


up = down
