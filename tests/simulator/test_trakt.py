"""The stand-in Trakt behaves as the real one is known to, traps included."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.simulator.conftest import Clock, Door
from webapp.simulator import constants
from webapp.simulator.world import World

AOT, JJK, DEATH_NOTE = 1420, 158594, 13855
WATCHED = "/sync/watched/shows"


def play(trakt_id: int, season: int, *numbers: int, watched_at: str = "2024-05-05T10:00:00.000Z") -> dict[str, Any]:
    episodes = [{"number": number, "watched_at": watched_at} for number in numbers]
    return {"shows": [{"ids": {"trakt": trakt_id}, "seasons": [{"number": season, "episodes": episodes}]}]}


def test_missing_headers_are_refused_as_trakt_does(door: Door) -> None:
    blocked = door.trakt("/sync/last_activities", User_Agent=None)
    assert (blocked.status_code, blocked.mimetype) == (403, "text/html")
    assert door.trakt("/sync/last_activities", trakt_api_key="wrong").status_code == 403
    unsigned = door.trakt("/sync/last_activities", Authorization=None)
    assert (unsigned.status_code, unsigned.data) == (401, b"")
    form = door.client.post("/trakt/sync/history", data="x", headers=door.trakt_headers)
    assert form.status_code == 412


def test_the_catalogue_needs_no_token(door: Door) -> None:
    assert door.trakt("/shows/attack-on-titan", Authorization=None).json["ids"]["trakt"] == AOT
    assert door.trakt("/shows/tt2560140", Authorization=None).json["title"] == "Attack on Titan"
    assert door.trakt("/movies/97?extended=full", Authorization=None).json["released"] == "2001-07-20"
    missing = door.trakt("/movies/645712", Authorization=None)
    assert (missing.status_code, missing.data) == (404, b"")


def test_seasons_come_with_episodes_only_when_asked_and_with_an_etag(door: Door) -> None:
    plain = door.trakt(f"/shows/{AOT}/seasons", Authorization=None)
    assert set(plain.json[0]) == {"number", "ids"}
    full = door.trakt(f"/shows/{AOT}/seasons?extended=full,episodes", Authorization=None)
    assert [(row["number"], len(row["episodes"])) for row in full.json] == [(0, 23), (1, 25), (2, 12), (3, 22), (4, 30)]
    first = full.json[1]["episodes"][0]
    assert first["first_aired"] == "2013-04-07T15:00:00.000Z"
    assert first["number_abs"] is None
    again = door.trakt(f"/shows/{AOT}/seasons?extended=full,episodes", If_None_Match=full.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")
    door.control("episodes", {"trakt_id": AOT, "season": 4, "number": 31})
    assert (
        door.trakt(f"/shows/{AOT}/seasons?extended=full,episodes", If_None_Match=full.headers["ETag"]).status_code
        == 200
    )


def test_one_piece_numbers_its_second_season_on(door: Door) -> None:
    seasons = door.trakt("/shows/one-piece/seasons?extended=episodes").json
    second = next(row for row in seasons if row["number"] == 2)
    assert (second["episodes"][0]["number"], second["episodes"][-1]["number"]) == (62, 77)


def test_search_by_id_mixes_shows_and_movies_unless_it_has_a_type(door: Door) -> None:
    assert [row["type"] for row in door.trakt("/search/tmdb/1429?type=show").json] == ["show"]
    assert {row["type"] for row in door.trakt("/search/tmdb/1429").json} == {"show", "movie"}
    assert door.trakt("/search/tvdb/1?type=show").json == []
    episode = door.trakt(f"/shows/{AOT}/seasons/1").json[0]["ids"]
    found = door.trakt(f"/search/tvdb/{episode['tvdb']}?type=episode").json[0]
    assert (found["episode"]["ids"]["trakt"], found["show"]["ids"]["trakt"]) == (episode["trakt"], AOT)


def test_text_search_finds_longer_titles_too(door: Door) -> None:
    rows = door.trakt("/search/movie?query=Demon Slayer: Kimetsu no Yaiba Infinity Castle").json
    assert [row["movie"]["ids"]["trakt"] for row in rows] == [1040555, 1040999]


def test_watched_shows_have_seasons_only_with_progress_and_specials_only_when_asked(door: Door) -> None:
    door.trakt("/sync/history", play(AOT, 0, 15))
    door.trakt("/sync/history", play(AOT, 1, 1))

    def seasons(query: str) -> list[int] | None:
        row = next(r for r in door.trakt(WATCHED + query).json if r["show"]["ids"]["trakt"] == AOT)
        return [s["number"] for s in row["seasons"]] if "seasons" in row else None

    assert seasons("") is None
    assert seasons("?extended=full") is None
    assert seasons("?extended=progress") == [1]
    assert seasons("?extended=progress&specials=true") == [0, 1]


@pytest.mark.parametrize(
    ("query", "limit"), [("?limit=1000", "250"), ("?limit=1000&extended=progress", "100"), ("", "100")]
)
def test_limits_are_clamped_and_the_headers_say_so(door: Door, query: str, limit: str) -> None:
    headers = door.trakt(WATCHED + query).headers
    assert headers["X-Pagination-Limit"] == limit
    assert headers["X-Pagination-Item-Count"] == "3"


def test_pages_cover_the_whole_history_once(door: Door) -> None:
    rows: list[int] = []
    for page in range(1, 5):
        answer = door.trakt(f"/sync/history?limit=10&page={page}")
        assert answer.headers["X-Pagination-Page-Count"] == "4"
        rows += [row["id"] for row in answer.json]
    assert len(rows) == len(set(rows)) == len(door.history()) == 34
    assert all(row > 2**31 for row in rows)


def test_hidden_shows_are_left_out_unless_asked_for(door: Door) -> None:
    door.control("account", {"hidden": [DEATH_NOTE], "reset_at": {str(DEATH_NOTE): "2025-01-01T00:00:00+00:00"}})
    shown = [row["show"]["ids"]["trakt"] for row in door.trakt(WATCHED).json]
    everything = {row["show"]["ids"]["trakt"]: row["reset_at"] for row in door.trakt(WATCHED + "?hidden=true").json}
    assert DEATH_NOTE not in shown
    assert everything[DEATH_NOTE] == "2025-01-01T00:00:00.000Z"


def test_a_repeated_post_gives_a_second_play(door: Door) -> None:
    for _ in range(2):
        answer = door.trakt("/sync/history", play(AOT, 2, 1))
        assert (answer.status_code, answer.json["added"]) == (201, {"movies": 0, "episodes": 1})
    assert len(door.trakt(f"/sync/history/shows/{AOT}").json) == 2


@pytest.mark.parametrize("season", [{"number": 2}, {"number": 2, "episodes": []}])
def test_a_season_without_episodes_means_all_of_them(door: Door, season: dict[str, Any]) -> None:
    body = {"shows": [{"ids": {"trakt": AOT}, "seasons": [season]}]}
    assert door.trakt("/sync/history", body).json["added"]["episodes"] == 12


@pytest.mark.parametrize("show", [{"ids": {"trakt": AOT}}, {"ids": {"trakt": AOT}, "seasons": []}])
def test_a_show_without_seasons_means_everything_but_specials(door: Door, show: dict[str, Any]) -> None:
    assert door.trakt("/sync/history", {"shows": [show]}).json["added"]["episodes"] == 25 + 12 + 22 + 30


def test_nothing_matched_is_still_201_and_echoes_vary(door: Door) -> None:
    answer = door.trakt("/sync/history", play(AOT, 1, 99))
    assert (answer.status_code, answer.json["added"]["episodes"]) == (201, 0)
    nested = answer.json["not_found"]["episodes"]
    assert nested == [{"ids": {"trakt": AOT}, "seasons": [{"number": 1, "episodes": [{"number": 99}]}]}]
    door.control("settings", {"not_found_echo": "empty"})
    assert door.trakt("/sync/history", play(AOT, 1, 99)).json["not_found"]["episodes"] == [{}]
    body = {
        "shows": [{"ids": {"trakt": 5}}],
        "movies": [{"ids": {"imdb": "tt0000111"}, "watched_at": "2024-01-01T00:00:00Z"}],
        "episodes": [{"ids": {"trakt": 5}}],
    }
    missing = door.trakt("/sync/history", body).json["not_found"]
    assert missing["shows"] == [{"ids": {"trakt": 5}}]
    assert missing["movies"] == [{"ids": {"imdb": "tt0000111"}}]
    assert missing["episodes"] == [{}]


def test_movies_are_not_found_by_tvdb_but_by_title_and_year(door: Door) -> None:
    body = {"movies": [{"ids": {"tvdb": 5}}, {"title": "Akira", "year": 1988}]}
    answer = door.trakt("/sync/history", body).json
    assert answer["added"]["movies"] == 1
    assert len(answer["not_found"]["movies"]) == 1


def test_watched_at_takes_times_released_unknown_and_nothing(door: Door, clock: Clock) -> None:
    body = play(AOT, 1, 1, 2, 3, 4)
    cells = body["shows"][0]["seasons"][0]["episodes"]
    cells[0]["watched_at"], cells[1]["watched_at"] = "released", "unknown"
    del cells[2]["watched_at"]
    door.trakt("/sync/history", body)
    times = {row["number"]: row["watched_at"] for row in door.history() if row["trakt_id"] == AOT}
    assert times[1] == "2013-04-07T15:24:00.000Z"
    assert times[2] is None
    assert times[3].startswith("2026-")
    assert times[4] == "2024-05-05T10:00:00.000Z"
    assert door.trakt("/sync/history", play(AOT, 1, 1, watched_at="yesterday")).status_code == 400


def test_history_has_a_window_that_includes_both_ends(door: Door) -> None:
    door.trakt("/sync/history", play(AOT, 1, 1, watched_at="2024-05-05T10:00:00.000Z"))
    door.trakt("/sync/history", play(AOT, 1, 2, watched_at="2024-05-05T10:01:00.000Z"))
    at = "2024-05-05T10:00:00.000Z"
    rows = door.trakt(f"/sync/history/shows/{AOT}?start_at={at}&end_at={at}&limit=250").json
    assert [(row["episode"]["season"], row["episode"]["number"], row["action"]) for row in rows] == [(1, 1, "watch")]
    episode = rows[0]["episode"]["ids"]["trakt"]
    assert len(door.trakt(f"/sync/history/episodes/{episode}").json) == 1
    assert len(door.trakt(f"/sync/history/shows/{AOT}?start_at=2024-05-05&end_at=2024-05-05").json) == 2


def test_removing_by_id_takes_one_play_and_by_media_all_of_them(door: Door) -> None:
    for _ in range(3):
        door.trakt("/sync/history", play(AOT, 1, 1))
    first = next(row["id"] for row in door.history() if row["trakt_id"] == AOT)
    answer = door.trakt("/sync/history/remove", {"ids": [first, 42]}).json
    assert (answer["deleted"], answer["not_found"]["ids"]) == ({"movies": 0, "episodes": 1}, [42])
    assert door.trakt("/sync/history/remove", {"ids": [first]}).json["not_found"]["ids"] == [first]
    assert door.trakt("/sync/history/remove", play(AOT, 1, 1)).json["deleted"]["episodes"] == 2


def test_last_activities_moves_with_inserts_of_any_date_and_with_removals(door: Door, clock: Clock) -> None:
    def moments() -> tuple[str, str]:
        body = door.trakt("/sync/last_activities").json
        return body["episodes"]["watched_at"], body["movies"]["watched_at"]

    seen = [moments()]
    clock.now += 5
    door.trakt("/sync/history", play(AOT, 1, 1, watched_at="2013-05-05T10:00:00.000Z"))
    seen.append(moments())
    clock.now += 5
    door.trakt("/sync/history/remove", play(AOT, 1, 1))
    seen.append(moments())
    assert seen[0][0] < seen[1][0] < seen[2][0]
    assert len({movies for _, movies in seen}) == 1


def test_reads_lag_writes_for_as_long_as_told(door: Door, clock: Clock) -> None:
    door.control("settings", {"lag_seconds": 30})
    door.trakt("/sync/history", play(AOT, 1, 1))
    assert door.trakt(f"/sync/history/shows/{AOT}").json == []
    assert AOT not in [row["show"]["ids"]["trakt"] for row in door.trakt(WATCHED).json]
    clock.now += 31
    assert len(door.trakt(f"/sync/history/shows/{AOT}").json) == 1
    door.trakt("/sync/history/remove", play(AOT, 1, 1))
    assert len(door.trakt(f"/sync/history/shows/{AOT}").json) == 1


def test_watch_only_once_keeps_the_newest_play(door: Door) -> None:
    door.control("account", {"watch_only_once": True})
    assert door.trakt("/users/settings?extended=browsing").json["browsing"]["watch_only_once"] is True
    assert "browsing" not in door.trakt("/users/settings").json
    door.trakt("/sync/history", play(AOT, 1, 1))
    answer = door.trakt("/sync/history", play(AOT, 1, 1, watched_at="2025-05-05T10:00:00.000Z")).json
    assert (answer["added"]["episodes"], answer["updated"]["episodes"]) == (0, 1)
    assert [row["watched_at"] for row in door.history() if row["trakt_id"] == AOT] == ["2025-05-05T10:00:00.000Z"]


@pytest.mark.parametrize(("trouble", "read", "write"), [("limit", 200, 420), ("locked", 423, 423), ("vip", 426, 426)])
def test_accounts_in_trouble(door: Door, trouble: str, read: int, write: int) -> None:
    door.control("account", {"trouble": trouble})
    assert door.trakt("/sync/last_activities").status_code == read
    assert door.trakt("/sync/history", play(AOT, 1, 1)).status_code == write


def test_a_blocked_app_gets_a_tiny_403(door: Door) -> None:
    door.control("app", {"state": "blocked"})
    answer = door.trakt(f"/shows/{AOT}")
    assert (answer.status_code, len(answer.data)) == (403, 9)


def test_one_write_a_second_and_five_hundred_reads_in_five_minutes(door: Door, clock: Clock) -> None:
    door.control("settings", {"enforce_limits": True})
    assert door.trakt("/sync/history", play(AOT, 1, 1)).status_code == 201
    refused = door.trakt("/sync/history", play(AOT, 1, 2))
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert json.loads(refused.headers["X-Ratelimit"])["name"] == "AUTHED_API_POST_LIMIT"
    clock.now += 1
    assert door.trakt("/sync/history", play(AOT, 1, 2)).status_code == 201
    answers = [door.trakt("/sync/last_activities").status_code for _ in range(501)]
    assert answers == [200] * 500 + [429]
    assert door.trakt(f"/shows/{AOT}", Authorization=None).status_code == 200


def test_expired_tokens_get_an_empty_401(door: Door) -> None:
    door.control("tokens", {"expire": "trakt"})
    answer = door.trakt("/sync/last_activities")
    assert (answer.status_code, answer.data) == (401, b"")


def test_a_person_and_a_scrobbler_may_add_and_remove_plays(door: Door) -> None:
    spec = {"kind": "episode", "trakt_id": AOT, "season": 1, "number": 3, "watched_at": "2025-01-01T00:00:00+00:00"}
    added = door.control("plays", {"add": [spec]})["added"]
    assert door.trakt(f"/sync/history/shows/{AOT}").json[0]["action"] == "scrobble"
    assert door.control("plays", {"remove": added}) == {"added": [], "removed": 1}


def test_the_second_account_has_a_history_of_its_own(door: Door, world: World) -> None:
    other = f"Bearer {constants.SECOND_TRAKT_ACCESS_TOKEN}"
    assert door.trakt(WATCHED, Authorization=other).json == []
    assert (
        door.trakt("/users/settings", Authorization=other).json["user"]["ids"]["uuid"]
        != world.accounts[constants.TRAKT_ACCOUNT].uuid
    )
