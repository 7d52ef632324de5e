"""The bodies of Trakt's writes and what their answers mean (DESIGN 6.4). Pure.

https://docs.trakt.tv/#reference/sync/add-to-history: a show without seasons, or a season without episodes, marks
everything, so a body never holds an empty list. The answer counts what was added; its `not_found` is no reliable echo.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from jobs.answers import Written
from jobs.records import Play, Receipt
from jobs.said import said
from jobs.targets.trakt_http import format_time, refusal_words

# A listed 4xx is a refusal whatever its body; every other status that is not a readable 2xx is doubt.
REFUSALS: dict[int, str | None] = {
    400: "bad_data",
    401: "reconnect_trakt",
    403: "app_refused",
    404: "bad_data",
    405: "bad_data",
    412: "bad_data",
    413: None,  # the batch is halved and sent again
    420: "account_limit",
    422: "bad_data",
    423: "account_locked",
    426: "vip_required",
    429: "rate_limited",
}


@dataclass(frozen=True, slots=True)
class Removal:
    """What came of one request that removes plays by history id."""

    status: Literal["applied", "refused", "doubt"]
    deleted: int = 0
    not_found: Sequence[int] = ()  # history ids that Trakt did not have any more
    code: str | None = None
    detail: str = ""
    http_status: int | None = None
    retry_after: float | None = None


def history_body(plays: Sequence[Play]) -> dict[str, Any]:
    """Plays -> the body of `POST /sync/history`, grouped by show and season, in the order given.

    Several plays of one episode stay several rows. Raises ValueError for no plays at all.
    """
    movies: list[dict[str, Any]] = []
    shows: dict[int, dict[int, list[dict[str, Any]]]] = {}
    for play in plays:
        watched_at = format_time(play.watched_at) if play.watched_at else "unknown"
        if play.kind == "movie":
            movies.append({"watched_at": watched_at, "ids": {"trakt": play.trakt_id}})
        else:
            episode = {"number": play.number, "watched_at": watched_at}
            shows.setdefault(play.trakt_id, {}).setdefault(play.season, []).append(episode)
    body: dict[str, Any] = {}
    if movies:
        body["movies"] = movies
    if shows:
        body["shows"] = [
            {
                "ids": {"trakt": trakt_id},
                "seasons": [{"number": season, "episodes": episodes} for season, episodes in seasons.items()],
            }
            for trakt_id, seasons in shows.items()
        ]
    check_body(body)
    return body


def check_body(body: Mapping[str, Any]) -> None:
    """Raises ValueError for a body with an empty list anywhere: Trakt would take it as "everything"."""
    if not body or not all(isinstance(rows, list) and rows for rows in body.values()):
        raise ValueError("a body without plays")
    for show in body.get("shows", ()):
        if not show.get("seasons"):
            raise ValueError("a show without seasons would mark all of it")
        for season in show["seasons"]:
            if not season.get("episodes"):
                raise ValueError("a season without episodes would mark all of it")


def receipt(written: Written) -> Receipt:
    """What one POST of plays came to. `added` counts plays, the ones that only replaced another included."""
    status, code, detail = outcome(written)
    if status != "applied":
        return Receipt(
            status,
            http_status=written.status,
            code=code,
            detail=detail,
            retry_after=written.retry_after,
            elapsed=written.elapsed,
        )
    added = _count(written.data, "added")
    if added is None:  # a 2xx that is JSON, but not Trakt's
        words = said("Trakt answered without saying what it added.")
        return Receipt("doubt", http_status=written.status, detail=words, elapsed=written.elapsed)
    return Receipt(
        "applied",
        added=added + (_count(written.data, "updated") or 0),
        http_status=written.status,
        detail=detail,
        not_found=_not_found(written.data),
        elapsed=written.elapsed,
        readable=True,
    )


def removal(written: Written) -> Removal:
    """What one removal by history id came to."""
    status, code, detail = outcome(written)
    deleted = _count(written.data, "deleted")
    if status == "applied" and deleted is None:
        status, detail = "doubt", said("Trakt answered without saying what it removed.")
    missing = written.data.get("not_found", {}) if isinstance(written.data, dict) else {}
    ids = missing.get("ids", []) if isinstance(missing, dict) else []
    return Removal(
        status,
        deleted=deleted or 0 if status == "applied" else 0,
        not_found=tuple(int(i) for i in ids if isinstance(i, int | str) and str(i).isdecimal()),
        code=code,
        detail=detail,
        http_status=written.status,
        retry_after=written.retry_after,
    )


def outcome(written: Written) -> tuple[Literal["applied", "refused", "doubt"], str | None, str]:
    """(status, run reason, sentence) by DESIGN 6.4; the status decides before the body."""
    if written.fate == "not_sent":
        return "refused", "service_down", said("Trakt %(why)s; nothing was sent.", why=written.detail)
    status = written.status
    if written.ok:
        return "applied", None, ""
    if status is None or written.fate == "doubt":
        return "doubt", None, said("Trakt %(why)s.", why=written.detail)
    if status in REFUSALS:
        return "refused", REFUSALS[status], refusal_words(status, written.headers)
    if 300 <= status < 400:
        return "refused", "app_refused", refusal_words(status, written.headers)
    return "doubt", None, said("Trakt answered %(status)s.", status=str(status))


def _count(data: Any, name: str) -> int | None:
    """Plays under `added`, `updated` or `deleted`: episodes and movies together; None when it is not there."""
    part = data.get(name) if isinstance(data, dict) else None
    if not isinstance(part, dict):
        return None
    numbers = [part.get("episodes", 0), part.get("movies", 0)]
    if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in numbers):
        return None
    return int(sum(numbers))


def _not_found(data: Any) -> tuple[Mapping[str, Any], ...]:
    """Trakt's echo of what it did not find, row by row with its kind. Forms differ; for reasons only."""
    part = data.get("not_found") if isinstance(data, dict) else None
    if not isinstance(part, dict):
        return ()
    return tuple(
        {"kind": str(kind), "item": row} for kind, rows in part.items() if isinstance(rows, list) for row in rows
    )
