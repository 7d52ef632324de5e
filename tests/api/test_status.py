"""Status, logs, progress: what a script reads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.api.conftest import Api, add
from webapp.models import Log, Run, SyncProgress, SystemConfig, User, utcnow


def body_of(api: Api, path: str) -> Any:
    answer = api.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json


def test_status_before_anything_happened(api: Api, user: User) -> None:
    nothing = {"state": "disconnected", "account": None, "reason": None, "since": None}
    assert body_of(api, "/api/status") == {
        "lastManualSync": None,
        "lastAutomatedSync": None,
        "lastCompletedSync": None,
        "lastWatchingSync": None,
        "connections": {"anilist": nothing, "trakt": nothing},
        "openRuns": [],
        "needsYou": 0,
    }


def test_status_tells_last_syncs_and_connections(api: Api, connected: User) -> None:
    add(
        SystemConfig(user_id=connected.id, key="status:sync:last-run", value="2026-11-20T10:00:00Z"),
        SystemConfig(user_id=connected.id, key="status:sync:last-run-auto", value="2026-11-21T06:00:00+00:00"),
        SystemConfig(user_id=connected.id, key="status:sync:watching:last-run", value="not a time"),
        Run(user_id=connected.id, mode="full", trigger="api", status="queued"),
    )
    body = body_of(api, "/api/status")
    assert (body["lastManualSync"], body["lastAutomatedSync"]) == ("2026-11-20T10:00:00Z", "2026-11-21T06:00:00Z")
    assert (body["lastCompletedSync"], body["lastWatchingSync"]) == (None, None)
    assert {name: row["state"] for name, row in body["connections"].items()} == {"anilist": "name_only", "trakt": "connected"}  # fmt: skip
    assert body["openRuns"] == [1]


def lines(user: User, *levels: str) -> None:
    add(*(Log(user_id=user.id, level=level, message=f"line {n}") for n, level in enumerate(levels, start=1)))


def test_logs_are_a_bare_array_newest_first(api: Api, user: User) -> None:
    lines(user, "info", "warning", "info")
    body = body_of(api, "/api/logs")
    assert [row["message"] for row in body] == ["line 3", "line 2", "line 1"]
    assert set(body[0]) == {"id", "message", "level", "created_at"}


def test_logs_after_a_line_come_oldest_first(api: Api, user: User) -> None:
    lines(user, "info", "warning", "info", "info")
    assert [row["id"] for row in body_of(api, "/api/logs?after=1&limit=2")] == [2, 3]
    assert body_of(api, "/api/logs?after=4") == []


def test_logs_by_level(api: Api, user: User) -> None:
    lines(user, "info", "warning", "error")
    assert [row["level"] for row in body_of(api, "/api/logs?level=warning")] == ["warning"]


def test_logs_are_at_most_200(api: Api, user: User) -> None:
    lines(user, *["info"] * 210)
    assert len(body_of(api, "/api/logs")) == 200
    assert len(body_of(api, "/api/logs?limit=9999")) == 200
    assert len(body_of(api, "/api/logs?limit=0")) == 1


def test_logs_of_the_instance_are_shown_and_those_of_others_are_not(api: Api, user: User) -> None:
    add(User(username="taro", password_hash="x"))
    add(Log(user_id=None, level="info", message="ours"), Log(user_id=2, level="info", message="theirs"))
    assert [row["message"] for row in body_of(api, "/api/logs")] == ["ours"]


def settled(user: User, count: int) -> None:
    now = utcnow()
    add(*(SyncProgress(user_id=user.id, anilist_id=n, last_abs=n, updated_at=now - timedelta(days=n)) for n in range(1, count + 1)))  # fmt: skip


def test_progress_lists_the_newest_rows(api: Api, user: User) -> None:
    settled(user, 3)
    body = body_of(api, "/api/progress?limit=2")
    assert ([row["anilistId"] for row in body["items"]], body["count"]) == ([1, 2], 3)
    assert set(body["items"][0]) == {"anilistId", "lastAbs", "updatedAt"}
    assert [row["anilistId"] for row in body_of(api, body["next"])["items"]] == [3]


def test_progress_of_one_entry_is_one_row(api: Api, user: User) -> None:
    settled(user, 3)
    row = body_of(api, "/api/progress?anilistId=2")
    assert (row["anilistId"], row["lastAbs"]) == (2, 2)
    assert api.get("/api/progress?anilistId=4").status_code == 404


BAD = (
        "/api/progress?anilistId=abc", "/api/progress?anilistId=0", "/api/progress?anilistId=-5",
        f"/api/progress?anilistId={2**53 + 1}", "/api/progress?anilistId=1%00", "/api/progress?limit=many",
        "/api/progress?offset=-1", "/api/progress?anilistId=", "/api/logs?after=x", "/api/logs?after=-1",
        f"/api/logs?after={'9' * 400}", "/api/logs?level=loud", "/api/logs?limit=x", "/api/runs?limit=x",
        "/api/runs?before=0", "/api/mappings?limit=x", "/api/mappings?offset=99999999999", "/api/mappings?q=%00",
        f"/api/mappings?q={'x' * 201}", "/api/overrides?traktId=x", "/api/overrides?anilistId=0",
        "/api/placement", "/api/placement?anilistId=x", "/api/sync", "/api/refresh-otaku?check=maybe",
)  # fmt: skip


def test_bad_parameters_are_told_with_a_sentence(api: Api, user: User) -> None:
    for path in BAD:
        answer = api.get(path)
        assert answer.status_code == 400, path
        assert answer.json is not None
        assert set(answer.json) == {"error", "code"}
        assert answer.json["error"].endswith(".")
        assert answer.headers["Cache-Control"] == "no-store"


PATHS = (
    "/api/status", "/api/logs", "/api/progress", "/api/refresh-otaku?check=1", "/api/mappings", "/api/overrides",
    "/api/placement?anilistId=1", "/api/runs", "/api/runs/1", "/api/trakt-auth", "/api/full-sync", "/metrics",
)  # fmt: skip


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic dGVzdDp0ZXN0"},
        {"Authorization": "test-api-token"},
        {"Authorization": "Bearer t\u00e9st"},
        {"Authorization": "Bearer test-cron-secret"},
    ],
)
def test_the_api_takes_nothing_but_its_token(checked_app: Flask, user: User, headers: dict[str, str]) -> None:
    for number, path in enumerate(PATHS):
        elsewhere = {"REMOTE_ADDR": f"192.0.2.{number}"}  # few tries from each address
        answer = checked_app.test_client().get(path, headers=headers, environ_base=elsewhere)
        assert answer.status_code == 401, path
        assert answer.json is not None
        assert answer.json["code"] == "unauthorized"
        assert "Set-Cookie" not in answer.headers


def test_the_session_of_a_browser_opens_no_endpoint(checked_app: Flask, user: User) -> None:
    client = checked_app.test_client()
    with client.session_transaction() as session:
        session.update({"_user_id": str(user.id), "_fresh": True, "epoch": user.session_epoch})
    assert client.get("/api/status").status_code == 401
    assert client.post("/api/full-sync").status_code == 401


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/nothing"), ("DELETE", "/api/status"), ("PUT", "/api/overrides")]
)
def test_what_is_not_there_is_told_as_json(api: Api, user: User, method: str, path: str) -> None:
    answer = api(method, path)
    assert answer.status_code in (404, 405)
    assert answer.json is not None
    assert set(answer.json) == {"error", "code"}
