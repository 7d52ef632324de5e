"""Health for a container, numbers for a monitor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import text

from tests.api.conftest import Api, add
from webapp import enqueue
from webapp.api import health
from webapp.database import transaction
from webapp.models import Connection, MappingSource, RequestCount, Run, User, utcnow


def test_the_process_lives_and_says_nothing_else(checked_app: Flask) -> None:
    answer = checked_app.test_client().get("/healthz")
    assert (answer.status_code, answer.json, answer.headers["Cache-Control"]) == (200, {"ok": True}, "no-store")
    assert checked_app.test_client().head("/healthz").status_code == 200


def workers(monkeypatch: pytest.MonkeyPatch, *ages: float) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    living = [SimpleNamespace(last_heartbeat=now - timedelta(seconds=age)) for age in ages]
    monkeypatch.setattr(enqueue, "redis_connection", object)
    monkeypatch.setattr(health, "Worker", SimpleNamespace(all=lambda **_options: living))


@pytest.mark.parametrize(("ages", "ready"), [((5.0,), True), ((600.0, 5.0), True), ((600.0,), False), ((), False)])
def test_the_whole_is_ready_when_a_worker_has_been_heard_of(
    checked_app: Flask, monkeypatch: pytest.MonkeyPatch, ages: tuple[float, ...], ready: bool
) -> None:
    workers(monkeypatch, *ages)
    answer = checked_app.test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (200 if ready else 503, {"ok": ready})


def test_without_redis_the_whole_is_not_ready(checked_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = checked_app.test_client()
    monkeypatch.setattr(enqueue, "redis_connection", lambda: None)
    assert client.get("/readyz").status_code == 503

    def away(**_options: Any) -> None:
        raise RedisConnectionError

    workers(monkeypatch)
    monkeypatch.setattr(health, "Worker", SimpleNamespace(all=away))
    assert client.get("/readyz").status_code == 503


def test_metrics_count_runs_caches_and_requests(api: Api, user: User) -> None:
    add(
        Run(user_id=user.id, mode="full", trigger="api", status="succeeded"),
        Connection(user_id=user.id, service="trakt", access_token="ciphertext", account_name="hanako"),
        MappingSource(name="otaku", url="http://x", rows_kept=29358, last_sync=utcnow()),
    )
    add(RequestCount(run_id=1, service="anilist", requests=3))
    answer = api.get("/metrics")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    assert 'tsuzuki_runs{mode="full",status="succeeded"} 1.0' in page
    assert 'tsuzuki_cache_rows{cache="otaku"} 29358.0' in page
    assert 'tsuzuki_requests{service="anilist"} 3.0' in page
    assert "hanako" not in page
    assert "ciphertext" not in page


def test_a_database_that_lost_its_tables_is_no_server_error_for_liveness(checked_app: Flask) -> None:
    with transaction() as session:
        session.execute(text("DROP TABLE leases"))
    assert checked_app.test_client().get("/healthz").status_code == 200
