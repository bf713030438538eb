"""The page on a server of its own, for the browser of this machine: one address, one token, nothing from elsewhere.

``GET /?token=...`` is the page; ``POST /array`` reads an image or a .npy file for it, ``POST /pool`` asks the compiled
core. What a request may be is decided in ``requests.py``.
"""

from __future__ import annotations

import errno
import ipaddress
import secrets
import socket
import threading
import warnings
import webbrowser
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from cenote.errors import bad, bad_type, reason, shown

from .requests import Desk, Listener

_WHO: Final = "explorer.serve"
_WILD: Final = ("0.0.0.0", "::")
_LOCAL: Final = "127.0.0.1"


class Server:
    """Serves ``page(token)`` on ``host`` and ``port`` (0: a free one) from the moment it is made.

    ``start`` answers in the background, ``serve_forever`` here until Ctrl-C, ``close`` ends either; as a context
    manager it starts and closes. Whoever asks must name this server (``Host``), come from its own page (``Origin``) and
    know the token of this run, which stands in ``url``.

    Raises
    ------
    CenoteError
        A port that is taken, a host that is not this machine's.
    """

    def __init__(self, page: Callable[[str], str], *, host: str = "127.0.0.1", port: int = 0) -> None:
        if type(port) is not int or not 0 <= port <= 65535:
            raise bad(_WHO, f"port is a whole number from 0 to 65535, got {shown(port)}", "use 0 for a free one")
        local = _is_loopback(host)
        if not local:
            warnings.warn(
                f"the explorer listens on {host}, where other machines reach it; whoever sees its address, which "
                "travels unencrypted, can use it. Leave host out to keep it to this machine.",
                UserWarning,
                stacklevel=2,
            )
        self._token: Final = secrets.token_urlsafe(32)
        self._listener: Final = _listener(host, port)
        self.host: Final = host
        self.port: Final[int] = self._listener.server_address[1]
        self._listener.desk = Desk(page, self._token, _hosts(host, self.port, local))
        self.url: Final = f"http://{_authority(_LOCAL if host in _WILD else host, self.port)}/?token={self._token}"
        self._stop: Final = threading.Event()
        self._ended: Final = threading.Event()
        self._ended.set()
        self._busy: Final = threading.Lock()
        self._closed = False

    def start(self) -> Self:
        """Answer in the background, until ``close``."""
        self._begin()
        threading.Thread(target=self._answer, name="cenote explorer", daemon=True).start()
        return self

    def serve_forever(self) -> None:
        """Answer here, until ``close`` from another thread or Ctrl-C, which ends it quietly."""
        self._begin()
        try:
            self._answer()
        except KeyboardInterrupt:
            pass
        finally:
            self.close()

    def open_browser(self) -> bool:
        """Show the page in the browser; False where there is none."""
        return webbrowser.open(self.url)

    def close(self) -> None:
        """Stop answering and give the port back. May be called again."""
        self._stop.set()
        self._ended.wait(5)  # an answer that is being given has a thread of its own and is not waited for
        with self._busy:
            if not self._closed:
                self._closed = True
                self._listener.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._closed else "waiting" if self._ended.is_set() else "answering"
        return f"<Server {_authority(self.host, self.port)}, {state}>"

    def _begin(self) -> None:
        with self._busy:
            if self._closed:
                raise bad(_WHO, "this server is closed", "make another one")
            if not self._ended.is_set():
                raise bad(_WHO, "this server answers already", "use it, or make another one")
            self._ended.clear()

    def _answer(self) -> None:
        try:
            while not self._stop.is_set():
                self._listener.handle_request()
        finally:
            self._ended.set()


def serve(page: Callable[[str], str], *, host: str = "127.0.0.1", port: int = 0, open_browser: bool = True) -> None:
    """Serve ``page(token)`` until Ctrl-C; the address is printed, and opened unless ``open_browser`` is False."""
    server = Server(page, host=host, port=port)
    try:
        print(f"The explorer is at {server.url}\nCtrl-C ends it.", flush=True)
        if open_browser:
            server.open_browser()
    except BaseException:
        server.close()
        raise
    server.serve_forever()


def _is_loopback(host: object) -> bool:
    if type(host) is not str:
        raise bad_type(_WHO, f"host is a name or an address, got {shown(host)}", "leave it out for this machine alone")
    if not host:  # which sockets take for every address of the machine
        raise bad(
            _WHO, "host is empty", 'leave it out for this machine alone; every address is host="0.0.0.0", by name'
        )
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listener(host: str, port: int) -> Listener:
    try:
        family = (
            socket.AF_INET if host == "localhost" else socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        )
        return Listener(family, (host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise bad(
                _WHO, f"port {port} of {host} is taken", "close what uses it, or say port=0 for a free one"
            ) from None
        if error.errno == errno.EACCES:
            raise bad(_WHO, f"port {port} is the system's", "say port=0 for a free one") from None
        raise bad(_WHO, f"{host} is no address of this machine ({reason(error)})", "leave host out") from None
    except UnicodeError:
        raise bad(_WHO, f"{shown(host)} is no name of a host", "leave host out for this machine alone") from None


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _hosts(host: str, port: int, local: bool) -> frozenset[str]:
    """``host:port`` as requests may name this server: a foreign name that was made to point here is none of them."""
    names = {host, "localhost"} if local or host in _WILD else {host}
    if host in (*_WILD, "localhost"):
        names.add(_LOCAL)
    if host == "::":
        names.add("::1")
    if not local:
        names |= _own_names()
    found = {_authority(name.lower(), port) for name in names.difference(_WILD)}
    return frozenset(found | ({name.removesuffix(":80") for name in found} if port == 80 else set()))


def _own_names() -> set[str]:
    name = socket.gethostname()
    try:
        return {name, *(str(found[4][0]) for found in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))}
    except OSError:
        return {name}
