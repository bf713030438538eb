"""What a request to the explorer's server may be, and its answer: checked from the outside in, read last.

A request is refused by what it says about itself (host, origin, path, method, token, length) before a byte of its body
is read. A connection carries one request and has a few seconds to state it: clients that dawdle make room for others.
"""

from __future__ import annotations

import hmac
import io
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, Final
from urllib.parse import parse_qs

from cenote.errors import CenoteError

from . import compiled, html, uploads
from .reading import Unknown

MOST_BYTES: Final = 32 << 20
"""Of a body: a photograph of 20 megapixels, an array of four million float64."""
STATED_IN: Final = 10.0
"""Seconds for a request without its body."""
SENT_IN: Final = 60.0
"""Seconds for a body, and for an answer."""
MOST_WAITING: Final = 64
"""Connections that have not yet stated a request; of more than that the oldest is dropped."""

_LINGER: Final = 1.0
_LINE: Final = 1 << 14
_METHODS: Final = {"/": "GET", "/array": "POST", "/pool": "POST"}
_log: Final = logging.getLogger("cenote.explorer")


@dataclass(frozen=True, slots=True)
class Desk:
    """What the requests of one server are held to, and the page that it gives."""

    page: Callable[[str], str]
    token: str
    hosts: frozenset[str]
    """``host:port`` as a request may name this server."""

    @property
    def origins(self) -> frozenset[str]:
        """Where a page that asks may come from."""
        return frozenset(f"http://{host}" for host in self.hosts)

    def knows(self, token: str | None) -> bool:
        """Whether that is the token, in a time that does not tell how much of it is right."""
        return hmac.compare_digest((token or "").encode(), self.token.encode())


class Refused(Exception):
    """A request that gets an error for its answer."""

    def __init__(self, status: HTTPStatus, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = headers


class Listener(ThreadingMixIn, TCPServer):
    """A socket that listens, with a thread for every connection.

    What ``ThreadingHTTPServer`` is, without its question for the machine's full name, which may take seconds.
    """

    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # where it would let two servers share a port
    request_queue_size = 64
    timeout = 0.2  # how long handle_request waits, and so how late it hears that it is to end
    desk: Desk

    def __init__(self, family: int, address: tuple[str, int]) -> None:
        self.address_family = family
        self._waiting: dict[socket.socket, None] = {}
        self._lock = threading.Lock()
        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """One connection more; where too many dawdle, the one that has dawdled longest is dropped."""
        oldest = None
        with self._lock:
            self._waiting[request] = None
            if len(self._waiting) > MOST_WAITING:
                oldest = next(iter(self._waiting))
                del self._waiting[oldest]
        if oldest is not None:
            _hang_up(oldest, socket.SHUT_RDWR)
        super().process_request(request, client_address)

    def stated(self, request: Any) -> None:
        """The connection has stated its request, or has ended: it takes no other's place any more."""
        with self._lock:
            self._waiting.pop(request, None)

    def shutdown_request(self, request: Any) -> None:
        """The end of a connection. What the client still sends is let go by, or its answer would be lost to it."""
        self.stated(request)
        _hang_up(request, socket.SHUT_WR)
        end = time.monotonic() + _LINGER
        with suppress(OSError):
            while (left := end - time.monotonic()) > 0:
                request.settimeout(left)
                if not request.recv(1 << 16):
                    break
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no event; what is our fault was logged where it happened."""
        _log.debug("a connection broke", exc_info=True)


def _hang_up(request: socket.socket, how: int) -> None:
    with suppress(OSError):
        request.shutdown(how)


class _Patience(io.RawIOBase):
    """What comes in on a socket, until a deadline that more bytes do not put off."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self.end = time.monotonic() + STATED_IN

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._socket.recv_into(buffer)


class Handler(BaseHTTPRequestHandler):
    """One request on one connection."""

    server: Listener
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # before that there were no headers, and every answer of ours has some
    _answered = False

    def setup(self) -> None:
        """The streams: reading against the clock."""
        super().setup()
        self.rfile.close()
        self._patience = _Patience(self.connection)
        self.rfile = io.BufferedReader(self._patience)

    def handle(self) -> None:
        """Read what is asked and answer it, whatever it is."""
        self.close_connection = True
        self.command, self.request_version, self.requestline = "", self.default_request_version, ""
        try:
            self.raw_requestline = self.rfile.readline(_LINE)
            if not self.raw_requestline:
                return
            if len(self.raw_requestline) == _LINE:
                raise Refused(HTTPStatus.REQUEST_URI_TOO_LONG, "the request's first line has no end")
            if self.parse_request():
                self._answer()
            elif not self._answered:
                raise Refused(HTTPStatus.BAD_REQUEST, "the request's first line is empty")
        except Refused as error:
            self._say(error.status, str(error), **error.headers)
        except TimeoutError:
            self._say(HTTPStatus.REQUEST_TIMEOUT, "the request took too long to arrive; send it again")
        except ConnectionError:
            pass
        except Exception:
            _log.exception("the explorer's server failed to answer %s", self.command)
            self._say(
                HTTPStatus.INTERNAL_SERVER_ERROR, "something broke on our side, and was logged; the server goes on"
            )

    def handle_expect_100(self) -> bool:
        """Whoever asks before sending a body hears so when all else is known to be right."""
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the parser of requests has to say."""
        said = (message or HTTPStatus(code).phrase)[:80]
        self._say(HTTPStatus(code), f"the request cannot be read ({said})")

    def version_string(self) -> str:
        """Who answers; of what is nobody's business."""
        return "cenote"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is written of requests: their addresses hold the token."""

    def _answer(self) -> None:
        desk = self.server.desk
        hosts = [host.lower() for host in self.headers.get_all("Host") or []]
        if len(hosts) != 1 or hosts[0] not in desk.hosts:
            raise Refused(HTTPStatus.FORBIDDEN, "this server is not known by that name; use the address that it gave")
        if any(origin.lower() not in desk.origins for origin in self.headers.get_all("Origin") or []):
            raise Refused(HTTPStatus.FORBIDDEN, "only the page of this server may ask it")
        path, _, query = self.path.partition("?")
        method = _METHODS.get(path)
        if method is None:
            raise Refused(HTTPStatus.NOT_FOUND, f"there is nothing of that name; {' '.join(_METHODS)} is all there is")
        if self.command != method:
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, f"{path} is asked by {method}", Allow=method)
        words = _words(query)
        token = words.get("token") if method == "GET" else self.headers.get("X-Cenote-Token")
        if not desk.knows(token):
            raise Refused(
                HTTPStatus.FORBIDDEN, "the token of this run is missing or wrong; use the address that was given"
            )
        self.server.stated(self.request)
        if path == "/":
            self._send(HTTPStatus.OK, desk.page(desk.token).encode(), "text/html; charset=utf-8")
        elif path == "/array":
            self._result(lambda body: uploads.array(body, rank=_rank(words)), self._body())
        else:
            self._result(compiled.pool, self._body())

    def _body(self) -> bytes:
        """The body, once its length is known to be one that is taken."""
        if self.headers.get("Transfer-Encoding"):
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "bodies in chunks are not taken; say a Content-Length")
        lengths = self.headers.get_all("Content-Length")
        if not lengths:
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "the length of the body is missing; say a Content-Length")
        text = lengths[0].strip() if len(set(lengths)) == 1 else ""
        if not (text.isascii() and text.isdigit()):
            raise Refused(HTTPStatus.BAD_REQUEST, "the length of the body is no whole number")
        if len(text) > 18 or int(text) > MOST_BYTES:
            problem = f"the body has more than {MOST_BYTES >> 20} MiB; send something smaller"
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, problem)
        if int(text) == 0:
            raise Refused(HTTPStatus.BAD_REQUEST, "the body is empty; send something to look at")
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(HTTPStatus.CONTINUE)
            self.end_headers()
        self._patience.end = time.monotonic() + SENT_IN
        body = self.rfile.read(int(text))
        if len(body) < int(text):
            raise Refused(
                HTTPStatus.BAD_REQUEST, f"the body ends after {len(body):,} of {int(text):,} bytes; send it again"
            )
        return body

    def _result(self, work: Callable[[bytes], dict[str, Any]], body: bytes) -> None:
        try:
            found = work(body)
        except Unknown as error:
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, str(error)) from None
        except CenoteError as error:
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
        self._send(HTTPStatus.OK, json.dumps(found, allow_nan=False).encode(), "application/json")

    def _say(self, status: HTTPStatus, sentence: str, **headers: str) -> None:
        """An error as the page reads it."""
        if not self._answered:
            self._send(status, json.dumps({"error": sentence}).encode(), "application/json", **headers)

    def _send(self, status: HTTPStatus, content: bytes, kind: str, **headers: str) -> None:
        policy = html.policy(served=True) if kind.startswith("text/html") else "default-src 'none'"
        given = {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            "Content-Security-Policy": f"{policy}; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Connection": "close",
        }
        self._answered = True
        self.request_version = self.protocol_version  # whoever says HTTP/0.9 gets headers all the same
        self.send_response(status)
        for name, value in (given | headers).items():
            self.send_header(name, value)
        self.connection.settimeout(SENT_IN)
        try:
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)
        except OSError:  # whoever asked has gone, or takes no more
            pass


def _words(query: str) -> dict[str, str]:
    """The words behind the path; the last of a name counts, and what cannot be read is none."""
    try:
        return {name: values[-1] for name, values in parse_qs(query, max_num_fields=8).items()}
    except ValueError:
        return {}


def _rank(words: dict[str, str]) -> int:
    rank = words.get("rank", "2")
    if rank not in ("1", "2", "3"):
        raise Refused(HTTPStatus.BAD_REQUEST, "rank, the number of axes that are looked at, is 1, 2 or 3")
    return int(rank)
