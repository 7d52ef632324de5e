"""Whatever is sent to the JSON API, the answer is no 5xx and as described; what is refused has written nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from tests.api.conftest import TOKEN, FakeQueue, add
from tests.api.test_description import PROMISED
from webapp.api.commands import WAITERS
from webapp.app import create_app
from webapp.config import Config, load
from webapp.models import Entry, Media, Run, RunItem, User, utcnow

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
EXAMPLES = 15  # of each operation, with allowed and with forbidden input
CRON = {"Authorization": "Bearer test-cron-secret"}


@pytest.fixture
def written(config: Config, checked_app: Flask) -> Iterator[sqlite3.Connection]:
    """A second connection, whose data_version rises whenever somebody else has committed a change."""
    with closing(sqlite3.connect(str(config.DATABASE_URL).removeprefix("sqlite:///"))) as connection:
        yield connection


class Door:
    """Leads requests to the app of the test at hand, so that the description is read and taken apart once for all tests."""

    app: Flask | None = None

    def __call__(self, environ: Any, start_response: Any) -> Any:
        assert self.app is not None
        return self.app(environ, start_response)


@pytest.fixture(scope="module")
def door() -> Door:
    return Door()


@pytest.fixture(scope="module")
def schema(door: Door, empty_tables: Path) -> Any:
    door.app = create_app(
        load({"DATA_DIR": str(empty_tables.parent), "DATABASE_URL": f"sqlite:///{empty_tables}", "SECRET_KEY": "x"})
    )
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", door)
    schema.config.analysis.constants.enabled = False  # it would look through the modules of these tests for words
    return schema


@pytest.fixture
def described(
    schema: Any, door: Door, checked_app: Flask, connected: User, queue: FakeQueue, written: sqlite3.Connection
) -> Any:
    """An instance with a little in it, whose requests never wait and are never counted."""
    add(
        Media(anilist_id=21, title_romaji="One Piece", format="TV", fetched_at=utcnow()),
        Entry(user_id=connected.id, account_id="7", anilist_id=21, status="CURRENT", progress=5, seen_at=utcnow()),
        Run(user_id=connected.id, mode="full", trigger="api", status="succeeded"),
    )
    add(RunItem(run_id=1, user_id=connected.id, anilist_id=21, outcome="sent"))
    places = checked_app.extensions[WAITERS].places
    while places.acquire(blocking=False):
        pass
    door.app = checked_app
    return schema


NOTHING_TAKEN = ("/healthz", "/readyz")  # the second is a 503 here, where no worker lives
OPERATIONS = sorted((path, method) for path in PROMISED.keys() - set(NOTHING_TAKEN) for method in PROMISED[path])


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_no_input_is_answered_with_a_server_error(
    described: Any, written: sqlite3.Connection, path: str, method: str, mode: GenerationMode
) -> None:
    operation = described[path][method]

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case[Any]) -> None:
        before = _version(written)
        answer = case.call(headers=CRON if path.endswith("/cron") else TOKEN)
        case.validate_response(answer, checks=CHECKS)
        if answer.status_code >= 400:
            assert _version(written) == before, f"{answer.status_code}, and yet something was written"

    send()


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA data_version").fetchone()
    return int(version)
