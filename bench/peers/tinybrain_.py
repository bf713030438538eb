"""tinybrain, used as its documentation says: its own (Fortran) order of axes, one thread."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..contestant import Contestant, Refusal, load
from ..data import Data
from ..workload import INTEGERS, Workload


class TinyBrain:
    """Averages and maxima of 2x2 and 2x2x2 blocks."""

    name = "tinybrain"
    title = "tinybrain"
    packages = ("tinybrain",)

    def start(self, threads: int) -> None:
        """Import."""
        self.tinybrain = load("tinybrain")

    def contestants(self, workload: Workload, data: Data, threads: int) -> list[Contestant]:
        """One; x transposed is the same memory in Fortran order."""
        geometry, op = workload.geometry, workload.op
        if workload.backward:
            raise Refusal("no gradients")
        if workload.dtype in ("float16", "bfloat16"):
            raise Refusal(f"no blocks of {workload.dtype}")
        blocks = geometry.size == geometry.stride and geometry.size in ((2, 2), (2, 2, 2))
        if op not in ("max", "avg") or not blocks or any(geometry.padding) or any(n % 2 for n in workload.lengths):
            raise Refusal("blocks of 2x2 and 2x2x2: average and maximum")
        x = data.first()
        if geometry.rank == 2:
            image = x.reshape(-1, *workload.lengths).T  # W, H, planes
            factor = (2, 2, 1)
        else:
            image = x.reshape(-1, *workload.lengths).T  # W, H, D, channels
            factor = (2, 2, 2)
        step: Any = self.tinybrain.downsample_with_averaging
        if op == "max":
            step = self.tinybrain.downsample_with_max_pooling
        whole = workload.dtype in INTEGERS
        return [
            Contestant(
                "tinybrain",
                lambda: step(image, factor),
                lambda y: [data.from_first(np.ascontiguousarray(np.squeeze(y[0]).T), workload.out_shape)],
                note="one thread" + "; rounds in its own way" * (whole and op == "avg"),
                slack=1 if whole and op == "avg" else 0,
                keep=[image, data],
            )
        ]
