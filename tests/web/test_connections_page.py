"""The page of connections: how each does, the ways to connect and what each of them needs."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from tests import html
from tests.web.conftest import Browser
from webapp import enqueue
from webapp.extensions import db
from webapp.models import Connection, OAuthFlow, utcnow

PAGE = "/settings/connections"


def change(site: Flask, service: str, **values: Any) -> None:
    with site.app_context():
        db.session.execute(update(Connection).where(Connection.service == service).values(**values))
        db.session.commit()


def section(text: str, service: str) -> str:
    return next(one.text for one in html.check(text).named("section") if one.attrs.get("id") == service)


def buttons(text: str) -> list[str]:
    return [one.text.strip() for one in html.check(text).named("button")]


def test_a_connection_that_works_says_who_when_and_until(small: Browser, site: Flask) -> None:
    change(site, "trakt", access_token="x", refresh_token="y", expires_at=utcnow() + timedelta(days=400), details={"vip": True})  # fmt: skip
    said = " ".join(section(small.get(PAGE), "trakt").split())
    assert "Signed in. Nothing to do." in said
    assert "Accounthanako VIP" in said
    assert re.search(r"Last good answer\w+.*, 12:00 UTC", said)
    assert "Signed in until" in said
    assert "renewed by itself before that" in said


@pytest.mark.parametrize(
    ("reason", "words", "link"),
    [
        ("vip_required", "it belongs to an account without VIP. Your list, plan and history here are safe, and nothing was half-sent.", "https://trakt.tv/vip"),
        ("app_refused", "Either the app was deleted, VIP has ended, or the app was blocked. Open your apps on Trakt to see which.", "https://app.trakt.tv/settings/apps/api"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_it_means_and_where_to_look(small: Browser, site: Flask, reason: str, words: str, link: str) -> None:  # fmt: skip
    change(site, "trakt", state="refused", state_reason=reason)
    text = small.get(PAGE)
    assert words in " ".join(section(text, "trakt").split())
    assert f'href="{link}"' in text
    assert "Check again" in section(text, "trakt")


def test_a_connection_is_checked_again(small: Browser, site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def put(connection_id: int) -> bool:
        asked.append(connection_id)
        return len(asked) == 1

    monkeypatch.setattr(enqueue, "connection_check", put)
    assert small.post("/oauth/trakt/check") == f"{PAGE}#trakt"
    assert "We ask Trakt. Its answer stands here in a moment." in small.get(PAGE)
    small.post("/oauth/trakt/check")
    assert "The queue does not answer, so Trakt was not asked." in small.get(PAGE)
    assert len(asked) == 2
    change(site, "trakt", state="disconnected")
    small.post("/oauth/trakt/check", status=404)


def test_each_way_to_connect_says_what_it_needs(browser: Browser) -> None:
    text = browser.get(PAGE)
    anilist = section(text, "anilist")
    for words in ("Needs a public list, and nothing else.", "Needs your AniList app", "Needs an AniList app with this return address:", "Needs no app here."):  # fmt: skip
        assert words in anilist
    assert "Since July 2026 Trakt gives API keys to VIP members only." in section(text, "trakt")
    assert "https://app.trakt.tv/settings/apps/api" in text
    assert "https://anilist.co/settings/developer" in text


def test_the_ways_to_sign_in_to_trakt_come_with_its_app(small: Browser, site: Flask) -> None:
    change(site, "trakt", state="disconnected", app_id="client")
    trakt = section(small.get(PAGE), "trakt")
    for words in ("Needs the client ID alone.", "Needs the return address above in your app.", "urn:ietf:wg:oauth:2.0:oob"):  # fmt: skip
        assert words in trakt


def test_every_return_address_can_be_copied(small: Browser, site: Flask) -> None:
    change(site, "trakt", app_id="client")
    copies = {one.attrs["data-copy"] for one in html.check(small.get(PAGE)).named("button") if "data-copy" in one.attrs}
    assert {address.rsplit("/", 3)[-3:][0] for address in copies if address.endswith("/callback")} == {"oauth"}
    assert {address for address in copies if not address.endswith("/callback")} == {"urn:ietf:wg:oauth:2.0:oob", "http://127.0.0.1:9/anilist/oauth/pin"}  # fmt: skip


def test_what_is_connected_folds_the_ways_away(small: Browser, browser: Browser) -> None:
    details = [one for one in html.check(small.get(PAGE)).named("details") if "choices" not in one.attrs.get("class", "")]  # fmt: skip
    folded = {one.text.strip().splitlines()[0] for one in details if "open" not in one.attrs}
    assert "Connect in another way, or as somebody else" in folded


def test_a_code_to_type_shows_how_long_it_is_valid(small: Browser, site: Flask, hanako: int) -> None:
    with site.app_context():
        now = utcnow()
        later = now + timedelta(minutes=10)
        db.session.add(OAuthFlow(state="s" * 20, user_id=hanako, service="trakt", kind="device", created_at=now, expires_at=later, device={"user_code": "5055CC52", "verification_url": "https://trakt.tv/activate", "interval": 5, "next_poll": later.timestamp()}))  # fmt: skip
        db.session.commit()
    page = html.check(small.get(f"/oauth/trakt/device/{'s' * 20}"))
    (bar,) = page.named("progress")
    assert (bar.attrs["max"], 590 <= int(bar.attrs["value"]) <= 600) == ("600", True)
    (left,) = [one for one in page.elements if "data-countdown" in one.attrs]
    assert left.text in ("10:00", *(f"9:{second}" for second in range(50, 60)))
