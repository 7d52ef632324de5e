"""The gate of /cron and the interval of SCHEDULE."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update

from tests.at_once import at_once
from webapp import preferences, schedule
from webapp.config import Config
from webapp.extensions import db
from webapp.models import Connection, Run, User, utcnow
from webapp.schedule import Door

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def config(config: Config) -> Config:
    return config.replace(SCHEDULE=6 * 3600, CRON_MIN_HOURS=6.0)


@pytest.fixture
def person(user: User) -> User:
    """A person who has connected both ends."""
    for service in ("anilist", "trakt"):
        db.session.add(Connection(user_id=user.id, service=service, state="connected"))
    db.session.commit()
    return user


NOW = utcnow()


def past(user: User, ago: timedelta, **values: Any) -> Run:
    began = NOW - ago
    given = {"mode": "full", "trigger": "cron", "status": "succeeded", "finished_at": began + MINUTE} | values
    run = Run(user_id=user.id, created_at=began, started_at=began, **given)
    db.session.add(run)
    db.session.commit()
    return run


def reason(user: User, door: Door, at: datetime = NOW) -> str | None:
    found = schedule.gate(user, door, at)
    db.session.commit()
    assert found.due == (found.reason is None)
    return found.reason


@pytest.mark.parametrize("door", ["cron", "schedule"])
def test_the_first_call_is_due(person: User, door: Door) -> None:
    assert reason(person, door) is None


@pytest.mark.parametrize("trigger", ["cron", "schedule"])
@pytest.mark.parametrize(
    ("door", "ago", "expected"),
    [
        ("cron", 6 * HOUR - 11 * MINUTE, "too_soon"),
        ("cron", 6 * HOUR - 10 * MINUTE, None),
        ("schedule", 6 * HOUR - MINUTE, "too_soon"),
        ("schedule", 6 * HOUR, None),
    ],
)
def test_each_door_counts_from_the_start_of_the_last_automated_run(
    person: User, door: Door, trigger: str, ago: timedelta, expected: str | None
) -> None:
    past(person, ago, trigger=trigger)
    assert reason(person, door) == expected


def test_a_scheduler_that_calls_every_six_hours_gets_four_runs_a_day(person: User) -> None:
    began = 0
    for call in range(8):  # two days, each call a little later or earlier than the last
        at = NOW + call * 6 * HOUR + timedelta(seconds=(90, 20, 0, 200)[call % 4])
        if reason(person, "cron", at) is None:
            began += 1
            past(person, NOW - at, status="succeeded")
    assert began == 8


@pytest.mark.parametrize("trigger", ["page", "api"])
def test_a_run_by_hand_never_closes_the_gate(person: User, trigger: str) -> None:
    past(person, MINUTE, trigger=trigger)
    assert reason(person, "cron") is None


@pytest.mark.parametrize(("ago", "expected"), [(29 * MINUTE, "too_soon"), (31 * MINUTE, None)])
def test_a_failed_run_opens_the_gate_after_half_an_hour(person: User, ago: timedelta, expected: str | None) -> None:
    past(person, ago + MINUTE, status="failed", finished_at=NOW - ago)
    assert reason(person, "cron") == expected


def test_a_partial_run_counts_as_a_run(person: User) -> None:
    past(person, HOUR, status="partial")
    assert reason(person, "cron") == "too_soon"


@pytest.mark.parametrize("status", ["queued", "running", "waiting"])
def test_an_open_run_counts_as_not_due(person: User, status: str) -> None:
    past(person, 20 * HOUR, status=status, trigger="page", finished_at=None)
    assert reason(person, "cron") == "open_run"


def test_an_open_preview_does_not_count(person: User) -> None:
    past(person, HOUR, status="running", trigger="page", preview=True, finished_at=None)
    assert reason(person, "cron") is None


def test_a_run_that_awaits_approval_does_not_close_the_gate_of_cron(person: User) -> None:
    past(person, MINUTE, status="needs_approval", finished_at=None)
    assert reason(person, "cron") is None
    assert reason(person, "schedule") == "too_soon"  # or the tick would make a plan every few seconds


def test_a_paused_account_is_skipped_with_that_reason(person: User) -> None:
    person.paused_until = NOW + HOUR
    db.session.commit()
    assert reason(person, "cron") == "paused"
    assert reason(person, "cron", NOW + 2 * HOUR) is None


def test_a_paused_instance_pauses_everybody_and_the_longer_pause_counts(person: User) -> None:
    preferences.save_instance_pause(NOW + 2 * HOUR)
    person.paused_until = NOW + HOUR
    db.session.commit()
    assert reason(person, "cron") == reason(person, "schedule") == "paused"
    assert schedule.gate(person, "cron", NOW).next_run == NOW + 2 * HOUR
    db.session.commit()
    preferences.save_instance_pause(None)
    assert reason(person, "cron", NOW + HOUR + MINUTE) is None


def test_the_gate_says_when_it_opens(person: User) -> None:
    past(person, HOUR)
    found = schedule.gate(person, "cron", NOW)
    assert found.last_run == NOW - HOUR
    assert found.next_run == NOW + 5 * HOUR - 10 * MINUTE


@pytest.mark.parametrize("missing", ["anilist", "trakt"])
def test_nothing_starts_before_both_ends_are_connected(person: User, missing: str) -> None:
    db.session.execute(delete(Connection).where(Connection.service == missing))
    db.session.commit()
    assert reason(person, "cron") == "not_connected"


def test_a_broken_connection_still_runs_and_its_run_says_what_to_do(person: User) -> None:
    db.session.execute(update(Connection).values(state="reconnect"))
    db.session.commit()
    assert reason(person, "cron") is None


def test_a_schedule_that_is_off_starts_nothing(app: Flask, person: User) -> None:
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(SCHEDULE=0)
    assert reason(person, "schedule") == "off"
    assert schedule.start_due(NOW, "schedule") == []


def test_everyone_who_is_due_gets_one_run(person: User) -> None:
    other = User(username="taro", password_hash="unusable")
    db.session.add(other)
    db.session.commit()
    for service in ("anilist", "trakt"):
        db.session.add(Connection(user_id=other.id, service=service, state="connected"))
    db.session.commit()
    past(other, HOUR)
    started = schedule.start_due(NOW, "cron")
    assert [(run.user_id, run.mode, run.trigger) for run in started] == [(person.id, "full", "cron")]


def test_two_calls_at_once_start_one_run(app: Flask, person: User) -> None:
    def call() -> int:
        with app.app_context():
            started = len(schedule.start_due(NOW, "cron"))
            db.session.remove()
            return started

    assert sum(at_once([call] * 5)) == 1
    assert db.session.scalar(select(func.count()).select_from(Run)) == 1
