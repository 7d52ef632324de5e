"""Reading AniList into `media`, `entries` and `activities`: the whole list once a day, else what has changed.

AniList's times are compared with AniList's times only; "since the last run" is decided by what is new in our own
tables, so that a clock which is wrong by minutes changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from jobs.accounts import ACTIVITIES_READ, WHOLE_LIST, WHOLE_LIST_BY, anilist_account, check_viewer
from jobs.records import Activity, ListEntry, MediaInfo, PartialDate, to_json
from jobs.runstate import RunContext
from jobs.storing import get_setting, moment, put_setting, upsert_rows
from webapp.database import transaction
from webapp.models import ActivityRow, Entry, Media, utcnow

if TYPE_CHECKING:
    from jobs.sources.anilist import AniList

WHOLE_EVERY = timedelta(hours=24)
OVERLAP = timedelta(minutes=15)  # activities are asked for again from so long before the newest one
FEW = 40  # but never more than so many known ones: the page of 50 keeps room for new ones
FIRST_PAGES = 20  # of activities, at the first reading (DESIGN 6.9)
PART = 500  # rows per transaction
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
    ctx.progress.log("info", f"Read the whole AniList list: {len(entries)} entries, {changed} new or changed.")
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
        ctx.progress.log("info", f"AniList has {changed} changed entries and {new} new activities.")
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
    ctx.progress.log("info", f"Read {len(rows)} list activities of AniList, for exact dates.")
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


def store_media(infos: Iterable[MediaInfo]) -> None:
    """Insert or replace rows of `media`; entries whose length or format changed are looked at again."""
    by_id = {info.anilist_id: info for info in infos}
    ids = list(by_id)
    for start in range(0, len(ids), PART):
        part = ids[start : start + PART]
        with transaction() as session:
            known = session.execute(
                select(Media.anilist_id, Media.episodes, Media.format).where(Media.anilist_id.in_(part))
            ).all()
            moved = [i for i, episodes, kind in known if (by_id[i].episodes, by_id[i].format) != (episodes, kind)]
            upsert_rows(session, Media, [_media_values(by_id[i]) for i in part], key=("anilist_id",))
            if moved:
                session.execute(update(Entry).where(Entry.anilist_id.in_(moved)).values(changed_at=utcnow()))


def _media_values(info: MediaInfo) -> dict[str, Any]:
    return {
        "anilist_id": info.anilist_id,
        "mal_id": info.mal_id,
        "format": info.format,
        "status": info.status,
        "episodes": info.episodes,
        "duration": info.duration,
        "season_year": info.season_year,
        "start_date": str(info.start_date) or None,
        "end_date": str(info.end_date) or None,
        "title_romaji": info.romaji,
        "title_english": info.english,
        "title_native": info.native,
        "synonyms": list(info.synonyms),
        "search_text": "\n".join(title.casefold() for title in info.titles),
        "is_adult": info.is_adult,
        "cover_url": info.cover_url,
        "cover_color": info.cover_color,
        "next_episode": info.next_episode,
        "next_airing_at": info.next_airing_at,
        "fetched_at": utcnow(),
    }


def store_entries(user_id: int, account_id: str, entries: Sequence[ListEntry], *, seen_at: datetime) -> int:
    """Insert or update a person's entries with their media; how many are new or differ from what was stored."""
    by_id = {entry.anilist_id: entry for entry in entries}
    store_media(entry.media for entry in by_id.values())
    ids = list(by_id)
    changed = 0
    for start in range(0, len(ids), PART):
        part = ids[start : start + PART]
        with transaction() as session:
            query = select(Entry).where(Entry.user_id == user_id, Entry.anilist_id.in_(part))
            rows = session.scalars(query.execution_options(populate_existing=True))
            known = {row.anilist_id: row for row in rows.unique()}
            values = [_entry_values(by_id[i], account_id) for i in part]
            news = [row for row in values if _differs(known.get(row["anilist_id"]), row)]
            if news:
                full = [{**row, "user_id": user_id, "seen_at": seen_at, "changed_at": seen_at} for row in news]
                upsert_rows(session, Entry, full, key=("user_id", "anilist_id"))
            session.execute(
                update(Entry)
                .where(Entry.user_id == user_id, Entry.anilist_id.in_(part))
                .values(seen_at=seen_at, gone_at=None)
            )
            changed += len(news)
    return changed


def _entry_values(entry: ListEntry, account_id: str) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "anilist_id": entry.anilist_id,
        "list_entry_id": entry.list_entry_id,
        "status": entry.status,
        "progress": entry.progress,
        "repeat": entry.repeat,
        "private": entry.private,
        "hidden": entry.hidden,
        "custom_lists": list(entry.custom_lists),
        "started_at": str(entry.started) or None,
        "completed_at": str(entry.completed) or None,
        "list_created_at": entry.created_at,
        "list_updated_at": entry.updated_at,
        "gone_at": None,
    }


def _differs(row: Entry | None, values: dict[str, Any]) -> bool:
    return row is None or any(getattr(row, name) != value for name, value in values.items())


def store_activities(user_id: int, rows: Sequence[Activity]) -> int:
    """Keep list activities; how many were not known, or name other episodes than before (AniList merges rows)."""
    now = utcnow()
    by_id = {row.activity_id: row for row in rows}
    ids = list(by_id)
    new = 0
    for start in range(0, len(ids), PART):
        part = ids[start : start + PART]
        with transaction() as session:
            known = {
                i: (first, last)
                for i, first, last in session.execute(
                    select(ActivityRow.activity_id, ActivityRow.first, ActivityRow.last).where(
                        ActivityRow.user_id == user_id, ActivityRow.activity_id.in_(part)
                    )
                )
            }
            news = [row for i in part if (row := by_id[i]) and known.get(i) != (row.first, row.last)]
            if news:
                rows_ = [_activity_values(user_id, row, now) for row in news]
                upsert_rows(session, ActivityRow, rows_, key=("user_id", "activity_id"))
            new += len(news)
    return new


def _activity_values(user_id: int, row: Activity, now: datetime) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "activity_id": row.activity_id,
        "anilist_id": row.anilist_id,
        "status": row.status[:64],
        "first": row.first,
        "last": row.last,
        "episodes": row.episodes,
        "created_at": row.created_at,
        "stored_at": now,
    }


def activities_of(user_id: int, anilist_ids: Iterable[int]) -> dict[int, list[Activity]]:
    """Stored activities of some entries, oldest first."""
    wanted = set(anilist_ids)
    found: dict[int, list[Activity]] = {}
    with transaction(readonly=True) as session:
        rows = session.scalars(
            select(ActivityRow).where(ActivityRow.user_id == user_id).order_by(ActivityRow.activity_id)
        ).all()
    for row in rows:
        if row.anilist_id in wanted:
            found.setdefault(row.anilist_id, []).append(
                Activity(row.activity_id, row.anilist_id, row.status, row.first, row.last, row.created_at, row.episodes)
            )
    return found


def list_entry(row: Entry) -> ListEntry:
    """A stored entry as the record that the planner takes."""
    return ListEntry(
        media=media_info(row.media),
        list_entry_id=row.list_entry_id or 0,
        status=row.status,
        progress=row.progress,
        repeat=row.repeat,
        private=row.private,
        hidden=row.hidden,
        custom_lists=tuple(row.custom_lists or ()),
        started=PartialDate.parse(row.started_at),
        completed=PartialDate.parse(row.completed_at),
        created_at=row.list_created_at,
        updated_at=row.list_updated_at,
    )


def media_info(row: Media) -> MediaInfo:
    """A stored title as a record."""
    return MediaInfo(
        anilist_id=row.anilist_id,
        mal_id=row.mal_id,
        format=row.format,
        status=row.status,
        episodes=row.episodes,
        duration=row.duration,
        season_year=row.season_year,
        start_date=PartialDate.parse(row.start_date),
        end_date=PartialDate.parse(row.end_date),
        romaji=row.title_romaji,
        english=row.title_english,
        native=row.title_native,
        synonyms=tuple(row.synonyms or ()),
        is_adult=row.is_adult,
        cover_url=row.cover_url,
        cover_color=row.cover_color,
        next_episode=row.next_episode,
        next_airing_at=row.next_airing_at,
    )
