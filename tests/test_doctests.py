"""Every example runs: in the docstrings of all modules and public functions, and in the README."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import inspect
import pkgutil
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cenote
from cenote.catalogue import OPS
from fresh import python

ROOT = Path(__file__).resolve().parent.parent
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# Rooms that a process of their own runs, and what they need.
FRAMEWORKS = {
    "torch": ["torch"],
    "jax": ["jax"],
    "keras": ["keras"],
    "lab": ["keras", "jax", "matplotlib", "sklearn", "scipy"],
}


def modules(package: str) -> list[str]:
    """All modules of a package by name: not those that have a framework at their top, and none that is not to be
    imported by hand, as are __main__ and what is compiled (its stub documents it)."""
    folder = Path(cenote.__file__).parent.joinpath(*package.split(".")[1:])
    found = [package]
    for module in pkgutil.iter_modules([str(folder)], f"{package}."):
        name = module.name.rpartition(".")[2]
        if not name.startswith("_") and module.name.removeprefix("cenote.") not in FRAMEWORKS:
            found += modules(module.name) if module.ispkg else [module.name]
    return found


MODULES = modules("cenote")
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


@pytest.mark.parametrize("room", FRAMEWORKS)
def test_modules_of_a_framework(room: str) -> None:
    """In a process of its own, where the framework may have what backend it likes."""
    for needed in FRAMEWORKS[room]:  # looked for, not imported: Keras must not choose its backend in this process
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed: the examples of cenote.{room} cannot run")
    code = f"""
import doctest, importlib, sys
for name in {modules(f"cenote.{room}")!r}:
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(sys.modules[name], optionflags={FLAGS})
    assert not failed, name
"""
    python(code)


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


POOLING = [name for name in CALLABLES if name.endswith("_pool")]


@pytest.mark.parametrize("name", POOLING)
def test_the_second_example_is_an_image(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples run with the function watched: its second call pools an array of the shape of an RGB image."""
    genuine, shown, calls = getattr(cenote, name), examples(name).examples, []

    def watched(*args: Any, **keywords: Any) -> Any:
        calls.append(inspect.signature(genuine).bind(*args, **keywords).arguments)
        return genuine(*args, **keywords)

    monkeypatch.setattr(cenote, name, watched)
    space: dict[str, Any] = {}
    for example in shown:
        exec(compile(example.source, name, "single"), space)
    assert len(calls) >= 2
    first, second = (np.asarray(arguments["x"]) for arguments in calls[:2])
    assert first.size < 100, "the first example fits the eye"
    assert second.ndim == 3
    assert second.shape[2] == 3
    assert min(second.shape[:2]) > 100
    assert calls[1]["axes"] == "HWC"


def test_the_pooling_functions_are_all_there() -> None:
    assert len(POOLING) == 3 * len(OPS)


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
