"""`/cron` starts what is due, once, for whoever knows the secret."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.api.conftest import Api, FakeQueue, add
from webapp.database import transaction
from webapp.models import Run, User, utcnow

SECRET = {"Authorization": "Bearer test-cron-secret"}


@pytest.mark.parametrize("path", ["/cron", "/api/cron"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_due_check_starts_and_the_next_call_is_skipped(
    api: Api, connected: User, queue: FakeQueue, method: str, path: str
) -> None:
    first = api(method, path, headers=SECRET)
    assert first.status_code == 202
    assert first.json is not None
    assert first.json["runs"] == [{"runId": 1, "statusUrl": "/api/runs/1"}]
    assert first.json["message"]
    assert first.json["nextRun"] is not None
    with transaction(readonly=True) as session:
        run = session.scalars(select(Run)).one()
    assert (run.mode, run.trigger) == ("full", "cron")
    second = api(method, path, headers=SECRET)
    assert second.json is not None
    assert (second.status_code, second.json["message"], second.json["reason"]) == (200, "Skipped sync", "open_run")
    assert queue.runs == [1]


def test_a_check_of_an_hour_ago_keeps_the_gate_closed(api: Api, connected: User, queue: FakeQueue) -> None:
    began = utcnow().replace(microsecond=0) - timedelta(hours=1)
    add(Run(user_id=connected.id, mode="full", trigger="cron", status="succeeded", started_at=began, finished_at=began))
    body: Any = api.get("/cron", headers=SECRET).json
    assert body["reason"] == "too_soon"
    assert body["lastRun"] == began.isoformat().replace("+00:00", "Z")
    assert body["nextRun"] == (began + timedelta(hours=5, minutes=50)).isoformat().replace("+00:00", "Z")


def test_a_pause_is_the_reason(api: Api, connected: User, queue: FakeQueue) -> None:
    with transaction() as session:
        session.execute(update(User).values(paused_until=utcnow() + timedelta(days=1)))
    body: Any = api.get("/cron?token=test-cron-secret", headers={"Authorization": ""}).json
    assert (body["message"], body["reason"]) == ("Skipped sync", "paused")


def test_without_an_account_there_is_nothing_to_check(checked_app: Flask, queue: FakeQueue) -> None:
    body: Any = checked_app.test_client().get("/cron", headers=SECRET).json
    assert (body["reason"], body["lastRun"], body["nextRun"]) == ("no_account", None, None)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer test-api-token"}, {"Authorization": "Bearer"}])
def test_nobody_else_starts_a_check(
    checked_app: Flask, connected: User, queue: FakeQueue, headers: dict[str, str]
) -> None:
    for number, path in enumerate(("/cron", "/api/cron", "/cron?token=wrong", "/cron?token=", "/cron?token=test-api-token", "/cron?token=%C3%A9")):  # fmt: skip
        elsewhere = {"REMOTE_ADDR": f"192.0.2.{number}"}  # few tries from each address
        for method in ("GET", "POST"):
            answer = checked_app.test_client().open(path, method=method, headers=headers, environ_base=elsewhere)
            assert answer.status_code == 401, path
            assert answer.json is not None
            assert answer.json["code"] == "unauthorized"
    assert queue.runs == []


def test_a_head_request_starts_nothing(api: Api, connected: User, queue: FakeQueue) -> None:
    assert api("HEAD", "/cron", headers=SECRET).status_code == 405
    assert queue.runs == []
