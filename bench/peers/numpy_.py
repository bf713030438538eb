"""NumPy's own best idiom: several are tried once, the fastest takes part, and the notes say which."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..contestant import Contestant, Refusal
from ..counts import counts
from ..data import Array, Data, numpy_type
from ..workload import INTEGERS, Workload

Idiom = Callable[[], Array]
_PATIENT_TAPS = 5e6  # sliding_window_view over more than this many taps is never the fastest


class NumPy:
    """One thread, as NumPy is."""

    name = "numpy"
    title = "NumPy"
    packages = ("numpy",)

    def start(self, threads: int) -> None:
        """Nothing to do."""

    def contestants(self, workload: Workload, data: Data, threads: int) -> list[Contestant]:
        """The fastest of the idioms that compute this row."""
        if workload.backward:
            raise Refusal("no idiom for gradients")
        idioms = dict(self._idioms(workload, data.x))
        if not idioms:
            raise Refusal("no idiom for these bins")
        best, taken = "", float("inf")
        for name, idiom in idioms.items():
            start = time.perf_counter()
            idiom()
            seconds = time.perf_counter() - start
            if seconds < taken:
                best, taken = name, seconds
        call = idioms[best]
        return [Contestant("numpy", call, lambda y: [y.reshape(workload.out_shape)], note=f"{best}; one thread")]

    def _idioms(self, workload: Workload, x: Array) -> list[tuple[str, Idiom]]:
        geometry, axes, op = workload.geometry, workload.axes, workload.op
        if op == "lp":
            square = self._sum_idioms(workload, x)
            return [(name, lambda idiom=idiom: np.sqrt(idiom(x * x))) for name, idiom in square]  # type: ignore[misc]
        if geometry.is_global:
            reduce: Any = {"max": np.max, "min": np.min, "avg": np.mean}[op]
            return [("reduction over axes", lambda: reduce(x, axis=axes))]
        if geometry.parts:
            return []
        if op == "avg":
            return [
                (name, lambda idiom=idiom: self._divided(workload, idiom(x)))  # type: ignore[misc]
                for name, idiom in self._sum_idioms(workload, x)
            ]
        step: Any = np.maximum if op == "max" else np.minimum
        return [(name, lambda i=i: i(x)) for name, i in self._steps(workload, step, workload.dtype)]  # type: ignore[misc]

    def _sum_idioms(self, workload: Workload, x: Array) -> list[tuple[str, Callable[[Array], Array]]]:
        wide = "int32" if workload.dtype in INTEGERS else "float32" if workload.dtype != "float64" else "float64"
        return self._steps(workload, np.add, wide)

    def _divided(self, workload: Workload, total: Array) -> Array:
        count: Any = np.asarray(workload.taps, dtype=total.dtype)
        if any(workload.geometry.padding):
            outputs = iter(workload.outputs)
            shape = [next(outputs) if axis in workload.axes else 1 for axis in range(len(workload.shape))]
            count = counts(workload.geometry, workload.lengths).reshape(shape).astype(total.dtype)
        mean: Array = total / count
        if workload.dtype in INTEGERS:
            mean = np.rint(mean)
        return mean.astype(numpy_type(workload.dtype), copy=False)

    def _steps(self, workload: Workload, step: Any, wide: str) -> list[tuple[str, Callable[[Array], Array]]]:
        """Idioms that reduce with one ufunc, all in the dtype ``wide``."""
        geometry, axes = workload.geometry, workload.axes
        dtype = numpy_type(wide)
        padded = any(geometry.padding)

        def shifted(x: Array) -> Array:
            """Axis by axis (a box is separable): k strided views, combined in place; padding cuts the views."""
            y = x
            for axis, k, s, p in zip(axes, geometry.size, geometry.stride, geometry.padding, strict=True):
                y = _along(y, axis, k, s, p, step, dtype)
            return y

        found: list[tuple[str, Callable[[Array], Array]]] = [("shifted views, axis by axis", shifted)]
        whole = all(n % s == 0 for n, s in zip(workload.lengths, geometry.stride, strict=True))
        if geometry.size == geometry.stride and not padded and whole:

            def blocks(x: Array) -> Array:
                shape: list[int] = []
                inner: list[int] = []
                for axis, n in enumerate(x.shape):
                    if axis in axes:
                        k = geometry.size[axes.index(axis)]
                        shape += [n // k, k]
                        inner.append(len(shape) - 1)
                    else:
                        shape.append(n)
                return np.asarray(step.reduce(x.reshape(shape), axis=tuple(inner), dtype=dtype))

            found.append(("reshape into blocks", blocks))
        outputs = float(np.prod(workload.out_shape))
        if not padded and outputs * workload.taps <= _PATIENT_TAPS:

            def slide(x: Array) -> Array:
                view = np.lib.stride_tricks.sliding_window_view(x, geometry.size, axis=axes)
                cut = [slice(None)] * view.ndim
                for axis, s in zip(axes, geometry.stride, strict=True):
                    cut[axis] = slice(None, None, s)
                taps = tuple(range(view.ndim - geometry.rank, view.ndim))
                return np.asarray(step.reduce(view[tuple(cut)], axis=taps, dtype=dtype))

            found.append(("sliding_window_view", slide))
        return found


def _along(x: Array, axis: int, k: int, s: int, p: int, step: Any, dtype: np.dtype[Any]) -> Array:
    """One axis of a sliding window: for each tap the outputs that have it, combined into the result."""
    n = x.shape[axis]
    outputs = (n + 2 * p - k) // s + 1
    order = sorted(range(k), key=lambda j: abs(j - p))  # tap p is real for every output that starts inside
    shape = list(x.shape)
    shape[axis] = outputs
    y: Array | None = None
    for j in order:
        lowest = max(0, -((j - p) // s))
        highest = min(outputs - 1, (n - 1 + p - j) // s)
        if highest < lowest:
            continue
        source = [slice(None)] * x.ndim
        source[axis] = slice(lowest * s - p + j, highest * s - p + j + 1, s)
        taps = x[tuple(source)]
        if y is None:
            if lowest == 0 and highest == outputs - 1:
                y = taps.astype(dtype)
                continue
            y = np.full(shape, _identity(step, dtype), dtype=dtype)
        target = [slice(None)] * x.ndim
        target[axis] = slice(lowest, highest + 1)
        into = y[tuple(target)]
        step(into, taps, out=into)
    assert y is not None
    return y


def _identity(step: Any, dtype: np.dtype[Any]) -> Any:
    if step is np.add:
        return 0
    sign = -1 if step is np.maximum else 1
    if dtype.kind in "iu":
        return np.iinfo(dtype).min if sign < 0 else np.iinfo(dtype).max
    return sign * np.inf
