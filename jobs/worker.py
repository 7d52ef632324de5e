"""`python -m jobs.worker`: imports everything once, then forks its workers and the tick and keeps them alive.

One worker per queue (`sync` has `WORKERS` of them), each forking a work horse per job. Engines and connections are
made after the fork, never before.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from types import FrameType
from typing import Any, Final

from flask import Flask
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

# Jobs are named by string: what they need is imported here, once, before the fork.
from jobs import connect, pictures, refresh, runstate, sync, tick, upkeep
from jobs.family import Child, Family, end_with_parent
from webapp import enqueue, logs
from webapp.app import create_app
from webapp.config import Config, ConfigError, load
from webapp.extensions import db
from webapp.memory import keep_what_is_loaded

LOG = logging.getLogger("tsuzuki.worker")

ENTRY_POINTS: Final = (
    connect.check_connection,
    pictures.read_back,
    refresh.refresh_source,
    sync.run,
    upkeep.refresh_token,
)
GAVE_UP: Final = 70  # the keeper does not start us again (webapp.launch.keeper)
PATIENCE: Final = 47.0  # seconds for open requests at the end; the keeper kills after 50
DOWNLOAD: Final = "jobs.refresh.refresh_source"  # may be broken off anywhere; everything else ends at its own pace
MONITOR_SECONDS: Final = 10  # how often a worker says that its horse lives


class QueueWorker(Worker):
    """RQ's worker for one queue, whose horses end with it and end well when it is told to end."""

    def __init__(self, app: Flask, queue: str, connection: Redis) -> None:
        super().__init__(
            [Queue(queue, connection=connection, serializer=JSONSerializer)],
            name=f"{queue}-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}",
            connection=connection,
            serializer=JSONSerializer,
            default_result_ttl=enqueue.RESULT_SECONDS,
            job_monitoring_interval=MONITOR_SECONDS,
            worker_ttl=90,  # seconds; also bounds how long one wait for a job blocks
        )
        self.app = app
        self.log_job_description = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """SIGTERM. In a horse that has not set its own handler yet, the same as there."""
        if os.getpid() != self.pid:
            runstate.ask_to_stop()
            return
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # RQ's own lacks types

    def handle_warm_shutdown_request(self) -> None:
        """Tell the job: it finishes its open request, records it and puts its run back into the queue."""
        if self.horse_pid:
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(self.horse_pid, signal.SIGTERM)

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """A download that was told to end is no error."""
        if exc_info[0] is SystemExit:
            LOG.info("%s was broken off; the next start begins it anew", job.id)
        else:
            super().handle_exception(job, *exc_info)

    def maintain_heartbeats(self, job: Job) -> None:
        """Without Redis the job goes on: the truth is in the database."""
        try:
            super().maintain_heartbeats(job)
        except (RedisConnectionError, RedisTimeoutError) as error:
            LOG.warning("Redis is away while %s runs: %s", job.id, error)

    def set_current_job_working_time(self, current_job_working_time: float, pipeline: Any = None) -> None:
        """Same as above: this number is only of interest to RQ's own tools."""
        try:
            super().set_current_job_working_time(current_job_working_time, pipeline)
        except (RedisConnectionError, RedisTimeoutError) as error:
            LOG.warning("Redis is away: %s", error)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """In the horse: it must not outlive its worker, whose place another one may have taken by then."""
        assert self.pid is not None
        end_with_parent(self.pid, signal.SIGKILL)
        super().main_work_horse(job, queue)

    def setup_work_horse_signals(self) -> None:
        """SIGTERM sets a flag that the job looks at between two requests."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda _signal, _frame: runstate.ask_to_stop())
        if self._stop_requested:  # told to end between taking the job and this fork
            runstate.ask_to_stop()

    def perform_job(self, job: Job, queue: Queue) -> bool:
        """In the horse, inside an application context of its own."""
        if job.func_name == DOWNLOAD:
            signal.signal(signal.SIGTERM, _end_now)
        with self.app.app_context():
            fresh_engines()
            return bool(super().perform_job(job, queue))


def _end_now(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(1)  # gives the lease of the cache back on its way out; the next start begins anew


def fresh_engines() -> None:
    """Forget connections that were made before a fork, without closing the parent's."""
    for engine in db.engines.values():
        engine.dispose(close=False)


def wait_for_redis(url: str) -> Redis:
    """A client that has answered; waits for as long as it takes, saying so every half minute."""
    client = Redis.from_url(url, socket_connect_timeout=2, socket_timeout=5)
    said = 0.0
    while True:
        try:
            client.ping()
        except RedisError as error:
            if time.monotonic() - said > 30:
                LOG.warning("waiting for Redis: %s", error)
                said = time.monotonic()
            time.sleep(0.2)
        else:
            client.close()
            # a worker's wait for a job blocks for longer than a request may take
            return Redis.from_url(url, socket_connect_timeout=2)


def work(app: Flask, config: Config, queue: str) -> None:
    """One worker, until it is told to end."""
    QueueWorker(app, queue, wait_for_redis(config.REDIS_URL)).work(logging_level="WARNING")


def run_tick(app: Flask) -> None:
    """The tick, until it is told to end."""
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda _signal, _frame: ending.set())
    with app.app_context():
        fresh_engines()
    tick.Tick(app).run(ending)


def children(app: Flask, config: Config) -> list[Child]:
    """`WORKERS` for `sync`, one each for `refresh` and `light`, and the tick."""
    queues = ["sync"] * config.WORKERS + ["refresh", "light"]
    workers = [Child(f"worker of queue {queue}", _Work(app, config, queue)) for queue in queues]
    return [*workers, Child("the tick", lambda: run_tick(app))]


class _Work:
    def __init__(self, app: Flask, config: Config, queue: str) -> None:
        self.arguments = (app, config, queue)

    def __call__(self) -> None:
        work(*self.arguments)


def main() -> int:
    """Exit status 0 after SIGTERM or SIGINT, 70 when a child dies again and again, 1 for a bad setting."""
    try:
        config = load()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return GAVE_UP
    logs.configure(config)
    if not config.REDIS_URL:
        LOG.error("REDIS_URL is not set; start Tsuzuki with ./run up, which brings its own Redis")
        return GAVE_UP
    app = create_app(config)
    with app.app_context():
        fresh_engines()
    keep_what_is_loaded()
    return 0 if Family(children(app, config), patience=PATIENCE).keep() else GAVE_UP


if __name__ == "__main__":
    sys.exit(main())
