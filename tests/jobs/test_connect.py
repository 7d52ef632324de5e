"""Clients for one person, and finding out who is behind a connection."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import responses
from flask import Flask
from sqlalchemy import select, update

from jobs import clients, pace
from jobs.connect import check_connection
from jobs.errors import AppRefused, Reconnect
from webapp import tokens
from webapp.config import Config
from webapp.database import transaction
from webapp.grants import Tokens
from webapp.models import Connection, User, utcnow

ANILIST = "http://127.0.0.1:9/anilist/graphql"
TRAKT = "http://127.0.0.1:9/trakt"
TOKEN_URL = "http://127.0.0.1:9/trakt-auth/oauth/token"


@pytest.fixture
def config(config: Config) -> Config:
    return config.replace(TRAKT_CLIENT_ID="app-1", PUBLIC_URL="https://t.example", SYNC_MAX_RETRIES=0)


@pytest.fixture(autouse=True)
def _own_pace() -> Iterator[None]:
    """Each test begins with full budgets."""
    pace.store_for.cache_clear()
    yield
    pace.store_for.cache_clear()


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def _connect(user: User, service: Any = "trakt", *, refresh: str | None = "r1") -> int:
    return tokens.store(user.id, service, Tokens("t1", refresh, utcnow() + timedelta(days=6)))


def _row(connection_id: int) -> Connection:
    with transaction(readonly=True) as session:
        row = session.get(Connection, connection_id, populate_existing=True)
    assert isinstance(row, Connection)
    return row


def _change(connection_id: int, **values: Any) -> None:
    with transaction() as session:
        session.execute(update(Connection).where(Connection.id == connection_id).values(**values))


def _person(user: User) -> User:
    with transaction(readonly=True) as session:
        found = session.scalar(select(User).where(User.id == user.id).execution_options(populate_existing=True))
    assert isinstance(found, User)
    return found


def _settings(uuid: str = "u-1", **browsing: Any) -> dict[str, Any]:
    user = {"username": "hanako", "vip": True, "ids": {"uuid": uuid}}
    return {"user": user, "account": {"timezone": "Europe/Berlin"}, "browsing": browsing}


def _viewer(account: int = 7, **options: Any) -> dict[str, Any]:
    return {"data": {"Viewer": {"id": account, "name": "hanako", "options": options}}}


def test_trakt_says_who_it_is_and_how_it_counts(app: Flask, user: User, web: Any) -> None:
    connection_id = _connect(user)
    web.get(f"{TRAKT}/users/settings", json=_settings(watch_only_once=True))
    check_connection(connection_id)
    row = _row(connection_id)
    assert (row.account_id, row.account_name, row.state) == ("u-1", "hanako", "connected")
    wanted = {"vip": True, "watch_only_once": True, "timezone": "Europe/Berlin"}
    assert wanted.items() <= row.details.items()
    assert row.checked_at is not None


def test_another_account_waits_for_approval(app: Flask, user: User, web: Any) -> None:
    connection_id = _connect(user)
    _change(connection_id, account_id="u-0", account_name="before")
    web.get(f"{TRAKT}/users/settings", json=_settings())
    check_connection(connection_id)
    row = _row(connection_id)
    assert (row.account_id, row.account_name) == ("u-0", "before")
    assert (row.pending_account_id, row.pending_account_name, row.checked_at) == ("u-1", "hanako", None)


def test_one_trakt_account_belongs_to_one_person(app: Flask, user: User, web: Any) -> None:
    other = User(username="other", password_hash="x")
    with transaction() as session:
        session.add(other)
    _change(_connect(other), account_id="u-1")
    connection_id = _connect(user)
    web.get(f"{TRAKT}/users/settings", json=_settings())
    check_connection(connection_id)
    row = _row(connection_id)
    assert (row.state, row.account_id, row.details["problem"]) == ("refused", None, "taken")


def test_anilist_fills_in_zone_and_language_once(app: Flask, user: User, web: Any) -> None:
    connection_id = _connect(user, "anilist")
    web.post(ANILIST, json=_viewer(titleLanguage="ENGLISH", timezone="09:00"))
    check_connection(connection_id)
    assert (_person(user).timezone, _person(user).title_language) == ("+09:00", "english")
    with transaction() as session:
        session.execute(update(User).values(timezone="Asia/Tokyo", title_language="native"))
    check_connection(connection_id)
    assert (_person(user).timezone, _person(user).title_language) == ("Asia/Tokyo", "native")
    assert _row(connection_id).account_id == "7"
    request = web.calls[0].request
    assert request.headers["Referer"] == "https://t.example"
    assert request.headers["User-Agent"].endswith("(+https://t.example)")


def test_a_name_is_looked_up(app: Flask, user: User, web: Any) -> None:
    connection_id = tokens.store_name(user.id, "anilist", "Hanako")
    web.post(ANILIST, json={"data": {"User": {"id": 7, "name": "hanako"}}})
    check_connection(connection_id)
    row = _row(connection_id)
    assert (row.state, row.account_id, row.account_name) == ("name_only", "7", "hanako")


def test_a_name_that_nobody_has_needs_the_person(app: Flask, user: User, web: Any) -> None:
    connection_id = tokens.store_name(user.id, "anilist", "nobody")
    web.post(ANILIST, status=404, json={"errors": [{"message": "Not Found.", "status": 404}], "data": {"User": None}})
    check_connection(connection_id)
    row = _row(connection_id)
    assert (row.state, row.state_reason, row.details["problem"]) == ("reconnect", "reconnect_anilist", "wrong_name")
    tokens.store_name(user.id, "anilist", "hanako")
    web.replace(responses.POST, ANILIST, json={"data": {"User": {"id": 7, "name": "hanako"}}})
    check_connection(connection_id)
    assert (_row(connection_id).state, "problem" in _row(connection_id).details) == ("name_only", False)


def test_a_token_that_anilist_does_not_know_needs_the_person(app: Flask, user: User, web: Any) -> None:
    connection_id = _connect(user, "anilist")
    web.post(ANILIST, status=400, json={"errors": [{"message": "Invalid token", "status": 400}], "data": None})
    check_connection(connection_id)
    assert (_row(connection_id).state, _row(connection_id).state_reason) == ("reconnect", "reconnect_anilist")


def test_a_token_that_trakt_does_not_know_is_renewed_first(app: Flask, user: User, web: Any) -> None:
    connection_id = _connect(user)
    web.get(f"{TRAKT}/users/settings", status=401, body="")
    web.post(TOKEN_URL, json={"access_token": "t2", "refresh_token": "r2", "expires_in": 604800})
    web.get(f"{TRAKT}/users/settings", json=_settings())
    check_connection(connection_id)
    assert _row(connection_id).account_id == "u-1"
    assert tokens.access_token(user.id, "trakt") == "t2"


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [(403, "refused", "app_refused"), (423, "refused", "account_locked"), (503, "connected", None)],
)
def test_what_trakt_refuses_shows_on_the_connection(
    app: Flask, user: User, web: Any, status: int, state: str, reason: str | None
) -> None:
    connection_id = _connect(user)
    web.get(f"{TRAKT}/users/settings", status=status, body="")
    check_connection(connection_id)
    assert (_row(connection_id).state, _row(connection_id).state_reason) == (state, reason)


def test_a_refused_connection_is_good_again_once_it_answers(app: Flask, user: User, web: Any) -> None:
    connection_id = _connect(user)
    _change(connection_id, state="refused", state_reason="app_refused")
    web.get(f"{TRAKT}/users/settings", json=_settings())
    check_connection(connection_id)
    assert (_row(connection_id).state, _row(connection_id).state_reason) == ("connected", None)


def test_a_check_that_finds_nothing_to_ask_asks_nothing(app: Flask, user: User, web: Any) -> None:
    connection_id = _connect(user)
    _change(connection_id, state="reconnect")
    check_connection(connection_id)
    check_connection(4711)
    assert len(web.calls) == 0


def test_an_answer_that_comes_after_a_new_sign_in_counts_nothing(app: Flask, user: User, web: Any) -> None:
    connection_id = _connect(user)

    def answer(_request: Any) -> tuple[int, dict[str, str], str]:
        with app.app_context():
            _connect(user)
        return 200, {}, '{"user": {"ids": {"uuid": "u-old"}}}'

    web.add_callback(responses.GET, f"{TRAKT}/users/settings", callback=answer, content_type="application/json")
    check_connection(connection_id)
    assert _row(connection_id).account_id is None


def test_clients_of_a_person_who_is_not_connected_say_so(app: Flask, user: User) -> None:
    for make in (clients.anilist_for, clients.trakt_for):
        with pytest.raises(Reconnect):
            make(user.id)
    _change(_connect(user), state="reconnect")
    with pytest.raises(Reconnect):
        clients.trakt_for(user.id)


def test_without_an_app_key_trakt_is_refused(app: Flask, user: User) -> None:
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(TRAKT_CLIENT_ID=None)
    _connect(user)
    with pytest.raises(AppRefused):
        clients.trakt_for(user.id)
    assert not clients.trakt_public(user.id).ready


def test_every_request_is_counted_by_service(app: Flask, user: User, web: Any) -> None:
    _connect(user)
    counted: list[str] = []
    web.get(f"{TRAKT}/users/settings", json=_settings())
    web.get(f"{TRAKT}/shows/1/seasons", json=[])
    clients.trakt_for(user.id, count=lambda service, _waited: counted.append(service)).account()
    clients.trakt_public(user.id, count=lambda service, _waited: counted.append(service)).seasons(1)
    assert counted == ["trakt", "trakt"]


def test_tmdb_is_there_only_with_a_key(app: Flask) -> None:
    assert clients.tmdb() is None
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(TMDB_API_KEY="k.k.k")
    assert clients.tmdb() is not None
