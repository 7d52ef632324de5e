"""Fribbs list: one JSON array, read as a stream, in both generations of its field names.

Until 2025: `thetvdb_id`, a flat `themoviedb_id` (number or text), `imdb_id` as text. Since 2026: `tvdb_id`,
`themoviedb_id` as `{"tv": n}` or `{"movie": n or [n, ...]}`, `imdb_id` as a list, `season` and `episode_offset`
as `{"tvdb": n, "tmdb": n}`. Source: https://github.com/Fribb/anime-lists
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jobs.mapping.json_stream import BrokenList, elements
from jobs.mapping.otaku import tmdb_ids
from jobs.mapping.rows import IdRow
from jobs.mapping.values import MAX_SMALL, UnusableFile, identifier, identifiers, imdb_ids, refuse_web_page, small, word
from jobs.said import said


def read(path: Path) -> Iterator[IdRow | None]:
    """Every element of the list; None for one without an AniList or MyAnimeList id.

    Raises `UnusableFile` for anything that is not one whole JSON list.
    """
    if not refuse_web_page(path).startswith(b"["):
        raise UnusableFile(said("The file is not a JSON list."))
    try:
        with path.open("rb") as file:
            for element in elements(file):
                yield _row(element) if isinstance(element, dict) else None
    except BrokenList as error:
        raise UnusableFile(said("The file is not readable JSON: %(why)s.", why=error.why)) from None


def _row(row: Mapping[str, Any]) -> IdRow | None:
    anilist_id, mal_id = identifier(row.get("anilist_id")), identifier(row.get("mal_id"))
    if anilist_id is None and mal_id is None:
        return None
    kind = word(row.get("type"))
    tvdb_id = identifier(row.get("tvdb_id")) or identifier(row.get("thetvdb_id"))
    tmdb = row.get("themoviedb_id")
    if isinstance(tmdb, Mapping):
        show, movies = identifier(tmdb.get("tv")), identifiers(tmdb.get("movie"))
    else:
        show, movies = tmdb_ids(tmdb, kind, tvdb_id)
    season, offset = _pair(row.get("season")), _pair(row.get("episode_offset"))
    return IdRow(
        source="fribbs",
        anilist_id=anilist_id,
        mal_id=mal_id,
        anidb_id=identifier(row.get("anidb_id")),
        tvdb_id=tvdb_id,
        tmdb_show_id=show,
        tmdb_movie_ids=movies,
        imdb_ids=imdb_ids(row.get("imdb_id")),
        format=kind,
        season_tvdb=small(season.get("tvdb")),
        season_tmdb=small(season.get("tmdb")),
        offset_tvdb=small(offset.get("tvdb"), low=-MAX_SMALL),
        offset_tmdb=small(offset.get("tmdb"), low=-MAX_SMALL),
    )


def _pair(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
