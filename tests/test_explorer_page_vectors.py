"""The vectors of explorer_vectors.py in a browser: in the assembled page, and in the parts that it is made of."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import cenote
import explorer_vectors
from cenote import explorer
from cenote.explorer import html
from explorer_browser import opened, shown

pytestmark = pytest.mark.browser
STATIC = Path(explorer.__file__).with_name("static")


class _Parts(SimpleHTTPRequestHandler):
    """``static/`` as it is, with the page over the parts at /."""

    def do_GET(self) -> None:
        if self.path != "/":
            return super().do_GET()
        text = html.parts_page(explorer.data.page_data(cenote.explore([[1.0, 2.0], [3.0, 4.0]], 2).state)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        return None

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_the_assembled_page(tmp_path: Path) -> None:
    assert explorer_vectors.count() >= 5000
    with shown(cenote.explore([[1.0, 2.0], [3.0, 4.0]], 2).html(), tmp_path) as watched:
        # All parts export into one place, whatever path the checker asks for.
        check = f"(text) => ({explorer_vectors.CHECK})(new Proxy({{}}, {{ get: () => cenote }}), text)"
        assert watched.page.evaluate(check, explorer_vectors.text()) == []


@pytest.fixture
def parts() -> Iterator[Any]:
    """The page over its parts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Parts, directory=str(STATIC)))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        place = f"http://127.0.0.1:{server.server_address[1]}"
        with opened(f"{place}/", allowed=place) as watched:
            yield watched.page
    finally:
        server.shutdown()
        server.server_close()


def test_the_parts_are_a_page(parts: Any) -> None:
    assert parts.inner_text("#formula") == "max(1, 2, 3, 4) = 4"


def test_the_parts(parts: Any) -> None:
    check = f"""async (text) => {{
        const names = {[path for path in html.PARTS if path.startswith("engine/")]};
        const parts = await Promise.all(names.map((name) => import(`/${{name}}`)));
        return ({explorer_vectors.CHECK})(Object.fromEntries(names.map((name, i) => [name, parts[i]])), text);
    }}"""
    assert parts.evaluate(check, explorer_vectors.text()) == []
