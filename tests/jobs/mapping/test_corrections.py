"""What people set: spans over overrides over what was found; and what a person's progress leaves open."""

from __future__ import annotations

import pytest

from jobs.mapping.corrections import by_hand, overridden, with_progress
from jobs.mapping.placement import from_json, place_movie
from jobs.records import Identity, Ids, Pile, Placement, Reason, Refusal, to_json
from tests.jobs.mapping.builders import TRAKT, link, media, place, shape, spans


def _automatic(episodes: int = 12, *seasons: int) -> Placement:
    found = place([link(1, 1, episodes=episodes)], shape(*(seasons or (12,))))[1]
    assert isinstance(found, Placement)
    return found


def test_a_persons_spans_win_and_the_other_episodes_keep_their_place() -> None:
    placed = by_hand(1, TRAKT, [(5, 6, 0, 1)], 12, _automatic())
    assert spans(placed) == [(1, 4, 1, 1), (5, 6, 0, 1), (7, 12, 1, 7)]
    assert (placed.source, placed.rule) == ("manual", "entry_spans")


def test_a_span_to_the_end_takes_every_further_episode() -> None:
    assert spans(by_hand(1, TRAKT, [(1, None, 2, 1)], 12, _automatic())) == [(1, 12, 2, 1)]
    assert by_hand(1, TRAKT, [(1, None, 2, 1)], None, None).place_of(300) == (2, 300)


def test_spans_place_what_was_refused() -> None:
    refused = place([link(1, 2)], shape(12))[1]
    assert isinstance(refused, Refusal)
    assert spans(by_hand(1, TRAKT, [(1, 12, 1, 1)], 12, refused)) == [(1, 12, 1, 1)]


def test_spans_on_another_show_keep_nothing_of_the_automatic_placement() -> None:
    assert spans(by_hand(1, TRAKT + 1, [(1, 2, 1, 1)], 12, _automatic())) == [(1, 2, 1, 1)]


def test_spans_close_episodes_that_were_open() -> None:
    placed = by_hand(1, TRAKT, [(13, 13, 0, 1)], 13, _automatic(13))
    assert placed.place_of(13) == (0, 1)
    assert placed.open == ()


def test_an_override_moves_one_episode_by_its_absolute_number() -> None:
    placed = overridden(_automatic(), {3: (0, 7)}, shape(12))
    assert spans(placed) == [(1, 2, 1, 1), (3, 3, 0, 7), (4, 12, 1, 4)]
    assert (placed.source, placed.rule) == ("override", "episode_override")


def test_absolute_numbers_of_overrides_count_trakts_regular_episodes_in_its_order() -> None:
    second = place([link(1, 1), link(2, 2)], shape(12, 12, first={2: 62}, specials=3))[2]
    assert isinstance(second, Placement)
    placed = overridden(second, {14: (3, 1)}, shape(12, 12, first={2: 62}, specials=3))
    assert spans(placed) == [(1, 1, 2, 62), (2, 2, 3, 1), (3, 12, 2, 64)]


def test_an_override_places_an_episode_behind_the_listed_ones() -> None:
    placed = overridden(_automatic(13), {13: (0, 2)}, shape(12))
    assert placed.place_of(13) == (0, 2)
    assert placed.open == ()


def test_an_override_of_other_episodes_changes_nothing() -> None:
    automatic = _automatic()
    assert overridden(automatic, {40: (0, 1)}, shape(12)) is automatic


def test_an_override_never_wins_over_a_persons_spans() -> None:
    by_person = by_hand(1, TRAKT, [(1, 12, 2, 1)], 12, None)
    assert overridden(by_person, {1: (0, 1)}, shape(12)) is by_person


def test_progress_above_the_length_needs_the_person_and_the_rest_stays_placed() -> None:
    placed = with_progress(_automatic(), media(1, 12), 14)
    assert placed.place_of(12) == (1, 12)
    assert [(o.first, o.last, o.pile, o.reason) for o in placed.open] == [
        (13, 14, Pile.NEEDS_YOU, Reason.ABOVE_EPISODES)
    ]


def test_progress_of_an_airing_entry_past_what_trakt_lists_waits() -> None:
    airing = place([link(1, 1, episodes=None, status="RELEASING")], shape(5, ended=False))[1]
    assert isinstance(airing, Placement)
    placed = with_progress(airing, media(1, None, status="RELEASING"), 7)
    assert [(o.first, o.last, o.reason) for o in placed.open] == [(6, 7, Reason.NOT_LISTED_YET)]


def test_progress_within_the_placement_changes_nothing() -> None:
    automatic = _automatic()
    assert with_progress(automatic, media(1, 12), 12) is automatic


@pytest.mark.parametrize("case", ["placed", "refused", "movie", "open"])
def test_what_is_stored_reads_back_the_same(case: str) -> None:
    made = {
        "placed": _automatic(),
        "refused": place([link(1, 0, 2, 1, format="OVA")], shape(12, specials=5))[1],
        "movie": place_movie(link(1, None), Identity("movie", 5, Ids(5), "trakt_tmdb", "Known.")),
        "open": with_progress(_automatic(), media(1, 12), 20),
    }[case]
    assert from_json(to_json(made)) == made


def test_an_empty_row_holds_no_placement() -> None:
    assert from_json({}) is None
