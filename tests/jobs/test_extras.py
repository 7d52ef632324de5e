"""Which scores, planned and dropped titles go to Trakt, and as what: rules without a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.extras import KINDS, Extra, ExtraRules, Sent, Target, Title, decide, rating_of, shows_in_question, wanted
from jobs.filters import Filters
from jobs.records import Kind, PartialDate, Picture, Placement, Shape, Slot, Span, Watched
from tests.jobs.sync_fakes import entry, media

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SHOW, MOVIE = 500, 900
NOTHING = Picture("t", NOW, {}, {}, {})


def rules(**more: Any) -> ExtraRules:
    plain = ExtraRules(
        KINDS, ("COMPLETED", "CURRENT", "REPEATING", "PAUSED"), send_private=False, filters=Filters(), zone=UTC, now=NOW
    )
    return replace(plain, **more)


def shapes(*lengths: int, show: int = SHOW, specials: int = 0) -> Mapping[int, Shape]:
    """One show with seasons of these lengths."""
    seasons = {n: tuple(Slot(i) for i in range(1, length + 1)) for n, length in enumerate(lengths, 1)}
    if specials:
        seasons[0] = tuple(Slot(i) for i in range(1, specials + 1))
    return {show: Shape(show, seasons)}


def title(
    anilist_id: int = 1,
    *spans: tuple[int, int, int, int],
    kind: Kind = "show",
    trakt_id: int | None = None,
    episodes: int | None = 12,
    info: Mapping[str, Any] | None = None,
    choice: str | None = None,
    **more: Any,
) -> Title:
    """A title of 12 episodes in season 1, completed with the score 80, unless told otherwise."""
    where = trakt_id or (MOVIE if kind == "movie" else SHOW)
    shown = () if kind == "movie" else tuple(Span(*span) for span in spans or ((1, 500, 1, 1),))
    placed = Placement(anilist_id, kind, where, shown, "fribbs", "season", "Season")
    row = entry(anilist_id, **{"media": media(anilist_id, episodes=episodes, **(info or {})), "score": 80, **more})
    return Title(row, kind, where, placed, choice)


def targets(*titles: Title, shape: Mapping[int, Shape] | None = None, **more: Any) -> list[tuple[str, Target, int]]:
    given_shapes = shapes(12, 12) if shape is None else shape
    picture = more.pop("picture", NOTHING)
    return [(e.kind, e.target, e.value) for e in wanted(titles, given_shapes, picture, rules(**more))]


@pytest.mark.parametrize(
    ("score", "rating"),
    [(0, 0), (1, 1), (4, 1), (5, 1), (14, 1), (15, 2), (35, 4), (60, 6), (84, 8), (85, 9), (95, 10), (100, 10)],
)
def test_a_score_becomes_the_nearest_rating_and_none_stays_none(score: int, rating: int) -> None:
    assert rating_of(score) == rating


@given(st.integers(1, 99))
def test_a_higher_score_is_never_a_lower_rating(score: int) -> None:
    assert 1 <= rating_of(score) <= rating_of(score + 1) <= 10
    assert abs(rating_of(score) * 10 - score) <= 5 or score < 5


def test_a_title_that_fills_a_season_rates_the_season() -> None:
    assert targets(title(1, (1, 500, 2, 1))) == [("rating", Target("season", SHOW, 2), 8)]


def test_a_title_of_a_show_with_one_season_rates_the_show_whatever_its_specials() -> None:
    assert targets(title(), shape=shapes(12, specials=3)) == [("rating", Target("show", SHOW), 8)]


def test_a_movie_rates_the_movie() -> None:
    assert targets(title(kind="movie", episodes=1)) == [("rating", Target("movie", MOVIE), 8)]


@pytest.mark.parametrize(
    "odd",
    [
        title(1, (1, 6, 1, 1), episodes=6),  # half a season
        title(1, (1, 12, 1, 1), (13, 24, 2, 1), episodes=24),  # two seasons
        title(1, (1, 6, 0, 1), episodes=6),  # specials
        title(1, (1, 500, 1, 13), episodes=12),  # past the end
        title(1, (2, 12, 1, 1), episodes=12),  # its first episode has no place
        title(1, episodes=None),  # nobody knows how long it is
        title(1, (1, 500, 3, 1)),  # a season that Trakt does not list
        title(score=0),
        title(status="CURRENT"),
        title(status="PAUSED"),
        title(status="DROPPED", progress=3),  # a status that is not ticked
        title(private=True),
        title(choice="never"),
        title(choice="scrobbler"),
        replace(title(), placement=None),
    ],
)
def test_every_other_title_rates_nothing(odd: Title) -> None:
    assert targets(odd, kinds=("rating",), shape=shapes(12, 12, specials=6)) == []


def test_half_a_season_with_the_shows_seasons_unknown_is_nothing_but_a_question() -> None:
    assert targets(title(), shape={}) == []
    assert shows_in_question([title()], NOTHING, rules()) == {SHOW}
    assert shows_in_question([title(score=0), title(kind="movie")], NOTHING, rules()) == set()


def test_private_titles_go_only_when_the_account_says_so() -> None:
    assert targets(title(private=True), send_private=True) == [("rating", Target("season", SHOW, 1), 8)]


def test_filters_count_here_too() -> None:
    adult = title(info={"is_adult": True})
    listed = title(custom_lists=("Guilty",))
    old = title(completed=PartialDate(2012, 5, 1))
    for one, filters in (
        (title(), Filters(formats_off=frozenset({"TV"}))),
        (adult, Filters(skip_adult=True)),
        (listed, Filters(skip_lists=frozenset({"Guilty"}))),
        (old, Filters(not_before=date(2020, 1, 1))),
    ):
        assert len(targets(one)) == 1
        assert targets(one, filters=filters) == []


def test_the_rating_bears_the_day_on_which_the_title_was_finished() -> None:
    (extra,) = wanted([title(completed=PartialDate(2024, 5, 1))], shapes(12), NOTHING, rules())
    assert extra.rated_at == datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_two_titles_that_would_rate_one_thing_differently_rate_nothing() -> None:
    one, other = title(1, kind="movie", score=70), title(2, kind="movie", score=60)
    assert targets(one, other) == []
    assert targets(one, title(2, kind="movie", score=71)) == [("rating", Target("movie", MOVIE), 7)]


# The watchlist


def planned(anilist_id: int = 1, *spans: tuple[int, int, int, int], **more: Any) -> Title:
    return title(anilist_id, *spans, **{"status": "PLANNING", "progress": 0, "score": 0, **more})


def test_a_planned_title_goes_as_its_movie_or_its_show() -> None:
    assert targets(planned(kind="movie"), planned(2)) == [
        ("watchlist", Target("movie", MOVIE), 0),
        ("watchlist", Target("show", SHOW), 0),
    ]


def test_a_planned_title_whose_place_is_not_known_yet_goes_as_its_show() -> None:
    assert targets(replace(planned(), placement=None), shape={}) == [("watchlist", Target("show", SHOW), 0)]
    assert targets(replace(planned(), placement=None, trakt_id=None)) == []


@pytest.mark.parametrize("on_trakt", [True, False])
def test_of_a_show_that_was_begun_only_the_season_goes(on_trakt: bool) -> None:
    picture = replace(NOTHING, episodes={(SHOW, 1, 1): Watched(1, NOW)}) if on_trakt else NOTHING
    others = [] if on_trakt else [title(9, status="CURRENT", progress=1, score=0)]
    second = planned(1, (1, 500, 2, 1))
    assert targets(second, *others, picture=picture) == [("watchlist", Target("season", SHOW, 2), 0)]
    assert targets(planned(1, (1, 6, 2, 1), episodes=6), *others, picture=picture) == []
    assert shows_in_question([second, *others], picture, rules()) == {SHOW}
    assert shows_in_question([second], NOTHING, rules()) == set()


def test_what_was_seen_already_is_not_put_on_the_watchlist() -> None:
    seen = replace(NOTHING, movies={MOVIE: Watched(1, NOW)}, episodes={(SHOW, 2, 3): Watched(1, NOW)})
    assert targets(planned(kind="movie"), planned(2, (1, 500, 2, 1)), picture=seen) == []


def test_two_planned_titles_of_a_new_show_are_one_item() -> None:
    assert targets(planned(1), planned(2, (1, 500, 2, 1))) == [("watchlist", Target("show", SHOW), 0)]


def test_private_and_filtered_titles_stay_off_the_watchlist() -> None:
    assert targets(planned(private=True)) == []
    assert targets(planned(), filters=Filters(formats_off=frozenset({"TV"}))) == []


# Dropped shows


def dropped(anilist_id: int = 2, year: int = 2016, **more: Any) -> Title:
    info = {"start_date": PartialDate(year, 1, 10), **more.pop("info", {})}
    return title(anilist_id, **{"status": "DROPPED", "progress": 3, "score": 0, "info": info, **more})


def of_year(anilist_id: int, year: int, status: str, **info: Any) -> Title:
    return title(
        anilist_id, status=status, score=0, progress=0 if status == "PLANNING" else 12,
        info={"start_date": PartialDate(year, 1, 10), **info},
    )  # fmt: skip


def test_the_show_of_a_dropped_title_is_dropped_even_after_a_finished_season() -> None:
    assert targets(dropped()) == [("dropped", Target("show", SHOW), 0)]
    assert targets(dropped(), of_year(1, 2014, "COMPLETED")) == [("dropped", Target("show", SHOW), 0)]
    assert targets(replace(dropped(), placement=None)) == [("dropped", Target("show", SHOW), 0)]


@pytest.mark.parametrize("status", ["CURRENT", "PAUSED", "REPEATING", "PLANNING"])
def test_a_show_of_which_something_goes_on_is_not_dropped(status: str) -> None:
    assert targets(dropped(), of_year(1, 2014, status), kinds=("dropped",)) == []


def test_a_show_that_was_finished_after_the_dropped_title_is_not_dropped() -> None:
    assert targets(dropped(), of_year(3, 2018, "COMPLETED")) == []


def test_a_dropped_ova_does_not_drop_its_show_but_one_that_is_its_own_show_does() -> None:
    ova = dropped(info={"format": "OVA"})
    assert targets(ova, of_year(1, 2014, "COMPLETED")) == []
    assert targets(ova) == [("dropped", Target("show", SHOW), 0)]
    assert targets(dropped(), of_year(3, 2018, "COMPLETED", format="OVA")) == [("dropped", Target("show", SHOW), 0)]


def test_movies_private_and_filtered_titles_are_not_dropped() -> None:
    assert targets(dropped(kind="movie")) == []
    assert targets(dropped(private=True)) == []
    assert targets(dropped(choice="never")) == []
    assert targets(dropped(), filters=Filters(formats_off=frozenset({"TV"}))) == []


def test_what_is_switched_off_is_not_wanted() -> None:
    everything = [title(), planned(2, kind="movie"), dropped(3, trakt_id=77)]
    assert {kind for kind, _, _ in targets(*everything)} == set(KINDS)
    for kind in KINDS:
        assert {found for found, _, _ in targets(*everything, kinds=(kind,))} == {kind}
    assert targets(*everything, kinds=()) == []


# What of it is new

RATING = Extra("rating", Target("season", SHOW, 1), 1, 8)


def test_an_existing_rating_is_never_overwritten() -> None:
    assert decide([RATING], {}, {}).new == (RATING,)
    assert decide([RATING], {}, {"rating": {RATING.target: 8}}).already == (RATING,)
    assert decide([RATING], {}, {"rating": {RATING.target: 3}}).different == (RATING,)
    assert decide([RATING], {}, {"watchlist": {RATING.target: 0}}).new == (RATING,)


@pytest.mark.parametrize("state", ["gone", "removed", "rejected"])
def test_what_was_taken_away_or_refused_stays_away_until_send_again(state: str) -> None:
    assert decide([RATING], {RATING.key: Sent(state)}, {}).held == (RATING,)
    assert decide([RATING], {RATING.key: Sent(state, held=False)}, {}).new == (RATING,)
    assert decide([RATING], {RATING.key: Sent(state, held=False)}, {"rating": {RATING.target: 2}}).different == (
        RATING,
    )


@pytest.mark.parametrize("state", ["sending", "sent", "removing"])
def test_what_was_sent_counts_as_there_whatever_a_reading_shows(state: str) -> None:
    assert decide([RATING], {RATING.key: Sent(state)}, {}).already == (RATING,)


def test_a_season_of_a_show_that_is_on_the_watchlist_needs_no_item_of_its_own() -> None:
    extra = Extra("watchlist", Target("season", SHOW, 2), 1)
    assert decide([extra], {}, {"watchlist": {Target("show", SHOW): 0}}).already == (extra,)


TITLES = st.lists(
    st.builds(
        title,
        st.integers(1, 40),
        kind=st.sampled_from(["show", "movie"]),
        trakt_id=st.integers(1, 4),
        status=st.sampled_from(["COMPLETED", "CURRENT", "DROPPED", "PLANNING", "PAUSED", "REPEATING"]),
        score=st.integers(0, 100),
        private=st.booleans(),
        progress=st.integers(0, 12),
    ),
    max_size=12,
    unique_by=lambda one: one.entry.anilist_id,
)
STATES = st.sampled_from(["sending", "sent", "rejected", "removing", "removed", "gone"])


@given(TITLES, st.randoms(use_true_random=False), st.data())
def test_whatever_the_list_each_target_is_decided_once_and_never_against_what_is_there(
    titles: list[Title], random: Any, data: st.DataObject
) -> None:
    known = {i: Shape(i, {1: tuple(Slot(n) for n in range(1, 13))}) for i in range(1, 5)}
    every = rules(statuses=("COMPLETED", "CURRENT", "REPEATING", "PAUSED", "DROPPED"))
    found = wanted(titles, known, NOTHING, every)
    shuffled = list(titles)
    random.shuffle(shuffled)
    assert wanted(shuffled, known, NOTHING, every) == found
    assert len({extra.key for extra in found}) == len(found)
    private = {one.entry.anilist_id for one in titles if one.entry.private}
    assert not {extra.anilist_id for extra in found} & private
    there: dict[Any, dict[Target, int]] = {}
    ledger = {}
    for extra in found:
        if data.draw(st.booleans()):
            there.setdefault(extra.kind, {})[extra.target] = data.draw(st.integers(1, 10))
        if data.draw(st.booleans()):
            ledger[extra.key] = Sent(data.draw(STATES), data.draw(st.booleans()))
    decided = decide(found, ledger, there)
    parts = [*decided.new, *decided.already, *decided.different, *decided.held]
    assert sorted(parts, key=repr) == sorted(found, key=repr)
    for extra in decided.new:
        assert extra.target not in there.get(extra.kind, {})
        row = ledger.get(extra.key)
        assert row is None or (row.state in ("gone", "removed", "rejected") and not row.held)
