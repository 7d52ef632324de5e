"""What a place would mean: what goes where, what Trakt has, what moves, who stands there too."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from webapp.outlook import Outlook, Standing, movie_outlook, show_outlook

SEEN = datetime(2023, 3, 12, tzinfo=UTC)
SEASONS = {"1": [[n, None, None, f"Name {n}", 24] for n in range(1, 48)], "2": [[n, None, None, None, 24] for n in range(1, 4)]}  # fmt: skip


@pytest.fixture(autouse=True)
def request_context(words_app: Flask) -> Any:
    with words_app.test_request_context():
        yield


def span(first: int, last: int | None, season: int, start: int) -> dict[str, Any]:
    return {"from": first, "to": last, "season": season, "start": start}


def look(*spans: dict[str, Any], **more: Any) -> Outlook:
    values: dict[str, Any] = {
        "trakt_id": 5, "length": 12, "watched": 12, "seasons": SEASONS, "on_trakt": {}, "ours": (), "others": {}
    }  # fmt: skip
    return show_outlook(spans, **(values | more))


def test_each_episode_says_what_stands_where_it_goes() -> None:
    ours = [Standing(1, "episode", 5, 1, 25)]
    found = look(
        span(1, None, 1, 25), ours=ours, on_trakt={(1, 25): (1, SEEN), (1, 26): (2, SEEN)}, length=4, watched=4
    )
    assert [(line.place, line.state, line.watched_at) for line in found.lines] == [
        ((1, 25), "ours", SEEN), ((1, 26), "there", SEEN), ((1, 27), "new", None), ((1, 28), "new", None)
    ]  # fmt: skip
    assert found.lines[0].name == "Name 25"
    assert found.says == ["2 episodes would be added to Trakt.", "2 are there already."]
    assert found.drawing is not None


def test_plays_that_stand_elsewhere_would_be_moved() -> None:
    ours = [Standing(n, "episode", 5, 1, 24 + n) for n in range(1, 13)]
    found = look(span(1, 12, 1, 13), ours=ours)
    assert found.moves == 12
    assert found.says[0] == "12 plays stand on Season 1, 25-36. They will be removed there and added here."


def test_another_show_moves_everything_and_a_movie_too() -> None:
    ours = [Standing(1, "episode", 9, 0, 3)]
    assert look(span(1, 12, 1, 1), ours=ours).says[0].startswith("1 play stands on the specials, 3.")
    assert movie_outlook(5, ours=ours, seen=True).says == [
        "1 play stands on the specials, 3. It will be removed there and added here.",
        "Trakt has a play of this movie already; nothing is sent again.",
    ]


def test_what_trakt_does_not_list_and_what_has_no_place_is_named() -> None:
    found = look(span(1, 10, 2, 1), length=12)
    assert "Trakt does not list 4-10 there; what it does not list waits." in found.says
    assert "Episodes 11-12 have no place and stay here." in found.says
    assert [line.state for line in found.lines] == ["new"] * 3 + ["unlisted"] * 7 + ["open"] * 2


def test_another_title_on_the_same_episodes_is_named() -> None:
    found = look(span(1, 12, 1, 1), others={"Part 1": [span(1, 6, 1, 1)]})
    assert found.lines[5].other == "Part 1"
    assert "Part 1 stands on 1-6 too; each episode is sent once." in found.says


def test_a_show_that_was_never_read_calls_nothing_unlisted() -> None:
    assert {line.state for line in look(span(1, 12, 3, 1), seasons={}).lines} == {"new"}


def test_a_long_runner_lists_only_what_is_special() -> None:
    seasons = {"1": [[n] for n in range(1, 1000)]}
    found = look(span(1, None, 1, 1), seasons=seasons, length=1001, watched=1001)
    assert [line.episode for line in found.lines] == [1000, 1001]
    assert found.left_out == 999
