"""Log lines by cursor. Several writers commit out of order, so the newest seconds are read again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, func, or_, select

from webapp.database import unindexed
from webapp.extensions import db
from webapp.models import Log, utcnow

LEVELS = ("debug", "info", "warning", "error")
RARE = LEVELS[2:]
LINE: tuple[Any, ...] = (
    Log.id,
    Log.run_id,
    Log.level,
    Log.message,
    Log.said,
    Log.created_at,
)  # no whole row: a page shows hundreds
Line = Row[Any]
AGAIN = timedelta(seconds=5)


@dataclass(frozen=True)
class LogPage:
    """`lines` newest first. `after` and `seen` are what `tail` needs to go on."""

    lines: Sequence[Line]
    after: int
    seen: frozenset[int]


def logs(
    user_id: int, *, level: str = "debug", run_id: int | None = None, before: int | None = None, limit: int = 200
) -> LogPage:
    """The newest lines of a person and of the instance, at least as serious as `level`."""
    query = _mine(user_id, level, run_id)
    if before is not None:
        query = query.where(Log.id < before)
    if level in RARE and run_id is None:  # the newest ids of these levels, in their index; then the lines
        ids = query.with_only_columns(Log.id).order_by(unindexed(Log.id).desc()).limit(limit)
        query = select(*LINE).where(Log.id.in_(select(ids.subquery().c.id)))
    lines = list(db.session.execute(query.order_by(Log.id.desc()).limit(limit)))
    return _page(lines, 0, frozenset())  # fmt: skip


def tail(
    user_id: int,
    after: int,
    seen: Collection[int],
    *,
    level: str = "debug",
    run_id: int | None = None,
    limit: int = 200,
) -> LogPage:
    """What came since: ids above `after`, and late ones of the last five seconds that are not in `seen`."""
    late = utcnow() - AGAIN
    query = _mine(user_id, level, run_id).where(Log.id > after - 5000, or_(Log.id > after, Log.created_at > late))
    if seen:
        query = query.where(Log.id.not_in(seen))
    lines = list(db.session.execute(query.order_by(Log.id.desc()).limit(limit)))
    return _page(lines, after, frozenset(seen))


def run_log(run_id: int, after: int | None = None, *, level: str = "debug", limit: int = 500) -> list[Line]:
    """Lines of one run, oldest first: those after the id `after`, or else the newest. It has one writer, so the id alone is the cursor."""
    query = _at_least(select(*LINE).where(Log.run_id == run_id), level)
    if after is None:
        return list(db.session.execute(query.order_by(Log.id.desc()).limit(limit)))[::-1]
    return list(db.session.execute(query.where(Log.id > after).order_by(Log.id).limit(limit)))


def _mine(user_id: int, level: str, run_id: int | None) -> Select[Any]:
    # an expression that no index fits: the newest lines are found by walking back over the ids, not by sorting all
    query = select(*LINE).where(func.coalesce(Log.user_id, user_id) == user_id)
    if run_id is not None:
        query = query.where(Log.run_id == run_id)
    return _at_least(query, level)


def _at_least(query: Select[Any], level: str) -> Select[Any]:
    if level in LEVELS[1:]:
        query = query.where(Log.level.in_(LEVELS[LEVELS.index(level) :]))
    return query


def _page(lines: list[Line], after: int, seen: frozenset[int]) -> LogPage:
    """Shown ids stay in `seen` only as long as their second may be read again."""
    newest = max([after, *(line.id for line in lines)])
    late: datetime = utcnow() - AGAIN - timedelta(seconds=5)
    fresh = {line.id for line in lines if line.created_at > late}
    kept = {number for number in seen if number > newest - 1000}
    return LogPage(lines, newest, frozenset(fresh | kept if lines else seen))
