"""Jobs on a real queue: named by string, one at a time, never in the way of a page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from redis import Redis
from rq import Queue
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from webapp import enqueue, runs
from webapp.config import Config
from webapp.extensions import db
from webapp.models import Run, User


@pytest.fixture
def config(config: Config, redis_url: str) -> Config:
    return config.replace(REDIS_URL=redis_url)


@pytest.fixture
def redis(redis_url: str, app: Flask) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client
    if (own := app.extensions.get("tsuzuki_redis")) is not None:
        own.close()


def queue(redis: Redis, name: str) -> Queue:
    return Queue(name, connection=redis, serializer=JSONSerializer)


def test_a_run_is_one_job_with_one_number(redis: Redis, user: User) -> None:
    run = runs.start(user.id, "full", "page").run
    (job,) = queue(redis, "sync").jobs
    assert (job.id, job.func_name, list(job.args), job.kwargs) == (f"run-{run.id}-1", "jobs.sync.run", [run.id], {})
    assert (job.timeout, job.result_ttl, job.failure_ttl) == (6 * 3600, 300, 86_400)


@pytest.mark.parametrize(
    ("mode", "preview", "name"),
    [
        ("full", False, "sync"), ("title", False, "sync"), ("undo", False, "sync"), ("completed", True, "refresh"),
        ("title", True, "light"), ("single", False, "light"),
    ],
)  # fmt: skip
def test_each_kind_of_run_has_its_queue(mode: str, preview: bool, name: str) -> None:
    assert enqueue.queue_of(Run(mode=mode, preview=preview)) == name


def test_a_run_is_enqueued_once_however_often_it_is_asked_for(redis: Redis, user: User) -> None:
    run = runs.start(user.id, "full", "page").run
    assert enqueue.run(run)
    assert enqueue.run(run)
    assert len(queue(redis, "sync").jobs) == 1


def test_what_is_left_of_a_finished_job_makes_room(redis: Redis, user: User) -> None:
    run = runs.start(user.id, "full", "page").run
    (job,) = queue(redis, "sync").jobs
    queue(redis, "sync").remove(job)
    job.set_status(JobStatus.FINISHED)
    assert enqueue.run(run)
    assert queue(redis, "sync").job_ids == [job.id]


def begin(redis: Redis, job: Job, ago: timedelta) -> None:
    queue(redis, "sync").remove(job)
    job.set_status(JobStatus.STARTED)
    job.last_heartbeat = datetime.now(UTC) - ago
    job.save()


@pytest.mark.parametrize(("ago", "again"), [(timedelta(seconds=5), []), (timedelta(minutes=3), ["again"])])
def test_a_job_whose_worker_is_silent_is_replaced(redis: Redis, user: User, ago: timedelta, again: list[str]) -> None:
    run = runs.start(user.id, "full", "page").run
    (job,) = queue(redis, "sync").jobs
    begin(redis, job, ago)
    assert enqueue.run(run)
    assert len(queue(redis, "sync").job_ids) == len(again)


def test_a_job_that_was_popped_by_a_worker_that_died_is_replaced(redis: Redis, user: User) -> None:
    run = runs.start(user.id, "full", "page").run
    (job,) = queue(redis, "sync").jobs
    queue(redis, "sync").remove(job)
    job.enqueued_at = datetime.now(UTC) - timedelta(minutes=1)
    job.save()
    assert enqueue.run(run)
    assert queue(redis, "sync").job_ids == [job.id]


@pytest.mark.parametrize(
    ("call", "name", "job_id", "function"),
    [
        (lambda: enqueue.cache(2), "refresh", "cache-fribbs", "jobs.refresh.refresh_source"),
        (lambda: enqueue.readback(4), "refresh", "readback-4", "jobs.pictures.read_back"),
        (lambda: enqueue.connection_check(5), "light", "check-5", "jobs.connect.check_connection"),
        (lambda: enqueue.look_up(5), "light", "look-up-5", "jobs.looking.answer"),
        (lambda: enqueue.token_refresh(5), "light", "token-5", "jobs.upkeep.refresh_token"),
    ],
)
def test_other_jobs_have_names_of_their_own(
    redis: Redis, app: Flask, call: object, name: str, job_id: str, function: str
) -> None:
    assert callable(call)
    assert call()
    (job,) = queue(redis, name).jobs
    assert (job.id, job.func_name) == (job_id, function)


def test_without_redis_a_run_is_started_all_the_same_and_waits_for_the_tick(app: Flask, user: User) -> None:
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(REDIS_URL="redis://127.0.0.1:9/0")
    started = runs.start(user.id, "full", "page")
    assert db.session.get_one(Run, started.run.id).status == "queued"
    assert enqueue.run(started.run) is False
    app.extensions["tsuzuki_redis"].close()
