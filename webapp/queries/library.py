"""Entries with where they stand: the list of titles, one title, what needs the person."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Text, case, cast, func, not_, or_, select
from sqlalchemy.orm import contains_eager

from webapp.extensions import db
from webapp.models import Entry, EntrySpan, Mapping, Media, TraktShow

FILTERS = (
    "placed",
    "needs_you",
    "waiting",
    "no_match",
    "unknown",
    "manual",
    "auto",
    "movie",
    "never",
    "scrobbler",
    "ignored",
)
SORTS = ("updated", "title", "progress", "state")
_URGENCY = case({"needs_you": 0, "waiting": 1, "no_match": 3, "placed": 4}, value=Entry.pile, else_=2)


@dataclass(frozen=True)
class EntryPage:
    """`rows`: entry, the show as Trakt calls it, whether a person's mapping or spans decide."""

    rows: Sequence[tuple[Entry, str | None, bool]]
    total: int
    next: int | None  # offset


def mappings(
    user_id: int,
    *,
    q: str = "",
    state: str = "",
    sort: str = "updated",
    language: str = "romaji",
    offset: int = 0,
    limit: int = 50,
) -> EntryPage:
    """A person's entries with title, place and source; the search looks at every title and synonym. Two queries."""
    by_hand = _by_hand(user_id)
    where: list[Any] = [Entry.user_id == user_id, Entry.gone_at.is_(None)]
    if q.isdigit():
        where.append(or_(Entry.anilist_id == int(q), Entry.trakt_id == int(q), Media.search_text.contains(q)))
    elif q:
        where.extend(Media.search_text.contains(word, autoescape=True) for word in q.casefold().split())
    if state == "manual":
        where.append(by_hand)
    elif state == "auto":
        where.extend([not_(by_hand), Entry.pile == "placed"])
    elif state == "movie":
        where.append(Entry.kind == "movie")
    elif state in ("never", "scrobbler", "ignored"):
        where.append(Entry.choice == state)
    elif state == "unknown":
        where.append(Entry.pile.is_(None))
    elif state in FILTERS:
        where.append(Entry.pile == state)
    counted = select(func.count()).select_from(Entry)
    total = db.session.scalar((counted.join(Media) if q else counted).where(*where)) or 0
    query = (
        select(Entry, TraktShow.title, by_hand)
        .join(Entry.media)
        .options(contains_eager(Entry.media))
        .outerjoin(TraktShow, (TraktShow.trakt_id == Entry.trakt_id) & (Entry.kind == "show"))
        .where(*where)
    )
    rows = db.session.execute(_sorted(query, sort, language).offset(offset).limit(limit))
    return EntryPage([(e, t, bool(m)) for e, t, m in rows], total, offset + limit if offset + limit < total else None)  # fmt: skip


def _by_hand(user_id: int) -> Any:
    manual = select(Mapping.id).where(Mapping.user_id == user_id, Mapping.anilist_id == Entry.anilist_id).exists()
    spans = select(EntrySpan.id).where(EntrySpan.user_id == user_id, EntrySpan.anilist_id == Entry.anilist_id).exists()
    return or_(manual, spans)


def _sorted(query: Select[Any], sort: str, language: str) -> Select[Any]:
    titles = {"english": Media.title_english, "native": Media.title_native}
    name = func.lower(func.coalesce(titles.get(language, Media.title_romaji), Media.title_romaji, Media.title_english))
    if sort == "title":
        return query.order_by(name, Entry.id)
    if sort == "progress":
        return query.order_by(Entry.progress.desc(), name, Entry.id)
    if sort == "state":
        return query.order_by(_URGENCY, name, Entry.id)
    return query.order_by(Entry.list_updated_at.desc(), Entry.id.desc())  # as the index has it


def pile_counts(user_id: int) -> dict[str, int]:
    """Entries by pile, `unknown` for those not looked at yet, and `all`; what the person ignores is left out of piles.

    Entries without progress are on the list but in no pile.
    """
    pile = case((Entry.choice.is_not(None), "chosen"), else_=func.coalesce(Entry.pile, "unknown"))
    query = select(pile, func.count()).where(Entry.user_id == user_id, Entry.gone_at.is_(None)).group_by(pile)
    counts: dict[str, int] = dict(db.session.execute(query).all())
    counts["all"] = sum(counts.values())
    return counts


@dataclass(frozen=True)
class Title:
    """All that decides where one title goes. `media` and `entry` may be missing for one mapped by id only."""

    anilist_id: int
    media: Media | None
    entry: Entry | None
    manual: Mapping | None
    auto: Mapping | None
    spans: list[EntrySpan]
    show: TraktShow | None


def entries(user_id: int, anilist_ids: Collection[int]) -> dict[int, Entry]:
    """These rows of the person's list."""
    query = select(Entry).where(Entry.user_id == user_id, Entry.anilist_id.in_(sorted(anilist_ids)))
    return {row.anilist_id: row for row in db.session.scalars(query)}


def entry(user_id: int, anilist_id: int) -> Title | None:
    """None when neither the list, nor AniList's media, nor a mapping knows this id. Five queries."""
    session = db.session
    media = session.get(Media, anilist_id)
    row = session.scalar(select(Entry).where(Entry.user_id == user_id, Entry.anilist_id == anilist_id))
    found = session.scalars(
        select(Mapping).where(Mapping.anilist_id == anilist_id, or_(Mapping.user_id == user_id, Mapping.user_id.is_(None)))
    ).all()  # fmt: skip
    manual = next((m for m in found if m.user_id == user_id), None)
    auto = next((m for m in found if m.user_id is None), None)
    spans = session.scalars(
        select(EntrySpan).where(EntrySpan.user_id == user_id, EntrySpan.anilist_id == anilist_id).order_by(EntrySpan.first)
    ).all()  # fmt: skip
    if not (media or row or found or spans):
        return None
    known = manual or auto
    kind = (row.kind if row else None) or (known.kind if known else None)
    trakt_id = (row.trakt_id if row else None) or (known.trakt_id if known else None)
    show = session.get(TraktShow, trakt_id) if trakt_id and kind == "show" else None
    return Title(anilist_id, media, row, manual, auto, list(spans), show)


def show(trakt_id: int) -> TraktShow | None:
    """A show as Trakt listed it when it was last read."""
    return db.session.get(TraktShow, trakt_id)


def siblings(user_id: int, title: Title) -> list[Entry]:
    """The person's other entries of the same show, in the order of their start."""
    if title.entry is None or title.entry.trakt_id is None:
        return []
    query = (
        select(Entry)
        .join(Entry.media)
        .options(contains_eager(Entry.media))
        .where(
            Entry.user_id == user_id,
            Entry.kind == title.entry.kind,
            Entry.trakt_id == title.entry.trakt_id,
            Entry.anilist_id != title.anilist_id,
        )
        .order_by(Media.start_date, Media.anilist_id)
        .limit(50)
    )
    return list(db.session.scalars(query))


def custom_lists(user_id: int) -> list[str]:
    """Names of the custom lists on which the person's entries stand, in alphabetical order."""
    texts = select(cast(Entry.custom_lists, Text)).where(Entry.user_id == user_id, Entry.gone_at.is_(None)).distinct()
    return sorted({name for text in db.session.scalars(texts) for name in json.loads(text or "[]")})
