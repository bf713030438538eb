"""Shared fixtures and the two sizes in which drawn tests run."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, Phase, settings

from cli_process import Here, noise

# The oracle works in Fractions and is slow on purpose, so time per example says nothing about the library.
_patient = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("default", max_examples=130, **_patient)
settings.register_profile("thorough", max_examples=3000, **_patient)
# The same examples in every run, so that an unrelated change never turns red; `default` explores at home.
settings.register_profile(
    "ci", max_examples=130, derandomize=True, phases=[Phase.explicit, Phase.generate, Phase.shrink], **_patient
)
if os.environ.get("CENOTE_THOROUGH") == "1":
    settings.load_profile("thorough")
else:
    settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_configure() -> None:
    """Ctrl-C is tested in processes of our own, which would inherit that a job in the background ignores it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is given most time comes first, so that at the end no worker waits for another one's long test."""

    def patience(item: pytest.Item) -> float:
        mark = item.get_closest_marker("timeout")
        return mark.args[0] if mark is not None else 0

    items.sort(key=patience, reverse=True)


@pytest.fixture(scope="session")
def torch() -> ModuleType:
    """PyTorch, for tests that are skipped where it is not installed."""
    return pytest.importorskip("torch", reason="PyTorch is not installed: no comparison")


@pytest.fixture(scope="session")
def ours(torch: ModuleType) -> ModuleType:
    """cenote.torch, imported by the first test that asks."""
    import cenote.torch

    return cenote.torch


@pytest.fixture
def threads() -> Iterator[None]:
    """Give the number of threads back as it was, whatever the test sets."""
    import cenote

    before = cenote.get_num_threads()
    yield
    cenote.set_num_threads(before)


@pytest.fixture
def eager(threads: None) -> Iterator[Callable[[], int]]:
    """Small calls use all threads that were set, and the function given says how often one besides the caller's began.

    Otherwise a thread is asked for every 30 microseconds of work, and may come when the work is done.
    """
    from cenote.native import _core

    before = _core.threads_started()
    usual = _core.set_work_per_thread(1)
    yield lambda: _core.threads_started() - before
    _core.set_work_per_thread(usual)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """The command line, called in a fresh folder."""
    monkeypatch.chdir(tmp_path)
    return Here(tmp_path, capsys)


@pytest.fixture
def image(here: Here) -> Path:
    """A small colour image in that folder."""
    from PIL import Image

    Image.fromarray(noise(12, 16, 3)).save("in.png")
    return Path("in.png")
