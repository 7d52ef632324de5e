"""What the stand-in Trakt and TMDB list: shows with their seasons, movies, and the ways to find them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

Kind = Literal["episode", "movie"]
Place = tuple[int, int, int]  # trakt show id, season, number


@dataclass(slots=True)
class Episode:
    """One episode; `first_aired` in epoch seconds, None when nobody knows."""

    show_id: int
    season: int
    number: int
    trakt_id: int
    title: str | None = None
    first_aired: float | None = None
    runtime: int = 24

    @property
    def place(self) -> Place:
        return self.show_id, self.season, self.number

    @property
    def tmdb_id(self) -> int:
        return self.trakt_id + 1_000_000

    @property
    def tvdb_id(self) -> int:
        return self.trakt_id + 5_000_000


@dataclass(slots=True)
class Show:
    """One Trakt show; `version` rises when its seasons change, so that the ETag does."""

    trakt_id: int
    slug: str
    title: str
    year: int | None
    tvdb: int | None = None
    tmdb: int | None = None
    imdb: str | None = None
    seasons: dict[int, dict[int, Episode]] = field(default_factory=dict)
    ended: bool = True
    version: int = 0

    @property
    def ids(self) -> dict[str, object]:
        return {"trakt": self.trakt_id, "slug": self.slug, "tvdb": self.tvdb, "imdb": self.imdb, "tmdb": self.tmdb}

    def regular(self) -> list[Episode]:
        """Episodes of the numbered seasons, in order."""
        return [e for n in sorted(self.seasons) if n > 0 for _, e in sorted(self.seasons[n].items())]

    def aired(self, now: float) -> int:
        return sum(1 for e in self.regular() if e.first_aired is not None and e.first_aired <= now)


@dataclass(slots=True)
class Movie:
    """One Trakt movie; `released` as YYYY-MM-DD; `aliases` are other titles that text search knows."""

    trakt_id: int
    slug: str
    title: str
    year: int | None
    tmdb: int | None = None
    imdb: str | None = None
    released: str | None = None
    runtime: int = 110
    aliases: tuple[str, ...] = ()

    @property
    def ids(self) -> dict[str, object]:
        return {"trakt": self.trakt_id, "slug": self.slug, "imdb": self.imdb, "tmdb": self.tmdb}


def normalised(title: str) -> str:
    """Lower case letters and digits with single blanks, accents removed."""
    plain = unicodedata.normalize("NFKD", title).casefold()
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return re.sub(r"[^\w]+", " ", plain).strip()


def iso(moment: float | None) -> str | None:
    """Epoch seconds -> Trakt's `2014-09-01T09:10:11.000Z`."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(moment * 1000) % 1000:03d}Z"


def day(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def epoch(year: int, month: int = 1, day_of_month: int = 1, hour: int = 15) -> float:
    """Epoch seconds; anime mostly airs in the Japanese night, which is the afternoon in UTC."""
    return datetime(year, month, day_of_month, hour, tzinfo=UTC).timestamp()


class Catalogue:
    """All shows and movies with their indexes. Episode ids are handed out in order, so they are the same every time."""

    def __init__(self, shows: Iterable[Show], movies: Iterable[Movie]) -> None:
        self.shows: dict[int, Show] = {show.trakt_id: show for show in shows}
        self.movies: dict[int, Movie] = {movie.trakt_id: movie for movie in movies}
        self.episodes: dict[int, Episode] = {}
        self._next_episode_id = 2_000_001
        for show in self.shows.values():
            for number in sorted(show.seasons):
                for _, episode in sorted(show.seasons[number].items()):
                    self._register(episode)
        self._show_ids = self._index(self.shows.values())
        self._movie_ids = self._index(self.movies.values())

    def _register(self, episode: Episode) -> None:
        episode.trakt_id = self._next_episode_id
        self._next_episode_id += 1
        self.episodes[episode.trakt_id] = episode

    @staticmethod
    def _index(things: Iterable[Show | Movie]) -> dict[tuple[str, str], int]:
        index: dict[tuple[str, str], int] = {}
        for thing in things:
            for name, value in thing.ids.items():
                if value is not None:
                    index.setdefault((name, str(value)), thing.trakt_id)
        return index

    def add_episode(
        self, show_id: int, season: int, number: int, *, title: str | None, first_aired: float | None
    ) -> Episode:
        """A new episode is listed. Raises KeyError for an unknown show."""
        show = self.shows[show_id]
        episode = Episode(show_id, season, number, 0, title or f"Episode {number}", first_aired)
        self._register(episode)
        show.seasons.setdefault(season, {})[number] = episode
        show.version += 1
        return episode

    def show_by(self, id_type: str, value: object) -> Show | None:
        found = self._show_ids.get((id_type, str(value)))
        return None if found is None else self.shows[found]

    def movie_by(self, id_type: str, value: object) -> Movie | None:
        found = self._movie_ids.get((id_type, str(value)))
        return None if found is None else self.movies[found]

    def show_by_path(self, value: str) -> Show | None:
        """Trakt id, slug or IMDb id; a number is a Trakt id first."""
        for id_type in ("trakt", "slug", "imdb"):
            if show := self.show_by(id_type, value):
                return show
        return None

    def movie_by_path(self, value: str) -> Movie | None:
        for id_type in ("trakt", "slug", "imdb"):
            if movie := self.movie_by(id_type, value):
                return movie
        return None

    def named(self, kind: Literal["show", "movie"], title: str, year: int | None) -> Show | Movie | None:
        """The first with that title and year, as Trakt finds items that are sent without ids."""
        things: Mapping[int, Show | Movie] = self.shows if kind == "show" else self.movies
        wanted = normalised(title)
        for thing in things.values():
            if normalised(thing.title) == wanted and year in (None, thing.year):
                return thing
        return None

    def search(self, kind: Literal["show", "movie"], query: str) -> list[tuple[float, Show | Movie]]:
        """Text search: every word of the query must stand in the title or an alias; exact titles score highest."""
        wanted = normalised(query)
        words = wanted.split()
        things: Mapping[int, Show | Movie] = self.shows if kind == "show" else self.movies
        found: list[tuple[float, Show | Movie]] = []
        for thing in things.values():
            titles = [normalised(t) for t in (thing.title, *(thing.aliases if isinstance(thing, Movie) else ()))]
            if wanted in titles:
                found.append((1000.0, thing))
            elif words and any(all(w in t.split() for w in words) for t in titles):
                found.append((568.3, thing))
        return sorted(found, key=lambda row: (-row[0], row[1].trakt_id))
