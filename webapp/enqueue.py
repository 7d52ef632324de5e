"""The only place that puts jobs on a queue: by dotted name, with one integer, after the commit that caused them.

Redis may be away: then nothing is raised, the row in the database stays as it is, and the tick of `jobs.worker`
enqueues it later. The database is the truth, Redis only wakes a worker up.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Final

from flask import current_app
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from webapp.models import Run

log = logging.getLogger(__name__)

QUEUES: Final = ("sync", "refresh", "light")
CACHES: Final = {1: "otaku", 2: "fribbs", 3: "anime_lists"}  # the numbers of jobs.refresh.SOURCES

RESULT_SECONDS: Final = 300
FAILURE_SECONDS: Final = 86_400
TIMEOUTS: Final = {"sync": 6 * 3600, "refresh": 2 * 3600, "light": 600}  # seconds, by queue
_SILENT: Final = timedelta(seconds=60)  # workers report every 10 s
_POPPING: Final = timedelta(seconds=5)  # between a worker's pop and its first report


def redis_connection() -> Redis | None:
    """The app's Redis client (fork-safe, made once), or None without `REDIS_URL`."""
    client: Redis | None = current_app.extensions.get("tsuzuki_redis")
    url = current_app.config["TSUZUKI"].REDIS_URL
    if client is None and url:
        client = Redis.from_url(url, socket_connect_timeout=2, socket_timeout=5)
        current_app.extensions["tsuzuki_redis"] = client
    return client


def queue_of(run: Run) -> str:
    """Looks at one title go to `light`, previews of a library and of a history to `refresh`, whatever may post to `sync`."""
    if run.mode == "single" or (run.preview and run.mode == "title"):
        return "light"
    return "refresh" if run.preview or run.mode == "doctor" else "sync"


def job_id_of(run: Run) -> str:
    """The name of the job that would take this run next: its attempt number rises with each claim."""
    return f"run-{run.id}-{run.attempt + 1}"


def run(row: Run) -> bool:
    """Wake a worker for a queued run. False when Redis is away; the tick tries again."""
    return _put(queue_of(row), "jobs.sync.run", row.id, job_id_of(row))


def cache(source_number: int) -> bool:
    """Refresh one mapping cache (1 Otaku, 2 Fribbs, 3 Anime-Lists). Raises KeyError for another number."""
    return _put("refresh", "jobs.refresh.refresh_source", source_number, f"cache-{CACHES[source_number]}")


def mapping_list(list_id: int) -> bool:
    """Refresh one subscribed list."""
    return _put("refresh", "jobs.refresh.refresh_list", list_id, f"list-{list_id}")


def dates(run_id: int, wish: int) -> bool:
    """Work out the dates that a person wishes for a stored plan; `wish` counts them."""
    return _put("light", "jobs.planning.redate", run_id, f"dates-{run_id}-{wish}")


def connection_check(connection_id: int) -> bool:
    """Ask a service who the account of a connection is."""
    return _put("light", "jobs.connect.check_connection", connection_id, f"check-{connection_id}")


def token_refresh(connection_id: int) -> bool:
    """Renew a sign-in that is about to end."""
    return _put("light", "jobs.upkeep.refresh_token", connection_id, f"token-{connection_id}")


def look_up(look_up_id: int) -> bool:
    """Ask Trakt what a page wants to know."""
    return _put("light", "jobs.looking.answer", look_up_id, f"look-up-{look_up_id}")


def readback(picture_id: int) -> bool:
    """Read what a Trakt account has watched once more, after a run that posted."""
    return _put("refresh", "jobs.pictures.read_back", picture_id, f"readback-{picture_id}")


def _fetch(job_id: str, client: Redis) -> Job | None:
    try:
        return Job.fetch(job_id, connection=client, serializer=JSONSerializer)
    except NoSuchJobError:
        return None


def _is_living(job: Job, queue: Queue, now: datetime) -> bool:
    """A job that stands in its queue, or whose worker has said within a minute that it works on it.

    One that was popped by a worker which died before it began stands in no queue any more.
    """
    status = job.get_status(refresh=False)
    if status is JobStatus.STARTED:
        seen = job.last_heartbeat or job.started_at
        return seen is not None and now - seen.replace(tzinfo=UTC) < _SILENT
    if status is JobStatus.QUEUED:
        fresh = job.enqueued_at is not None and now - job.enqueued_at.replace(tzinfo=UTC) < _POPPING
        return fresh or queue.get_job_position(job.id) is not None
    return False


def _put(queue_name: str, function: str, argument: int, job_id: str) -> bool:
    """One job of that id at a time: a living one is left alone, what is left of an earlier one makes room."""
    client = redis_connection()
    if client is None:
        log.warning("no Redis is set: %s waits for the tick", job_id)
        return False
    try:
        queue = Queue(queue_name, connection=client, serializer=JSONSerializer)
        old = _fetch(job_id, client)
        if old is not None:
            if _is_living(old, queue, datetime.now(UTC)):
                return True
            old.delete()
        queue.enqueue_call(
            function,
            args=(argument,),
            job_id=job_id,
            unique=True,
            timeout=TIMEOUTS[queue_name],
            result_ttl=RESULT_SECONDS,
            failure_ttl=FAILURE_SECONDS,
        )
    except DuplicateJobError:
        return True
    except RedisError as error:
        log.warning("Redis is away (%s): %s waits for the tick", error, job_id)
        return False
    return True
