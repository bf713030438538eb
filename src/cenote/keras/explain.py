"""Who would run a layer, and why the others would not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from ..catalogue.dtypes import requested
from ..errors import bad_type, shown
from ..geometry.arguments import integer
from ..ops.answer import Answer
from ..ops.dispatch import refusals
from ..ops.request import Request
from . import backends
from .layer import PoolingLayer


@dataclass(frozen=True, slots=True)
class Explanation(Answer):
    """The answer of ``explain``. As text it is a table."""

    layer: str
    backend: str
    window: str
    input: str
    output: str
    provider: str
    way: str
    compiles: bool
    exports: bool
    refusals: dict[str, str]


def explain(layer: PoolingLayer, x: Any) -> Explanation:
    """Say who would run ``layer(x)``, without running it.

    Parameters
    ----------
    layer : a layer of cenote.keras
        Converted layers are.
    x : tensor, array, KerasTensor or shape
        The input. None stands for a length that is not known; a shape is one of floats of the layer's dtype.

    Returns
    -------
    Explanation
        ``provider`` computes the result, in the ``way`` it says; ``refusals`` say why the others would not.
        ``compiles``: the backend's compiler may compile it; ``exports``: a model with it can be exported to run without
        cenote. ``str`` makes a table of it.

    Raises
    ------
    TypeError, ValueError
        ``layer`` is none of cenote's, ``x`` is none of these, or the layer would refuse an input of this shape.

    Examples
    --------
    >>> import cenote.keras
    >>> cenote.keras.explain(cenote.keras.MaxPooling2D(2, dilation=2), (None, 28, 28, 8)).output
    '(None, 13, 13, 8) float32'
    """
    if not isinstance(layer, PoolingLayer):
        raise bad_type(
            "explain", f"layer is a pooling layer of cenote.keras, got {shown(layer)}", "convert the model first"
        )
    if isinstance(x, tuple | list):
        shape = tuple(None if n is None else integer("explain", "a length of the shape", n, 0) for n in x)
        dtype = layer.compute_dtype
    elif hasattr(x, "shape") and hasattr(x, "dtype"):
        shape, dtype = tuple(x.shape), keras.backend.standardize_dtype(x.dtype)
    else:
        raise bad_type("explain", f"x is a tensor, an array or a shape, got {shown(x)}", "pass (None, 28, 28, 8)")
    if keras.backend.is_float_dtype(dtype) and layer.autocast:
        dtype = layer.compute_dtype
    pooling = layer.pooling
    result = pooling.dropped(pooling.shape(shape))  # first, for it says what is wrong with a shape
    request = pooling.request_for(dtype, layer.compute_dtype)
    provider, way, reasons = _runs(request, dtype, shape, None if isinstance(x, tuple | list) else x)
    return Explanation(
        layer=f"{type(layer).__name__} {layer.name}",
        backend=backends.name(),
        window=str(request.window),
        input=f"{shape} {dtype}",
        output=f"{result} {pooling.result(dtype, layer.compute_dtype)}",
        provider=provider,
        way=way,
        compiles=backends.hosted(request, dtype, shape) is None,
        exports=backends.name() == "tensorflow" and backends.hosted(request, dtype, shape) is None,
        refusals=reasons,
    )


def _runs(request: Request, dtype: str, shape: tuple[int | None, ...], x: Any) -> tuple[str, str, dict[str, str]]:
    """Provider, way, and everyone else's reason."""
    away = backends.elsewhere(x)
    if away is not None:
        return "keras", "Keras's own layer, where the tensor is", {"native": away}
    if backends.name() == "tensorflow":
        reason = backends.hosted(request, dtype, shape)
        if reason is None:
            return "tensorflow", "TensorFlow's own kernels, in the graph", {"native": _STAYS}
    provider, reasons = _provider(request, dtype, shape)
    if backends.name() == "tensorflow":
        assert reason is not None
        return provider, _PYTHON, {"tensorflow": reason, **reasons}
    return provider, f"cenote.{backends.name()}" if backends.name() != "numpy" else "NumPy arrays", reasons


_STAYS = "TensorFlow's kernels give the same for finite input, and a graph of them can be compiled and saved"
_PYTHON = "a call of Python in the graph; tensors of a GPU are copied to the host and back"


def _provider(request: Request, dtype: str, shape: tuple[int | None, ...]) -> tuple[str, dict[str, str]]:
    pooled = {axis % len(shape) for axis in request.axes}
    if any(n is None for i, n in enumerate(shape) if i in pooled):
        return "native" if request.op.reducer else "reference", {}
    call = request.call(tuple(1 if n is None else n for n in shape), requested(request.who, dtype))
    answers = refusals(call)
    chosen = next(name for name, reason in answers.items() if reason is None)
    return chosen, {name: reason for name, reason in answers.items() if reason is not None}
