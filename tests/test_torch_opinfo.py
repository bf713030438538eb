"""PyTorch's own published tests of pooling, from inside its package, with cenote.torch as the implementation.

Each test is a line of a table, which is printed at the end: how many cases passed, how many differ for a reason of the
contract, and what is not applicable. Nothing may fail.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed: no comparison"),
    pytest.mark.skipif(importlib.util.find_spec("expecttest") is None, reason="expecttest is not installed"),
]

Judge = Callable[[Any], None]
OPERATORS = [
    *(f"{kind}_pool{rank}d" for kind in ("max", "avg", "adaptive_max", "adaptive_avg") for rank in (1, 2, 3)),
    *(f"max_unpool{rank}d{variant}" for rank in (1, 2, 3) for variant in ("", "/grad")),
]
NOT_APPLICABLE = {
    "nn.functional.fractional_max_pool2d": "not in the catalogue",
    "nn.functional.fractional_max_pool3d": "not in the catalogue",
    "max_pool2d_with_indices_backward": "PyTorch's inner function, called by hand with its int64 indices",
}
MODULES = [
    f"{kind}{rank}d"
    for kind in ("MaxPool", "AvgPool", "LPPool", "AdaptiveMaxPool", "AdaptiveAvgPool")
    for rank in (1, 2, 3)
]
MODULE_CHECKS = (
    *("forward, backward", "state and repr", "derivatives"),
    *("views and formats", "error inputs", "convert, install"),
)
MODULES_NOT_APPLICABLE = {"FractionalMaxPool2d", "FractionalMaxPool3d"}  # not in the catalogue

# Of hundreds of samples (some operators have fewer): every how manieth, and besides float32 and float64 of those again
# every how manieth. The slow tests take all.
STEPS = {
    "values": (1, 23),
    "gradients": (1, 23),
    "ties, NaN, infinities": (11, 5),
    "error inputs": (1, 1),
    "noncontiguous": (29, 1),
    "negative views": (29, 1),
    "fake tensors": (97, 5),
    "composite compliance": (29, 1),
    "make_fx": (193, 1),
    "AOTAutograd": (193, 1),
    "gradcheck": (41, 1),
    "gradcheck, forward": (41, 1),
    "gradgradcheck": (97, 1),
    "forward over reverse": (97, 1),
}


@pytest.fixture(scope="module")
def published() -> ModuleType:
    with warnings.catch_warnings():  # of PyTorch's, while it describes its operators
        warnings.simplefilter("ignore")
        import torch_published

    torch_published.torch.set_num_threads(1)
    return torch_published


@pytest.fixture(scope="module")
def published_modules(published: ModuleType) -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch_published_modules

    return torch_published_modules


@pytest.fixture(scope="module")
def judge(request: pytest.FixtureRequest) -> Iterator[Callable[[Any], None]]:
    """Nothing failed, and something was asked; the line goes into the table."""
    lines: list[str] = []

    def one(tally: Any) -> None:
        lines.append(tally.row())
        assert not tally.failed, "\n".join(tally.failed[:20])
        assert tally.passed + tally.by_contract.total() + tally.not_applicable.total() > 0

    yield one
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\n" + "\n".join(lines))


def test_every_description_is_run_or_has_a_reason(published: ModuleType, published_modules: ModuleType) -> None:
    assert {f"nn.functional.{name}" for name in OPERATORS} | set(NOT_APPLICABLE) == set(published.INFOS)
    assert set(MODULES) | MODULES_NOT_APPLICABLE == set(published_modules.MODULES)
    assert set(STEPS) == set(published.CHECKS)
    assert set(MODULE_CHECKS) == set(published_modules.CHECKS)


@pytest.mark.parametrize("check", STEPS)
@pytest.mark.parametrize("name", OPERATORS)
def test_operator(published: ModuleType, judge: Judge, name: str, check: str) -> None:
    _run(published, judge, name, check, *STEPS[check])


# Of a second each, every how manieth.
SLOWEST = {"AOTAutograd": 29, "make_fx": 13, "gradgradcheck": 5, "forward over reverse": 5, "fake tensors": 5}


@pytest.mark.slow
@pytest.mark.sweep
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("check", [check for check, steps in STEPS.items() if steps != (1, 1)])
@pytest.mark.parametrize("name", [name for name in OPERATORS if name.startswith("max")])
def test_operator_on_all_samples(published: ModuleType, judge: Judge, name: str, check: str) -> None:
    _run(published, judge, name, check, SLOWEST.get(check, 1), 1)


def _run(published: ModuleType, judge: Judge, name: str, check: str, *steps: int) -> None:
    tally = published.Tally(name, check)
    published.CHECKS[check](name, tally, published.Draw(name, *steps))
    judge(tally)


@pytest.mark.parametrize("name", OPERATORS)
def test_operator_rerouted(published: ModuleType, judge: Judge, name: str) -> None:
    """PyTorch's own function within ``installed()``, on its own samples."""
    tally = published.Tally(name, "installed")
    published.rerouted(name, tally, published.Draw(name, 11, 7))
    judge(tally)


@pytest.mark.parametrize("check", MODULE_CHECKS)
@pytest.mark.parametrize("name", MODULES)
def test_module(published_modules: ModuleType, judge: Judge, name: str, check: str) -> None:
    tally = published_modules.Tally(name, check)
    published_modules.CHECKS[check](name, tally)
    judge(tally)


def test_functional_rows(published_modules: ModuleType, judge: Judge) -> None:
    """Those of a list by which PyTorch tests its compiler: the only published rows of lp_pool."""
    assert {f"lp_pool{rank}d" for rank in (1, 2, 3)} <= {row[0] for row in published_modules.FUNCTIONAL}
    for row in published_modules.FUNCTIONAL:
        tally = published_modules.Tally(row[0], "functional")
        published_modules.functional(row, tally)
        judge(tally)
