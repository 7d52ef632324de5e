"""When an automated run is due: the gate of `/cron` and the interval of `SCHEDULE`.

Both count from the start of the account's last automated run, whichever door started it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from flask import current_app
from sqlalchemy import and_, func, not_, or_, select

from webapp import enqueue, runs
from webapp.extensions import db
from webapp.models import OPEN, Connection, Run, SystemConfig, User

Door = Literal["cron", "schedule"]

AUTOMATED: Final = ("cron", "schedule")
GRACE: Final = timedelta(minutes=10)  # a scheduler that calls every 6 hours gets four runs a day
AFTER_FAILURE: Final = timedelta(minutes=30)
PAUSE: Final = "pause:until"  # of the instance, in system_config
_NO_CHECK: Final = ("single", "doctor", "readback", "caches")


@dataclass(frozen=True, slots=True)
class Gate:
    """`reason` when not due: off, paused, not_connected, open_run, too_soon. Times are aware UTC."""

    due: bool
    reason: str | None
    last_run: datetime | None
    next_run: datetime | None


def gate(user: User, door: Door, now: datetime, *, session: Any = None) -> Gate:
    """Whether an automated run of this person may start through `door` now. Reads only."""
    session = session or db.session
    every = _interval(door)
    last = _last_automated(session, user.id, door)
    began = _start_of(last) if last else None
    opens = _opens(last, every, door) if last and every is not None else now
    if every is None:
        return Gate(False, "off", began, None)
    pause = max((until for until in (user.paused_until, instance_pause(session)) if until is not None), default=now)
    if pause > now:
        return Gate(False, "paused", began, max(opens, pause))
    if not _connected(session, user.id):
        return Gate(False, "not_connected", began, None)
    if _has_open_run(session, user.id):
        return Gate(False, "open_run", began, max(opens, now))
    if opens > now:
        return Gate(False, "too_soon", began, opens)
    return Gate(True, None, began, now)


def instance_pause(session: Any = None) -> datetime | None:
    """Until when an administrator has paused the checks of everybody on this instance."""
    query = select(SystemConfig.value).where(SystemConfig.user_id.is_(None), SystemConfig.key == PAUSE)
    value: str | None = (session or db.session).scalar(query)
    return datetime.fromisoformat(value) if value else None


def start_due(now: datetime, door: Door) -> list[Run]:
    """Start a run of mode `full` for every person whose gate is open. Two calls at once start one run each."""
    if _interval(door) is None:
        return []
    started: list[Run] = []
    with runs.own_transaction() as session:
        people = list(session.scalars(select(User.id).order_by(User.id)))
    for user_id in people:
        with runs.own_transaction() as session:
            user = runs.lock_user(session, user_id)
            if not gate(user, door, now, session=session).due:
                continue
            made = runs.create(session, user_id, "full", door, options={})
        if not made.joined:
            started.append(made.run)
            enqueue.run(made.run)
    return started


def _interval(door: Door) -> timedelta | None:
    """The time between two starts; None when `SCHEDULE` is off."""
    config = current_app.config["TSUZUKI"]
    if door == "cron":
        return timedelta(hours=config.CRON_MIN_HOURS)
    return timedelta(seconds=config.SCHEDULE) if config.SCHEDULE else None


def _opens(last: Run, every: timedelta, door: Door) -> datetime:
    """Our own clock needs no grace: with it a schedule of 15 minutes would run every five."""
    began = _start_of(last)
    opens = began + every - (GRACE if door == "cron" else timedelta())
    if last.status == "failed":
        return min(opens, (last.finished_at or began) + AFTER_FAILURE)
    return opens


def _start_of(run: Run) -> datetime:
    return run.started_at or run.created_at


def _last_automated(session: Any, user_id: int, door: Door) -> Run | None:
    """One that awaits approval has done nothing yet and does not close the gate of `/cron`.

    The schedule counts it all the same, or the tick would make a new plan every few seconds.
    """
    unapproved = or_(Run.status == "needs_approval", and_(Run.status == "cancelled", Run.reason == "approval_expired"))
    conditions = [Run.user_id == user_id, Run.trigger.in_(AUTOMATED), Run.preview.is_(False)]
    if door == "cron":
        conditions.append(not_(func.coalesce(unapproved, False)))
    found: Run | None = session.scalar(select(Run).where(*conditions).order_by(Run.id.desc()).limit(1))
    return found


def _has_open_run(session: Any, user_id: int) -> bool:
    query = select(Run.id).where(
        Run.user_id == user_id, Run.status.in_(OPEN), Run.preview.is_(False), Run.mode.not_in(_NO_CHECK)
    )
    return session.scalar(query.limit(1)) is not None


def _connected(session: Any, user_id: int) -> bool:
    """Both ends were connected once; a broken one still runs, and its failed run says what to do."""
    services = set(
        session.scalars(
            select(Connection.service).where(Connection.user_id == user_id, Connection.state != "disconnected")
        )
    )
    return {"anilist", "trakt"} <= services
