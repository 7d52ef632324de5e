"""Which show or movie an entry is: the order of the sources, what is asked, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from jobs.mapping.chain import Catalogue
from jobs.mapping.resolver import Answers, Ask, Asking, Known, Lookup, Match, resolve
from jobs.mapping.rows import IdRow
from jobs.records import Identity, Ids, MediaInfo, PartialDate, Reason, Refusal
from tests.jobs.mapping.builders import TMDB, TRAKT, TVDB, catalogue, fribbs, match, media, otaku

TITLES = {"romaji": "Kara no Kyoukai!", "english": "The Garden", "start_date": PartialDate(2010)}


def ask(rows: Catalogue, info: MediaInfo, answers: Answers | None = None, **more: object) -> Identity | Ask | Refusal:
    known = more.pop("known", Known())
    assert isinstance(known, Known)
    return resolve(rows.link(info), rows, known, Asking(answers or {}, **more))  # type: ignore[arg-type]  # made up


def run(
    rows: Catalogue, info: MediaInfo, trakt: Mapping[Lookup, tuple[Match, ...]], **more: object
) -> tuple[Identity | Refusal, list[Lookup]]:
    """Resolve with a Trakt that answers from `trakt` and knows nothing else; the result and what was asked."""
    answers: dict[Lookup, tuple[Match, ...]] = {}
    while isinstance(result := ask(rows, info, answers, **more), Ask):
        answers.update((lookup, trakt.get(lookup, ())) for lookup in result.lookups)
    return result, list(answers)


def find(id_type: str, value: int | str, kind: str = "show") -> Lookup:
    return Lookup("find", kind, id_type, value)  # type: ignore[arg-type]  # two words


def identity(result: Identity | Refusal) -> tuple[str, int, str]:
    assert isinstance(result, Identity), result
    return result.kind, result.trakt_id, result.source


def test_a_persons_mapping_wins_over_everything() -> None:
    chosen = Identity("movie", 9, Ids(9), "manual", "A person chose it.")
    assert ask(catalogue(otaku(1, "1")), media(1), known=Known(chosen)) is chosen


def test_an_automatic_mapping_is_used_as_long_as_the_sources_say_the_same() -> None:
    auto = Identity("show", 9, Ids(9, TMDB, None, TVDB), "trakt_tmdb", "Found.")
    assert ask(catalogue(fribbs(1, 1)), media(1), known=Known(None, auto)) is auto
    other = ask(catalogue(fribbs(1, 1, tmdb_show_id=TMDB + 1, tvdb_id=TVDB + 1)), media(1), known=Known(None, auto))
    assert isinstance(other, Ask)


def test_an_automatic_mapping_to_a_show_that_is_gone_is_looked_for_anew() -> None:
    auto = Identity("show", 9, Ids(9, TMDB), "trakt_tmdb", "Found.")
    asked = ask(catalogue(fribbs(1, 1)), media(1), known=Known(None, auto), missing={("show", 9)})
    assert isinstance(asked, Ask)


def test_otaku_gives_the_show_without_a_question() -> None:
    assert identity(run(catalogue(otaku(1, "1"), fribbs(1, 1)), media(1), {})[0]) == ("show", TRAKT, "otaku")


def test_fribbs_finds_the_show_through_another_entry_that_otaku_knows() -> None:
    result, asked = run(catalogue(otaku(1, "1"), fribbs(1, 1), fribbs(2, 2)), media(2), {})
    assert identity(result) == ("show", TRAKT, "fribbs")
    assert asked == []


def test_a_show_that_only_has_a_tvdb_id_is_found_through_it() -> None:
    rows = catalogue(fribbs(1, 1, tmdb_show_id=None, season_tmdb=None))
    result, _ = run(rows, media(1), {find("tvdb", TVDB): (match("show", 5),)})
    assert identity(result) == ("show", 5, "trakt_tvdb")


def test_a_show_that_only_has_an_imdb_id_is_found_through_it() -> None:
    rows = catalogue(IdRow("fribbs", 1, imdb_ids=("tt7",), tmdb_show_id=TMDB))
    result, asked = run(rows, media(1), {find("imdb", "tt7"): (match("show", 5),)})
    assert identity(result) == ("show", 5, "trakt_imdb")
    assert asked == [find("tmdb", TMDB), find("imdb", "tt7")]


@pytest.mark.parametrize(
    ("season", "year", "taken"),
    [(1, 1999, True), (1, 2000, True), (1, 2023, False), (2, 2003, True), (2, 2023, True), (2, 1990, False)],
)
def test_an_id_that_points_at_a_show_of_another_time_as_a_live_action_one_is_asked_about(
    season: int, year: int, taken: bool
) -> None:
    rows = catalogue(fribbs(1, season, tmdb_show_id=None, tvdb_id=None, imdb_ids=("tt77",)))
    answers = {find("imdb", "tt77"): (match("show", 5, title="Live", year=1999),)}
    result = run(rows, media(1, start_date=PartialDate(year)), answers)[0]
    if taken:
        assert identity(result) == ("show", 5, "trakt_imdb")
    else:
        assert isinstance(result, Refusal)
        assert (result.reason, result.candidates[0].trakt_id) == (Reason.WRONG_KIND, 5)
        assert result.candidates[0].evidence == "Trakt knows IMDB tt77 as Live, which began in 1999"


def test_a_recap_movie_with_a_movie_of_its_own_is_not_the_season_that_it_retells() -> None:
    rows = catalogue(otaku(9, "1"), fribbs(9, 1), fribbs(1, 1, tmdb_movie_ids=(42,), format="MOVIE"))
    trakt = {find("tmdb", 42, "movie"): (match("movie", 78, title="Recap", tmdb=42),)}
    assert identity(run(rows, media(1, 1, format="MOVIE"), trakt)[0]) == ("movie", 78, "trakt_tmdb")
    assert [entry.key for entry in rows.chain(TRAKT, {TMDB}, {TVDB})] == [9]


def test_otakus_show_that_trakt_no_longer_has_gives_way_to_the_tmdb_id() -> None:
    rows = catalogue(otaku(1, "1"), fribbs(1, 1))
    result, _ = run(rows, media(1), {find("tmdb", TMDB): (match("show", 5),)}, missing={("show", TRAKT)})
    assert identity(result) == ("show", 5, "trakt_tmdb")


def test_rows_of_one_tmdb_show_with_different_trakt_shows_are_settled_by_trakt() -> None:
    rows = catalogue(otaku(1, "1"), fribbs(1, 1), otaku(2, "2", trakt_id=TRAKT + 1), fribbs(2, 2))
    trakt = {find("tmdb", TMDB): (match("show", TRAKT),), find("tvdb", TVDB): (match("show", TRAKT),)}
    assert identity(run(rows, media(2), trakt)[0]) == ("show", TRAKT, "trakt_tmdb")


def test_ids_that_lead_to_different_shows_are_refused_with_both_as_candidates() -> None:
    rows = catalogue(otaku(1, "1", tmdb_show_id=TMDB + 1), fribbs(1, 1))
    trakt = {find("tmdb", TMDB): (match("show", 5),), find("tvdb", TVDB): (match("show", 6),)}
    refused = run(rows, media(1), trakt)[0]
    assert isinstance(refused, Refusal)
    assert refused.reason is Reason.SOURCES_DISAGREE
    assert {c.trakt_id for c in refused.candidates} == {TRAKT, 5}


def test_a_show_that_trakt_keeps_naming_but_does_not_have_is_not_asked_for_for_ever() -> None:
    trakt = {find("tmdb", TMDB): (match("show", 5),)}
    refused = run(catalogue(fribbs(1, 1)), media(1), trakt, missing={("show", 5)})[0]
    assert isinstance(refused, Refusal)
    assert refused.reason is Reason.NOT_ON_TRAKT


def test_tmdb_adds_ids_when_it_can_be_asked() -> None:
    more = Match("show", None, None, None, Ids(None, TMDB, "tt9", None))
    trakt = {Lookup("tmdb_ids", "show", "tmdb", TMDB): (more,), find("imdb", "tt9"): (match("show", 5),)}
    rows = catalogue(fribbs(1, 1, tvdb_id=None))
    assert identity(run(rows, media(1), trakt, tmdb=True)[0]) == ("show", 5, "trakt_imdb")
    assert isinstance(run(rows, media(1), trakt)[0], Refusal)


def test_shows_are_never_found_by_title() -> None:
    refused, asked = run(catalogue(), media(1), {})
    assert isinstance(refused, Refusal)
    assert refused.reason is Reason.NO_ID
    assert asked == []


def test_music_videos_are_not_on_trakt() -> None:
    refused = run(catalogue(), media(1, 1, format="MUSIC"), {})[0]
    assert isinstance(refused, Refusal)
    assert refused.reason is Reason.MUSIC


def test_otakus_id_of_a_movie_is_a_movie_id() -> None:
    rows = catalogue(otaku(1, None, trakt_id=77, trakt_kind="movie", tmdb_show_id=None, tvdb_id=None))
    trakt = {find("trakt", 77, "movie"): (match("movie", 77),)}
    assert identity(run(rows, media(1, 1, format="MOVIE"), trakt)[0]) == ("movie", 77, "otaku")


def test_a_movie_is_taken_by_its_tmdb_id_when_otaku_names_another() -> None:
    rows = catalogue(
        otaku(1, None, trakt_id=77, trakt_kind="movie", tmdb_show_id=None, tvdb_id=None),
        IdRow("fribbs", 1, tmdb_movie_ids=(42,)),
    )
    trakt = {find("tmdb", 42, "movie"): (match("movie", 78, tmdb=42),)}
    assert identity(run(rows, media(1, 1, format="MOVIE"), trakt)[0]) == ("movie", 78, "trakt_tmdb")


def test_of_several_tmdb_movies_otakus_decides_else_they_are_candidates() -> None:
    two = IdRow("fribbs", 1, tmdb_movie_ids=(42, 43))
    trakt = {find("tmdb", n, "movie"): (match("movie", n + 100, title=f"Part {n}"),) for n in (42, 43)}
    one = otaku(1, None, trakt_id=143, trakt_kind="movie", tmdb_show_id=None, tvdb_id=None, tmdb_movie_ids=(43,))
    assert identity(run(catalogue(one, two), media(1, 1, format="MOVIE"), trakt)[0]) == ("movie", 143, "otaku")
    refused = run(catalogue(two), media(1, 1, format="MOVIE"), trakt)[0]
    assert isinstance(refused, Refusal)
    assert {c.trakt_id for c in refused.candidates} == {142, 143}


def test_several_entries_may_be_one_movie() -> None:
    rows = catalogue(IdRow("fribbs", 1, tmdb_movie_ids=(42,)), IdRow("fribbs", 2, tmdb_movie_ids=(42,)))
    trakt = {find("tmdb", 42, "movie"): (match("movie", 78, tmdb=42),)}
    found = [identity(run(rows, media(i, 1, format="MOVIE"), trakt)[0]) for i in (1, 2)]
    assert found == [("movie", 78, "trakt_tmdb")] * 2


def test_a_movie_that_only_has_a_regular_season_of_a_show_is_that_season() -> None:
    result, _ = run(catalogue(otaku(1, "2"), fribbs(1, 2)), media(1, 6, format="MOVIE"), {})
    assert identity(result) == ("show", TRAKT, "otaku")


def test_a_movie_that_is_a_special_of_a_show_goes_there_when_trakt_has_no_such_movie() -> None:
    rows = catalogue(otaku(9, "1"), fribbs(9, 1), fribbs(1, 0))
    result, asked = run(rows, media(1, 1, format="MOVIE", **TITLES), {})
    assert identity(result) == ("show", TRAKT, "fribbs")
    assert Lookup("title", "movie", None, "The Garden") in asked


def test_a_movie_without_ids_is_found_by_title_and_year_when_exactly_one_fits() -> None:
    info = media(1, 1, format="MOVIE", **TITLES)
    title = Lookup("title", "movie", None, "The Garden")
    others = (match("movie", 6, title="The Garden", year=2012), match("movie", 7, title="The Gardens"))
    trakt = {title: (match("movie", 5, title="the GARDEN"), *others)}
    assert identity(run(catalogue(), info, trakt)[0]) == ("movie", 5, "title_year")
    refused = run(catalogue(), info, {title: (*trakt[title], match("movie", 8, title="The Garden."))})[0]
    assert isinstance(refused, Refusal)
    assert {c.trakt_id for c in refused.candidates} == {5, 8}


def test_a_movie_is_found_by_its_title_however_its_words_are_spaced() -> None:
    info = media(1, 1, format="MOVIE", **TITLES)
    trakt = {Lookup("title", "movie", None, "The Garden"): (match("movie", 5, title="TheGarden"),)}
    assert identity(run(catalogue(), info, trakt)[0]) == ("movie", 5, "title_year")


@pytest.mark.parametrize(("year", "taken"), [(2009, True), (2010, True), (2011, True), (2013, False)])
def test_otakus_movie_that_no_tmdb_id_confirms_must_be_of_about_the_entrys_year(year: int, taken: bool) -> None:
    rows = catalogue(otaku(1, None, trakt_id=77, trakt_kind="movie", tmdb_show_id=None, tvdb_id=None))
    trakt = {find("trakt", 77, "movie"): (match("movie", 77, title="Another Part", year=year, tmdb=42),)}
    result = run(rows, media(1, 1, format="MOVIE", **TITLES), trakt)[0]
    if taken:
        assert identity(result) == ("movie", 77, "otaku")
    else:
        assert isinstance(result, Refusal)
        assert (result.reason, [c.trakt_id for c in result.candidates]) == (Reason.SOURCES_DISAGREE, [77])
        assert result.candidates[0].evidence == f"Otaku says the movie Another Part ({year}); title or year differ"


def test_an_ova_that_otaku_files_under_movies_needs_the_same_title_and_year() -> None:
    rows = catalogue(otaku(1, None, trakt_id=77, trakt_kind="movie", tmdb_show_id=None, tvdb_id=None))
    info = media(1, 1, format="OVA", **TITLES)
    same = {find("trakt", 77, "movie"): (match("movie", 77, title="The Garden"),)}
    assert identity(run(rows, info, same)[0]) == ("movie", 77, "otaku")
    refused = run(rows, info, {find("trakt", 77, "movie"): (match("movie", 77, title="Another"),)})[0]
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.candidates[0].trakt_id) == (Reason.WRONG_KIND, 77)


def test_an_entry_of_several_episodes_is_no_movie_unless_anilist_says_so() -> None:
    rows = catalogue(IdRow("fribbs", 1, tmdb_movie_ids=(42,)))
    trakt = {find("tmdb", 42, "movie"): (match("movie", 78, tmdb=42),)}
    refused = run(rows, media(1, 4, format="OVA"), trakt)[0]
    assert isinstance(refused, Refusal)
    assert refused.reason is Reason.WRONG_KIND


def test_a_row_that_has_only_a_myanimelist_id_is_joined_by_it() -> None:
    rows = catalogue(IdRow("otaku", None, 31, trakt_id=TRAKT, trakt_kind="show"))
    assert identity(run(rows, media(1, mal_id=31), {})[0]) == ("show", TRAKT, "otaku")


def test_a_chain_holds_entries_that_are_on_nobodys_list_and_no_movies() -> None:
    rows = catalogue(otaku(1, "1"), fribbs(1, 1), fribbs(2, 2), fribbs(3, 0), IdRow("fribbs", 4, tmdb_movie_ids=(42,), tmdb_show_id=TMDB))  # fmt: skip
    assert [entry.key for entry in rows.chain(TRAKT, {TMDB}, {TVDB})] == [1, 2, 3, 4]
    rows = catalogue(IdRow("fribbs", 4, tmdb_movie_ids=(42,), tmdb_show_id=TMDB, format="MOVIE"), fribbs(1, 1))
    assert [entry.key for entry in rows.chain(TRAKT, {TMDB}, {TVDB})] == [1]


def test_an_entry_with_another_tmdb_show_is_no_part_of_the_chain_that_its_tvdb_id_names() -> None:
    rows = catalogue(fribbs(1, 1), fribbs(2, 2, tmdb_show_id=TMDB + 1))
    assert [entry.key for entry in rows.chain(TRAKT, {TMDB}, {TVDB})] == [1]
