"""What the kernels make of a state of the page."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

import cenote


def values(packed: Any) -> NDArray[np.float64]:
    """The array of packed bytes."""
    raw = np.frombuffer(base64.b64decode(packed["data"]), dtype="<" + packed["dtype"])
    return raw.astype(np.float64).reshape(packed["shape"])


def computed(state: Any) -> NDArray[np.float64]:
    """The output."""
    x, words = values(state["values"]), state["words"]
    if state["filter"] is not None:
        kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
        assert state["filter"] == "vertical"
        views = np.lib.stride_tricks.sliding_window_view(x, (3, 3))
        x = np.einsum("abij,ij->ab", views, kernel)
    own: dict[str, Any] = {}
    if state["op"] == "avg":
        own["divisor"] = words["divisor"] or "inside"
    if words["form"] == "global":
        whole = tuple(range(x.ndim))
        return np.asarray(getattr(cenote, f"global_{state['op']}_pool")(x, axes=whole, keepdims=True, **own))
    if words["form"] == "adaptive":
        return np.asarray(getattr(cenote, f"adaptive_{state['op']}_pool")(x, tuple(words["size"]), **own))
    word = next((pad for pad in words["padding"] if isinstance(pad, str)), None)
    pads = word or tuple(tuple(pad) for pad in words["padding"])
    stride = None if words["stride"] is None else tuple(words["stride"])
    return np.asarray(
        getattr(cenote, f"{state['op']}_pool")(
            x,
            tuple(words["size"]),
            stride=stride,
            padding=pads,
            dilation=tuple(words["dilation"]),
            ceil_mode=bool(words["ceil"]),
            **own,
        )
    )
