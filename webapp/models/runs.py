"""Runs: one execution of a sync each, with its plan, its items and its log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.base import Json, JsonOrNull, UtcDateTime, bigint, now, pk, short, text

OPEN = ("queued", "running", "waiting")
RUN_STATES = (*OPEN, "needs_approval", "succeeded", "partial", "failed", "cancelled")
MODES = ("full", "completed", "watching", "title", "single", "undo", "move", "doctor", "repair", "readback", "caches")


class Run(Base):
    """`lock_key` is set while the run is `running` or `waiting` and may write; its index is the writer's lock."""

    __tablename__ = "runs"

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    mode: Mapped[short]
    trigger: Mapped[short]  # page, api, cron, schedule
    preview: Mapped[bool] = mapped_column(default=False)  # stops at the stored plan, takes no lock
    anilist_id: Mapped[int | None] = mapped_column(BigInteger)  # mode title and single
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))  # preview that is sent; run that is undone
    options: Mapped[Any] = mapped_column(
        Json, default=dict
    )  # {"entries": [ticked ids] | null, "force": bool, "date_rule": str | null, "approved": bool}
    status: Mapped[short] = mapped_column(default="queued")
    reason: Mapped[short | None]
    detail: Mapped[text | None]  # why, in English, without secrets
    detail_said: Mapped[Any | None] = mapped_column(JsonOrNull)  # the same as `jobs.said.parts_of` gives it, for pages
    resume_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    phase: Mapped[short | None]
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    result: Mapped[Any] = mapped_column(Json, default=dict)  # reference fields and counts
    plays_planned: Mapped[int] = mapped_column(default=0)
    plays_sent: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    crashes: Mapped[int] = mapped_column(default=0)  # times it was taken over from a worker that vanished
    lock_key: Mapped[short | None]
    worker: Mapped[text | None]  # host:pid of the one that runs it
    heartbeat_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    batch_deadline: Mapped[datetime | None] = mapped_column(UtcDateTime())  # until when an open POST may still land
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    undone_by: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[now]
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    plan_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime())

    __table_args__ = (
        Index("uq_runs_lock", "lock_key", unique=True, sqlite_where=sql("lock_key IS NOT NULL"), postgresql_where=sql("lock_key IS NOT NULL")),
        Index("ix_runs_user", "user_id", "id"),
        Index("ix_runs_open", "status", "id"),
        Index("ix_runs_state", "user_id", "status", "id"),
        CheckConstraint("status IN ('queued','running','waiting','needs_approval','succeeded','partial','failed','cancelled')", name="status"),
        CheckConstraint("lock_key IS NULL OR status IN ('running','waiting')", name="lock"),
    )  # fmt: skip


class RunItem(Base):
    """What happened to one entry in one run: one row per entry that was sent, refused, waits or needs the person."""

    __tablename__ = "run_items"

    id: Mapped[pk]
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    anilist_id: Mapped[bigint]
    outcome: Mapped[
        short
    ]  # sent, sent_in_part, refused, waiting, needs_you, no_match, shared_with, already_on_trakt, misplaced, left_out, held, removed
    reason: Mapped[short | None]  # a value of jobs.records.Reason
    wanted: Mapped[int] = mapped_column(default=0)  # plays
    sent: Mapped[int] = mapped_column(default=0)
    already: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    detail: Mapped[Any] = mapped_column(Json, default=dict)

    __table_args__ = (
        Index("uq_run_items_entry", "run_id", "anilist_id", unique=True),
        Index("ix_run_items_entry", "user_id", "anilist_id", "run_id"),
    )


class PlanItem(Base):
    """One play that a run would post; a plan is data. Lives 24 hours."""

    __tablename__ = "plan_items"

    id: Mapped[pk]
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    anilist_id: Mapped[bigint]
    episode: Mapped[int]
    nth: Mapped[int] = mapped_column(default=1)
    kind: Mapped[short]  # episode, movie
    trakt_id: Mapped[bigint]
    season: Mapped[int] = mapped_column(default=0)
    number: Mapped[int] = mapped_column(default=0)
    target_nth: Mapped[int] = mapped_column(default=1)
    before: Mapped[int] = mapped_column(default=0)
    watched_at: Mapped[datetime | None] = mapped_column(UtcDateTime())  # None: unknown
    date_source: Mapped[short]  # activity, completed, updated, planned, released, unknown, evenly, now, force

    __table_args__ = (Index("uq_plan_items_source", "run_id", "anilist_id", "episode", "nth", unique=True),)


class Log(Base):
    __tablename__ = "logs"

    id: Mapped[pk]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    level: Mapped[str] = mapped_column(String(8))  # debug, info, warning, error
    message: Mapped[text]  # in English
    said: Mapped[Any | None] = mapped_column(JsonOrNull)  # the same as `jobs.said.parts_of` gives it, for pages
    created_at: Mapped[now]

    __table_args__ = (
        Index("ix_logs_user", "user_id", "id"),
        Index("ix_logs_run", "run_id", "id"),
        Index("ix_logs_level", "level", "id", "user_id"),
    )


class RequestCount(Base):
    """Requests that left the process, by run and service, and how long they waited for their turn."""

    __tablename__ = "request_counts"

    id: Mapped[pk]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    service: Mapped[short]
    requests: Mapped[int] = mapped_column(default=0)
    waited_ms: Mapped[int] = mapped_column(default=0)

    __table_args__ = (Index("uq_request_counts_run", "run_id", "service", unique=True),)


class Lease(Base):
    """One holder at a time: the tick, a cache refresh. Taken by a conditional UPDATE."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[text]
    until: Mapped[datetime] = mapped_column(UtcDateTime())
