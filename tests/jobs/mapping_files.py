"""Small mapping files in the shapes that the three hosts deliver."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

OTAKU_COLUMNS = (
    "mal_id", "mal_dub_id", "anilist_id", "kitsu_id", "anidb_id", "thetvdb_id", "themoviedb_id", "imdb_id",
    "trakt_id", "mal_picture", "thetvdb_season", "thetvdb_part", "duration", "anime_media_type",
    "global_media_type", "anime_media_episodes", "globel_media_episodes",
)  # fmt: skip


def otaku_file(
    path: Path,
    rows: Iterable[Mapping[str, Any]],
    *,
    columns: Sequence[str] = OTAKU_COLUMNS,
    table: str = "anime",
    last_updated: str | None = "1731369271",
) -> bytes:
    """A SQLite file with these rows; its bytes."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
        for row in rows:
            marks = ", ".join("?" * len(columns))
            connection.execute(f"INSERT INTO {table} VALUES ({marks})", [row.get(name) for name in columns])  # noqa: S608 - names of our own
        if last_updated is not None:
            connection.execute("CREATE TABLE activities (sync_id INTEGER PRIMARY KEY, last_updated TEXT NOT NULL)")
            connection.execute("INSERT INTO activities VALUES (1, ?)", (last_updated,))
        connection.commit()
    return path.read_bytes()


def many_otaku_rows(count: int) -> list[dict[str, Any]]:
    return [
        {"mal_id": n, "anilist_id": n, "anime_media_type": "TV", "mal_picture": "x" * 200} for n in range(1, count + 1)
    ]


def fribbs_file(rows: Iterable[Any]) -> bytes:
    return json.dumps(list(rows)).encode()


def xml_file(entries: str, *, root: str = "anime-list") -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?>\n<{root}>\n{entries}\n</{root}>\n'.encode()


def anime(anidb_id: int, inner: str = "", **attributes: str) -> str:
    text = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f'<anime anidbid="{anidb_id}" {text}><name>Title {anidb_id}</name>{inner}</anime>'
