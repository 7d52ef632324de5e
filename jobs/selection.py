"""Which entries a run looks at (DESIGN 7, modes), and which of them must be placed anew."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select, update

from jobs import overrides_seen
from jobs.accounts import LAST_SYNC
from jobs.runstate import RunContext
from jobs.storing import get_setting, moment, put_setting, upsert_rows
from webapp.database import transaction
from webapp.models import ActivityRow, Entry, EpisodeOverride, Mapping, MappingSource, SyncProgress, User, utcnow

MODES = {"completed": ("COMPLETED", "REPEATING"), "watching": ("CURRENT",)}
PART = 500


@dataclass(frozen=True, slots=True)
class Selection:
    """The entries of one run, and the moment at which they were chosen: what changes later is for the next run."""

    entries: dict[int, Entry]
    at: datetime


def select_entries(ctx: RunContext) -> Selection:
    """The entries that the mode of this run looks at, with their media, by AniList id."""
    overrides_seen.mark_changed(ctx.user_id)
    at = utcnow()
    mine = (Entry.user_id == ctx.user_id, Entry.gone_at.is_(None))
    with transaction(readonly=True) as session:
        if ctx.mode == "title":
            chosen = [*mine, Entry.anilist_id == ctx.anilist_id]
        elif ctx.mode in MODES:
            chosen = [*mine, Entry.status.in_(MODES[ctx.mode]), _watched()]
        else:
            statuses = [
                s for s in session.get_one(User, ctx.user_id, populate_existing=True).statuses if s != "PLANNING"
            ]
            chosen = [*mine, Entry.status.in_(statuses), _watched()]
            since = moment(get_setting(session, ctx.user_id, LAST_SYNC))
            if since is not None:
                chosen.append(_news(ctx.user_id, since, at))
        rows = _fresh(session, select(Entry).where(*chosen).order_by(Entry.anilist_id))
        return Selection({row.anilist_id: row for row in rows}, at)


def entries_of(user_id: int, ids: Collection[int]) -> Selection:
    """These entries, as far as they were ever on the person's list."""
    at = utcnow()
    found: dict[int, Entry] = {}
    for part in _parts(sorted(ids)):
        with transaction(readonly=True) as session:
            rows = _fresh(session, select(Entry).where(Entry.user_id == user_id, Entry.anilist_id.in_(part)))
            found |= {row.anilist_id: row for row in rows}
    return Selection(found, at)


def look_again(user_id: int, ids: Iterable[int]) -> None:
    """The next full run looks at these, whatever was settled."""
    for part in _parts(sorted(ids)):
        with transaction() as session:
            session.execute(
                update(Entry).where(Entry.user_id == user_id, Entry.anilist_id.in_(part)).values(changed_at=utcnow())
            )


def _fresh(session: Any, query: Select[Any]) -> list[Entry]:
    """As the rows are now, whatever this session has seen of them before."""
    return list(session.scalars(query.execution_options(populate_existing=True)).unique())


def _watched() -> Any:
    """Something of it was seen; what a rewatch counts says nothing about the first time through."""
    return or_(Entry.progress > 0, Entry.status.in_(("COMPLETED", "REPEATING")))


def _news(user_id: int, since: datetime, at: datetime) -> Any:
    """Everything that may have to be sent since the last full run, or that is due to be looked at again."""
    active = select(ActivityRow.anilist_id).where(
        ActivityRow.user_id == user_id, ActivityRow.anilist_id == Entry.anilist_id
    )
    row = select(SyncProgress.last_abs).where(
        SyncProgress.user_id == user_id, SyncProgress.anilist_id == Entry.anilist_id
    )
    return or_(
        Entry.settled_at.is_(None),
        Entry.changed_at >= Entry.settled_at,  # list row, mapping, override, filter or hold
        Entry.due_at <= at,
        active.where(or_(ActivityRow.created_at > since, ActivityRow.stored_at >= Entry.settled_at)).exists(),
        # a sync_progress row that was deleted, or set lower, by the person
        Entry.settled_abs > func.coalesce(row.scalar_subquery(), -1),
    )


def to_place(entries: Collection[Entry], now: datetime, *, anew: bool = False) -> list[int]:
    """Ids of those whose stored placement may be out of date, and of the others of the same shows.

    A placement stands until its entry, its mapping, a cache or an override changed, or it is due to be looked at.
    """
    if anew:
        return sorted(entry.anilist_id for entry in entries)
    with transaction(readonly=True) as session:
        refreshed = session.scalar(select(func.max(MappingSource.last_full_sync)))
        overridden = set(session.scalars(select(EpisodeOverride.trakt_id).distinct()))
        by_hand = select(Mapping.anilist_id, func.max(Mapping.updated_at)).where(Mapping.user_id.is_not(None))
        mapped: dict[int, datetime] = dict(session.execute(by_hand.group_by(Mapping.anilist_id)).all())
    stale = [
        entry
        for entry in entries
        if entry.placed_at is None
        or entry.trakt_id in overridden
        or _later(entry.changed_at, entry.placed_at)
        or _later(refreshed, entry.placed_at)
        or _later(mapped.get(entry.anilist_id), entry.placed_at)
        or (entry.due_at is not None and entry.due_at <= now)
    ]
    shows = {entry.trakt_id for entry in stale if entry.trakt_id is not None}
    ids = {entry.anilist_id for entry in stale}
    ids |= {entry.anilist_id for entry in entries if entry.trakt_id in shows}
    return sorted(ids)


def _later(moment_: datetime | None, than: datetime) -> bool:
    return moment_ is not None and moment_ >= than


def settle(
    ctx: RunContext, selection: Selection, done: Iterable[int], last_abs: dict[int, int], left: Iterable[int]
) -> None:
    """Note which entries this run is finished with, and their `sync_progress`; `left` are looked at again next time."""
    by_value: dict[int | None, list[int]] = {}
    for anilist_id in done:
        by_value.setdefault(last_abs.get(anilist_id), []).append(anilist_id)
    now = utcnow()
    for value, ids in by_value.items():
        for part in _parts(ids):
            with transaction() as session:
                if value is not None:
                    _put_progress(session, ctx.user_id, part, value, now)
                session.execute(
                    update(Entry)
                    .where(Entry.user_id == ctx.user_id, Entry.anilist_id.in_(part))
                    .values(settled_at=selection.at, settled_abs=value)
                )
    look_again(ctx.user_id, left)


def put_progress(user_id: int, last_abs: dict[int, int]) -> None:
    """Write `sync_progress` of entries that this run is not finished with."""
    now = utcnow()
    by_value: dict[int, list[int]] = {}
    for anilist_id, value in last_abs.items():
        by_value.setdefault(value, []).append(anilist_id)
    for value, ids in by_value.items():
        for part in _parts(ids):
            with transaction() as session:
                _put_progress(session, user_id, part, value, now)


def _parts(ids: list[int]) -> Iterable[list[int]]:
    return (ids[start : start + PART] for start in range(0, len(ids), PART))


def _put_progress(session: Any, user_id: int, ids: list[int], last_abs: int, now: datetime) -> None:
    rows = [{"user_id": user_id, "anilist_id": i, "last_abs": last_abs, "updated_at": now} for i in ids]
    upsert_rows(session, SyncProgress, rows, key=("user_id", "anilist_id"), changed="last_abs")


def move_timestamp(ctx: RunContext) -> None:
    """Move `lastSyncTimestamp` to the newest thing of AniList that has been read; called when all of it is settled.

    Seconds since 1970, by AniList's clock, as in the reference app. Never moves back.
    """
    with transaction() as session:
        newest = [
            session.scalar(select(func.max(ActivityRow.created_at)).where(ActivityRow.user_id == ctx.user_id)),
            session.scalar(select(func.max(Entry.list_updated_at)).where(Entry.user_id == ctx.user_id)),
        ]
        latest = max((value for value in newest if value is not None), default=ctx.started_at)
        before = moment(get_setting(session, ctx.user_id, LAST_SYNC))
        if before is None or latest > before:
            put_setting(session, ctx.user_id, LAST_SYNC, str(int(latest.timestamp())))
