"""Entries without any id whose title says which season of a known show they are."""

from __future__ import annotations

import pytest

from jobs.mapping.chain import Link
from jobs.mapping.rows import AnidbRow
from jobs.mapping.sequels import Sequel, numbered
from jobs.records import MediaInfo, Placement, Reason, Refusal
from tests.jobs.mapping.builders import TMDB, TVDB, catalogue, link, media, otaku, place, shape, spans

FIRST = AnidbRow(127, "Magic Knight", tmdb_show_id=TMDB, tmdb_season="1", tvdb_id=TVDB, tvdb_season="1")


def sequel(anilist_id: int, season: int, episodes: int | None = 12) -> Link:
    found = Link(anilist_id, media=media(anilist_id, episodes))
    found.follow(Sequel(FIRST, season))
    return found


@pytest.mark.parametrize(
    ("title", "means"),
    [
        ("Magic Knight II", ("Magic Knight", 2)),
        ("Magic Knight 2", ("Magic Knight", 2)),
        ("Magic Knight 2nd Season", ("Magic Knight", 2)),
        ("Magic Knight Season 3", ("Magic Knight", 3)),
        ("Magic Knight: Third Season", ("Magic Knight", 3)),
        ("Magic Knight", None),
        ("Magic Knight 1", None),
        ("Magic Knight 2001", None),
        ("Magic Knight 2nd Season Part 2", ("Magic Knight 2nd Season Part", 2)),
        ("II", None),
        ("", None),
        (None, None),
    ],
)
def test_the_number_at_the_end_of_a_title_is_read(title: str | None, means: tuple[str, int] | None) -> None:
    assert numbered(title) == means


def test_a_sequel_that_no_source_knows_stands_in_the_free_season_of_its_number_and_length() -> None:
    result = place([link(1, 1), sequel(2, 2)], shape(12, 12))[2]
    assert spans(result) == [(1, 12, 2, 1)]
    assert isinstance(result, Placement)
    assert (result.rule, result.certainty) == ("sequel", "likely")
    assert "season 2 of Magic Knight" in result.reason


@pytest.mark.parametrize("case", ["another length", "no such season", "taken", "of unknown length"])
def test_a_sequel_by_title_alone_is_refused(case: str) -> None:
    links = [link(1, 1), sequel(2, 2, None if case == "of unknown length" else 12)]
    if case == "taken":
        links.append(link(3, 2, 0, 4))
    sizes = {"another length": (12, 13), "no such season": (24,)}.get(case, (12, 12))
    result = place(links, shape(*sizes))[2]
    assert isinstance(result, Refusal)
    assert result.reason is Reason.SEASON_UNKNOWN


def test_two_sequels_of_one_number_are_both_refused() -> None:
    results = place([link(1, 1), sequel(2, 2), sequel(3, 2)], shape(12, 12))
    assert [isinstance(results[i], Refusal) for i in (1, 2, 3)] == [False, True, True]


def test_a_sequel_by_title_moves_no_other_entry() -> None:
    others = [link(1, 1, episodes=None), link(3, 3), link(4, 4)]
    on = shape(20, 12, 12)
    alone = place(others, on)
    assert {k: v for k, v in place([*others, sequel(2, 2)], on).items() if k != 2} == alone


def titled(title: str) -> MediaInfo:
    return media(2, 12, romaji=title)


def test_the_beginning_of_the_show_is_the_one_row_of_exactly_that_name() -> None:
    found = catalogue(otaku(1, "1"), anidb=[FIRST]).link(titled("Magic Knight II"))
    assert found.sequel == Sequel(FIRST, 2)
    assert (found.tmdb_show_id, found.tvdb_id, found.has_ids) == (TMDB, TVDB, True)


@pytest.mark.parametrize("case", ["two of that name", "no ids", "a season of its own", "another name"])
def test_without_a_certain_beginning_there_is_no_sequel(case: str) -> None:
    rows = {
        "two of that name": [FIRST, AnidbRow(128, "Magic Knight", tvdb_id=5, tvdb_season="1")],
        "no ids": [AnidbRow(127, "Magic Knight", tvdb_season="1")],
        "a season of its own": [AnidbRow(127, "Magic Knight", tvdb_id=5, tvdb_season="3")],
        "another name": [AnidbRow(127, "Magic Knights", tvdb_id=5, tvdb_season="1")],
    }
    assert catalogue(anidb=rows[case]).link(titled("Magic Knight II")).sequel is None


def test_an_entry_that_any_source_knows_is_never_placed_by_its_title() -> None:
    assert catalogue(otaku(2, None), anidb=[FIRST]).link(titled("Magic Knight II")).sequel is None
