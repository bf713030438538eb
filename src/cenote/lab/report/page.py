"""The whole page: one file without scripts, without requests, light or dark as the reader's system is."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from . import intro, sections
from .charts import Chart
from .maps import Seen
from .markup import Html, h
from .palette import variables
from .view import ResultsView

#: Nothing is loaded from anywhere, and nothing runs: styles stand in the page, maps in data URLs.
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def page(view: ResultsView, charts: Sequence[Chart], seen: Seen | None, maps: str = "") -> str:
    """The HTML; ``maps`` is the file of the explorer's page beside it, if there is one."""
    verdicts = view.verdicts()
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("meta", http_equiv="Content-Security-Policy", content=POLICY),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", name="color-scheme", content="light dark"),
        h("title", intro.title(view.results)),
        h("style", Html(_style())),
    )
    main = h(
        "main",
        intro.head(view, verdicts),
        sections.contents(),
        sections.arms(view),
        sections.learning(view, charts),
        sections.cost(view, charts),
        sections.time(view, charts),
        sections.shift(view, charts),
        sections.maps(view, seen, maps),
        sections.claims(verdicts, view.unspoken()),
        sections.layers(view),
        sections.conventions(view),
    )
    foot = h("footer", "All numbers are in results.json, all charts in figures/ as PNG and SVG.")
    return "<!doctype html>\n" + h("html", head, h("body", main, foot), lang="en") + "\n"


def _style() -> str:
    return variables() + (files(__package__) / "page.css").read_text(encoding="utf-8")
