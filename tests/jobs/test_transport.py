"""The door to the network against servers on real sockets that drip, stop, lie and hang up."""

from __future__ import annotations

import gzip
import json
import socket
import time
import tomllib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import urllib3

from jobs import deadline, transport
from jobs.answers import Answer, Unreadable, retry_after
from jobs.errors import BadData, NotFound, RateLimited, ServiceDown
from jobs.transport import VERSION, Download, Transport, download, user_agent
from tests.at_once import at_once
from tests.jobs.servers import Script, answer, drip, raw, reset, rude_server, silence

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def _transport(*, seconds: float = 5.0, sleeps: list[float] | None = None, **options: Any) -> Transport:
    taken = sleeps if sleeps is not None else []
    return Transport(
        "trakt", agent="Tsuzuki/test", read_seconds=seconds, write_seconds=seconds, sleep=taken.append, **options
    )


class _Pace:
    def __init__(self) -> None:
        self.turns = 0
        self.answers: list[int] = []

    def turn(self) -> float:
        self.turns += 1
        return 0.25

    def heard(self, status: int, _headers: Any) -> None:
        self.answers.append(status)


def test_the_version_in_the_user_agent_is_that_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
    assert user_agent("https://t.example") == f"Tsuzuki/{VERSION} (+https://t.example)"


def test_a_read_signs_itself_and_parses_json() -> None:
    with rude_server(answer(b'{"a": 1}')) as server:
        got = _transport().read("POST", server.url, body={"query": "ü"}, headers={"Referer": "https://t.example"})
        assert got.json() == {"a": 1}
    request = server.requests[0]
    assert b"User-Agent: Tsuzuki/test\r\n" in request
    assert b"Referer: https://t.example\r\n" in request
    assert b"Content-Type: application/json\r\n" in request
    assert request.endswith('{"query":"ü"}'.encode())


@pytest.mark.parametrize(
    "script",
    [
        silence,
        drip(HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
        drip(HEAD + b"\r\n", b" "),  # no length: a cut connection would look like the end
        drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        drip(b"HTTP/1.1 200 OK\r\n", b"X-A: 1\r\n"),  # headers without an end
    ],
    ids=["silence", "dripping body", "dripping body without length", "dripping chunks", "dripping headers"],
)
def test_a_read_ends_at_its_deadline_whatever_drips(script: Script) -> None:
    with rude_server(script) as server, pytest.raises(ServiceDown, match="did not answer in time"):
        _transport(seconds=0.25, retries=0).read("GET", server.url)


@pytest.mark.parametrize("script", [silence, drip(HEAD + b"Content-Length: 9999\r\n\r\n", b" ")])
def test_a_write_that_is_cut_at_its_deadline_is_in_doubt(script: Script) -> None:
    with rude_server(script) as server:
        written = _transport(seconds=0.25).write("POST", server.url, body={})
    assert written.fate == "doubt"
    assert "did not answer in time" in written.detail
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "script",
    [
        reset,
        raw(b""),
        raw(HEAD + b'Content-Length: 50\r\n\r\n{"added":'),
        raw(HEAD + b'\r\n{"added":'),
        raw(HEAD + b'Transfer-Encoding: chunked\r\n\r\n9\r\n{"added":\r\n'),
        answer(b"<html>", headers="Content-Type: text/html"),
        answer(b"{}", headers=""),
        answer(b"not json"),
        answer(b""),
        raw(b"nonsense\r\n\r\n"),
    ],
    ids=[
        "reset",
        "hang up",
        "half",
        "half without length",
        "half chunked",
        "html",
        "untyped",
        "bad",
        "empty",
        "no http",
    ],
)
def test_a_write_without_a_readable_2xx_is_in_doubt_and_sent_once(script: Script) -> None:
    sleeps: list[float] = []
    with rude_server(script) as server:
        written = _transport(sleeps=sleeps).write("POST", server.url, body={})
    assert (written.fate, written.ok, len(server.requests), sleeps) == ("doubt", False, 1, [])


@pytest.mark.parametrize("status", ["400 Bad Request", "413 Too Large", "429 Slow", "503 Down", "302 Found"])
def test_the_status_of_a_write_decides_before_its_body(status: str) -> None:
    number = int(status.split(maxsplit=1)[0])
    half = f"HTTP/1.1 {status}\r\nLocation: /elsewhere\r\nRetry-After: 7\r\nContent-Length: 99\r\n\r\n<html".encode()
    with rude_server(raw(half)) as server:
        written = _transport().write("POST", server.url, body={})
    assert (written.fate, written.status, written.data, written.retry_after) == ("answered", number, None, 7.0)
    assert len(server.requests) == 1


def test_a_write_that_was_answered_holds_its_json() -> None:
    with rude_server(answer(b'{"added":{"episodes":2}}', status="201 Created")) as server:
        written = _transport().write("POST", server.url, body={})
    assert written.ok
    assert written.data == {"added": {"episodes": 2}}


def test_a_refused_connection_left_nothing_of_a_write() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    written = _transport().write("POST", f"http://127.0.0.1:{port}/", body={})
    assert (written.fate, written.detail) == ("not_sent", "refused the connection")


def test_a_failed_tls_handshake_left_nothing_of_a_write() -> None:
    with rude_server(answer(b"this is no TLS"), read=False) as server:
        written = _transport().write("POST", server.url.replace("http:", "https:"), body={"secret": "x"})
    assert written.fate == "not_sent"


def test_a_tls_handshake_that_never_ends_left_nothing_of_a_write() -> None:
    with rude_server(silence, read=False) as server:
        written = _transport(seconds=0.3).write("POST", server.url.replace("http:", "https:"), body={})
    assert written.fate == "not_sent"


def test_an_unknown_name_left_nothing_of_a_write(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_name(*_args: Any, **_kwargs: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    written = _transport().write("POST", "http://trakt.invalid/", body={})
    assert written.fate == "not_sent"
    assert "name does not resolve" in written.detail


def test_a_write_does_not_leave_after_the_machine_has_slept_past_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it waits for its turn, and while it looks for the address."""
    slept = [0.0]
    monkeypatch.setattr(deadline, "clock", lambda: time.monotonic() + slept[0])
    monkeypatch.setattr(transport, "clock", deadline.clock)

    class Lid:
        def turn(self) -> float:
            slept[0] += 3600.0
            return 0.0

        def heard(self, status: int, headers: Mapping[str, str]) -> None:
            raise AssertionError

    with rude_server(answer()) as server:
        assert _transport().write("POST", server.url, body={}, pace=Lid()).fate == "not_sent"
        connect = urllib3.util.connection.create_connection

        def slowly(*arguments: Any, **options: Any) -> socket.socket:
            slept[0] += 3600.0
            return connect(*arguments, **options)

        monkeypatch.setattr(urllib3.util.connection, "create_connection", slowly)
        assert _transport().write("POST", server.url, body={}).fate == "not_sent"
    assert server.requests == []


def test_a_write_whose_time_is_over_before_it_leaves_is_not_sent() -> None:
    with rude_server(answer()) as server:
        written = _transport().write("POST", server.url, body={}, seconds=0.0)
    assert written.fate == "not_sent"
    assert server.requests == []


@pytest.mark.parametrize(
    "script",
    [
        answer(b"", status="500 Oops"),
        answer(b"<html>", status="502 Bad Gateway", headers="Content-Type: text/html"),
        answer(b"<html>", headers="Content-Type: text/html"),
        answer(b"{", headers="Content-Type: application/json"),
        raw(HEAD + b'Content-Length: 50\r\n\r\n{"a":'),
        answer(b"", status="429 Slow"),
        reset,
    ],
    ids=["500", "502 html", "200 html", "bad json", "half", "429", "reset"],
)
def test_a_read_is_repeated_until_it_is_readable(script: Script) -> None:
    sleeps: list[float] = []
    with rude_server(script, script, answer(b"[]")) as server:
        assert _transport(sleeps=sleeps).read("GET", server.url).json() == []
    assert sleeps == [1.0, 2.0]
    assert len(server.requests) == 3


def test_a_read_gives_up_after_five_retries() -> None:
    sleeps: list[float] = []
    with rude_server(answer(b"", status="503 Down")) as server, pytest.raises(ServiceDown, match="answered 503") as got:
        _transport(sleeps=sleeps).read("GET", server.url)
    assert sleeps == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert got.value.service == "trakt"


def test_a_read_waits_as_long_as_the_service_says() -> None:
    sleeps: list[float] = []
    with rude_server(answer(b"", status="429 Slow", headers="Retry-After: 33"), answer(b"[]")) as server:
        _transport(sleeps=sleeps).read("GET", server.url)
    assert sleeps == [33.0]


def test_a_read_that_must_wait_more_than_a_minute_parks_the_run() -> None:
    sleeps: list[float] = []
    with (
        rude_server(answer(b"", status="429 Slow", headers="Retry-After: 300")) as server,
        pytest.raises(RateLimited) as got,
    ):
        _transport(sleeps=sleeps).read("GET", server.url)
    assert (got.value.seconds, sleeps, len(server.requests)) == (300.0, [], 1)


@pytest.mark.parametrize("status", ["304 Not Modified", "400 Bad", "401 No", "403 No", "404 None", "302 Found"])
def test_other_statuses_of_a_read_are_the_callers_to_judge(status: str) -> None:
    with rude_server(raw(f"HTTP/1.1 {status}\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n".encode())) as server:
        assert _transport().read("GET", server.url).status == int(status[:3])
    assert len(server.requests) == 1


def test_a_read_that_grows_beyond_its_limit_is_given_up() -> None:
    big = gzip.compress(b"[" + b" " * 1_000_000 + b"]")
    script = answer(big, headers="Content-Type: application/json\r\nContent-Encoding: gzip")
    with rude_server(script) as server, pytest.raises(ServiceDown, match="more than 1,000 bytes"):
        _transport(retries=0).read("GET", server.url, max_bytes=1000)


def test_every_try_takes_its_turn_is_counted_and_reports_what_it_heard() -> None:
    pace, counted = _Pace(), []
    with rude_server(answer(b"", status="500 Oops"), answer(b"[]")) as server:
        _transport(count=lambda service, waited: counted.append((service, waited))).read("GET", server.url, pace=pace)
    assert (pace.turns, pace.answers) == (2, [500, 200])
    assert counted == [("trakt", 0.25), ("trakt", 0.25)]


def test_a_netrc_does_not_replace_our_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with rude_server(answer(b"[]")) as server:
        _transport().read("GET", server.url, headers={"Authorization": "Bearer mine"})
    assert b"Authorization: Bearer mine\r\n" in server.requests[0]


def test_threads_do_not_share_a_deadline() -> None:
    with rude_server(silence) as slow, rude_server(answer(b"[]")) as quick:
        transport = _transport(seconds=0.4, retries=0)

        def read(url: str) -> int | str:
            try:
                return transport.read("GET", url).status
            except ServiceDown:
                return "late"

        results = at_once([partial(read, url) for url in (slow.url, quick.url, quick.url)])
    assert results == ["late", 200, 200]


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/graphql-response+json"]
)
def test_json_is_parsed_by_its_content_type(content_type: str) -> None:
    from requests.structures import CaseInsensitiveDict

    assert Answer(200, CaseInsensitiveDict({"content-type": content_type}), b"[1]").json() == [1]


@pytest.mark.parametrize("content", [b"[NaN]", b"\xff", b"[" * 100_000, b""])
def test_nonsense_is_unreadable(content: bytes) -> None:
    with pytest.raises(Unreadable):
        Answer(200, {"Content-Type": "application/json"}, content).json()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("12", 12.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90.0),
        ("soon", None),
        ("", None),
        ("nan", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": value}, now=10.0) == seconds


def test_a_download_follows_redirects_and_keeps_its_tags(tmp_path: Path) -> None:
    file = answer(b"rows", headers='ETag: "e1"\r\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT')
    with rude_server(file) as target:
        hop = answer(b"", status="302 Found", headers=f"Location: {target.url}")
        with rude_server(hop) as first:
            got = download(first.url, path=tmp_path / "a", etag='"e0"', last_modified="then")
    assert got == Download(200, '"e1"', "Mon, 01 Jan 2024 00:00:00 GMT", 4)
    assert (tmp_path / "a").read_bytes() == b"rows"
    assert b'If-None-Match: "e0"\r\n' in target.requests[0]
    assert b"If-Modified-Since: then\r\n" in target.requests[0]


def test_a_download_that_did_not_change_leaves_the_file_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with rude_server(raw(b'HTTP/1.1 304 Not Modified\r\nETag: "e0"\r\n\r\n')) as server:
        assert download(server.url, path=tmp_path / "a", etag='"e0"').status == 304
    assert (tmp_path / "a").read_bytes() == b"old"


def test_half_a_download_leaves_the_file_alone_and_is_repeated(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    sleeps: list[float] = []
    with (
        rude_server(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")) as server,
        pytest.raises(ServiceDown, match="only part of its answer"),
    ):
        download(server.url, path=tmp_path / "a", retries=2, sleep=sleeps.append)
    assert sleeps == [1.0, 2.0]
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (answer(b"", status="404 None"), NotFound),
        (answer(b"", status="403 No"), BadData),
        (answer(b"x" * 100), BadData),
        (answer(b"", status="302 Found", headers="Location: file:///etc/passwd"), BadData),
        (answer(b"", status="302 Found", headers="Location: /x"), BadData),
        (answer(b"", status="429 Slow", headers="Retry-After: 100"), RateLimited),
        (drip(b"HTTP/1.1 200 OK\r\n\r\n", b" "), ServiceDown),
    ],
    ids=["404", "403", "too large", "file", "circle", "429", "drip"],
)
def test_a_download_that_cannot_be_had_says_why(script: Script, error: type[Exception], tmp_path: Path) -> None:
    with rude_server(script) as server, pytest.raises(error):
        download(server.url, path=tmp_path / "a", deadline=0.5, max_bytes=50, retries=0)
    assert list(tmp_path.iterdir()) == []


def test_the_body_of_a_request_is_compact_json() -> None:
    with rude_server(answer(b"[]")) as server:
        _transport().write("POST", server.url, body={"a": [1, 2]})
    assert json.loads(server.requests[0].split(b"\r\n\r\n")[1]) == {"a": [1, 2]}
    assert server.requests[0].endswith(b'{"a":[1,2]}')


def test_nothing_leaves_after_a_moment_that_was_promised() -> None:
    with rude_server(answer()) as server:
        with deadline.not_after(deadline.clock() - 1.0):
            assert _transport().write("POST", server.url, body={}).fate == "not_sent"
        with deadline.not_after(deadline.clock() + 60.0):
            assert _transport().write("POST", server.url, body={}).ok
        assert _transport().write("POST", server.url, body={}).ok
    assert len(server.requests) == 2
