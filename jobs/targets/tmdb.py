"""TMDB: other services' ids of a show or movie, and the episodes of a season. Optional, read only.

Reference: https://developer.themoviedb.org/reference. The key is a v3 key (32 hexadecimal digits, a query parameter)
or a v4 token (sent as a bearer token), told apart by shape.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from jobs.answers import Answer, Unreadable
from jobs.errors import BadData
from jobs.records import Ids, Kind, Slot
from jobs.said import said
from jobs.transport import Pace, Transport

_V3 = re.compile(r"[0-9a-fA-F]{32}")


class Tmdb:
    """TMDB with a person's or an instance's key. Safe to use from several threads."""

    def __init__(self, transport: Transport, url: str, *, key: str, pace: Pace | None = None) -> None:
        self._transport = transport
        self._url = url
        self._pace = pace
        short = _V3.fullmatch(key) is not None
        self._params = {"api_key": key} if short else {}
        self._headers = {} if short else {"Authorization": f"Bearer {key}"}

    def external_ids(self, kind: Kind, tmdb_id: int) -> Ids | None:
        """IMDb and TVDB ids of a show or movie; None when TMDB has no such title."""
        data = self._get(f"/{'tv' if kind == 'show' else 'movie'}/{tmdb_id}/external_ids")
        if data is None:
            return None
        imdb, tvdb = data.get("imdb_id"), data.get("tvdb_id")
        return Ids(
            tmdb_id=tmdb_id,
            imdb_id=imdb if isinstance(imdb, str) and imdb else None,
            tvdb_id=tvdb if isinstance(tvdb, int) and not isinstance(tvdb, bool) and tvdb > 0 else None,
        )

    def season(self, tmdb_id: int, n: int) -> tuple[Slot, ...] | None:
        """Episodes of a season in ascending order, with air dates at midnight UTC; None when there is no such season."""
        data = self._get(f"/tv/{tmdb_id}/season/{n}")
        if data is None:
            return None
        rows = data.get("episodes")
        if not isinstance(rows, list):
            raise BadData(
                said("TMDB's season %(n)s of show %(tmdb_id)s has no episodes list.", n=str(n), tmdb_id=str(tmdb_id)),
                service="tmdb",
            )
        slots = [slot for row in rows if isinstance(row, dict) and (slot := _slot(row)) is not None]
        return tuple(sorted(slots, key=lambda slot: slot.number))

    def _get(self, path: str) -> dict[str, Any] | None:
        answer: Answer = self._transport.read(
            "GET", self._url + path, params=self._params, headers=self._headers, pace=self._pace
        )
        if answer.status == 404:
            return None
        if not answer.ok:
            words = (
                said("does not accept the key")
                if answer.status == 401
                else said("answered %(status)s", status=str(answer.status))
            )
            raise BadData(said("TMDB %(why)s.", why=words), service="tmdb", status=answer.status)
        try:
            data = answer.json()
        except Unreadable as error:
            raise BadData(said("TMDB %(why)s.", why=error.why), service="tmdb", status=answer.status) from None
        if not isinstance(data, dict):
            raise BadData(said("TMDB answered with something else than a title."), service="tmdb")
        return data


def _slot(row: dict[str, Any]) -> Slot | None:
    number, aired, name, runtime = (row.get(key) for key in ("episode_number", "air_date", "name", "runtime"))
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        return None
    first_aired = None
    if isinstance(aired, str) and aired:
        try:
            first_aired = datetime.strptime(aired, "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError:
            first_aired = None
    return Slot(
        number=number,
        first_aired=first_aired,
        title=name if isinstance(name, str) and name else None,
        runtime=runtime if isinstance(runtime, int) and not isinstance(runtime, bool) and runtime > 0 else None,
    )
