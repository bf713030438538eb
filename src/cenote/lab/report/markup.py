"""HTML out of Python: what is not markup already is escaped, so that no name, path or reason can become any."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

_VOID: Final = frozenset({"br", "img", "meta", "wbr"})


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


Child = str | None | Iterable["Child"]


def h(tag: str, *children: Child, **attributes: str | int | None) -> Html:
    """An element. Children are texts, elements, or any nesting of lists of them; None is nothing.

    An attribute None is left out; an underscore in its name is a hyphen, one at its end is dropped (``class_``).

    >>> h("p", "a < b ", h("b", "&"), class_="note", aria_hidden="true")
    '<p class="note" aria-hidden="true">a &lt; b <b>&amp;</b></p>'
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Html(f"<{tag}{written}>")
    return Html(f"<{tag}{written}>{join(children)}</{tag}>")


def join(children: Child, between: str = "") -> Html:
    """Children one after the other, escaped where they are text.

    >>> join(["<", h("i", "x")], ", ")
    '&lt;, <i>x</i>'
    """
    if children is None:
        return Html("")
    if isinstance(children, str):
        return children if isinstance(children, Html) else Html(escape(children))
    return Html(between.join(join(child) for child in children))
