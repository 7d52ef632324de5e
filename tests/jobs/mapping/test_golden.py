"""Thirty titles, checked by hand, whose place on Trakt is worth a second look: where each stands, and why it is here.

`golden_rows.json` holds what the three sources say of each title's whole chain, reduced to the numbers that count, and the
numbers of the episodes that Trakt lists. A special that nothing confirms must be asked about: its place is in the table all
the same, and placing it anywhere else would be wrong.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jobs.mapping.chain import Link, order
from jobs.mapping.placement import place_movie, place_show
from jobs.mapping.resolver import Ask, Asking, Known, Lookup, Match, resolve
from jobs.mapping.rows import AnidbRow, AnidbRule, IdRow
from jobs.records import Identity, MediaInfo, PartialDate, Placement, Reason, Refusal, Shape, Slot
from tests.jobs.mapping.builders import catalogue, match, media

ROWS = json.loads(Path(__file__).with_name("golden_rows.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Title:
    """One episode of an AniList entry and where it stands on Trakt; `asked`: the person decides, nothing confirms it."""

    name: str
    anilist_id: int
    episode: int
    season: int
    number: int
    why: str
    asked: bool = False


GOLDEN = [
    Title("Jujutsu Kaisen 2", 145064, 1, 1, 25, "Trakt merges the seasons: this one follows the 24 episodes of the first"),
    Title("Fate/Zero", 10087, 13, 1, 13, "one show of 25 for the sources; it ends where Trakt's first season does"),
    Title("Fate/Zero 2", 11741, 1, 2, 1, "the offset of 13 runs past Trakt's first season: Trakt has split the show"),
    Title("JoJo Part 3", 20474, 1, 2, 1, "seasons that are parts with names of their own"),
    Title("Gochiusa Bloom", 104198, 12, 3, 12, "a third season whose title says no number"),
    Title("Re:Zero 2, second cour", 119661, 1, 1, 39, "second cour of a second season, in the one season that Trakt has"),
    Title("Bleach: Thousand-Year Blood War", 116674, 13, 2, 13, "366 episodes later Trakt begins a second season"),
    Title("Hellsing Ultimate", 777, 10, 1, 10, "an OVA series that is its own show, beside a TV series of nearly the same name"),
    Title("FLCL", 227, 6, 1, 6, "an OVA series whose sequels, made 18 years later, are seasons of the same show"),
    Title("Attack on Titan 2", 20958, 12, 2, 12, "a season among recaps, OVAs and films of one show"),
    Title("Code Geass R2", 2904, 25, 2, 25, "R2 is a season; the picture dramas beside it are not"),
    Title("March Comes in Like a Lion", 21366, 22, 1, 22, "two seasons of equal length that may not change places"),
    Title("Akazukin Chacha OVA", 367, 3, 0, 3, "three OVAs fill Trakt's season 0 exactly"),
    Title("Urusei Yatsura OVA", 1919, 11, 0, 13, "TMDB's number differs from TVDB's, and Trakt follows TMDB"),
    Title("Mazinkaiser special", 2734, 1, 0, 1, "the only special of a show whose season 0 holds one"),
    Title("Kiss x Sis OVA", 5042, 12, 0, 12, "an OVA series as long as the season that it came with"),
    Title("Snow White with the Red Hair OVA", 21313, 1, 0, 1, "a bonus episode, alone in season 0"),
    Title("Moriarty the Patriot OVA", 138700, 2, 0, 2, "two OVAs fill season 0 exactly"),
    Title("Love Hina Again", 190, 3, 0, 7, "all sources say S0E3 to 5, Trakt has S0E5 to 7: agreeing is no confirmation", asked=True),
    Title("Ranma 1/2 OVA", 1007, 1, 0, 4, "22 specials of many kinds, one off between the sources and Trakt", asked=True),
    Title("Hanamonogatari", 20593, 1, 0, 13, "broadcast as a special, listed as one, numbered by everybody else", asked=True),
    Title("Monster Musume OVA", 21650, 2, 0, 2, "TVDB counts 72 shorts before it, Trakt behind it", asked=True),
    Title("Kemurikusa short", 104156, 1, 0, 1, "a web short that TVDB counts sixth and Trakt first", asked=True),
    Title("Gundam SEED special", 864, 1, 0, 2, "TVDB's first special is Trakt's second", asked=True),
]  # fmt: skip


def span(text: str) -> list[int]:
    """ "1-3,5" -> [1, 2, 3, 5]."""
    ends = [part.split("-") for part in text.split(",")]
    return [number for end in ends for number in range(int(end[0]), int(end[-1]) + 1)]


def row(source: str, anilist_id: int | None, raw: dict[str, Any], ids: dict[str, Any]) -> IdRow:
    given = ids | raw
    if given.get("trakt_id"):
        given.setdefault("trakt_kind", "show")
    return IdRow(source, anilist_id, **given)


def links_of(raw: dict[str, Any]) -> list[Link]:
    """The chain of a title; an id below zero is a MyAnimeList id."""
    ids = {"tmdb_show_id": raw["tmdb"], "tvdb_id": raw["tvdb"]}
    found = []
    for said in raw["chain"]:
        anilist_id = said["id"] if said["id"] > 0 else None
        link = Link(anilist_id, -said["id"] if anilist_id is None else None)
        link.otaku = row("otaku", anilist_id, said["otaku"], ids) if "otaku" in said else None
        link.fribbs = row("fribbs", anilist_id, said["fribbs"], ids) if "fribbs" in said else None
        if "anidb" in said:
            rules = tuple(AnidbRule.from_json(rule) for rule in said["anidb"].get("rules", ()))
            link.anidb = AnidbRow(1, **(ids | said["anidb"] | {"rules": rules}))
        if "media" in said and anilist_id is not None:
            form, episodes, year = said["media"]
            link.media = MediaInfo(
                anilist_id, format=form, status="FINISHED", episodes=episodes, start_date=PartialDate(year)
            )
        found.append(link)
    return sorted(found, key=order)


@pytest.mark.parametrize("title", GOLDEN, ids=lambda title: f"{title.name}: {title.why}")
def test_the_title_stands_where_trakt_has_it(title: Title) -> None:
    raw = ROWS[str(title.anilist_id)]
    shape = Shape(raw["show"], {int(s): tuple(Slot(n) for n in span(numbers)) for s, numbers in raw["seasons"].items()})
    result = place_show(raw["show"], links_of(raw), shape).results[title.anilist_id]
    if title.asked:
        assert isinstance(result, Refusal)
        assert result.reason is Reason.SPECIAL_UNCONFIRMED
        assert result.candidates
    else:
        assert isinstance(result, Placement)
        assert result.place_of(title.episode) == (title.season, title.number)


@dataclass(frozen=True)
class Film:
    """A movie entry and the Trakt movie that it is, with what Trakt answers."""

    name: str
    anilist_id: int
    year: int
    trakt_id: int
    why: str
    rows: tuple[IdRow, ...] = ()
    answers: tuple[tuple[Lookup, Match], ...] = ()


def fribbs(anilist_id: int, **more: Any) -> IdRow:
    return IdRow("fribbs", anilist_id, format="MOVIE", **more)


FILMS = [
    Film("Akira", 47, 1988, 115, "Otaku's trakt_id of a movie is a movie id",
         (IdRow("otaku", 47, trakt_id=115, trakt_kind="movie", tmdb_movie_ids=(149,)), fribbs(47, tmdb_movie_ids=(149,))),
         ((Lookup("find", "movie", "trakt", 115), match("movie", 115, title="Akira", year=1988, tmdb=149)),
          (Lookup("find", "movie", "tmdb", 149), match("movie", 115, title="Akira", year=1988, tmdb=149)))),
    Film("Kimetsu no Yaiba Movie: Mugen Ressha-hen", 112151, 2020, 474745, "Otaku names another movie than its TMDB id: TMDB's is asked for",
         (IdRow("otaku", 112151, trakt_id=645712, trakt_kind="movie", tmdb_movie_ids=(635302,)), fribbs(112151, tmdb_movie_ids=(635302,), tvdb_id=348545)),
         ((Lookup("find", "movie", "tmdb", 635302), match("movie", 474745, title="Demon Slayer -Kimetsu no Yaiba- The Movie: Mugen Train", year=2020, tmdb=635302)),)),
    Film("Azumanga Web Daiou", 1593, 2000, 467640, "known to Trakt by its IMDb id",
         (fribbs(1593, tmdb_movie_ids=(626218,), imdb_ids=("tt31885394",), tvdb_id=79077),),
         ((Lookup("find", "movie", "imdb", "tt31885394"), match("movie", 467640, title="Azumanga Web Daioh", year=2000)),)),
    Film("Shiranpuri (Special)", 13175, 2012, 104389, "by its IMDb id, under another name than AniList's",
         (fribbs(13175, tmdb_movie_ids=(161688,), imdb_ids=("tt3264582",), tvdb_id=259863),),
         ((Lookup("find", "movie", "imdb", "tt3264582"), match("movie", 104389, title="Pretending Not to See", year=2012)),)),
    Film("Rain Town", 10448, 2011, 140669, "no source has an id: one movie of that title and year on Trakt", (),
         ((Lookup("title", "movie", None, "Rain Town"), match("movie", 140669, title="Rain Town", year=2011)),)),
    Film("Cyborg 009: Call of Justice 1", 87481, 2016, 262597, "one of three films of one year that differ by a number", (),
         ((Lookup("title", "movie", None, "Cyborg 009: Call of Justice 1"), match("movie", 262597, title="Cyborg 009: Call of Justice 1", year=2016)),)),
]  # fmt: skip


@pytest.mark.parametrize("film", FILMS, ids=lambda film: f"{film.name}: {film.why}")
def test_the_film_is_that_movie_of_trakt(film: Film) -> None:
    info = media(film.anilist_id, 1, format="MOVIE", romaji=film.name, start_date=PartialDate(film.year))
    rows = catalogue(*film.rows)
    answers: dict[Lookup, tuple[Match, ...]] = {}
    found = resolve(rows.link(info), rows, Known(), Asking(answers, set()))
    while isinstance(found, Ask):
        known = dict(film.answers)
        answers.update((lookup, (known[lookup],) if lookup in known else ()) for lookup in found.lookups)
        found = resolve(rows.link(info), rows, Known(), Asking(answers, set()))
    assert isinstance(found, Identity)
    result = place_movie(rows.link(info), found)
    assert isinstance(result, Placement)
    assert (result.kind, result.trakt_id) == ("movie", film.trakt_id)


def test_the_table_has_thirty_titles_and_many_specials() -> None:
    assert len(GOLDEN) + len(FILMS) == 30
    assert sum(title.season == 0 for title in GOLDEN) >= 10
    assert {str(title.anilist_id) for title in GOLDEN} == set(ROWS)
