"""What the measuring of exactness measures on: the mapping files, the truth file, and its catalogue in place of Trakt.

Nothing is asked over the network.
"""

from __future__ import annotations

import gzip
import json
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.mapping import anime_lists, fribbs, otaku
from jobs.mapping.chain import Catalogue, Link
from jobs.mapping.placement import place_movie, place_show
from jobs.mapping.resolver import Ask, Asking, Known, Lookup, Match, resolve
from jobs.mapping.rows import AnidbRow, IdRow
from jobs.mapping.specials import title_key
from jobs.records import Identity, Ids, MediaInfo, PartialDate, Placement, Refusal, Shape, Slot

FILES = {"otaku": "anime_mappings.db", "fribbs": "anime-list-full.json", "anime_lists": "anime-list-master.xml"}
TRUTH = "placements_dev.json.gz"
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Expected:
    """One entry of the truth file."""

    media: MediaInfo
    trakt_id: int
    kind: str  # show, movie
    places: Mapping[int, Place]
    special: bool

    @property
    def group(self) -> str:
        if self.kind == "movie":
            return "movies"
        return "specials" if self.special else "shows"


class StandInTrakt:
    """The catalogue of the truth file, answering look-ups as Trakt does."""

    def __init__(self, shows: Iterable[Mapping[str, Any]], movies: Iterable[Mapping[str, Any]]) -> None:
        self.shapes: dict[int, Shape] = {}
        self._by_id: dict[tuple[str, str, Any], list[Match]] = defaultdict(list)
        self._by_title: dict[str, list[Match]] = defaultdict(list)
        for show in shows:
            seasons = {int(s): tuple(Slot(n) for n in sorted(numbers)) for s, numbers in show["seasons"].items()}
            self.shapes[show["id"]] = Shape(show["id"], seasons, ended=False, title=show["title"])
            self._add("show", show)
        for movie in movies:
            self._by_title[title_key(movie["title"])].append(self._add("movie", movie))

    def _add(self, kind: Any, row: Mapping[str, Any]) -> Match:
        ids = Ids(row["id"], row.get("tmdb"), row.get("imdb"), row.get("tvdb"))
        match = Match(kind, row["id"], row["title"], row["year"], ids)
        for id_type, value in (
            ("trakt", row["id"]),
            ("tmdb", ids.tmdb_id),
            ("imdb", ids.imdb_id),
            ("tvdb", ids.tvdb_id),
        ):
            if value:
                self._by_id[kind, id_type, value].append(match)
        return match

    def answer(self, lookup: Lookup) -> tuple[Match, ...]:
        if lookup.what == "title":
            return tuple(self._by_title.get(title_key(str(lookup.value)), ()))
        return tuple(self._by_id.get((lookup.kind, lookup.id_type or "trakt", lookup.value), ()))


@dataclass(slots=True)
class Bench:
    """Everything that is measured in one go."""

    catalogue: Catalogue
    trakt: StandInTrakt
    expected: Sequence[Expected]
    identities: dict[int, Identity] = field(default_factory=dict)
    results: dict[int, Placement | Refusal] = field(default_factory=dict)
    lookups: int = 0
    seconds: float = 0.0
    data: Mapping[str, Any] = field(default_factory=dict)  # what was read, and how old it is

    def place(self) -> None:
        """Resolve and place every entry; `seconds` is CPU time without reading files."""
        began = time.process_time()
        answers: dict[Lookup, tuple[Match, ...]] = {}
        missing: set[tuple[str, int]] = set()
        by_show: dict[int, list[Link]] = defaultdict(list)
        for expected in self.expected:
            link = self.catalogue.link(expected.media)
            result = self._resolve(link, answers, missing)
            if isinstance(result, Refusal):
                self.results[link.key] = result
            elif result.kind == "movie":
                self.identities[link.key] = result
                self.results[link.key] = place_movie(link, result)
            else:
                self.identities[link.key] = result
                by_show[result.trakt_id].append(link)
        for trakt_id, links in by_show.items():
            tmdb_ids = {i for link in links if (i := link.tmdb_show_id)}
            tvdb_ids = {i for link in links if (i := link.tvdb_id)}
            chain = self.catalogue.chain(trakt_id, tmdb_ids, tvdb_ids, links)
            places = place_show(trakt_id, chain, self.trakt.shapes[trakt_id])
            self.results.update((link.key, places.results[link.key]) for link in links)
        self.seconds = time.process_time() - began
        self.lookups = len(answers)

    def _resolve(
        self, link: Link, answers: dict[Lookup, tuple[Match, ...]], missing: set[tuple[str, int]]
    ) -> Identity | Refusal:
        while True:
            result = resolve(link, self.catalogue, Known(), Asking(answers, missing))
            if isinstance(result, Ask):
                answers.update((lookup, self.trakt.answer(lookup)) for lookup in result.lookups)
            elif isinstance(result, Identity) and result.kind == "show" and result.trakt_id not in self.trakt.shapes:
                missing.add(("show", result.trakt_id))
            else:
                return result


def missing_files(folder: Path, truth: Path | None, *, without: Collection[str] = ()) -> str | None:
    """Which of the files that `load` reads is not there, as a sentence."""
    wanted = [folder / file for name, file in FILES.items() if name not in without]
    missing = [str(path) for path in (*wanted, truth or folder / TRUTH) if not path.is_file()]
    return f"there is no file {', '.join(missing)}" if missing else None


def load(folder: Path, truth: Path, *, without: Collection[str] = ()) -> Bench:
    """Read the three mapping files, but for those of `FILES` that are to be left out, and the truth file, packed or not."""
    rows: list[IdRow] = [
        row
        for name, read in (("otaku", otaku.read), ("fribbs", fribbs.read))
        if name not in without
        for row in read(folder / FILES[name])
        if row
    ]
    listed = [] if "anime_lists" in without else anime_lists.read(folder / FILES["anime_lists"])
    anidb: dict[int, AnidbRow] = {row.anidb_id: row for row in listed if row}
    content = truth.read_bytes()
    data = json.loads(gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content)
    expected = [_expected(row) for row in data["media"]]
    media = {e.media.anilist_id: e.media for e in expected}
    changed = otaku.last_activity(folder / FILES["otaku"])
    read = {
        "otakuLastActivity": changed.date().isoformat() if changed else None,
        "newestTruthYear": max((e.media.year or 0 for e in expected), default=0),
        **{f"{name}Rows": sum(row.source == name for row in rows) for name in ("otaku", "fribbs")},
        "animeListsRows": len(anidb),
    }
    return Bench(Catalogue(rows, anidb, media), StandInTrakt(data["shows"], data["movies"]), expected, data=read)


def _expected(row: Mapping[str, Any]) -> Expected:
    media = MediaInfo(
        anilist_id=row["id"],
        mal_id=row.get("idMal"),
        format=row.get("format"),
        status="FINISHED",
        episodes=row.get("episodes"),
        start_date=PartialDate(row.get("year")),
        romaji=row.get("title"),
        english=row.get("english"),
    )
    if "movie" in row:
        return Expected(media, row["movie"], "movie", {}, special=False)
    places = {int(episode): (place[0], place[1]) for episode, place in row["eps"].items()}
    return Expected(media, row["trakt"], "show", places, special=row.get("how") == "special")
