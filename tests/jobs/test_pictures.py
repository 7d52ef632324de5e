"""What Trakt has is read when it may have moved, kept, and read back after a run that posted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobs import pictures, runstate
from jobs.errors import AppRefused, IncompleteRead, RateLimited
from jobs.records import Picture, Play, Watched
from jobs.targets.trakt import Trakt
from tests.jobs.sync_fakes import NOW, FakeTrakt, claimed, connect
from webapp.database import transaction
from webapp.models import TraktPicture, User, utcnow


@pytest.fixture
def trakt(user: User, monkeypatch: pytest.MonkeyPatch) -> FakeTrakt:
    connect(user)
    trakt = FakeTrakt(history=[Play(0, n, 1, "episode", 10, 1, n, 1, 0, NOW, "now") for n in (1, 2)])
    monkeypatch.setattr(pictures, "trakt_for", lambda _user_id: trakt)
    return trakt


def current(user: User, trakt: FakeTrakt) -> Picture:
    """Within a run that ends right afterwards."""
    ctx = claimed(user)
    picture = pictures.current_picture(ctx, cast("Trakt", trakt), "uuid-1")
    runstate.finish(ctx, "succeeded")
    return picture


def row() -> TraktPicture:
    with transaction(readonly=True) as session:
        return session.scalars(select(TraktPicture).execution_options(populate_existing=True)).one()


def due_now() -> int:
    with transaction() as session:
        session.execute(update(TraktPicture).values(read_again_at=utcnow()))
        return session.scalars(select(TraktPicture.id)).one()


def test_a_picture_survives_being_stored(user: User) -> None:
    picture = Picture(
        "uuid-1",
        datetime(2026, 11, 1, 12, 0, 0, 5, UTC),
        {"episodes": "2026-10-01T00:00:00.000Z", "movies": "2026-09-01T00:00:00.000Z"},
        {(10, 0, 3): Watched(1, None), (10, 62, 1000): Watched(3, NOW)},
        {77: Watched(2, NOW)},
    )
    pictures.store(user.id, picture)
    assert pictures.load("uuid-1") == (picture, True)
    assert row().plays == 6


def test_an_older_reading_never_replaces_a_newer_one(user: User) -> None:
    new = Picture("uuid-1", NOW, {}, {(1, 1, 1): Watched(1)}, {})
    pictures.store(user.id, new)
    pictures.store(user.id, Picture("uuid-1", NOW - timedelta(hours=1), {}, {}, {}))
    assert pictures.load("uuid-1") == (new, True)


def test_it_is_reused_for_one_request_while_nothing_moved(user: User, trakt: FakeTrakt) -> None:
    first = current(user, trakt)
    again = current(user, trakt)
    assert again == first
    assert trakt.asked == ["picture", "last_activities"]


def test_it_is_read_again_when_something_moved(user: User, trakt: FakeTrakt) -> None:
    current(user, trakt)
    trakt.moved_at += timedelta(minutes=1)
    trakt.history.pop()
    assert current(user, trakt).total == 1
    assert trakt.asked == ["picture", "last_activities", "picture"]


def test_a_reading_too_close_to_the_newest_watch_is_not_reused(user: User, trakt: FakeTrakt) -> None:
    trakt.moved_at = utcnow() - timedelta(seconds=30)
    current(user, trakt)
    current(user, trakt)
    assert trakt.asked == ["picture", "picture"]


def test_after_a_run_that_posted_it_is_not_trusted_until_it_was_read_back(user: User, trakt: FakeTrakt) -> None:
    current(user, trakt)
    pictures.read_back_later("uuid-1")
    assert not row().settled
    due = row().read_again_at
    assert due is not None
    assert due > utcnow() + timedelta(seconds=55)


@pytest.mark.parametrize("value", ["2026-11-01T10:00:00Z", "2026-11-01T10:00:00.000Z", "2026-11-01T11:00:00+01:00"])
def test_times_are_compared_as_moments_not_as_text(value: str) -> None:
    stored = {"episodes": "2026-11-01T10:00:00.000Z", "movies": ""}
    assert pictures.same_activities(stored, {"episodes": value, "movies": ""})
    assert not pictures.same_activities(stored, {"episodes": value, "movies": value})


def test_the_read_back_settles_the_picture(user: User, trakt: FakeTrakt) -> None:
    current(user, trakt)
    pictures.read_back_later("uuid-1")
    trakt.history.pop()
    pictures.read_back(due_now())
    assert (row().plays, row().settled, row().read_again_at) == (1, True, None)


def test_a_read_back_that_came_too_early_is_repeated(user: User, trakt: FakeTrakt) -> None:
    current(user, trakt)
    trakt.moved_at = utcnow()
    pictures.read_back(due_now())
    assert not row().settled
    assert row().read_again_at is not None


def test_a_read_back_that_is_not_due_asks_nothing(user: User, trakt: FakeTrakt) -> None:
    current(user, trakt)
    trakt.asked.clear()
    pictures.read_back_later("uuid-1")
    pictures.read_back(row().id)
    pictures.read_back(4711)
    assert trakt.asked == []


def test_a_read_back_leaves_an_account_alone_while_a_run_is_at_work(user: User, trakt: FakeTrakt) -> None:
    current(user, trakt)
    claimed(user)
    trakt.asked.clear()
    with transaction() as session:
        session.execute(update(TraktPicture).values(read_again_at=utcnow()))
    pictures.read_back(row().id)
    assert trakt.asked == []
    assert row().read_again_at is not None


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (RateLimited("429", seconds=90), True),
        (IncompleteRead("A page is missing."), True),
        (AppRefused("The app is gone."), False),
    ],
)
def test_a_read_back_that_failed_is_tried_again_unless_a_person_must_act(
    user: User, trakt: FakeTrakt, monkeypatch: pytest.MonkeyPatch, error: Exception, again: bool
) -> None:
    current(user, trakt)

    def fail(_account_id: str) -> Any:
        raise error

    monkeypatch.setattr(trakt, "picture", fail)
    pictures.read_back(due_now())
    assert (row().read_again_at is not None) == again
    assert row().note == str(error)
    assert row().plays == 2


def test_how_long_reads_lag_is_a_setting(app: Flask, user: User) -> None:
    began = NOW + timedelta(seconds=5)
    picture = Picture("uuid-1", began, {"episodes": NOW.isoformat(), "movies": ""}, {}, {})
    assert not pictures.is_settled(picture)
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(TRAKT_SETTLE_SECONDS=5.0)
    assert pictures.is_settled(picture)
