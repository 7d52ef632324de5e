"""The control API, faults on demand, and libraries from a file."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.simulator.conftest import Clock, Door
from webapp.simulator import constants
from webapp.simulator.__main__ import StateFile, main
from webapp.simulator.app import create_simulator
from webapp.simulator.dataset import dataset_factory
from webapp.simulator.process import SimulatorFailed, start
from webapp.simulator.world import World

BODY = {"movies": [{"ids": {"trakt": 115}, "watched_at": "2024-01-01T00:00:00.000Z"}]}


def akira(door: Door) -> int:
    return sum(1 for row in door.history() if row["trakt_id"] == 115)


@pytest.mark.parametrize(
    ("kind", "status", "plays"),
    [
        ("status", 503, 0),
        ("html", 403, 0),
        ("drop_before", 599, 0),
        ("drop_after_apply", 599, 1),
        ("applied_then_status", 503, 1),
        ("invalid_json", 200, 1),
    ],
)
def test_faults_apply_or_do_not_apply_as_they_say(door: Door, kind: str, status: int, plays: int) -> None:
    door.control("faults", {"kind": kind, "service": "trakt", "method": "POST", "path": "/sync/history"})
    assert door.trakt("/sync/history").status_code == 200
    assert door.trakt("/sync/history", BODY).status_code == status
    assert akira(door) == plays
    assert door.trakt("/sync/history", BODY).status_code == 201


def test_a_fault_may_let_some_pass_and_hit_several(door: Door) -> None:
    door.control(
        "faults",
        {"kind": "status", "service": "trakt", "nth": 2, "count": 2, "status": 502, "headers": {"Retry-After": "7"}},
    )
    answers = [door.trakt("/sync/last_activities") for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 502, 502, 200]
    assert answers[1].headers["Retry-After"] == "7"
    assert door.client.get("/_sim/faults").json == []


def test_pages_may_be_short_repeated_or_miscounted(door: Door) -> None:
    def page(number: int) -> Any:
        return door.trakt(f"/sync/history?limit=10&page={number}")

    first, second = page(1).json, page(2).json
    door.control("faults", {"kind": "repeated_page", "service": "trakt"})
    repeated = page(2)
    assert (repeated.json, repeated.headers["X-Pagination-Page"]) == (first, "2")
    door.control(
        "faults", [{"kind": "short_list", "service": "trakt"}, {"kind": "wrong_item_count", "service": "trakt"}]
    )
    assert page(2).json == second[:-1]
    assert page(2).headers["X-Pagination-Item-Count"] == "35"


def test_a_count_of_added_plays_may_be_too_low_with_and_without_reason(door: Door) -> None:
    one = {"number": 1, "watched_at": "2024-01-01T00:00:00.000Z"}
    body = {"shows": [{"ids": {"trakt": 30857}, "seasons": [{"number": 1, "episodes": [one, {**one, "number": 2}]}]}]}
    before = len(door.history())
    for kind, plays in (("short_count", 2), ("drop_one", 1)):
        door.control("faults", {"kind": kind, "service": "trakt", "method": "POST", "path": "/sync/history"})
        answer = door.trakt("/sync/history", body)
        assert (answer.status_code, answer.json["added"]["episodes"]) == (201, 1)
        assert not any(answer.json["not_found"].values())
        assert len(door.history()) - before == plays
        before = len(door.history())


def test_pages_and_parts_may_be_small(door: Door) -> None:
    door.control("settings", {"trakt_page": 2, "anilist_chunk": 3})
    for path in ("/sync/history?limit=10", "/sync/watched/shows?extended=progress&limit=100"):
        answer = door.trakt(path)
        assert (len(answer.json), answer.headers["X-Pagination-Limit"]) == (2, "2")
    query = (
        "query{MediaListCollection(userId:7654321,type:ANIME,chunk:1,perChunk:500){hasNextChunk lists{entries{id}}}}"
    )
    part = door.graphql(query).json["data"]["MediaListCollection"]
    assert part["hasNextChunk"] is True
    assert len({entry["id"] for rows in part["lists"] for entry in rows["entries"]}) == 3


def test_unknown_faults_settings_and_titles_are_refused_with_a_reason(door: Door) -> None:
    for path, body in (
        ("faults", {"kind": "earthquake"}),
        ("settings", {"gravity": 2}),
        ("entries", {"media_id": 4711, "changes": {}}),
        ("entries", {"media_id": 1, "changes": {"shoe_size": 43}}),
        ("account", {"colour": "red"}),
        ("episodes", {"trakt_id": 5, "season": 1, "number": 1}),
    ):
        answer = door.client.post(f"/_sim/{path}", json=body)
        assert answer.status_code == 400, path
        assert answer.json["error"]


def test_requests_are_counted_per_service_and_path(door: Door) -> None:
    door.trakt("/sync/last_activities")
    door.trakt("/sync/last_activities")
    door.graphql("{ Viewer { id } }")
    counts = door.client.get("/_sim/requests").json
    assert counts["trakt"] == {"total": 2, "paths": {"GET /sync/last_activities": 2}}
    assert counts["anilist"]["total"] == 1
    door.control("requests/reset")
    assert door.client.get("/_sim/requests").json == {}


def test_reset_brings_everything_back(door: Door) -> None:
    before = door.history()
    door.trakt("/sync/history", BODY)
    door.control("entries", {"media_id": 1, "remove": True})
    door.control("reset")
    assert door.history() == before
    assert len(door.client.get("/_sim/state").json["users"]["hanako"]["entries"]) == 65


def test_a_dumped_world_comes_back_with_plays_tokens_and_edits(world: World, door: Door, clock: Clock) -> None:
    door.trakt("/sync/history", BODY)
    door.control(
        "entries",
        {"media_id": 182255, "changes": {"progress": 6}, "activity": {"status": "watched episode", "progress": "6"}},
    )
    door.control("episodes", {"trakt_id": 158594, "season": 1, "number": 50})
    tokens = world.issue_tokens(constants.TRAKT_ACCOUNT)
    kept = json.loads(json.dumps(world.dump()))
    fresh = World(world._factory, clock=clock)
    fresh.restore(kept)
    other = Door(create_simulator(fresh).test_client())
    assert other.history() == door.history()
    assert fresh.users[constants.ANILIST_USER_ID].entries == world.users[constants.ANILIST_USER_ID].entries
    assert 50 in fresh.library.catalogue.shows[158594].seasons[1]
    assert other.trakt("/users/settings", Authorization=f"Bearer {tokens['access_token']}").status_code == 200


DATA = {
    "media": [
        {"id": 11, "idMal": 1, "title": "First", "english": "First", "format": "TV", "episodes": 2, "year": 2001, "trakt": 7, "eps": {"1": [1, 1], "2": [1, 2]}},
        {"id": 12, "idMal": 2, "title": "Second", "english": None, "format": "TV", "episodes": 2, "year": 2002, "trakt": 7, "eps": {"1": [2, 62], "2": [2, 63]}},
        {"id": 13, "idMal": 3, "title": "Film", "english": "Film", "format": "MOVIE", "episodes": 1, "year": 2003, "movie": 7},
    ],
    "shows": [{"id": 7, "slug": "show", "title": "Show", "year": 2001, "tvdb": 1, "tmdb": 2, "imdb": "tt1", "seasons": {"0": [1], "1": [1, 2], "2": [62, 63]}}],
    "movies": [{"id": 7, "slug": "film", "title": "Film", "year": 2003, "tmdb": 2, "imdb": "tt2"}],
}  # fmt: skip


@pytest.fixture
def data_file(tmp_path: Path) -> Path:
    file = tmp_path / "placements.json.gz"
    file.write_bytes(gzip.compress(json.dumps(DATA).encode()))
    return file


def test_a_library_from_a_file_serves_its_entries_catalogue_and_truth(data_file: Path) -> None:
    (data_file.parent / "anime-list-full.json").write_bytes(b'[{"anilist_id": 11}]')
    door = Door(create_simulator(World(dataset_factory(data_file))).test_client())
    assert door.client.get("/mappings/fribbs.json").data == b'[{"anilist_id": 11}]'
    assert door.client.get("/mappings/anime-lists.xml").status_code == 200
    seasons = door.trakt("/shows/7/seasons?extended=full,episodes").json
    assert [[e["number"] for e in s["episodes"]] for s in seasons] == [[1], [1, 2], [62, 63]]
    truth = door.client.get("/_sim/expected").json
    assert {(p["anilist_id"], p["kind"]) for p in truth["plays"]} <= {(11, "episode"), (12, "episode"), (13, "movie")}


def test_the_same_seed_gives_the_same_list(data_file: Path) -> None:
    lists = [dataset_factory(data_file, limit=2, seed=5)(1_700_000_000).users[0].entries for _ in range(2)]
    assert lists[0] == lists[1]
    assert len(lists[0]) == 2


def test_the_process_serves_says_how_to_point_at_it_and_drops_connections(tmp_path: Path) -> None:
    with start(tmdb=True, state=tmp_path / "state.json") as running:
        settings = running.env
        assert running.get("health")["entries"] == 68
        assert settings["TMDB_API_KEY"] == constants.TMDB_API_KEY
        assert requests.get(settings["OTAKU_URL"], timeout=30).content.startswith(b"SQLite format 3")
        running.post("plays", {"add": [{"kind": "movie", "trakt_id": 115}]})
        show = f"{settings['TRAKT_API_URL']}/shows/1420"
        headers = {"User-Agent": "test", "trakt-api-key": settings["TRAKT_CLIENT_ID"]}
        for kind in ("drop_before", "drop_after_apply", "silence", "half_body"):
            running.post("faults", {"kind": kind, "service": "trakt", "seconds": 0.01})
            with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
                requests.get(show, headers=headers, timeout=30)
        assert requests.get(show, headers=headers, timeout=30).json()["title"] == "Attack on Titan"
    kept = json.loads((tmp_path / "state.json").read_text(encoding="utf-8"))
    assert any(play["trakt_id"] == 115 for play in kept["accounts"][constants.TRAKT_ACCOUNT]["plays"])


def test_a_start_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "false")
    with pytest.raises(SimulatorFailed, match="did not start"):
        start()


def test_a_missing_data_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path / "missing.json")]) == 2
    assert "missing.json" in capsys.readouterr().err


def test_the_state_file_is_taken_up_again(tmp_path: Path, world: World, door: Door, clock: Clock) -> None:
    StateFile(tmp_path / "state.json", world).save()
    door.trakt("/sync/history", BODY)
    StateFile(tmp_path / "state.json", world).save()
    fresh = World(world._factory, clock=clock)
    StateFile(tmp_path / "state.json", fresh).load()
    assert Door(create_simulator(fresh).test_client()).history() == door.history()
