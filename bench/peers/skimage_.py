"""scikit-image: ``measure.block_reduce``, one thread."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..contestant import Contestant, Refusal, load
from ..data import Data
from ..workload import INTEGERS, Workload


class ScikitImage:
    """Whole blocks, over any axes."""

    name = "skimage"
    title = "scikit-image"
    packages = ("scikit-image",)

    def start(self, threads: int) -> None:
        """Import."""
        self.block_reduce = load("skimage.measure").block_reduce

    def contestants(self, workload: Workload, data: Data, threads: int) -> list[Contestant]:
        """One."""
        geometry, op, block_reduce = workload.geometry, workload.op, self.block_reduce
        whole = all(n % s == 0 for n, s in zip(workload.lengths, geometry.stride, strict=False))
        if workload.backward:
            raise Refusal("no gradients")
        if geometry.parts or geometry.size != geometry.stride or any(geometry.padding) or not whole:
            raise Refusal("whole blocks only")
        reduce: Any = {"max": np.max, "min": np.min, "avg": np.mean}.get(op)
        if reduce is None:
            raise Refusal(f"no NumPy function for {op}")
        sizes = dict(zip(workload.axes, geometry.size, strict=True))
        block = tuple(sizes.get(axis, 1) for axis in range(len(workload.shape)))
        x = data.x
        rounded = op == "avg" and workload.dtype in INTEGERS
        return [
            Contestant(
                "skimage",
                lambda: block_reduce(x, block, reduce),
                lambda y: [y],
                note="one thread" + "; its averages stay unrounded float64" * rounded,
                slack=0.5 if rounded else 0,
                keep=[data],
            )
        ]
