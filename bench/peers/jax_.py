"""JAX: ``lax.reduce_window`` under ``jit``, its gradient by ``vjp``; results are waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..contestant import Contestant, Refusal, load
from ..counts import counts
from ..data import Array, Data
from ..workload import INTEGERS, Workload


class Jax:
    """``jax`` pools in the layout of the row, ``jax-other`` in the other one."""

    name = "jax"
    title = "JAX"
    packages = ("jax", "jaxlib")

    def start(self, threads: int) -> None:
        """Import; the number of threads is that of the processors the process may use, and fixed from here on."""
        self.jax = load("jax")
        self.jax.config.update("jax_enable_x64", True)
        self.lax, self.jnp = load("jax.lax"), load("jax.numpy")
        self.threads = threads

    def contestants(self, workload: Workload, data: Data, threads: int) -> list[Contestant]:
        """Both layouts where they differ."""
        if threads != self.threads:
            raise Refusal("its thread count is fixed for the process")
        found = [self.contestant("jax", workload, data, workload.channels_last)]
        if workload.channels > 1 and not workload.overhead:
            found.append(self.contestant("jax-other", workload, data, not workload.channels_last))
        return found

    def contestant(self, name: str, workload: Workload, data: Data, last: bool) -> Contestant:
        """One column, with the channels last or first."""
        jax = self.jax
        pool = self.pool(workload, last)
        x = jax.device_put(data.last() if last else data.first())
        back = data.from_last if last else data.from_first

        def array(made: Any, shape: tuple[int, ...]) -> Array:
            return back(np.asarray(made), shape)

        if not workload.backward:
            compiled = jax.jit(pool).lower(x).compile()
            return Contestant(
                name,
                lambda: compiled(x).block_until_ready(),
                lambda y: [array(y, workload.out_shape)],
                prime=name == self.name,
                keep=[x, data],
            )
        dy = jax.device_put(data.dy_last() if last else data.dy_first())

        def both(x: Any, dy: Any) -> Any:
            y, pullback = jax.vjp(pool, x)
            return y, pullback(dy.reshape(y.shape))[0]

        compiled = jax.jit(both).lower(x, dy).compile()

        def arrays(result: Any) -> list[Array]:
            return [array(result[0], workload.out_shape), array(result[1], workload.shape)]

        return Contestant(
            name,
            lambda: jax.block_until_ready(compiled(x, dy)),
            arrays,
            prime=name == self.name,
            keep=[x, dy, data],
        )

    def pool(self, workload: Workload, last: bool) -> Callable[[Any], Any]:
        """What is compiled."""
        lax, jnp, geometry, op = self.lax, self.jnp, workload.geometry, workload.op
        whole = workload.dtype in INTEGERS
        spatial = tuple(range(1, 1 + geometry.rank)) if last else tuple(range(2, 2 + geometry.rank))
        if geometry.is_global and op in ("max", "avg"):
            reduce = jnp.max if op == "max" else jnp.mean
            return lambda x: reduce(x, axis=spatial, keepdims=True)
        if geometry.parts:
            raise Refusal("no adaptive pooling")

        def full(rule: tuple[int, ...], rest: int) -> tuple[int, ...]:
            return (1 if rest else 0, *rule, 1) if last else (1, 1, *rule)

        size, stride = full(geometry.size, 1), full(geometry.stride, 1)
        pairs = tuple((p, p) for p in geometry.padding)
        padding = ((0, 0), *pairs, (0, 0)) if last else ((0, 0), (0, 0), *pairs)
        wide = jnp.int32 if whole else workload.dtype

        def window(x: Any, initial: Any, step: Any) -> Any:
            return lax.reduce_window(x, np.array(initial, dtype=x.dtype), step, size, stride, padding)

        if op in ("max", "min"):
            step = lax.max if op == "max" else lax.min
            if whole:
                limits = np.iinfo(workload.dtype)
                initial: Any = limits.min if op == "max" else limits.max
            else:
                initial = -np.inf if op == "max" else np.inf
            return lambda x: window(x, initial, step)
        if op == "lp":
            return lambda x: jnp.sqrt(window(x * x, 0, lax.add))

        # A window over ones, as a user would write it, is folded when it is compiled: minutes for large windows.
        taps = jnp.asarray(np.expand_dims(counts(geometry, workload.lengths), (0, -1) if last else (0, 1)), wide)

        def average(x: Any) -> Any:
            total = window(x.astype(wide), 0, lax.add)
            if any(geometry.padding):
                count = taps
            else:
                count = workload.taps
            if whole:
                return jnp.round(total / count).astype(workload.dtype)
            return total / count

        return average
