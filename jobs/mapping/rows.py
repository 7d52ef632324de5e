"""Rows of the three mapping caches as plain records: what the parsers give and the resolver reads. Pure.

Tuples, because placing a large list makes ten thousand of them, and a frozen dataclass takes four times as long to make.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Side = Literal["tvdb", "tmdb"]


class IdRow(NamedTuple):
    """One row of Otaku or Fribbs that has an AniList or a MyAnimeList id; field by field the table `anime_ids`."""

    source: str  # otaku, fribbs
    anilist_id: int | None = None
    mal_id: int | None = None
    anidb_id: int | None = None
    trakt_id: int | None = None  # Otaku; of a show or a movie: see trakt_kind
    trakt_kind: str | None = None  # Otaku's global_media_type (show, movie): many OVAs and specials are Trakt movies
    tvdb_id: int | None = None
    tmdb_show_id: int | None = None
    tmdb_movie_ids: tuple[int, ...] = ()
    imdb_ids: tuple[str, ...] = ()
    format: str | None = None  # TV, MOVIE, OVA, ... as the source spells it, upper case
    season_tvdb: int | None = None  # Fribbs
    season_tmdb: int | None = None
    offset_tvdb: int | None = None
    offset_tmdb: int | None = None
    tvdb_season: str | None = None  # Otaku: a number or "a" (absolute)
    tvdb_part: int | None = None  # Otaku
    media_from: int | None = None  # Otaku's anime_media_episodes "1 - 12"
    media_to: int | None = None
    global_from: int | None = None  # Otaku's global_media_episodes "13 - 24"
    global_to: int | None = None


@dataclass(frozen=True, slots=True)
class AnidbRule:
    """One `<mapping>` of Anime-Lists for one side. `pairs` win over `start`, `end` and `offset`.

    An AniDB episode may stand for several target episodes (`(1, (2, 3))`); a pair with `()` or `(0,)` means that
    the episode is not there. Without `start` the rule counts from the first episode, without `end` to the last.
    """

    anidb_season: int  # 0: specials, 1: everything else
    side: Side
    season: int
    start: int | None = None  # AniDB episodes start..end stand at episode + offset of `season`
    end: int | None = None
    offset: int = 0
    pairs: tuple[tuple[int, tuple[int, ...]], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As the column `anidb_maps.rules` holds it; values that say nothing are left out."""
        data: dict[str, Any] = {"anidb": self.anidb_season, "side": self.side, "season": self.season}
        if self.start is not None:
            data["start"] = self.start
        if self.end is not None:
            data["end"] = self.end
        if self.offset:
            data["offset"] = self.offset
        if self.pairs:
            data["pairs"] = [[episode, list(targets)] for episode, targets in self.pairs]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> AnidbRule:
        """The inverse of `to_json`."""
        return cls(
            anidb_season=data["anidb"],
            side=data["side"],
            season=data["season"],
            start=data.get("start"),
            end=data.get("end"),
            offset=data.get("offset", 0),
            pairs=tuple((episode, tuple(targets)) for episode, targets in data.get("pairs", ())),
        )

    @property
    def moves_all(self) -> bool:
        """Whether the rule holds for whole ranges, not only for the episodes in `pairs`."""
        return not self.pairs or self.start is not None or self.end is not None or bool(self.offset)


class AnidbRow(NamedTuple):
    """One `<anime>` of Anime-Lists; field by field the table `anidb_maps`."""

    anidb_id: int
    name: str = ""
    tvdb_id: int | None = None
    tvdb_kind: str | None = None  # the word in place of an id: movie, ova, hentai, unknown, ...
    tvdb_season: str | None = None  # default season: a number or "a" (absolute)
    tvdb_offset: int | None = None
    tmdb_show_id: int | None = None
    tmdb_season: str | None = None
    tmdb_offset: int | None = None
    tmdb_movie_ids: tuple[int, ...] = ()
    imdb_ids: tuple[str, ...] = ()
    rules: tuple[AnidbRule, ...] = ()


@dataclass(frozen=True, slots=True)
class ListRow:
    """One title of a subscribed list; field by field the table `list_mappings`."""

    anilist_id: int
    kind: str  # show, movie
    trakt_id: int
    tmdb_id: int | None = None
    imdb_id: str | None = None
    tvdb_id: int | None = None
    spans: tuple[tuple[int, int | None, int, int], ...] = ()  # first, last (None: to the end), season, start
