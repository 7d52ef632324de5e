"""Where regular entries stand: one named case after the other, each with a made-up show of that shape."""

from __future__ import annotations

import pytest

from jobs.mapping.chain import Link
from jobs.mapping.rows import AnidbRow, AnidbRule
from jobs.records import Pile, Placement, Reason, Refusal, Shape, Slot
from tests.jobs.mapping.builders import TMDB, TRAKT, TVDB, fribbs, link, media, otaku, place, shape, spans


def test_second_cour_stands_behind_the_first_in_the_same_season() -> None:
    found = place([link(1, 1), link(2, 1, 12)], shape(24))
    assert spans(found[1]) == [(1, 12, 1, 1)]
    assert spans(found[2]) == [(1, 12, 1, 13)]


def test_a_season_that_trakt_merges_follows_the_earlier_entries() -> None:
    found = place([link(1, 1, episodes=24), link(2, 2, episodes=23)], shape(47))
    assert spans(found[2]) == [(1, 23, 1, 25)]
    placed = found[2]
    assert isinstance(placed, Placement)
    assert placed.rule == "merged"
    assert placed.reason == (
        f"Fribbs says season 2 of TMDB {TMDB}; Trakt has no season 2; placed after the 24 episodes of entry 1."
    )


def test_three_merged_seasons_follow_one_another() -> None:
    found = place([link(1, 1, episodes=24), link(2, 2, episodes=13), link(3, 3, episodes=13)], shape(50))
    assert spans(found[3]) == [(1, 13, 1, 38)]


def test_an_offset_past_the_end_of_a_season_goes_on_in_the_next_which_trakt_has_split() -> None:
    found = place([link(1, 1, episodes=13), link(2, 1, 13)], shape(13, 12))
    assert spans(found[2]) == [(1, 12, 2, 1)]
    assert isinstance(found[2], Placement)
    assert found[2].rule == "split"


def test_a_run_that_would_cross_into_a_season_of_exactly_its_length_starts_there() -> None:
    found = place([link(1, 1, episodes=12), link(2, 1, 12, episodes=13)], shape(13, 13))
    assert spans(found[2]) == [(1, 13, 2, 1)]


def test_a_season_that_goes_on_counting_is_mapped_by_position() -> None:
    found = place([link(1, 1, episodes=61), link(2, 2, episodes=16)], shape(61, 16, first={2: 62}))
    assert spans(found[2]) == [(1, 16, 2, 62)]


def test_a_source_that_counts_on_with_trakt_names_the_number_itself() -> None:
    found = place([link(2, 2, 63, episodes=4)], shape(61, 16, first={2: 62}))
    assert spans(found[2]) == [(1, 4, 2, 64)]


def test_an_entry_spans_several_seasons_that_nobody_else_claims() -> None:
    found = place([link(1, 1, episodes=30)], shape(13, 12, 5))
    assert spans(found[1]) == [(1, 13, 1, 1), (14, 25, 2, 1), (26, 30, 3, 1)]


def test_an_absolute_entry_counts_over_all_seasons() -> None:
    row = AnidbRow(1, tvdb_id=TVDB, tvdb_season="a", tvdb_offset=61)
    found = place([Link(1, anidb=row, media=media(1, 20))], shape(61, 16, 30, first={2: 62, 3: 78}))
    assert spans(found[1]) == [(1, 16, 2, 62), (17, 20, 3, 78)]


def test_seasons_may_be_called_by_years() -> None:
    years = Shape(TRAKT, {2010: tuple(Slot(n) for n in (1, 2, 3)), 2011: tuple(Slot(n) for n in (1, 2))})
    found = place([link(1, 2011, episodes=2), link(2, 2010, episodes=3)], years)
    assert spans(found[1]) == [(1, 2, 2011, 1)]


def test_tmdb_numbering_decides_where_the_two_numberings_differ() -> None:
    entry = link(1, 2, episodes=13, rows={"season_tmdb": 1, "offset_tmdb": 25})
    found = place([link(9, 1, episodes=25), entry], shape(50, 13))
    assert spans(found[1]) == [(1, 13, 1, 26)]
    assert isinstance(found[1], Placement)
    assert found[1].certainty == "likely"
    assert found[1].sources == {"fribbs": "TMDB S1 E26, TVDB S2 E1"}


def test_tvdb_numbering_is_taken_where_trakt_has_no_such_tmdb_season() -> None:
    found = place([link(1, 1, rows={"season_tmdb": 3})], shape(12))
    assert spans(found[1]) == [(1, 12, 1, 1)]


def test_two_sources_in_tvdb_numbering_that_differ_are_refused_with_both_as_candidates() -> None:
    row = fribbs(1, 1, tmdb_show_id=None, season_tmdb=None)
    found = place([Link(1, fribbs=row, otaku=otaku(1, "2"), media=media(1))], shape(12, 12))
    refused = found[1]
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.pile) == (Reason.SOURCES_DISAGREE, Pile.NEEDS_YOU)
    assert [c.spans[0].season for c in refused.candidates] == [1, 2]


def test_lists_of_anime_lists_place_episode_by_episode() -> None:
    rule = AnidbRule(1, "tmdb", 2, pairs=((2, (1,)), (3, (2,))))
    found = place([link(1, 1, 0, 3, rules=[rule])], shape(1, 2))
    assert spans(found[1]) == [(1, 1, 1, 1), (2, 3, 2, 1)]


def test_ranges_of_anime_lists_move_whole_runs() -> None:
    rules = [AnidbRule(1, "tmdb", 1, 1, 12, 0), AnidbRule(1, "tmdb", 2, 13, 24, -12)]
    found = place([link(1, 1, 0, 24, rules=rules)], shape(12, 12))
    assert spans(found[1]) == [(1, 12, 1, 1), (13, 24, 2, 1)]


def test_two_equal_entries_that_claim_the_same_episodes_are_both_refused() -> None:
    found = place([link(1, 1), link(2, 1)], shape(12))
    assert {type(r) for r in found.values()} == {Refusal}
    assert all(isinstance(r, Refusal) and r.reason is Reason.CLAIMED_BY_OTHER for r in found.values())
    assert all(isinstance(r, Refusal) and r.candidates for r in found.values())


def test_a_tv_entry_keeps_its_episodes_before_an_ova_that_claims_them_too() -> None:
    found = place([link(1, 1), link(2, 1, episodes=2, format="OVA")], shape(12))
    assert spans(found[1]) == [(1, 12, 1, 1)]
    refused = found[2]
    assert isinstance(refused, Refusal)
    assert refused.detail == "Entry 1 of the same show stands there."


def test_an_entry_that_trakt_lists_whole_comes_before_one_that_does_not_fit() -> None:
    found = place([link(1, 1, episodes=61), link(2, 1, episodes=2, format="OVA")], shape(2))
    assert spans(found[2]) == [(1, 2, 1, 1)]
    assert isinstance(found[1], Refusal)


def test_an_offset_that_leaves_a_hole_and_runs_into_the_next_entry_is_closed_up() -> None:
    chain = [link(1, 1, episodes=25), link(2, 1, 26, episodes=13), link(3, 1, 38, episodes=12)]
    found = place(chain, shape(66))
    assert spans(found[2]) == [(1, 13, 1, 26)]
    assert spans(found[3]) == [(1, 12, 1, 39)]


def test_a_tv_season_that_trakt_numbers_otherwise_is_found_by_its_length() -> None:
    chain = [link(1, 1, episodes=25), link(2, 2, episodes=2, format="OVA"), link(3, 3, episodes=13)]
    found = place(chain, shape(25, 13))
    assert spans(found[3]) == [(1, 13, 2, 1)]
    assert isinstance(found[3], Placement)
    assert (found[3].rule, found[3].certainty) == ("exact_season", "likely")


def test_a_missing_season_behind_an_entry_of_unknown_length_is_refused_and_names_it() -> None:
    from jobs.mapping.placement import place_show

    chain = [link(1, 1, episodes=None), link(2, 2, episodes=23)]
    places = place_show(TRAKT, chain, shape(47))
    refused = places.results[2]
    assert isinstance(refused, Refusal)
    assert refused.reason is Reason.LENGTH_UNKNOWN
    assert places.needs == {1}


def test_a_missing_season_with_nothing_before_it_is_refused() -> None:
    found = place([link(2, 2)], shape(24))
    assert isinstance(found[2], Refusal)
    assert found[2].reason is Reason.SEASON_UNKNOWN


def test_a_merged_season_without_room_for_all_episodes_is_refused_with_a_candidate() -> None:
    found = place([link(1, 1, episodes=24), link(2, 2, episodes=24)], shape(30))
    refused = found[2]
    assert isinstance(refused, Refusal)
    assert refused.reason is Reason.PAST_THE_END
    assert refused.candidates[0].spans[0].start == 25


def test_a_season_that_trakt_does_not_list_yet_waits() -> None:
    found = place([link(1, 1, episodes=12), link(2, 2, episodes=12, status="RELEASING")], shape(12, ended=False))
    refused = found[2]
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.pile) == (Reason.NOT_LISTED_YET, Pile.WAITING)


def test_episodes_of_an_airing_entry_that_are_not_listed_yet_wait() -> None:
    found = place([link(1, 1, episodes=24, status="RELEASING")], shape(20, ended=False))
    assert spans(found[1]) == [(1, 20, 1, 1)]
    placed = found[1]
    assert isinstance(placed, Placement)
    assert [(o.first, o.last, o.pile, o.reason) for o in placed.open] == [(21, 24, Pile.WAITING, Reason.NOT_LISTED_YET)]


def test_an_airing_entry_of_unknown_length_takes_its_season_up_to_the_next_entry() -> None:
    chain = [link(1, 1, episodes=None, status="RELEASING"), link(2, 1, 20, episodes=4)]
    assert spans(place(chain, shape(24, 12))[1]) == [(1, 20, 1, 1)]
    assert spans(place(chain[:1], shape(24, 12))[1]) == [(1, 24, 1, 1)]


def test_a_long_runner_of_unknown_length_goes_on_over_the_seasons_it_has_aired() -> None:
    entry = link(1, 1, episodes=None, status="RELEASING", next_episode=90)
    found = place([entry], shape(61, 16, 20, first={2: 62, 3: 78}))
    assert spans(found[1]) == [(1, 61, 1, 1), (62, 77, 2, 62), (78, 97, 3, 78)]


def test_episodes_past_the_end_of_an_ended_show_need_the_person() -> None:
    placed = place([link(1, 1, episodes=13)], shape(12))[1]
    assert isinstance(placed, Placement)
    assert placed.place_of(12) == (1, 12)
    assert placed.place_of(13) is None
    assert [(o.first, o.pile, o.reason) for o in placed.open] == [(13, Pile.NEEDS_YOU, Reason.PAST_THE_END)]


def test_a_run_never_flows_into_the_season_of_the_next_entry() -> None:
    found = place([link(1, 1, episodes=13), link(2, 2, episodes=12)], shape(12, 12))
    assert spans(found[1]) == [(1, 12, 1, 1)]
    assert spans(found[2]) == [(1, 12, 2, 1)]


def test_a_hole_in_the_numbers_of_a_season_is_an_episode_that_is_not_listed() -> None:
    holed = Shape(TRAKT, {1: tuple(Slot(n) for n in (1, 2, 3, 5, 6))}, ended=True)
    placed = place([link(1, 1, episodes=6)], holed)[1]
    assert spans(placed) == [(1, 3, 1, 1), (5, 6, 1, 5)]
    assert isinstance(placed, Placement)
    assert [(o.first, o.last) for o in placed.open] == [(4, 4)]


def test_an_ova_series_that_is_its_own_show_has_its_own_season() -> None:
    found = place([link(1, 1, episodes=4, format="OVA")], shape(4))
    assert spans(found[1]) == [(1, 4, 1, 1)]


def test_without_any_season_only_a_free_single_season_of_the_same_length_will_do() -> None:
    def alone(episodes: int) -> Link:
        return Link(1, otaku=otaku(1, None), media=media(1, episodes))

    assert spans(place([alone(12)], shape(12))[1]) == [(1, 12, 1, 1)]
    assert isinstance(place([alone(10)], shape(12))[1], Refusal)
    assert isinstance(place([alone(12)], shape(12, 12))[1], Refusal)
    assert isinstance(place([alone(12), link(2, 1)], shape(12))[1], Refusal)


def test_a_show_without_any_episode_waits_until_trakt_lists_some() -> None:
    found = place([link(1, 1)], shape(ended=False))
    assert isinstance(found[1], Refusal)
    assert found[1].reason is Reason.NOT_LISTED_YET


@pytest.mark.parametrize("on_list", [(1, 2, 3), (3,)])
def test_an_entry_stands_in_the_same_place_whatever_else_is_on_the_list(on_list: tuple[int, ...]) -> None:
    chain = [link(1, 1, episodes=24), link(2, 2, episodes=13), link(3, 3, episodes=13)]
    found = {i: r for i, r in place(chain, shape(50)).items() if i in on_list}
    assert spans(found[3]) == [(1, 13, 1, 38)]


@pytest.mark.parametrize("offset", [-1, -13, -40])
def test_an_offset_below_zero_names_no_episode(offset: int) -> None:
    """Counted from the end it would be another season's; further back there is nothing at all."""
    for saying in ("1", "a"):
        row = AnidbRow(1, tvdb_id=TVDB, tvdb_season=saying, tvdb_offset=offset)
        result = place([Link(1, anidb=row, media=media(1, 12))], shape(12, 13))[1]
        assert isinstance(result, Refusal)
        assert result.reason is Reason.SEASON_UNKNOWN
