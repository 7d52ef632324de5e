"""Trakt's history: reading it, adding plays and removing them, with the traps that the real one has.

An item that names a show without seasons, or a season without episodes, means everything below it; so does an empty
list. Nothing checks whether a play is there already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, abort, request

from webapp.simulator.catalogue import Catalogue, Episode, Movie, Show, iso
from webapp.simulator.trakt_gate import View
from webapp.simulator.trakt_rows import (
    LIMIT_MAX,
    Row,
    episode_row,
    json_answer,
    json_body,
    moment_of,
    movie_row,
    paged,
    show_row,
)
from webapp.simulator.world import Place, StoredPlay, TraktAccount, World

GROUPS = ("movies", "shows", "seasons", "episodes")


@dataclass(slots=True)
class Wanted:
    """What a request body names: places with their time, and what was not found, as it is echoed."""

    places: list[tuple[Place, object]] = field(default_factory=list)
    missing: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in (*GROUPS, "people")})


def add_routes(api: Blueprint, world: World, signed_in: Callable[[View], View]) -> None:
    """`/sync/history`, `/sync/history/remove`, `/sync/history/<type>/<id>`."""

    @api.post("/sync/history")
    @signed_in
    def add(account: TraktAccount) -> Response:
        return _add(world, account, json_body())

    @api.post("/sync/history/remove")
    @signed_in
    def remove(account: TraktAccount) -> Response:
        return _remove(world, account, json_body())

    @api.get("/sync/history")
    @api.get("/sync/history/<kind>")
    @api.get("/sync/history/<kind>/<int:trakt_id>")
    @signed_in
    def history(account: TraktAccount, kind: str = "all", trakt_id: int | None = None) -> Response:
        if kind not in ("all", "movies", "shows", "episodes", "seasons"):
            abort(404)
        return paged(_history(world, account, kind, trakt_id), most=min(world.settings.trakt_page, LIMIT_MAX))


# Adding


def _add(world: World, account: TraktAccount, body: Row) -> Response:
    try:
        wanted = Reader(world).read(body)
        if "tsuzuki.drop_one" in request.environ:
            wanted.places.pop()
        times = [_watched_at(world, place, value) for place, value in wanted.places]
    except (ValueError, TypeError, AttributeError):
        return Response(b"", 400)
    added, updated, existing = (dict.fromkeys(("movies", "episodes"), 0) for _ in range(3))
    for (place, _), watched_at in zip(wanted.places, times, strict=True):
        group = "movies" if place[0] == "movie" else "episodes"
        there = account.living(place)
        if world.settings.history_conflict and any(p.watched_at == watched_at for p in there):
            existing[group] += 1
        elif account.watch_only_once and there:
            newest = max([watched_at or 0.0, *(p.watched_at or 0.0 for p in there)])
            world.remove_plays(account, there)
            world.add_play(account, place, newest, "watch")
            updated[group] += 1
        else:
            world.add_play(account, place, watched_at, "watch")
            added[group] += 1
    answer: Row = {"added": added, "updated": updated, "not_found": wanted.missing}
    if any(existing.values()):
        answer["existing"] = existing
        return json_answer(answer, 201 if any(added.values()) else 409)
    return json_answer(answer, 201)


def _watched_at(world: World, place: Place, value: object) -> float | None:
    """Epoch seconds of a `watched_at`: a time, "released" (first aired and runtime later), "unknown" or nothing (now)."""
    if value is None:
        return world.clock()
    if value == "unknown":
        return None
    if value == "released":
        kind, trakt_id, season, number = place
        if kind == "movie":
            released = world.library.catalogue.movies[trakt_id].released
            return moment_of(released) if released else world.clock()
        episode = world.library.catalogue.shows[trakt_id].seasons[season][number]
        return world.clock() if episode.first_aired is None else episode.first_aired + episode.runtime * 60
    return moment_of(str(value))


class Reader:
    """Turns a body of Trakt's bulk shape into places."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.catalogue: Catalogue = world.library.catalogue
        self.echo = world.settings.not_found_echo

    def read(self, body: Mapping[str, Any]) -> Wanted:
        """Raises ValueError, TypeError or AttributeError for a body of another shape."""
        wanted = Wanted()
        for item in body.get("movies") or ():
            movie = self._movie(item)
            if movie:
                wanted.places.append((("movie", movie.trakt_id, 0, 0), item.get("watched_at")))
            else:
                wanted.missing["movies"].append({"ids": item.get("ids", {})})
        for item in body.get("shows") or ():
            self._read_show(item, wanted)
        for item in body.get("seasons") or ():
            number = int((item.get("ids") or {}).get("trakt") or 0)
            show = self.catalogue.shows.get(number // 100)
            if show and number % 100 in show.seasons:
                self._whole(show.seasons[number % 100].values(), item.get("watched_at"), wanted)
            else:
                wanted.missing["seasons"].append({"ids": item.get("ids", {})})
        for item in body.get("episodes") or ():
            episode = self._episode(item.get("ids") or {})
            if episode:
                wanted.places.append((("episode", *episode.place), item.get("watched_at")))
            else:
                wanted.missing["episodes"].append({})
        return wanted

    def _movie(self, item: Mapping[str, Any]) -> Movie | None:
        ids = item.get("ids") or {}
        for name in ("trakt", "slug", "imdb", "tmdb"):
            if ids.get(name) is not None:
                return self.catalogue.movie_by(name, ids[name])
        found = self.catalogue.named("movie", str(item.get("title", "")), item.get("year"))
        return found if isinstance(found, Movie) else None

    def _show(self, item: Mapping[str, Any]) -> Show | None:
        ids = item.get("ids") or {}
        for name in ("trakt", "slug", "imdb", "tmdb", "tvdb"):
            if ids.get(name) is not None:
                return self.catalogue.show_by(name, ids[name])
        found = self.catalogue.named("show", str(item.get("title", "")), item.get("year"))
        return found if isinstance(found, Show) else None

    def _episode(self, ids: Mapping[str, Any]) -> Episode | None:
        for name, shift in (("trakt", 0), ("tvdb", 5_000_000), ("tmdb", 1_000_000)):
            if ids.get(name) is not None:
                return self.catalogue.episodes.get(int(ids[name]) - shift)
        return None

    def _read_show(self, item: Mapping[str, Any], wanted: Wanted) -> None:
        show, ids = self._show(item), item.get("ids", {})
        if show is None:
            wanted.missing["shows"].append({"ids": ids})
            return
        if not item.get("seasons"):  # also an empty list: everything
            self._whole(show.regular(), item.get("watched_at"), wanted)
            return
        for season in item["seasons"]:
            number = int(season["number"])
            when = season.get("watched_at", item.get("watched_at"))
            if number not in show.seasons:
                wanted.missing["seasons"].append({"ids": ids, "seasons": [{"number": number}]})
            elif not season.get("episodes"):  # also an empty list: the whole season
                self._whole(show.seasons[number].values(), when, wanted)
            else:
                for episode in season["episodes"]:
                    self._read_episode(show, ids, number, episode, when, wanted)

    def _read_episode(
        self, show: Show, ids: object, season: int, item: Mapping[str, Any], when: object, wanted: Wanted
    ) -> None:
        number = int(item["number"])
        if number in show.seasons[season]:
            wanted.places.append((("episode", show.trakt_id, season, number), item.get("watched_at", when)))
        elif self.echo == "nested":
            nested = {"ids": ids, "seasons": [{"number": season, "episodes": [{"number": number}]}]}
            wanted.missing["episodes"].append(nested)
        elif self.echo == "bare":
            wanted.missing["episodes"].append({"season": season, "number": number})
        elif self.echo == "zero":
            wanted.missing["episodes"].append(
                {"watched_at": item.get("watched_at", when), "season": 0, "number": 0, "ids": {}}
            )
        else:
            wanted.missing["episodes"].append({})

    def _whole(self, episodes: Sequence[Episode] | Any, when: object, wanted: Wanted) -> None:
        now = self.world.clock()
        for episode in episodes:
            if episode.first_aired is not None and episode.first_aired <= now:
                wanted.places.append((("episode", *episode.place), when))


# Removing


def _remove(world: World, account: TraktAccount, body: Row) -> Response:
    try:
        wanted = Reader(world).read(body)
        ids = [int(value) for value in body.get("ids") or ()]
    except (ValueError, TypeError, AttributeError, KeyError):
        return Response(b"", 400)
    victims: dict[int, StoredPlay] = {}
    unknown = []
    for history_id in ids:
        play = account.plays.get(history_id)
        if play is None or play.removed_at is not None:
            unknown.append(history_id)
        else:
            victims[play.id] = play
    for place, _ in wanted.places:
        victims |= {play.id: play for play in account.living(place)}
    removed = world.remove_plays(account, victims.values())
    deleted = {"movies": removed["movie"], "episodes": removed["episode"]}
    return json_answer({"deleted": deleted, "not_found": {**wanted.missing, "ids": unknown}})


# Reading


def _history(world: World, account: TraktAccount, kind: str, trakt_id: int | None) -> list[Callable[[], Row]]:
    """Newest first; plays without a date come last and are in no window of time."""
    start, end = (_window(name) for name in ("start_at", "end_at"))
    moment = world.reading_moment
    rows = []
    for play in _of(world, account, kind, trakt_id):
        if not play.seen_at(moment):
            continue
        if (start is not None or end is not None) and play.watched_at is None:
            continue
        when = play.watched_at or 0.0
        if (start is None or when >= start) and (end is None or when <= end):
            rows.append(play)
    rows.sort(key=lambda p: (p.watched_at or 0.0, p.id), reverse=True)
    return [lambda p=play: _history_row(world, p) for play in rows]  # type: ignore[misc] # a default binds the loop's value


def _window(name: str) -> float | None:
    text = request.args.get(name)
    if not text:
        return None
    try:
        moment = moment_of(text)
    except ValueError:
        abort(400)
    whole_day = name == "end_at" and len(text) == len("2026-01-01")
    return moment + 86_399.999 if whole_day else moment


def _of(world: World, account: TraktAccount, kind: str, trakt_id: int | None) -> Iterator[StoredPlay]:
    episode = world.library.catalogue.episodes.get(trakt_id or 0) if kind == "episodes" and trakt_id else None
    for play in account.plays.values():
        if kind == "movies" and (play.kind != "movie" or trakt_id not in (None, play.trakt_id)):
            continue
        if kind != "movies" and kind != "all" and play.kind != "episode":
            continue
        if kind == "shows" and trakt_id not in (None, play.trakt_id):
            continue
        if kind == "seasons" and trakt_id not in (None, play.trakt_id * 100 + play.season):
            continue
        if kind == "episodes" and trakt_id and (episode is None or play.place[1:] != episode.place):
            continue
        yield play


def _history_row(world: World, play: StoredPlay) -> Row:
    catalogue = world.library.catalogue
    row: Row = {"id": play.id, "watched_at": iso(play.watched_at), "action": play.action, "type": play.kind}
    if play.kind == "movie":
        return row | {"movie": movie_row(catalogue.movies[play.trakt_id])}
    show = catalogue.shows[play.trakt_id]
    episode = show.seasons[play.season][play.number]
    return row | {"episode": episode_row(episode), "show": show_row(show)}
