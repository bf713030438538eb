"""docs/explorer.md: its pictures are there and small, its figures are those of the code, its examples run."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

from cenote.cli import examples
from fresh import python

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "explorer.md").read_text(encoding="utf-8")
MOST_BYTES = 800_000
#: Wherever its lines are broken.
SAID = " ".join(PAGE.split())


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """scripts/explorer_page.py, by its place: a module of the tests has that name too."""
    spec = importlib.util.spec_from_file_location("explorer_document", ROOT / "scripts" / "explorer_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look for their types
    spec.loader.exec_module(module)
    return module


def test_the_figures_are_those_of_the_code(script: ModuleType) -> None:
    assert script.page(PAGE) == PAGE, "run scripts/explorer_page.py --figures"


def test_every_picture_is_there_and_shown(script: ModuleType) -> None:
    named = re.findall(r"images/explorer/(\w+)\.png", PAGE)
    assert sorted(named) == sorted(set(named)) == sorted(script.PICTURES)
    files = sorted((ROOT / "docs" / "images" / "explorer").iterdir())
    assert [path.name for path in files] == sorted(f"{name}.png" for name in named)
    assert all(path.stat().st_size <= script.MOST_BYTES for path in files)
    assert sum(path.stat().st_size for path in files) <= MOST_BYTES
    for path in files:
        with Image.open(path) as image:
            image.load()
            assert (image.format, image.mode) == ("PNG", "P"), path.name
            assert min(image.size) >= 200, path.name


def test_every_picture_says_what_it_shows() -> None:
    texts = [*re.findall(r"!\[(.*?)\]\(images", PAGE), *re.findall(r'<img src="images[^>]* alt="(.*?)">', PAGE)]
    assert len(texts) == len(re.findall(r"images/explorer/", PAGE))
    assert all(len(text.split()) >= 4 for text in texts)


def test_the_examples_run(tmp_path: Path) -> None:
    """In one process, as they stand: those about a model where PyTorch is installed."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    if importlib.util.find_spec("torch") is None:
        blocks = [block for block in blocks if "torch" not in block]
    python(f"""
import doctest, os, sys
os.chdir({str(tmp_path)!r})
space = {{}}
for block in {blocks!r}:
    test = doctest.DocTestParser().get_doctest(block, space, "explorer.md", None, 0)
    report = []
    doctest.DocTestRunner(verbose=False).run(test, out=report.append, clear_globs=False)
    space.update(test.globs)
    if report:
        sys.exit("".join(report))
""")
    assert {path.name for path in tmp_path.iterdir()} == {"page.html", "window.svg", "window.png", "walk.gif"}


def test_the_commands_are_those_of_help() -> None:
    """Which the tests of the command run."""
    lines = re.findall(r"^(cenote explore[^#\n]*)", PAGE, re.MULTILINE)
    assert {shlex.join(shlex.split(line)) for line in lines} == {command for command, _ in examples.EXPLORE}


def test_the_policy_and_the_sandbox_are_as_said() -> None:
    from cenote.explorer import html, notebook

    assert f'sandbox="{notebook.SANDBOX}"' in SAID
    assert html.policy().startswith("default-src 'none'; script-src 'sha256-")
    assert "connect-src" not in html.policy()
    assert html.policy(served=True).endswith("connect-src 'self'")


def test_the_limits_are_those_of_the_code() -> None:
    from cenote.explorer import data, exploration, html, requests

    code = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "src/cenote/explorer/static").rglob("*.js")}

    def number(file: str, name: str) -> int:
        found = re.search(rf"^const {name} = ([\d <*]+);", code[file], re.MULTILINE)
        assert found, (file, name)
        return int(eval(found[1]))  # a number, or one shifted by another

    (narrow,) = re.findall(r"@media \(max-width: (\d+)px\)", html.part("style.css"))
    assert f"Below {narrow} pixels" in SAID
    assert f"more than {data.MOST} cells" in SAID
    assert f"the first {exploration._MAPS} maps" in SAID
    assert f"bodies of {requests.MOST_BYTES >> 20} MB" in SAID
    linked = re.search(r"return state\.values\.length <= (\d+);", code["state.js"])
    assert linked is not None
    side = int(int(linked[1]) ** 0.5)
    assert f"arrays of up to {side}x{side}" in SAID
    assert "more than a million cells, outputs, or taps" in SAID
    assert number("state.js", "CELLS") == number("windows.js", "MOST") == 1 << 20
    assert f"beyond {number('grid.js', 'LARGEST')} cells a side" in SAID
    assert f"{number('export_panel.js', 'FRAMES')} outputs at most" in SAID
    assert f"up to {number('frameworks_panel.js', 'MOST')} outputs" in SAID
    assert f"{number('image_panel.js', 'BYTES') >> 20} MB" in SAID
