"""The README's swaps and the pages about frameworks: what is written there runs, and lists are those of the code."""

from __future__ import annotations

import doctest
import importlib.util
import re
from pathlib import Path

import pytest

from fresh import python

ROOT = Path(__file__).resolve().parent.parent
SECTION = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Inside PyTorch, JAX and Keras")[2]
SWAPS = re.findall(r"^```python\n(.*?)^```", SECTION.partition("\n## ")[0], re.DOTALL | re.MULTILINE)
NEEDS = {"torch": ["torch"], "jax": ["jax", "flax"], "keras": ["keras", "jax"]}


def needs(*names: str) -> None:
    for name in names:
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed: this cannot run")


def test_there_is_a_swap_for_each_framework() -> None:
    assert [swap.split()[1] for swap in SWAPS] == list(NEEDS)
    assert all(len([line for line in swap.splitlines() if line]) == 3 for swap in SWAPS)


@pytest.mark.parametrize("swap", SWAPS, ids=[swap.split()[1] for swap in SWAPS])
def test_swap(swap: str) -> None:
    """In a process of its own: the three lines, and the framework's own in their place, which give the same."""
    framework = swap.split()[1]
    needs(*NEEDS[framework])
    line, theirs = re.search(r"^(.*?)  # was: (.*)$", swap, re.MULTILINE).groups()
    checks = {
        "torch": "a, b = y, before['y']; assert a.shape == b.shape == (8, 64, 28, 28)",
        "jax": "assert (y == before['y']).all()",
        "keras": "assert model.output_shape == before['model'].output_shape == (None, 1352)",
    }
    code = f"""
before = {{}}
exec({swap.replace(line, theirs)!r}, before)
{swap}
{checks[framework]}
"""
    python(f"import os; os.environ.setdefault('KERAS_BACKEND', 'jax')\n{code}")


@pytest.mark.parametrize("framework", ["torch", "jax", "keras"])
def test_page(framework: str) -> None:
    """Every example on the page, in one process; where no output is shown, that it runs."""
    needs(*NEEDS[framework])
    page = ROOT / "docs" / f"{framework}.md"
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert blocks
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    python(f"""
import doctest, os, sys
os.environ.setdefault("KERAS_BACKEND", "jax")
space = {{"__name__": "__main__"}}
for block in {blocks!r}:
    if ">>>" not in block:
        exec(compile(block, {page.name!r}, "exec"), space)
        continue
    test = doctest.DocTestParser().get_doctest(block, space, {page.name!r}, None, 0)
    report = []
    doctest.DocTestRunner(optionflags={flags}, verbose=False).run(test, out=report.append, clear_globs=False)
    space.update(test.globs)
    if report:
        sys.exit("".join(report))
""")


def test_what_install_covers_is_what_the_page_says() -> None:
    needs("torch")
    import cenote.torch

    page = (ROOT / "docs" / "torch.md").read_text(encoding="utf-8")
    covered = page.partition("<!-- covered -->")[2].partition("<!-- /covered -->")[0]
    assert tuple(re.findall(r"`(\w+)`", covered)) == cenote.torch.COVERED
    left = page.partition("<!-- not covered -->")[2].partition("<!-- /not covered -->")[0]
    rows = [tuple(cell.strip().strip("`") for cell in row.split("|")[1:3]) for row in left.strip().splitlines()[2:]]
    assert dict(rows) == cenote.torch.NOT_COVERED
