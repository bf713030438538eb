"""TensorFlow: ``tf.nn`` with the channels last, which is all that its CPU kernels know."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from ..contestant import Contestant, Refusal, load
from ..data import Array, Data
from ..workload import Workload


class TensorFlow:
    """Rows with the channels first are given to it with the channels last."""

    name = "tensorflow"
    title = "TensorFlow"
    packages = ("tensorflow-cpu",)

    def start(self, threads: int) -> None:
        """Import, and fix the number of threads for the process."""
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        self.tf = load("tensorflow")
        self.tf.config.threading.set_intra_op_parallelism_threads(threads)
        self.tf.config.threading.set_inter_op_parallelism_threads(1)
        self.threads = threads

    def contestants(self, workload: Workload, data: Data, threads: int) -> list[Contestant]:
        """One; forward by eager calls, backward by a compiled function."""
        if threads != self.threads:
            raise Refusal("its thread count is fixed for the process")
        tf = self.tf
        pool = self._pool(workload)
        x = tf.constant(data.last())

        def array(made: Any, shape: tuple[int, ...]) -> Array:
            return data.from_last(np.asarray(made.numpy()), shape)

        if not workload.backward:
            return [Contestant("tensorflow", lambda: pool(x), lambda y: [array(y, workload.out_shape)], keep=[x, data])]
        dy = tf.constant(data.dy_last())

        @tf.function  # type: ignore[untyped-decorator]
        def both(x: Any, dy: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = pool(x)
            return y, tape.gradient(y, x, output_gradients=dy)

        def arrays(result: Any) -> list[Array]:
            return [array(result[0], workload.out_shape), array(result[1], workload.shape)]

        return [Contestant("tensorflow", lambda: both(x, dy), arrays, keep=[x, dy, data])]

    def _pool(self, workload: Workload) -> Callable[[Any], Any]:
        tf, geometry, op = self.tf, workload.geometry, workload.op
        spatial = list(range(1, 1 + geometry.rank))
        if geometry.is_global:
            reduce = {"max": tf.reduce_max, "avg": tf.reduce_mean, "min": tf.reduce_min}[op]
            return lambda x: reduce(x, axis=spatial, keepdims=True)
        if geometry.parts:
            raise Refusal("no adaptive pooling")
        if op == "lp":
            raise Refusal("no lp pool")
        padding = self._padding(workload)
        if op == "avg":
            if isinstance(padding, list):
                raise Refusal("avg_pool takes no numbers as padding")
            avg = getattr(tf.nn, f"avg_pool{geometry.rank}d")
            return lambda x: avg(x, geometry.size, geometry.stride, padding)
        if isinstance(padding, list) and geometry.rank != 2:
            raise Refusal("max_pool takes numbers as padding in two dimensions only")
        largest = getattr(tf.nn, f"max_pool{geometry.rank}d")
        if op == "min":
            return lambda x: -largest(-x, geometry.size, geometry.stride, padding)
        return lambda x: largest(x, geometry.size, geometry.stride, padding)

    def _padding(self, workload: Workload) -> Any:
        geometry = workload.geometry
        if not any(geometry.padding):
            return "VALID"
        same = all(
            s == 1 and k == 2 * p + 1 for k, s, p in zip(geometry.size, geometry.stride, geometry.padding, strict=True)
        )
        return "SAME" if same else [[0, 0], *([p, p] for p in geometry.padding), [0, 0]]
