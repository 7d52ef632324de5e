"""Entries with where they stand: the list of titles, one title, what needs the person."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Text, and_, case, cast, func, not_, or_, select
from sqlalchemy.orm import aliased, contains_eager

from webapp.database import among, holds, unindexed
from webapp.extensions import db
from webapp.models import Entry, EntrySpan, Mapping, Media, TraktShow
from webapp.models.library import ON_LISTS

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
FEW = 400  # titles of a search that are named one by one
DEEP = 150  # so far into a long search the way through the list, looking at each title, takes longer than finding all of them
_PILES = ("needs_you", "waiting", "no_match", "unknown")  # those that are small
_SMALL = ("needs_you", "waiting", "no_match", "unknown", "manual", "never", "scrobbler", "ignored")
SORTS = ("updated", "title", "progress", "state")
_URGENCY = case({"needs_you": 0, "waiting": 1, "no_match": 3, "placed": 4}, value=Entry.pile, else_=2)


@dataclass(frozen=True)
class EntryPage:
    """`rows`: entry, the show as Trakt calls it, whether a person's mapping or spans decide."""

    rows: Sequence[tuple[Entry, str | None, bool]]
    total: int | None  # None: more than these, of a search that finds hundreds
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
    """A person's entries with title, place and source; the search looks at every title and synonym. Three queries, four for a number.

    The page is found on narrow rows first, and only its fifty are read in full.
    """
    found, total, more = _page(user_id, q, state, sort, language, offset, limit)
    query = (
        select(Entry, TraktShow.title, _by_hand(user_id))
        .join(Entry.media)
        .options(contains_eager(Entry.media))
        .outerjoin(TraktShow, (TraktShow.trakt_id == Entry.trakt_id) & (Entry.kind == "show"))
        .where(Entry.id.in_(found))
    )
    rows = {entry.id: (entry, show, bool(manual)) for entry, show, manual in db.session.execute(query)}
    return EntryPage([rows[one] for one in found], total, offset + limit if more else None)


def _page(
    user_id: int, q: str, state: str, sort: str, language: str, offset: int, limit: int
) -> tuple[list[int], int | None, bool]:
    """Ids of the entries of one page in their order, how many there are in all, and whether more come after them."""
    where, few, many = _in_state(user_id, state), state == "manual" or state in _PILES, False
    if q:
        found = _found(user_id, q)
        many = len(found) > FEW
        few = few or not many
        through = offset <= DEEP and sort != "state"
        where.append(_matching(user_id, q, through=through) if many else among(Entry.anilist_id, found))
    if state in _PILES:
        where += [Entry.user_id == user_id, unindexed(Entry.gone_at).is_(None)]  # in the index of the piles
    else:
        where += _few(user_id) if few else _listed(user_id)
    if sort == "title":  # the index of the titles is walked where most of them fit
        ordered = _by_title(where, language, leads=not few and state in ("", "placed", "auto"))
    else:
        order = {"progress": (Entry.progress.desc(),), "state": (_URGENCY,)}.get(sort, ())
        newest = unindexed(Entry.list_updated_at) if state in _SMALL else Entry.list_updated_at
        ordered = select(Entry.id).where(*where).order_by(*order, newest.desc(), Entry.id.desc())
    if few:
        every = list(db.session.scalars(ordered))
        return every[offset : offset + limit], len(every), len(every) > offset + limit
    if many:
        part = list(db.session.scalars(ordered.offset(offset).limit(limit + 1)))
        return part[:limit], None if len(part) > limit else offset + len(part), len(part) > limit
    page = db.session.execute(ordered.add_columns(_total(user_id, state, where)).offset(offset).limit(limit)).all()
    total = int(page[0][1]) if page else 0
    return [row[0] for row in page], total, total > offset + limit


def _total(user_id: int, state: str, where: Sequence[Any]) -> Any:
    """How many entries fit, as an expression."""

    def count(*conditions: Any) -> Any:
        return select(func.count()).select_from(Entry).where(*conditions).scalar_subquery()

    if state == "auto":  # all but few: those few are counted
        placed = Entry.pile == "placed"
        return count(*_listed(user_id), placed) - count(*_few(user_id), placed, _by_hand(user_id))
    return count(*where)


def _listed(user_id: int) -> list[Any]:
    return [Entry.user_id == user_id, Entry.gone_at.is_(None)]


def _few(user_id: int) -> list[Any]:
    """The same, beside a condition that names AniList ids: these are looked up one by one."""
    return [unindexed(Entry.user_id) == user_id, Entry.gone_at.is_(None)]


def _in_state(user_id: int, state: str) -> list[Any]:
    if state == "manual":
        return [_by_hand(user_id)]
    if state == "auto":
        return [not_(_by_hand(user_id)), Entry.pile == "placed"]
    if state == "movie":
        return [Entry.kind == "movie"]
    if state in ("never", "scrobbler", "ignored"):
        return [Entry.choice == state]
    if state == "unknown":
        return [Entry.pile.is_(None)]
    return [Entry.pile == state] if state in FILTERS else []


def _by_title(where: Sequence[Any], language: str, *, leads: bool) -> Select[Any]:
    """Ids in the order of the titles. `leads`: the index of the titles is walked, which suits conditions that most fit."""
    name = {"english": Media.sort_english, "native": Media.sort_native}.get(language, Media.sort_romaji)
    if leads:  # an outer join, because SQLite would begin with the entries and sort all of them
        query = select(Entry.id).select_from(Media).outerjoin(Entry, and_(Entry.anilist_id == Media.anilist_id, *where))
        return query.where(func.coalesce(Entry.id, 0) > 0).order_by(name, Media.anilist_id)
    return select(Entry.id).join(Entry.media).where(*where).order_by(name, Media.anilist_id)


def matching_titles(words: str) -> Select[int]:
    """AniList ids of the media in whose titles and synonyms each of these words stands."""
    return select(Media.anilist_id).where(*_has(words))


def matches(anilist_id: Any, words: str) -> Any:
    """Condition: the media of this id has each of these words. Looked at row by row."""
    title = aliased(Media)
    return select(title.anilist_id).where(title.anilist_id == anilist_id, *_has(words, title)).exists()


def _has(words: str, title: Any = Media) -> list[Any]:
    return [holds(title.search_text, word) for word in words.casefold().split()]


def _found(user_id: int, q: str) -> set[int]:
    """AniList ids that a search finds, `FEW` and some more of them at most. One query, for a number two."""
    found = set(db.session.scalars(matching_titles(q).limit(FEW + 1)))
    return found | set(db.session.scalars(_numbered(user_id, q))) | {int(q)} if _is_number(q) else found


def _matching(user_id: int, q: str, *, through: bool) -> Any:
    """Condition: entries that a search finds, when those are too many to name.

    `through`: each title is looked at on the way through the list, which soon fills a page; else all are found first.
    """
    named = matches(Entry.anilist_id, q) if through else Entry.anilist_id.in_(matching_titles(q))
    if not _is_number(q):
        return named
    return or_(named, Entry.anilist_id == int(q), Entry.anilist_id.in_(_numbered(user_id, q)))


def _is_number(q: str) -> bool:
    return q.isascii() and q.isdecimal() and len(q) < 17


def _numbered(user_id: int, q: str) -> Select[int]:
    """AniList ids of the person's entries of the show or movie that has this number on Trakt."""
    return select(Entry.anilist_id).where(Entry.trakt_id == int(q), unindexed(Entry.user_id) == user_id)


def _by_hand(user_id: int) -> Any:
    manual = select(Mapping.anilist_id).where(Mapping.user_id == user_id)
    return Entry.anilist_id.in_(manual.union(select(EntrySpan.anilist_id).where(EntrySpan.user_id == user_id)))


def pile_counts(user_id: int) -> dict[str, int]:
    """Entries by pile, `unknown` for those not looked at yet, and `all`; what the person ignores is left out of piles.

    Entries without progress are on the list but in no pile.
    """
    query = select(Entry.choice, Entry.pile, func.count()).where(Entry.user_id == user_id, Entry.gone_at.is_(None)).group_by(Entry.choice, Entry.pile)  # fmt: skip
    counts: Counter[str] = Counter()
    for choice, pile, count in db.session.execute(query):  # grouped as the index has it
        counts["chosen" if choice is not None else pile or "unknown"] += count
    return {**counts, "all": counts.total()}


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
            unindexed(Entry.user_id) == user_id,
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
    on_lists = select(cast(Entry.custom_lists, Text)).where(
        Entry.user_id == user_id, unindexed(Entry.gone_at).is_(None)
    )
    texts = on_lists.where(ON_LISTS).distinct()  # in the index of the few that are on one
    return sorted({name for text in db.session.scalars(texts) for name in json.loads(text or "[]")})
