"""CI builds cenote.jax: there its tests may not be skipped for want of handlers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import cenote

pytestmark = pytest.mark.jax


@pytest.mark.skipif("CI" not in os.environ, reason="an installation may do without cenote.jax; only CI may not")
def test_the_handlers_of_cenote_jax_are_in_the_installed_package() -> None:
    assert len(list(Path(cenote.__file__).parent.glob("jax/_xla*.so"))) == 1
