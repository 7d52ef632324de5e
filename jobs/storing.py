"""Small helpers for the database that several jobs share: changed rows, keys and values of `system_config`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy import text as sql

from webapp.database import upsert
from webapp.extensions import Base
from webapp.models import SystemConfig, utcnow


def changed_rows(session: Any, statement: Any) -> int:
    """Execute an UPDATE, DELETE or INSERT and say how many rows it changed."""
    return int(session.execute(statement).rowcount)


def upsert_rows(
    session: Any,
    model: type[Base],
    rows: Sequence[Mapping[str, Any]],
    *,
    key: Sequence[str],
    changed: str | None = None,
) -> None:
    """Insert rows that all have the same columns, or replace those whose unique `key` is there already.

    `changed`: replace only where this column differs. One short statement for any number of rows: a statement with
    hundreds of rows in it takes longer to build than to run.
    """
    if not rows:
        return
    statement = upsert(model.__table__)
    columns = [name for name in rows[0] if name not in key]
    where = None if changed is None else model.__table__.c[changed] != statement.excluded[changed]
    session.execute(
        statement.on_conflict_do_update(
            index_elements=list(key), set_={name: statement.excluded[name] for name in columns}, where=where
        ),
        [dict(row) for row in rows],
    )


def get_setting(session: Any, user_id: int, key: str) -> str | None:
    """The value of a person's key, or None."""
    value: str | None = session.scalar(
        select(SystemConfig.value).where(SystemConfig.user_id == user_id, SystemConfig.key == key)
    )
    return value


def put_setting(session: Any, user_id: int, key: str, value: str) -> None:
    """Insert or replace a person's key."""
    statement = upsert(SystemConfig).values(user_id=user_id, key=key, value=value, updated_at=utcnow())
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["user_id", "key"],
            index_where=sql("user_id IS NOT NULL"),
            set_={"value": value, "updated_at": utcnow()},
        )
    )


def drop_setting(session: Any, user_id: int, *keys: str) -> None:
    """Forget a person's keys."""
    session.execute(delete(SystemConfig).where(SystemConfig.user_id == user_id, SystemConfig.key.in_(keys)))


def moment(value: str | None) -> datetime | None:
    """A stored time: ISO with Z, or seconds (or milliseconds, as the reference app's) since 1970; 0 and junk: None."""
    if not value:
        return None
    try:
        number = float(value)
    except ValueError:
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            return None
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    if number > 100_000_000_000:
        number /= 1000
    return datetime.fromtimestamp(number, UTC) if 0 < number < 100_000_000_000 else None
