"""JAX for the tests of cenote.jax; where it, or our handlers, are missing, the tests that import this skip and say so.

test_jax_built.py asserts that CI has the handlers.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

import cenote

HANDLERS = sorted(Path(cenote.__file__).parent.glob("jax/_xla*.so"))

if importlib.util.find_spec("jax") is None:
    pytest.skip("JAX is not installed: cenote.jax is not tested", allow_module_level=True)
if not HANDLERS:
    pytest.skip("cenote was built without jaxlib's headers: cenote.jax is not tested", allow_module_level=True)

import jax  # noqa: E402

import cenote.jax  # noqa: E402

marks = [pytest.mark.jax]


def drawn(share: float) -> Any:
    """Settings for a share of the usual number of examples: each of them is compiled, which takes XLA its time."""
    return settings(max_examples=max(1, int(settings.default.max_examples * share)))


def x64() -> Any:
    """JAX with dtypes of 64 bits, for a while."""
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    from jax.experimental import enable_x64

    return enable_x64()


def same_bytes(got: Any, want: Any) -> None:
    """Shape, dtype and every bit; any NaN will do for a NaN."""
    have, want = np.asarray(got), np.asarray(want)
    assert (have.shape, have.dtype) == (want.shape, want.dtype)
    if want.dtype.kind in "fc" or want.dtype.name == "bfloat16":
        have, want = (np.where(a != a, np.array(np.nan, a.dtype), a) for a in (have, want))
    assert have.tobytes() == want.tobytes()


def compiled_text(f: Any, *args: Any) -> str:
    """What XLA made of it, after it was split over devices."""
    return jax.jit(f).lower(*args).compile().as_text()


__all__ = ["HANDLERS", "compiled_text", "drawn", "jax", "marks", "same_bytes", "x64"]
