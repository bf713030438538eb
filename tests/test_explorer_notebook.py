"""The explorer in a notebook: what a cell gives, run by a kernel, and how it behaves in a browser's frame."""

from __future__ import annotations

import base64
import importlib.util
import json
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import explorer_browser
from cenote.explorer import explore
from cenote.explorer.notebook import text
from fresh import python

X = np.array([[1, 9, 2, 8], [3, 4, 5, 7], [6, 0, 1, 2], [3, 5, 5, 4]])
UGLY = "</script></iframe>\"'><img src=x onerror=alert(1)>&quot;&amp;"


class Elements(HTMLParser):
    """The elements of an output as a browser sees them, from the outside."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(title: str | None = None, **words: Any) -> dict[str, str]:
    return explore(X, 3, stride=2, padding="same", title=title, **words)._repr_mimebundle_()


def test_every_form_that_a_notebook_may_choose() -> None:
    page = explore(X, 2)
    found = page._repr_mimebundle_(include=None, exclude=None)
    assert set(found) == {"text/html", "text/plain", "image/svg+xml", "image/png"}
    assert base64.b64decode(found["image/png"], validate=True) == page.png()
    assert found["image/png"].isascii()
    assert ET.fromstring(found["image/svg+xml"]).tag == "{http://www.w3.org/2000/svg}svg"
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("title", [None, UGLY])
def test_the_frame_holds_the_whole_page_and_may_run_scripts_and_nothing_else(title: str | None) -> None:
    page = explore(X, 2, title=title)
    elements = Elements(page._repr_mimebundle_()["text/html"])
    assert [tag for tag, _ in elements.found] == ["iframe", "noscript", "img"]
    assert elements.text == ""
    frame, picture = elements.found[0][1], elements.found[2][1]
    assert frame["srcdoc"] == page.html()
    assert set((frame["sandbox"] or "").split()) == {"allow-scripts", "allow-downloads"}
    assert frame["title"] == page.title
    assert (frame["width"], frame["loading"]) == ("100%", "lazy")
    assert 400 <= int(frame["height"] or 0) <= 1000
    assert "style" not in frame
    kind, _, data = (picture["src"] or "").partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(data).decode() == page.svg()


def test_a_page_for_a_notebook_may_reach_no_server() -> None:
    document = Elements(shown()["text/html"]).found[0][1]["srcdoc"] or ""
    policy = next(
        words["content"] or ""
        for tag, words in Elements(document).found
        if tag == "meta" and words.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy


def test_text_has_the_numbers_of_small_arrays() -> None:
    page = explore(X, 2)
    lines = page._repr_mimebundle_()["text/plain"].splitlines()
    assert lines[0] == repr(page)
    assert "4 x 4 -> 2 x 2" in lines[0]
    assert lines[-2:] == ["[[9 8]", " [6 5]]"]
    assert "[1. 9. 2. 8.]" in lines[2]
    assert text(explore(np.array([[1.0, 0, 0]]), (1, 3), op="avg")).endswith("[[0.3333]]")
    large = explore(np.zeros((9, 8)), 2)
    assert text(large) == repr(large)
    wide = explore(np.zeros((2, 2)), 1, padding=9)  # few cells, and many results
    assert text(wide) == repr(wide)
    nasty = explore(np.array([[np.nan, -np.inf], [-0.0, 1e-300]]), 1)
    assert text(nasty).count("nan") == text(nasty).count("-inf") == 2


def test_without_pillow_there_is_the_drawn_picture() -> None:

    code = (
        "import sys, importlib.abc\n"
        "class Gone(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'PIL': raise ModuleNotFoundError(name)\n"
        "import importlib.util; real = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, package=None: None if name == 'PIL' else real(name, package)\n"
        "sys.meta_path.insert(0, Gone())\n"
        "import numpy, cenote.explorer\n"
        "print(sorted(cenote.explorer.explore(numpy.eye(4), 2)._repr_mimebundle_()))"
    )
    assert python(code).strip() == "['image/svg+xml', 'text/html', 'text/plain']"


# --- by a kernel ---------------------------------------------------------------------------------------------------

RUN = """
import json, sys, nbformat
from nbclient import NotebookClient
cells = ["import cenote, numpy", {cell!r}]
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
NotebookClient(notebook, kernel_name="python3", timeout=100).execute()
nbformat.validate(notebook)
outputs = notebook.cells[-1].outputs
print(json.dumps([(output.output_type, output.get("data"), output.get("execution_count")) for output in outputs]))
"""


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a kernel makes of a cell that ends in a page."""
    for name in ("nbclient", "nbformat", "ipykernel"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed: no notebook is run")
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("jupyter")
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
            patch.setenv(name, str(folder / name))
        text = python(RUN.format(cell=f"cenote.explore(numpy.array({X.tolist()}), 2)"))
    ((kind, data, _),) = json.loads(text.splitlines()[-1])
    assert kind == "execute_result"
    return data


@pytest.mark.slow
def test_a_kernel_gives_what_the_page_is(cell: dict[str, Any]) -> None:
    wanted = explore(X, 2)._repr_mimebundle_()
    assert set(cell) == set(wanted)
    for kind, content in wanted.items():
        assert "".join(cell[kind]).strip() == content.strip(), kind


@pytest.mark.slow
@pytest.mark.browser
def test_the_cells_output_works_in_a_browser(cell: dict[str, Any], tmp_path: Path) -> None:
    works("".join(cell["text/html"]), tmp_path)


# --- in a browser --------------------------------------------------------------------------------------------------


def works(output: str, folder: Path) -> None:
    """The inner page runs, a click moves its window, and it reaches nothing outside."""
    notebook = f"<!doctype html><meta charset=utf-8><title>secret</title><body><p>above</p>{output}"
    with explorer_browser.shown(notebook, folder) as watched:
        inner = watched.page.frames[1]
        cell = inner.locator("#output [role=gridcell]").nth(3)
        cell.wait_for(timeout=10_000)
        assert "= 9" in inner.inner_text("#formula")
        cell.click()
        inner.locator("#formula").filter(has_text="max(1, 2, 5, 4)").wait_for(timeout=5000)
        assert "= 5" in inner.inner_text("#formula")
        for reach in ("parent.document.title", "top.location.href", "localStorage.length", "document.cookie"):
            told = inner.evaluate(f"() => {{ try {{ return String({reach}) }} catch (error) {{ return error.name }} }}")
            assert told == "SecurityError", reach
        assert inner.evaluate("() => origin") == "null"
        assert watched.page.title() == "secret"
        assert not watched.page.is_visible("img"), "the picture is for those who see no frame"


@pytest.mark.browser
def test_the_frame_works_and_is_shut_in(tmp_path: Path) -> None:
    works(explore(X, 2)._repr_mimebundle_()["text/html"], tmp_path)


@pytest.mark.browser
def test_text_of_the_user_stays_text(tmp_path: Path) -> None:
    output = explore(X, 2, title=UGLY)._repr_mimebundle_()["text/html"]
    with explorer_browser.shown(f"<!doctype html><meta charset=utf-8><body>{output}", tmp_path) as watched:
        inner = watched.page.frames[1]
        inner.locator("#output [role=gridcell]").first.wait_for(timeout=10_000)
        assert len(watched.page.frames) == 2
        assert inner.evaluate("() => [...document.images].filter((image) => image.src.endsWith('x')).length") == 0


@pytest.mark.browser
def test_without_scripts_there_is_the_picture(tmp_path: Path) -> None:
    output = explore(X, 2)._repr_mimebundle_()["text/html"]
    text = f"<!doctype html><meta charset=utf-8><body>{output}"
    with explorer_browser.shown(text, tmp_path, java_script_enabled=False) as watched:
        assert watched.page.is_visible("img")


@pytest.mark.browser
def test_where_frames_are_taken_away_there_is_the_picture(tmp_path: Path) -> None:
    # What notebooks that are not trusted do to HTML: elements off their list lose their tags and keep what they hold,
    # frames and scripts go as a whole.
    elements = Elements(explore(X, 2)._repr_mimebundle_()["text/html"])
    ((_, picture),) = [element for element in elements.found if element[0] == "img"]
    text = f"<!doctype html><meta charset=utf-8><body><img src='{picture['src']}' alt='{picture['alt']}'>"
    with explorer_browser.shown(text, tmp_path) as watched:
        assert (
            watched.page.evaluate("() => document.images[0].decode().then(() => document.images[0].naturalWidth)") > 99
        )
