"""The ledger as people read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from webapp.extensions import db
from webapp.models import Media, PlayRow, TraktShow

ON_HOLD = ("gone", "removed", "rejected")
FILTERS = {"sent": ("sent",), "hold": ON_HOLD, "open": ("planned", "sending", "removing")}


@dataclass(frozen=True)
class PlayPage:
    """`plays` newest first; `next` is the id to go on before."""

    plays: Sequence[tuple[PlayRow, Media | None, str | None]]  # the last: the show as Trakt calls it
    next: int | None


def history(user_id: int, *, q: str = "", state: str = "", before: int | None = None, limit: int = 100) -> PlayPage:
    query = (
        select(PlayRow, Media, TraktShow.title)
        .outerjoin(Media, Media.anilist_id == PlayRow.anilist_id)
        .outerjoin(TraktShow, (TraktShow.trakt_id == PlayRow.trakt_id) & (PlayRow.kind == "episode"))
        .where(PlayRow.user_id == user_id)
    )
    if q:
        query = query.where(Media.search_text.contains(q.casefold(), autoescape=True))
    if state in FILTERS:
        query = query.where(PlayRow.state.in_(FILTERS[state]))
    if before is not None:
        query = query.where(PlayRow.id < before)
    rows = list(db.session.execute(query.order_by(PlayRow.id.desc()).limit(limit + 1)))
    page = [(play, media, show) for play, media, show in rows[:limit]]
    return PlayPage(page, page[-1][0].id if len(rows) > limit else None)


def held_plays(user_id: int, *, run_id: int | None = None, anilist_id: int | None = None) -> int:
    """Plays that stay off until "send again"."""
    query = select(func.count()).select_from(PlayRow).where(
        PlayRow.user_id == user_id, PlayRow.state.in_(ON_HOLD), PlayRow.held.is_(True)
    )  # fmt: skip
    if run_id is not None:
        query = query.where(PlayRow.run_id == run_id)
    if anilist_id is not None:
        query = query.where(PlayRow.anilist_id == anilist_id)
    return db.session.scalar(query) or 0


def plays_of_entry(user_id: int, anilist_id: int) -> list[PlayRow]:
    query = select(PlayRow).where(PlayRow.user_id == user_id, PlayRow.anilist_id == anilist_id)
    return list(db.session.scalars(query.order_by(PlayRow.nth, PlayRow.episode, PlayRow.id).limit(2000)))


@dataclass(frozen=True)
class Recent:
    """The newest plays of one title."""

    media: Media
    kind: str
    season: int
    first: int
    last: int
    plays: int
    sent_at: datetime


def recent_plays(user_id: int, *, limit: int = 7) -> list[Recent]:
    """The titles of the newest 200 plays, newest first, without private entries' secrets: only what was sent."""
    newest = (
        select(PlayRow.anilist_id, PlayRow.kind, PlayRow.season, PlayRow.number, PlayRow.sent_at)
        .where(PlayRow.user_id == user_id, PlayRow.state == "sent", PlayRow.sent_at.is_not(None))
        .order_by(PlayRow.sent_at.desc(), PlayRow.id.desc())
        .limit(200)
        .subquery()
    )
    grouped = (
        select(
            newest.c.anilist_id, newest.c.kind, newest.c.season, func.min(newest.c.number).label("first"),
            func.max(newest.c.number).label("last"), func.count().label("plays"), func.max(newest.c.sent_at).label("sent_at"),
        )
        .group_by(newest.c.anilist_id, newest.c.kind, newest.c.season)
        .subquery()
    )  # fmt: skip
    query = (
        select(Media, grouped.c.kind, grouped.c.season, grouped.c.first, grouped.c.last, grouped.c.plays, grouped.c.sent_at)
        .join(grouped, grouped.c.anilist_id == Media.anilist_id)
        .order_by(grouped.c.sent_at.desc(), Media.anilist_id)
        .limit(limit)
    )  # fmt: skip
    return [Recent(*row) for row in db.session.execute(query)]
