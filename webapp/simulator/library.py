"""The shape of a library that the simulator serves: AniList's side, Trakt's side, the mapping files, the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from webapp.simulator.catalogue import Catalogue, Kind

Fuzzy = tuple[int | None, int | None, int | None]
ExpectedPlay = tuple[int, int, Kind, int, int, int]  # anilist id, episode, kind, trakt id, season, number


@dataclass(slots=True)
class MappingIds:
    """What the mapping files say of one AniList title."""

    anilist_id: int
    name: str
    format: str
    mal: int | None = None
    anidb: int | None = None
    tvdb: int | None = None
    tmdb_tv: int | None = None
    tmdb_movie: int | None = None
    imdb: str | None = None
    otaku_trakt: int | None = None
    episodes: int | None = None
    minutes: int = 24
    tvdb_at: tuple[int | Literal["a"], int] | None = None  # season, offset
    tmdb_at: tuple[int, int] | None = None
    part: int = 1
    xml_pairs: tuple[tuple[str, int, int, str], ...] = ()  # ("tmdb", anidb season, season, ";1-15;2-16;")
    xml_ranges: tuple[tuple[str, int, int, int, int], ...] = ()  # ("tmdb", season, start, end, offset)


@dataclass(slots=True)
class Entry:
    """One list row of one AniList user; times in epoch seconds."""

    id: int
    media_id: int
    status: str
    progress: int
    repeat: int = 0
    score: float = 0.0
    private: bool = False
    hidden: bool = False
    custom_lists: tuple[str, ...] = ()
    started: Fuzzy = (None, None, None)
    completed: Fuzzy = (None, None, None)
    created_at: int = 0
    updated_at: int = 0


@dataclass(slots=True)
class ListActivity:
    """One activity; `progress` as AniList writes it: "3", "1 - 12" or None; `text` for a plain message."""

    id: int
    user_id: int
    media_id: int
    status: str
    progress: str | None
    created_at: int
    kind: Literal["ANIME_LIST", "TEXT"] = "ANIME_LIST"
    text: str | None = None


@dataclass(slots=True)
class AniListUser:
    """One AniList account; `offset` is the zone as AniList gives it, such as "+09:00"."""

    id: int
    name: str
    title_language: str = "ROMAJI"
    offset: str | None = "+01:00"
    merge_minutes: int = 360
    closed: bool = False
    custom_lists: tuple[str, ...] = ()
    disabled_activity: tuple[str, ...] = ()
    entries: dict[int, Entry] = field(default_factory=dict)  # by media id


@dataclass(frozen=True, slots=True)
class SeedPlay:
    """A play that stands on Trakt before the first run."""

    kind: Kind
    trakt_id: int
    season: int
    number: int
    watched_at: float
    action: str = "scrobble"


@dataclass(slots=True)
class Library:
    """Everything that one start of the simulator serves. `media` holds AniList's anime as its GraphQL shows them."""

    name: str
    media: dict[int, dict[str, Any]]
    users: list[AniListUser]
    activities: list[ListActivity]
    catalogue: Catalogue
    seeds: Mapping[str, list[SeedPlay]]  # by Trakt account
    files: Mapping[str, Callable[[], bytes]]  # "otaku.db", "fribbs.json", "anime-lists.xml"
    expected: frozenset[ExpectedPlay]
    schedules: Mapping[int, list[tuple[int, float]]] = field(default_factory=dict)  # media id -> (episode, air time)


def fuzzy(text: str | None) -> Fuzzy:
    """`2011`, `2011-04`, `2011-04-03`, or nothing -> (year, month, day)."""
    parts = [int(part) for part in text.split("-")] if text else []
    year, month, day = (*parts, None, None, None)[:3]
    return year, month, day


def fuzzy_dict(value: Fuzzy) -> dict[str, int | None]:
    return {"year": value[0], "month": value[1], "day": value[2]}
