"""The three mapping files of a generated library, in the formats of their hosts, and where they are served.

Otaku: a SQLite file; Fribbs: JSON with both generations of field names; Anime-Lists: XML.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from xml.sax.saxutils import quoteattr

from flask import Blueprint, Response, abort, request

from webapp.simulator.library import MappingIds
from webapp.simulator.world import World

OTAKU_COLUMNS = (
    "mal_id INTEGER PRIMARY KEY", "mal_dub_id INTEGER", "anilist_id INTEGER", "kitsu_id INTEGER", "anidb_id INTEGER",
    "thetvdb_id INTEGER", "themoviedb_id INTEGER", "imdb_id INTEGER", "trakt_id INTEGER", "mal_picture TEXT",
    "mal_title TEXT", "thetvdb_season INTEGER", "thetvdb_part INTEGER", "duration INTEGER", "anime_media_type TEXT",
    "global_media_type TEXT", "anime_media_episodes INTEGER", "global_media_episodes INTEGER", "status TEXT",
    "score TEXT",
)  # fmt: skip

_WORDS = (
    "Amber",
    "Blue",
    "Cedar",
    "Distant",
    "Early",
    "Falling",
    "Glass",
    "Hidden",
    "Iron",
    "July",
    "Kindred",
    "Lantern",
)
_NOUNS = ("Harbour", "Orchard", "Station", "Garden", "Letters", "Winter", "Signal", "Market", "River", "Academy")


def filler(count: int) -> list[MappingIds]:
    """Made-up titles of nobody's list, so that the files have a believable length. Their ids collide with nothing."""
    rows = []
    for number in range(count):
        word, noun = _WORDS[number % len(_WORDS)], _NOUNS[number // len(_WORDS) % len(_NOUNS)]
        movie = number % 5 == 4
        rows.append(
            MappingIds(
                anilist_id=9_000_001 + number,
                name=f"{word} {noun} {number // 120 + 1}",
                format="MOVIE" if movie else "TV",
                mal=9_100_001 + number,
                anidb=9_200_001 + number,
                tvdb=None if movie else 9_300_001 + number,
                tmdb_tv=None if movie else 9_400_001 + number,
                tmdb_movie=9_500_001 + number if movie else None,
                imdb=f"tt9{number:07d}",
                episodes=1 if movie else 12 + number % 2,
                minutes=100 if movie else 24,
                tvdb_at=None if movie else (1, 0),
                tmdb_at=None if movie else (1, 0),
            )
        )
    return rows


def build_files(rows: Sequence[MappingIds], *, updated: int) -> Mapping[str, Callable[[], bytes]]:
    """Functions that give the bytes of each file, built when first asked for."""
    return {
        "otaku.db": cache(lambda: otaku_bytes(rows, updated)),
        "fribbs.json": cache(lambda: fribbs_bytes(rows)),
        "anime-lists.xml": cache(lambda: anime_lists_bytes(rows)),
    }


def files_of(folder: Path) -> Mapping[str, Callable[[], bytes]]:
    """The real files of a data folder, as far as they are there."""
    names = {
        "otaku.db": "anime_mappings.db",
        "fribbs.json": "anime-list-full.json",
        "anime-lists.xml": "anime-list-master.xml",
    }
    return {name: cache((folder / file).read_bytes) for name, file in names.items() if (folder / file).exists()}


def otaku_bytes(rows: Sequence[MappingIds], updated: int) -> bytes:
    """A SQLite database with the tables `anime` and `activities`."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute(f"CREATE TABLE anime ({', '.join(OTAKU_COLUMNS)})")
        connection.execute("CREATE TABLE activities (sync_id INTEGER PRIMARY KEY, last_updated TEXT NOT NULL)")
        connection.execute("INSERT INTO activities VALUES (1, ?)", (str(updated),))
        marks = ", ".join("?" for _ in OTAKU_COLUMNS)
        connection.executemany(f"INSERT INTO anime VALUES ({marks})", [_otaku_row(row) for row in rows if row.mal])  # noqa: S608 - only question marks
        connection.commit()
        return connection.serialize()
    finally:
        connection.close()


def _otaku_row(row: MappingIds) -> tuple[object, ...]:
    movie = row.format == "MOVIE"
    season, offset = row.tvdb_at or (None, 0)
    length = row.episodes
    here = f"1 - {length}" if length else None
    there = f"{offset + 1} - {offset + length}" if length else None
    tmdb = row.tmdb_movie if movie else row.tmdb_tv
    tvdb: object = "movie" if movie and row.tmdb_movie and not row.tvdb else row.tvdb
    known = row.otaku_trakt is not None
    kind = ("movie" if movie else "show") if known else None
    return (
        row.mal, None, row.anilist_id, None, row.anidb, tvdb, tmdb, row.imdb, row.otaku_trakt, None,
        row.name, season, row.part, row.minutes * 60, row.format, kind, here, there, "finished_airing", None,
    )  # fmt: skip


def fribbs_bytes(rows: Sequence[MappingIds]) -> bytes:
    """The list as JSON; every third row in the field names of before 2026."""
    return json.dumps([_fribbs_row(row, old=row.anilist_id % 3 == 0) for row in rows], indent=1).encode()


def _fribbs_row(row: MappingIds, *, old: bool) -> dict[str, object]:
    out: dict[str, object] = {
        "type": row.format,
        "anidb_id": row.anidb,
        "anilist_id": row.anilist_id,
        "mal_id": row.mal,
    }
    tmdb = row.tmdb_movie or row.tmdb_tv
    if old:
        out |= {"thetvdb_id": row.tvdb, "themoviedb_id": tmdb, "imdb_id": row.imdb}
    else:
        modern: dict[str, object] = {"movie": [row.tmdb_movie]} if row.tmdb_movie else {"tv": row.tmdb_tv}
        out |= {
            "tvdb_id": row.tvdb,
            "themoviedb_id": modern if tmdb else None,
            "imdb_id": [row.imdb] if row.imdb else None,
        }
    seasons = {"tvdb": row.tvdb_at, "tmdb": row.tmdb_at}
    out["season"] = {side: at[0] for side, at in seasons.items() if at and at[0] != "a"} or None
    out["episode_offset"] = {side: at[1] for side, at in seasons.items() if at and at[1]} or None
    return {name: value for name, value in out.items() if value is not None}


def anime_lists_bytes(rows: Sequence[MappingIds]) -> bytes:
    """The XML of AniDB titles with their default season, offsets and per-episode mappings."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<anime-list>"]
    for row in rows:
        if row.anidb:
            lines += _anime_element(row)
    return "\n".join([*lines, "</anime-list>", ""]).encode()


def _anime_element(row: MappingIds) -> list[str]:
    season, offset = row.tvdb_at or ("", 0)
    tmdb_season, tmdb_offset = row.tmdb_at or ("", 0)
    tvdb = "movie" if row.tmdb_movie and not row.tvdb else (row.tvdb or "unknown")
    attributes = {
        "anidbid": row.anidb,
        "tvdbid": tvdb,
        "defaulttvdbseason": season,
        "episodeoffset": offset or "",
        "tmdbtv": row.tmdb_tv or "",
        "tmdbseason": tmdb_season,
        "tmdboffset": tmdb_offset or "",
        "tmdbid": row.tmdb_movie or "",
        "imdbid": row.imdb or "",
    }
    head = " ".join(f"{name}={quoteattr(str(value))}" for name, value in attributes.items())
    mappings = [
        f'      <mapping anidbseason="{own}" {side}season="{there}">{pairs}</mapping>'
        for side, own, there, pairs in row.xml_pairs
    ] + [
        f'      <mapping anidbseason="1" {side}season="{there}" start="{start}" end="{end}" offset="{shift}"/>'
        for side, there, start, end, shift in row.xml_ranges
    ]
    body = [f"    <name>{quoteattr(row.name)[1:-1]}</name>"]
    if mappings:
        body += ["    <mapping-list>", *mappings, "    </mapping-list>"]
    return [f"  <anime {head}>", *body, "  </anime>"]


def blueprint(world: World) -> Blueprint:
    """`/mappings/<file>` with ETag, Last-Modified and 304."""
    pages = Blueprint("mappings", __name__, url_prefix="/mappings")
    types = {"db": "application/octet-stream", "json": "text/plain; charset=utf-8", "xml": "text/plain; charset=utf-8"}

    @pages.get("/<name>")
    def file(name: str) -> Response:
        build = world.library.files.get(name)
        if build is None:
            abort(404)
        body = world.file_overrides.get(name) or build()
        etag = f'"{sha256(body).hexdigest()[:40]}"'
        changed = datetime.fromtimestamp(world.file_times.get(name, world.born), UTC).replace(microsecond=0)
        headers = {"ETag": etag, "Last-Modified": format_datetime(changed, usegmt=True), "Cache-Control": "max-age=300"}
        if _unchanged(etag, changed):
            return Response(status=304, headers=headers)
        return Response(body, mimetype=types[name.rpartition(".")[2]], headers=headers)

    return pages


def _unchanged(etag: str, changed: datetime) -> bool:
    """If-None-Match decides; If-Modified-Since only where it stands alone (RFC 9110, 13.1.3)."""
    if wanted := request.headers.get("If-None-Match"):
        return etag in [part.strip().removeprefix("W/") for part in wanted.split(",")]
    if since := request.headers.get("If-Modified-Since"):
        try:
            return changed <= parsedate_to_datetime(since)
        except (TypeError, ValueError):
            return False
    return False
