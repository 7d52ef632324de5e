"""Whoever sends wrong tokens is asked to wait; whoever has the right one never is."""

from __future__ import annotations

from typing import Any

import limits
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.api.conftest import TOKEN, Api, FakeQueue
from tests.real_servers import wait_until
from webapp import security
from webapp.models import User

CRON = {"Authorization": "Bearer test-cron-secret"}
DOORS = {
    "bearer": ("/api/status", {"Authorization": "Bearer wrong"}, TOKEN),
    "metrics": ("/metrics", {"Authorization": "Bearer wrong"}, TOKEN),
    "cron": ("/cron", {"Authorization": "Bearer wrong"}, CRON),
    "cron by address": ("/api/cron?token=wrong", {}, CRON),
}


@pytest.fixture
def ask(checked_app: Flask, connected: User, queue: FakeQueue) -> Any:
    def once(path: str, headers: dict[str, str], address: str = "192.0.2.7") -> TestResponse:
        return checked_app.test_client().get(path, headers=headers, environ_base={"REMOTE_ADDR": address})

    return once


@pytest.mark.parametrize("door", DOORS)
def test_ten_wrong_tokens_close_the_door_for_wrong_ones_only(ask: Any, door: str) -> None:
    path, wrong, right = DOORS[door]
    assert [ask(path, wrong).status_code for _ in range(10)] == [401] * 10
    refused = ask(path, wrong)
    assert refused.status_code == 429
    assert refused.json["code"] == "too_many_tries"
    assert 290 < int(refused.headers["Retry-After"]) <= 300
    assert ask(path, wrong, "192.0.2.8").status_code == 401
    assert ask(path, right).status_code in (200, 202)
    assert ask(path.partition("?")[0], right).status_code in (200, 202)


def test_wrong_tokens_at_one_door_count_at_the_others(ask: Any) -> None:
    for path, wrong, _right in [*DOORS.values()] * 3:
        ask(path, wrong)
    assert {ask(path, wrong).status_code for path, wrong, _right in DOORS.values()} == {429}


def test_a_request_without_a_token_is_no_guess(ask: Any) -> None:
    assert {ask(path, {}).status_code for path in ("/api/status", "/cron") for _ in range(20)} == {401}
    assert ask("/api/status", {"Authorization": "Bearer wrong"}).status_code == 401


def test_the_door_opens_again(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path, wrong, _right = DOORS["bearer"]
    monkeypatch.setattr(security, "ATTEMPTS", limits.parse("2 per 1 second"))
    for _ in range(3):
        ask(path, wrong)
    wait_until(lambda: ask(path, wrong).status_code == 401, "the end of the time to wait")


def test_the_sign_in_of_a_person_does_not_suffer_from_a_script(ask: Any, checked_app: Flask) -> None:
    for _ in range(12):
        ask("/api/status", {"Authorization": "Bearer wrong"})
    with checked_app.test_request_context(environ_base={"REMOTE_ADDR": "192.0.2.7"}):
        assert security.may_try("address 192.0.2.7")


def test_a_wait_that_nobody_has_to_make_is_none(api: Api, app: Flask) -> None:
    assert security.seconds_to_wait("somebody", "somewhere") == 0
