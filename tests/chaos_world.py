"""A made-up library of exactly so many entries, in the simulator's file format: one cour or two, merged and split seasons, films.

Nothing in it is hard to place: what is tried with it is whether every play arrives once, and every rating and planned title.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

PLANNED = 15
SCORES = {6.0: 6, 7.0: 7, 8.5: 9, 9.0: 9, 10.0: 10}  # AniList's score -> Trakt's rating
Row = dict[str, Any]
Mark = tuple[str, str, int, int, int | None]  # rating or watchlist, movie, show or season, Trakt id, season, rating


def write(file: Path, entries: int, seed: int, *, beyond: bool = False) -> list[Mark]:
    """Write the library of `seed` into `file` (see `webapp.simulator.dataset`).

    `beyond`: about half of the titles have a score, and `PLANNED` more are planned. Answers what Trakt should have of them.
    """
    maker = _Maker(random.Random(seed))
    while len(maker.media) < entries:
        maker.one_more(entries - len(maker.media))
    wanted = [*maker.score(), *maker.plan()] if beyond else []
    content = {"media": maker.media, "shows": maker.shows, "movies": maker.movies}
    file.write_text(json.dumps(content), encoding="utf-8")
    return wanted


class _Maker:
    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.media: list[Row] = []
        self.shows: list[Row] = []
        self.movies: list[Row] = []
        self.stands_for: dict[int, tuple[str, int, int]] = {}  # titles that are a movie, a show or a season as a whole

    def score(self) -> list[Mark]:
        """Give half of the titles a score; the ratings that come of it. A title that is no whole season rates nothing."""
        found: list[Mark] = []
        for row in self.media:
            if self.dice.random() < 0.5:
                score = self.dice.choice(list(SCORES))
                row |= {"listStatus": "COMPLETED", "score": score}
                if whole := self.stands_for.get(row["id"]):
                    found.append(("rating", *whole, SCORES[score]))
        return found

    def plan(self) -> list[Mark]:
        """Some films and shows that nobody has begun."""
        before = len(self.media)
        while len(self.media) < before + PLANNED:
            self.dice.choice([self._film, self._plain])()
        for row in self.media[before:]:
            row["listStatus"] = "PLANNING"
        return [("watchlist", *self.stands_for[row["id"]], None) for row in self.media[before:]]

    def one_more(self, room: int) -> None:
        """One more show or film, with at most `room` entries."""
        shape = self.dice.choice([self._film, self._plain, self._plain, self._sequels, self._merged, self._split])
        shape() if room > 1 else self._film()

    def _plain(self) -> None:
        length = self.dice.choice((10, 12, 13, 24, 26))
        show = self._show([length])
        self._entry(show, "", [(1, number) for number in range(1, length + 1)], ("show", show["id"], 0))

    def _sequels(self) -> None:
        lengths = [self.dice.choice((11, 12, 13)), self.dice.choice((11, 12, 13))]
        show = self._show(lengths)
        for season, length in enumerate(lengths, start=1):
            episodes = [(season, number) for number in range(1, length + 1)]
            self._entry(show, f" {season}" * (season > 1), episodes, ("season", show["id"], season))

    def _merged(self) -> None:
        """Two entries of AniList, one season of Trakt."""
        show = self._show([24])
        self._entry(show, "", [(1, number) for number in range(1, 13)])
        self._entry(show, " Part 2", [(1, number) for number in range(13, 25)])

    def _split(self) -> None:
        """One entry of AniList, two seasons of Trakt."""
        show = self._show([12, 12])
        self._entry(show, "", [(1 + place // 12, 1 + place % 12) for place in range(24)])

    def _film(self) -> None:
        number = len(self.movies) + 1
        title = f"The Film of Spring {number}"
        ids = {"id": 800_000 + number, "tmdb": 810_000 + number, "imdb": f"tt082{number:04}"}
        self.movies.append({**ids, "slug": f"film-{number}", "title": title, "year": 1990 + number % 30})
        self._media(title, "MOVIE", 1, 1990 + number % 30, {"movie": ids["id"]}, ("movie", 800_000 + number, 0))

    def _show(self, lengths: list[int]) -> Row:
        number = len(self.shows) + 1
        show = {
            "id": 700_000 + number,
            "slug": f"show-{number}",
            "title": f"The Show of Autumn {number}",
            "year": 1990 + number % 30,
            "tvdb": 710_000 + number,
            "tmdb": 720_000 + number,
            "imdb": f"tt073{number:04}",
            "seasons": {str(season): list(range(1, length + 1)) for season, length in enumerate(lengths, start=1)},
        }
        self.shows.append(show)
        return show

    def _entry(
        self, show: Row, ending: str, places: list[tuple[int, int]], whole: tuple[str, int, int] | None = None
    ) -> None:
        episodes = {str(episode): list(place) for episode, place in enumerate(places, start=1)}
        about = {"trakt": show["id"], "eps": episodes}
        self._media(show["title"] + ending, "TV", len(places), show["year"] + places[0][0] - 1, about, whole)

    def _media(
        self, title: str, kind: str, episodes: int, year: int, about: Row, whole: tuple[str, int, int] | None
    ) -> None:
        number = 600_000 + len(self.media) + 1
        if whole:
            self.stands_for[number] = whole
        names = {"id": number, "idMal": number + 20_000, "anidb": number + 40_000, "title": title, "english": title}
        self.media.append({**names, "format": kind, "episodes": episodes, "year": year, **about})
