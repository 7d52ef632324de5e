"""AniList's sign-in lasts a year: the person is told 30 days, 7 days and 1 day before, once each."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.web.conftest import Browser
from webapp import expiry, tokens
from webapp.database import transaction
from webapp.grants import GrantRefused, Service, Tokens
from webapp.models import Connection, Log, utcnow

NOTICE = "Your AniList sign-in ends at"


class Signed:
    """A person who is signed in, each step in an app context of its own, as in the tick."""

    def __init__(self, site: Flask, user_id: int) -> None:
        self.site, self.user_id = site, user_id

    def sign_in(self, service: Service, token: Tokens) -> None:
        with self.site.app_context():
            tokens.store(self.user_id, service, token)

    def ends(self, moment: datetime) -> None:
        with self.site.app_context(), transaction() as session:
            session.execute(update(Connection).values(expires_at=moment))

    def tick(self, now: datetime) -> None:
        with self.site.app_context():
            expiry.warn(now)

    @property
    def lines(self) -> list[str]:
        with self.site.app_context(), transaction(readonly=True) as session:
            return list(session.scalars(select(Log.message).where(Log.level == "warning").order_by(Log.id)))

    def notice(self, now: datetime) -> expiry.Ending | None:
        with self.site.app_context(), transaction(readonly=True) as session:
            return expiry.notice(session.scalars(select(Connection)).all(), now)


@pytest.fixture
def person(site: Flask, hanako: int) -> Signed:
    """The sign-in at AniList ends in 40 days."""
    signed = Signed(site, hanako)
    signed.sign_in("anilist", Tokens("jwt", None, utcnow() + timedelta(days=40)))
    return signed


def test_each_of_the_three_warnings_comes_once(person: Signed) -> None:
    start = utcnow()
    end = start + timedelta(days=40)
    person.ends(end)
    told, before = [], 0
    for hour in range(0, 42 * 24, 4):
        person.tick(start + timedelta(hours=hour))
        if len(person.lines) > before:
            told.append(hour / 24)
            before += 1
    assert told == [10, 33, 39]
    assert [line.partition(",")[0] for line in person.lines] == [
        "AniList: the sign-in ends in 30 days",
        "AniList: the sign-in ends in 7 days",
        "AniList: the sign-in ends within a day",
    ]
    assert f"{end:%Y-%m-%d}" in person.lines[0]


def test_the_notice_stands_on_home_until_it_is_put_away_and_comes_again_for_the_next(
    person: Signed, browser: Browser
) -> None:
    now = utcnow()
    person.tick(now)
    assert NOTICE not in browser.get("/")
    person.ends(now + timedelta(days=29))
    person.tick(now)
    person.tick(now)
    assert browser.get("/").count(NOTICE) == 1
    assert NOTICE in browser.get("/", hx=True)
    assert browser.post("/ending/anilist/hide") == "/"
    person.tick(now)
    assert NOTICE not in browser.get("/")
    later = now + timedelta(days=23)
    assert person.notice(later) is None
    person.tick(later)
    assert person.notice(later) is not None


def test_a_new_sign_in_ends_the_notice_and_is_warned_of_in_its_turn(person: Signed, browser: Browser) -> None:
    person.ends(utcnow() + timedelta(days=6))
    person.tick(utcnow())
    assert NOTICE in browser.get("/")
    person.sign_in("anilist", Tokens("newer", None, utcnow() + timedelta(days=365)))
    assert NOTICE not in browser.get("/")
    person.tick(utcnow() + timedelta(days=360))
    assert len(person.lines) == 2


def test_what_is_renewed_by_itself_or_works_no_more_is_not_warned_of(person: Signed) -> None:
    person.sign_in("trakt", Tokens("t", "renews", utcnow() + timedelta(days=2)))
    person.ends(utcnow() + timedelta(days=2))
    with person.site.app_context():
        tokens.token_refused(person.user_id, "anilist", "jwt")
    person.tick(utcnow())
    assert person.lines == []
    with person.site.app_context():
        tokens.store_name(person.user_id, "anilist", "hanako")
    person.tick(utcnow())
    assert person.lines == []


def test_a_notice_that_is_not_there_can_be_put_away_and_an_unknown_service_has_none(
    person: Signed, browser: Browser
) -> None:
    assert browser.post("/ending/trakt/hide") == "/"
    browser.post("/ending/crunchyroll/hide", status=404)


def test_the_connections_say_until_when(person: Signed, browser: Browser) -> None:
    assert "Signed in until" in browser.get("/settings/connections")


def test_a_sign_in_that_trakt_has_ended_is_told_on_home(
    person: Signed, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only `invalid_grant` ends in `reconnect_trakt`, and that can be seen."""

    def refuse(*_arguments: object) -> Tokens:
        raise GrantRefused("invalid_grant", "session not found")

    monkeypatch.setattr(tokens, "refresh_grant", refuse)
    monkeypatch.setattr(tokens, "app_credentials", lambda *_arguments: ("app", None))
    person.sign_in("trakt", Tokens("old", "r1", utcnow() + timedelta(hours=3)))
    assert "signed us out" not in browser.get("/")
    with person.site.app_context():
        assert tokens.access_token(person.user_id, "trakt") is None
    assert "Trakt signed us out" in browser.get("/")
