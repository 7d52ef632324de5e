"""The demo library: its truth fits its catalogue, and it holds every kind of entry that it promises."""

from __future__ import annotations

from collections import Counter

from webapp.simulator.demo import already_on_trakt, expected_piles, expected_plays, expected_remarks
from webapp.simulator.demo_list import ROWS
from webapp.simulator.demo_titles import BY_ID
from webapp.simulator.world import World


def places(anilist_id: int) -> dict[int, tuple[int, int]]:
    return {episode: (season, number) for a, episode, _, _, season, number in expected_plays() if a == anilist_id}


def test_every_expected_place_is_on_trakt(world: World) -> None:
    catalogue = world.library.catalogue
    for _, _, kind, trakt_id, season, number in expected_plays(private=True, dropped=True):
        if kind == "movie":
            assert trakt_id in catalogue.movies
        else:
            assert number in catalogue.shows[trakt_id].seasons[season]


def test_no_place_is_expected_twice() -> None:
    counted = Counter((kind, trakt_id, season, number) for _, _, kind, trakt_id, season, number in expected_plays())
    assert set(counted.values()) == {1}


def test_the_hard_entries_stand_where_they_must() -> None:
    assert places(145064)[1] == (1, 25)
    assert places(11741)[1] == (2, 1)
    assert places(142838) == {episode: (1, 12 + episode) for episode in range(1, 14)}
    assert places(131681)[12] == (4, 28)
    assert places(21)[62] == (2, 62)
    assert len(places(21)) == 130
    assert places(20811) == {1: (0, 15), 2: (0, 16)}
    assert places(172463) == {1: (1, 48), 2: (1, 49)}
    assert places(5526) == {}
    assert places(528) == {1: (0, 0)}


def test_private_and_dropped_entries_count_only_when_asked_for() -> None:
    assert places(20807) == {}
    assert len(expected_plays(private=True) - expected_plays()) == 12
    assert len(expected_plays(dropped=True) - expected_plays()) == 8


def test_every_row_is_explained_by_a_place_a_pile_or_a_remark() -> None:
    placed = {play[0] for play in expected_plays()}
    unexplained = {row.id for row in ROWS} - placed - set(expected_piles()) - set(expected_remarks())
    assert unexplained == set()
    assert not placed & set(expected_piles())


def test_the_list_holds_every_kind_of_entry() -> None:
    assert len(ROWS) == 65
    assert {row.status for row in ROWS} == {"CURRENT", "PLANNING", "COMPLETED", "DROPPED", "PAUSED", "REPEATING"}
    assert {BY_ID[row.id].format for row in ROWS} >= {"TV", "MOVIE", "OVA", "ONA", "SPECIAL", "MUSIC"}
    assert any(row.private for row in ROWS)
    assert any(row.hidden and row.lists for row in ROWS)
    assert any(row.repeat for row in ROWS)
    assert any(row.completed and len(row.completed) == 4 for row in ROWS)


def test_some_expected_plays_are_there_before_the_first_run(world: World) -> None:
    wanted = {play[2:] for play in expected_plays()}
    there = already_on_trakt()
    assert there <= wanted
    assert {play.place for play in world.accounts["hanako-trakt"].plays.values()} == there


def test_what_airs_is_counted_from_the_start(world: World) -> None:
    frieren = world.library.catalogue.shows[198225].seasons[1]
    aired = [number for number, episode in frieren.items() if (episode.first_aired or 0) <= world.clock()]
    assert (max(aired), max(frieren)) == (34, 38)
    assert max(world.library.catalogue.shows[158594].seasons[1]) == 49
