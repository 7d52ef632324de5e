"""A page's question to Trakt: which shows and movies have this title, this id or this slug; how the plays of one came about.

Asks, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from jobs.clients import trakt_for, trakt_public
from jobs.errors import TsuzukiError
from jobs.records import Kind, to_json
from jobs.targets.trakt_public import Found, TraktPublic
from webapp.database import transaction
from webapp.models import Entry, LookUp, utcnow

KINDS: tuple[Kind, ...] = ("show", "movie")
MOST = 12  # answers of one part


def answer(look_up_id: int) -> None:
    """RQ job on `light`: answer one question, or write down why it could not be asked. Raises nothing of `jobs.errors`."""
    with transaction(readonly=True) as session:
        row = session.scalar(select(LookUp).where(LookUp.id == look_up_id, LookUp.state == "asked"))
        if row is None:
            return
        user_id, parts = row.user_id, list(row.question["parts"])
    try:
        found = [_history(user_id, part) if "history" in part else _found(user_id, part) for part in parts]
        values: dict[str, Any] = {"state": "answered", "answer": found}
    except TsuzukiError as error:
        values = {"state": "failed", "reason": error.reason}
    with transaction() as session:
        row = session.get(LookUp, look_up_id)
        if row is not None:
            for name, value in {**values, "answered_at": utcnow()}.items():
                setattr(row, name, value)


def _found(user_id: int, part: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_json(one) for one in _look(user_id, trakt_public(user_id), part)][:MOST]


def _history(user_id: int, part: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The person's plays of one show or movie, as Trakt's history has them: {"season", "number", "at": iso or None, "action"}."""
    trakt = trakt_for(user_id)
    read = trakt.movie_history if part["history"] == "movie" else trakt.show_history
    return [
        {"season": row.season, "number": row.number, "at": to_json(row.watched_at), "action": row.action}
        for row in read(int(part["traktId"]), None, None)
    ]


def _look(user_id: int, trakt: TraktPublic, part: Mapping[str, Any]) -> Iterable[Found]:
    if "title" in part:
        return trakt.search(part["title"])
    service, value = part["service"], part["value"]
    kinds: tuple[Kind, ...] = (part["kind"],) if part.get("kind") else KINDS
    if service == "anilist":
        return _where_it_is(user_id, trakt, int(value))
    if service == "trakt":
        asked = ((trakt.show if kind == "show" else trakt.movie)(value) for kind in kinds)
        return [one for one in asked if one is not None]
    return [one for kind in kinds for one in trakt.find(service, value, kind)]


def _where_it_is(user_id: int, trakt: TraktPublic, anilist_id: int) -> Iterable[Found]:
    """The show or movie of another entry of the person's list."""
    with transaction(readonly=True) as session:
        query = select(Entry.kind, Entry.trakt_id).where(Entry.user_id == user_id, Entry.anilist_id == anilist_id)
        row = session.execute(query).one_or_none()
    if row is None or row.trakt_id is None:
        return []
    found = trakt.movie(row.trakt_id) if row.kind == "movie" else trakt.show(row.trakt_id)
    return [found] if found else []


def _json(found: Found) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "traktId": found.trakt_id,
        "title": found.title,
        "year": found.year,
        "tmdbId": found.ids.tmdb_id,
        "imdbId": found.ids.imdb_id,
        "tvdbId": found.ids.tvdb_id,
    }
