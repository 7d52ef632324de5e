"""Trakt's ratings, watchlist and dropped shows: reading, adding and removing.

A show without seasons means the show itself here, unlike in the history. Ratings overwrite; the watchlist and the
dropped shows keep what is there. A watchlist above its limit answers 420 and takes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, abort, request

from webapp.simulator.catalogue import iso
from webapp.simulator.marks import GROUPS, Mark, MarkKind, Target
from webapp.simulator.trakt_gate import View
from webapp.simulator.trakt_rows import Row, episode_row, json_answer, json_body, moment_of, movie_row, paged, show_row
from webapp.simulator.world import TraktAccount, World

NAMES = ("movies", "shows", "seasons", "episodes")
Item = tuple[Target, Mapping[str, Any]]  # what is named, and the part of the body that names it


def add_routes(api: Blueprint, world: World, signed_in: Callable[[View], View]) -> None:
    """`/sync/ratings`, `/sync/watchlist`, `/users/hidden/dropped`, each with its `/remove`."""
    _add_reads(api, world, signed_in)

    @api.post("/sync/ratings")
    @signed_in
    def rate(account: TraktAccount) -> Response:
        return _rate(world, account, json_body())

    @api.post("/sync/watchlist")
    @signed_in
    def watch(account: TraktAccount) -> Response:
        return _put(world, account, "watchlist", json_body())

    @api.post("/users/hidden/dropped")
    @signed_in
    def drop(account: TraktAccount) -> Response:
        return _put(world, account, "dropped", json_body())

    @api.post("/sync/ratings/remove")
    @signed_in
    def unrate(account: TraktAccount) -> Response:
        return _remove(world, account, "rating", json_body())

    @api.post("/sync/watchlist/remove")
    @signed_in
    def unwatch(account: TraktAccount) -> Response:
        return _remove(world, account, "watchlist", json_body())

    @api.post("/users/hidden/dropped/remove")
    @signed_in
    def undrop(account: TraktAccount) -> Response:
        return _remove(world, account, "dropped", json_body())


def _add_reads(api: Blueprint, world: World, signed_in: Callable[[View], View]) -> None:
    @api.get("/sync/ratings")
    @api.get("/sync/ratings/<kind>")
    @signed_in
    def ratings(account: TraktAccount, kind: str = "all") -> Response:
        return _listed(world, account, "rating", kind)

    @api.get("/sync/watchlist")
    @api.get("/sync/watchlist/<kind>")
    @api.get("/sync/watchlist/<kind>/<by>/<how>")
    @signed_in
    def watchlist(account: TraktAccount, kind: str = "all", by: str = "rank", how: str = "asc") -> Response:
        if by not in ("rank", "added", "title", "released") or how not in ("asc", "desc"):
            abort(400)
        return _listed(world, account, "watchlist", kind)

    @api.get("/users/hidden/dropped")
    @signed_in
    def dropped(account: TraktAccount) -> Response:
        return _listed(world, account, "dropped", "shows" if request.args.get("type") == "show" else "all")


# Writing


def _rate(world: World, account: TraktAccount, body: Row) -> Response:
    try:
        found, missing = _items(world, body, "rating")
        ratings = [
            (
                target,
                int(item["rating"]),
                world.clock() if item.get("rated_at") is None else moment_of(str(item["rated_at"])),
            )
            for target, item in found
        ]
    except (ValueError, TypeError, AttributeError, KeyError):
        return Response(b"", 400)
    if not all(1 <= rating <= 10 for _, rating, _ in ratings):
        return Response(b"", 422)
    added = dict.fromkeys(NAMES, 0)
    for target, rating, at in ratings:
        account.marks.put("rating", target, rating, at, world.clock())
        added[GROUPS[target[0]]] += 1
    world.dirty = True
    return json_answer({"added": added, "not_found": missing}, 201)


def _put(world: World, account: TraktAccount, kind: MarkKind, body: Row) -> Response:
    try:
        found, missing = _items(world, body, kind)
    except (ValueError, TypeError, AttributeError, KeyError):
        return Response(b"", 400)
    marks, now = account.marks, world.clock()
    new = {target for target, _ in found if marks.find(kind, target) is None}
    if kind == "watchlist" and sum(1 for _ in marks.living(kind)) + len(new) > account.watchlist_limit:
        return Response(b"", 420)
    added, existing = dict.fromkeys(NAMES, 0), dict.fromkeys(NAMES, 0)
    for target, _ in found:
        if target in new:
            new.discard(target)
            marks.put(kind, target, None, now, now)
            added[GROUPS[target[0]]] += 1
        else:
            existing[GROUPS[target[0]]] += 1
    world.dirty = True
    if kind == "dropped":
        return json_answer({"added": {**added, "users": 0}, "not_found": {**missing, "users": []}}, 201)
    listed = {"updated_at": iso(marks.moved.get("watchlist.updated_at", now)), "item_count": sum(1 for _ in marks.living(kind))}  # fmt: skip
    return json_answer({"added": added, "existing": existing, "not_found": missing, "list": listed}, 201)


def _remove(world: World, account: TraktAccount, kind: MarkKind, body: Row) -> Response:
    try:
        found, missing = _items(world, body, kind)
    except (ValueError, TypeError, AttributeError, KeyError):
        return Response(b"", 400)
    deleted = dict.fromkeys(NAMES, 0)
    for target, _ in found:
        if account.marks.remove(kind, target, world.clock()):
            deleted[GROUPS[target[0]]] += 1
    world.dirty = True
    return json_answer({"deleted": deleted, "not_found": missing})


def _items(world: World, body: Row, kind: MarkKind) -> tuple[list[Item], dict[str, list[Row]]]:
    """What a body names, and what of it Trakt does not have."""
    catalogue = world.library.catalogue
    found: list[Item] = []
    missing: dict[str, list[Row]] = {name: [] for name in NAMES}
    for item in body.get("movies") or ():
        movie = catalogue.movie_by("trakt", item["ids"]["trakt"])
        if movie is None:
            missing["movies"].append({"ids": item["ids"]})
        else:
            found.append((("movie", movie.trakt_id, 0, 0), item))
    for item in body.get("shows") or ():
        show = catalogue.show_by("trakt", item["ids"]["trakt"])
        if show is None:
            missing["shows"].append({"ids": item["ids"]})
            continue
        seasons = () if kind == "dropped" else item.get("seasons") or ()
        if not seasons or "rating" in item:
            found.append((("show", show.trakt_id, 0, 0), item))
        for season in seasons:
            found += _season(show.trakt_id, show.seasons, item, season, missing)
    return found, missing


def _season(
    show_id: int, seasons: Mapping[int, Mapping[int, Any]], item: Row, part: Row, missing: dict[str, list[Row]]
) -> Iterator[Item]:
    number = int(part["number"])
    if number not in seasons:
        missing["seasons"].append({"ids": item["ids"], "seasons": [{"number": number}]})
        return
    if not part.get("episodes") or "rating" in part:
        yield ("season", show_id, number, 0), part
    for episode in part.get("episodes") or ():
        if int(episode["number"]) in seasons[number]:
            yield ("episode", show_id, number, int(episode["number"])), episode
        else:
            missing["episodes"].append({})


# Reading


def _listed(world: World, account: TraktAccount, kind: MarkKind, which: str) -> Response:
    if which not in (*NAMES, "all"):
        abort(404)
    rows = [
        mark for mark in account.marks.living(kind, world.reading_moment) if which in ("all", GROUPS[mark.target[0]])
    ]
    rows.sort(key=lambda mark: mark.id, reverse=kind == "rating")
    return paged([_row(world, mark, rank) for rank, mark in enumerate(rows, 1)])


def _row(world: World, mark: Mark, rank: int) -> Row:
    catalogue = world.library.catalogue
    what, trakt_id, season, number = mark.target
    shown: dict[str, Row] = {
        "rating": {"rated_at": iso(mark.at), "rating": mark.value},
        "watchlist": {"rank": rank, "id": mark.id, "listed_at": iso(mark.at), "notes": None},
        "dropped": {"hidden_at": iso(mark.at)},
    }
    row = shown[mark.kind]
    row["type"] = what
    if what == "movie":
        return row | {"movie": movie_row(catalogue.movies[trakt_id])}
    show = catalogue.shows[trakt_id]
    if what == "season":
        ids = {"trakt": trakt_id * 100 + season, "tvdb": None, "tmdb": None}
        row["season"] = {"number": season, "ids": ids}
    elif what == "episode":
        row["episode"] = episode_row(show.seasons[season][number])
    return row | {"show": show_row(show)}
