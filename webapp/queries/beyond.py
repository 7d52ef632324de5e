"""Ratings, watchlist items and dropped shows of runs."""

from __future__ import annotations

from sqlalchemy import case, func, select

from webapp.extensions import db
from webapp.models import EXTRA_KINDS, ExtraRow, Media, PlanExtra

MOST = 500  # rows of a page
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


def extras_of(run_id: int) -> list[tuple[ExtraRow, Media | None]]:
    """What a run has sent, by kind and title; at most `MOST`."""
    query = (
        select(ExtraRow, Media)
        .outerjoin(Media, Media.anilist_id == ExtraRow.anilist_id)
        .where(ExtraRow.run_id == run_id)
        .order_by(case(_ORDER, value=ExtraRow.kind), Media.title_romaji, ExtraRow.id)
        .limit(MOST)
    )
    return [(row, media) for row, media in db.session.execute(query)]


def states_of(run_id: int) -> dict[str, int]:
    """How many of a run are in which state now."""
    query = select(ExtraRow.state, func.count()).where(ExtraRow.run_id == run_id).group_by(ExtraRow.state)
    return dict(db.session.execute(query).all())


def kinds_of(run_id: int, state: str) -> dict[str, int]:
    """How many of a run are in this state, by kind."""
    query = select(ExtraRow.kind, func.count()).where(ExtraRow.run_id == run_id, ExtraRow.state == state)
    return dict(db.session.execute(query.group_by(ExtraRow.kind)).all())


def held(run_id: int) -> int:
    """How many of a run are held back until "send again"."""
    query = select(func.count()).select_from(ExtraRow).where(
        ExtraRow.run_id == run_id, ExtraRow.held.is_(True), ExtraRow.state.in_(("gone", "removed", "rejected"))
    )  # fmt: skip
    return db.session.scalar(query) or 0
