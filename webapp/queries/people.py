"""What belongs to a person or to the instance: connections, keys, caches, sync progress, "has anything happened"."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import Select, bindparam, func, select

from webapp.extensions import db
from webapp.models import Connection, Entry, Log, MappingSource, Media, Run, SyncProgress, SystemConfig
from webapp.queries.review import asking_of, statuses_of

SOURCE_NAMES = ("otaku", "fribbs", "anime_lists")
LAST_SYNCS = {
    "manual": "status:sync:last-run",
    "automated": "status:sync:last-run-auto",
    "completed": "status:sync:completed:last-run",
    "watching": "status:sync:watching:last-run",
}
# Every page asks these, and building a statement costs several times what asking it does: they are built once.
_CONNECTIONS = select(Connection).where(Connection.user_id == bindparam("user_id"))


def connections(user_id: int) -> dict[str, Connection]:
    """By service."""
    return {row.service: row for row in db.session.scalars(_CONNECTIONS, {"user_id": user_id})}


def config_values(user_id: int) -> dict[str, str]:
    """The person's rows of `system_config` by key."""
    rows = db.session.execute(select(SystemConfig.key, SystemConfig.value).where(SystemConfig.user_id == user_id))
    return dict(rows.all())


def instance_value(key: str) -> str | None:
    return db.session.scalar(select(SystemConfig.value).where(SystemConfig.user_id.is_(None), SystemConfig.key == key))


def cron_secret(configured: str | None) -> str | None:
    """What `/cron` needs: the setting, else what the start has generated into the database."""
    return configured or instance_value("cron:secret")


def last_syncs(user_id: int) -> dict[str, datetime | None]:
    """manual, automated, completed, watching -> the start of the last such run, aware UTC."""
    values = config_values(user_id)
    return {name: _moment(values.get(key)) for name, key in LAST_SYNCS.items()}


def _moment(value: str | None) -> datetime | None:
    """ISO text; None when it is missing or unreadable, since people may edit these rows."""
    try:
        moment = datetime.fromisoformat(value) if value else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else None


def cache_rows() -> list[MappingSource]:
    """The three caches in their order; one that never filled is an empty row."""
    rows = {row.name: row for row in db.session.scalars(select(MappingSource))}
    return [rows.get(name) or MappingSource(name=name, url="", rows_in_file=0, rows_kept=0, double_ids=0) for name in SOURCE_NAMES]  # fmt: skip


def progress_rows(user_id: int, *, limit: int = 12, offset: int = 0) -> Sequence[tuple[SyncProgress, Media | None]]:
    """Newest first: the highest settled episode of each entry, with its title."""
    newest = (SyncProgress.updated_at.desc(), SyncProgress.anilist_id.desc())  # as the index has it
    page = select(SyncProgress.anilist_id).where(SyncProgress.user_id == user_id).order_by(*newest).limit(limit).offset(offset)  # fmt: skip
    query = (
        select(SyncProgress, Media)
        .outerjoin(Media, Media.anilist_id == SyncProgress.anilist_id)
        .where(SyncProgress.user_id == user_id, SyncProgress.anilist_id.in_(select(page.subquery().c.anilist_id)))
        .order_by(*newest)
    )
    return [(row, media) for row, media in db.session.execute(query)]


def needs_you_count(user_id: int) -> int:
    """Only real decisions count: watched titles that the person has not put aside, and runs that wait for a yes."""
    return int(db.session.scalar(_needs_you(), {"user_id": user_id, "statuses": statuses_of(user_id)}) or 0)


@cache
def _needs_you() -> Select[tuple[int]]:
    asks = asking_of(bindparam("user_id"), bindparam("statuses", expanding=True), "needs_you")
    titles = select(func.count()).select_from(Entry).where(*asks).scalar_subquery()
    approvals = select(func.count()).select_from(Run).where(Run.user_id == bindparam("user_id"), Run.status == "needs_approval")  # fmt: skip
    return select(titles + approvals.scalar_subquery())


def progress_count(user_id: int) -> int:
    query = select(func.count()).select_from(SyncProgress).where(SyncProgress.user_id == user_id)
    return db.session.scalar(query) or 0


def changes_since(user_id: int) -> str:
    """A short mark that differs as soon as a run or a decision of this person moved. Two small indexed reads."""
    runs = db.session.execute(
        select(Run.id, Run.status, Run.phase, Run.done, Run.plays_sent, Run.undone_by)
        .where(Run.user_id == user_id)
        .order_by(Run.id.desc())
        .limit(5)
    ).all()
    log = select(func.max(Log.id)).where(Log.user_id == user_id).scalar_subquery()
    needs = select(func.count()).select_from(Entry).where(Entry.user_id == user_id, Entry.pile == "needs_you")
    others = db.session.execute(select(log, needs.scalar_subquery())).one()
    return hashlib.sha256(repr((list(map(tuple, runs)), tuple(others))).encode()).hexdigest()[:16]
