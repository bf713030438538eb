"""The explorer's server: whom it answers, what it takes, and that nothing that comes in ends it."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest

from cenote.explorer.serve import Server
from explorer_client import PAGE, Answer, Client, npy, received


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Server(lambda token: PAGE) as server:
        yield Client(server)


# --- the page ------------------------------------------------------------------------------------------------------


def test_the_page_comes_with_its_token_and_its_headers() -> None:
    given: list[str] = []

    def page(token: str) -> str:
        given.append(token)
        return "<!doctype html><title>ä</title>"

    with Server(page) as server:
        client = Client(server)
        answer = client.page()
    assert given == [client.token]
    assert len(client.token) >= 32
    assert answer.status == 200
    assert answer.text() == "<!doctype html><title>ä</title>"
    said = answer.headers
    assert said["content-type"] == "text/html; charset=utf-8"
    assert said["x-content-type-options"] == "nosniff"
    assert said["referrer-policy"] == "no-referrer"
    assert said["cache-control"] == "no-store"
    assert said["x-frame-options"] == "DENY"
    assert said["cross-origin-opener-policy"] == said["cross-origin-resource-policy"] == "same-origin"
    policy = dict(rule.strip().partition(" ")[::2] for rule in said["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert policy["script-src"].startswith("'sha256-")
    assert policy["style-src"].startswith("'sha256-")
    assert "unsafe" not in said["content-security-policy"]
    assert "access-control-allow-origin" not in said
    assert "python" not in said["server"].lower()


def test_every_run_has_a_token_of_its_own() -> None:
    with Server(lambda token: PAGE) as one, Server(lambda token: PAGE) as other:
        first, second = Client(one), Client(other)
        assert first.token != second.token
        second.ask("GET", f"/?token={first.token}").refused(403, "token")


# --- who may ask ---------------------------------------------------------------------------------------------------

FOREIGN_HOSTS = (None, "", "evil.example", "127.0.0.1", "127.0.0.1:1", "0.0.0.0:{port}", "evil.example:{port}",
                 "127.0.0.1:{port}@evil.example", "127.0.0.1:{port}, evil.example", "127.0.0.1.evil.example:{port}",
                 "[::1]:{port}", "2130706433:{port}", "localhost.:{port}")  # fmt: skip
FOREIGN_ORIGINS = ("null", "", "http://evil.example", "http://127.0.0.1", "http://127.0.0.1:1", "https://{home}",
                   "http://{home}.evil.example", "http://evil.example/{home}", "{home}", "http://{home}/",
                   "http://localhost:{port}@evil.example", "file://", "http://{home} http://evil.example")  # fmt: skip
WAYS = (("GET", "/"), ("POST", "/array"), ("POST", "/pool"))


@pytest.mark.parametrize("method, path", WAYS)
def test_only_who_names_this_server_is_answered(client: Client, method: str, path: str) -> None:
    path = f"{path}?token={client.token}"
    for host in FOREIGN_HOSTS:
        named = host and host.format(port=client.server.port)
        client.ask(method, path, b"x", Host=named).refused(403, "name")
    for host in (client.home, f"localhost:{client.server.port}", f"LOCALHOST:{client.server.port}"):
        assert client.ask(method, path, b"x", Host=host).status in (200, 415, 422)


def test_two_hosts_are_one_too_many(client: Client) -> None:
    raw = f"GET /?token={client.token} HTTP/1.1\r\nHost: {client.home}\r\nHost: evil.example\r\n\r\n"
    client.send(raw.encode()).refused(403)
    client.send(raw.replace("evil.example", client.home).encode()).refused(403)
    # The target may carry a host as well, and goes before the header in HTTP's rules: there is no such path here.
    client.ask("GET", f"http://evil.example/?token={client.token}").refused(404)
    client.ask("GET", f"http://{client.home}/?token={client.token}").refused(404)


@pytest.mark.parametrize("method, path", WAYS)
def test_only_its_own_page_may_ask(client: Client, method: str, path: str) -> None:
    path = f"{path}?token={client.token}"
    for origin in FOREIGN_ORIGINS:
        named = origin.format(home=client.home, port=client.server.port)
        client.ask(method, path, b"x", Origin=named).refused(403, "page of this server")
    for origin in (None, f"http://{client.home}", f"http://localhost:{client.server.port}"):
        assert client.ask(method, path, b"x", Origin=origin).status in (200, 415, 422)


@pytest.mark.parametrize("method, path", WAYS)
def test_only_who_knows_the_token_is_answered(client: Client, method: str, path: str) -> None:
    token = client.token
    wrong = ("", "x", token[:-1], token + "x", token.swapcase(), token[::-1], "ÿ" * len(token), f" {token[1:]}")
    for bad in wrong:
        given = f"?token={bad.encode('latin-1').hex() if 'ÿ' in bad else bad.replace(' ', '+')}"
        # Neither carries the token to where the other has it.
        if method == "GET":
            client.ask(method, path + given).refused(403, "token")
        else:
            client.ask(method, f"{path}?token={token}", b"x", X_Cenote_Token=bad).refused(403, "token")
    if method == "GET":
        client.ask(method, path).refused(403, "token")
        client.ask(method, f"{path}?token=%ff%00&token=").refused(403, "token")
    else:
        client.ask(method, f"{path}?token={token}", b"x", X_Cenote_Token=None).refused(403, "token")


def test_nothing_is_sent_across_origins(client: Client) -> None:
    for path in ("/", "/array", "/pool"):
        answer = client.ask("OPTIONS", path, Origin=f"http://{client.home}", Access_Control_Request_Method="POST")
        answer.refused(405)
        assert not [name for name in answer.headers if name.startswith("access-control")]


# --- what may be asked ---------------------------------------------------------------------------------------------

TRAVERSALS = (
    "/../", "/..", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd",
    "/....//etc/passwd", "/array/../../etc/passwd", "/array/", "/array%00", "/static/main.js",
    "/engine/windows.js", "/index.html", "/%2f", "//", "//evil.example/", "/\\..\\..\\etc\\passwd",
    "/.", "/array;x", "/ARRAY", "/etc/passwd", "/pool#", "/..%c0%af..%c0%afetc/passwd", "/~root",
    "/.git/config", "*", "etc/passwd", "/favicon.ico",
)  # fmt: skip


@pytest.mark.parametrize("path", TRAVERSALS)
def test_there_are_no_files(client: Client, path: str) -> None:
    for method in ("GET", "POST"):
        answer = client.ask(method, path, b"x")
        # "//" and "/" are one path to Python's parser of requests, as to most: the page, for who knows the token.
        assert answer.status == (404 if path != "//" else 405 if method == "POST" else 403), answer
        assert b"root:" not in answer.body


def test_what_a_path_is_asked_by_is_said(client: Client) -> None:
    for path, method in (("/", "GET"), ("/array", "POST"), ("/pool", "POST")):
        for other in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "X"):
            if other != method:
                answer = client.ask(other, path, b"x")
                answer.refused(405, method)
                assert answer.headers["allow"] == method
    with socket.create_connection(("127.0.0.1", client.server.port), timeout=20) as line:
        line.sendall(f"HEAD / HTTP/1.1\r\nHost: {client.home}\r\n\r\n".encode())
        answer = Answer.of(received(line), head=True)
    assert (answer.status, answer.body) == (405, b"")


@pytest.mark.parametrize(
    "status, headers",
    [
        (411, {"Content_Length": None}),
        (411, {"Content_Length": None, "Transfer_Encoding": "chunked"}),
        (411, {"Transfer_Encoding": "chunked"}),
        (411, {"Transfer_Encoding": "gzip"}),
        (400, {"Content_Length": "0"}),
        (400, {"Content_Length": "-1"}),
        (400, {"Content_Length": "+5"}),
        (400, {"Content_Length": "5.0"}),
        (400, {"Content_Length": "0x5"}),
        (400, {"Content_Length": ""}),
        (400, {"Content_Length": "5, 5"}),
        (400, {"Content_Length": "²"}),
        (413, {"Content_Length": str((32 << 20) + 1)}),
        (413, {"Content_Length": "9" * 5000}),
        (413, {"Content_Length": "1" + "0" * 30}),
    ],
)
@pytest.mark.parametrize("path", ["/array", "/pool"])
def test_lengths_are_judged_before_a_byte_is_read(
    client: Client, path: str, status: int, headers: dict[str, str | None]
) -> None:
    # Nothing of the body is sent: who waited for it would not answer.
    begun = time.monotonic()
    client.ask("POST", path, **headers).refused(status)  # type: ignore[arg-type]
    assert time.monotonic() - begun < 5, "waits for a body"


def test_two_lengths_are_one_too_many(client: Client) -> None:
    top = f"POST /pool HTTP/1.1\r\nHost: {client.home}\r\nX-Cenote-Token: {client.token}\r\n"
    client.send((top + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x").encode()).refused(400, "length")
    # Two that agree are one.
    client.send((top + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}").encode()).refused(422)


def test_a_body_with_a_length_and_in_chunks_is_not_taken(client: Client) -> None:
    body = b"2\r\n{}\r\n0\r\n\r\n"
    client.ask("POST", "/pool", body, Transfer_Encoding="chunked").refused(411, "chunks")


def test_a_body_beyond_the_cap_hears_so_while_it_is_sent(client: Client) -> None:
    size = (32 << 20) + 1
    connection = http.client.HTTPConnection("127.0.0.1", client.server.port, timeout=20)
    try:
        connection.request("POST", "/array", bytes(size), {"X-Cenote-Token": client.token})
    except ConnectionError:
        pytest.fail("the server hung up on who was still sending")
    answer = connection.getresponse()
    assert answer.status == 413
    assert "32 MiB" in json.loads(answer.read())["error"]
    connection.close()


def test_a_body_that_ends_early_is_no_body(client: Client) -> None:
    top = (
        f"POST /array HTTP/1.1\r\nHost: {client.home}\r\nX-Cenote-Token: {client.token}\r\nContent-Length: 100\r\n\r\n"
    )
    client.send(top.encode() + b"\x93NUMPY", half_close=True).refused(400, "6 of 100")


def test_who_asks_first_is_told_to_go_on(client: Client) -> None:
    content = npy(np.arange(3.0))
    answer = client.ask("POST", "/array", content, Expect="100-continue")
    assert (answer.status, answer.interim) == (200, 1)
    refused = client.ask("POST", "/array", content, Expect="100-continue", X_Cenote_Token="x")
    assert (refused.status, refused.interim) == (403, 0)


# --- what comes in on a wire ---------------------------------------------------------------------------------------
