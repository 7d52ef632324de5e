"""Times as people read them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from flask_babel import force_locale

from tests.web.conftest import Browser
from webapp import times
from webapp.i18n import ngettext, number
from webapp.models import utcnow
from webapp.naming import ranges
from webapp.views.logs import numbers


@pytest.fixture(autouse=True)
def context(words_app: Flask) -> Iterator[None]:
    with words_app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Europe/Berlin", "CET"), ("Asia/Tokyo", "JST"), ("+09:00", "UTC+9"), ("-03:30", "UTC-3:30"), ("America/Sao_Paulo", "UTC-3"),
        ("Asia/Kolkata", "IST"), ("UTC", "UTC"), (None, "UTC"), ("Nowhere/Land", "UTC"), ("../etc/passwd", "UTC"),
    ],
)  # fmt: skip
def test_the_zone_is_named(monkeypatch: pytest.MonkeyPatch, zone: str | None, said: str) -> None:
    monkeypatch.setattr(times, "person_zone", lambda: times.zone_of(zone))
    winter = datetime(2023, 1, 12, 12, 0, tzinfo=UTC)
    assert times.zone_name(winter) == said
    assert times.when(winter).endswith(said)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("Europe/Berlin", True), ("+09:00", True), ("-14:59", True), ("+15:00", False), ("Berlin", False), ("", False)],
)
def test_what_is_a_zone(name: str, is_one: bool) -> None:
    assert times.is_zone(name) is is_one


def test_days_near_by_have_names() -> None:
    today = utcnow().date()
    assert times.day_words(today) == "today"
    assert times.day_words(today - timedelta(days=1)) == "yesterday"
    assert times.day_words(today + timedelta(days=1)) == "tomorrow"
    assert times.day_words(date(2023, 3, 12)) == "12 Mar 2023"


def test_a_missing_moment_is_a_dash() -> None:
    assert {times.when(None), times.clock(None), times.ago(None), times.hours_minutes(None)} == {"–"}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.2, "less than a second"),
        (1, "1 second"),
        (41, "41 seconds"),
        (180, "3 minutes"),
        (13_560, "3 h 46 min"),
        (259_200, "3 days"),
    ],
)
def test_how_long_it_lasted(seconds: float, said: str) -> None:
    assert times.lasted(seconds) == said


def test_numbers_are_written_as_ranges_and_read_again() -> None:
    assert ranges([7, 1, 2, 3, 3]) == "1-3, 7"
    assert numbers("118-120,125") == {118, 119, 120, 125}
    assert numbers("") == numbers("nonsense,-,3-x") == set()
    assert len(numbers("1-99999999")) <= 2002


def test_times_fit_into_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    noon = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    monkeypatch.setattr(times, "utcnow", lambda: noon)
    assert times.clock(noon) == "12:00 UTC"
    assert times.clock(noon + timedelta(days=1)) == "12:00 UTC tomorrow"
    assert times.clock(noon + timedelta(days=4)) == "12:00 UTC on 24 Nov"
    assert times.clock(times.FAR) == "you say otherwise"
    assert times.on(noon) == "today, 12:00 UTC"
    assert times.on(noon - timedelta(days=17)) == "on 3 Nov, 12:00 UTC"


@pytest.mark.parametrize(
    ("language", "day", "thousands"),
    [("fi", "12.3.2023, 14.02 UTC", "1\xa0234\xa0567"), ("en", "12 Mar 2023, 14:02 UTC", "1,234,567")],
)
def test_days_clocks_and_numbers_are_written_as_the_language_does(language: str, day: str, thousands: str) -> None:
    with force_locale(language):
        assert times.when(datetime(2023, 3, 12, 14, 2, tzinfo=UTC)) == day
        assert number(1_234_567) == thousands
        assert ngettext("%(num)s play", "%(num)s plays", 1_234_567) == f"{thousands} plays"


def test_the_browser_chooses_among_the_languages_that_there_are(stranger: Browser) -> None:
    for asked in ("fi", "pt-BR, en;q=0.5", "*", "x" * 500):
        answer = stranger.client.get("/login", headers={"Accept-Language": asked}, follow_redirects=True)
        assert '<html lang="en">' in answer.text
