"""Tokens at rest, refreshed once whoever asks, seeded once from the environment."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import responses
from flask import Flask
from sqlalchemy import select, update

from jobs.clients import trakt_for
from jobs.errors import AppRefused, ServiceDown, Waits
from tests.at_once import at_once
from webapp import crypto, tokens
from webapp.config import Config
from webapp.database import transaction
from webapp.extensions import db
from webapp.grants import Tokens
from webapp.models import Connection, SystemConfig, User, utcnow

TOKEN_URL = "http://127.0.0.1:9/trakt-auth/oauth/token"
REVOKE_URL = "http://127.0.0.1:9/trakt-auth/oauth/revoke"


@pytest.fixture
def config(config: Config) -> Config:
    return config.replace(TRAKT_CLIENT_ID="app-1", TRAKT_CLIENT_SECRET="hush", PUBLIC_URL="https://t.example")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_sleep", lambda _seconds: None)


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def _answer(access: str = "new", refresh: str | None = "r2", **more: Any) -> dict[str, Any]:
    return {
        "access_token": access,
        "refresh_token": refresh,
        "token_type": "bearer",
        "expires_in": 604800,
        "created_at": int(utcnow().timestamp()),
        **more,
    }


def _connect(user: User, *, left: timedelta | None = timedelta(hours=3), refresh: str | None = "r1") -> int:
    expires = None if left is None else utcnow() + left
    return tokens.store(user.id, "trakt", Tokens("old", refresh, expires))


def _row(connection_id: int) -> Connection:
    with transaction(readonly=True) as session:
        row = session.get(Connection, connection_id, populate_existing=True)
    assert isinstance(row, Connection)
    return row


def _change(connection_id: int, **values: Any) -> None:
    with transaction() as session:
        session.execute(update(Connection).where(Connection.id == connection_id).values(**values))


def test_tokens_are_stored_encrypted_and_read_back(app: Flask, user: User) -> None:
    row = _row(_connect(user, left=timedelta(days=5)))
    assert row.access_token not in (None, "old")
    assert "old" not in row.access_token
    assert tokens.access_token(user.id, "trakt") == "old"
    assert tokens.access_token(user.id, "anilist") is None


def test_an_earlier_key_still_opens_what_was_stored(app: Flask, user: User) -> None:
    _connect(user, left=timedelta(days=5))
    app.config.update(SECRET_KEY="another", SECRET_KEY_FALLBACKS=["test-secret-key-that-is-long-enough"])
    assert tokens.access_token(user.id, "trakt") == "old"
    app.config.update(SECRET_KEY_FALLBACKS=[])
    with pytest.raises(crypto.WrongKey):
        tokens.access_token(user.id, "trakt")


def test_a_process_with_another_key_refuses_to_start(app: Flask) -> None:
    crypto.check_value(app)
    crypto.check_value(app)
    with transaction(readonly=True) as session:
        assert len(session.scalars(select(SystemConfig).where(SystemConfig.key == "crypto:check")).all()) == 1
    app.config["SECRET_KEY"] = "another"
    with pytest.raises(crypto.WrongKey, match="SECRET_KEY"):
        crypto.check_value(app)


def test_a_token_with_more_than_a_day_left_is_used_as_it_is(app: Flask, user: User, web: Any) -> None:
    _connect(user, left=timedelta(hours=25))
    assert tokens.access_token(user.id, "trakt") == "old"


def test_a_token_without_a_known_expiry_is_used_until_it_is_refused(app: Flask, user: User, web: Any) -> None:
    _connect(user, left=None)
    assert tokens.access_token(user.id, "trakt") == "old"
    web.post(TOKEN_URL, json=_answer())
    assert tokens.refresh(user.id, "trakt", "old") == "new"


def test_less_than_a_day_left_is_refreshed_with_the_json_that_trakt_wants(app: Flask, user: User, web: Any) -> None:
    connection_id = _connect(user)
    web.post(TOKEN_URL, json=_answer(created_at=1_900_000_000, expires_in=604800))
    assert tokens.access_token(user.id, "trakt") == "new"
    request = web.calls[0].request
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body) == {
        "refresh_token": "r1",
        "client_id": "app-1",
        "client_secret": "hush",
        "redirect_uri": "https://t.example/oauth/trakt/callback",
        "grant_type": "refresh_token",
    }
    row = _row(connection_id)
    assert row.expires_at == datetime.fromtimestamp(1_900_604_800, UTC)
    assert row.refreshing_until is None
    assert row.state == "connected"
    assert crypto.decrypt(row.refresh_token or "") == "r2"


def test_a_refresh_without_a_secret_sends_none(app: Flask, user: User, web: Any) -> None:
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(TRAKT_CLIENT_SECRET=None)
    _connect(user)
    web.post(TOKEN_URL, json=_answer())
    tokens.access_token(user.id, "trakt")
    assert "client_secret" not in json.loads(web.calls[0].request.body)


def test_the_persons_own_app_counts_before_the_environments(app: Flask, user: User) -> None:
    assert tokens.app_credentials(user.id, "trakt") == ("app-1", "hush")
    tokens.store_app(user.id, "trakt", "mine", "secret")
    assert tokens.app_credentials(user.id, "trakt") == ("mine", "secret")
    tokens.store_app(user.id, "trakt", None, None)
    assert tokens.app_credentials(user.id, "trakt") == ("app-1", "hush")


def test_eight_that_find_an_expired_token_send_one_refresh(app: Flask, user: User, web: Any) -> None:
    _connect(user, left=timedelta(hours=-1))
    asked = threading.Event()

    def answer(_request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        asked.wait(0.2)  # long enough for the others to meet the claim
        return 200, {"Content-Type": "application/json"}, json.dumps(_answer())

    web.add_callback(responses.POST, TOKEN_URL, callback=answer, content_type="application/json")

    def find() -> str | None:
        with app.app_context():
            return tokens.access_token(user.id, "trakt")

    assert at_once([find] * 8) == ["new"] * 8
    assert len(web.calls) == 1


def test_whoever_meets_anothers_refresh_uses_a_token_that_is_still_valid(app: Flask, user: User, web: Any) -> None:
    connection_id = _connect(user)
    _change(connection_id, refreshing_until=utcnow() + timedelta(minutes=1))
    assert tokens.access_token(user.id, "trakt") == "old"


def test_a_row_that_was_read_before_another_process_met_invalid_grant_is_not_claimed(
    app: Flask, user: User, web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_id = _connect(user)
    stale = _row(connection_id)
    db.session.expunge(stale)
    _change(connection_id, state="reconnect", state_reason="reconnect_trakt")
    real, read = tokens._row, []

    def late(user_id: int, service: str) -> Connection | None:
        read.append(service)
        return stale if len(read) <= 2 else real(user_id, service)

    monkeypatch.setattr(tokens, "_row", late)
    assert tokens.access_token(user.id, "trakt") is None
    assert len(web.calls) == 0


def test_a_claim_of_a_dead_process_ends_by_itself(app: Flask, user: User, web: Any) -> None:
    connection_id = _connect(user, left=timedelta(hours=-1))
    _change(connection_id, refreshing_until=utcnow() - timedelta(seconds=1))
    web.post(TOKEN_URL, json=_answer())
    assert tokens.access_token(user.id, "trakt") == "new"


def test_a_lost_answer_is_tried_once_more_with_the_same_refresh_token(app: Flask, user: User, web: Any) -> None:
    _connect(user)
    web.post(TOKEN_URL, body=requests.ReadTimeout())
    web.post(TOKEN_URL, json=_answer())
    assert tokens.access_token(user.id, "trakt") == "new"
    assert [json.loads(call.request.body)["refresh_token"] for call in web.calls] == ["r1", "r1"]


@pytest.mark.parametrize("status", [400, 401])
def test_only_a_clear_no_needs_the_person(app: Flask, user: User, web: Any, status: int) -> None:
    connection_id = _connect(user)
    web.post(TOKEN_URL, status=status, json={"error": "invalid_grant", "error_description": "session not found"})
    assert tokens.access_token(user.id, "trakt") is None
    row = _row(connection_id)
    assert (row.state, row.state_reason, row.refreshing_until) == ("reconnect", "reconnect_trakt", None)
    assert tokens.access_token(user.id, "trakt") is None
    assert len(web.calls) == 1


@pytest.mark.parametrize("status", [400, 401])
def test_an_app_that_is_gone_is_named_and_needs_the_person(app: Flask, user: User, web: Any, status: int) -> None:
    connection_id = _connect(user)
    web.post(TOKEN_URL, status=status, json={"error": "invalid_client", "error_description": "client_id is required"})
    with pytest.raises(AppRefused):
        tokens.access_token(user.id, "trakt")
    row = _row(connection_id)
    assert (row.state, row.state_reason, row.refreshing_until) == ("reconnect", "app_refused", None)
    assert tokens.access_token(user.id, "trakt") is None
    assert len(web.calls) == 1
    with pytest.raises(AppRefused):
        trakt_for(user.id)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503, "body": ""},
        {"status": 429, "body": "", "headers": {"Retry-After": "3"}},
        {"body": requests.ConnectionError("reset")},
        {"status": 200, "body": "<html>", "content_type": "text/html"},
        {"status": 200, "json": {"token": "?"}},
        {"status": 200, "json": []},
    ],
    ids=["503", "429", "reset", "html", "no token", "a list"],
)
def test_an_unclear_answer_keeps_the_session_and_uses_the_old_token(
    app: Flask, user: User, web: Any, fault: dict[str, Any]
) -> None:
    connection_id = _connect(user)
    web.post(TOKEN_URL, **fault)
    assert tokens.access_token(user.id, "trakt") == "old"
    assert len(web.calls) == 2
    assert tokens.access_token(user.id, "trakt") == "old"
    assert len(web.calls) == 2  # nobody asks at every request
    assert tokens.due_refreshes(utcnow()) == []
    row = _row(connection_id)
    assert row.state == "connected"
    assert row.refreshing_until is not None
    assert timedelta(minutes=4) < row.refreshing_until - utcnow() <= timedelta(minutes=5)
    assert tokens.due_refreshes(utcnow() + timedelta(minutes=6)) == [(user.id, "trakt")]


def test_a_token_that_is_refused_while_renewing_rests_makes_the_run_wait_as_long(
    app: Flask, user: User, web: Any
) -> None:
    _connect(user, left=timedelta(days=5))
    web.post(TOKEN_URL, status=503)
    for _ in range(3):
        with pytest.raises(ServiceDown) as got:
            tokens.refresh(user.id, "trakt", "old")
        assert 240 < got.value.seconds <= 300
    assert len(web.calls) == 2


def test_a_service_that_says_when_to_come_back_is_not_asked_before(app: Flask, user: User, web: Any) -> None:
    _connect(user, left=timedelta(hours=-1))
    web.post(TOKEN_URL, status=429, headers={"Retry-After": "900"})
    for _ in range(2):
        with pytest.raises(Waits) as got:
            tokens.access_token(user.id, "trakt")
        assert 800 < got.value.seconds <= 900
    assert len(web.calls) == 2


def test_an_expired_token_and_an_unclear_answer_make_the_run_wait(app: Flask, user: User, web: Any) -> None:
    connection_id = _connect(user, left=timedelta(hours=-1))
    web.post(TOKEN_URL, status=503)
    with pytest.raises(ServiceDown):
        tokens.access_token(user.id, "trakt")
    assert _row(connection_id).refreshing_until is None


def test_a_403_at_the_token_endpoint_stops_without_losing_the_session(app: Flask, user: User, web: Any) -> None:
    connection_id = _connect(user, left=timedelta(hours=-1))
    web.post(TOKEN_URL, status=403, body="<html>blocked", content_type="text/html")
    with pytest.raises(AppRefused):
        tokens.access_token(user.id, "trakt")
    assert _row(connection_id).state == "connected"


def test_a_refused_token_that_was_replaced_meanwhile_asks_nobody(app: Flask, user: User, web: Any) -> None:
    _connect(user, left=timedelta(days=6))
    assert tokens.refresh(user.id, "trakt", "an older one") == "old"


def test_a_sign_in_during_a_refresh_wins(app: Flask, user: User, web: Any) -> None:
    connection_id = _connect(user, left=timedelta(hours=-1))

    def answer(_request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        with app.app_context():
            tokens.store(user.id, "trakt", Tokens("by hand", "r9", utcnow() + timedelta(days=7)))
        return 200, {}, json.dumps(_answer())

    web.add_callback(responses.POST, TOKEN_URL, callback=answer, content_type="application/json")
    assert tokens.access_token(user.id, "trakt") == "by hand"
    assert crypto.decrypt(_row(connection_id).refresh_token or "") == "r9"


def test_a_refused_token_without_a_refresh_token_needs_the_person(app: Flask, user: User, web: Any) -> None:
    connection_id = _connect(user, left=None, refresh=None)
    assert tokens.refresh(user.id, "trakt", "old") is None
    assert _row(connection_id).state_reason == "reconnect_trakt"


def test_no_transaction_is_open_while_the_service_is_asked(app: Flask, user: User, web: Any) -> None:
    _connect(user)

    def answer(_request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        assert not db.session().in_transaction()
        return 200, {}, json.dumps(_answer())

    web.add_callback(responses.POST, TOKEN_URL, callback=answer, content_type="application/json")
    assert tokens.access_token(user.id, "trakt") == "new"


def test_an_anilist_token_that_is_refused_needs_the_person(app: Flask, user: User) -> None:
    connection_id = tokens.store(user.id, "anilist", Tokens("jwt", "does nothing", None))
    assert _row(connection_id).refresh_token is None
    tokens.token_refused(user.id, "anilist", "an older one")
    assert _row(connection_id).state == "connected"
    tokens.token_refused(user.id, "anilist", "jwt")
    assert (_row(connection_id).state, _row(connection_id).state_reason) == ("reconnect", "reconnect_anilist")


def test_disconnecting_forgets_the_token_and_revokes_it(app: Flask, user: User, web: Any) -> None:
    connection_id = _connect(user)
    web.post(REVOKE_URL, status=200, body="")
    tokens.disconnect(user.id, "trakt")
    assert json.loads(web.calls[0].request.body) == {"token": "old", "client_id": "app-1", "client_secret": "hush"}
    row = _row(connection_id)
    assert (row.state, row.access_token, row.refresh_token, row.account_id) == ("disconnected", None, None, None)


def test_a_service_that_does_not_answer_does_not_keep_the_person_connected(app: Flask, user: User, web: Any) -> None:
    connection_id = _connect(user)
    web.post(REVOKE_URL, body=requests.ConnectionError())
    tokens.disconnect(user.id, "trakt")
    assert _row(connection_id).state == "disconnected"


def _seeded(app: Flask, user: User, **values: str | None) -> list[int]:
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(**values)
    return tokens.seed_from_environment(user)


def test_the_environments_tokens_are_taken_once(app: Flask, user: User, web: Any) -> None:
    env: dict[str, str | None] = {"TRAKT_ACCESS_TOKEN": "env", "TRAKT_REFRESH_TOKEN": "r1"}
    (connection_id,) = _seeded(app, user, **env)
    row = _row(connection_id)
    assert (row.state, row.expires_at) == ("connected", None)
    web.post(TOKEN_URL, json=_answer())
    assert tokens.refresh(user.id, "trakt", "env") == "new"
    assert _seeded(app, user, **env) == []
    assert tokens.access_token(user.id, "trakt") == "new"
    assert _seeded(app, user, TRAKT_ACCESS_TOKEN="other") == [connection_id]
    assert tokens.access_token(user.id, "trakt") == "other"


def test_a_restart_does_not_bring_back_what_was_disconnected(app: Flask, user: User, web: Any) -> None:
    web.post(REVOKE_URL, status=200)
    _seeded(app, user, TRAKT_ACCESS_TOKEN="env")
    tokens.disconnect(user.id, "trakt")
    assert _seeded(app, user) == []
    assert tokens.access_token(user.id, "trakt") is None


def test_a_name_in_the_environment_is_enough_for_anilist(app: Flask, user: User) -> None:
    (connection_id,) = _seeded(app, user, ANILIST_USERNAME="hanako")
    assert (_row(connection_id).state, _row(connection_id).account_name) == ("name_only", "hanako")
    claims = base64.urlsafe_b64encode(json.dumps({"exp": 1_900_000_000}).encode()).decode().rstrip("=")
    _seeded(app, user, ANILIST_ACCESS_TOKEN=f"h.{claims}.s")
    row = _row(connection_id)
    assert (row.state, row.expires_at) == ("connected", datetime.fromtimestamp(1_900_000_000, UTC))


def test_the_tick_finds_what_is_due(app: Flask, user: User) -> None:
    connection_id = _connect(user, left=timedelta(hours=3))
    assert tokens.due_refreshes(utcnow()) == [(user.id, "trakt")]
    assert tokens.due_refreshes(utcnow() - timedelta(days=2)) == []
    assert tokens.due_checks(utcnow()) == [connection_id]
    _change(connection_id, checked_at=utcnow())
    assert tokens.due_checks(utcnow()) == []
    assert tokens.due_checks(utcnow() + timedelta(days=2)) == [connection_id]


def test_a_page_that_has_read_something_may_store_tokens(app: Flask, user: User) -> None:
    user_id = user.id
    db.session.scalars(select(User)).all()
    assert db.session().in_transaction()
    tokens.store_name(user_id, "anilist", "hanako")
    assert not db.session().in_transaction()
