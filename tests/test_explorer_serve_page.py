"""The page on its own server, in Chromium: it may ask that server, and nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import explorer_browser
from cenote.explorer import explore
from cenote.explorer.serve import Server
from explorer_client import Client, npy, unpacked

pytestmark = pytest.mark.browser

X = np.array([[1, 9, 2, 8], [3, 4, 5, 7], [6, 0, 1, 2], [3, 5, 5, 4]])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    page = explore(X, 2)
    with Server(lambda token: page.html(token=token)) as server:
        yield server


@pytest.fixture
def watched(server: Server) -> Iterator[Any]:
    with explorer_browser.opened(server.url, allowed=server.url.partition("/?")[0]) as watched:
        watched.page.locator("#output [role=gridcell]").first.wait_for(timeout=10_000)
        yield watched


def test_it_runs_under_its_policy_and_as_a_whole(watched: Any) -> None:
    cells = watched.page.locator("#output [role=gridcell]")
    assert cells.count() == 4
    cells.nth(3).click()
    assert "= 6" not in watched.page.inner_text("#formula")
    assert "max(1, 2, 5, 4) = 5" in watched.page.inner_text("#formula")


def test_an_array_is_read_by_the_server(watched: Any, server: Server, tmp_path: Path) -> None:
    (tmp_path / "mine.npy").write_bytes(npy(np.arange(2 * 3 * 25.0).reshape(2, 3, 5, 5)))
    watched.page.set_input_files("#image-file", tmp_path / "mine.npy")
    watched.page.locator("#image-said").filter(has_text="2x3x5x5").wait_for(timeout=5000)
    assert watched.page.locator("#input [role=gridcell]").count() == 25
    assert "= 24" not in watched.page.inner_text("#formula")
    (tmp_path / "bad.npy").write_bytes(b"no array")
    watched.page.set_input_files("#image-file", tmp_path / "bad.npy")
    watched.page.locator("#image-said").filter(has_text="what was here stays").wait_for(timeout=5000)
    assert watched.page.locator("#input [role=gridcell]").count() == 25
    # What the server refuses is on the browser's console as well, and is no error of the page.
    watched.errors[:] = [error for error in watched.errors if "415" not in error]


def test_the_core_agrees_with_the_page(watched: Any, server: Server) -> None:
    state = json.loads(watched.page.locator("#data").text_content())["state"]
    ask = """async ([state, token]) => {
      const headers = { "X-Cenote-Token": token };
      const answer = await fetch("pool", { method: "POST", body: JSON.stringify(state), headers });
      return [answer.status, await answer.json()];
    }"""
    status, found = watched.page.evaluate(ask, [state, Client(server).token])
    assert status == 200
    np.testing.assert_array_equal(unpacked(found["values"]), [[9, 8], [6, 5]])
    np.testing.assert_array_equal(unpacked(found["winners"]), [[1, 3], [8, 14]])
    status, found = watched.page.evaluate(ask, [state, "wrong"])
    assert (status, list(found)) == (403, ["error"])
    watched.errors[:] = [error for error in watched.errors if "403" not in error]


def test_another_page_gets_nothing_out_of_it(server: Server) -> None:
    home = server.url.partition("/?")[0]
    client = Client(server)
    with Server(lambda token: "<!doctype html><title>other</title>") as other:
        place = explorer_browser.browser().new_context(bypass_csp=True)  # the other page forbids itself nothing
        try:
            page = place.new_page()
            page.goto(other.url)
            known = f'{{method: "POST", body: "x", headers: {{"X-Cenote-Token": "{client.token}"}}}}'
            for words in ("{}", '{mode: "no-cors"}', '{method: "POST", body: "x"}', known):
                for path in ("/", f"/?token={client.token}", "/array"):
                    ask = f"fetch('{home}{path}', {words}).then((a) => a.text(), () => '').then((text) => text.length)"
                    assert page.evaluate(ask) == 0, (words, path)
            framed = f"""new Promise((done) => {{
              const frame = document.createElement("iframe");
              frame.onload = () => setTimeout(() => done(frame.contentDocument === null), 100);
              frame.src = "{server.url}";
              document.body.append(frame);
            }})"""
            page.evaluate(framed)
            assert all(frame.locator("#output").count() == 0 for frame in page.frames), "it stands in a foreign frame"
        finally:
            place.close()
    assert client.page().status == 200


def test_the_kernels_are_asked_as_well(watched: Any) -> None:
    page = watched.page
    page.locator("#kernels").filter(has_text="the same values").wait_for(timeout=5000)
    page.select_option("#op", "avg")
    page.select_option("#filter", "vertical")
    page.fill("#size-0", "2")
    page.locator("#kernels").filter(has_text="asked as well").wait_for(timeout=5000)
