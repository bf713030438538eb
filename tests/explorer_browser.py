"""Chromium for the tests of the explorer: one for a worker; every request that leaves a page is counted."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

MISSING = "no chromium or no Playwright: the page is not looked at"


@lru_cache(maxsize=1)
def _browser() -> Any:
    """The browser, started once; its end is that of the process."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        return None
    return sync_playwright().start().chromium.launch(executable_path=path, args=["--no-sandbox"])


def browser() -> Any:
    """Chromium; without one the test is skipped, and fails where CI is set: there everything is looked at."""
    return _browser() or missing(MISSING)


def needed(module: str, reason: str) -> Any:
    """What only tests need, by its name; without it the same happens as without a browser."""
    return import_module(module) if importlib.util.find_spec(module.partition(".")[0]) else missing(reason)


def missing(reason: str) -> Any:
    """Skips a test, or fails it where CI is set."""
    if os.environ.get("CI", "false") not in ("", "0", "false"):
        pytest.fail(reason)
    pytest.skip(reason)


class Watched:
    """A page with what it asked the network for, and what it complained about."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.allowed: str | None = None
        self.outside: list[str] = []
        self.errors: list[str] = []
        #: Whether no other test may have it: something was installed in it that stays.
        self.worn = False
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        page.route("**/*", self._asked)

    def _asked(self, route: Any) -> None:
        url = urlsplit(route.request.url)
        if url.scheme in ("file", "data", "blob") or (self.allowed and f"{url.scheme}://{url.netloc}" == self.allowed):
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()

    def emptied(self) -> None:
        """As it was before a test had it: no document, the pointer in the corner."""
        self.page.goto("about:blank")
        self.page.mouse.move(0, 0)
        self.outside.clear()
        self.errors.clear()


#: Pages that a test has left: to open one of them anew takes a third of what a page of a new context takes.
_LEFT: list[Watched] = []


@contextmanager
def opened(
    url: str,
    *,
    allowed: str | None = None,
    viewport: dict[str, int] | None = None,
    color_scheme: str = "light",
    permissions: Sequence[str] = (),
    **context: Any,
) -> Iterator[Watched]:
    """A page at ``url``; it may complain about nothing and ask nobody but ``allowed`` ("http://127.0.0.1:1234")."""
    watched = _LEFT.pop() if _LEFT and not context else Watched(browser().new_context(**context).new_page())
    whole = False
    try:
        watched.allowed = allowed
        watched.page.set_viewport_size(viewport or {"width": 1280, "height": 900})
        watched.page.emulate_media(color_scheme=color_scheme)
        if permissions:
            watched.page.context.grant_permissions(list(permissions))
        watched.page.goto(url)
        yield watched
        assert watched.outside == [], watched.outside
        assert watched.errors == [], watched.errors
        whole = not context and not watched.worn
    finally:
        if whole:
            watched.page.context.clear_permissions()
            watched.emptied()
            _LEFT.append(watched)
        else:
            watched.page.context.close()


@contextmanager
def shown(text: str, folder: Path, *, link: str = "", **context: Any) -> Iterator[Watched]:
    """The same for the text of a page, from a file."""
    file = folder / "page.html"
    file.write_text(text, encoding="utf-8")
    with opened(file.as_uri() + link, **context) as watched:
        yield watched
