"""The state machine of a run (DESIGN 7): claimed, alive, parked, ended, taken over.

A run belongs to the worker whose attempt number it carries. Every write here is a conditional UPDATE; when no row
changed, another worker has the run and this one stops at once (`LostClaim`).
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, current_app
from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import aliased

from jobs.errors import Cancelled, LostClaim, Stopping
from jobs.progress import Progress
from jobs.records import to_json
from jobs.said import parts_of, said
from jobs.storing import changed_rows, put_setting
from webapp.config import Config
from webapp.database import transaction
from webapp.models import Log, Run, utcnow

LOGGER = logging.getLogger("tsuzuki.run")
WITHOUT_LOCK = frozenset({"single", "doctor", "readback", "caches"})  # modes that never post
AUTOMATED = frozenset({"cron", "schedule"})
PLAN_LIVES = timedelta(hours=24)
LAST_RUN = "status:sync:last-run"
LAST_RUN_AUTO = "status:sync:last-run-auto"
_STOP = threading.Event()


def ask_to_stop() -> None:
    """The worker was told to end: what runs in this process finishes its open request and is queued again."""
    _STOP.set()


def config() -> Config:
    value: Config = current_app.config["TSUZUKI"]
    return value


@dataclass
class RunContext:
    """One claimed run, as its worker holds it. Made by `claim`; alive inside `with ctx.alive():`."""

    run_id: int
    user_id: int
    attempt: int
    mode: str
    trigger: str  # page, api, cron, schedule
    preview: bool
    anilist_id: int | None
    parent_id: int | None
    options: Mapping[str, Any]
    approved_at: datetime | None
    created_at: datetime
    started_at: datetime
    progress: Progress
    result: dict[str, Any] = field(default_factory=dict)  # what `finish` stores, filled while the run works
    _lost: threading.Event = field(default_factory=threading.Event)

    @property
    def automated(self) -> bool:
        return self.trigger in AUTOMATED

    @property
    def approved(self) -> bool:
        """Whether the person said yes to what this run sends (a yes to another account is no yes to its plays)."""
        return bool(self.options.get("approved")) and self.options.get("approved_reason") != "account_changed"

    def cancelled(self) -> bool:
        """Whether the person asked to cancel. Raises `LostClaim` when another worker has the run."""
        self._check_claim()
        with transaction(readonly=True) as session:
            row = session.execute(
                select(Run.cancel_requested).where(
                    Run.id == self.run_id, Run.attempt == self.attempt, Run.status == "running"
                )
            ).one_or_none()
        if row is None:
            self._lost.set()
        self._check_claim()
        return bool(row and row.cancel_requested)

    def stopping(self) -> bool:
        """Whether this worker was told to end. Raises `LostClaim` when another worker has the run."""
        self._check_claim()
        return _STOP.is_set()

    def check(self) -> None:
        """Between two stages: raises `LostClaim`, `Cancelled` or `Stopping` when the run must not go on."""
        if self.cancelled():
            raise Cancelled(said("cancelled by the person"))
        if self.stopping():
            raise Stopping(said("the worker was told to end"))

    def update(self, **values: Any) -> None:
        """Write columns of this run. Raises `LostClaim` when another worker has it."""
        with transaction() as session:
            changed = changed_rows(session, update(Run).where(*_mine(self)).values(**values))
        if not changed:
            self._lost.set()
            self._check_claim()

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Say every HEARTBEAT_SECONDS, from a thread of its own, that this worker still has the run."""
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - the documented way to hand an app to a thread
        done = threading.Event()
        thread = threading.Thread(target=self._heartbeat, args=(app, done), name=f"run-{self.run_id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _heartbeat(self, app: Flask, done: threading.Event) -> None:
        with app.app_context():
            every = config().HEARTBEAT_SECONDS
            while not done.wait(every) and not self._lost.is_set():
                try:
                    with transaction() as session:
                        beat = update(Run).where(*_mine(self)).values(heartbeat_at=utcnow())
                        changed = changed_rows(session, beat)
                except SQLAlchemyError:
                    # the next beat tries again; a database that stays away lets the run be taken over
                    LOGGER.warning("run %s: heartbeat could not be written", self.run_id, exc_info=True)
                    continue
                if not changed and not done.is_set():
                    self._lost.set()

    def _check_claim(self) -> None:
        if self._lost.is_set():
            raise LostClaim(f"run {self.run_id} was taken over from attempt {self.attempt}")


def _mine(ctx: RunContext) -> tuple[ColumnElement[bool], ...]:
    return Run.id == ctx.run_id, Run.attempt == ctx.attempt, Run.status == "running"


def told(detail: str | None) -> dict[str, Any]:
    """The columns of a run's detail: the sentence, and what it was made of."""
    if detail is None:
        return {"detail": None, "detail_said": None}
    return {"detail": str(detail), "detail_said": parts_of(detail)}


def lock_key(user_id: int) -> str:
    """The name of a person's writer's lock."""
    return f"trakt:{user_id}"


def writes(mode: str, *, preview: bool) -> bool:
    """Whether a run of this kind may post, and so needs the writer's lock."""
    return not preview and mode not in WITHOUT_LOCK


def claim(run_id: int) -> RunContext | None:
    """Take a queued run, or a waiting one whose time has come. None when somebody else has it or must go first.

    A run that writes takes the writer's lock of its account in the same UPDATE. It stays queued while another run
    holds the lock, and while an older queued run of the account that writes has not had its turn.
    """
    now = utcnow()
    with transaction(readonly=True) as session:
        run = session.get(Run, run_id, populate_existing=True)
    if run is None:
        return None
    key = lock_key(run.user_id) if writes(run.mode, preview=run.preview) else None
    ready = or_(Run.status == "queued", and_(Run.status == "waiting", Run.resume_at <= now))
    condition: list[ColumnElement[bool]] = [Run.id == run_id, ready]
    if key:
        condition.append(_free_for(run, key))
    values: dict[str, Any] = {
        "status": "running",
        "attempt": Run.attempt + 1,
        "lock_key": key,
        "started_at": func.coalesce(Run.started_at, now),
        "heartbeat_at": now,
        "batch_deadline": None,
        "resume_at": None,
        "reason": None,
        **told(None),
        "worker": f"{socket.gethostname()}:{os.getpid()}",
    }
    try:
        with transaction() as session:
            if not changed_rows(session, update(Run).where(*condition).values(**values)):
                return None
            run = session.get_one(Run, run_id, populate_existing=True)
            lines = session.scalar(select(func.count()).select_from(Log).where(Log.run_id == run_id)) or 0
    except IntegrityError:
        return None  # another run took the lock between our look and our UPDATE
    return RunContext(
        run_id=run.id,
        user_id=run.user_id,
        attempt=run.attempt,
        mode=run.mode,
        trigger=run.trigger,
        preview=run.preview,
        anilist_id=run.anilist_id,
        parent_id=run.parent_id,
        options=dict(run.options or {}),
        approved_at=run.approved_at,
        created_at=run.created_at,
        started_at=run.started_at or now,
        progress=Progress(run.id, run.user_id, run.attempt, lines=lines),
    )


def _free_for(run: Run, key: str) -> ColumnElement[bool]:
    """No other run holds the lock, and no older run that writes is queued before this one."""
    other = aliased(Run)
    holder = select(other.id).where(other.lock_key == key, other.id != run.id)
    older = select(other.id).where(
        other.user_id == run.user_id,
        other.id < run.id,
        other.status == "queued",
        other.preview.is_(False),
        other.mode.not_in(WITHOUT_LOCK),
        other.cancel_requested.is_(False),
    )
    return and_(~holder.exists(), ~older.exists())


def finish(
    ctx: RunContext,
    status: str,
    reason: str | None = None,
    detail: str | None = None,
    result: Mapping[str, Any] | None = None,
) -> None:
    """End the run: succeeded, partial, failed or cancelled. Releases the lock and notes the time of the sync.

    Raises `LostClaim` when another worker has the run.
    """
    now = utcnow()
    _leave(ctx, status, reason, detail, result, finished_at=now)
    with transaction() as session:
        for key, moment in _status_keys(ctx, status, now).items():
            put_setting(session, ctx.user_id, key, to_json(moment))


def _status_keys(ctx: RunContext, status: str, now: datetime) -> dict[str, datetime]:
    """The reference app's keys. An automated run leaves its start, whatever came of it: the gate counts from there."""
    if ctx.preview or ctx.mode not in ("full", "completed", "watching"):
        return {}
    if ctx.automated:
        return {LAST_RUN_AUTO: ctx.started_at}
    if status not in ("succeeded", "partial"):
        return {}
    keys = {LAST_RUN: now}
    if ctx.mode != "full":
        keys[f"status:sync:{ctx.mode}:last-run"] = now
    return keys


def park(ctx: RunContext, reason: str, resume_at: datetime, detail: str | None = None) -> None:
    """Wait without a worker until `resume_at`; the lock is kept. Raises `LostClaim`."""
    ctx.progress.flush()
    ctx.update(status="waiting", reason=reason, **told(detail), resume_at=resume_at, batch_deadline=None, crashes=0)


def requeue(ctx: RunContext) -> None:
    """Back to the queue, for the next worker. Raises `LostClaim`."""
    ctx.progress.flush()
    ctx.update(status="queued", lock_key=None, batch_deadline=None)


def needs_approval(
    ctx: RunContext, reason: str, detail: str | None = None, result: Mapping[str, Any] | None = None
) -> None:
    """Stop until the person approves. Holds no lock; an earlier run of this mode that waits so is replaced.

    Raises `LostClaim`.
    """
    _leave(ctx, "needs_approval", reason, detail, result, plan_expires_at=utcnow() + PLAN_LIVES)
    with transaction() as session:
        earlier = update(Run).where(
            Run.user_id == ctx.user_id,
            Run.mode == ctx.mode,
            Run.preview == ctx.preview,
            Run.anilist_id.is_(None) if ctx.anilist_id is None else Run.anilist_id == ctx.anilist_id,
            Run.status == "needs_approval",
            Run.id != ctx.run_id,
        )
        session.execute(
            earlier.values(
                status="cancelled",
                reason="approval_expired",
                **told(said("Run %(id)s has a newer plan.", id=str(ctx.run_id))),
                finished_at=utcnow(),
            )
        )


def _leave(
    ctx: RunContext,
    status: str,
    reason: str | None,
    detail: str | None,
    result: Mapping[str, Any] | None,
    **more: Any,
) -> None:
    ctx.progress.flush()
    values: dict[str, Any] = {"status": status, "reason": reason, **told(detail), "lock_key": None, **more}
    if result is not None:
        values["result"] = dict(result)
    ctx.update(batch_deadline=None, **values)
