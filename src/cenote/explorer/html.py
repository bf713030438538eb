"""The page as one file: its parts put together in one order, its data beside them, and a policy that forbids the rest.

Every module becomes a function of its own that gives what it exports, so that two parts may use the same name. Nothing
is compiled or renamed: what a browser runs is what is written in ``static/``, without comments and idle space.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from .presets import presets

#: The parts in the order in which they run: a part imports only what stands before it.
PARTS: Final = (
    "engine/windows.js",
    "engine/pooling.js",
    "engine/gradient.js",
    "engine/shapes.js",
    "engine/notation.js",
    "engine/arrays.js",
    "engine/formula.js",
    "engine/shift.js",
    "engine/convolution.js",
    "engine/state.js",
    "engine/dialects.js",
    "engine/answers.js",
    "engine/snippets.js",
    "view/dom.js",
    "view/colour.js",
    "view/board.js",
    "view/canvas_grid.js",
    "view/grid.js",
    "view/controls.js",
    "view/editor.js",
    "view/stage.js",
    "access/hands.js",
    "access/player.js",
    "view/shape_panel.js",
    "view/stack_panel.js",
    "view/frameworks_panel.js",
    "view/snippets_panel.js",
    "view/shift_panel.js",
    "view/image_panel.js",
    "view/kernels_panel.js",
    "view/model_panel.js",
    "export/files.js",
    "export/picture.js",
    "export/gif.js",
    "view/export_panel.js",
    "view/app.js",
    "main.js",
)

#: What can be asked of a page from outside, as its tests and the benchmark do.
TOLD: Final = (
    "FILTERS",
    "RuleError",
    "arithmetic",
    "axis",
    "backward",
    "link",
    "page",
    "parseLayers",
    "parseRules",
    "pool",
    "problems",
    "question",
    "restored",
    "walk",
)

_STATIC: Final = files(__package__).joinpath("static")
_IMPORT: Final = re.compile(r'^import \{ (?P<names>[\w, ]+) \} from "(?P<path>[./\w]+)";$', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?=(?:async )?(?:function\*?|class|const) (?P<name>\w+))", re.MULTILINE)

# What may hold spaces and must keep them (texts and patterns; a template is found by its first letter), comments, and
# space around punctuation; between two signs it stays: "a - -b".
_TOKENS: Final = re.compile(
    r"""(?P<kept>"(?:\\.|[^"\\\n])*"|(?<=[(=,:&|?]) ?/(?![/*])(?:\\.|\[(?:\\.|[^\]\n])*\]|[^/\\\n])+/)"""
    r"""|(?P<template>`)|(?<![+-]) (?P<sign>[+/-]) (?![+/-])"""
    r"""|(?P<idle>/\*.*?\*/|//[^\n]*)|\s*(?P<mark>[{(\[\]),;:?=<>&|!*])\s*|\s*(?P<end>\}) *|(?P<space>\s+)""",
    re.DOTALL,
)


def _squeezed(text: str) -> str:
    """The same program without comments and idle space."""
    for _ in range(2):  # a comment may leave spaces side by side
        pieces, at = [], 0
        while match := _TOKENS.search(text, at):
            pieces.append(text[at : match.start()])
            at = match.end()
            if match["template"]:
                at = _template_end(text, at)
                pieces.append(text[match.start() : at])
            elif match["space"]:
                pieces.append("\n" if "\n" in match["space"] else " ")
            elif (match["mark"] or " ") + text[at : at + 1] in (";}", ",}", ",)", ",]"):
                pass  # the last of a block, or of a list that goes over several lines
            elif not match["idle"]:
                pieces.append(match["kept"] or match["sign"] or match["mark"] or match["end"])
        text = "".join([*pieces, text[at:]])
    return text


def _template_end(text: str, at: int) -> int:
    """Behind the template whose inside begins at ``at``; what is within ``${}`` may hold templates of its own."""
    depth = 0
    while depth or text[at] != "`":
        if text[at] == "\\":
            at += 1
        elif text.startswith("${", at):
            depth += 1
            at += 1
        elif depth and text[at] == "{":
            depth += 1
        elif depth and text[at] == "}":
            depth -= 1
        elif depth and text[at] in "`":
            at = _template_end(text, at + 1) - 1
        elif depth and text[at] == '"':
            at = text.index('"', at + 1)
        at += 1
    return at + 1


def part(path: str) -> str:
    """The text of one file of ``static/``."""
    return _STATIC.joinpath(*path.split("/")).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def script() -> str:
    """All parts as one script; ``cenote`` holds what the page tells of itself."""
    known: dict[str, tuple[str, ...]] = {}
    pieces = []
    for path in PARTS:
        body = _body(path, known)
        names = ",".join(known[path])
        pieces.append(f"const{{{names}}}=(()=>{{{body}\nreturn{{{names}}}}})();")
    exported = [name for names in known.values() for name in names]
    if len(exported) > len(set(exported)):
        raise ValueError(f"exported twice: {sorted(name for name in exported if exported.count(name) > 1)}")
    pieces.append(f"globalThis.cenote={{{','.join(TOLD)}}};")
    # Within a function, so that no part meets a name that browsers have given something else.
    return "\n".join(['"use strict";(()=>{', *pieces, "})();\n"])


@lru_cache(maxsize=1)
def style() -> str:
    """The stylesheet without comments and indentation."""
    text = re.sub(r"/\*.*?\*/", "", part("style.css"), flags=re.DOTALL)
    return re.sub(r"\s*([{};,])\s*", r"\1", text).strip().replace(": ", ":") + "\n"


def _body(path: str, known: dict[str, tuple[str, ...]]) -> str:
    """A part without its imports, whose names are there already, and with its exports noted."""
    text = part(path)
    for match in _IMPORT.finditer(text):
        found = _beside(path, match["path"])
        missing = set(match["names"].split(", ")).difference(known.get(found, ()))
        if missing:
            raise ValueError(f"{path} imports {', '.join(missing)}, which {found} does not give before it in PARTS")
    known[path] = tuple(match["name"] for match in _EXPORT.finditer(text))
    body = _EXPORT.sub("", _IMPORT.sub("", text))
    if re.search(r"^(import|export)\b", body, re.MULTILINE):
        raise ValueError(f"{path} has an import or export of a form that html.py does not know")
    return _squeezed(body)


def _beside(path: str, relative: str) -> str:
    """The path of an import, as seen from the part that has it."""
    place = path.split("/")[:-1]
    for step in relative.split("/"):
        if step == "..":
            place.pop()
        elif step != ".":
            place.append(step)
    return "/".join(place)


def policy(*, served: bool = False) -> str:
    """The Content-Security-Policy: this script and this style, pictures that the page makes, and no network.

    ``served`` opens the way to the server that the page came from, and to nobody else.
    """
    rules = [
        "default-src 'none'",
        f"script-src {_hash(script())}",
        f"style-src {_hash(style())}",
        "img-src data: blob:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    if served:
        rules.append("connect-src 'self'")
    return "; ".join(rules)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def page(data: Mapping[str, Any], *, title: str = "cenote explorer") -> str:
    """The self-contained page for ``data`` (see ``data.py``); a token in it says that it is served."""
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{policy(served=data.get("token") is not None)}">\n'
        f"<style>{style()}</style>"
    )
    return _filled(data, title, head, f"<script>{script()}</script>")


def parts_page(data: Mapping[str, Any], *, title: str = "cenote explorer") -> str:
    """The same page over the parts themselves, for whoever works on them: a server has to give ``static/``."""
    head = '<link rel="stylesheet" href="style.css">'
    return _filled(data, title, head, '<script type="module" src="main.js"></script>')


def _filled(data: Mapping[str, Any], title: str, head: str, code: str) -> str:
    slots = {
        "<!-- title -->": html.escape(title),
        "<!-- head -->": head,
        "<!-- dialects -->": _inside(part("dialects.json")),
        "<!-- examples -->": _inside(_json(presets())),
        "<!-- data -->": _inside(_json(data)),
        "<!-- code -->": code,
    }
    # One pass, so that nothing of a user's text can be taken for a slot.
    return re.sub("|".join(map(re.escape, slots)), lambda match: slots[match[0]], part("page.html"))


def _json(data: Any) -> str:
    return json.dumps(data, allow_nan=False, separators=(",", ":"))


def _inside(text: str) -> str:
    """JSON that no parser of HTML takes for the end of its element."""
    return text.replace("<", "\\u003c")
