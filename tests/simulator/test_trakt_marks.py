"""Ratings, the watchlist and dropped shows of the stand-in Trakt behave as the real one's are known to."""

from __future__ import annotations

from typing import Any

from tests.simulator.conftest import Clock, Door
from webapp.simulator import constants
from webapp.simulator.app import create_simulator
from webapp.simulator.demo import demo_library
from webapp.simulator.world import World


def ids(trakt_id: int) -> dict[str, Any]:
    return {"ids": {"trakt": trakt_id}}


def some_movie(world: World) -> int:
    return min(world.library.catalogue.movies)


def some_show(world: World) -> int:
    return next(i for i, show in sorted(world.library.catalogue.shows.items()) if len(show.regular()) > 12)


def living(door: Door) -> list[tuple[Any, ...]]:
    rows = door.client.get(f"/_sim/marks?account={constants.TRAKT_ACCOUNT}").json
    return [(row["kind"], row["target"], row["trakt_id"], row["season"], row["value"]) for row in rows]


def test_ratings_are_of_movies_shows_and_seasons_and_overwrite(door: Door, world: World) -> None:
    movie, show = some_movie(world), some_show(world)
    body = {
        "movies": [{**ids(movie), "rating": 8, "rated_at": "2020-01-02T03:04:05.000Z"}],
        "shows": [{**ids(show), "seasons": [{"number": 1, "rating": 9}]}],
    }
    answer = door.trakt("/sync/ratings", body)
    assert answer.status_code == 201
    assert answer.json["added"] == {"movies": 1, "shows": 0, "seasons": 1, "episodes": 0}
    assert sorted(living(door)) == [("rating", "movie", movie, 0, 8), ("rating", "season", show, 1, 9)]
    (row,) = door.trakt("/sync/ratings/movies").json
    assert (row["type"], row["rating"], row["rated_at"]) == ("movie", 8, "2020-01-02T03:04:05.000Z")
    (row,) = door.trakt("/sync/ratings/seasons").json
    assert (row["season"]["number"], row["show"]["ids"]["trakt"]) == (1, show)
    door.trakt("/sync/ratings", {"movies": [{**ids(movie), "rating": 3}], "shows": [{**ids(show), "rating": 4}]})
    assert sorted(living(door)) == [
        ("rating", "movie", movie, 0, 3), ("rating", "season", show, 1, 9), ("rating", "show", show, 0, 4),
    ]  # fmt: skip


def test_a_rating_outside_of_its_scale_is_refused(door: Door, world: World) -> None:
    assert door.trakt("/sync/ratings", {"movies": [{**ids(some_movie(world)), "rating": 0}]}).status_code == 422
    assert door.trakt("/sync/ratings", {"movies": [ids(some_movie(world))]}).status_code == 400
    assert living(door) == []


def test_what_trakt_does_not_have_is_named_and_nothing_else_is_lost(door: Door, world: World) -> None:
    show = some_show(world)
    body = {"shows": [{**ids(show), "seasons": [{"number": 99, "rating": 5}]}, {**ids(1), "rating": 5}]}
    answer = door.trakt("/sync/ratings", body)
    assert answer.status_code == 201
    assert sum(answer.json["added"].values()) == 0
    assert (len(answer.json["not_found"]["seasons"]), len(answer.json["not_found"]["shows"])) == (1, 1)


def test_the_watchlist_keeps_what_is_there_and_a_show_without_seasons_is_the_show(door: Door, world: World) -> None:
    show = some_show(world)
    first = door.trakt("/sync/watchlist", {"shows": [ids(show)]}).json
    again = door.trakt("/sync/watchlist", {"shows": [ids(show), {**ids(show), "seasons": [{"number": 1}]}]}).json
    assert (first["added"]["shows"], again["existing"]["shows"], again["added"]["seasons"]) == (1, 1, 1)
    assert again["list"]["item_count"] == 2
    assert [row["type"] for row in door.trakt("/sync/watchlist/all/rank/asc").json] == ["show", "season"]
    assert door.trakt("/sync/watchlist/remove", {"shows": [ids(show)]}).json["deleted"]["shows"] == 1
    assert [row["type"] for row in door.trakt("/sync/watchlist/all/rank/asc").json] == ["season"]


def test_a_watchlist_above_its_limit_answers_420_and_takes_nothing(door: Door, world: World) -> None:
    door.control("account", {"watchlist_limit": 2})
    shows = sorted(world.library.catalogue.shows)[:3]
    assert door.trakt("/sync/watchlist", {"shows": [ids(i) for i in shows]}).status_code == 420
    assert living(door) == []
    assert door.trakt("/sync/watchlist", {"shows": [ids(i) for i in shows[:2]]}).status_code == 201
    assert door.trakt("/sync/watchlist", {"shows": [ids(i) for i in shows[:2]]}).status_code == 201  # nothing new


def test_a_dropped_show_is_listed_once(door: Door, world: World) -> None:
    show = some_show(world)
    for _ in range(2):
        assert door.trakt("/users/hidden/dropped", {"shows": [ids(show)]}).status_code == 201
    (row,) = door.trakt("/users/hidden/dropped?type=show").json
    assert (row["type"], row["show"]["ids"]["trakt"]) == ("show", show)
    assert door.trakt("/users/hidden/dropped/remove", {"shows": [ids(show)]}).json["deleted"]["shows"] == 1
    assert living(door) == []


def test_last_activities_say_what_moved_and_reads_lag_when_told(door: Door, world: World, clock: Clock) -> None:
    before = door.trakt("/sync/last_activities").json
    door.control("settings", {"lag_seconds": 30})
    door.trakt("/sync/ratings", {"movies": [{**ids(some_movie(world)), "rating": 8}]})
    door.trakt("/users/hidden/dropped", {"shows": [ids(some_show(world))]})
    after = door.trakt("/sync/last_activities").json
    moved = {(name, key) for name in before if name != "all" for key in before[name] if before[name][key] != after[name][key]}  # fmt: skip
    assert moved == {("movies", "rated_at"), ("shows", "dropped_at")}
    assert after["all"] > before["all"]
    assert door.trakt("/sync/ratings/movies").json == []
    clock.now += 31
    assert len(door.trakt("/sync/ratings/movies").json) == 1


def test_a_state_file_keeps_them(door: Door, world: World) -> None:
    door.trakt("/sync/watchlist", {"shows": [ids(some_show(world))]})
    other = World(demo_library, clock=world.clock)
    other.restore(world.dump())
    assert living(Door(create_simulator(other).test_client())) == living(door)
