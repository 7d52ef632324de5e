"""The tick: dead runs, waiting runs, schedules, approvals, caches; one holder; one step never harms the next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import select, update

from jobs import tick
from webapp import enqueue
from webapp.config import Config
from webapp.extensions import db
from webapp.models import Connection, Log, OAuthFlow, PlanExtra, PlanItem, Run, TraktPicture, User, utcnow

HOUR = timedelta(hours=1)
NOW = utcnow()


@pytest.fixture
def config(config: Config, redis_url: str) -> Config:
    return config.replace(REDIS_URL=redis_url, SCHEDULE=3600)


@pytest.fixture
def redis(app: Flask, redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client
    if (own := app.extensions.get("tsuzuki_redis")) is not None:
        own.close()


def jobs_of(redis: Redis, queue: str) -> list[str]:
    ids: list[str] = Queue(queue, connection=redis, serializer=JSONSerializer).job_ids
    return ids


def add(user: User, **values: Any) -> Run:
    run = Run(**({"user_id": user.id, "mode": "full", "trigger": "page", "created_at": NOW} | values))
    db.session.add(run)
    db.session.commit()
    return run


def reread(run: Run) -> Run:
    db.session.commit()
    found = db.session.get_one(Run, run.id, populate_existing=True)
    db.session.commit()
    return found


def ticking(app: Flask, now: datetime = NOW) -> tick.Tick:
    return tick.Tick(app, clock=lambda: now)


def test_queued_runs_get_a_job(app: Flask, user: User, redis: Redis) -> None:
    run = add(user, status="queued")
    assert ticking(app).once()
    assert jobs_of(redis, "sync") == [f"run-{run.id}-1"]


def test_a_run_behind_the_lock_of_another_waits_without_a_job(app: Flask, user: User, redis: Redis) -> None:
    add(user, status="running", lock_key=f"trakt:{user.id}", heartbeat_at=NOW)
    behind = add(user, status="queued", mode="completed")
    preview = add(user, status="queued", mode="completed", preview=True)
    ticking(app).once()
    assert jobs_of(redis, "sync") == []
    assert jobs_of(redis, "refresh")[0] == f"run-{preview.id}-1"
    assert reread(behind).status == "queued"


def test_a_waiting_run_is_woken_when_its_time_has_come(app: Flask, user: User, redis: Redis) -> None:
    run = add(user, status="waiting", lock_key=f"trakt:{user.id}", attempt=2, resume_at=NOW + timedelta(seconds=5))
    ticking(app).once()
    assert jobs_of(redis, "sync") == []
    ticking(app, NOW + timedelta(seconds=6)).steps["wake waiting runs"](NOW + timedelta(seconds=6))
    assert jobs_of(redis, "sync") == [f"run-{run.id}-3"]


def test_a_dead_run_is_taken_over_and_gets_a_new_job(app: Flask, user: User, redis: Redis) -> None:
    run = add(user, status="running", lock_key=f"trakt:{user.id}", attempt=1, heartbeat_at=NOW - timedelta(minutes=5))
    ticking(app).once()
    assert (reread(run).status, reread(run).lock_key) == ("queued", None)
    assert jobs_of(redis, "sync") == [f"run-{run.id}-2"]


def test_a_dead_run_whose_post_may_still_land_is_left_alone(app: Flask, user: User, redis: Redis) -> None:
    run = add(
        user,
        status="running",
        lock_key=f"trakt:{user.id}",
        heartbeat_at=NOW - timedelta(minutes=5),
        batch_deadline=NOW + timedelta(seconds=30),
    )
    ticking(app).once()
    assert reread(run).status == "running"


def test_the_schedule_starts_a_run(app: Flask, user: User, redis: Redis) -> None:
    for service in ("anilist", "trakt"):
        db.session.add(Connection(user_id=user.id, service=service, state="connected", checked_at=NOW))
    db.session.commit()
    ticking(app).once()
    (run,) = db.session.scalars(select(Run))
    assert (run.trigger, run.mode, run.status) == ("schedule", "full", "queued")
    assert jobs_of(redis, "sync") == [f"run-{run.id}-1"]


def test_an_approval_expires_after_a_day(app: Flask, user: User, redis: Redis) -> None:
    old = add(user, status="needs_approval", reason="first_run", created_at=NOW - 25 * HOUR)
    young = add(user, status="needs_approval", reason="over_brake", mode="completed", created_at=NOW - HOUR)
    ticking(app).once()
    assert (reread(old).status, reread(old).reason) == ("cancelled", "approval_expired")
    assert reread(young).status == "needs_approval"


def test_an_approval_is_replaced_by_a_later_run_of_its_mode(app: Flask, user: User, redis: Redis) -> None:
    old = add(user, status="needs_approval", reason="first_run")
    newer = add(user, status="succeeded")
    ticking(app).once()
    assert (reread(old).status, reread(old).detail) == ("cancelled", f"Run {newer.id} has a newer plan.")


def test_empty_caches_are_filled(app: Flask, user: User, redis: Redis) -> None:
    ticking(app).once()
    assert jobs_of(redis, "refresh") == ["cache-otaku", "cache-fribbs", "cache-anime_lists"]


def test_a_picture_that_is_due_is_read_back(app: Flask, user: User, redis: Redis) -> None:
    for account, due in (("a", NOW - HOUR), ("b", NOW + HOUR), ("c", None)):
        db.session.add(
            TraktPicture(
                user_id=user.id, account_id=account, began_at=NOW, finished_at=NOW, activities={}, content=b"",
                read_again_at=due,
            )
        )  # fmt: skip
    db.session.commit()
    first = db.session.scalar(select(TraktPicture.id).where(TraktPicture.account_id == "a"))
    db.session.commit()
    ticking(app).once()
    assert [job for job in jobs_of(redis, "refresh") if job.startswith("readback")] == [f"readback-{first}"]


def connection(user: User, **values: Any) -> Connection:
    row = Connection(user_id=user.id, service="trakt", state="connected", **values)
    db.session.add(row)
    db.session.commit()
    return row


def test_a_connection_is_looked_at_once_a_day_and_not_again_at_each_tick(app: Flask, user: User, redis: Redis) -> None:
    row = connection(user, checked_at=NOW - 25 * HOUR)
    ticker = ticking(app)
    ticker.once()
    assert jobs_of(redis, "light") == [f"check-{row.id}"]
    redis.flushall()
    ticker.once()
    assert jobs_of(redis, "light") == []


def test_a_sign_in_that_ends_within_a_day_is_renewed(app: Flask, user: User, redis: Redis) -> None:
    row = connection(user, checked_at=NOW, access_token="x", refresh_token="y", expires_at=NOW + HOUR)
    ticking(app).once()
    assert jobs_of(redis, "light") == [f"token-{row.id}"]


def test_only_one_process_holds_the_lease(app: Flask, user: User, redis: Redis) -> None:
    first, second = ticking(app), ticking(app)
    assert first.once()
    assert not second.once()
    assert first.once()
    assert ticking(app, NOW + HOUR).once()


def test_a_step_that_fails_is_logged_with_its_name_and_the_others_go_on(
    app: Flask, user: User, redis: Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_now: datetime) -> None:
        raise RuntimeError("no luck")

    monkeypatch.setattr(tick, "take_over_dead", broken)
    run = add(user, status="queued")
    assert ticking(app).once()
    assert "step 'take over dead runs' failed" in caplog.text
    assert jobs_of(redis, "sync") == [f"run-{run.id}-1"]


def test_old_plans_lines_and_sign_ins_are_tidied_away(app: Flask, user: User, redis: Redis) -> None:
    ended = add(user, status="succeeded", preview=True, plan_expires_at=NOW - HOUR)
    open_still = add(user, status="needs_approval", plan_expires_at=NOW + HOUR)
    for run in (ended, open_still):
        db.session.add(
            PlanItem(
                run_id=run.id, user_id=user.id, anilist_id=1, episode=1, kind="episode", trakt_id=1, date_source="now"
            )
        )
        db.session.add(PlanExtra(run_id=run.id, kind="rating", target="show", trakt_id=1, anilist_id=1, value=9))
    for days in (40, 1):
        db.session.add(Log(user_id=user.id, level="info", message="line", created_at=NOW - timedelta(days=days)))
    for state, expires in (("old", NOW - HOUR), ("new", NOW + HOUR)):
        db.session.add(OAuthFlow(state=state, user_id=user.id, service="trakt", kind="code", expires_at=expires))
    db.session.commit()
    ticking(app).once()
    assert list(db.session.scalars(select(PlanItem.run_id))) == [open_still.id]
    assert list(db.session.scalars(select(PlanExtra.run_id))) == [open_still.id]
    assert len(list(db.session.scalars(select(Log.id)))) == 1
    assert list(db.session.scalars(select(OAuthFlow.state))) == ["new"]


def test_a_database_that_is_away_ends_nothing(
    app: Flask, user: User, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    db.session.execute(update(Run).values(status="queued"))
    db.session.commit()
    db.drop_all()
    assert ticking(app).once() is False
    assert "step 'take the lease' failed" in caplog.text


def test_what_could_not_be_put_on_the_queue_is_put_there_by_the_next_tick(
    app: Flask, user: User, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = connection(user, checked_at=NOW, access_token="x", refresh_token="y", expires_at=NOW + HOUR)
    ticker = ticking(app)
    with monkeypatch.context() as away:
        away.setattr(enqueue, "token_refresh", lambda _id: False)
        ticker.once()
    assert jobs_of(redis, "light") == []
    ticker.once()
    assert jobs_of(redis, "light") == [f"token-{row.id}"]
