"""A client of the explorer's server that says what it is told to, on a socket of its own, and what it sends."""

from __future__ import annotations

import base64
import io
import json
import socket
from typing import Any

import numpy as np
import pytest

from cenote.explorer.serve import Server

PAGE = "<!doctype html><title>page</title>"


class Client:
    """Asks one server as its own page would, unless told otherwise."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.token = server.url.partition("token=")[2]
        self.home = f"127.0.0.1:{server.port}"

    def ask(
        self, method: str, path: str, body: bytes | None = None, *, connect: str = "127.0.0.1", **headers: str | None
    ) -> Answer:
        """``headers`` in Python's spelling; None leaves one out that is otherwise sent."""
        said: dict[str, str | None] = {"Host": self.home, "X-Cenote-Token": self.token}
        said |= {"Content-Length": str(len(body))} if body is not None else {}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [
            f"{method} {path} HTTP/1.1",
            *(f"{name}: {value}" for name, value in said.items() if value is not None),
        ]
        return self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b""), connect=connect)

    def send(self, raw: bytes, *, connect: str = "127.0.0.1", half_close: bool = False) -> Answer:
        """The answer to bytes as they are."""
        with socket.create_connection((connect, self.server.port), timeout=20) as line:
            line.sendall(raw)
            if half_close:
                line.shutdown(socket.SHUT_WR)
            return Answer.of(received(line))

    def page(self) -> Answer:
        return self.ask("GET", f"/?token={self.token}")

    def array(self, content: bytes, query: str = "") -> dict[str, Any]:
        answer = self.ask("POST", f"/array{query}", content)
        assert answer.status == 200, answer
        return answer.json()

    def pool(self, state: dict[str, Any]) -> Answer:
        return self.ask("POST", "/pool", json.dumps(state).encode())

    def still_answers(self) -> None:
        assert self.page().text() == PAGE


class Answer:
    """One answer, with its length checked against what it says."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes, interim: int) -> None:
        self.status, self.headers, self.body, self.interim = status, headers, body, interim

    @classmethod
    def of(cls, raw: bytes, *, head: bool = False) -> Answer:
        interim = 0
        while raw.startswith(b"HTTP/1.1 100"):
            interim, raw = interim + 1, raw.partition(b"\r\n\r\n")[2]
        top, gap, body = raw.partition(b"\r\n\r\n")
        assert gap, f"no whole answer: {raw[:200]!r}"
        first, *lines = top.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        assert len(headers) == len(lines), "a header was given twice"
        assert int(headers["content-length"]) == len(body) or head
        return cls(int(first.split()[1]), headers, body, interim)

    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)

    def refused(self, status: int, *words: str) -> None:
        """One sentence in JSON."""
        assert self.status == status, self
        assert self.headers["content-type"] == "application/json"
        (sentence,) = self.json().values()
        assert list(self.json()) == ["error"]
        assert sentence
        assert "\n" not in sentence
        assert "Traceback" not in sentence
        for word in words:
            assert word in sentence, (word, sentence)

    def __repr__(self) -> str:
        return f"{self.status} {self.headers} {self.body[:300]!r}"


def received(line: socket.socket) -> bytes:
    pieces = []
    try:
        while piece := line.recv(1 << 16):
            pieces.append(piece)
    except ConnectionError:
        pass
    return b"".join(pieces)


def npy(array: np.ndarray[Any, Any], *, objects: bool = False) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=objects)
    return out.getvalue()


def image(pixels: np.ndarray[Any, Any], kind: str = "PNG", mode: str | None = None, **words: Any) -> bytes:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed: no images")
    out = io.BytesIO()
    image.fromarray(pixels, **({"mode": mode} if mode else {})).save(out, kind, **words)
    return out.getvalue()


def unpacked(packed: dict[str, Any]) -> np.ndarray[Any, Any]:
    found = np.frombuffer(base64.b64decode(packed["data"]), "<" + packed["dtype"])
    return found.reshape(packed["shape"]).astype(np.float64)
