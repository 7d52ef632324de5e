"""Runs whose worker has vanished: noticed by its silence, taken over when nothing of it can be under way any more.

A worker says every HEARTBEAT_SECONDS that it lives. One that was silent for TAKEOVER_SECONDS has vanished, or hangs, or
cannot reach the database; which of these, nobody can know. So its run waits until the deadline of the POST that it may
have open, and goes back into the queue; should the worker come back, it finds that it has lost the run.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update

from jobs.runstate import config, told
from jobs.said import joined, parts_of, said
from jobs.storing import changed_rows
from webapp.database import transaction
from webapp.models import Log, Run, utcnow

MAX_CRASHES = 5


def notice(now: datetime) -> list[int]:
    """Forget the workers of running runs that have fallen silent, and say so in the log of each run, once.

    Returns the ids of these runs. A run whose open POST may still land is not taken over yet, but nobody has it.
    """
    with transaction(readonly=True) as session:
        silent = session.scalars(select(Run).where(*_silent(now), Run.worker.is_not(None)).order_by(Run.id)).all()
    return [run.id for run in silent if _notice(run, now)]


def _notice(run: Run, now: datetime) -> bool:
    until = run.batch_deadline
    line = said(
        "The worker of this run (%(worker)s) has not been heard of since %(time)s UTC.",
        worker=run.worker or "?",
        time=f"{run.heartbeat_at:%H:%M:%S}",
    )
    if until is not None and until >= now:
        then = said(
            "What it was sending may still arrive until %(time)s UTC; then another worker goes on.",
            time=f"{until:%H:%M:%S}",
        )
        line = joined(line, then)
    with transaction() as session:
        theirs = (Run.id == run.id, Run.attempt == run.attempt, Run.worker == run.worker, *_silent(now))
        if not changed_rows(session, update(Run).where(*theirs).values(worker=None)):
            return False
        session.add(
            Log(
                user_id=run.user_id,
                run_id=run.id,
                level="warning",
                message=str(line),
                said=parts_of(line),
                created_at=now,
            )
        )
    return True


def dead_runs(now: datetime) -> list[Run]:
    """Running runs whose worker has not been heard of for TAKEOVER_SECONDS and whose open POST can no longer land."""
    with transaction(readonly=True) as session:
        query = select(Run).where(*_dead(now)).order_by(Run.id)
        return list(session.scalars(query.execution_options(populate_existing=True)))


def _silent(now: datetime) -> tuple[ColumnElement[bool], ...]:
    cutoff = now - timedelta(seconds=config().TAKEOVER_SECONDS)
    return Run.status == "running", or_(Run.heartbeat_at.is_(None), Run.heartbeat_at < cutoff)


def _dead(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return *_silent(now), or_(Run.batch_deadline.is_(None), Run.batch_deadline < now)


def take_over(run: Run, now: datetime | None = None) -> bool:
    """Put a dead run back into the queue; after too many crashes it fails (`worker_lost`). False: it lives after all.

    The attempt number rises with the next claim; a ghost that wakes up meanwhile finds the run not `running`.
    """
    now = now or utcnow()
    dead = (Run.id == run.id, Run.attempt == run.attempt, *_dead(now))
    values: dict[str, Any] = {"crashes": Run.crashes + 1, "lock_key": None, "batch_deadline": None, "worker": None}
    if run.crashes >= MAX_CRASHES:
        values |= {
            "status": "partial" if run.plays_sent else "failed",
            "reason": "worker_lost",
            **told(said("Its worker vanished %(count)s times.", count=run.crashes + 1)),
            "finished_at": now,
        }
    else:
        values |= {"status": "queued"}
    with transaction() as session:
        return bool(changed_rows(session, update(Run).where(*dead).values(**values)))
