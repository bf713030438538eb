"""Who would run a call, and why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import jax

from ..catalogue import Call, Derivative
from ..errors import bad, bad_type, shown
from ..native import NATIVE
from ..ops.explain import Explanation
from . import elsewhere
from .calls import asked, checked
from .functions import Pooling

_HERE: Final = "xla cpu handler"
_THERE: Final = "lax.reduce_window"
_NOBODY: Final = "nobody"
_PLATFORMS: Final = ("cpu", "cuda", "rocm", "gpu", "tpu")


def explain(fn: Callable[..., Any], x: Any, /, *args: Any, platform: str | None = None, **kwargs: Any) -> Explanation:
    """Say who would run ``fn(x, ...)``, one of the functions of cenote.jax or cenote.jax.flax, without running it.

    ``platform`` is "cpu", "cuda", "rocm", "gpu" or "tpu", or one that JAX has here; left out, it is that of x, or where
    JAX runs what nobody places. Gradients have handlers on the CPU alone.

    >>> import jax.numpy as jnp
    >>> import cenote.jax
    >>> cenote.jax.explain(cenote.jax.max_pool, jnp.zeros((8, 8)), 2, platform="cpu").provider
    'xla cpu handler'
    >>> cenote.jax.explain(cenote.jax.sum_pool, jnp.zeros((8, 8)), 2, platform="cuda").refusals["lax.reduce_window"]
    'floats are added in another order there, and bits would differ'
    """
    pooling = getattr(fn, "cenote", None)
    if not isinstance(pooling, Pooling):
        raise bad_type(
            "explain", f"fn is one of the functions of cenote.jax, got {shown(fn)}", "pass cenote.jax.max_pool"
        )
    array, request, dropped = pooling.ready(x, *args, **kwargs)
    call = checked(asked(request), array.shape, array.dtype)
    where = _platform(array) if platform is None else _named(platform)
    refusals: dict[str, str] = {}
    if where == "cpu":
        provider, ran_on, threads = _HERE, NATIVE.target, NATIVE.threads
    else:
        reason = elsewhere.refusal(call)
        refusals[_HERE] = f"it runs on the CPU, not on {where}"
        if reason is not None:
            refusals[_THERE] = reason
        provider, ran_on, threads = _THERE if reason is None else _NOBODY, where, 0
        refusals["gradient"] = _no_gradient(call)
    kept = [n for axis, n in enumerate(call.out_shape) if axis - len(call.out_shape) not in dropped]
    return Explanation(
        function=pooling.name,
        window=str(call.window),
        axes=call.axes,
        input=f"{call.shape} {call.dtype}",
        output=f"{tuple(kept)} {call.result}",
        provider=provider,
        target=ran_on,
        threads=threads,
        refusals=refusals,
    )


def _no_gradient(call: Call) -> str:
    what = "which tap won" if call.op.derivative is Derivative.WINNER else "the order in which they are added"
    return f"derivatives have handlers on the CPU alone: XLA's own do not fix {what}"


def _named(platform: Any) -> str:
    if not isinstance(platform, str):
        raise bad_type("explain", f"platform is a word, got {shown(platform)}", f"write one of {', '.join(_PLATFORMS)}")
    if platform not in {*_PLATFORMS, *(device.platform for device in jax.devices())}:
        known = ", ".join(map(repr, _PLATFORMS))
        raise bad(
            "explain", f"platform is one of {known} or one that is here, got {shown(platform)}", "write one of these"
        )
    return platform


def _platform(array: Any) -> str:
    try:
        return str(next(iter(array.devices())).platform)
    except Exception:  # a tracer is nowhere yet, and says so with an error of its own
        return str(jax.default_backend())
