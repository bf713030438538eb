"""OpenVINO: the same model (adaptive pooling by its own operation), tensors set beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..contestant import Contestant, Refusal, load
from ..data import Array, Data
from ..workload import Workload
from .onnx_model import model


class OpenVINO:
    """Knows (N, C, ...) only; rows with the channels last are given to it in that order."""

    name = "openvino"
    title = "OpenVINO"
    packages = ("openvino",)

    def start(self, threads: int) -> None:
        """Import."""
        self.ov = load("openvino")
        self.core = self.ov.Core()

    def contestants(self, workload: Workload, data: Data, threads: int) -> list[Contestant]:
        """One."""
        if workload.backward:
            raise Refusal("inference only")
        if workload.dtype == "bfloat16":
            raise Refusal("no bfloat16 arrays")
        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",  # else it may compute float32 in bfloat16
        }
        compiled = self.core.compile_model(self._model(workload), "CPU", settings)
        request = compiled.create_infer_request()
        x = self.ov.Tensor(data.first(), shared_memory=True)
        request.set_input_tensor(x)

        def call() -> None:
            request.start_async()  # infer() would copy the result
            request.wait()

        def arrays(_: Any) -> list[Array]:
            return [data.from_first(np.array(request.get_output_tensor(0).data), workload.out_shape)]

        return [
            Contestant("openvino", call, arrays, note="into its own output tensor", keep=[x, request, compiled, data])
        ]

    def _model(self, workload: Workload) -> Any:
        geometry = workload.geometry
        if not geometry.parts or geometry.is_global:
            return self.core.read_model(model=model(workload))
        operations = load("openvino.opset14")
        shape = [workload.batch, workload.channels, *workload.lengths]
        x = operations.parameter(shape, np.dtype(workload.dtype))
        parts = operations.constant(np.array(geometry.parts, dtype=np.int64))
        if workload.op == "avg":
            node = operations.adaptive_avg_pool(x, parts)
        elif workload.op == "max":
            node = operations.adaptive_max_pool(x, parts, "i64")
        else:
            raise Refusal(f"no adaptive {workload.op} pool")
        return self.ov.Model([node.output(0)], [x], "pool")
