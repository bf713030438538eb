"""A matplotlib figure as PNG, as an SVG file, and as SVG in the page, where it takes the page's colours and type."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any, Final

import matplotlib
from matplotlib.figure import Figure

from .markup import Html, h
from .palette import HUES, LIGHT

#: Points are pixels, so that sizes in charts are those of the page.
DPI: Final = 72
#: Around a chart that stands alone; the page has its own.
BORDER: Final = 18
#: Text stays text; no date and no random ids, so that the same results give the same bytes.
SETTINGS: Final[dict[str, Any]] = {
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 12,
    "text.parse_math": False,
    "path.simplify": True,
}
_NO_METADATA: Final = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_VARIABLES: Final = {colour: f"var(--{name})" for name, colour in (LIGHT | HUES).items()}


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure in its three forms."""

    inline: Html
    svg: bytes
    png: bytes


def settings(name: str) -> Any:
    """The context in which figures are made and written."""
    values: Any = {**SETTINGS, "svg.hashsalt": name}
    return matplotlib.rc_context(values)


def picture(name: str, label: str, figure: Figure) -> Picture:
    """``name`` sets its ids apart from those of other figures; ``label`` is what is said to who cannot see it."""
    svg, png = io.StringIO(), io.BytesIO()
    with settings(name):
        # pyplot, which would keep every figure, has no part in this.
        figure.savefig(svg, format="svg", metadata=_NO_METADATA)
        figure.savefig(png, format="png", dpi=2 * DPI, metadata={"Software": None})
    text = svg.getvalue()
    return Picture(_inline(name, label, text), text.encode(), png.getvalue())


def _inline(name: str, label: str, text: str) -> Html:
    body = text[text.index("<svg") :]
    head, body = body[: body.index(">") + 1], body[body.index(">") + 1 : body.rindex("</svg>")]
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', head)
    assert found is not None
    width, height = (round(float(length) - 2 * BORDER, 2) for length in found.groups())
    box = f"{BORDER} {BORDER} {width:g} {height:g}"
    body = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="patch_1">.*?</g>', "", body, count=1, flags=re.DOTALL)  # the paper: the page has its own
    body = body.replace("xlink:href=", "href=")
    body = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", body)
    # The page's own type; the shorthand is what older releases write.
    body = re.sub(r"font: (?:(\d+|bold) )?([\d.]+px)[^;\"]*", r"font-weight: \1; font-size: \2", body)
    body = re.sub(r"font-family: [^;\"]*;? ?|font-weight: ; ?", "", body)
    body = re.sub(r"#[0-9a-f]{6}\b", lambda found: _VARIABLES.get(found[0], found[0]), body)
    body = re.sub(r"\s*\n\s*", "\n", body)
    return h("svg", Html(body), class_="chart", viewBox=box, role="img", aria_label=label)
