"""Every example runs: in the docstrings of all modules and public functions, and in the README."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import cenote

ROOT = Path(__file__).resolve().parent.parent
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MODULES = ["cenote", *(m.name for m in pkgutil.walk_packages(cenote.__path__, "cenote."))]
# What only a run as a program may import, and the compiled core (its stub documents it).
MODULES = [name for name in MODULES if name not in ("cenote.__main__", "cenote.native._core")]
# Restore what a document may have changed for whoever runs next.
pytestmark = pytest.mark.usefixtures("threads")


def run(test: doctest.DocTest) -> None:
    report: list[str] = []
    doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(test, out=report.append)
    assert not report, "\n".join(report)


@pytest.mark.parametrize("name", MODULES)
def test_module(name: str) -> None:
    module = importlib.import_module(name)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, name):
        run(test)


def examples(name: str) -> doctest.DocTest:
    item = getattr(cenote, name)
    return doctest.DocTestParser().get_doctest(item.__doc__ or "", {}, f"cenote.{name}", None, 0)


CALLABLES = [name for name in cenote.__all__ if callable(getattr(cenote, name))]


@pytest.mark.parametrize("name", CALLABLES)
def test_public_name(name: str) -> None:
    """The pooling functions are made by a loop, so the finder above does not see them as the module's own."""
    run(examples(name))


@pytest.mark.parametrize("name", [name for name in CALLABLES if not name.endswith("Error")])
def test_public_name_has_an_example(name: str) -> None:
    assert examples(name).examples


def test_the_second_example_is_an_image() -> None:
    for name in ("max_pool", "avg_pool", "min_pool", "sum_pool", "lp_pool"):
        assert "HWC" in (getattr(cenote, name).__doc__ or "")


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"])
def test_page(page: str) -> None:
    path = ROOT / page
    if not path.exists():
        pytest.skip(f"{page} is not there")
    blocks = re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    shown = "\n".join(block for block in blocks if ">>>" in block)
    if page == "README.md":
        assert shown, "the README shows no example"
    run(doctest.DocTestParser().get_doctest(shown, {}, page, str(path), 0))
