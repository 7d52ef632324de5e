"""A server on a real socket that misbehaves as told: what a mocked HTTP library cannot show."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Script = Callable[[socket.socket, threading.Event], None]


@dataclass
class Rude:
    """`requests` holds every request head that arrived, in order."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/x"


def read_request(sock: socket.socket) -> bytes:
    """Head and body of one request."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += sock.recv(65536)
    return head + b"\r\n\r\n" + body


@contextlib.contextmanager
def rude_server(*scripts: Script, read: bool = True) -> Iterator[Rude]:
    """Serve connection n with script n, further ones with the last. Scripts get the socket after the request."""
    rude = Rude()
    listener = socket.create_server(("127.0.0.1", 0))
    rude.port = listener.getsockname()[1]

    def serve(sock: socket.socket, script: Script) -> None:
        with sock, contextlib.suppress(OSError):
            request = read_request(sock) if read else sock.recv(65536)
            if request:
                rude.requests.append(request)
                script(sock, rude.closing)

    def accept() -> None:
        number = 0
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            script = scripts[min(number, len(scripts) - 1)]
            number += 1
            threads.append(threading.Thread(target=serve, args=(sock, script), daemon=True))
            threads[-1].start()

    threads: list[threading.Thread] = []
    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield rude
    finally:
        rude.closing.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(5)
        for thread in threads:
            thread.join(5)


def answer(body: bytes = b"{}", *, status: str = "200 OK", headers: str = "Content-Type: application/json") -> Script:
    """A whole answer with its length."""

    def script(sock: socket.socket, _closing: threading.Event) -> None:
        extra = f"{headers}\r\n" if headers else ""
        sock.sendall(
            f"HTTP/1.1 {status}\r\n{extra}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )

    return script


def raw(data: bytes) -> Script:
    """These bytes, then the end of the connection."""

    def script(sock: socket.socket, _closing: threading.Event) -> None:
        sock.sendall(data)

    return script


def silence(sock: socket.socket, closing: threading.Event) -> None:
    """Nothing at all."""
    closing.wait(30)


def drip(start: bytes, piece: bytes) -> Script:
    """`start`, then one piece every 20 ms for ever: no socket time-out ever fires."""

    def script(sock: socket.socket, closing: threading.Event) -> None:
        sock.sendall(start)
        while not closing.wait(0.02):
            sock.sendall(piece)

    return script


def reset(sock: socket.socket, _closing: threading.Event) -> None:
    """A TCP reset instead of an answer."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
