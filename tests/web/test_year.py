"""The year of plays: which days count, where their squares stand, and the same in words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Flask

from tests.web.conftest import Browser
from webapp import queries, year
from webapp.extensions import db
from webapp.models import PlayRow

TODAY = date(2026, 11, 21)  # a Saturday


def test_a_square_stands_in_its_week_and_weekday(site: Flask) -> None:
    with site.test_request_context():
        drawn = year.draw({TODAY: 1, TODAY - timedelta(weeks=52, days=5): 12, TODAY - timedelta(weeks=60): 9}, TODAY)
    assert drawn is not None
    assert drawn.levels[1] == "M52.1 5.1h.8v.8h-.8z"
    assert drawn.levels[4] == "M0.1 0.1h.8v.8h-.8z"
    assert sum(path.count("M") for path in drawn.levels) == 52 * 7 + 6
    assert drawn.label.startswith("13 plays on 2 days. Most on 17 Nov 2025: 12")
    assert [(plays, days) for _name, plays, days in drawn.months] == [(1, 1), (12, 1)]


def test_a_year_without_plays_is_not_drawn(site: Flask) -> None:
    with site.test_request_context():
        assert year.draw({TODAY - timedelta(weeks=60): 9, TODAY + timedelta(days=1): 1}, TODAY) is None


def test_levels_rise_with_the_plays() -> None:
    assert [year.level(count) for count in (0, 1, 2, 3, 5, 6, 10, 11, 500)] == [0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_a_play_counts_on_the_day_of_the_persons_zone(site: Flask, hanako: int) -> None:
    moments = (datetime(2026, 11, 20, 18, 29, 59, tzinfo=UTC), datetime(2026, 11, 20, 18, 30, tzinfo=UTC))
    with site.app_context():
        for number, moment in enumerate(moments, 1):
            db.session.add(
                PlayRow(
                    user_id=hanako,
                    source_account="1",
                    anilist_id=1,
                    episode=number,
                    target_account="1",
                    kind="episode",
                    trakt_id=1,
                    season=1,
                    number=number,
                    state="sent",
                    watched_at=moment,
                )
            )
        db.session.add(
            PlayRow(
                user_id=hanako,
                source_account="1",
                anilist_id=1,
                episode=3,
                target_account="1",
                kind="episode",
                trakt_id=1,
                season=1,
                number=3,
                state="gone",
                watched_at=moments[0],
            )
        )
        db.session.commit()
        days = queries.plays_by_day(hanako, ZoneInfo("Asia/Kolkata"), moments[0] - timedelta(days=9))
    assert days == {date(2026, 11, 20): 1, date(2026, 11, 21): 1}


def test_home_draws_the_year_and_says_it_in_words(small: Browser) -> None:
    text = small.get("/")
    assert 'class="heat-4"' in text
    assert "Plays by month" in text
    small.get("/budgets")
    assert "<html" not in small.get("/budgets", hx=True)
