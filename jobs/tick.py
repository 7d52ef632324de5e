"""What nobody asked for but must happen: every TICK_SECONDS, by one process at a time.

Each step stands for itself: one that fails is logged with its name and the others go on. No step talks to an outside
service; what needs one is put on a queue.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from flask import Flask
from sqlalchemy import delete, func, or_, select, update

from jobs import refresh, runstate, takeover
from jobs.said import said
from jobs.storing import changed_rows
from webapp import enqueue, expiry, runs, schedule, tokens
from webapp.config import Config
from webapp.database import transaction, upsert
from webapp.models import Connection, ImportDraft, Lease, Log, OAuthFlow, PlanExtra, PlanItem, Run, TraktPicture, utcnow

LOG = logging.getLogger("tsuzuki.tick")

LEASE: Final = "tick"
APPROVAL: Final = timedelta(hours=24)
CHECK_AGAIN: Final = timedelta(hours=1)  # after a check that brought no answer
REFRESH_AGAIN: Final = timedelta(minutes=10)  # after a token could not be renewed
TIDY_EVERY: Final = 3600.0  # seconds
KEEP_LOGS: Final = timedelta(days=30)
KEEP_DRAFTS: Final = timedelta(days=1)
MOST_LOGS: Final = 200_000
AT_ONCE: Final = 100  # rows that one step looks at

Step = Callable[[datetime], None]


class Tick:
    """Holds the lease and takes the steps. `clock` is for tests."""

    def __init__(self, app: Flask, *, clock: Callable[[], datetime] = utcnow) -> None:
        self.app = app
        self.clock = clock
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._tidied = float("-inf")
        self._tried: dict[tuple[str, int], datetime] = {}

    @property
    def config(self) -> Config:
        value: Config = self.app.config["TSUZUKI"]
        return value

    @property
    def steps(self) -> dict[str, Step]:
        """In this order: what is dead is put back before the queue is filled."""
        return {
            "take over dead runs": take_over_dead,
            "expire approvals": expire_approvals,
            "start scheduled runs": start_scheduled,
            "wake waiting runs": wake_waiting,
            "enqueue queued runs": enqueue_queued,
            "refresh tokens": self.refresh_tokens,
            "warn of sign-ins that end": expiry.warn,
            "check connections": self.check_connections,
            "refresh caches": refresh_caches,
            "read back": read_back,
            "tidy up": self.tidy,
        }

    def run(self, ending: threading.Event) -> None:
        """Until `ending` is set; then the lease is given back."""
        while not ending.is_set():
            with self.app.app_context():
                self.once(ending)
            ending.wait(self.config.TICK_SECONDS)
        with self.app.app_context():
            self._step("give the lease back", self._give_back)

    def once(self, ending: threading.Event | None = None) -> bool:
        """All steps, if the lease is ours. False when another process holds it, or the database is away."""
        held: list[bool] = []
        self._step("take the lease", lambda now: held.append(take_lease(self.holder, now, self._lease_seconds())))
        if not any(held):
            return False
        for name, step in self.steps.items():
            if ending is not None and ending.is_set():
                break
            self._step(name, step)
        return True

    def _step(self, name: str, step: Step) -> None:
        try:
            step(self.clock())
        except Exception:  # the next step and the next tick must come whatever this one met
            LOG.exception("step %r failed", name)

    def _lease_seconds(self) -> float:
        return float(self.config.TICK_SECONDS) * 1.5 + 5

    def _give_back(self, now: datetime) -> None:
        with transaction() as session:
            session.execute(update(Lease).where(Lease.name == LEASE, Lease.holder == self.holder).values(until=now))

    def check_connections(self, now: datetime) -> None:
        """Who an account is and what it may do is asked once a day."""
        for connection_id in tokens.due_checks(now):
            self._ask(("check", connection_id), now, CHECK_AGAIN, enqueue.connection_check)

    def refresh_tokens(self, now: datetime) -> None:
        """Tokens with less than a day left."""
        with transaction(readonly=True) as session:
            ids = {
                (user_id, service): connection_id
                for connection_id, user_id, service in session.execute(
                    select(Connection.id, Connection.user_id, Connection.service)
                )
            }
        for user_id, service in tokens.due_refreshes(now):
            connection_id = ids.get((user_id, service))
            if connection_id is not None:
                self._ask(("token", connection_id), now, REFRESH_AGAIN, enqueue.token_refresh)

    def _ask(self, what: tuple[str, int], now: datetime, pause: timedelta, put: Callable[[int], bool]) -> None:
        """Put a job about `what` on its queue, unless one was put there within `pause`."""
        tried = self._tried.get(what)
        if (tried is None or now - tried >= pause) and put(what[1]):
            self._tried[what] = now

    def tidy(self, now: datetime) -> None:
        """Once an hour: plans that have run out, old log lines, sign-ins that were never finished."""
        if time.monotonic() - self._tidied < TIDY_EVERY:
            return
        self._tidied = time.monotonic()
        tidy_up(now)


def take_lease(holder: str, now: datetime, seconds: float) -> bool:
    """Hold the tick's lease for so many seconds, or renew it. False when another process holds it."""
    until = now + timedelta(seconds=seconds)
    with transaction() as session:
        first = upsert(Lease).values(name=LEASE, holder=holder, until=until)
        session.execute(first.on_conflict_do_nothing(index_elements=["name"]))
        mine = or_(Lease.holder == holder, Lease.until <= now)
        return bool(
            changed_rows(session, update(Lease).where(Lease.name == LEASE, mine).values(holder=holder, until=until))
        )


def take_over_dead(now: datetime) -> None:
    """Runs whose worker is gone go back into the queue, those that may be sending something when that is over."""
    for run_id in takeover.notice(now):
        LOG.warning("run %d lost its worker", run_id)
    for run in takeover.dead_runs(now):
        if takeover.take_over(run, now):
            LOG.warning("run %d goes on with another worker", run.id)


def expire_approvals(now: datetime) -> None:
    """A plan that nobody approved within 24 hours, or that a later run of its mode has replaced, is cancelled."""
    with transaction() as session:
        for run in session.scalars(select(Run).where(Run.status == "needs_approval").limit(AT_ONCE)).all():
            expires = run.plan_expires_at or run.created_at + APPROVAL
            newer = runs.newer_plan(session, run)
            if newer is None and expires > now:
                continue
            session.execute(
                update(Run)
                .where(Run.id == run.id, Run.status == "needs_approval")
                .values(
                    status="cancelled",
                    reason="approval_expired",
                    **runstate.told(said("Run %(id)s has a newer plan.", id=str(newer)) if newer else None),
                    finished_at=now,
                )
            )


def start_scheduled(now: datetime) -> None:
    schedule.start_due(now, "schedule")


def wake_waiting(now: datetime) -> None:
    """A waiting run keeps its lock and is claimed as it is, once its time has come."""
    with transaction(readonly=True) as session:
        due = session.scalars(
            select(Run).where(Run.status == "waiting", Run.resume_at <= now).order_by(Run.id).limit(AT_ONCE)
        ).all()
    for run in due:
        enqueue.run(run)


def enqueue_queued(_now: datetime) -> None:
    """Every queued run has a living job, except those that could not be claimed now anyway."""
    with transaction(readonly=True) as session:
        queued = session.scalars(
            select(Run).where(Run.status == "queued", Run.cancel_requested.is_(False)).order_by(Run.id).limit(AT_ONCE)
        ).all()
        locked = set(session.scalars(select(Run.lock_key).where(Run.lock_key.is_not(None))))
    for run in queued:
        if not (runstate.writes(run.mode, preview=run.preview) and runstate.lock_key(run.user_id) in locked):
            enqueue.run(run)


def refresh_caches(now: datetime) -> None:
    for source_number in refresh.due_sources(now):
        enqueue.cache(source_number)
    for list_id in refresh.due_lists(now):
        enqueue.mapping_list(list_id)


def read_back(now: datetime) -> None:
    """Pictures that a posting run left behind are read once more when Trakt's reads have caught up."""
    with transaction(readonly=True) as session:
        due = session.scalars(select(TraktPicture.id).where(TraktPicture.read_again_at <= now).limit(AT_ONCE)).all()
    for picture_id in due:
        enqueue.readback(picture_id)


def tidy_up(now: datetime) -> None:
    """In short transactions, so that no writer waits long."""
    with transaction(readonly=True) as session:
        newest = session.scalar(select(func.max(Log.id))) or 0
        old = session.scalar(select(func.max(Log.id)).where(Log.created_at < now - KEEP_LOGS)) or 0
        ended = session.scalars(
            select(Run.id).where(
                Run.plan_expires_at < now, Run.status.in_(("succeeded", "partial", "failed", "cancelled"))
            )
        ).all()
        plans = {
            table: set(session.scalars(select(table.run_id).distinct())) & set(ended) for table in (PlanItem, PlanExtra)
        }
    for table, run_ids in plans.items():
        for run_id in sorted(run_ids):
            with transaction() as session:
                session.execute(delete(table).where(table.run_id == run_id))
    with transaction() as session:
        session.execute(delete(Log).where(Log.id <= max(old, newest - MOST_LOGS)))
    with transaction() as session:
        session.execute(delete(OAuthFlow).where(OAuthFlow.expires_at < now))
        session.execute(delete(ImportDraft).where(ImportDraft.created_at < now - KEEP_DRAFTS))
