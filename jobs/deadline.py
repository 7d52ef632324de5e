"""A request that ends in time: one total deadline over connecting, sending, headers and body.

Socket time-outs count from byte to byte, so a server that drips a byte now and then holds a request for ever. Here a
timer cuts the socket when the whole request has used up its time, whatever the server does. The same hooks know the
one thing that a writer must know after an error: had a byte of the request left the house, or not?

Used by `jobs.transport`, and by writes for its clock. It leans on urllib3's connection classes (`connect`, `_new_conn`, `send`).
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from jobs.public_address import public_address

CONNECT_SECONDS = 10.0
# Goes on while the machine sleeps: a request must not leave hours after its deadline because a lid was closed.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def clock() -> float:
    """Seconds since some moment, sleep of the machine included."""
    return time.clock_gettime(_CLOCK)


_current = threading.local()


class TooLate(Exception):
    """The deadline passed before the first byte of the request was sent."""


class Flight:
    """One request on its way. `sent`: bytes of it left; `expired`: the timer has cut its socket."""

    def __init__(self, seconds: float) -> None:
        last: float | None = getattr(_current, "last", None)
        if last is not None:
            seconds = min(seconds, last - clock())
        self._ends = clock() + seconds
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(max(seconds, 0.0), self._cut)
        self._timer.daemon = True
        self.seen = False  # our own connection class was used, so `sent` can be trusted
        self.sent = False
        self.expired = False

    @property
    def left(self) -> float:
        """Seconds until the deadline, 0 when it has passed."""
        return max(self._ends - clock(), 0.0)

    @property
    def timeouts(self) -> tuple[float, float]:
        """Connect and read time-out of the socket: never more than what is left."""
        left = max(self.left, 0.01)
        return min(CONNECT_SECONDS, left), left

    def watch(self, sock: socket.socket | None) -> None:
        """Cut this socket at the deadline."""
        self.seen = True
        with self._lock:
            self._socket = sock
            if self.expired:
                self._shut()

    def leave(self, sock: socket.socket | None) -> None:
        """Called before each piece of the request is sent. Raises TooLate for the first one after the deadline."""
        self.watch(sock)
        if not self.sent and (self.expired or not self.left):
            raise TooLate
        self.sent = True

    def start(self) -> None:
        self._timer.start()

    def stop(self) -> None:
        self._timer.cancel()
        with self._lock:
            self._socket = None

    def _cut(self) -> None:
        with self._lock:
            self.expired = True
            self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # The plain socket's method: that of an SSLSocket would drop the encryption under a running read.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


@contextlib.contextmanager
def not_after(moment: float) -> Iterator[None]:
    """No request of this thread is under way inside the block once `clock()` has reached `moment`.

    Whoever has promised others a deadline holds it so, even if the process was stopped anywhere before the first byte.
    """
    _current.last = moment
    try:
        yield
    finally:
        _current.last = None


@contextlib.contextmanager
def flight(seconds: float) -> Iterator[Flight]:
    """The flight of the request that this thread makes inside the block."""
    mine = Flight(seconds)
    _current.flight = mine
    mine.start()
    try:
        yield mine
    finally:
        mine.stop()
        _current.flight = None


class _Watched:
    """Mixed into urllib3's connections: tells the flight about its socket and its first byte."""

    sock: socket.socket | None
    _connecting = False

    def _new_conn(self) -> socket.socket:
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]  # urllib3's class stands behind the mixin
        if mine := getattr(_current, "flight", None):
            mine.watch(sock)  # before the TLS handshake, which may be slow as well
        return sock

    def connect(self) -> None:
        if mine := getattr(_current, "flight", None):
            mine.seen = True
        self._connecting = True
        try:
            super().connect()  # type: ignore[misc]  # urllib3's class stands behind the mixin
        finally:
            self._connecting = False

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        mine = getattr(_current, "flight", None)
        if mine and not self._connecting:  # a proxy's CONNECT is not the request yet
            mine.leave(self.sock)
        super().send(data)  # type: ignore[misc]  # urllib3's class stands behind the mixin


class _WatchedHTTP(_Watched, HTTPConnection):
    pass


class _WatchedHTTPS(_Watched, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


class _PublicHTTPS(_WatchedHTTPS):
    """Connects to the address that was found to be public, under the name that TLS then asks the certificate for."""

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        self._dns_host = public_address(name, self.port)
        try:
            return super()._new_conn()
        finally:
            self._dns_host = name


class _PublicPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPS


_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}
_PUBLIC_POOLS = {"https": _PublicPool}


class DeadlineAdapter(HTTPAdapter):
    """requests' adapter with watched connections; never retries anything."""

    pools: Mapping[str, Any] = _POOLS

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self.pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self.pools
        return manager


class PublicAdapter(DeadlineAdapter):
    """Https only, and only to public addresses (`jobs.public_address`)."""

    pools = _PUBLIC_POOLS


def new_session(*, public_only: bool = False) -> requests.Session:
    """A session with watched connections. Proxies of the environment count, a `.netrc` does not.

    `public_only`: https to public addresses and nothing else, without a proxy, which would look names up again.
    """
    session = requests.Session()
    if public_only:
        session.trust_env = False
        session.adapters.clear()
        session.mount("https://", PublicAdapter(max_retries=0))
    else:
        session.mount("http://", DeadlineAdapter(max_retries=0))
        session.mount("https://", DeadlineAdapter(max_retries=0))
    session.auth = lambda request: request  # without it requests would put .netrc over our Authorization header
    return session
