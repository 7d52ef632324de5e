"""Reading AniList into `media`, `entries` and `activities`: the whole list once a day, else what has changed.

AniList's times are compared with AniList's times only; "since the last run" is decided by what is new in our own
tables, so that a clock which is wrong by minutes changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from jobs.accounts import ACTIVITIES_READ, WHOLE_LIST, WHOLE_LIST_BY, anilist_account, check_viewer
from jobs.library_rows import store_activities, store_entries, store_media
from jobs.records import to_json
from jobs.runstate import RunContext
from jobs.said import said
from jobs.storing import get_setting, moment, put_setting
from webapp.database import transaction
from webapp.models import ActivityRow, Entry, utcnow

if TYPE_CHECKING:
    from jobs.sources.anilist import AniList

WHOLE_EVERY = timedelta(hours=24)
OVERLAP = timedelta(minutes=15)  # activities are asked for again from so long before the newest one
FEW = 40  # but never more than so many known ones: the page of 50 keeps room for new ones
FIRST_PAGES = 20  # of activities, at the first reading (DESIGN 6.9)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading AniList brought."""

    account_id: str
    whole: bool  # the whole list was read
    changed: int  # entries that are new or differ from what was stored
    activities: int  # new ones


def read(ctx: RunContext, anilist: AniList, *, activities_wanted: bool) -> Reading:
    """Bring `media`, `entries` and `activities` up to date, with one request when little has changed.

    `activities_wanted`: the first reading of activities is due (the date rule needs them). Raises
    `AccountChanged` before anything of another account is stored, and the errors of the client.
    """
    account_id = anilist_account(ctx, anilist)
    with transaction(readonly=True) as session:
        whole_at = moment(get_setting(session, ctx.user_id, WHOLE_LIST))
        whole_by = get_setting(session, ctx.user_id, WHOLE_LIST_BY)
        activities_read = get_setting(session, ctx.user_id, ACTIVITIES_READ)
    by = "token" if anilist.signed_in else "name"
    if whole_at is None or whole_by != by or whole_at < utcnow() - WHOLE_EVERY:
        changed, whole = _read_whole(ctx, anilist, account_id, by), True
        new = _new_activities(ctx, anilist, account_id) if activities_read else 0
    else:
        changed, new = _read_changes(ctx, anilist, account_id)
        whole = False
    if activities_wanted and _first_due(activities_read, bool(ctx.options.get("all_activities"))):
        new += _first_activities(ctx, anilist, account_id)
    return Reading(account_id, whole, changed, new)


def read_one(ctx: RunContext, anilist: AniList, anilist_id: int) -> bool:
    """Bring one entry up to date with one request, or its title when it is not on the list; False: AniList has none."""
    ctx.progress.phase("reading_anilist")
    account_id = anilist_account(ctx, anilist)
    entry = anilist.entry(account_id, anilist_id)
    if entry is not None:
        store_entries(ctx.user_id, account_id, [entry], seen_at=utcnow())
        return True
    media = anilist.media([anilist_id])
    store_media(media)
    return bool(media)


def _first_due(read_before: str | None, everything: bool) -> bool:
    return read_before is None or (everything and read_before != "all")


def _read_whole(ctx: RunContext, anilist: AniList, account_id: str, by: str) -> int:
    ctx.progress.phase("reading_anilist")
    began = utcnow()
    if anilist.signed_in:
        check_viewer(ctx, anilist.viewer())
    entries = anilist.whole_list(account_id)
    changed = store_entries(ctx.user_id, account_id, entries, seen_at=began)
    with transaction() as session:
        gone = update(Entry).where(Entry.user_id == ctx.user_id, Entry.seen_at < began, Entry.gone_at.is_(None))
        if not anilist.signed_in:
            gone = gone.where(Entry.private.is_(False))  # a reading by name never holds these
        session.execute(gone.values(gone_at=began))
        put_setting(session, ctx.user_id, WHOLE_LIST, to_json(began))
        put_setting(session, ctx.user_id, WHOLE_LIST_BY, by)
    ctx.progress.log(
        "info",
        said(
            "Read the whole AniList list. Entries: %(count)s; new or changed: %(changed)s.",
            count=len(entries),
            changed=changed,
        ),
    )
    return changed


def _read_changes(ctx: RunContext, anilist: AniList, account_id: str) -> tuple[int, int]:
    """One request; further pages only while they bring news."""
    ctx.progress.phase("reading_anilist")
    began = utcnow()
    since = _changed_since(ctx.user_id)
    answer = anilist.changes(
        account_id,
        activities_since=_activities_since(ctx.user_id),
        changed_since=since,
        media_ids=_due_media(ctx.user_id, began),
    )
    if answer.viewer is not None:
        check_viewer(ctx, answer.viewer)
    store_media(answer.media)
    changed = store_entries(ctx.user_id, account_id, answer.entries, seen_at=began)
    if answer.more_entries and changed and changed >= len(answer.entries):
        more = anilist.changed_entries(account_id, since, page=2)
        changed += store_entries(ctx.user_id, account_id, more, seen_at=began)
    new = store_activities(ctx.user_id, answer.activities)
    if answer.more_activities and answer.activities:
        newest = max(row.created_at for row in answer.activities) - timedelta(seconds=1)
        new += store_activities(ctx.user_id, anilist.activities(account_id, since=newest, max_pages=None))
    if changed or new:
        ctx.progress.log(
            "info", said("New on AniList. Changed entries: %(changed)s; activities: %(new)s.", changed=changed, new=new)
        )
    return changed, new


def _new_activities(ctx: RunContext, anilist: AniList, account_id: str) -> int:
    rows = anilist.activities(account_id, since=_activities_since(ctx.user_id), max_pages=None)
    return store_activities(ctx.user_id, rows)


def _first_activities(ctx: RunContext, anilist: AniList, account_id: str) -> int:
    """The newest pages, or all of them when the person asked for exact dates."""
    ctx.progress.phase("reading_activities")
    everything = bool(ctx.options.get("all_activities"))
    pages = None if everything else FIRST_PAGES
    rows = anilist.activities(account_id, since=None, max_pages=pages, newest_first=not everything)
    new = store_activities(ctx.user_id, rows)
    with transaction() as session:
        put_setting(session, ctx.user_id, ACTIVITIES_READ, "all" if everything else "some")
    ctx.progress.log("info", said("Read activities of AniList, for exact dates: %(count)s.", count=len(rows)))
    return new


def _changed_since(user_id: int) -> datetime:
    with transaction(readonly=True) as session:
        query = select(Entry.list_updated_at).where(Entry.user_id == user_id, Entry.list_updated_at.is_not(None))
        newest: datetime | None = session.scalar(query.order_by(Entry.list_updated_at.desc()).limit(1))
    return (newest or LONG_AGO) - OVERLAP


def _activities_since(user_id: int) -> datetime:
    """Some minutes before the newest known activity, but not so far that the page is full of known ones."""
    with transaction(readonly=True) as session:
        newest: list[datetime] = list(
            session.scalars(
                select(ActivityRow.created_at)
                .where(ActivityRow.user_id == user_id)
                .order_by(ActivityRow.created_at.desc())
                .limit(FEW)
            )
        )
    if newest:
        return max(newest[0] - OVERLAP, newest[-1] - timedelta(seconds=1))
    return utcnow() - WHOLE_EVERY - OVERLAP  # none known: older ones are no news, the list itself decides


def _due_media(user_id: int, now: datetime) -> list[int]:
    """Titles that wait for something and are due: what AniList says of them now (next episode, length) decides."""
    with transaction(readonly=True) as session:
        return list(
            session.scalars(
                select(Entry.anilist_id)
                .where(Entry.user_id == user_id, Entry.gone_at.is_(None), Entry.due_at <= now)
                .order_by(Entry.due_at)
                .limit(50)
            )
        )
