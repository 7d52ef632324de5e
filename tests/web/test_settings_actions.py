"""What Settings and Home do: each action without a script, and what it leaves in the database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.web.conftest import Browser, Find
from tests.web.seed import NOW
from webapp import enqueue
from webapp.extensions import db
from webapp.models import Connection, Entry, Log, SystemConfig, User, utcnow

pytestmark = pytest.mark.usefixtures("queue")


# Settings


def test_more_statuses_and_private_entries_are_looked_at_again(site: Flask, small: Browser, find: Find) -> None:
    with site.app_context():
        db.session.scalars(select(Entry)).first().status = "DROPPED"  # type: ignore[union-attr]  # there are some
        db.session.commit()
    small.post("/settings/what", {"statuses": ["COMPLETED", "DROPPED", "NONSENSE"], "send_private": "1"})
    person = find(User)
    assert (person.statuses, person.send_private) == (["COMPLETED", "DROPPED"], True)
    assert find(Entry, status="DROPPED").changed_at is not None
    assert find(Entry, private=True).changed_at is not None
    assert find(Entry, anilist_id=16).changed_at is None
    small.post("/settings/what", {})
    assert (find(User).statuses, find(User).send_private) == ([], False)


def test_filters_are_kept_and_every_entry_is_looked_at_again(site: Flask, small: Browser, find: Find) -> None:
    with site.app_context():
        entry = db.session.scalars(select(Entry).where(Entry.anilist_id == 16)).one()
        entry.custom_lists = ["Later", "With Ken"]
        db.session.commit()
    assert "With Ken" in small.get("/settings")
    data = {
        "statuses": ["COMPLETED"],
        "formats_off": ["OVA", "X"],
        "skip_adult": "1",
        "skip_lists": ["With Ken", "None"],
    }
    small.post("/settings/what", {**data, "not_before": "2024-01-31"})
    assert find(User).filters == {
        "formats_off": ["OVA"], "skip_adult": True, "skip_lists": ["With Ken"], "not_before": "2024-01-31"
    }  # fmt: skip
    changed = find(Entry, anilist_id=16).changed_at
    assert changed is not None
    small.post("/settings/what", {**data, "not_before": "2024-01-31"})
    assert find(Entry, anilist_id=16).changed_at == changed  # nothing new was let in
    text = small.post("/settings/what", {**data, "not_before": "31.1.2024"}, status=422)
    assert "This is no date" in text
    assert "31.1.2024" in text
    assert find(User).filters["not_before"] == "2024-01-31"


@pytest.mark.parametrize("past", [True, False])
def test_rewatches_count_from_the_day_on_which_they_were_turned_on(
    site: Flask, small: Browser, find: Find, past: bool
) -> None:
    with site.app_context():
        db.session.execute(update(Entry).where(Entry.anilist_id == 16).values(repeat=3))
        db.session.commit()
    small.post("/settings/rewatches", {"on": "1", **({"past": "1"} if past else {})})
    entry = find(Entry, anilist_id=16)
    assert find(User).rewatches
    assert (entry.rewatch_base, entry.rewatch_past) == ((0, 3) if past else (3, 0))
    assert entry.changed_at is not None
    with site.app_context():
        db.session.execute(update(Entry).where(Entry.anilist_id == 16).values(repeat=4))
        db.session.commit()
    small.post("/settings/rewatches", {"on": "1"})  # twice turned on is turned on once
    assert find(Entry, anilist_id=16).rewatch_base == (0 if past else 3)
    small.post("/settings/rewatches", {})
    assert not find(User).rewatches


def test_rewatches_wait_until_the_list_was_read(browser: Browser, find: Find) -> None:
    browser.post("/settings/rewatches", {"on": "1", "past": "1"})
    assert "Read your list first" in browser.get("/settings")
    assert not find(User).rewatches


def test_only_an_administrator_pauses_everybody(site: Flask, browser: Browser, find: Find) -> None:
    browser.post("/settings/pause/instance", {"pause": "1d"})
    assert find(SystemConfig, key="pause:until", user_id=None).value > utcnow().isoformat()
    assert "Paused until" in browser.get("/settings")
    with site.app_context():
        db.session.execute(update(User).values(is_admin=False))
        db.session.commit()
    assert "everybody" not in browser.get("/settings")
    browser.post("/settings/pause/instance", {"pause": "off"}, status=403)


def test_dates_zone_and_names_are_kept_or_refused(browser: Browser, find: Find) -> None:
    data = {"date_rule": "released", "title_language": "native", "timezone": "Asia/Tokyo"}
    browser.post("/settings/dates", data)
    person = find(User)
    assert (person.date_rule, person.title_language, person.timezone) == ("released", "native", "Asia/Tokyo")
    assert "JST" in browser.get("/settings")
    text = browser.post("/settings/dates", {**data, "timezone": "Middle/Earth"}, status=422)
    assert "This is no time zone" in text
    assert "Middle/Earth" in text


@pytest.mark.parametrize(("length", "hours"), [("6h", 6), ("1d", 24), ("7d", 168)])
def test_checks_are_paused_for_a_while(browser: Browser, find: Find, length: str, hours: int) -> None:
    browser.post("/settings/pause", {"pause": length})
    left = find(User).paused_until - utcnow()
    assert timedelta(hours=hours - 1) < left <= timedelta(hours=hours)
    assert "Paused until" in browser.get("/settings")
    browser.post("/settings/pause", {"pause": "off"})
    assert find(User).paused_until is None


def test_checks_are_paused_until_told_otherwise(browser: Browser, find: Find) -> None:
    browser.post("/settings/pause", {"pause": "on"})
    assert find(User).paused_until.year == 9999
    browser.get("/settings")
    browser.post("/settings/pause", {"pause": "x"}, status=400)


def test_the_secret_of_the_scheduler_is_shown_to_the_owner(browser: Browser) -> None:
    assert "test-cron-secret" in browser.get("/settings")


# Home


def test_a_cache_is_asked_for_and_its_table_polls_until_it_was_read(
    browser: Browser, queue: list[tuple[str, int]]
) -> None:
    assert browser.post("/caches/fribbs") == "/?under=1#caches"
    assert queue == [("cache", 2)]
    assert "is being read again" in browser.get("/")
    text = browser.post("/caches/otaku", status=200, hx=True)
    assert "every 2s" in text
    browser.post("/caches/nonsense", status=404)


def test_the_table_of_caches_stops_polling_when_the_look_was_made(small: Browser) -> None:
    early = (utcnow() - timedelta(seconds=30)).isoformat().replace("+", "%2B")
    assert "every 2s" in small.get(f"/caches?name=otaku&asked={early}", hx=True)
    late = (utcnow() - timedelta(minutes=10)).isoformat().replace("+", "%2B")
    assert "every 2s" not in small.get(f"/caches?name=otaku&asked={late}", hx=True)
    assert "every 2s" not in small.get("/caches?name=otaku&asked=nonsense", hx=True)
    assert small.client.get("/caches").location == "/?under=1#caches"


def test_changes_say_nothing_until_something_happened(site: Flask, small: Browser) -> None:
    text = small.get("/changes", hx=True)
    mark = text.split("since=")[1].split('"')[0]
    small.get(f"/changes?since={mark}", hx=True, status=204)
    with site.app_context():
        db.session.add(Log(user_id=1, level="info", message="new"))
        db.session.commit()
    small.get(f"/changes?since={mark}", hx=True)
    assert small.last is not None
    assert small.last.headers["HX-Trigger"] == "changed"


def state_of(site: Flask, **connections: str) -> None:
    with site.app_context():
        for service, state in connections.items():
            db.session.add(
                Connection(
                    user_id=1, service=service, state=state, state_since=NOW - timedelta(days=60), account_id=service
                )
            )
        db.session.commit()


@pytest.mark.parametrize(
    ("connections", "said", "step"),
    [
        ({}, "Let&#39;s look at your library first.", "Step 2 of 5: connect AniList"),
        ({"anilist": "name_only"}, "The mapping caches are being filled.", "Step 3 of 5: fill the mapping caches"),
        ({"anilist": "connected", "trakt": "connected"}, "Ready for the first look.", "Step 3 of 5"),
        ({"anilist": "connected", "trakt": "reconnect"}, "Trakt signed us out on 21 Sep", "Step 3 of 5"),
        ({"anilist": "refused", "trakt": "connected"}, "AniList refuses this app.", "Trakt"),
    ],
)
def test_home_says_what_is_next(
    site: Flask, browser: Browser, connections: dict[str, str], said: str, step: str
) -> None:
    state_of(site, **connections)
    text = browser.get("/")
    assert said in text
    assert step in text


def test_home_names_the_list_that_anilist_does_not_have(site: Flask, browser: Browser) -> None:
    state_of(site, anilist="name_only")
    with site.app_context():
        row = db.session.scalars(db.select(Connection)).one()
        row.account_name, row.details = "hanakko", {"problem": "wrong_name"}
        db.session.commit()
    text = browser.get("/")
    assert "AniList has no public list of hanakko." in text
    assert "Look at the spelling, or sign in instead." in text


def test_the_name_typed_on_home_leads_back_there(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enqueue, "connection_check", lambda _id: True)
    assert "Read my list" in browser.get("/")
    assert browser.post("/oauth/anilist/name", {"name": "!", "first": "1"}) == "/"
    assert "An AniList name has" in browser.get("/")
    assert browser.post("/oauth/anilist/name", {"name": "hanako", "first": "1"}) == "/"
    assert "We look for the list of hanako." in browser.get("/")
    assert browser.post("/oauth/anilist/name", {"name": "hanako"}).startswith("/settings/connections")


def test_home_shows_three_decisions_at_most(small: Browser) -> None:
    text = small.get("/")
    assert text.count(">Decide<") == 3
    assert "All 10" in text
    assert '<b class="count">14' in text
