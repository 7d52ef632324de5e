"""A command starts a run, or joins an open one, waits for a while, and answers with the run's state.

A waiting request holds no database connection: it looks, lets go, and sleeps. At most half of the server's threads
wait; further commands are answered at once with 202.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, current_app
from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel
from sqlalchemy import select

from webapp import queries, runs
from webapp.api.fields import ApiError, Body, Command, Flag, answer, iso, run_address
from webapp.database import transaction
from webapp.extensions import db
from webapp.models import OPEN, Run, User, utcnow

DEFAULT_WAIT = 25.0  # seconds; the reference's callers expect the body
LOOKS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)  # seconds between two looks, growing
STATUS = {"succeeded": 200, "partial": 200, "cancelled": 409, "failed": 502}  # every other state: 202
WAITERS = "tsuzuki_waiters"

_sleep = time.sleep


class PostCommand(Command):
    approve: Flag = Field(False, description="1: agrees to whatever the run would ask approval for")
    force: Flag = Field(False, description="1: sends again what was removed from Trakt")
    preview: Flag = Field(False, description="1: answers what would be sent, and sends nothing")


class RunBody(Body):
    """What every answer of a command carries; the counts of its mode stand beside it."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")

    run_id: int | None
    status: str
    reason: str | None = None
    status_url: str
    joined: bool = False


class OpenBody(RunBody):
    """202: not finished yet. Ask `statusUrl` again after `retryAfter` seconds."""

    retry_after: int
    resume_at: str | None = None


@dataclass(frozen=True, slots=True)
class Waiters:
    """The places for requests that wait."""

    places: threading.BoundedSemaphore

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Whether there was a place; it is given back afterwards."""
        got = self.places.acquire(blocking=False)
        try:
            yield got
        finally:
            if got:
                self.places.release()


def init_waiters(app: Flask) -> None:
    app.extensions[WAITERS] = Waiters(threading.BoundedSemaphore(max(1, app.config["TSUZUKI"].WEB_THREADS // 2)))


def wait_for(look: Callable[[], bool], seconds: float | None) -> None:
    """Call `look` until it says True, at most for `seconds` (25 by default), if there is a place to wait."""
    deadline = time.monotonic() + (DEFAULT_WAIT if seconds is None else seconds)
    waiters: Waiters = current_app.extensions[WAITERS]
    with waiters.place() as got:
        for count in itertools.count():
            left = deadline - time.monotonic()
            if look() or not got or left <= 0:
                return
            db.session.remove()  # no connection is held while it sleeps
            _sleep(min(LOOKS[min(count, len(LOOKS) - 1)], left))


def start(user: User, mode: str, query: PostCommand, *, anilist_id: int | None = None) -> runs.Started:
    """Start what a command asks for, or join it. Raises `ApiError` 409 when a service is not connected."""
    require_connections(user)
    options = {name: True for name, wish in (("approved", query.approve), ("force", query.force)) if wish}
    return runs.start(user.id, mode, "api", preview=query.preview, anilist_id=anilist_id, options=options)


def require_connections(user: User, services: Collection[str] = ("anilist", "trakt")) -> None:
    """Each of `services` must have been connected; one that broke since is the run's to report."""
    with transaction(readonly=True):
        connected = {name for name, row in queries.connections(user.id).items() if row.state != "disconnected"}
    for service, name in (("anilist", "AniList"), ("trakt", "Trakt")):
        if service in services and service not in connected:
            raise ApiError(409, f"{service}_not_connected", f"{name} is not connected; connect it in the settings.")


def finished(run_id: int, seconds: float | None) -> Run:
    """The run after it has ended, needs approval, or `seconds` are over."""
    latest: list[Run | None] = [None]

    def look() -> bool:
        with transaction(readonly=True) as session:
            latest[0] = session.scalar(select(Run).where(Run.id == run_id).execution_options(populate_existing=True))
        return latest[0] is None or latest[0].status not in OPEN

    wait_for(look, seconds)
    if latest[0] is None:
        raise ApiError(404, "not_found", "There is no such run.")
    return latest[0]


def answer_run(
    started: runs.Started, seconds: float | None, body: Callable[[Run], dict[str, Any]] | None = None
) -> Response:
    """Wait, then answer: the run's result (or `body` of it) with 200, 409 or 502, or 202 while it is open."""
    run = finished(started.run.id, seconds)
    common = {
        "run_id": run.id,
        "status": run.status,
        "reason": run.reason,
        "status_url": run_address(run.id),
        "joined": started.joined,
    }
    status = STATUS.get(run.status, 202)
    if status == 202:
        return answer_open(OpenBody(**common, resume_at=iso(run.resume_at), retry_after=retry_after(run)))
    fields = body(run) if body else dict(run.result or {})
    if run.detail and status != 200:
        fields.setdefault("error", run.detail)
    if status == 502:
        fields.setdefault("error", run.reason or "failed")
        fields.setdefault("code", run.reason or "failed")
    return answer({**fields, **RunBody(**common).model_dump(by_alias=True)}, status)


def answer_open(body: OpenBody) -> Response:
    response = answer(body, 202)
    response.headers["Retry-After"] = str(body.retry_after)
    return response


def retry_after(run: Run) -> int:
    """Seconds after which it makes sense to ask again."""
    if run.status == "waiting" and run.resume_at is not None:
        return min(max(int((run.resume_at - utcnow()).total_seconds()) + 1, 1), 3600)
    return 60 if run.status == "needs_approval" else 5
