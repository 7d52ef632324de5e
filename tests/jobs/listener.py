"""The simulator on a port that can refuse connections, and a clock that moves when somebody sleeps on it."""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from flask import Flask
from werkzeug.serving import BaseWSGIServer, make_server

from webapp.simulator.__main__ import Quiet

T = TypeVar("T")


class Listener:
    """The simulator's app on a port of its own, which can refuse connections for a while."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._closed: socket.socket | None = None
        self._server = self._serve(0)
        self.port = self._server.port

    def _serve(self, port: int) -> BaseWSGIServer:
        server = make_server("127.0.0.1", port, self._app, threaded=True, request_handler=Quiet)
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
        return server

    def down(self) -> None:
        """Refuse: the port stays ours, and nobody listens."""
        self.end()
        self._closed = closed = socket.socket()
        closed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _as_soon_as_free(partial(closed.bind, ("127.0.0.1", self.port)))

    def up(self) -> None:
        if self._closed is not None:
            self._closed.close()
            self._closed = None
            self._server = _as_soon_as_free(lambda: self._serve(self.port))

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _as_soon_as_free(take: Callable[[], T]) -> T:
    """Take the port back; for a moment another program's connection may happen to leave from it."""
    for _ in range(200):
        try:
            return take()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            time.sleep(0.02)
    return take()


class Ticker:
    """A clock that moves when somebody sleeps on it. `slept`: every pause, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
