"""Libraries from a file of checked placements (`media`, `shows`, `movies`; see `load`).

Each of its media may become a list entry; its shows and movies are the Trakt catalogue; the mapping files come from
the folder of the file as far as they lie there.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from webapp.simulator import constants
from webapp.simulator.anime import media_dict
from webapp.simulator.catalogue import Catalogue, Episode, Movie, Show, epoch
from webapp.simulator.library import AniListUser, Entry, ExpectedPlay, Fuzzy, Library, MappingIds
from webapp.simulator.mapping_files import build_files, files_of

DAY = 86_400
Raw = Mapping[str, Any]
# How a thousand entries divide: most of a grown list is completed.
STATUSES = ("COMPLETED",) * 94 + ("CURRENT",) * 3 + ("PAUSED",) + ("REPEATING",) + ("DROPPED",)


def dataset_factory(file: Path, *, limit: int | None = None, seed: int = 1) -> Callable[[float], Library]:
    """A library factory for `World`. The same file, limit and seed give the same list.

    The JSON (gzip or plain) holds `media`: {id, idMal, anidb, title, english, format, episodes, year} with `trakt` and
    `eps` {"1": [season, number]} or `movie`; `shows`: {id, slug, title, year, tvdb, tmdb, imdb, seasons};
    `movies`: {id, slug, title, year, tmdb, imdb}. A media row may say `listStatus` and `score` (0 to 10) of its entry.
    """

    @cache
    def read() -> dict[str, Any]:
        raw = file.read_bytes()
        loaded: dict[str, Any] = json.loads(gzip.decompress(raw) if file.suffix == ".gz" else raw)
        return loaded

    def make(born: float) -> Library:
        return _library(read(), file, born, limit, seed)

    return make


def _library(data: Raw, file: Path, born: float, limit: int | None, seed: int) -> Library:
    chosen = sorted(data["media"], key=lambda m: int(m["id"]))
    dice = random.Random(seed)  # noqa: S311 - a sample, no secret
    if limit is not None and limit < len(chosen):
        chosen = sorted(dice.sample(chosen, limit), key=lambda m: int(m["id"]))
    user = AniListUser(constants.ANILIST_USER_ID, constants.ANILIST_USER_NAME)
    expected: set[ExpectedPlay] = set()
    for position, raw in enumerate(chosen):
        entry = _entry(raw, 400_000_000 + position, dice, born)
        user.entries[entry.media_id] = entry
        if entry.status not in ("DROPPED", "PLANNING"):
            expected |= _plays(raw, entry)
    catalogue = Catalogue([_show(raw, born) for raw in data["shows"]], [_movie(raw) for raw in data["movies"]])
    second = AniListUser(constants.SECOND_ANILIST_USER_ID, constants.SECOND_ANILIST_USER_NAME)
    files = dict(build_files([_mapping(raw, catalogue) for raw in data["media"]], updated=1_763_000_000))
    return Library(
        name=f"{file.name}:{limit}:{seed}",
        media={int(raw["id"]): _media(raw) for raw in data["media"]},
        users=[user, second],
        activities=[],
        catalogue=catalogue,
        seeds={},
        files=files | dict(files_of(file.parent)),
        expected=frozenset(expected),
    )


def _length(raw: Raw) -> int:
    return int(raw.get("episodes") or len(raw.get("eps", ())) or 1)


def _entry(raw: Raw, number: int, dice: random.Random, born: float) -> Entry:
    status, length = raw.get("listStatus") or dice.choice(STATUSES), _length(raw)
    done = born - dice.randint(10, 1500) * DAY
    seen = 0 if status == "PLANNING" else max(1, length // 2)
    progress = length if status in ("COMPLETED", "REPEATING") else seen
    completed = _date(done) if status in ("COMPLETED", "REPEATING") else (None, None, None)
    return Entry(
        id=number,
        media_id=int(raw["id"]),
        status=status,
        progress=1 if status == "REPEATING" else progress,
        score=float(raw.get("score") or 0),
        started=_date(done - length * DAY),
        completed=completed,
        created_at=int(done - length * DAY),
        updated_at=int(done),
    )


def _date(moment: float) -> Fuzzy:
    when = datetime.fromtimestamp(moment, UTC)
    return when.year, when.month, when.day


def _plays(raw: Raw, entry: Entry) -> set[ExpectedPlay]:
    if "movie" in raw:
        return {(entry.media_id, 1, "movie", int(raw["movie"]), 0, 0)}
    seen = _length(raw) if entry.status in ("COMPLETED", "REPEATING") else entry.progress
    return {
        (entry.media_id, int(episode), "episode", int(raw["trakt"]), int(season), int(number))
        for episode, (season, number) in raw["eps"].items()
        if int(episode) <= seen
    }


def _show(raw: Raw, born: float) -> Show:
    """A show with weekly air times, a season a year from the show's year on; specials without title or date."""
    show = Show(
        int(raw["id"]), raw["slug"], raw["title"], raw["year"], raw.get("tvdb"), raw.get("tmdb"), raw.get("imdb")
    )
    for name, numbers in raw["seasons"].items():
        season = int(name)
        show.seasons[season] = {
            int(number): Episode(
                show.trakt_id,
                season,
                int(number),
                0,
                f"Special {number}" if season == 0 else f"Episode {number}",
                _aired(raw["year"], season, position, born),
            )
            for position, number in enumerate(numbers)
        }
    return show


def _aired(year: int | None, season: int, position: int, born: float) -> float | None:
    if season == 0 or year is None:
        return None
    return min(epoch(min(year + season - 1, 2100), 1, 5) + 7 * DAY * position, born - 2000 * DAY)


def _movie(raw: Raw) -> Movie:
    released = f"{raw['year']}-01-05" if raw.get("year") else None
    return Movie(int(raw["id"]), raw["slug"], raw["title"], raw.get("year"), raw.get("tmdb"), raw.get("imdb"), released)


def _media(raw: Raw) -> dict[str, Any]:
    return media_dict(
        anilist_id=int(raw["id"]),
        mal_id=raw.get("idMal"),
        format=raw.get("format"),
        status="FINISHED",
        episodes=raw.get("episodes"),
        minutes=24,
        titles=(raw.get("title"), raw.get("english"), None),
        start=(raw.get("year"), None, None),
    )


def _mapping(raw: Raw, catalogue: Catalogue) -> MappingIds:
    """Plain rows for a folder without mapping files: the ids, and the first place of the entry."""
    row = MappingIds(int(raw["id"]), str(raw.get("title")), str(raw.get("format")), raw.get("idMal"), raw.get("anidb"))
    row.episodes = raw.get("episodes")
    if "movie" in raw:
        movie = catalogue.movies.get(int(raw["movie"]))
        row.tmdb_movie, row.imdb = (movie.tmdb, movie.imdb) if movie else (None, None)
    elif show := catalogue.shows.get(int(raw["trakt"])):
        season, number = next(iter(raw["eps"].values()))
        row.tvdb, row.tmdb_tv, row.imdb = show.tvdb, show.tmdb, show.imdb
        row.tmdb_at = (int(season), int(number) - 1)
    return row
