"""ONNX Runtime: a model of one node, input and output bound beforehand, so that a call copies nothing."""

from __future__ import annotations

from typing import Any

from ..contestant import Contestant, Refusal, load
from ..data import Array, Data
from ..workload import Workload
from .onnx_model import model


class OnnxRuntime:
    """Knows (N, C, ...) only; rows with the channels last are given to it in that order."""

    name = "onnxruntime"
    title = "ONNX Runtime"
    packages = ("onnxruntime", "onnx")

    def start(self, threads: int) -> None:
        """Import."""
        self.ort = load("onnxruntime")
        load("onnx")
        self.ort.set_default_logger_severity(4)

    def contestants(self, workload: Workload, data: Data, threads: int) -> list[Contestant]:
        """One."""
        if workload.backward:
            raise Refusal("inference only")
        if workload.dtype == "bfloat16":
            raise Refusal("no bfloat16 pooling")
        options = self.ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # Its workers spin while a call runs and stop with it: nobody else's turn pays for them.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        session = self.ort.InferenceSession(model(workload), options, providers=["CPUExecutionProvider"])
        x = self.ort.OrtValue.ortvalue_from_numpy(data.first())
        y = self.ort.OrtValue.ortvalue_from_shape_and_type(
            [workload.batch, workload.channels, *workload.outputs], data.x.dtype
        )
        binding = session.io_binding()
        binding.bind_ortvalue_input("x", x)
        binding.bind_ortvalue_output("y", y)

        def arrays(_: Any) -> list[Array]:
            return [data.from_first(y.numpy(), workload.out_shape)]

        return [
            Contestant(
                "onnxruntime",
                lambda: session.run_with_iobinding(binding),
                arrays,
                note="into a bound output",
                keep=[x, y, session, data],
            )
        ]
