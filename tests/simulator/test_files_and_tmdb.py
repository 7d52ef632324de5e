"""Mapping files in their true formats, TMDB, posters."""

from __future__ import annotations

import json
import sqlite3
import xml.etree.ElementTree as ET

import pytest

from tests.simulator.conftest import Door
from webapp.simulator import constants
from webapp.simulator.world import World

KEY = f"api_key={constants.TMDB_API_KEY}"


def test_otaku_is_a_database_with_a_row_per_title(door: Door) -> None:
    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(door.client.get("/mappings/otaku.db").data)
        connection.row_factory = sqlite3.Row
        row = connection.execute("SELECT * FROM anime WHERE anilist_id = 142838").fetchone()
        assert (row["thetvdb_season"], row["thetvdb_part"], row["global_media_episodes"]) == (1, 2, "13 - 25")
        assert connection.execute("SELECT thetvdb_season FROM anime WHERE anilist_id = 21").fetchone()[0] == "a"
        assert connection.execute("SELECT count(*) FROM anime").fetchone()[0] > 400
        assert int(connection.execute("SELECT last_updated FROM activities").fetchone()[0]) > 1_700_000_000
    finally:
        connection.close()


def test_fribbs_mixes_both_generations_of_field_names(door: Door) -> None:
    rows = {row["anilist_id"]: row for row in json.loads(door.client.get("/mappings/fribbs.json").data)}
    modern, old = rows[145064], rows[101922 if 101922 % 3 == 0 else 21827]
    assert modern["themoviedb_id"] == {"tv": 95479}
    assert modern["imdb_id"] == ["tt12343534"]
    assert isinstance(old.get("themoviedb_id"), int) or isinstance(rows[99147]["themoviedb_id"], int)
    assert any("thetvdb_id" in row for row in rows.values())
    assert rows[11741]["episode_offset"] == {"tvdb": 13, "tmdb": 13}
    assert "season" not in rows[21]


def test_anime_lists_holds_ranges_pairs_and_movies(door: Door) -> None:
    root = ET.fromstring(door.client.get("/mappings/anime-lists.xml").data)  # noqa: S314 - our own document
    by_id = {element.get("anidbid"): element for element in root}
    ranges = by_id["69"].findall("mapping-list/mapping")
    assert [(m.get("tmdbseason"), m.get("start"), m.get("offset")) for m in ranges][:2] == [
        ("1", "1", "0"),
        ("2", "62", "-61"),
    ]
    assert [m.text for m in by_id["10670"].iter("mapping")] == [";1-15;2-16;"]
    assert (by_id["112"].get("tvdbid"), by_id["112"].get("tmdbid")) == ("movie", "129")


@pytest.mark.parametrize("name", ["otaku.db", "fribbs.json", "anime-lists.xml"])
def test_mapping_files_answer_304_until_they_change(door: Door, name: str) -> None:
    first = door.client.get(f"/mappings/{name}")
    by_tag = door.client.get(f"/mappings/{name}", headers={"If-None-Match": first.headers["ETag"]})
    by_date = door.client.get(f"/mappings/{name}", headers={"If-Modified-Since": first.headers["Last-Modified"]})
    assert (by_tag.status_code, by_date.status_code, by_tag.data) == (304, 304, b"")
    door.control("files", {"name": name, "as": "truncated"})
    changed = door.client.get(f"/mappings/{name}", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert len(changed.data) == len(first.data) // 2
    door.control("files", {"name": name, "as": "real"})
    assert door.client.get(f"/mappings/{name}").data == first.data


def test_tmdb_knows_shows_seasons_movies_and_needs_a_key(door: Door) -> None:
    assert door.client.get("/tmdb/tv/1429").status_code == 401
    assert door.client.get(f"/tmdb/tv/1429/external_ids?{KEY}").json["tvdb_id"] == 267440
    season = door.client.get(
        "/tmdb/tv/1429/season/0", headers={"Authorization": f"Bearer {constants.TMDB_API_KEY}"}
    ).json
    special = next(e for e in season["episodes"] if e["episode_number"] == 15)
    assert (special["name"], special["air_date"]) == ("No Regrets: Part One", "2014-12-09")
    assert door.client.get(f"/tmdb/movie/129/external_ids?{KEY}").json["imdb_id"] == "tt0245429"
    missing = door.client.get(f"/tmdb/tv/1429/season/9?{KEY}")
    assert (missing.status_code, missing.json["status_code"]) == (404, 34)
    found = door.client.get(f"/tmdb/find/tt0094625?external_source=imdb_id&{KEY}").json
    assert ([row["id"] for row in found["movie_results"]], found["tv_results"]) == ([149], [])


def test_posters_are_the_same_every_time_and_different_for_each_title(door: Door, world: World) -> None:
    drawn = {media_id: door.client.get(f"/posters/{media_id}.svg").data for media_id in world.library.media}
    assert len(set(drawn.values())) == len(drawn)
    assert door.client.get("/posters/1.svg").data == drawn[1]
    assert all(ET.fromstring(svg).tag.endswith("svg") for svg in drawn.values())  # noqa: S314 - our own document
    assert door.client.get("/posters/4711.svg").status_code == 404
