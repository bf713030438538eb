"""docs/lab.md: its tables are those of the results that are kept beside it, and its example runs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import lab_small
from cenote.cli import main
from fresh import python
from lab_here import lab

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "lab.md").read_text(encoding="utf-8")
pytestmark = [pytest.mark.keras, pytest.mark.slow]


def test_the_tables_are_those_of_the_results() -> None:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import lab_page
    finally:
        sys.path.pop(0)
    folders = sorted(path.parent for path in lab_page.KEPT.glob("*/results.json"))
    assert len(folders) == 2, "digits and MNIST"
    assert lab_page.page(PAGE, folders) == PAGE, "run scripts/lab_page.py"


def test_the_example_runs(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    python(
        f"import sys, os; sys.path.insert(0, {lab_small.WITHOUT_TENSORFLOW!r}); os.chdir({str(tmp_path)!r})\n{block}"
    )


def test_summaries_are_as_the_page_says(capsys) -> None:
    lines = re.findall(r"^cenote (lab summary [^#\n]*)(?:#(.*))?$", PAGE, re.MULTILINE)
    assert len(lines) == 9
    for words, remark in lines:
        assert main(words.split()) == 0
        text, at = capsys.readouterr().out, 0
        for size in re.findall(r"\d+x\d+", remark):
            at = text.index(size, at)


def test_every_arm_of_the_full_set_is_on_the_page() -> None:
    table = PAGE.partition("| arm |")[2].partition("\n\n")[0]
    for name in (*lab.ARMS, "own"):
        assert f"`{name}`" in table, name
