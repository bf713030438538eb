"""The frameworks asked the naive way, here or in a process of their own: they are given what somebody wrote.

    python explorer_frameworks.py torch < cases.json

A case is a state of the page, ``code`` a snippet for it or None. The answer is, for both the words and the code, either
``{"shape": ..., "values": ...}`` or ``{"raised": ...}``. No argument is checked here and none is left out because a
framework lacks it: what it does not take, it has to refuse by itself.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from explorer_node import dumps, revived

Case = dict[str, Any]
_NAMES = {"max": "Max", "avg": "Average", "lp": "Lp", "min": "Min", "sum": "Sum"}


def array(state: Case) -> Any:
    """The array of a state."""
    return np.array(state["values"], np.int64 if state["integers"] else np.float64).reshape(state["shape"])


def _pads(words: Case) -> Any:
    """None for no padding, a word, or pairs."""
    first = words["padding"][0]
    if all(pad == first for pad in words["padding"]) and isinstance(first, str):
        return first
    pairs = [pad if isinstance(pad, str) else tuple(pad) for pad in words["padding"]]
    return None if all(pair == (0, 0) for pair in pairs) else pairs


def _said(words: Case, **names: str) -> Case:
    found: Case = {names["size"]: tuple(words["size"])}
    if words["stride"]:
        found[names["stride"]] = tuple(words["stride"])
    if max(words["dilation"]) > 1:
        found[names["dilation"]] = tuple(words["dilation"])
    if words["ceil"]:
        found["ceil_mode"] = True
    return found


def torch() -> Callable[[Case, Any], Any]:
    """PyTorch's functions."""
    import torch
    from torch.nn import functional

    def call(state: Case, x: Any) -> Any:
        op, words, rank = state["op"], state["words"], x.ndim
        t = torch.tensor(x, dtype=torch.float32)[None, None]
        norm = (state["p"],) if op == "lp" else ()
        if words["form"] != "slide":
            if op == "lp" and set(words["size"]) == {1}:
                size = x.shape if rank > 1 else x.shape[0]
                return getattr(functional, f"lp_pool{rank}d")(t, *norm, size)[0, 0]
            return getattr(functional, f"adaptive_{op}_pool{rank}d")(t, tuple(words["size"]))[0, 0]
        given = _said(words, size="kernel_size", stride="stride", dilation="dilation")
        if rank == 1:
            given = {name: value[0] if isinstance(value, tuple) else value for name, value in given.items()}
        pads = _pads(words)
        if pads is not None:
            even = not isinstance(pads, str) and all(isinstance(pad, tuple) and pad[0] == pad[1] for pad in pads)
            given["padding"] = tuple(pad[0] for pad in pads) if even else pads
        if op == "avg" and words["divisor"] is not None:
            divisor = words["divisor"]
            given |= (
                {"count_include_pad": divisor != "inside"}
                if isinstance(divisor, str)
                else {"divisor_override": divisor}
            )
        return getattr(functional, f"{op}_pool{rank}d")(t, *norm, **given)[0, 0]

    return call


def keras() -> Callable[[Case, Any], Any]:
    """Keras's layers on TensorFlow."""
    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    import keras

    def call(state: Case, x: Any) -> Any:
        op, words, rank = state["op"], state["words"], x.ndim
        t = x.astype("float32")[None, ..., None]
        kind = f"{_NAMES[op]}Pooling{rank}D"
        if words["form"] == "slide":
            given = _said(words, size="pool_size", stride="strides", dilation="dilation_rate")
            pads = _pads(words)
            layer = getattr(keras.layers, kind)(**given, **({} if pads is None else {"padding": pads}))
        elif set(words["size"]) == {1}:
            layer = getattr(keras.layers, f"Global{kind}")(keepdims=True)
        else:
            layer = getattr(keras.layers, f"Adaptive{kind}")(tuple(words["size"]))
        return keras.ops.convert_to_numpy(layer(t))[0, ..., 0]

    return call


def jax() -> Callable[[Case, Any], Any]:
    """Flax's functions; jax.lax.reduce_window where there is a dilation, or nothing to divide."""
    import jax.numpy as jnp
    from flax import linen
    from jax import lax

    def call(state: Case, x: Any) -> Any:
        op, words = state["op"], state["words"]
        t = jnp.asarray(x, jnp.float32)
        if words["form"] != "slide" and set(words["size"]) == {1}:
            return getattr(jnp, {"avg": "mean"}.get(str(op), str(op)))(t, keepdims=True)
        if words["form"] == "adaptive":
            return getattr(linen, f"adaptive_{op}_pool")(t, words["size"])
        pads = _pads(words)
        pads = "VALID" if pads is None else pads.upper() if isinstance(pads, str) else tuple(pads)
        size = tuple(words["size"])
        if op != "sum" and max(words["dilation"]) == 1:
            given: Case = {"strides": tuple(words["stride"])} if words["stride"] else {}
            given |= {"count_include_pad": words["divisor"] != "inside"} if op == "avg" and words["divisor"] else {}
            given |= {"ceil_mode": True} if words["ceil"] else {}
            return getattr(linen.pooling, f"{op}_pool")(t[None, ..., None], size, padding=pads, **given)[0, ..., 0]
        start, how = {"max": (-jnp.inf, lax.max), "min": (jnp.inf, lax.min)}.get(op, (0.0, lax.add))
        stride = tuple(words["stride"] or [1] * x.ndim)
        if words["ceil"] or op == "lp":
            raise TypeError("reduce_window has no ceil_mode, and no norm")

        def reduced(a: Any) -> Any:
            return lax.reduce_window(a, start, how, size, stride, pads, window_dilation=tuple(words["dilation"]))

        if op != "avg":
            return reduced(t)
        return reduced(t) / (reduced(jnp.ones_like(t)) if words["divisor"] == "inside" else np.prod(size))

    return call


def onnx() -> Callable[[Case, Any], Any]:
    """A model of one node in ONNX Runtime."""
    onnx, onnxruntime = (importlib.import_module(name) for name in ("onnx", "onnxruntime"))  # without type stubs
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4

    def call(state: Case, x: Any) -> Any:
        op, words = state["op"], state["words"]
        t = x.astype(np.float32)[None, None]
        given: Case = {}
        if words["form"] == "slide":
            given = _said(words, size="kernel_shape", stride="strides", dilation="dilations")
            given |= {"ceil_mode": 1} if words["ceil"] else {}
            pads = _pads(words)
            if isinstance(pads, str):
                given["auto_pad"] = {"same": "SAME_UPPER", "same_lower": "SAME_LOWER"}[pads]
            elif pads is not None:
                given["pads"] = [lo for lo, _ in pads] + [hi for _, hi in pads]
            if op == "avg" and words["divisor"] is not None:
                given["count_include_pad"] = int(words["divisor"] == "padded")
        elif words["form"] == "adaptive" and set(words["size"]) != {1}:
            raise NotImplementedError("no operator of ONNX is adaptive")
        if op == "lp":
            given["p"] = int(state["p"]) if state["p"] == round(state["p"]) else state["p"]
        name = f"{'' if words['form'] == 'slide' else 'Global'}{_NAMES[op]}Pool"
        info = onnx.helper.make_tensor_value_info
        ends = [info("x", 1, t.shape)], [info("y", 1, None)]
        graph = onnx.helper.make_graph([onnx.helper.make_node(name, ["x"], ["y"], **given)], "g", *ends)
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)], ir_version=10)
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return session.run(None, {"x": t})[0][0, 0]

    return call


def cenote() -> Callable[[Case, Any], Any]:
    """Only its snippets are of interest: the words are what the page asks."""
    return lambda state, x: x


def answered(act: Callable[[], Any]) -> Case:
    """What a framework gave, or that it raised."""
    try:
        found = np.asarray(act())
    except Exception as error:  # which one is the framework's business
        return {"raised": f"{type(error).__name__}: {str(error)[:200]}"}
    return {"shape": list(found.shape), "values": found.astype(np.float64).ravel().tolist()}


def answers(name: str, cases: list[Case]) -> list[Case]:
    """What a framework gives for the words and for the code of every case."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        call = globals()[name]()

        def run(code: str, x: Any) -> Any:
            names = {"x": x}
            exec(code, names)  # it is what the page shows
            return names["y"]

        found = []
        for case in cases:
            x = array(case["state"])
            naive = answered(functools.partial(call, case["state"], x.copy()))
            code = None if case["code"] is None else answered(functools.partial(run, case["code"], x.copy()))
            found.append({"naive": naive, "code": code})
        return found


def main() -> None:
    cases = revived(json.load(sys.stdin))
    sys.stdout.write(f"\n{dumps(answers(sys.argv[1], cases))}\n")


if __name__ == "__main__":
    main()
