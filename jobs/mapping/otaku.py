"""Otaku mappings: a SQLite file with one row per MyAnimeList id, columns read by name.

Source: https://github.com/Goldenfreddy0703/Otaku-Mappings (published in two spellings of one column).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jobs.mapping.rows import IdRow
from jobs.mapping.values import (
    UnusableFile,
    episode_range,
    identifier,
    identifiers,
    imdb_ids,
    refuse_web_page,
    season_text,
    small,
    whole,
    word,
)
from jobs.said import said

NEEDED = ("mal_id", "anilist_id", "thetvdb_id", "themoviedb_id", "trakt_id", "thetvdb_season")
READ_IF_THERE = (
    "anidb_id", "imdb_id", "anime_media_type", "global_media_type", "thetvdb_part",
    "anime_media_episodes", "global_media_episodes", "globel_media_episodes",
)  # fmt: skip
LONGEST_CELL = 1_000_000  # bytes
STEP, MOST_STEPS = 1_000_000, 2_000  # instructions of SQLite; a good file takes some 20 steps
_HEADER = b"SQLite format 3\x00"


def read(path: Path) -> Iterator[IdRow | None]:
    """Every row of the table `anime`; None for one without an AniList or MyAnimeList id.

    Raises `UnusableFile` for anything that is not a whole SQLite file with that table and its columns.
    """
    try:
        with closing(_open(path)) as connection:
            columns = _columns(connection, "anime")
            if columns is None:
                raise UnusableFile(said("The file has no table named anime."))
            if missing := [name for name in NEEDED if name not in columns]:
                raise UnusableFile(said("The table anime has no column %(names)s.", names=", ".join(missing)))
            wanted = [*NEEDED, *(name for name in READ_IF_THERE if name in columns)]
            for row in connection.execute(f"SELECT {', '.join(wanted)} FROM anime"):  # noqa: S608 - names of our own
                yield _row(row)
    except (sqlite3.DatabaseError, UnicodeError) as error:
        raise UnusableFile(said("The file is damaged or cut off (%(why)s).", why=str(error))) from None


def last_activity(path: Path) -> datetime | None:
    """When the source says that it last changed: `activities.last_updated`, seconds since 1970; None if not told."""
    try:
        with closing(_open(path)) as connection:
            if "last_updated" not in (_columns(connection, "activities") or ()):
                return None
            found = connection.execute("SELECT max(CAST(last_updated AS INTEGER)) FROM activities").fetchone()
    except sqlite3.DatabaseError:
        return None
    seconds = whole(found[0]) if found else None
    return datetime.fromtimestamp(seconds, UTC) if seconds and 0 < seconds < 2**33 else None


def _open(path: Path) -> sqlite3.Connection:
    _check_header(path)
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        connection.row_factory = sqlite3.Row
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_CELL)
        steps = iter(range(MOST_STEPS))
        connection.set_progress_handler(lambda: next(steps, None) is None, STEP)  # true stops the statement
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA ignore_check_constraints=ON")
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise UnusableFile(said("The file is damaged or cut off."))
    except BaseException:
        connection.close()
        raise
    return connection


def _columns(connection: sqlite3.Connection, table: str) -> set[str] | None:
    """Stored columns of a plain table; None when there is none.

    A view or a virtual table would run what the file says, and so would a generated column, which is left out.
    """
    plain = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ? AND rootpage > 0"
    if not connection.execute(plain, (table,)).fetchone():
        return None
    return {row["name"] for row in connection.execute(f"PRAGMA table_info({table})")}


def _check_header(path: Path) -> None:
    refuse_web_page(path)
    with path.open("rb") as file:
        header = file.read(100)
    if not header.startswith(_HEADER):
        raise UnusableFile(said("The file is not a SQLite database."))
    page_size = int.from_bytes(header[16:18], "big")
    page_size = 65536 if page_size == 1 else page_size
    if path.stat().st_size < page_size * int.from_bytes(header[28:32], "big"):
        raise UnusableFile(said("The file is cut off: it is shorter than its own header says."))


def _row(row: sqlite3.Row) -> IdRow | None:
    values: Mapping[str, Any] = dict(row)
    anilist_id, mal_id = identifier(values["anilist_id"]), identifier(values["mal_id"])
    if anilist_id is None and mal_id is None:
        return None
    tvdb_id, kind = identifier(values["thetvdb_id"]), word(values.get("anime_media_type"))
    show, movies = tmdb_ids(values["themoviedb_id"], kind, tvdb_id)
    trakt_kind = str(values.get("global_media_type") or "").strip().lower()
    media_from, media_to = episode_range(values.get("anime_media_episodes"))
    # the files of before 2026 misspell the column
    global_from, global_to = episode_range(values.get("global_media_episodes", values.get("globel_media_episodes")))
    return IdRow(
        source="otaku",
        anilist_id=anilist_id,
        mal_id=mal_id,
        anidb_id=identifier(values.get("anidb_id")),
        trakt_id=identifier(values["trakt_id"]),
        trakt_kind=trakt_kind if trakt_kind in ("show", "movie") else None,
        tvdb_id=tvdb_id,
        tmdb_show_id=show,
        tmdb_movie_ids=movies,
        imdb_ids=imdb_ids(values.get("imdb_id")),
        format=kind,
        tvdb_season=season_text(values["thetvdb_season"]),
        tvdb_part=small(values.get("thetvdb_part")),
        media_from=media_from,
        media_to=media_to,
        global_from=global_from,
        global_to=global_to,
    )


def tmdb_ids(value: Any, kind: str | None, tvdb_id: int | None) -> tuple[int | None, tuple[int, ...]]:
    """A flat TMDB id says not whether it is a show or a movie: (show id, movie ids).

    Movies keep a movie id even inside a TVDB series; everything else with a TVDB series is a show, and what has
    none is a movie. Held against Fribbs' file of June 2026, which names the kind, this is wrong for 130 of the 6,665
    rows of Otaku with the same id (2 %). Of Fribbs' own 8,412 rows it would call 811 wrong, 712 of them movies that
    TMDB files as episodes of a show; it is used for such rows only in files of before 2026.
    """
    numbers = identifiers(value)
    if not numbers:
        return None, ()
    if kind == "TV" or (kind != "MOVIE" and tvdb_id is not None):
        return numbers[0], ()
    return None, numbers
