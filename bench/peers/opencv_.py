"""OpenCV: ``dilate``, ``erode`` and ``blur`` for stride-1 windows, ``resize`` by area for 2x2/2 averages."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..contestant import Contestant, Refusal, load
from ..data import Array, Data
from ..workload import INTEGERS, Workload

_TYPES = ("uint8", "float32", "float64")
_CHANNELS = 128  # more it does not take at once
_FEW = 8  # images filtered one after the other; a larger batch is not what it is for


class OpenCV:
    """One image at a time; the planes of a batch are one tall image where windows do not cross them."""

    name = "opencv"
    title = "OpenCV"
    packages = ("opencv-python-headless",)

    def start(self, threads: int) -> None:
        """Import."""
        self.cv2 = load("cv2")

    def contestants(self, workload: Workload, data: Data, threads: int) -> list[Contestant]:
        """One."""
        geometry = workload.geometry
        if workload.backward:
            raise Refusal("no gradients")
        if workload.dtype not in _TYPES:
            raise Refusal(f"no filters of {workload.dtype}")
        if geometry.rank != 2 or geometry.parts:
            raise Refusal("sliding windows over images only")
        if set(geometry.stride) == {1}:
            return [self._filter(workload, data, threads)]
        if workload.op == "avg" and geometry.size == geometry.stride == (2, 2) and not any(geometry.padding):
            return [self._area(workload, data, threads)]
        raise Refusal("no strides, but for averages of whole blocks")

    def _filter(self, workload: Workload, data: Data, threads: int) -> Contestant:
        cv2, geometry, op = self.cv2, workload.geometry, workload.op
        if workload.batch > _FEW:
            raise Refusal("filters one image at a time")
        if any(k % 2 == 0 for k in geometry.size):
            raise Refusal("a window of even size lies elsewhere")
        last = data.last()
        starts = range(0, last.shape[-1], _CHANNELS)
        images = [np.squeeze(np.ascontiguousarray(i[..., c : c + _CHANNELS])) for i in last for c in starts]
        cut = tuple(slice(k // 2 - p, n - k // 2 + p) for k, p, n in self._edges(workload))
        kernel = np.ones(geometry.size, dtype=np.uint8)
        mirrored = op == "avg" and any(geometry.padding)
        if op == "avg":
            step: Any = lambda image: cv2.blur(image, geometry.size)  # noqa: E731
        elif op in ("max", "min"):
            morph = cv2.dilate if op == "max" else cv2.erode
            step = lambda image: morph(image, kernel)  # noqa: E731
        else:
            raise Refusal(f"no {op} filter")

        def arrays(made: list[Array]) -> list[Array]:
            full = [np.atleast_3d(y) for y in made]
            rows = [np.concatenate(full[i : i + len(starts)], axis=-1) for i in range(0, len(full), len(starts))]
            return [data.from_last(np.stack(rows), workload.out_shape)]

        return Contestant(
            "opencv",
            lambda: [step(image)[cut] for image in images],
            arrays,
            note="mirrors the edges, which are left out of the check" if mirrored else "",
            enter=lambda: cv2.setNumThreads(threads),
            margin=geometry.size[0] // 2 if mirrored else 0,
            slack=1 if workload.dtype in INTEGERS and op == "avg" else 0,
            keep=[images, data],
        )

    def _edges(self, workload: Workload) -> list[tuple[int, int, int]]:
        geometry = workload.geometry
        return list(zip(geometry.size, geometry.padding, workload.lengths, strict=True))

    def _area(self, workload: Workload, data: Data, threads: int) -> Contestant:
        cv2 = self.cv2
        x = data.first()
        height, width = workload.lengths
        if height % 2 or width % 2:
            raise Refusal("blocks of odd planes would cross them")
        image = x.reshape(-1, width)
        size = (width // 2, image.shape[0] // 2)

        def arrays(y: Array) -> list[Array]:
            return [data.from_first(y, workload.out_shape)]

        whole = workload.dtype in INTEGERS
        return Contestant(
            "opencv",
            lambda: cv2.resize(image, size, interpolation=cv2.INTER_AREA),
            arrays,
            note="rounds halves up" if whole else "",
            enter=lambda: cv2.setNumThreads(threads),
            slack=1 if whole else 0,
            keep=[image, data],
        )
