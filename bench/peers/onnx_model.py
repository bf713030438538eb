"""A model of one pooling node, for the two runtimes that read ONNX."""

from __future__ import annotations

from typing import Any

from ..contestant import Refusal, load
from ..workload import Workload, shape_text

_TYPES = {
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "float16": "FLOAT16",
    "bfloat16": "BFLOAT16",
    "int8": "INT8",
    "uint8": "UINT8",
}


def model(workload: Workload) -> bytes:
    """The serialised model, x in (N, C, spatial axes)."""
    onnx = load("onnx")
    helper = onnx.helper
    geometry, op = workload.geometry, workload.op
    if op == "min":
        raise Refusal("no MinPool")
    if workload.dtype in ("int8", "uint8") and op != "max":
        raise Refusal(f"no {op} pool of {workload.dtype}")
    kind = {"max": "MaxPool", "avg": "AveragePool", "lp": "LpPool"}[op]
    attributes: dict[str, Any] = {"p": 2} if op == "lp" else {}
    if geometry.is_global:
        kind = "Global" + kind
    elif geometry.parts:
        raise Refusal(f"no adaptive pooling ({shape_text(geometry.parts)})")
    else:
        attributes |= {
            "kernel_shape": geometry.size,
            "strides": geometry.stride,
            "pads": [*geometry.padding, *geometry.padding],
        }
    dtype = getattr(onnx.TensorProto, _TYPES[workload.dtype])
    n, c = workload.batch, workload.channels
    x = helper.make_tensor_value_info("x", dtype, [n, c, *workload.lengths])
    y = helper.make_tensor_value_info("y", dtype, [n, c, *workload.outputs])
    graph = helper.make_graph([helper.make_node(kind, ["x"], ["y"], **attributes)], "pool", [x], [y])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    return bytes(made.SerializeToString())
