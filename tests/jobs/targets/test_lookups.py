"""Trakt's public reads and TMDB: seasons, ids, titles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from jobs.errors import AppRefused, BadData, ServiceDown
from jobs.records import Ids, Slot
from jobs.targets.tmdb import Tmdb
from jobs.targets.trakt_public import Found, TraktPublic, parse_seasons
from jobs.transport import Transport

URL = "http://127.0.0.1:9/trakt"
TMDB = "http://127.0.0.1:9/tmdb"


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def _transport() -> Transport:
    return Transport("x", agent="Tsuzuki/test", retries=0, sleep=lambda _s: None)


def _public(client_id: str | None = "app-1") -> TraktPublic:
    return TraktPublic(_transport(), URL, client_id=client_id)


def _episode(number: Any, **more: Any) -> dict[str, Any]:
    return {"number": number, "title": f"E{number}", "ids": {"trakt": 100 + number}, "runtime": 24, **more}


SEASONS = [
    {"number": 2, "episodes": [_episode(63), _episode(62, first_aired="2001-03-21T00:00:00.000Z")]},
    {"number": 0, "episodes": []},
    {"number": 1, "episodes": [_episode(1, ids=None, title=None, runtime=0)]},
]


def test_seasons_keep_trakts_own_numbers_in_order(web: Any) -> None:
    web.get(f"{URL}/shows/37/seasons", json=SEASONS, headers={"ETag": 'W/"a"'})
    answer = _public().seasons(37)
    assert answer.shape is not None
    assert list(answer.shape.seasons) == [0, 1, 2]
    assert [slot.number for slot in answer.shape.seasons[2]] == [62, 63]
    assert answer.shape.seasons[2][0] == Slot(62, 162, datetime(2001, 3, 21, tzinfo=UTC), "E62", 24)
    assert answer.shape.seasons[1][0] == Slot(1)
    assert (answer.etag, answer.shape.ended) == ('W/"a"', False)
    request = web.calls[0].request
    assert request.params == {"extended": "full,episodes"}
    assert request.headers["trakt-api-key"] == "app-1"
    assert "Authorization" not in request.headers


def test_unchanged_seasons_cost_no_body(web: Any) -> None:
    web.get(f"{URL}/shows/37/seasons", status=304, body="")
    answer = _public().seasons(37, 'W/"a"')
    assert (answer.shape, answer.not_modified, answer.etag) == (None, True, 'W/"a"')
    assert web.calls[0].request.headers["If-None-Match"] == 'W/"a"'


def test_a_show_that_trakt_does_not_have_is_missing(web: Any) -> None:
    web.get(f"{URL}/shows/37/seasons", status=404, body="")
    assert _public().seasons(37).missing


def test_a_series_finale_ends_a_show() -> None:
    rows = [
        {"number": 0, "episodes": [_episode(1)]},
        {"number": 1, "episodes": [_episode(1), _episode(2, episode_type="series_finale")]},
    ]
    assert parse_seasons(1, rows).ended
    assert not parse_seasons(1, [*rows, {"number": 2, "episodes": [_episode(1)]}]).ended


@pytest.mark.parametrize(
    "rows",
    [{}, [7], [{"number": "1"}], [{"number": 1}, {"number": 1}], [{"number": 1, "episodes": [_episode(1), _episode(1)]}],
     [{"number": 1, "episodes": [{"number": None}]}]],
)  # fmt: skip
def test_seasons_that_cannot_be_read_are_bad_data(rows: Any) -> None:
    with pytest.raises(BadData, match="show 37"):
        parse_seasons(37, rows)


def _show(trakt_id: int, **more: Any) -> dict[str, Any]:
    ids = {"trakt": trakt_id, "slug": "x", "tmdb": 5, "imdb": "tt1", "tvdb": None}
    return {"title": "One", "year": 1999, "ids": ids, **more}


FOUND = Found("show", 37, "One", 1999, Ids(37, 5, "tt1", None), slug="x")


def test_an_id_is_looked_up_with_its_kind(web: Any) -> None:
    rows = [{"type": "show", "score": 568.3, "show": _show(37)}, {"type": "movie", "movie": _show(9)}]
    web.get(f"{URL}/search/tmdb/5", json=rows)
    assert _public().find("tmdb", 5, "show") == [FOUND]
    assert web.calls[0].request.params == {"type": "show"}


def test_an_unknown_id_is_an_empty_list(web: Any) -> None:
    web.get(f"{URL}/search/imdb/tt9", json=[])
    assert _public().find("imdb", "tt9", "movie") == []
    assert _public().find("tvdb", 5, "movie") == []
    assert len(web.calls) == 1


def test_a_title_is_searched_for_literally(web: Any) -> None:
    web.get(f"{URL}/search/movie", json=[{"type": "movie", "movie": _show(9)}, {"type": "movie", "movie": _show(9)}])
    assert [one.trakt_id for one in _public().search_movies("Fate/stay: (HF) 50+")] == [9]
    assert web.calls[0].request.params["query"] == r"Fate\/stay\: \(HF\) 50\+"
    assert _public().search_movies("  ") == []


@pytest.mark.parametrize(
    ("status", "ended"), [("ended", True), ("canceled", True), ("returning series", False), (None, None)]
)
def test_a_summary_says_whether_a_show_has_ended(web: Any, status: str | None, ended: bool | None) -> None:
    web.get(f"{URL}/shows/37", json=_show(37, status=status))
    found = _public().show(37)
    assert found is not None
    assert found.ended is ended


def test_a_movie_or_none(web: Any) -> None:
    web.get(f"{URL}/movies/9", json=_show(9))
    web.get(f"{URL}/movies/8", status=404, body="")
    assert getattr(_public().movie(9), "trakt_id", None) == 9
    assert _public().movie(8) is None


def test_without_an_app_key_nothing_is_asked() -> None:
    public = _public(None)
    assert not public.ready
    with pytest.raises(AppRefused):
        public.find("tmdb", 5, "show")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [({"status": 403, "body": ""}, AppRefused), ({"status": 500, "body": ""}, ServiceDown), ({"json": {}}, BadData)],
)
def test_a_search_that_fails_is_never_no_match(web: Any, answer: dict[str, Any], kind: type[Exception]) -> None:
    web.get(f"{URL}/search/tmdb/5", **answer)
    with pytest.raises(kind):
        _public().find("tmdb", 5, "show")


def test_a_v3_key_is_a_parameter_and_a_v4_token_a_header(web: Any) -> None:
    web.get(f"{TMDB}/tv/1399/external_ids", json={"id": 1399, "imdb_id": "tt0944947", "tvdb_id": 121361})
    web.get(f"{TMDB}/movie/550/external_ids", json={"id": 550, "imdb_id": ""})
    v3, v4 = "0123456789abcdef" * 2, "ey.x.y"
    assert Tmdb(_transport(), TMDB, key=v3).external_ids("show", 1399) == Ids(None, 1399, "tt0944947", 121361)
    assert Tmdb(_transport(), TMDB, key=v4).external_ids("movie", 550) == Ids(None, 550)
    assert web.calls[0].request.params == {"api_key": v3}
    assert web.calls[1].request.headers["Authorization"] == "Bearer ey.x.y"


def test_a_tmdb_season_has_its_episodes_in_order(web: Any) -> None:
    rows = [
        {"episode_number": 2, "air_date": None, "name": "", "runtime": None},
        {"episode_number": 1, "air_date": "2011-04-17", "name": "A", "runtime": 62},
        {"episode_number": 3, "air_date": "soon"},
        {"episode_number": "x"},
    ]
    web.get(f"{TMDB}/tv/1399/season/1", json={"episodes": rows})
    web.get(f"{TMDB}/tv/1399/season/9", status=404, json={"status_code": 34})
    tmdb = Tmdb(_transport(), TMDB, key="k.k.k")
    assert tmdb.season(1399, 1) == (Slot(1, None, datetime(2011, 4, 17, tzinfo=UTC), "A", 62), Slot(2), Slot(3))
    assert tmdb.season(1399, 9) is None


@pytest.mark.parametrize(
    "answer", [{"status": 401, "json": {"status_code": 7}}, {"json": []}, {"status": 302, "body": ""}]
)
def test_tmdb_that_fails_says_so(web: Any, answer: dict[str, Any]) -> None:
    web.get(f"{TMDB}/tv/1/external_ids", **answer)
    with pytest.raises(BadData) as got:
        Tmdb(_transport(), TMDB, key="k.k.k").external_ids("show", 1)
    assert got.value.service == "tmdb"


def test_a_persons_search_finds_shows_and_movies_in_trakts_order(web: Any) -> None:
    rows = [
        {"type": "movie", "movie": _show(9)},
        {"type": "show", "show": _show(37)},
        {"type": "movie", "movie": _show(9)},
    ]
    web.get(f"{URL}/search/show,movie", json=rows)
    assert [(one.kind, one.trakt_id) for one in _public().search("one/two")] == [("movie", 9), ("show", 37)]
    assert web.calls[0].request.params["query"] == "one\\/two"
    assert _public().search(" ") == []
