"""Trakt: pictures that are complete or an error, and what each answer to a write means."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st

from jobs.answers import Written
from jobs.errors import (
    AccountLimit,
    AccountLocked,
    AppRefused,
    BadData,
    IncompleteRead,
    NotFound,
    RateLimited,
    Reconnect,
    ServiceDown,
    Settling,
    TsuzukiError,
    VipRequired,
)
from jobs.records import Play
from jobs.targets.trakt import HistoryRow, Trakt
from jobs.targets.trakt_writes import check_body, history_body, receipt
from jobs.transport import Transport
from tests.jobs.servers import raw, rude_server

URL = "http://127.0.0.1:9/trakt"
WATCHED = datetime(2024, 5, 1, 20, 0, 7, tzinfo=UTC)


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


class Tokens:
    """A person's tokens: the first is used until it is refused, then the others in turn."""

    def __init__(self, *tokens: str | None) -> None:
        self.tokens = list(tokens) or ["t1"]
        self.refused: list[str] = []

    def __call__(self) -> str | None:
        return self.tokens[0]

    def renew(self, used: str) -> str | None:
        self.refused.append(used)
        self.tokens = [*self.tokens[1:], None]
        return self.tokens[0]


def _client(tokens: Tokens | None = None, *, url: str = URL, writes: Any = None, seconds: float = 5.0) -> Trakt:
    tokens = tokens or Tokens()
    transport = Transport(
        "trakt", agent="Tsuzuki/test", read_seconds=seconds, write_seconds=seconds, retries=1, sleep=lambda _s: None
    )
    return Trakt(transport, url, client_id="app-1", token=tokens, renew=tokens.renew, writes=writes)


def _play(episode: int = 1, **more: Any) -> Play:
    values: dict[str, Any] = {
        "anilist_id": 1, "episode": episode, "nth": 1, "kind": "episode", "trakt_id": 10, "season": 1, "number": episode,
        "target_nth": 1, "before": 0, "watched_at": WATCHED, "date_source": "activity",
    }  # fmt: skip
    return Play(**{**values, **more})


def _movie(trakt_id: int = 99, **more: Any) -> Play:
    return _play(1, kind="movie", trakt_id=trakt_id, season=0, number=0, **more)


# Pictures


def _activities(web: Any, *moments: str) -> None:
    for moment in moments:
        web.get(
            f"{URL}/sync/last_activities", json={"episodes": {"watched_at": moment}, "movies": {"watched_at": moment}}
        )


def _show(trakt_id: int, *episodes: tuple[int, int, int], **more: Any) -> dict[str, Any]:
    seasons: dict[int, list[dict[str, Any]]] = {}
    for season, number, plays in episodes:
        row = {"number": number, "plays": plays, "last_watched_at": "2024-05-01T20:00:07.000Z"}
        seasons.setdefault(season, []).append(row)
    return {
        "plays": sum(plays for *_, plays in episodes),
        "reset_at": "2024-06-01T00:00:00.000Z",
        "show": {"title": "x", "ids": {"trakt": trakt_id}},
        "seasons": [{"number": number, "episodes": rows} for number, rows in seasons.items()],
        **more,
    }


def _film(trakt_id: int, plays: int = 1) -> dict[str, Any]:
    return {"plays": plays, "last_watched_at": None, "movie": {"ids": {"trakt": trakt_id}}}


def _pages(
    web: Any, path: str, rows: list[Any], *, limit: int = 2, change: Callable[[int, dict[str, str]], None] | None = None
) -> None:
    """`rows` in pages as Trakt sends them; `change(page, headers)` makes one of them wrong."""
    count = math.ceil(len(rows) / limit)
    for page in range(1, max(count, 1) + 1):
        headers = {
            "X-Pagination-Page": str(page),
            "X-Pagination-Limit": str(limit),
            "X-Pagination-Page-Count": str(count),
            "X-Pagination-Item-Count": str(len(rows)),
        }
        if change:
            change(page, headers)
        web.get(URL + path, json=rows[(page - 1) * limit : page * limit], headers=headers)


SHOWS = [_show(1, (0, 3, 1), (1, 1, 2)), _show(2, (1, 1, 1)), _show(3, (2, 5, 0))]


def test_a_picture_holds_every_page_and_the_specials(web: Any) -> None:
    _activities(web, "2024-05-01T20:00:07.000Z")
    _pages(web, "/sync/watched/shows", SHOWS)
    _pages(web, "/sync/watched/movies", [_film(7, 3)])
    before = datetime.now(UTC)
    picture = _client().picture("uuid-1")
    assert {key: watched.plays for key, watched in picture.episodes.items()} == {
        (1, 0, 3): 1, (1, 1, 1): 2, (2, 1, 1): 1, (3, 2, 5): 0,
    }  # fmt: skip
    assert picture.movies[7].plays == 3
    assert picture.movies[7].last_watched_at is None
    assert picture.account_id == "uuid-1"
    assert picture.activities["movies"] == "2024-05-01T20:00:07.000Z"
    assert before <= picture.began_at <= datetime.now(UTC)
    shows = [call.request for call in web.calls if "/watched/shows" in call.request.url]
    assert [r.params["page"] for r in shows] == ["1", "2"]
    wanted = {"extended": "progress", "specials": "true", "hidden": "true", "limit": "100"}
    assert wanted.items() <= shows[0].params.items()


def test_every_request_carries_trakts_headers(web: Any) -> None:
    _activities(web, "x")
    _client().last_activities()
    headers = web.calls[0].request.headers
    wanted = {
        "Content-Type": "application/json", "trakt-api-key": "app-1", "trakt-api-version": "2",
        "Authorization": "Bearer t1", "User-Agent": "Tsuzuki/test",
    }  # fmt: skip
    assert wanted.items() <= dict(headers).items()


def test_an_account_without_plays_has_an_empty_picture(web: Any) -> None:
    web.get(f"{URL}/sync/last_activities", json={"episodes": {"watched_at": None}, "movies": {"watched_at": None}})
    _pages(web, "/sync/watched/shows", [])
    _pages(web, "/sync/watched/movies", [])
    picture = _client().picture("uuid-1")
    assert (picture.total, dict(picture.activities)) == (0, {"episodes": "", "movies": ""})


def _drop(page: int, name: str) -> Callable[[int, dict[str, str]], None]:
    def change(at: int, headers: dict[str, str]) -> None:
        if at == page:
            del headers[f"X-Pagination-{name}"]

    return change


def _set(page: int, name: str, value: str) -> Callable[[int, dict[str, str]], None]:
    return lambda at, headers: headers.update({f"X-Pagination-{name}": value}) if at == page else None


@pytest.mark.parametrize(
    "change",
    [
        _drop(1, "Page-Count"),
        _drop(2, "Item-Count"),
        _drop(1, "Limit"),
        _drop(1, "Page"),
        _set(1, "Page-Count", "1"),
        _set(1, "Page-Count", "99999"),
        _set(1, "Item-Count", "2"),
        _set(1, "Item-Count", "9"),
        _set(2, "Item-Count", "4"),
        _set(2, "Page", "1"),
        _set(1, "Limit", "3"),
        _set(1, "Limit", "0"),
        _set(2, "Limit", "two"),
    ],
)
def test_pages_that_do_not_fit_together_are_never_nothing_watched(
    web: Any, change: Callable[[int, dict[str, str]], None]
) -> None:
    _activities(web, "x")
    _pages(web, "/sync/watched/shows", SHOWS, change=change)
    web.assert_all_requests_are_fired = False
    with pytest.raises(IncompleteRead):
        _client().picture("uuid-1")


@pytest.mark.parametrize(
    "rows",
    [
        [_show(1, (1, 1, 1)), _show(1, (1, 1, 1))],
        [_show(1, (1, 1, 1)), _show(2, (1, 1, 1)), _show(1, (1, 1, 1))],
        [_show(1, plays=4)],
        [_show(1, (1, 1, 1), seasons=None)],
        [_show(1, (1, 1, 1), seasons=[{"number": 1}])],
        [_show(1, (1, 1, 1), seasons=[{"number": 1, "episodes": [{"number": 1}]}])],
        [_show(1, (1, 1, 1), seasons=[{"number": None, "episodes": []}])],
        [_show(1, (1, 1, 1), show={})],
        [None],
    ],
    ids=["repeated", "repeated page", "no seasons", "null", "no episodes", "no plays", "no number", "no id", "no row"],
)
def test_a_row_that_cannot_be_read_is_never_nothing_watched(web: Any, rows: list[Any]) -> None:
    _activities(web, "x")
    _pages(web, "/sync/watched/shows", rows)
    web.assert_all_requests_are_fired = False
    with pytest.raises(IncompleteRead):
        _client().picture("uuid-1")


def test_what_moves_while_reading_is_read_once_more(web: Any) -> None:
    _activities(web, "1", "2", "2", "2")
    for _ in range(2):
        _pages(web, "/sync/watched/shows", [])
        _pages(web, "/sync/watched/movies", [])
    assert _client().picture("uuid-1").activities["episodes"] == "2"


def test_what_keeps_moving_is_read_again_when_it_has_come_to_rest(web: Any) -> None:
    _activities(web, "1", "2", "3", "4", "5", "6")
    for _ in range(3):
        _pages(web, "/sync/watched/shows", [])
        _pages(web, "/sync/watched/movies", [])
    with pytest.raises(Settling, match="kept changing"):
        _client().picture("uuid-1")


def test_pages_that_shifted_because_something_was_added_are_read_once_more(web: Any) -> None:
    _activities(web, "1", "2", "2", "2")
    _pages(web, "/sync/watched/shows", SHOWS, change=_set(2, "Item-Count", "4"))
    _pages(web, "/sync/watched/shows", SHOWS)
    _pages(web, "/sync/watched/movies", [])
    assert len(_client().picture("uuid-1").episodes) == 4


# Reads that fail


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, AppRefused),
        (400, BadData),
        (403, AppRefused),
        (404, NotFound),
        (412, BadData),
        (420, AccountLimit),
        (423, AccountLocked),
        (426, VipRequired),
        (429, RateLimited),
        (500, ServiceDown),
        (522, ServiceDown),
    ],
)
def test_each_status_of_a_read_has_its_error(web: Any, status: int, kind: type[TsuzukiError]) -> None:
    web.get(f"{URL}/sync/last_activities", status=status, body="<html>", content_type="text/html")
    with pytest.raises(kind) as got:
        _client().last_activities()
    assert type(got.value) is kind
    assert (got.value.service, bool(got.value.detail)) == ("trakt", True)


def test_a_read_that_is_not_signed_in_renews_once(web: Any) -> None:
    tokens = Tokens("t1", "t2")
    web.get(f"{URL}/sync/last_activities", status=401, body="")
    _activities(web, "x")
    _client(tokens).last_activities()
    assert tokens.refused == ["t1"]
    assert web.calls[1].request.headers["Authorization"] == "Bearer t2"


@pytest.mark.parametrize("tokens", [Tokens(None), Tokens("t1"), Tokens("t1", "t2")], ids=["none", "no new", "both"])
def test_a_read_that_stays_refused_needs_the_person(web: Any, tokens: Tokens) -> None:
    web.assert_all_requests_are_fired = False
    web.get(f"{URL}/sync/last_activities", status=401, body="")
    with pytest.raises(Reconnect) as got:
        _client(Tokens(*tokens.tokens)).last_activities()
    assert got.value.reason == "reconnect_trakt"


def test_activities_without_the_history_are_bad_data(web: Any) -> None:
    web.get(f"{URL}/sync/last_activities", json={"all": "x"})
    with pytest.raises(BadData):
        _client().last_activities()


def test_the_account_is_known_by_what_never_changes(web: Any) -> None:
    user = {"username": "hanako", "vip": False, "vip_ep": True, "ids": {"slug": "hanako", "uuid": "u-1"}}
    settings = {"user": user, "account": {"timezone": "Europe/Berlin"}, "browsing": {"watch_only_once": True}}
    web.get(f"{URL}/users/settings", json=settings)
    account = _client().account()
    assert (account.account_id, account.name, account.vip) == ("u-1", "hanako", True)
    assert (account.watch_only_once, account.timezone) == (True, "Europe/Berlin")
    assert web.calls[0].request.params == {"extended": "browsing"}


def test_settings_that_do_not_name_the_account_are_bad_data(web: Any) -> None:
    web.get(f"{URL}/users/settings", json={"user": {"username": "hanako"}})
    with pytest.raises(BadData):
        _client().account()


# History


def _row(number: int, **more: Any) -> dict[str, Any]:
    episode = {"season": 1, "number": number, "ids": {"trakt": 5}}
    row = {"id": 9_000_000_000_000_000_000 + number, "watched_at": "2024-05-01T20:00:07.000Z", "action": "watch"}
    return {**row, "type": "episode", "episode": episode, **more}


def test_a_shows_history_is_read_over_all_pages_with_large_ids(web: Any) -> None:
    _pages(web, "/sync/history/shows/10", [_row(1), _row(2, watched_at=None), _row(3, id="77")])
    end = WATCHED + timedelta(seconds=1)
    rows = _client().show_history(10, WATCHED, end)
    assert rows[0] == HistoryRow(9_000_000_000_000_000_001, WATCHED, "watch", "episode", 10, 1, 1)
    assert rows[1].watched_at is None
    assert rows[2].history_id == 77
    params = web.calls[0].request.params
    assert (params["start_at"], params["end_at"]) == ("2024-05-01T20:00:07.000Z", "2024-05-01T20:00:08.000Z")


def test_a_movies_history_has_no_season(web: Any) -> None:
    row = {"id": 5, "watched_at": "2024-05-01T20:00:07.000Z", "action": "scrobble", "type": "movie"}
    _pages(web, "/sync/history/movies/99", [row])
    assert _client().movie_history(99, None, None) == [HistoryRow(5, WATCHED, "scrobble", "movie", 99, 0, 0)]
    assert "start_at" not in web.calls[0].request.params


def test_the_whole_history_names_shows_and_movies_and_refuses_rows_without_an_id(web: Any) -> None:
    show = _row(1) | {"type": "episode", "show": {"title": "Frieren", "ids": {"trakt": 10}}}
    film = {
        "id": 5,
        "watched_at": None,
        "action": "watch",
        "type": "movie",
        "movie": {"title": "Akira", "ids": {"trakt": 99}},
    }
    _pages(web, "/sync/history", [show, film])
    rows = _client().whole_history()
    assert rows[0] == HistoryRow(9_000_000_000_000_000_001, WATCHED, "watch", "episode", 10, 1, 1, "Frieren")
    assert rows[1] == HistoryRow(5, None, "watch", "movie", 99, 0, 0, "Akira")
    web.reset()
    _pages(web, "/sync/history", [_row(1) | {"type": "episode"}])
    with pytest.raises(IncompleteRead):
        _client().whole_history()


def test_history_pages_that_shift_are_read_once_more_and_then_incomplete(web: Any) -> None:
    shifted = [_row(1), _row(2), _row(2)]
    _pages(web, "/sync/history/shows/10", shifted)
    _pages(web, "/sync/history/shows/10", [_row(1), _row(2), _row(3)])
    assert len(_client().show_history(10, None, None)) == 3
    web.reset()
    for _ in range(2):
        _pages(web, "/sync/history/shows/10", shifted)
    with pytest.raises(IncompleteRead):
        _client().show_history(10, None, None)


# Posting


def test_a_body_groups_plays_and_keeps_repeats() -> None:
    again = WATCHED + timedelta(days=1)
    plays = [_play(1), _play(2, watched_at=None), _movie(), _play(1, nth=2, watched_at=again), _play(3, season=0)]
    assert history_body(plays) == {
        "movies": [{"watched_at": "2024-05-01T20:00:07.000Z", "ids": {"trakt": 99}}],
        "shows": [
            {
                "ids": {"trakt": 10},
                "seasons": [
                    {
                        "number": 1,
                        "episodes": [
                            {"number": 1, "watched_at": "2024-05-01T20:00:07.000Z"},
                            {"number": 2, "watched_at": "unknown"},
                            {"number": 1, "watched_at": "2024-05-02T20:00:07.000Z"},
                        ],
                    },
                    {"number": 0, "episodes": [{"number": 3, "watched_at": "2024-05-01T20:00:07.000Z"}]},
                ],
            }
        ],
    }


@pytest.mark.parametrize(
    "body",
    [{}, {"shows": []}, {"movies": []}, {"shows": [{"ids": {"trakt": 1}}]}, {"shows": [{"seasons": []}]},
     {"shows": [{"seasons": [{"number": 1}]}]}, {"shows": [{"seasons": [{"number": 1, "episodes": []}]}]}],
)  # fmt: skip
def test_a_body_with_an_empty_list_never_leaves(body: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"a body without plays|would mark all of it"):
        check_body(body)


def test_no_plays_are_no_request() -> None:
    with pytest.raises(ValueError, match="without plays"):
        _client().post_plays([])


plays = st.lists(
    st.builds(
        lambda kind, show, season, number: (
            _movie(show) if kind else _play(number, trakt_id=show, season=season)
        ),
        st.booleans(), st.integers(1, 3), st.integers(0, 3), st.integers(1, 5),
    ),
    min_size=1, max_size=30,
)  # fmt: skip


@given(plays)
def test_a_body_holds_exactly_the_plays_it_was_made_of(wanted: list[Play]) -> None:
    body = history_body(wanted)
    check_body(body)
    found = [("movie", row["ids"]["trakt"], 0, 0) for row in body.get("movies", [])]
    for show in body.get("shows", []):
        for season in show["seasons"]:
            found += [("episode", show["ids"]["trakt"], season["number"], e["number"]) for e in season["episodes"]]
    assert sorted(found) == sorted((p.kind, p.trakt_id, p.season, p.number) for p in wanted)


def test_an_applied_batch_counts_what_was_added_and_replaced(web: Any) -> None:
    answer = {
        "added": {"movies": 1, "episodes": 2}, "updated": {"movies": 0, "episodes": 1},
        "not_found": {"movies": [], "episodes": [{"ids": {}}], "people": []},
    }  # fmt: skip
    web.post(f"{URL}/sync/history", status=201, json=answer)
    got = _client().post_plays([_play(1), _play(2), _play(3), _movie()])
    assert (got.status, got.added, got.http_status, got.readable, got.code) == ("applied", 4, 201, True, None)
    assert got.not_found == ({"kind": "episodes", "item": {"ids": {}}},)
    assert len(web.calls) == 1


@pytest.mark.parametrize(
    ("status", "expected", "code"),
    [
        (302, "refused", "app_refused"),
        (307, "refused", "app_refused"),
        (400, "refused", "bad_data"),
        (402, "doubt", None),
        (403, "refused", "app_refused"),
        (404, "refused", "bad_data"),
        (405, "refused", "bad_data"),
        (408, "doubt", None),
        (409, "doubt", None),
        (412, "refused", "bad_data"),
        (413, "refused", None),
        (420, "refused", "account_limit"),
        (422, "refused", "bad_data"),
        (423, "refused", "account_locked"),
        (426, "refused", "vip_required"),
        (429, "refused", "rate_limited"),
        (500, "doubt", None),
        (502, "doubt", None),
        (503, "doubt", None),
        (504, "doubt", None),
        (520, "doubt", None),
    ],
)
@pytest.mark.parametrize("body", ["json", "html"])
def test_the_status_decides_what_became_of_a_batch(
    web: Any, status: int, expected: str, code: str | None, body: str
) -> None:
    kind = "text/html" if body == "html" else "application/json"
    text = "<html>" if body == "html" else json.dumps({"added": {"episodes": 1}})
    headers = {"Retry-After": "9", "Location": "http://127.0.0.1:9/elsewhere"}
    web.post(f"{URL}/sync/history", status=status, body=text, content_type=kind, headers=headers)
    got = _client().post_plays([_play()])
    assert (got.status, got.code, got.http_status, got.added) == (expected, code, status, 0)
    assert got.retry_after == 9.0
    assert got.detail
    assert len(web.calls) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 200, "body": "<html>", "content_type": "text/html"},
        {"status": 201, "body": "", "content_type": "application/json"},
        {"status": 201, "json": []},
        {"status": 201, "json": {"ok": True}},
        {"status": 201, "json": {"added": {"episodes": "1"}}},
        {"status": 201, "json": {"added": None}},
        {"body": requests.ReadTimeout()},
        {"body": requests.ConnectionError("reset")},
    ],
    ids=["html", "empty", "list", "other", "text", "null", "read time-out", "reset"],
)
def test_a_batch_without_a_readable_answer_is_in_doubt(web: Any, answer: dict[str, Any]) -> None:
    web.post(f"{URL}/sync/history", **answer)
    got = _client().post_plays([_play()])
    assert (got.status, got.readable, len(web.calls)) == ("doubt", False, 1)


def test_a_batch_that_never_left_is_refused_and_the_run_waits() -> None:
    got = _client().post_plays([_play()])  # nobody listens on port 9
    assert (got.status, got.code, got.http_status) == ("refused", "service_down", None)
    assert "nothing was sent" in got.detail


def test_half_an_answer_is_doubt() -> None:
    half = b'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"added":{'
    with rude_server(raw(half)) as server:
        got = _client(url=server.url).post_plays([_play()])
    assert (got.status, got.http_status, len(server.requests)) == ("doubt", 201, 1)


def test_a_refused_token_is_renewed_and_the_batch_sent_once_more(web: Any) -> None:
    tokens = Tokens("t1", "t2")
    web.post(f"{URL}/sync/history", status=401, body="")
    web.post(f"{URL}/sync/history", status=201, json={"added": {"movies": 0, "episodes": 1}})
    got = _client(tokens).post_plays([_play()])
    assert (got.status, got.added) == ("applied", 1)
    assert [c.request.headers["Authorization"] for c in web.calls] == ["Bearer t1", "Bearer t2"]


@pytest.mark.parametrize(("tokens", "calls"), [((None,), 0), (("t1",), 1), (("t1", "t2", "t3"), 2)])
def test_a_batch_that_stays_refused_needs_the_person(web: Any, tokens: tuple[str | None, ...], calls: int) -> None:
    web.assert_all_requests_are_fired = False
    web.post(f"{URL}/sync/history", status=401, body="")
    got = _client(Tokens(*tokens)).post_plays([_play()])
    assert (got.status, got.code, len(web.calls)) == ("refused", "reconnect_trakt", calls)


class FarAway:
    def turn(self) -> float:
        raise RateLimited("the turn is far away", service="trakt", seconds=75.0)

    def heard(self, status: int, headers: Any) -> None: ...


def test_a_turn_that_is_too_far_away_leaves_the_batch_unsent() -> None:
    got = _client(writes=FarAway()).post_plays([_play()])
    assert (got.status, got.code, got.retry_after) == ("refused", "rate_limited", 75.0)


def _raising(error: TsuzukiError) -> Tokens:
    class Failing(Tokens):
        def __call__(self) -> str | None:
            raise error

    return Failing()


@pytest.mark.parametrize(
    ("error", "code"), [(ServiceDown("gone", seconds=30), "service_down"), (AppRefused("blocked"), "app_refused")]
)
def test_a_sign_in_that_cannot_be_renewed_leaves_the_batch_unsent(error: TsuzukiError, code: str) -> None:
    got = _client(_raising(error)).post_plays([_play()])
    assert (got.status, got.code) == ("refused", code)


def test_a_renewal_that_took_the_whole_time_sends_nothing_more(monkeypatch: pytest.MonkeyPatch, web: Any) -> None:
    moments = iter([0.0, 100.0])
    monkeypatch.setattr("jobs.targets.trakt.clock", lambda: next(moments))
    got = _client().post_plays([_play()])
    assert (got.status, got.code, len(web.calls)) == ("refused", "service_down", 0)


def test_a_deactivated_account_is_named() -> None:
    got = receipt(Written("answered", 423, {"X-Account-Deactivated": "true"}))
    assert "deactivated" in got.detail


# Removing


def test_plays_are_removed_by_their_ids(web: Any) -> None:
    answer = {"deleted": {"movies": 0, "episodes": 2}, "not_found": {"movies": [], "ids": [3, "4", None]}}
    web.post(f"{URL}/sync/history/remove", json=answer)
    got = _client().remove_history([1, 2, 3, 4])
    assert json.loads(web.calls[0].request.body) == {"ids": [1, 2, 3, 4]}
    assert (got.status, got.deleted, got.not_found) == ("applied", 2, (3, 4))


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        ({"status": 200, "json": {}}, "doubt", None),
        ({"status": 503, "body": ""}, "doubt", None),
        ({"status": 403, "body": ""}, "refused", "app_refused"),
        ({"status": 429, "body": "", "headers": {"Retry-After": "5"}}, "refused", "rate_limited"),
    ],
)
def test_a_removal_that_fails_says_how(web: Any, answer: dict[str, Any], status: str, code: str | None) -> None:
    web.post(f"{URL}/sync/history/remove", **answer)
    got = _client().remove_history([1])
    assert (got.status, got.code, got.deleted) == (status, code, 0)


def test_removing_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no history ids"):
        _client().remove_history([])
