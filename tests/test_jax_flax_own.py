"""Flax's own tests of pooling, with cenote.jax.flax as the implementation.

They come from Flax's source package, which is fetched when the tests run and never becomes part of this project; where
it cannot be had, this skips and says so. Of the ten of Flax 0.12 nine apply; the tenth pools with a function of its
own, which flax.linen.pooling.pool takes and cenote does not.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tarfile
import unittest
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import cenote
from jax_here import marks

pytestmark = [
    *marks,
    pytest.mark.skipif(importlib.util.find_spec("flax") is None, reason="Flax is not installed"),
]
NOT_APPLICABLE = {"test_pool_custom_reduce": "reduces with a function of its own"}


@pytest.fixture(scope="module")
def their_tests(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file with Flax's tests of the layers, of the version that is installed."""
    import flax

    cache = getattr(request.config, "cache", None)
    folder = Path(cache.mkdir("flax-source")) if cache else tmp_path_factory.mktemp("flax-source")
    archive = folder / f"flax-{flax.__version__}.tar.gz"
    if not archive.exists():
        wanted = ["--no-deps", "--no-binary", "flax", f"flax=={flax.__version__}"]
        command = [sys.executable, "-m", "pip", "download", "-q", "-d", str(folder), *wanted]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240)
        if not archive.exists():
            last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            pytest.skip(f"Flax's source package cannot be had, its tests do not run: {last}")
    name = f"flax-{flax.__version__}/tests/linen/linen_test.py"
    out = tmp_path_factory.mktemp("flax-tests")
    with tarfile.open(archive) as whole:
        whole.extract(name, out, filter="data")
    return out / name


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("flax_tests_of_linen", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ImportError as missing:
        pytest.skip(f"Flax's tests need more than is installed: {missing}")
    return module


@pytest.mark.filterwarnings("default")
def test_flax_pooling_tests_pass_with_cenote(their_tests: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flax import linen

    module = loaded(their_tests)
    calls: Counter[str] = Counter()
    for name in ("max_pool", "min_pool", "avg_pool"):
        if not hasattr(linen, name):
            continue

        def counted(*args: Any, name: str = name, **kwargs: Any) -> Any:
            calls[name] += 1
            return getattr(cenote.jax.flax, name)(*args, **kwargs)

        monkeypatch.setattr(linen, name, counted)
    suite = unittest.TestSuite(
        test
        for test in unittest.defaultTestLoader.loadTestsFromTestCase(module.PoolTest)
        if re.sub(r"\d+$", "", test.id().rpartition(".")[2]) not in NOT_APPLICABLE
    )
    ran = unittest.TextTestRunner(verbosity=0).run(suite)
    assert ran.wasSuccessful(), [text for _, text in ran.failures + ran.errors]
    assert ran.testsRun >= 9
    assert not ran.skipped
    assert calls["max_pool"] >= 3
    assert calls["avg_pool"] >= 6
