"""SciPy: the filters of ``scipy.ndimage``, one thread."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..contestant import Contestant, Refusal, load
from ..data import Data
from ..workload import INTEGERS, Workload


class SciPy:
    """Windows of stride 1 and odd size, over any axes."""

    name = "scipy"
    title = "SciPy"
    packages = ("scipy",)

    def start(self, threads: int) -> None:
        """Import."""
        self.ndimage = load("scipy.ndimage")

    def contestants(self, workload: Workload, data: Data, threads: int) -> list[Contestant]:
        """One."""
        geometry, op = workload.geometry, workload.op
        if workload.backward:
            raise Refusal("no gradients")
        if workload.dtype in ("float16", "bfloat16"):
            raise Refusal(f"no filters of {workload.dtype}")
        if geometry.parts or set(geometry.stride) != {1} or op not in ("max", "min", "avg"):
            raise Refusal("filters of stride 1: maximum, minimum, uniform")
        if any(k % 2 == 0 or p not in (0, k // 2) for k, p in zip(geometry.size, geometry.padding, strict=True)):
            raise Refusal("windows of odd size, centred")
        sizes = dict(zip(workload.axes, geometry.size, strict=True))
        size = [sizes.get(axis, 1) for axis in range(len(workload.shape))]
        cut = tuple(
            slice(None) if n == m else slice((n - m) // 2, (n - m) // 2 + m)
            for n, m in zip(workload.shape, workload.out_shape, strict=True)
        )
        x, ndimage = data.x, self.ndimage
        padded = any(geometry.padding)
        if op == "avg":
            call: Any = lambda: ndimage.uniform_filter(x, size)[cut]  # noqa: E731
        else:
            filtered = ndimage.maximum_filter if op == "max" else ndimage.minimum_filter
            outside = self._outside(workload)
            call = lambda: filtered(x, size, mode="constant", cval=outside)[cut]  # noqa: E731
        return [
            Contestant(
                "scipy",
                call,
                lambda y: [y],
                note="one thread" + ("; mirrors the edges, which are left out of the check" * (padded and op == "avg")),
                margin=geometry.size[0] // 2 if padded and op == "avg" else 0,
                slack=1 if workload.dtype in INTEGERS and op == "avg" else 0,
                keep=[data],
            )
        ]

    def _outside(self, workload: Workload) -> float:
        sign = -1 if workload.op == "max" else 1
        if workload.dtype in INTEGERS:
            limits = np.iinfo(workload.dtype)
            return float(limits.min if sign < 0 else limits.max)
        return sign * float("inf")
