"""The one door to the network: total deadlines, size limit, User-Agent, pace, Retry-After, bounded retries of reads.

Reads are repeated after 1, 2, 4, 8, 16 seconds or as the service says, and end in one of `jobs.errors`. Writes are
sent once, follow no redirect, and never raise for what happened to them: `Written.fate` says whether the request
never left the house, was answered, or is in doubt. "Read" is a property of the call, not of the method: AniList is
read by POST. Knows nothing of Flask, tables or Redis; pace, token and waiting come in as callables.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar
from urllib.parse import urljoin

import requests
import tenacity
import urllib3

from jobs.answers import Answer, Unreadable, Written, retry_after
from jobs.deadline import Flight, TooLate, clock, flight, new_session
from jobs.errors import BadData, NotFound, RateLimited, ServiceDown
from jobs.public_address import check_url
from jobs.said import Said, said

VERSION = "0.1.0"
WAITS = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds before the retries of a read, unless the service says otherwise
PARK_SECONDS = 60.0  # whoever must wait longer gives its worker back
READ_BYTES = 64 * 1024 * 1024
WRITE_BYTES = 4 * 1024 * 1024
REDIRECTS = (301, 302, 303, 307, 308)
_CHUNK = 64 * 1024


def user_agent(public_url: str | None = None) -> str:
    """What every request is signed with: `Tsuzuki/<version> (+address)`."""
    return f"Tsuzuki/{VERSION} (+{public_url})" if public_url else f"Tsuzuki/{VERSION}"


class Pace(Protocol):
    """Whose turn it is. `jobs.pace.Bucket` is one."""

    def turn(self) -> float:
        """Wait for the turn; returns the seconds waited. Raises RateLimited when it is more than a minute away."""

    def heard(self, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer's rate headers."""


class NoPace:
    """For calls without a budget of their own."""

    def turn(self) -> float:
        return 0.0

    def heard(self, status: int, headers: Mapping[str, str]) -> None:
        """Nothing to learn."""


T = TypeVar("T")
Count = Callable[[str, float], None]


class TryAgain(Exception):
    """This try of a read brought nothing that can be used; `after`: seconds that the service asked for."""

    def __init__(self, detail: Said, *, status: int | None = None, after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.after = after


class Transport:
    """Requests to one service. Safe to use from several threads; each has its own connections."""

    def __init__(
        self,
        service: str,
        *,
        agent: str,
        read_seconds: float = 60.0,
        write_seconds: float = 120.0,
        retries: int = len(WAITS),
        sleep: Callable[[float], None] = time.sleep,
        count: Count | None = None,
    ) -> None:
        self.service = service
        self.read_seconds = read_seconds
        self.write_seconds = write_seconds
        self._agent = agent
        self._retries = retries
        self._sleep = sleep
        self._count = count or (lambda _service, _waited: None)
        self._local = threading.local()

    def read(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        pace: Pace | None = None,
        max_bytes: int = READ_BYTES,
        judge: Callable[[Answer], None] | None = None,
    ) -> Answer:
        """One answer that is neither 408, 429 nor 5xx; a 2xx (but 204) holds readable JSON.

        Redirects are not followed. `judge` may raise TryAgain for an answer that only looks good. Raises RateLimited
        and ServiceDown after the retries; other statuses are the caller's to judge.
        """

        def once() -> Answer:
            waited = (pace or NoPace()).turn()
            self._count(self.service, waited)
            with flight(self.read_seconds) as mine:
                answer = self._exchange(
                    self._session(), mine, method, url, params=params, body=body, headers=headers, max_bytes=max_bytes
                )
            if pace is not None:
                pace.heard(answer.status, answer.headers)
            answer = self._judge(answer)
            if judge is not None:
                judge(answer)
            return answer

        return again(once, service=self.service, retries=self._retries, sleep=self._sleep)

    def write(
        self,
        method: str,
        url: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        pace: Pace | None = None,
        seconds: float | None = None,
    ) -> Written:
        """Send once, over a connection of its own, within `seconds` (`write_seconds` by default), pace not counted.

        Time that the process slept while it waited for its turn does count. Raises RateLimited before anything is
        sent, nothing else.
        """
        asked = clock()
        waited = (pace or NoPace()).turn()
        self._count(self.service, waited)
        slept = max(clock() - asked - waited, 0.0)
        began = time.monotonic()
        whole = self.write_seconds if seconds is None else seconds
        with flight(max(whole - slept, 0.0)) as mine, new_session() as session:
            try:
                response = self._open(session, mine, method, url, body=body, headers=headers)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, TooLate) as error:
                left = mine.sent if mine.seen else not _never_connected(error)
                return Written(
                    "doubt" if left else "not_sent",
                    detail=_why(error, mine),
                    elapsed=time.monotonic() - began,
                )
            with response:
                if pace is not None:
                    pace.heard(response.status_code, response.headers)
                return self._written(response, mine, began)

    def _written(self, response: requests.Response, mine: Flight, began: float) -> Written:
        status, headers = response.status_code, response.headers
        data, detail = None, ""
        try:
            answer = Answer(status, headers, _body(response, mine, WRITE_BYTES))
            if answer.content:
                data = answer.json()
            elif 200 <= status < 300 and status != 204:
                detail = said("answered %(status)s with nothing", status=str(status))
        except Unreadable as error:
            detail = error.why
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            detail = said("answered %(status)s, then %(why)s", status=str(status), why=_why(error, mine))
        # The status decides first: a refusal stays one whatever its body. Only a 2xx needs a readable body.
        fate: Literal["answered", "doubt"] = "doubt" if 200 <= status < 300 and detail else "answered"
        return Written(
            fate,
            status,
            headers,
            data,
            detail or said("answered %(status)s", status=str(status)),
            retry_after(headers),
            time.monotonic() - began,
        )

    def _judge(self, answer: Answer) -> Answer:
        after = retry_after(answer.headers)
        if answer.status in (408, 429) or answer.status >= 500:
            raise TryAgain(said("answered %(status)s", status=str(answer.status)), status=answer.status, after=after)
        if answer.ok and answer.status != 204:
            try:
                answer.json()
            except Unreadable as error:
                raise TryAgain(error.why, status=answer.status) from None
        return answer

    def _session(self) -> requests.Session:
        """This thread's session, made after the fork."""
        if getattr(self._local, "pid", None) != os.getpid():
            self._local.session = new_session()
            self._local.pid = os.getpid()
        session: requests.Session = self._local.session
        return session

    def _open(
        self,
        session: requests.Session,
        mine: Flight,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        data = None if body is None else json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        sent = {"User-Agent": self._agent, "Accept": "application/json", **(headers or {})}
        if data is not None:
            sent["Content-Type"] = "application/json"
        return session.request(
            method,
            url,
            params=params,
            data=data,
            headers=sent,
            stream=True,
            allow_redirects=False,
            timeout=mine.timeouts,
        )

    def _exchange(
        self, session: requests.Session, mine: Flight, method: str, url: str, *, max_bytes: int, **request: Any
    ) -> Answer:
        began = time.monotonic()
        try:
            with self._open(session, mine, method, url, **request) as response:
                content = _body(response, mine, max_bytes)
                return Answer(response.status_code, response.headers, content, time.monotonic() - began)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, TooLate) as error:
            raise TryAgain(_why(error, mine)) from error
        except Unreadable as error:
            raise TryAgain(error.why) from None


def again(once: Callable[[], T], *, service: str, retries: int, sleep: Callable[[float], None] = time.sleep) -> T:
    """Call `once` until it does not ask to be tried again; waits 1, 2, 4, 8, 16 s or what the service said.

    Raises RateLimited or ServiceDown when the tries are used up, or when the service asks for more than a minute.
    """

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        after = error.after if isinstance(error, TryAgain) else None
        return WAITS[min(state.attempt_number, len(WAITS)) - 1] if after is None else after

    def far_away(state: tenacity.RetryCallState) -> bool:
        return state.attempt_number > retries or wait(state) > PARK_SECONDS

    tries = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TryAgain), stop=far_away, wait=wait, sleep=sleep, reraise=True
    )
    try:
        return tries(once)
    except TryAgain as error:
        kind = RateLimited if error.status == 429 else ServiceDown
        seconds = max(error.after or 0.0, PARK_SECONDS if error.status == 429 else 300.0)
        raise kind(
            said("%(service)s %(why)s", service=service, why=error.detail),
            service=service,
            status=error.status,
            seconds=seconds,
        ) from error


@dataclass(frozen=True, slots=True)
class Download:
    """A data set that was fetched: 200 (written to its path) or 304 (nothing new, the path is untouched)."""

    status: int
    etag: str | None
    last_modified: str | None
    bytes: int


def download(
    url: str,
    *,
    path: Path,
    etag: str | None = None,
    last_modified: str | None = None,
    deadline: float = 300.0,
    max_bytes: int = 512 * 1024 * 1024,
    service: str = "data set",
    agent: str = "",
    retries: int = len(WAITS),
    sleep: Callable[[float], None] = time.sleep,
    public_only: bool = False,
) -> Download:
    """Fetch a file by conditional GET into `path`, whole or not at all, each try within `deadline` seconds.

    Follows up to five redirects. Raises RateLimited or ServiceDown (after the retries), NotFound (404, 410) and
    BadData (another 4xx, more than `max_bytes`, a redirect that leads nowhere). `max_bytes` counts unpacked bytes.
    `public_only`: https and public addresses alone, also after redirects, else NotPublic.
    """
    headers = {"User-Agent": agent or user_agent(), "Accept": "*/*"}
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified

    def once() -> Download:
        with flight(deadline) as mine, new_session(public_only=public_only) as session:
            try:
                with _follow(session, mine, url, headers, service, public_only=public_only) as response:
                    return _save(response, mine, path, max_bytes, service)
            except (requests.RequestException, urllib3.exceptions.HTTPError, TooLate) as error:
                raise TryAgain(_why(error, mine)) from error

    return again(once, service=service, retries=retries, sleep=sleep)


def _follow(
    session: requests.Session, mine: Flight, url: str, headers: Mapping[str, str], service: str, *, public_only: bool
) -> requests.Response:
    for _hop in range(6):
        if public_only:
            check_url(url)
        response = session.get(url, headers=dict(headers), stream=True, allow_redirects=False, timeout=mine.timeouts)
        if response.status_code not in REDIRECTS:
            return response
        target = urljoin(url, response.headers.get("Location", ""))
        response.close()
        if not target.startswith(("http://", "https://")) or (url.startswith("https:") and target.startswith("http:")):
            break
        url = target
    raise BadData(
        said("%(service)s redirects to nowhere", service=service), service=service, status=response.status_code
    )


def _save(response: requests.Response, mine: Flight, path: Path, max_bytes: int, service: str) -> Download:
    status, after = response.status_code, retry_after(response.headers)
    if status == 429 or status == 408 or status >= 500:
        raise TryAgain(said("answered %(status)s", status=str(status)), status=status, after=after)
    if status in (404, 410):
        raise NotFound(
            said("%(service)s answered %(status)s: nothing at that address", service=service, status=str(status)),
            service=service,
            status=status,
        )
    if status not in (200, 304):
        raise BadData(
            said("%(service)s answered %(status)s", service=service, status=str(status)), service=service, status=status
        )
    size = 0
    if status == 200:
        part = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.part")
        try:
            with part.open("wb") as file:
                for piece in _pieces(response, mine):
                    size += len(piece)
                    if size > max_bytes:
                        raise BadData(
                            said("%(service)s is larger than %(most)s bytes", service=service, most=max_bytes),
                            service=service,
                            status=status,
                        )
                    file.write(piece)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return Download(status, response.headers.get("ETag"), response.headers.get("Last-Modified"), size)


def _pieces(response: requests.Response, mine: Flight) -> Iterator[bytes]:
    """The unpacked body, piece by piece. Raises requests' Timeout when the deadline passes meanwhile."""
    for piece in response.iter_content(_CHUNK):
        if not mine.left:
            break
        yield piece
    if mine.expired or not mine.left:  # a cut connection looks like the end of a body without a length
        raise requests.exceptions.ReadTimeout


def _body(response: requests.Response, mine: Flight, max_bytes: int) -> bytes:
    content = bytearray()
    for piece in _pieces(response, mine):
        content += piece
        if len(content) > max_bytes:
            raise Unreadable(said("answered with more than %(most)s bytes", most=max_bytes))
    return bytes(content)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = [error]
    while seen:
        error = seen.pop()
        yield error
        seen += [
            e for e in (error.__cause__, getattr(error, "reason", None), *error.args) if isinstance(e, BaseException)
        ]


def _never_connected(error: BaseException) -> bool:
    """Judged by the kind of error alone: for connections that are not our own (a test's stand-in)."""
    kinds = (requests.exceptions.ConnectTimeout, requests.exceptions.SSLError, ConnectionRefusedError, TooLate)
    inner = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.SSLError)
    return any(isinstance(e, kinds + inner) for e in _causes(error))


def _why(error: BaseException, mine: Flight) -> Said:
    """One sentence part for the log, without addresses: they may hold secrets."""
    chain = list(_causes(error))
    if mine.expired or any(isinstance(e, TooLate) for e in chain):
        return said("did not answer in time")
    for kinds, words in _WORDS:
        if any(isinstance(e, kinds) for e in chain):
            return words
    return said("could not be reached")


_WORDS: tuple[tuple[tuple[type[BaseException], ...], Said], ...] = (
    ((ConnectionRefusedError,), said("refused the connection")),
    ((urllib3.exceptions.NameResolutionError,), said("could not be found: its name does not resolve")),
    ((requests.exceptions.SSLError, urllib3.exceptions.SSLError), said("could not be reached securely (TLS)")),
    ((requests.exceptions.ConnectTimeout,), said("could not be reached in time")),
    ((requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError), said("did not answer in time")),
    ((urllib3.exceptions.NewConnectionError,), said("could not be reached")),
    (
        (requests.exceptions.ContentDecodingError, urllib3.exceptions.DecodeError),
        said("sent a body that cannot be unpacked"),
    ),
    (
        (requests.exceptions.ChunkedEncodingError, urllib3.exceptions.IncompleteRead),
        said("sent only part of its answer"),
    ),
    ((requests.exceptions.ConnectionError, urllib3.exceptions.ProtocolError, OSError), said("dropped the connection")),
)
