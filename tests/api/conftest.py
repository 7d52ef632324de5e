"""A client with the API token, connected services, and a queue whose jobs the test ends itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from sqlalchemy import update
from werkzeug.test import TestResponse

from webapp import enqueue
from webapp.database import transaction
from webapp.extensions import db
from webapp.models import Connection, Run, User, utcnow

TOKEN = {"Authorization": "Bearer test-api-token"}


class Api:
    """Sends requests as a script does, outside of the test's own database session."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def __call__(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {**TOKEN, **options.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self("GET", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self("POST", path, **options)


class FakeQueue:
    """Stands in for the worker: each run that is put on the queue is ended with what `ends` says."""

    def __init__(self) -> None:
        self.runs: list[int] = []
        self.caches: list[int] = []
        self.ends: dict[str, Any] | None = None
        self.on_run: Callable[[Run], None] = lambda _run: None
        self.on_cache: Callable[[int], None] = lambda _number: None
        self.up = True

    def run(self, row: Run) -> bool:
        self.runs.append(row.id)
        self.on_run(row)
        if self.ends is not None:
            end(row.id, **self.ends)
        return self.up

    def cache(self, number: int) -> bool:
        self.caches.append(number)
        self.on_cache(number)
        return self.up

    def connection_check(self, _connection_id: int) -> bool:
        return self.up


def end(run_id: int, **values: Any) -> None:
    """Give a run the state that a worker would have left."""
    with transaction() as session:
        session.execute(update(Run).where(Run.id == run_id).values({"finished_at": utcnow(), **values}))


def add(*rows: Any) -> None:
    with transaction() as session:
        session.add_all(rows)


@pytest.fixture
def checked_app(app: Flask) -> Flask:
    """Every answer is held to the model that the description promises."""
    cast("OpenAPI", app).validate_response = True
    return app


@pytest.fixture
def api(checked_app: Flask, user: User) -> Api:
    db.session.expunge_all()  # requests of a test share its session; a rollback there must not expire ours
    return Api(checked_app.test_client())


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> FakeQueue:
    fake = FakeQueue()
    for name in ("run", "cache", "connection_check"):
        monkeypatch.setattr(enqueue, name, getattr(fake, name))
    return fake


@pytest.fixture
def connected(user: User) -> User:
    """AniList by name, Trakt signed in."""
    add(
        Connection(user_id=user.id, service="anilist", state="name_only", account_name="hana", account_id="7"),
        Connection(user_id=user.id, service="trakt", account_name="hanako", account_id="uuid-1"),
    )
    return user
