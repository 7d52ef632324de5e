"""Reads that only the API needs. Each makes the same number of queries however many rows there are.

Callers have a reading transaction open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import false, func, or_, select

from webapp.extensions import db
from webapp.models import (
    Entry,
    EntrySpan,
    EpisodeOverride,
    Log,
    Mapping,
    MappingSource,
    Media,
    OAuthFlow,
    PlanItem,
    Run,
    RunItem,
    SyncProgress,
    TraktShow,
    utcnow,
)


def log_lines(user_id: int, *, after: int | None, level: str | None, limit: int) -> Sequence[Log]:
    """Lines of a person and of the instance: newest first, or the oldest of those above the id `after`."""
    query = select(Log).where(or_(Log.user_id == user_id, Log.user_id.is_(None)))
    if level is not None:
        query = query.where(Log.level == level)
    if after is None:
        return db.session.scalars(query.order_by(Log.id.desc()).limit(limit)).all()
    return db.session.scalars(query.where(Log.id > after).order_by(Log.id).limit(limit)).all()


def progress_of(user_id: int, anilist_id: int) -> SyncProgress | None:
    return db.session.get(SyncProgress, (user_id, anilist_id))


def cache(name: str) -> MappingSource | None:
    """One mapping cache, as it stands now."""
    return db.session.get(MappingSource, name, populate_existing=True)


def run_count(user_id: int) -> int:
    return db.session.scalar(select(func.count()).select_from(Run).where(Run.user_id == user_id)) or 0


def newest_sign_in(user_id: int, service: str) -> str | None:
    """The state of the person's newest sign-in by code that is still valid."""
    query = select(OAuthFlow.state).where(
        OAuthFlow.user_id == user_id,
        OAuthFlow.service == service,
        OAuthFlow.kind.in_(("code", "paste")),
        OAuthFlow.expires_at > utcnow(),
    )
    return db.session.scalar(query.order_by(OAuthFlow.created_at.desc()).limit(1))


# Mappings


@dataclass(frozen=True, slots=True)
class MappingRow:
    """A mapping with what the person's list says of the entry."""

    mapping: Mapping
    placement: dict[str, Any] | None


def mapping_counts(user_id: int, q: str) -> tuple[int, int]:
    """(manual, auto) rows that this person sees and that the search fits."""
    manual, auto = _mappings(user_id, q)
    return _count(manual), _count(auto)


def manual_mappings(user_id: int, q: str, *, limit: int | None, offset: int = 0) -> list[MappingRow]:
    """The person's own and the shared ones, newest first."""
    return _mapping_rows(user_id, _mappings(user_id, q)[0], limit, offset)


def auto_mappings(user_id: int, q: str, *, limit: int | None, offset: int = 0) -> list[MappingRow]:
    """What was found by itself, newest first."""
    return _mapping_rows(user_id, _mappings(user_id, q)[1], limit, offset)


def _mappings(user_id: int, q: str) -> tuple[Any, Any]:
    query = select(Mapping)
    if q.isdigit() and len(q) <= 16:
        query = query.where(or_(Mapping.anilist_id == int(q), Mapping.trakt_id == int(q)))
    elif q:
        titles = select(Media.anilist_id)
        for word in q.casefold().split():
            titles = titles.where(Media.search_text.contains(word, autoescape=True))
        query = query.where(Mapping.anilist_id.in_(titles))
    manual = query.where(or_(Mapping.user_id == user_id, Mapping.user_id.is_not(None) & Mapping.shared))
    return manual, query.where(Mapping.user_id.is_(None))


def _count(query: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(query.subquery())) or 0


def _mapping_rows(user_id: int, query: Any, limit: int | None, offset: int) -> list[MappingRow]:
    mine = (Entry.anilist_id == Mapping.anilist_id) & (Entry.user_id == user_id)
    query = query.add_columns(Entry.placement).outerjoin(Entry, mine)
    query = query.order_by(Mapping.updated_at.desc(), Mapping.id.desc()).offset(offset).limit(limit)
    return [MappingRow(mapping, placement) for mapping, placement in db.session.execute(query)]


# Overrides


def override_counts(user_id: int, *, trakt_id: int | None, anilist_id: int | None) -> tuple[int, int]:
    """(rows of the instance's episode_override, spans of this person), each filtered by its own id."""
    overrides, spans = _overrides(user_id, trakt_id, anilist_id)
    return _count(overrides), _count(spans)


def episode_overrides(
    user_id: int, *, trakt_id: int | None, anilist_id: int | None, limit: int, offset: int
) -> Sequence[EpisodeOverride]:
    query = _overrides(user_id, trakt_id, anilist_id)[0]
    query = query.order_by(EpisodeOverride.trakt_id, EpisodeOverride.abs).offset(offset).limit(limit)
    return db.session.scalars(query).all()


def entry_spans(
    user_id: int, *, trakt_id: int | None, anilist_id: int | None, limit: int, offset: int
) -> Sequence[EntrySpan]:
    query = _overrides(user_id, trakt_id, anilist_id)[1]
    query = query.order_by(EntrySpan.anilist_id, EntrySpan.first).offset(offset).limit(limit)
    return db.session.scalars(query).all()


def _overrides(user_id: int, trakt_id: int | None, anilist_id: int | None) -> tuple[Any, Any]:
    overrides, spans = select(EpisodeOverride), select(EntrySpan).where(EntrySpan.user_id == user_id)
    if trakt_id is not None:
        overrides = overrides.where(EpisodeOverride.trakt_id == trakt_id)
    elif anilist_id is not None:
        overrides = overrides.where(false())
    if anilist_id is not None:
        spans = spans.where(EntrySpan.anilist_id == anilist_id)
    elif trakt_id is not None:
        spans = spans.where(false())
    return overrides, spans


# Entries


def placed_entry(user_id: int, anilist_id: int) -> Entry | None:
    return db.session.scalar(select(Entry).where(Entry.user_id == user_id, Entry.anilist_id == anilist_id))


@dataclass(slots=True)
class PreviewEntry:
    """What a plan says of one entry."""

    anilist_id: int
    plays: list[PlanItem]
    item: RunItem | None
    media: Media | None = None
    entry: Entry | None = None


def preview_entries(run: Run) -> list[PreviewEntry]:
    """Entries that a plan would send, and those that it cannot, by id. Three queries."""
    found: dict[int, PreviewEntry] = {}
    plays = (
        select(PlanItem).where(PlanItem.run_id == run.id).order_by(PlanItem.anilist_id, PlanItem.episode, PlanItem.nth)
    )
    for play in db.session.scalars(plays):
        found.setdefault(play.anilist_id, PreviewEntry(play.anilist_id, [], None)).plays.append(play)
    for item in db.session.scalars(select(RunItem).where(RunItem.run_id == run.id)):
        found.setdefault(item.anilist_id, PreviewEntry(item.anilist_id, [], None)).item = item
    named = (
        select(Media, Entry)
        .outerjoin(Entry, (Entry.anilist_id == Media.anilist_id) & (Entry.user_id == run.user_id))
        .where(
            or_(
                Media.anilist_id.in_(select(PlanItem.anilist_id).where(PlanItem.run_id == run.id)),
                Media.anilist_id.in_(select(RunItem.anilist_id).where(RunItem.run_id == run.id)),
            )
        )
    )
    for media, entry in db.session.execute(named):
        row = found[media.anilist_id]
        row.media, row.entry = media, entry
    return sorted(found.values(), key=lambda row: row.anilist_id)


def episodes_on_trakt(user_id: int, anilist_id: int) -> int:
    """Regular episodes of the show that an entry belongs to; a movie is one. 0 where nothing is known of it."""
    entry = select(Entry.kind, Entry.trakt_id).where(Entry.user_id == user_id, Entry.anilist_id == anilist_id)
    kind, trakt_id = db.session.execute(entry).one_or_none() or (None, None)
    if kind == "movie":
        return 1
    seasons = db.session.scalar(select(TraktShow.seasons).where(TraktShow.trakt_id == trakt_id)) or {}
    return sum(len(episodes) for season, episodes in seasons.items() if int(season) > 0)
