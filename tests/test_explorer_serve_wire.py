"""The explorer's server on a wire: noise, clients that dawdle or leave, faults of ours, its beginning and its end."""

from __future__ import annotations

import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
import warnings
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import numpy as np
import pytest

import cenote
from cenote.explorer import requests
from cenote.explorer.serve import Server
from cli_process import environment
from explorer_client import PAGE, Answer, Client, npy, received


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Server(lambda token: PAGE) as server:
        yield Client(server)


@pytest.fixture(autouse=True)
def no_browser(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: bool(opened.append(url)) or True)
    return opened


def test_fuzzed_requests_leave_it_answering(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(6)
    seen: set[int] = set()
    for turn in range(600):
        raw = fuzzed(rng, client)
        with socket.create_connection(("127.0.0.1", client.server.port), timeout=20) as line:
            with suppress(ConnectionError):
                line.sendall(raw)
                line.shutdown(socket.SHUT_WR)  # nothing more comes: nobody waits for it
            answer = received(line)
        if answer:
            found = Answer.of(answer, head=raw.startswith(b"HEAD"))
            seen.add(found.status)
            assert found.status != 500, raw
            assert found.status != 200 or client.token.encode() in raw, raw
        if turn % 100 == 0:
            client.still_answers()
    client.still_answers()
    assert seen >= {200, 400, 403, 404, 405, 411, 413, 422}, seen
    assert capfd.readouterr().err == ""


NOISE = (b"", b"0", b"-1", b"9" * 20, b"100-continue", b"chunked", b"x" * 3000)
VERSIONS = (b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/x", b"", b"http/1.1")


def fuzzed(rng: random.Random, client: Client) -> bytes:
    """Noise, or a good request in which something is not: most of what is wrong with requests is one thing."""
    if rng.random() < 0.1:
        return rng.randbytes(rng.randint(0, 300))
    method, path, body = fuzzed_request(rng, client.token.encode())
    headers = {
        b"Host": client.home.encode(),
        b"X-Cenote-Token": client.token.encode(),
        b"Content-Length": b"%d" % len(body),
        b"Origin": f"http://{client.home}".encode(),
    }
    version, end = b"HTTP/1.1", b"\r\n"
    match rng.randrange(8):
        case 0:
            headers[rng.choice(list(headers))] = rng.choice([*NOISE, rng.randbytes(8)])
        case 1:
            headers[rng.choice([b"Transfer-Encoding", b"Expect", b"X", rng.randbytes(4)])] = rng.choice(NOISE)
        case 2:
            del headers[rng.choice(list(headers))]
        case 3:
            version = rng.choice(VERSIONS)
        case 4:
            end = rng.choice([b"\n", b"\r", b"", b"\n\r"])
    lines = [b" ".join([method, path, version]), *(b": ".join(pair) for pair in headers.items()), b"", body]
    raw = end.join(lines)
    return raw[: rng.randint(0, len(raw))] if rng.random() < 0.1 else raw


def fuzzed_request(rng: random.Random, token: bytes) -> tuple[bytes, bytes, bytes]:
    """Method, path and body."""
    body = bytearray(npy(np.zeros((2, 2))))
    body[rng.randrange(len(body))] = rng.randrange(256)
    bodies = [bytes(body), bytes(body), b"", b"{}", b'{"op": "max", "shape": [1]}', rng.randbytes(40)]
    if rng.random() < 0.3:
        return (
            b"GET",
            rng.choice([b"/?token=%b", b"/?token=%b&", b"/?token=%b&token=x", b"/"]).replace(b"%b", token),
            b"",
        )
    method = rng.choice([b"POST"] * 9 + [b"GET", b"HEAD", b"PUT", b"", b"\xff", b"P OST"])
    path = rng.choice(
        [b"/array", b"/pool"] * 6 + [b"/", b"/../x", b"*", b"", b"/array?rank=9", b"/%00", rng.randbytes(9)]
    )
    return method, path, rng.choice(bodies)


@pytest.mark.parametrize(
    "raw, status",
    [
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 70_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
        (b"GET /\r\n\r\n", 403),
        (b"\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello of TLS \n", 400),
    ],
)
def test_what_is_no_request_is_told_so(client: Client, raw: bytes, status: int) -> None:
    client.send(raw).refused(status)


# --- clients that take their time ----------------------------------------------------------------------------------


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "STATED_IN", 0.3)
    monkeypatch.setattr(requests, "SENT_IN", 0.4)


@pytest.mark.usefixtures("hasty")
def test_slow_clients_are_told_and_let_go(client: Client) -> None:
    top = f"POST /array HTTP/1.1\r\nHost: {client.home}\r\nX-Cenote-Token: {client.token}\r\nContent-Length: 9\r\n\r\n"
    for start in (b"", b"GET", b"GET / HTTP/1.1\r\nHost:", top.encode(), top.encode() + b"1234"):
        client.send(start).refused(408, "too long")
    client.still_answers()


@pytest.mark.usefixtures("hasty")
def test_a_drop_now_and_then_does_not_put_off_the_end(client: Client) -> None:
    with socket.create_connection(("127.0.0.1", client.server.port), timeout=20) as line:
        begun, sent = time.monotonic(), 0
        with suppress(OSError):
            for letter in b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 40:
                line.sendall(bytes([letter]))
                sent += 1
                time.sleep(0.05)
                if time.monotonic() - begun > 8:
                    pytest.fail("a client that sends a byte now and then is never let go")
        assert sent < 100
    client.still_answers()


def test_who_pauses_within_the_time_is_answered(client: Client) -> None:
    with socket.create_connection(("127.0.0.1", client.server.port), timeout=20) as line:
        for piece in (b"GET / HT", b"TP/1.1\r\nHost: ", client.home.encode() + b"\r\n\r\n"):
            line.sendall(piece)
            time.sleep(0.4)
        Answer.of(received(line)).refused(403, "token")


def test_a_crowd_that_says_nothing_does_not_keep_others_out(client: Client) -> None:
    begun = time.monotonic()
    with ExitStack() as lines:
        for _ in range(3 * requests.MOST_WAITING):
            lines.enter_context(socket.create_connection(("127.0.0.1", client.server.port), timeout=20))
        client.still_answers()
        assert time.monotonic() - begun < requests.STATED_IN / 2, "waits until the crowd has been given up"
        assert sum("cenote" not in thread.name for thread in threading.enumerate()) < 2 * requests.MOST_WAITING
    client.still_answers()


def test_clients_that_hang_up_are_nothing_special(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    request = f"GET /?token={client.token} HTTP/1.1\r\nHost: {client.home}\r\n\r\n".encode()
    for cut in (0, 5, len(request)):
        for _ in range(10):
            line = socket.create_connection(("127.0.0.1", client.server.port), timeout=20)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # leave with a reset
            line.sendall(request[:cut])
            line.close()
    client.still_answers()
    assert capfd.readouterr().err == ""


def test_answers_are_given_side_by_side() -> None:
    first, both = threading.Event(), threading.Barrier(2, timeout=20)

    def page(token: str) -> str:
        first.set()
        both.wait()
        return PAGE

    with Server(page) as server:
        client = Client(server)
        threads = [threading.Thread(target=client.still_answers) for _ in range(2)]
        for thread in threads:
            thread.start()
        assert first.wait(20)
        client.ask("GET", "/elsewhere").refused(404)
        for thread in threads:
            thread.join(20)
    assert not both.broken


def test_our_own_faults_are_a_sentence_and_the_server_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    faults = [RuntimeError("a secret"), MemoryError(), RecursionError(), KeyError("k"), AssertionError()]

    def page(token: str) -> str:
        if faults:
            raise faults.pop()
        return PAGE

    with Server(page) as server:
        client = Client(server)
        while faults:
            answer = client.page()
            answer.refused(500, "goes on")
            assert b"secret" not in answer.body
        client.still_answers()
    assert len(caplog.records) == 5
    assert client.token not in caplog.text, "what is logged must not let others in"


# --- its life ------------------------------------------------------------------------------------------------------


def test_it_ends_when_told_and_gives_its_port_back() -> None:
    server = Server(lambda token: PAGE).start()
    assert "answering" in repr(server)
    port = server.port
    with pytest.raises(cenote.CenoteError, match="answers already"):
        server.start()
    server.close()
    server.close()
    assert "closed" in repr(server)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    with pytest.raises(cenote.CenoteError, match="closed"):
        server.start()
    with Server(lambda token: PAGE, port=port) as again:
        assert again.port == port
        Client(again).still_answers()
    never = Server(lambda token: PAGE)
    never.close()


def test_a_port_that_is_taken_is_said_and_the_way_out() -> None:
    with Server(lambda token: PAGE) as server:
        with pytest.raises(cenote.CenoteError, match=rf"port {server.port} of 127.0.0.1 is taken.*port=0"):
            Server(lambda token: PAGE, port=server.port)
        Client(server).still_answers()
    for port in (-1, 65536, 80.0, "80", True, None):
        with pytest.raises(cenote.CenoteError, match="port is a whole number"):
            Server(lambda token: PAGE, port=port)  # type: ignore[arg-type]


def test_it_is_this_machines_alone() -> None:
    with Server(lambda token: PAGE) as server:
        assert server.url.startswith("http://127.0.0.1:")
        for address in others():
            with pytest.raises(OSError):
                socket.create_connection((address, server.port), timeout=5)
    for host, word in (("", "empty"), (None, "name"), ("256.1.1.1", "no address"), ("192.0.2.7", "no address")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(cenote.CenoteError, match=word):
                Server(lambda token: PAGE, host=host)  # type: ignore[arg-type]


def test_all_of_the_machine_only_by_name_and_with_a_warning() -> None:
    with pytest.warns(UserWarning, match=r"0\.0\.0\.0, where other machines reach it"):
        server = Server(lambda token: PAGE, host="0.0.0.0")
    with server:
        client = Client(server)
        assert server.url.startswith("http://127.0.0.1:")
        client.still_answers()
        name = socket.gethostname().lower()
        assert client.ask("GET", f"/?token={client.token}", Host=f"{name}:{server.port}").status == 200
        client.ask("GET", f"/?token={client.token}", Host=f"0.0.0.0:{server.port}").refused(403)
        client.ask("GET", f"/?token={client.token}", Host=f"evil.example:{server.port}").refused(403)
        for address in others():
            found = client.ask("GET", f"/?token={client.token}", Host=f"{address}:{server.port}", connect=address)
            assert found.status == 200


def others() -> list[str]:
    """Addresses of this machine besides the loopback's."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        return []
    return sorted({address[0] for *_, address in found if not address[0].startswith("127.")})


def test_other_names_of_the_loopback() -> None:
    with Server(lambda token: PAGE, host="localhost") as server:
        assert server.url.startswith("http://localhost:")
        Client(server).still_answers()
    try:
        server = Server(lambda token: PAGE, host="::1")
    except cenote.CenoteError:
        pytest.skip("no IPv6 here")
    with server:
        client = Client(server)
        assert server.url.startswith(f"http://[::1]:{server.port}/")
        path = f"/?token={client.token}"
        assert client.ask("GET", path, Host=f"[::1]:{server.port}", connect="::1").status == 200
        client.ask("GET", path, Host=f"127.0.0.1:{server.port}", connect="::1").refused(403)


def test_the_browser_is_shown_the_address_with_the_token(no_browser: list[str]) -> None:
    with Server(lambda token: PAGE) as server:
        assert server.open_browser()
    assert no_browser == [server.url]


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as POSIX has them")
def test_ctrl_c_ends_it_quietly() -> None:
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from cenote.explorer.serve import serve\n"
        f"serve(lambda token: {PAGE!r}, open_browser=False)\n"
        "print('went on')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )
    assert process.stdout is not None
    url = process.stdout.readline().split()[-1]
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=20) as answer:
        assert answer.read().decode() == PAGE
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert out.splitlines()[-1] == "went on"
