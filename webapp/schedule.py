"""When an automated run is due: the gate of `/cron` and the interval of `SCHEDULE`.

Both count from the start of the account's last automated run, whichever door started it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
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
    return _gate(_Facts(user, session or db.session), door, now)


def gates(user: User, now: datetime) -> dict[str, Gate]:
    """Both doors; what they have in common is read once."""
    facts = _Facts(user, db.session)
    return {"cron": _gate(facts, "cron", now), "schedule": _gate(facts, "schedule", now)}


class _Facts:
    """What the gates of one person depend on, read where it is asked for."""

    def __init__(self, user: User, session: Any) -> None:
        self.user = user
        self.session = session

    def last(self, door: Door) -> Run | None:
        """One that awaits approval has done nothing yet and does not close the gate of `/cron`.

        The schedule counts it all the same, or the tick would make a new plan every few seconds.
        """
        newest = self.newest
        if door == "schedule" or newest is None or not _unapproved(newest):
            return newest
        unapproved = or_(
            Run.status == "needs_approval", and_(Run.status == "cancelled", Run.reason == "approval_expired")
        )
        return _newest_automated(self.session, self.user.id, not_(func.coalesce(unapproved, False)))

    @cached_property
    def newest(self) -> Run | None:
        return _newest_automated(self.session, self.user.id)

    @cached_property
    def pause(self) -> datetime | None:
        """Until when, the person's own or everybody's."""
        return max((until for until in (self.user.paused_until, instance_pause(self.session)) if until), default=None)

    @cached_property
    def connected(self) -> bool:
        return _connected(self.session, self.user.id)

    @cached_property
    def has_open_run(self) -> bool:
        return _has_open_run(self.session, self.user.id)


def _gate(facts: _Facts, door: Door, now: datetime) -> Gate:
    every = _interval(door)
    last = facts.last(door)
    began = _start_of(last) if last else None
    opens = _opens(last, every, door) if last and every is not None else now
    if every is None:
        return Gate(False, "off", began, None)
    if facts.pause and facts.pause > now:
        return Gate(False, "paused", began, max(opens, facts.pause))
    if not facts.connected:
        return Gate(False, "not_connected", began, None)
    if facts.has_open_run:
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


def _unapproved(run: Run) -> bool:
    return run.status == "needs_approval" or (run.status == "cancelled" and run.reason == "approval_expired")


def _newest_automated(session: Any, user_id: int, *more: Any) -> Run | None:
    query = select(Run).where(Run.user_id == user_id, Run.trigger.in_(AUTOMATED), Run.preview.is_(False), *more)
    found: Run | None = session.scalar(query.order_by(Run.id.desc()).limit(1))
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
