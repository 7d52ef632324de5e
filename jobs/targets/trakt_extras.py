"""Ratings, the watchlist and dropped shows of a person's Trakt account: complete readings, adding, removing.

https://docs.trakt.tv/#reference/sync/get-ratings, .../sync/get-watchlist, https://docs.trakt.tv/#reference/users/hidden-items
A rating overwrites; the watchlist and the dropped shows keep what is there; so each of these requests may be repeated.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jobs.answers import Written
from jobs.errors import BadData, IncompleteRead
from jobs.extras import Extra, ExtraKind, Target, TargetKind
from jobs.records import Receipt
from jobs.said import Said, said
from jobs.targets.trakt_http import Read, all_pages, format_time, identifier, json_of, number
from jobs.targets.trakt_writes import outcome

PAGE = 250
READS: Mapping[ExtraKind, tuple[tuple[str, Mapping[str, str]], ...]] = {
    "rating": (("/sync/ratings/movies", {}), ("/sync/ratings/shows", {}), ("/sync/ratings/seasons", {})),
    "watchlist": (("/sync/watchlist/all/rank/asc", {}),),
    "dropped": (("/users/hidden/dropped", {"type": "show"}),),
}
WRITES: Mapping[ExtraKind, str] = {
    "rating": "/sync/ratings",
    "watchlist": "/sync/watchlist",
    "dropped": "/users/hidden/dropped",
}
# Which times of last_activities move with each of them.
MOVES: Mapping[ExtraKind, tuple[tuple[str, str], ...]] = {
    "rating": (("movies", "rated_at"), ("shows", "rated_at"), ("seasons", "rated_at")),
    "watchlist": (
        ("movies", "watchlisted_at"),
        ("shows", "watchlisted_at"),
        ("seasons", "watchlisted_at"),
        ("watchlist", "updated_at"),
    ),
    "dropped": (("shows", "dropped_at"), ("shows", "hidden_at")),
}
NAMES: Mapping[ExtraKind, Said] = {
    "rating": said("ratings"),
    "watchlist": said("watchlist"),
    "dropped": said("dropped shows"),
}


class TraktExtras:
    """What `Trakt.extras` gives: the account's ratings, watchlist and dropped shows."""

    def __init__(
        self, read: Read, write: Callable[[str, Mapping[str, Any]], Written], moved: Mapping[str, Any] | None = None
    ) -> None:
        """`moved`: the last activities as this run has read them already."""
        self._read = read
        self._write = write
        self._moved = moved

    def activities(self, *, anew: bool = False) -> dict[ExtraKind, dict[str, str]]:
        """When something last moved: {"rating": {"movies.rated_at": iso, ...}, ...}; what is not told is left out.

        Without `anew` those that the run has read already, if it has.
        """
        data: Any = self._moved
        if anew or not data:
            data = json_of(self._read("/sync/last_activities", {}), said("last activities"))
        if not isinstance(data, dict):
            raise BadData(said("Trakt's last activities are no object."), service="trakt")
        found: dict[ExtraKind, dict[str, str]] = {}
        for kind, names in MOVES.items():
            told = {f"{part}.{key}": data[part].get(key) for part, key in names if isinstance(data.get(part), dict)}
            found[kind] = {name: value for name, value in told.items() if isinstance(value, str)}
        return found

    def listed(self, kind: ExtraKind) -> dict[Target, int]:
        """Everything of that kind, with its rating or 0. Raises IncompleteRead: nothing missing looks like "not there"."""
        found: dict[Target, int] = {}
        for path, params in READS[kind]:
            rows = all_pages(self._read, path, params, limit=PAGE, what=NAMES[kind], key=_name_of)
            for row in rows:
                target = _target_of(row)
                if target is not None:
                    found[target] = _rating_of(row) if kind == "rating" else 0
        return found

    def post(self, extras: Sequence[Extra]) -> Receipt:
        """Add these, all of one kind, with one request. Never raises for what Trakt does, as `Trakt.post_plays`."""
        kind = _kind_of(extras)
        return _receipt(self._write(WRITES[kind], body_of(extras)), "added", "existing", "updated")

    def remove(self, extras: Sequence[Extra]) -> Receipt:
        """Take these away, all of one kind; `added` counts those that were there."""
        kind = _kind_of(extras)
        plain = [Extra(kind, extra.target, extra.anilist_id) for extra in extras]
        return _receipt(self._write(f"{WRITES[kind]}/remove", body_of(plain)), "deleted")


def _kind_of(extras: Sequence[Extra]) -> ExtraKind:
    kinds = {extra.kind for extra in extras}
    if len(kinds) != 1:
        raise ValueError("one request holds things of one kind, and at least one")
    return kinds.pop()


def body_of(extras: Sequence[Extra]) -> dict[str, Any]:
    """The body of one request; no list in it is empty. A show with seasons means these seasons only."""
    movies: list[dict[str, Any]] = []
    shows: dict[
        Target, dict[str, Any]
    ] = {}  # a show and its seasons are two items: beside seasons only these are meant
    for extra in extras:
        values: dict[str, Any] = {}
        if extra.value:
            values["rating"] = extra.value
        if extra.value and extra.rated_at is not None:
            values["rated_at"] = format_time(extra.rated_at)
        ids = {"ids": {"trakt": extra.target.trakt_id}}
        if extra.target.kind == "movie":
            movies.append({**ids, **values})
        elif extra.target.kind == "show":
            shows[extra.target] = {**ids, **values}
        else:
            show = shows.setdefault(Target("season", extra.target.trakt_id), {**ids, "seasons": []})
            show["seasons"].append({"number": extra.target.season, **values})
    return {name: rows for name, rows in (("movies", movies), ("shows", list(shows.values()))) if rows}


def _receipt(written: Written, *counted: str) -> Receipt:
    status, code, detail = outcome(written)
    shared: dict[str, Any] = {"http_status": written.status, "elapsed": written.elapsed}
    if status != "applied":
        return Receipt(status, code=code, detail=detail, retry_after=written.retry_after, **shared)
    counts = [_count(written.data, name) for name in counted]
    if counts[0] is None:  # a 2xx that is JSON, but not Trakt's
        return Receipt("doubt", detail=said("Trakt answered without saying what it did."), **shared)
    return Receipt("applied", added=sum(count or 0 for count in counts), readable=True, **shared)


def _count(data: Any, name: str) -> int | None:
    part = data.get(name) if isinstance(data, dict) else None
    if not isinstance(part, dict):
        return None
    return sum(number(part.get(group)) or 0 for group in ("movies", "shows", said("seasons")))


def _target_of(row: Any) -> Target | None:
    """Of one row of a listing; None for what is neither movie, show nor season. Raises IncompleteRead."""
    if not isinstance(row, dict):
        raise IncompleteRead(said("Trakt's list holds something that is no row."), service="trakt")
    kind: TargetKind
    if row.get("type") == "movie":
        kind = "movie"
    elif row.get("type") == "show":
        kind = "show"
    elif row.get("type") == "season":
        kind = "season"
    else:
        return None
    thing = row.get("movie" if kind == "movie" else "show")
    ids = thing.get("ids") if isinstance(thing, dict) else None
    trakt_id = identifier(ids.get("trakt")) if isinstance(ids, dict) else None
    part = row.get("season")
    season = 0 if kind != "season" else number(part.get("number")) if isinstance(part, dict) else None
    if trakt_id is None or season is None:
        raise IncompleteRead(said("Trakt's list holds a title without its number."), service="trakt")
    return Target(kind, trakt_id, season)


def _name_of(row: Any) -> Any:
    return _target_of(row) or json.dumps(row, sort_keys=True)


def _rating_of(row: Mapping[str, Any]) -> int:
    rating = number(row.get("rating"))
    if rating is None:
        raise IncompleteRead(said("Trakt's ratings hold one without its number."), service="trakt")
    return rating
