"""What the page saves: its animations are read by others to the last bit, and a browser makes every kind of file."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import explorer_browser as browser
import explorer_node as node
from cenote.explorer import explore
from cenote.explorer.drawing import palette, scene
from cenote.explorer.serve import Server

_rng = np.random.default_rng(6)

FILMS = {
    "one pixel": _rng.integers(0, 2, (3, 1, 1, 3)) * 255,
    "few colours": np.array([[0, 0, 0], [255, 255, 255], [217, 72, 15], [1, 2, 3]])[_rng.integers(0, 4, (5, 13, 17))],
    "nothing moves": np.zeros((3, 5, 4, 3)),
    # More than 4096 different strings: the table of codes is begun anew, codes have every length.
    "noise": np.stack([_rng.permutation(254), np.arange(254), np.arange(254)[::-1]], -1)[
        _rng.integers(0, 254, (2, 90, 120))
    ],
    "flat": np.full((2, 300, 200, 3), 7),
}


@node.needs_node
def test_the_pages_gif_is_read_by_others() -> None:
    """Up to 255 colours are kept to the last bit, in every frame."""
    source = """
    import { animation, palette } from "./export/gif.js";
    export default async function main(films) {
      const made = [];
      for (const { width, height, frames } of films) {
        const rgba = frames.map((frame) => Uint8ClampedArray.from(frame));
        const all = Uint8ClampedArray.from(frames.flat());
        const film = animation(width, height, palette(all, [0xd9480f]), 410);
        for (const frame of rgba) film.add(frame);
        made.push(Array.from(new Uint8Array(await film.file().arrayBuffer())));
      }
      return made;
    }
    """
    ramp = palette.shades(_rng.normal(0, 1, (1, 60, 70)), -3, 3)
    ramp[0, 0, 0] = palette.WINDOW
    films = {**FILMS, "many colours": ramp}
    opaque = {name: np.concatenate([f, np.full((*f.shape[:3], 1), 255)], -1).astype(int) for name, f in films.items()}
    payload = [
        {"width": f.shape[2], "height": f.shape[1], "frames": [one.ravel().tolist() for one in f]}
        for f in opaque.values()
    ]
    for (name, frames), content in zip(films.items(), node.run(source, payload), strict=True):
        with Image.open(io.BytesIO(bytes(content))) as film:
            assert (film.n_frames, film.info["loop"], film.info["duration"]) == (len(frames), 0, 410)
            for at, frame in enumerate(frames):
                film.seek(at)
                pixels = np.asarray(film.convert("RGB")).astype(int)
                if name == "many colours":
                    # 255 boxes over two straight ramps: no side of a box is longer than a 40th of the range.
                    assert np.abs(pixels - frame).max() <= 7
                    assert pixels[0, 0].tolist() == list(palette.WINDOW)
                else:
                    np.testing.assert_array_equal(pixels, frame, err_msg=f"{name}, frame {at}")


# --- in a browser -----------------------------------------------------------------------------------------------------

X = np.array([[1.0, 9, np.nan, 8, 0.5], [3, 4, 5, 7, -np.inf], [6, 0, 1, 2, -0.0], [3, 5, 5, 4, 1]])
TITLE = 'a <b>"title"</b> & </script>'


def _saved(watched: browser.Watched, where: Any, kind: str) -> bytes:
    with watched.page.expect_download() as waited:
        where.click(f"#export-{kind}")
    assert waited.value.suggested_filename == f"cenote-max-2x2.{kind}"
    where.wait_for_function("() => document.getElementById('said').textContent.startsWith('saved cenote-max')")
    return Path(waited.value.path()).read_bytes()


def _look_at(files: dict[str, bytes], folder: Path) -> None:
    """All five are of the same call."""
    expected = explore(X, 2, stride=(1, 2))
    outputs = scene(expected.state).outputs
    state = json.loads(files["json"])
    assert state["title"] == TITLE
    np.testing.assert_array_equal(scene(state).outputs, outputs)
    root = ET.fromstring(files["svg"])
    size = (float(root.get("width", 0)), float(root.get("height", 0)))
    part = next(one for one in root.iter() if one.get("data-part") == "output")
    assert len([one for one in part.iter() if one.tag.endswith("}text")]) == outputs.size
    with Image.open(io.BytesIO(files["png"])) as picture:
        assert picture.size == tuple(round(2 * side) for side in size)
        assert _shows(picture, palette.WINDOW) > 500
    with Image.open(io.BytesIO(files["gif"])) as film:
        assert (film.n_frames, film.info["loop"], film.info["duration"]) == (outputs.size, 0, 700)
        seen = []
        for at in range(film.n_frames):
            film.seek(at)
            assert _shows(film, palette.WINDOW) > 100
            seen.append(film.convert("RGB").tobytes())
        assert len(set(seen)) == outputs.size
    assert b'"token":null' in files["html"]
    with browser.shown(files["html"].decode(), folder) as again:
        assert again.page.inner_text("#output-title") == "Output, 3 \u00d7 2"
        assert again.page.evaluate("() => JSON.parse(document.getElementById('data').textContent).state.title") == TITLE
        # A copy of the copy is the same: nothing that was drawn got into it.
        assert _saved(again, again.page, "html") == files["html"]


def _shows(picture: Image.Image, colour: palette.Colour) -> int:
    return int((np.asarray(picture.convert("RGB")) == colour).all(axis=-1).sum())


@pytest.mark.browser
def test_exports_of_a_served_page(tmp_path: Path) -> None:
    """They are files for everybody: the token that opens the server is in none of them."""
    page = explore(X, 2, stride=(1, 2), title=TITLE)
    with Server(lambda token: page.html(token=token)) as server:
        with browser.opened(server.url, allowed=server.url.partition("/?")[0]) as watched:
            files = {kind: _saved(watched, watched.page, kind) for kind in ("json", "svg", "png", "gif", "html")}
        token = server.url.partition("token=")[2].encode()
    assert not any(token in file for file in files.values())
    head, _ = files["html"].split(b"<style>", 1)
    assert b"img-src data: blob:" in head
    assert b"connect-src" not in head
    _look_at(files, tmp_path)


@pytest.mark.browser
def test_exports_of_a_notebook(tmp_path: Path) -> None:
    """In a sandbox without an origin the same files are made; a link there would lead nowhere, which is said."""
    cell = explore(X, 2, stride=(1, 2), title=TITLE)._repr_mimebundle_()["text/html"]
    document = f"<!doctype html><title>notebook</title>{cell}"
    with browser.shown(document.replace(' loading="lazy"', ""), tmp_path) as watched:
        inside = watched.page.frames[-1]
        inside.wait_for_selector("#export-json")
        files = {kind: _saved(watched, inside, kind) for kind in ("json", "svg", "png", "gif", "html")}
        assert inside.query_selector("#export-link") is None
        assert "JSON state" in inside.inner_text("#export-no-link")
    _look_at(files, tmp_path)


@pytest.mark.browser
def test_links_and_states_are_opened(tmp_path: Path) -> None:
    small, large = explore(X, 2, title="small"), explore(_rng.random((20, 20)), 3, title="large")
    with browser.shown(small.html(), tmp_path) as watched:
        page = watched.page
        page.click("#export-link")
        page.wait_for_function("() => document.getElementById('said').textContent.includes('link')")
        link = page.evaluate("() => location.hash")
        assert link.startswith("#s=")
        assert "not included" not in page.inner_text("#said")
        page.set_input_files(
            "#export-open", {"name": "b.json", "mimeType": "", "buffer": json.dumps(large.state).encode()}
        )
        page.wait_for_function("() => document.getElementById('said').textContent === 'opened b.json'")
        assert page.inner_text("#input-title").startswith("Input, 20 \u00d7 20")
        page.click("#export-link")
        page.wait_for_function("() => document.getElementById('said').textContent.includes('not included')")
        for broken in (b"{", b"null", b'{"op": 3}', b"\xff\xfe", json.dumps(large.state | {"shape": [3]}).encode()):
            page.set_input_files("#export-open", {"name": "x.json", "mimeType": "", "buffer": broken})
            page.wait_for_function("() => document.getElementById('said').textContent.startsWith('x.json is no state')")
            assert page.inner_text("#input-title").startswith("Input, 20 \u00d7 20")
            page.evaluate("() => (document.getElementById('said').textContent = '')")
    with browser.shown(large.html(), tmp_path, link=link) as watched:
        assert watched.page.inner_text("#input-title").startswith("Input, 4 \u00d7 5")
