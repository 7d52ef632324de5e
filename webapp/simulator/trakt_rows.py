"""Trakt's answers: JSON, pages with their headers, and the rows that shows, movies and episodes become."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Response, abort, request

from webapp.simulator.catalogue import Episode, Movie, Show, iso

LIMIT_MAX, LIMIT_MAX_PROGRESS, LIMIT_DEFAULT = 250, 100, 100
Row = dict[str, Any]


def json_body() -> Row:
    """The request's object; 400 for anything else."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        abort(400)
    return body


def moment_of(text: str) -> float:
    """Epoch seconds of an ISO date or time, UTC unless it says otherwise. Raises ValueError."""
    when = datetime.fromisoformat(text)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def json_answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, headers, mimetype="application/json")


def paged(rows: Sequence[Any], *, most: int = LIMIT_MAX, default: int = LIMIT_DEFAULT) -> Response:
    """One page of `rows` with the X-Pagination headers; larger limits are clamped, not refused."""
    limit = max(1, min(request.args.get("limit", default, type=int), most))
    page = max(1, request.args.get("page", 1, type=int))
    shown = page - 1 if "tsuzuki.page_back" in request.environ and page > 1 else page
    headers = {
        "X-Pagination-Page": str(page),
        "X-Pagination-Limit": str(limit),
        "X-Pagination-Page-Count": str(-(-len(rows) // limit)),
        "X-Pagination-Item-Count": str(len(rows)),
    }
    part = rows[(shown - 1) * limit : shown * limit]
    return json_answer([row() if callable(row) else row for row in part], headers=headers)


def show_row(show: Show) -> Row:
    return {"title": show.title, "year": show.year, "ids": show.ids}


def movie_row(movie: Movie) -> Row:
    return {"title": movie.title, "year": movie.year, "ids": movie.ids}


def episode_row(episode: Episode, *, full: bool = False) -> Row:
    ids = {"trakt": episode.trakt_id, "tvdb": episode.tvdb_id, "imdb": None, "tmdb": episode.tmdb_id}
    row: Row = {"season": episode.season, "number": episode.number, "title": episode.title, "ids": ids}
    if full:
        row |= {
            "number_abs": None,
            "overview": None,
            "rating": 7.5,
            "first_aired": iso(episode.first_aired),
            "updated_at": "2026-01-01T00:00:00.000Z",
            "runtime": episode.runtime,
            "episode_type": "standard",
        }
    return row


def extended() -> set[str]:
    return set(request.args.get("extended", "").split(","))


def full_row(thing: Show | Movie, now: float) -> Row:
    if isinstance(thing, Movie):
        return {
            **movie_row(thing),
            "released": thing.released,
            "runtime": thing.runtime,
            "status": "released",
            "updated_at": "2026-01-01T00:00:00.000Z",
        }
    first = min((e.first_aired for e in thing.regular() if e.first_aired is not None), default=None)
    return {
        **show_row(thing),
        "first_aired": iso(first),
        "airs": {"day": None, "time": None, "timezone": "Asia/Tokyo"},
        "runtime": 24,
        "status": "ended" if thing.ended else "returning series",
        "aired_episodes": thing.aired(now),
        "language": "ja",
        "original_title": thing.title,
        "updated_at": "2026-01-01T00:00:00.000Z",
    }
