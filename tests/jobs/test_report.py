"""The numbers of the first preview, worked out from entries and places alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from jobs.planner import AccountRules
from jobs.records import ListEntry, OpenEpisodes, Pile, Placement, Reason, Refusal, Shape, Slot, Span
from jobs.report import report
from tests.jobs.sync_fakes import entry, media


def shape(trakt_id: int, *lengths: int) -> Shape:
    return Shape(trakt_id, {season: tuple(Slot(n) for n in range(1, length + 1)) for season, length in enumerate(lengths, 1)})  # fmt: skip


def placed(anilist_id: int, season: int, start: int = 1, *, trakt_id: int = 0, last: int = 12, **values: Any) -> Placement:  # fmt: skip
    return Placement(anilist_id, "show", trakt_id or anilist_id, (Span(1, last, season, start),), "fribbs", "fribbs", "It says so.", **values)  # fmt: skip


def refused(anilist_id: int, pile: Pile) -> Refusal:
    return Refusal(anilist_id, pile, Reason.NO_ID, "No source knows it.")


def made(entries: list[ListEntry], *placements: Placement | Refusal, shapes: tuple[Shape, ...] = (), **rules: Any) -> dict[str, Any]:  # fmt: skip
    return report(entries, {one.anilist_id: one for one in placements}, AccountRules(**rules), {one.trakt_id: one for one in shapes})  # fmt: skip


def test_what_stands_in_the_first_season_at_its_own_number_is_right_either_way() -> None:
    said = made([entry(1)], placed(1, 1))
    assert (said["episodes"], said["wrong"], said["cases"]) == (12, 0, [])


def test_a_second_season_would_be_wrong_from_its_first_episode_to_its_last() -> None:
    said = made([entry(1)], placed(1, 2), shapes=(shape(1, 13, 12),))
    assert (said["episodes"], said["wrong"]) == (12, 12)
    assert said["cases"] == [{"anilistId": 1, "watched": 12, "wrong": 12}]


def test_a_show_of_several_seasons_counted_through_is_right_where_one_title_holds_them_all() -> None:
    long = entry(1, 20, media=media(1, episodes=20))
    place = Placement(1, "show", 1, (Span(1, 12, 1, 1), Span(13, 20, 2, 1)), "otaku", "otaku", "It says so.")
    assert made([long], place, shapes=(shape(1, 12, 12),))["wrong"] == 0


def test_only_what_was_watched_counts() -> None:
    said = made([entry(1, 5, "CURRENT"), entry(2, 0, "PLANNING"), entry(3, 4, "DROPPED")], placed(1, 2), placed(2, 2), placed(3, 2), shapes=(shape(1, 12, 12),))  # fmt: skip
    assert (said["episodes"], said["wrong"]) == (5, 5)


def test_what_has_no_place_is_told_by_who_acts() -> None:
    partly = placed(4, 1, last=10, open=(OpenEpisodes(11, 12, Pile.WAITING, Reason.NOT_LISTED_YET),))
    said = made([entry(n) for n in (1, 2, 3, 4)], refused(1, Pile.NEEDS_YOU), refused(2, Pile.WAITING), refused(3, Pile.NO_MATCH), partly)  # fmt: skip
    assert (said["asking"], said["waiting"], said["unmatched"], said["notOnTrakt"], said["episodes"]) == (12, 14, 12, 1, 10)  # fmt: skip


def test_a_movie_is_one_title_and_never_wrong() -> None:
    movie = Placement(1, "movie", 1, (), "movie", "movie", "It is a movie.")
    said = made([entry(1)], movie)
    assert (said["movies"], said["episodes"], said["wrong"]) == (1, 0, 0)


def test_private_titles_are_no_cases_and_count_only_when_they_are_sent() -> None:
    private = entry(1, private=True)
    world = (placed(1, 2),)
    assert made([private], *world)["episodes"] == 0
    said = made([private], *world, send_private=True)
    assert (said["episodes"], said["wrong"], said["cases"]) == (12, 12, [])


def test_adult_and_hidden_titles_are_no_cases() -> None:
    adult = entry(1, media=media(1, is_adult=True))
    assert made([adult, entry(2, hidden=True)], placed(1, 2), placed(2, 2))["cases"] == []


def test_titles_that_the_person_left_out_do_not_count() -> None:
    assert made([entry(1)], placed(1, 2), choices={1: "never"})["episodes"] == 0


def test_the_clearest_cases_come_first_and_each_show_once() -> None:
    entries = [entry(n) for n in range(1, 16)]
    places = [placed(n, 2) for n in range(1, 14)]
    twin = replace(placed(14, 3), trakt_id=13)
    special = placed(15, 0)
    said = made(entries, *places, twin, special, shapes=tuple(shape(n, 12, 12, 12) for n in range(1, 16)))["cases"]
    assert len(said) == 10
    assert said[0]["anilistId"] == 1
    assert not {14, 15} & {case["anilistId"] for case in said}
