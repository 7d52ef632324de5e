"""What waits for a decision, what stands around it, and what was decided."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import contains_eager

from webapp.database import unindexed
from webapp.extensions import db
from webapp.models import Decision, Entry, Media, PlayRow, TraktShow, User

# Something of it was seen, so that something would be sent.
_SEEN = or_(Entry.progress > 0, Entry.status.in_(("COMPLETED", "REPEATING")))
ASKING = ("needs_you", "no_match", "waiting")
_LONGEST_FIRST = (unindexed(Entry.progress).desc(), Entry.id)


def asking(user_id: int, *piles: str) -> list[Any]:
    """Conditions: entries of these piles that would be sent, and that the person has neither put aside nor still to watch."""
    return asking_of(user_id, statuses_of(user_id), *piles)


def statuses_of(user_id: int) -> list[str]:
    """Those of AniList that the person wants sent."""
    person = db.session.get(User, user_id)
    return list(person.statuses) if person is not None else []


def asking_of(user_id: Any, statuses: Any, *piles: str) -> list[Any]:
    """The same of values, or of the `bindparam`s of a statement that is built once."""
    return [
        Entry.status.in_(statuses),
        Entry.user_id == user_id,
        Entry.gone_at.is_(None),
        Entry.choice.is_(None),
        Entry.pile.in_(piles),
        _SEEN,
    ]


def review(user_id: int, pile: str, *, limit: int = 50, offset: int = 0) -> list[tuple[Entry, str | None]]:
    """Entries of one pile that wait for a decision or for Trakt, the longest watched first; with the show's name.

    The ids of the page first: all rows of the pile with their titles take longer to sort than the page to read.
    """
    page = select(Entry.id).where(*asking(user_id, pile)).order_by(*_LONGEST_FIRST).offset(offset).limit(limit)
    query = (
        select(Entry, TraktShow.title)
        .join(Entry.media)
        .options(contains_eager(Entry.media))
        .outerjoin(TraktShow, (TraktShow.trakt_id == Entry.trakt_id) & (Entry.kind == "show"))
        .where(Entry.id.in_(select(page.subquery().c.id)))
        .order_by(*_LONGEST_FIRST)
    )
    return [(entry, show) for entry, show in db.session.execute(query)]


def place_in_review(user_id: int, pile: str, anilist_id: int) -> int | None:
    """How many entries of a pile stand before this one in the order of `review`; None when it does not ask."""
    asks = asking(user_id, pile)
    one = db.session.execute(select(Entry.progress, Entry.id).where(*asks, Entry.anilist_id == anilist_id)).first()
    if one is None:
        return None
    before = or_(Entry.progress > one.progress, (Entry.progress == one.progress) & (Entry.id < one.id))
    return db.session.scalar(select(func.count()).select_from(Entry).where(*asks, before)) or 0


def review_count(user_id: int, pile: str) -> int:
    return db.session.scalar(select(func.count()).select_from(Entry).where(*asking(user_id, pile))) or 0


def review_counts(user_id: int) -> dict[str, int]:
    """Entries of each pile that would be sent and that the person has not put aside."""
    query = select(Entry.pile, func.count()).where(*asking(user_id, *ASKING)).group_by(Entry.pile)
    return {**dict.fromkeys(ASKING, 0), **{str(pile): count for pile, count in db.session.execute(query)}}


@dataclass(frozen=True)
class FormatPile:
    """How many entries of one format have no match known, and when the first and the last are looked at again."""

    format: str | None
    titles: int
    first_due: datetime | None
    last_due: datetime | None


def no_match_formats(user_id: int) -> list[FormatPile]:
    query = (
        select(Media.format, func.count(), func.min(Entry.due_at), func.max(Entry.due_at))
        .select_from(Entry)
        .join(Media, Media.anilist_id == Entry.anilist_id)
        .where(*asking(user_id, "no_match"))
        .group_by(Media.format)
        .order_by(func.count().desc(), Media.format)
    )
    return [FormatPile(*row) for row in db.session.execute(query)]


def shows(trakt_ids: Collection[int]) -> dict[int, TraktShow]:
    """What Trakt lists for these shows, as far as it was read."""
    query = select(TraktShow).where(TraktShow.trakt_id.in_(sorted(trakt_ids)))
    return {row.trakt_id: row for row in db.session.scalars(query)}


def same_shows(user_id: int, trakt_ids: Collection[int]) -> list[Entry]:
    """The person's entries of these shows, in order of their start: siblings, and who stands where."""
    query = (
        select(Entry)
        .join(Entry.media)
        .options(contains_eager(Entry.media))
        .where(
            unindexed(Entry.user_id) == user_id,
            Entry.gone_at.is_(None),
            Entry.kind == "show",
            Entry.trakt_id.in_(sorted(trakt_ids)),
        )
        .order_by(Media.start_date, Media.anilist_id)
        .limit(500)
    )
    return list(db.session.scalars(query))


def plays_standing(user_id: int, anilist_ids: Collection[int]) -> list[PlayRow]:
    """Plays of these entries that are on Trakt, by episode."""
    query = select(PlayRow).where(
        PlayRow.user_id == user_id, PlayRow.anilist_id.in_(sorted(anilist_ids)), PlayRow.state == "sent"
    )  # fmt: skip
    return list(db.session.scalars(query.order_by(PlayRow.anilist_id, PlayRow.nth, PlayRow.episode).limit(5000)))


@dataclass(frozen=True)
class Made:
    """One action: what was decided for how many titles. `media` and `after` are those of one of them."""

    action: str
    what: str
    by: str
    at: datetime
    titles: int
    media: Media | None
    after: Any


def decisions(user_id: int, *, anilist_id: int | None = None, limit: int = 10) -> list[Made]:
    """What was decided and not taken back, newest first: of everything, or of one title. One query."""
    grouped = (
        select(func.max(Decision.id).label("id"), func.count().label("titles"))
        .where(Decision.user_id == user_id, Decision.taken_back_at.is_(None))
        .group_by(Decision.action)
        .order_by(func.max(Decision.id).desc())
    )
    if anilist_id is not None:
        grouped = grouped.where(Decision.anilist_id == anilist_id)
    newest = grouped.limit(limit).subquery()
    query = (
        select(Decision, newest.c.titles, Media)
        .join(newest, newest.c.id == Decision.id)
        .outerjoin(Media, Media.anilist_id == Decision.anilist_id)
        .order_by(Decision.id.desc())
    )
    return [
        Made(row.action, row.what, row.decided_by, row.decided_at, titles, media, row.after)
        for row, titles, media in db.session.execute(query)
    ]
