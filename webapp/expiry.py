"""Sign-ins that end and cannot be renewed (AniList's, after a year): the person is told 30 days, 7 days and 1 day before.

Each warning is one row of `system_config`, which also says whether the person has put its notice on Home away.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy import text as sql

from webapp.database import transaction, upsert
from webapp.extensions import db
from webapp.grants import SERVICE_NAMES
from webapp.models import Connection, Log, SystemConfig, utcnow
from webapp.tokens import USABLE, own_transaction

LOG = logging.getLogger("tsuzuki.expiry")
DAYS = (30, 7, 1)  # before the end
TOLD, HIDDEN = "told", "hidden"


@dataclass(frozen=True, slots=True)
class Ending:
    """A sign-in that ends within `days`, the smallest of `DAYS` that holds."""

    user_id: int
    service: str
    ends_at: datetime
    days: int

    @property
    def key(self) -> str:
        """Of its warning: another token warns anew."""
        return f"ends:{self.service}:{self.ends_at:%Y-%m-%dT%H:%M:%SZ}:{self.days}"


def ending(row: Connection | None, now: datetime) -> Ending | None:
    """What ends soon and is not renewed by itself. None also for a connection that does not work any more."""
    if row is None or row.state not in USABLE or not row.access_token or row.refresh_token or row.expires_at is None:
        return None
    days = [days for days in DAYS if row.expires_at - now <= timedelta(days=days)]
    return Ending(row.user_id, row.service, row.expires_at, days[-1]) if days else None


def warn(now: datetime) -> None:
    """A line in the log and a notice on Home for each sign-in that has come nearer to its end; each of them once."""
    with transaction(readonly=True) as session:
        rows = session.scalars(
            select(Connection).where(
                Connection.expires_at <= now + timedelta(days=DAYS[0]), Connection.refresh_token.is_(None)
            )
        ).all()
    for found in [ending(row, now) for row in rows]:
        if found is not None and _tell(found, now):
            LOG.warning("%s: the sign-in of account %d ends at %s", found.service, found.user_id, found.ends_at)


def _tell(found: Ending, now: datetime) -> bool:
    left = max(math.ceil((found.ends_at - now) / timedelta(days=1)), 0)
    days = f"in {left} days" if left > 1 else "within a day"
    line = (
        f"{SERVICE_NAMES.get(found.service, found.service)}: the sign-in ends {days}, on {found.ends_at:%Y-%m-%d} (UTC)."
        " Sign in again before."
    )
    first = upsert(SystemConfig).values(user_id=found.user_id, key=found.key, value=TOLD, updated_at=utcnow())
    once = first.on_conflict_do_nothing(index_elements=["user_id", "key"], index_where=sql("user_id IS NOT NULL"))
    with transaction() as session:
        if session.scalar(once.returning(SystemConfig.id)) is None:
            return False
        session.add(Log(user_id=found.user_id, level="warning", message=line, created_at=now))
    return True


def notice(connections: Iterable[Connection], now: datetime) -> Ending | None:
    """The warning that Home shows: told, and not put away. Needs an open transaction."""
    for row in connections:
        found = ending(row, now)
        if found is not None and _value(found) == TOLD:
            return found
    return None


def _value(found: Ending) -> str | None:
    mine = (SystemConfig.user_id == found.user_id, SystemConfig.key == found.key)
    return db.session.scalar(select(SystemConfig.value).where(*mine))


def hide(user_id: int, service: str, now: datetime) -> None:
    """Put the notice away, until the next one is due."""
    with own_transaction() as session:
        row = session.scalar(select(Connection).where(Connection.user_id == user_id, Connection.service == service))
        if (found := ending(row, now)) is not None:
            mine = (SystemConfig.user_id == user_id, SystemConfig.key == found.key)
            session.execute(update(SystemConfig).where(*mine).values(value=HIDDEN, updated_at=utcnow()))
