"""The lab, where everything that it needs is installed; else the tests that import this skip and say so."""

from __future__ import annotations

import importlib.util

import pytest

for _needed in ("keras", "jax", "matplotlib", "scipy", "sklearn"):
    if importlib.util.find_spec(_needed) is None:
        pytest.skip(f"{_needed} is not installed: the lab does nothing", allow_module_level=True)

from cenote import lab  # noqa: E402

__all__ = ["lab"]
