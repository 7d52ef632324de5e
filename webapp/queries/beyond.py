"""Ratings, watchlist items and dropped shows of runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, select

from webapp.database import unindexed
from webapp.extensions import db
from webapp.models import EXTRA_KINDS, ExtraRow, Media, PlanExtra

MOST = 500  # rows of a page
STATES = {"sent": ("sent",), "hold": ("gone", "removed", "rejected"), "open": ("sending", "removing")}
_ORDER = {kind: place for place, kind in enumerate(EXTRA_KINDS)}


def plan_of(run_id: int) -> list[tuple[PlanExtra, Media | None]]:
    """What a run would send, by kind and title."""
    query = (
        select(PlanExtra, Media)
        .outerjoin(Media, Media.anilist_id == PlanExtra.anilist_id)
        .where(PlanExtra.run_id == run_id)
        .order_by(case(_ORDER, value=PlanExtra.kind), Media.title_romaji, PlanExtra.id)
    )
    return [(row, media) for row, media in db.session.execute(query)]


@dataclass(frozen=True)
class ExtraPage:
    """`extras` newest first; `next` is the id to go on before."""

    extras: Sequence[tuple[ExtraRow, Media | None]]
    next: int | None


def history(
    user_id: int,
    *,
    kind: str = "",
    state: str = "",
    anilist_id: int | None = None,
    run_id: int | None = None,
    before: int | None = None,
    limit: int = 60,
) -> ExtraPage:
    """All that went to Trakt beyond plays, newest first. `state`: sent, hold or open, as of plays."""
    wanted = _wanted(user_id, kind, state, anilist_id, run_id)
    query = select(ExtraRow, Media).outerjoin(Media, Media.anilist_id == ExtraRow.anilist_id).where(*wanted)
    if before is not None:
        query = query.where(ExtraRow.id < before)
    # a title or a run has few, which are sorted; of all the newest are looked through
    in_order = ExtraRow.id if anilist_id is None and run_id is None else unindexed(ExtraRow.id)
    rows = [(row, media) for row, media in db.session.execute(query.order_by(in_order.desc()).limit(limit + 1))]
    return ExtraPage(rows[:limit], rows[limit - 1][0].id if len(rows) > limit else None)


def count(
    user_id: int, *, kind: str = "", state: str = "", anilist_id: int | None = None, run_id: int | None = None
) -> int:
    """How many there are of what `history` lists."""
    query = select(func.count()).select_from(ExtraRow).where(*_wanted(user_id, kind, state, anilist_id, run_id))
    return db.session.scalar(query) or 0


def _wanted(
    user_id: int, kind: str, state: str, anilist_id: int | None, run_id: int | None
) -> Iterator[ColumnElement[bool]]:
    yield (ExtraRow.user_id if anilist_id is not None else unindexed(ExtraRow.user_id)) == user_id
    if kind:
        yield ExtraRow.kind == kind
    if state in STATES:
        yield ExtraRow.state.in_(STATES[state])
    if state == "hold":
        yield ExtraRow.held.is_(True)
    if anilist_id is not None:
        yield ExtraRow.anilist_id == anilist_id
    if run_id is not None:
        yield ExtraRow.run_id == run_id


def held_of(user_id: int, anilist_id: int) -> int:
    """How many of a title are held back until "send again"."""
    query = select(func.count()).select_from(ExtraRow).where(
        ExtraRow.user_id == user_id, ExtraRow.anilist_id == anilist_id, ExtraRow.held.is_(True), ExtraRow.state.in_(STATES["hold"])
    )  # fmt: skip
    return db.session.scalar(query) or 0


def extras_of(run_id: int, *, limit: int = MOST) -> list[tuple[ExtraRow, Media | None]]:
    """What a run has sent, by kind and title; at most `limit`."""
    query = (
        select(ExtraRow, Media)
        .outerjoin(Media, Media.anilist_id == ExtraRow.anilist_id)
        .where(ExtraRow.run_id == run_id)
        .order_by(case(_ORDER, value=ExtraRow.kind), Media.title_romaji, ExtraRow.id)
        .limit(limit)
    )
    return [(row, media) for row, media in db.session.execute(query)]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a run has sent beyond plays: how many, how many stand as they were sent, how many are held back until "send again"."""

    rows: int = 0
    sent: int = 0
    held: int = 0


def standing_of(run_id: int) -> Standing:
    off = ExtraRow.held.is_(True) & ExtraRow.state.in_(STATES["hold"])
    query = select(
        func.count(), func.sum(case((ExtraRow.state == "sent", 1), else_=0)), func.sum(case((off, 1), else_=0))
    )
    rows, sent, held = db.session.execute(query.where(ExtraRow.run_id == run_id)).one()
    return Standing(rows, int(sent or 0), int(held or 0))


def kinds_of(run_id: int, state: str) -> dict[str, int]:
    """How many of a run are in this state, by kind."""
    query = select(ExtraRow.kind, func.count()).where(ExtraRow.run_id == run_id, ExtraRow.state == state)
    return dict(db.session.execute(query.group_by(ExtraRow.kind)).all())
