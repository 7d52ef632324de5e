"""Specials count only when something confirms their number: Trakt numbers season 0 as TMDB does, most files do not."""

from __future__ import annotations

from jobs.mapping.chain import Link
from jobs.mapping.rows import AnidbRow, AnidbRule
from jobs.mapping.specials import normalised
from jobs.records import Pile, Placement, Reason, Refusal, Slot
from tests.jobs.mapping.builders import TMDB, TVDB, day, link, media, moment, otaku, place, shape, spans


def test_a_bare_special_number_is_refused_with_what_the_sources_say_as_candidate() -> None:
    found = place([link(1, 1), link(2, 0, 2, 1, format="OVA")], shape(12, specials=5))
    refused = found[2]
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.pile) == (Reason.SPECIAL_UNCONFIRMED, Pile.NEEDS_YOU)
    assert [(c.spans[0].season, c.spans[0].start) for c in refused.candidates] == [(0, 3)]
    assert refused.candidates[0].evidence == "Fribbs says special 3 of TMDB 900; nothing confirms that Trakt counts so"


def test_evidence_names_runs_and_lists_in_plain_words() -> None:
    run = place([link(1, 1), link(2, 0, 2, 3, format="OVA")], shape(12, specials=9))[2]
    listed = link(3, 0, 0, 1, format="OVA", rules=[AnidbRule(1, "tvdb", 0, pairs=((1, (7,)),))])
    one = place([link(1, 1), listed], shape(12, specials=9))[3]
    assert isinstance(run, Refusal)
    assert isinstance(one, Refusal)
    assert [c.evidence for c in (*run.candidates, *one.candidates)] == [
        "Fribbs says specials 3 to 5 of TMDB 900; nothing confirms that Trakt counts so",
        "Fribbs says special 1 of TMDB 900; nothing confirms that Trakt counts so",
        "Anime-Lists names the special of each episode of TVDB 700; nothing confirms that Trakt counts so",
    ]


def test_a_movie_that_otaku_names_is_a_candidate_for_a_special() -> None:
    special = link(2, 0, 0, 1, format="OVA")
    special.otaku = otaku(2, "0", trakt_id=77, trakt_kind="movie", tmdb_show_id=None)
    refused = place([special], shape(12, specials=5))[2]
    assert isinstance(refused, Refusal)
    assert [(c.kind, c.trakt_id) for c in refused.candidates][-1] == ("movie", 77)


def test_a_special_is_confirmed_by_a_tmdb_number_that_differs_from_the_tvdb_number() -> None:
    special = link(2, 0, 2, 3, format="OVA", rows={"offset_tvdb": 7})
    placed = place([special], shape(12, specials=20))[2]
    assert spans(placed) == [(1, 3, 0, 3)]
    assert isinstance(placed, Placement)
    assert (placed.rule, placed.source, placed.certainty) == ("tmdb_offset", "tmdb", "likely")


def test_a_special_is_confirmed_by_a_list_in_tmdb_numbering() -> None:
    rule = AnidbRule(1, "tmdb", 0, pairs=((1, (4,)), (2, (9,))))
    row = AnidbRow(2, tmdb_show_id=TMDB, tmdb_season="0", tvdb_id=TVDB, tvdb_season="0", rules=(rule,))
    placed = place([Link(2, anidb=row, media=media(2, 2, format="OVA"))], shape(12, specials=9))[2]
    assert spans(placed) == [(1, 1, 0, 4), (2, 2, 0, 9)]


def test_the_only_special_that_fills_season_0_exactly_stands_there() -> None:
    assert spans(place([link(1, 1), link(2, 0, 0, 3, format="OVA")], shape(12, specials=3))[2]) == [(1, 3, 0, 1)]
    assert isinstance(place([link(2, 0, 0, 2, format="OVA")], shape(12, specials=3))[2], Refusal)


def test_two_specials_never_share_season_0_by_its_size() -> None:
    found = place([link(2, 0, 0, 3, format="OVA"), link(3, 0, 3, 1, format="OVA")], shape(12, specials=3))
    assert isinstance(found[2], Refusal)


def _dated(*days: tuple[int, int, int], titles: tuple[str, ...] = ()) -> list[Slot]:
    names = (*titles, *([None] * len(days)))
    return [Slot(n, first_aired=moment(*d), title=names[n - 1]) for n, d in enumerate(days, 1)]


def test_a_special_is_confirmed_by_its_air_date_and_the_sources_number() -> None:
    slots = _dated((2011, 1, 5), (2012, 3, 9), (2013, 6, 1))
    special = link(2, 0, 1, 1, format="SPECIAL", start_date=day(2012, 3, 10))
    assert spans(place([special], shape(12, specials=slots))[2]) == [(1, 1, 0, 2)]


def test_a_special_is_confirmed_by_its_air_date_and_title_against_the_sources_number() -> None:
    slots = _dated((2011, 1, 5), (2012, 3, 9), titles=("Something", "The Hot Springs!"))
    special = link(2, 0, 0, 1, format="SPECIAL", start_date=day(2012, 3, 9), english="Show: The Hot Springs")
    assert spans(place([special], shape(12, specials=slots))[2]) == [(1, 1, 0, 2)]


def test_an_air_date_alone_is_only_a_candidate_and_comes_first() -> None:
    slots = _dated((2011, 1, 5), (2012, 3, 9))
    special = link(2, 0, 0, 1, format="SPECIAL", start_date=day(2012, 3, 9))
    refused = place([special], shape(12, specials=slots))[2]
    assert isinstance(refused, Refusal)
    assert next((c.spans[0].start, c.evidence) for c in refused.candidates) == (
        2,
        "Trakt lists it with the same air date",
    )


def test_two_specials_of_one_day_confirm_nothing() -> None:
    slots = _dated((2012, 3, 9), (2012, 3, 9))
    special = link(2, 0, 0, 1, format="SPECIAL", start_date=day(2012, 3, 9))
    assert isinstance(place([special], shape(12, specials=slots))[2], Refusal)


def test_a_run_of_specials_is_confirmed_by_its_first_and_last_day() -> None:
    slots = _dated((2011, 1, 5), (2012, 3, 9), (2012, 4, 9), (2012, 5, 9))
    special = link(2, 0, 1, 3, format="OVA", start_date=day(2012, 3, 9), end_date=day(2012, 5, 9))
    assert spans(place([special], shape(12, specials=slots))[2]) == [(1, 3, 0, 2)]


def test_two_specials_that_would_be_confirmed_on_one_number_are_both_refused() -> None:
    slots = _dated((2011, 1, 5), (2012, 3, 9))
    both = [link(i, 0, 1, 1, format="SPECIAL", start_date=day(2012, 3, 9)) for i in (2, 3)]
    found = place(both, shape(12, specials=slots))
    assert all(isinstance(r, Refusal) and r.candidates for r in found.values())


def test_titles_are_compared_without_case_accents_and_punctuation() -> None:
    assert normalised("Café: A & B!") == normalised("cafe a and b")
    assert normalised(None) == ""
