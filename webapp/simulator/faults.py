"""Faults on demand: what goes wrong, at which request, and how it looks on the wire.

A fault waits in a queue until a request fits its service, method and path, lets `nth - 1` of them pass and then hits
`count` of them. Kinds:

status               `status` with `body` and `headers`; nothing is applied
delay                the request waits for `seconds` before anything is applied
late_answer          everything is applied, the answer comes `seconds` late
drop_before          the connection ends before anything is applied
drop_after_apply     everything is applied, then the connection ends without an answer
applied_then_status  everything is applied, the answer is `status`
html                 a Cloudflare page with `status` (403 unless said); nothing is applied
half_body            everything is applied, half of the answer comes, then the connection ends
invalid_json         everything is applied, the answer is 200 with broken JSON
silence              nothing is applied, nothing is answered for `seconds`, then the connection ends
short_list           one row is missing at the end of a list, the headers stay
repeated_page        the page before is served once more, under the number that was asked for
wrong_item_count     X-Pagination-Item-Count is one too high
drop_one             the last play of a body of plays is not applied, and nothing says so but the count
short_count          everything is applied, the answer counts one less
graphql_error_200    HTTP 200 with GraphQL errors in the body; nothing is applied
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

KINDS = frozenset(
    (
        "status",
        "delay",
        "late_answer",
        "drop_before",
        "drop_after_apply",
        "applied_then_status",
        "html",
        "half_body",
        "invalid_json",
        "silence",
        "short_list",
        "repeated_page",
        "wrong_item_count",
        "drop_one",
        "short_count",
        "graphql_error_200",
    )
)

CLOUDFLARE = (
    b"<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head>"
    b"<body><h1>Sorry, you have been blocked</h1></body></html>"
)


@dataclass(slots=True)
class Fault:
    """One fault in the queue; the fields are those of `POST /_sim/faults`."""

    kind: str
    service: str = ""
    method: str = ""
    path: str = ""  # prefix of the path below the service, such as /sync/history
    nth: int = 1
    count: int = 1  # 0: for ever
    status: int = 503
    seconds: float = 1.0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    hits: int = 0

    @classmethod
    def parse(cls, spec: Mapping[str, Any]) -> Fault:
        """Raises ValueError for an unknown kind or field."""
        unknown = set(spec) - {f.name for f in fields(cls)}
        if unknown or spec.get("kind") not in KINDS:
            raise ValueError(f"unknown fault: {', '.join(sorted(unknown)) or spec.get('kind')}")
        return cls(**spec)

    def fits(self, service: str, method: str, path: str) -> bool:
        return self.service in ("", service) and self.method in ("", method) and path.startswith(self.path)


def take(queue: list[Fault], service: str, method: str, path: str) -> Fault | None:
    """The fault that hits this request, if any; used-up ones leave the queue."""
    for fault in list(queue):
        if not fault.fits(service, method, path):
            continue
        if fault.nth > 1:
            fault.nth -= 1
            continue
        fault.hits += 1
        if fault.count:
            fault.count -= 1
            if not fault.count:
                queue.remove(fault)
        return fault
    return None


@dataclass(slots=True)
class Answer:
    """A whole answer of the app, ready to be sent or spoiled."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    def send(self, start_response: StartResponse) -> Iterable[bytes]:
        start_response(self.status, self.headers)
        return [self.body]

    def with_header(self, name: str, value: str) -> None:
        self.headers = [(n, v) for n, v in self.headers if n.lower() != name.lower()] + [(name, value)]


def made(status: int, body: bytes, headers: Mapping[str, str], kind: str) -> Answer:
    rows = {"Content-Type": kind, "Content-Length": str(len(body)), **headers}
    return Answer(f"{status} Simulated", list(rows.items()), body)


def before(fault: Fault, environ: WSGIEnvironment, sleep: Callable[[float], None] = time.sleep) -> Answer | None:
    """What a fault does before the app is asked: wait, or answer in its place."""
    if fault.kind == "delay":
        sleep(fault.seconds)
    elif fault.kind == "silence":
        sleep(fault.seconds)
        return cut(environ)
    elif fault.kind == "drop_before":
        return cut(environ)
    elif fault.kind == "status":
        return made(fault.status, fault.body.encode(), fault.headers, "application/json")
    elif fault.kind == "html":
        return made(403 if fault.status == 503 else fault.status, CLOUDFLARE, fault.headers, "text/html; charset=UTF-8")
    elif fault.kind == "graphql_error_200":
        errors = [
            {"message": fault.body or "Internal Server Error", "status": 500, "locations": [{"line": 1, "column": 1}]}
        ]
        return made(200, json.dumps({"data": None, "errors": errors}).encode(), fault.headers, "application/json")
    elif fault.kind == "repeated_page":
        environ["tsuzuki.page_back"] = "1"
    elif fault.kind == "drop_one":
        environ["tsuzuki.drop_one"] = "1"
    return None


def after(
    fault: Fault, environ: WSGIEnvironment, answer: Answer, sleep: Callable[[float], None] = time.sleep
) -> Answer:
    """What a fault does to a finished answer."""
    if fault.kind == "drop_after_apply":
        return cut(environ)
    if fault.kind == "applied_then_status":
        return made(fault.status, fault.body.encode(), fault.headers, "application/json")
    if fault.kind == "late_answer":
        sleep(fault.seconds)
    elif fault.kind == "half_body":
        # The length says more than what comes: the server ends the connection after it.
        answer.with_header("Content-Length", str(max(2, len(answer.body))))
        answer.body = answer.body[: len(answer.body) // 2]
    elif fault.kind == "invalid_json":
        return made(200, b'{"data": [', {}, "application/json")
    elif fault.kind == "short_list":
        rows = json.loads(answer.body)
        answer.body = json.dumps(rows[:-1] if isinstance(rows, list) else rows).encode()
        answer.with_header("Content-Length", str(len(answer.body)))
    elif fault.kind == "short_count":
        counted = json.loads(answer.body)
        counted["added"]["episodes"] -= 1
        answer.body = json.dumps(counted).encode()
        answer.with_header("Content-Length", str(len(answer.body)))
    elif fault.kind == "wrong_item_count":
        headers: MutableMapping[str, str] = dict(answer.headers)
        answer.with_header("X-Pagination-Item-Count", str(int(headers.get("X-Pagination-Item-Count", "0")) + 1))
    return answer


def cut(environ: WSGIEnvironment) -> Answer:
    """End the connection without an answer. Without a socket (a WSGI test client) the answer says so by its status 599."""
    connection = environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)  # the server's own writing then fails, and it closes the connection
    return made(599, b"", {"X-Simulated": "connection cut"}, "text/plain")
