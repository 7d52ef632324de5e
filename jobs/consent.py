"""When a run must ask first (DESIGN 6.6, 6.10)."""

from __future__ import annotations

from statistics import median

from sqlalchemy import select, update

from jobs.runstate import RunContext
from webapp.database import transaction
from webapp.models import Run, User, utcnow

SCHEDULED_BRAKE = 200  # plays
TIMES_USUAL = 10
BY_HAND_BRAKE = 20_000
USUAL_OF = 20  # runs


def must_ask(ctx: RunContext, plays: int) -> str | None:
    """The reason to wait for approval before `plays` are posted, or None. A yes given before counts."""
    if ctx.approved or plays == 0:
        return None
    if not ctx.automated:
        from_preview = ctx.parent_id is not None
        return "over_brake" if plays > BY_HAND_BRAKE and not from_preview else None
    if not is_given(ctx.user_id):
        return "first_run"
    return "over_brake" if plays > max(SCHEDULED_BRAKE, TIMES_USUAL * usual_run(ctx.user_id)) else None


def is_given(user_id: int) -> bool:
    """Whether the person has sent something by hand, or approved it."""
    with transaction(readonly=True) as session:
        return session.scalar(select(User.hand_consent_at).where(User.id == user_id)) is not None


def usual_run(user_id: int) -> float:
    """Median of the plays of the last 20 runs that sent something; 0 without any."""
    with transaction(readonly=True) as session:
        sent = session.scalars(
            select(Run.plays_sent)
            .where(Run.user_id == user_id, Run.plays_sent > 0, Run.mode.not_in(("undo", "move", "repair")))
            .order_by(Run.id.desc())
            .limit(USUAL_OF)
        ).all()
    return float(median(sent)) if sent else 0.0


def note_consent(ctx: RunContext) -> None:
    """A run by hand may post: from now on automated runs of this account need no first approval."""
    if ctx.automated and not ctx.approved:
        return
    with transaction() as session:
        session.execute(
            update(User).where(User.id == ctx.user_id, User.hand_consent_at.is_(None)).values(hand_consent_at=utcnow())
        )
