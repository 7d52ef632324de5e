"""A sign-in that many processes use: one of them renews it, the others go on with what it got. Real processes and requests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import current_app
from sqlalchemy import select, update

from jobs import tick, upkeep
from jobs.clients import trakt_for
from tests.processes import in_processes
from webapp import enqueue, tokens
from webapp.app import create_app
from webapp.config import load
from webapp.database import transaction
from webapp.extensions import db
from webapp.grants import Tokens
from webapp.models import Connection, User, utcnow
from webapp.simulator import constants
from webapp.simulator.process import Running

PROCESSES = 8
REFRESH = {"service": "trakt-auth", "method": "POST", "path": "/oauth/token"}
SLOWLY = {**REFRESH, "kind": "delay", "seconds": 0.7, "count": 0}  # long enough for all to meet the claim


@pytest.fixture
def user_id(settings: dict[str, str], sim: Running) -> Iterator[int]:
    """A person whose Trakt token ended a minute ago."""
    sim.post("tokens", {"expire": "trakt"})
    with create_app(load(settings)).app_context():
        db.create_all()
        person = User(username="hanako", password_hash="unusable", is_admin=True)
        db.session.add(person)
        db.session.commit()
        ended = utcnow() - timedelta(minutes=1)
        tokens.store(person.id, "trakt", Tokens(constants.TRAKT_ACCESS_TOKEN, constants.TRAKT_REFRESH_TOKEN, ended))
        yield person.id
        db.session.remove()
        db.engine.dispose()


def refreshes(sim: Running) -> int:
    return int(sim.get("requests").get("trakt-auth", {"total": 0})["total"])


def change(**values: Any) -> None:
    with transaction() as session:
        session.execute(update(Connection).values(**values))


def connection() -> Connection:
    with transaction(readonly=True) as session:
        return session.scalars(select(Connection).execution_options(populate_existing=True)).one()


def ask_trakt(user_id: int) -> list[str | None]:
    """In each process: whose account is it, and which token is used now?"""
    account = trakt_for(user_id).account()
    return [account.name, tokens.access_token(user_id, "trakt")]


def find_token(user_id: int) -> str | None:
    """In each process: a token to use."""
    return tokens.access_token(user_id, "trakt")


def test_eight_processes_that_find_an_expired_token_send_one_refresh_and_all_go_on(
    sim: Running, settings: dict[str, str], user_id: int
) -> None:
    sim.post("faults", SLOWLY)
    answers = in_processes(settings, PROCESSES, f"{__name__}:ask_trakt", user_id)
    assert refreshes(sim) == 1
    assert len(answers) == PROCESSES
    ((name, token),) = {tuple(answer) for answer in answers}
    assert name == constants.TRAKT_ACCOUNT
    assert token not in (None, constants.TRAKT_ACCESS_TOKEN)
    assert (connection().state, connection().refreshing_until) == ("connected", None)


def test_eight_processes_whose_token_trakt_refuses_send_one_refresh_and_all_go_on(
    sim: Running, settings: dict[str, str], user_id: int
) -> None:
    """By our calendar it has five days left; Trakt says 401 to all of them at once."""
    change(expires_at=utcnow() + timedelta(days=5))
    sim.post("faults", SLOWLY)
    answers = in_processes(settings, PROCESSES, f"{__name__}:ask_trakt", user_id)
    assert refreshes(sim) == 1
    assert [answer[0] for answer in answers] == [constants.TRAKT_ACCOUNT] * PROCESSES


@pytest.mark.parametrize("kind", ["drop_before", "drop_after_apply"])
def test_a_lost_answer_costs_one_more_refresh_with_the_same_token(
    sim: Running, settings: dict[str, str], user_id: int, kind: str
) -> None:
    """What Trakt had not applied works the second time; what it had is used up, and only that signs the person out."""
    change(expires_at=utcnow() + timedelta(hours=3))
    sim.post("faults", {**REFRESH, "kind": kind})
    answers = set(in_processes(settings, PROCESSES, f"{__name__}:find_token", user_id))
    assert refreshes(sim) == 2
    row = connection()
    if kind == "drop_before":
        assert (row.state, row.refreshing_until) == ("connected", None)
        assert len(answers - {constants.TRAKT_ACCESS_TOKEN}) == 1
    else:
        assert (row.state, row.state_reason) == ("reconnect", "reconnect_trakt")
        assert answers <= {
            None,
            constants.TRAKT_ACCESS_TOKEN,
        }  # whoever met the claim took the token that was still good


def test_while_no_answer_comes_the_old_token_is_used_and_nobody_else_asks(
    sim: Running, settings: dict[str, str], user_id: int
) -> None:
    change(expires_at=utcnow() + timedelta(hours=3))
    sim.post("faults", {**REFRESH, "kind": "status", "status": 503, "count": 0})
    answers = in_processes(settings, PROCESSES, f"{__name__}:find_token", user_id)
    assert answers == [constants.TRAKT_ACCESS_TOKEN] * PROCESSES
    assert refreshes(sim) == 2
    assert connection().state == "connected"


def test_the_tick_has_a_token_renewed_that_ends_within_a_day(
    sim: Running, user_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def note(number: int) -> bool:
        asked.append(number)
        return True

    monkeypatch.setattr(enqueue, "token_refresh", note)
    ticker = tick.Tick(current_app._get_current_object())  # type: ignore[attr-defined]  # what Flask's own docs use
    change(expires_at=utcnow() + timedelta(hours=25))
    ticker.refresh_tokens(utcnow())
    assert asked == []
    change(expires_at=utcnow() + timedelta(hours=23))
    ticker.refresh_tokens(utcnow())
    assert asked == [connection().id]
    upkeep.refresh_token(connection().id)
    assert refreshes(sim) == 1
    left = connection().expires_at
    assert left is not None
    assert left > utcnow() + timedelta(days=6)
