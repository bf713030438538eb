"""What every file of the explorer keeps: its size, the forms of import and export that a page can put together, and
nothing that would turn text into markup or code, or reach for the network.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cenote.explorer import html
from explorer_node import STATIC

MOST_LINES = 400
MOST_BYTES = 100_000

PACKAGE = STATIC.parent
HERE = Path(__file__).parent
MODULES = sorted(STATIC.rglob("*.js"))
#: What a page is made of beside the modules.
OTHERS = ("page.html", "style.css", "dialects.json")
SHIPPED = [*MODULES, *sorted(STATIC.rglob("*.css")), *sorted(STATIC.rglob("*.html"))]


def _name(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent if path.is_relative_to(PACKAGE) else HERE))


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_there_are_parts_of_every_kind() -> None:
    folders = {path.parent.name for path in MODULES}
    assert {"engine", "view", "access", "export"} <= folders


@pytest.mark.parametrize("path", [*SHIPPED, *PACKAGE.rglob("*.py"), *HERE.glob("*explorer*.*")], ids=_name)
def test_no_file_is_longer_than_a_sitting(path: Path) -> None:
    assert len(_lines(path)) <= MOST_LINES


def test_the_page_stays_small() -> None:
    """Of what a page ships: comments and indentation are not in it. (Names that two parts export raise here too.)"""
    script, style = html.script().encode(), html.style().encode()
    assert len(script) + len(style) < MOST_BYTES, f"{len(script)} bytes of JavaScript, {len(style)} of CSS"


def test_every_part_is_in_the_page() -> None:
    """A file that nobody asks for would be tested and not shipped."""
    files = [str(path.relative_to(STATIC)) for path in STATIC.rglob("*") if path.is_file()]
    assert sorted(files) == sorted([*html.PARTS, *OTHERS])
    assert len(set(html.PARTS)) == len(html.PARTS)


def test_a_name_that_is_exported_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    part = html.part
    monkeypatch.setattr(html, "part", lambda path: part(path) + "\nexport const axis = 1;\n" * (path == "main.js"))
    with pytest.raises(ValueError, match=r"exported twice: \['axis', 'axis'\]"):
        html.script.__wrapped__()


IMPORT = re.compile(r'import \{ \w+(, \w+)* \} from "\.{1,2}/[\w./]+\.js";')
EXPORT = re.compile(r"export ((async )?function\*? \w+\(|class \w+ |const \w+ = )")


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_imports_and_exports_have_the_forms_that_can_be_put_together(path: Path) -> None:
    for number, line in enumerate(_lines(path), 1):
        code = re.sub(r"//.*|/\*.*?\*/", "", line) if not line.lstrip().startswith("*") else ""
        where = f"{_name(path)}:{number}: {line}"
        if re.match(r"\s*import\b", code):
            assert IMPORT.fullmatch(line), f'{where}\nwrite import {{ a, b }} from "./x.js"; on one line'
            names = re.findall(r"\w+", line.split("}")[0])[1:]
            assert names == list(dict.fromkeys(names)), where
            assert (path.parent / line.split('"')[1]).is_file(), f"{where}\nthere is no such file"
        if re.match(r"\s*export\b", code):
            assert EXPORT.match(line), f"{where}\nwrite export function, class or const at the beginning of a line"
        assert not re.search(r"\bimport\s*\(|\bimport\.meta\b|\brequire\s*\(|\bimportScripts\b", code), where


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    imports = {
        path.resolve(): [
            (path.parent / found).resolve()
            for found in re.findall(r'^import .* from "(.*)";', path.read_text("utf-8"), re.M)
        ]
        for path in MODULES
    }
    done: set[Path] = set()

    def visit(path: Path, above: tuple[Path, ...]) -> None:
        assert path not in above, f"a circle: {' > '.join(p.name for p in (*above, path))}"
        if path not in done:
            for other in imports.get(path, []):
                visit(other, (*above, path))
            done.add(path)

    for path in imports:
        visit(path, ())


def test_the_engine_knows_no_page() -> None:
    for path in MODULES:
        if path.parent.name == "engine":
            text = path.read_text(encoding="utf-8")
            found = re.findall(r"\b(?:document|window|navigator)\.\w+|\bfetch\(", text)
            assert not found, f"{_name(path)} uses {found}"
            assert '"../' not in re.sub(r'import\("[^"]*"\)', "", text), f"{_name(path)} imports what is not the engine"


#: What must not stand anywhere in the page, and what it would do.
FORBIDDEN = {
    r"innerHTML|insertAdjacentHTML|setHTMLUnsafe|createContextualFragment|DOMParser": "text becomes markup",
    r"outerHTML(?! *\}| *;)|outerHTML *=[^=]": "text becomes markup",
    r"document\.write": "text becomes markup",
    r"\beval\s*\(|\bFunction\s*\(|setTimeout\(\s*[\"'`]|setInterval\(\s*[\"'`]": "text becomes code",
    r"javascript:": "text becomes code",
    r"[\"'`\s]on\w+\s*=\s*[\"']": "a handler in markup, which the policy forbids",
    r"\bstyle\s*=\s*[\"'{]|setAttribute\(\s*[\"'`]style|[{,]\s*style\s*:": "a style attribute, forbidden too",
    r"cssText\s*\+?=(?!=)": "a style attribute, forbidden too",
    r"\b(?:localStorage|sessionStorage|indexedDB)\b|document\.cookie": "storage, which a notebook's frame has not",
    r"XMLHttpRequest|WebSocket|EventSource|sendBeacon|RTCPeer|new (?:Shared)?Worker": "reaches for the network",
    r"@import|url\(\s*[\"']?(?!#)": "a style sheet that loads something",
}
SVG = "http://www.w3.org/2000/svg"


@pytest.mark.parametrize("path", SHIPPED, ids=_name)
def test_nothing_becomes_markup_or_code_or_leaves(path: Path) -> None:
    for number, line in enumerate(_lines(path), 1):
        where = f"{_name(path)}:{number}: {line.strip()[:160]}"
        for pattern, harm in FORBIDDEN.items():
            found = re.search(pattern, line)
            assert not found, f"{where}\n{found and found[0]!r}: {harm}"
        for address in re.findall(r"(?:https?:)?//[\w-]+\.[\w./-]+", line.replace(SVG, "")):
            raise AssertionError(f"{where}\n{address}: the page knows no address but the name of SVG")


@pytest.mark.parametrize(
    "line",
    [
        'element.innerHTML = "<b>";',
        "element.outerHTML = text;",
        'node.insertAdjacentHTML("beforeend", text);',
        'h("p", { style: "color: red" });',
        'element.setAttribute("style", "color: red");',
        'element.style.cssText = "color: red";',
        'element.style.cssText += "color: red";',
        '<p style="color: red">',
        '<button onclick="go()">',
        "new Function(text)();",
        "eval(text);",
        'setTimeout("go()", 1);',
        "localStorage.seen = 1;",
        "background: url(https://example.org/x.png);",
    ],
)
def test_what_is_forbidden_is_found(line: str) -> None:
    assert any(re.search(pattern, line) for pattern in FORBIDDEN)


@pytest.mark.parametrize(
    "line",
    [
        'cell.style.setProperty("--at", x);',
        "fill: url(#hatch);",
        'rules.map((rule) => rule.cssText).join("")',
        "if (rule.cssText === known) return;",
        "const page = `<!doctype html>${document.documentElement.outerHTML}`;",
        's("rect", { class: "style", fill: "url(#hatch)" });',
    ],
)
def test_what_is_allowed_is_not(line: str) -> None:
    assert not any(re.search(pattern, line) for pattern in FORBIDDEN)
