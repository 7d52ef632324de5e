"""Ratings, watchlist and dropped shows: bodies, complete readings, and what each answer means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import BadData, IncompleteRead, Reconnect
from jobs.extras import Extra, ExtraKind, Target
from jobs.targets.trakt import Trakt
from jobs.targets.trakt_extras import TraktExtras, body_of
from jobs.transport import Transport

URL = "http://127.0.0.1:9/trakt"
DAY = datetime(2024, 5, 1, 12, tzinfo=UTC)
SEASON = Extra("rating", Target("season", 10, 2), 1, 8, DAY)


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def extras() -> TraktExtras:
    transport = Transport("trakt", agent="Tsuzuki/test", retries=1, sleep=lambda _s: None)
    return Trakt(transport, URL, client_id="app-1", token=lambda: "t1", renew=lambda _used: None).extras


def page(web: Any, path: str, rows: list[Any], *, count: int | None = None) -> None:
    total = len(rows) if count is None else count
    headers = {"X-Pagination-Page": "1", "X-Pagination-Limit": "250", "X-Pagination-Page-Count": str(min(total, 1)), "X-Pagination-Item-Count": str(total)}  # fmt: skip
    web.get(f"{URL}{path}", json=rows, headers=headers)


def test_a_body_groups_seasons_and_keeps_a_show_apart_from_its_seasons() -> None:
    body = body_of(
        [
            SEASON,
            Extra("rating", Target("season", 10, 3), 2, 9),
            Extra("rating", Target("show", 10), 3, 7),
            Extra("rating", Target("movie", 99), 4, 10, DAY),
        ]
    )
    assert body == {
        "movies": [{"ids": {"trakt": 99}, "rating": 10, "rated_at": "2024-05-01T12:00:00.000Z"}],
        "shows": [
            {
                "ids": {"trakt": 10},
                "seasons": [
                    {"number": 2, "rating": 8, "rated_at": "2024-05-01T12:00:00.000Z"},
                    {"number": 3, "rating": 9},
                ],
            },
            {"ids": {"trakt": 10}, "rating": 7},
        ],
    }


TARGETS = st.builds(
    Target, st.sampled_from(["movie", "show", "season"]), st.integers(1, 5), st.integers(1, 3)
).map(lambda one: one if one.kind == "season" else Target(one.kind, one.trakt_id))  # fmt: skip


@given(st.sets(TARGETS, min_size=1), st.sampled_from(["rating", "watchlist", "dropped"]))
def test_a_body_never_holds_an_empty_list_and_names_each_target_once(targets: set[Target], kind: ExtraKind) -> None:
    value = 5 if kind == "rating" else 0
    body = body_of([Extra(kind, target, 1, value) for target in sorted(targets)])
    named = [Target("movie", item["ids"]["trakt"]) for item in body.get("movies", ())]
    for item in body.get("shows", ()):
        assert item.get("seasons", [0])
        numbers = [season["number"] for season in item.get("seasons", ())]
        trakt_id = item["ids"]["trakt"]
        named += [Target("season", trakt_id, n) for n in numbers] if numbers else [Target("show", trakt_id)]
        if "seasons" in item:
            assert "rating" not in item
    assert all(body.values())
    assert sorted(named) == sorted(targets)


def test_one_request_holds_one_kind(extras: TraktExtras) -> None:
    with pytest.raises(ValueError, match="one kind"):
        extras.post([SEASON, Extra("dropped", Target("show", 10), 1)])
    with pytest.raises(ValueError, match="at least one"):
        extras.remove([])


def test_ratings_of_movies_shows_and_seasons_are_read_and_those_of_episodes_are_not_asked_for(
    web: Any, extras: TraktExtras
) -> None:
    page(web, "/sync/ratings/movies", [{"type": "movie", "rating": 7, "movie": {"ids": {"trakt": 99}}}])
    page(web, "/sync/ratings/shows", [])
    season = {"type": "season", "rating": 9, "season": {"number": 2}, "show": {"ids": {"trakt": 10}}}
    page(web, "/sync/ratings/seasons", [season])
    assert extras.listed("rating") == {Target("movie", 99): 7, Target("season", 10, 2): 9}


def test_a_watchlist_may_hold_episodes_which_count_for_its_length_only(web: Any, extras: TraktExtras) -> None:
    rows = [
        {"id": 1, "type": "show", "show": {"ids": {"trakt": 10}}},
        {"id": 2, "type": "episode", "episode": {}, "show": {"ids": {"trakt": 10}}},
        {"id": 3, "type": "episode", "episode": {}, "show": {"ids": {"trakt": 10}}},
    ]
    page(web, "/sync/watchlist/all/rank/asc", rows)
    assert extras.listed("watchlist") == {Target("show", 10): 0}


def test_dropped_shows_are_read(web: Any, extras: TraktExtras) -> None:
    page(web, "/users/hidden/dropped", [{"type": "show", "show": {"ids": {"trakt": 10}}}])
    assert extras.listed("dropped") == {Target("show", 10): 0}
    assert "type=show" in str(web.calls[0].request.url)


@pytest.mark.parametrize(
    "rows",
    [
        [{"type": "show", "show": {}}],
        [{"type": "show", "show": {"ids": None}}],
        [{"type": "season", "season": None, "show": {"ids": {"trakt": 1}}}],
        [None],
        [{"type": "show", "show": {"ids": {"trakt": 1}}}] * 2,
    ],
)
def test_a_row_that_cannot_be_read_is_never_nothing(web: Any, extras: TraktExtras, rows: list[Any]) -> None:
    page(web, "/users/hidden/dropped", rows)
    with pytest.raises(IncompleteRead):
        extras.listed("dropped")


def test_a_list_that_ends_early_or_a_rating_without_a_number_fails(web: Any, extras: TraktExtras) -> None:
    page(web, "/users/hidden/dropped", [], count=1)
    with pytest.raises(IncompleteRead):
        extras.listed("dropped")
    page(web, "/sync/ratings/movies", [{"type": "movie", "movie": {"ids": {"trakt": 99}}}])
    with pytest.raises(IncompleteRead, match="without its number"):
        extras.listed("rating")


def test_what_moved_is_told_by_kind(web: Any, extras: TraktExtras) -> None:
    data = {
        "movies": {"rated_at": "a", "watchlisted_at": "b"}, "shows": {"rated_at": "c", "dropped_at": "d"},
        "seasons": None, "watchlist": {"updated_at": "e"},
    }  # fmt: skip
    web.get(f"{URL}/sync/last_activities", json=data)
    assert extras.activities() == {
        "rating": {"movies.rated_at": "a", "shows.rated_at": "c"},
        "watchlist": {"movies.watchlisted_at": "b", "watchlist.updated_at": "e"},
        "dropped": {"shows.dropped_at": "d"},
    }
    web.get(f"{URL}/sync/last_activities", json=[])
    with pytest.raises(BadData):
        extras.activities()


@pytest.mark.parametrize(
    ("status", "body", "came", "code", "added"),
    [
        (201, {"added": {"movies": 1, "shows": 0, "seasons": 2}}, "applied", None, 3),
        (201, {"added": {"shows": 1}, "existing": {"shows": 1}}, "applied", None, 2),
        (201, {"added": {"shows": "x"}}, "applied", None, 0),
        (201, {"something": "else"}, "doubt", None, 0),
        (420, {}, "refused", "account_limit", 0),
        (426, {}, "refused", "vip_required", 0),
        (429, {}, "refused", "rate_limited", 0),
        (403, {}, "refused", "app_refused", 0),
        (502, {}, "doubt", None, 0),
    ],
)
def test_each_answer_to_a_write_has_its_meaning(
    web: Any, extras: TraktExtras, status: int, body: Any, came: str, code: str | None, added: int
) -> None:
    web.post(f"{URL}/sync/ratings", json=body, status=status)
    receipt = extras.post([SEASON])
    assert (receipt.status, receipt.code, receipt.added) == (came, code, added)
    assert len(web.calls) == 1


def test_removing_names_no_rating_and_counts_what_went(web: Any, extras: TraktExtras) -> None:
    web.post(f"{URL}/sync/ratings/remove", json={"deleted": {"seasons": 1}, "not_found": {}})
    assert extras.remove([SEASON]).added == 1
    sent = json.loads(web.calls[0].request.body)
    assert sent == {"shows": [{"ids": {"trakt": 10}, "seasons": [{"number": 2}]}]}


def test_a_refused_sign_in_is_asked_for_again(web: Any, extras: TraktExtras) -> None:
    web.get(f"{URL}/sync/last_activities", status=401)
    with pytest.raises(Reconnect):
        extras.activities()
