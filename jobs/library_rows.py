"""AniList's records as rows of `media`, `entries` and `activities`, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from jobs.records import Activity, ListEntry, MediaInfo, PartialDate
from jobs.storing import upsert_rows
from webapp.database import transaction
from webapp.models import ActivityRow, Entry, Media, utcnow
from webapp.models.library import sort_name

PART = 500  # rows per transaction


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
        "sort_romaji": sort_name("romaji", info.romaji, info.english, info.native),
        "sort_english": sort_name("english", info.romaji, info.english, info.native),
        "sort_native": sort_name("native", info.romaji, info.english, info.native),
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
                full = [
                    {**row, "user_id": user_id, "seen_at": seen_at, "changed_at": _changed_at(known, row, seen_at)}
                    for row in news
                ]
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
        "score": entry.score,
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


def _changed_at(known: dict[int, Entry], values: dict[str, Any], seen_at: datetime) -> datetime | None:
    """A score alone changes nothing about plays, so that it has no title placed and planned anew."""
    row = known.get(values["anilist_id"])
    if row is None or row.score == values["score"]:
        return seen_at
    rest = {name: value for name, value in values.items() if name not in ("score", "list_updated_at")}
    return seen_at if _differs(row, rest) else row.changed_at


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
        score=row.score,
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
