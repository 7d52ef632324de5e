"""What goes wrong in a whole run: refusals, lost answers, the end of a worker; each leaves a named state."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobs import plans, refresh, runstate, selection
from jobs.errors import AppRefused, IncompleteRead, RateLimited, Reconnect, ServiceDown
from jobs.records import Receipt
from jobs.said import said
from tests.jobs.sync_fakes import (
    entry,
    entry_row,
)
from tests.jobs.sync_world import World, items, progress, timestamp
from webapp.database import transaction
from webapp.models import (
    Connection,
    Log,
    Run,
    utcnow,
)


def test_a_run_waits_where_the_service_says_so_and_goes_on(world: World) -> None:
    world.anilist.put(entry(1))
    world.trakt.answers = [Receipt("refused", http_status=429, code="rate_limited", retry_after=90)]
    run = world.run()
    assert (run.status, run.reason, run.lock_key) == ("waiting", "rate_limited", f"trakt:{world.user.id}")
    assert run.resume_at is not None
    assert run.resume_at > utcnow() + timedelta(seconds=60)
    dates = {play.watched_at for play in plans.load(run.id)}
    run = world.go_on(run.id)
    assert (run.status, run.plays_sent, run.attempt, run.result["synced"]) == ("succeeded", 12, 2, 12)
    assert {play.watched_at for play in world.trakt.history} == dates


def test_a_lost_answer_is_settled_before_anything_is_sent_again(app: Flask, world: World) -> None:
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(TRAKT_SETTLE_SECONDS=0.0)
    world.anilist.put(entry(1))
    world.trakt.answers = [Receipt("doubt", http_status=504, detail="no answer")]
    run = world.run()
    while run.status == "waiting":
        run = world.go_on(run.id)
    assert (run.status, run.plays_sent) == ("succeeded", 12)
    assert len(world.plays) == 12
    assert run.result["settled"] == {"arrived": 0, "again": 12}


@pytest.mark.parametrize(
    ("error", "status", "reason", "state"),
    [
        (AppRefused("The app was deleted.", service="trakt"), "failed", "app_refused", "refused"),
        (Reconnect("trakt", "Signed out."), "failed", "reconnect_trakt", "reconnect"),
        (IncompleteRead("A page is missing.", service="trakt"), "failed", "incomplete_read", "connected"),
        (ServiceDown("502", service="trakt", seconds=300), "waiting", "service_down", "connected"),
        (RateLimited("429", service="trakt", seconds=90), "waiting", "rate_limited", "connected"),
    ],
)
def test_a_service_that_refuses_leaves_the_run_in_a_named_state(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception, status: str, reason: str, state: str
) -> None:
    def fail(_account_id: str) -> Any:
        raise error

    monkeypatch.setattr(world.trakt, "picture", fail)
    world.anilist.put(entry(1))
    run = world.run()
    assert (run.status, run.reason) == (status, reason)
    assert run.detail
    with transaction(readonly=True) as session:
        assert session.scalars(select(Connection.state).where(Connection.service == "trakt")).one() == state
    assert (world.trakt.history, timestamp(world), progress(world)) == ([], None, {})


def test_a_connection_that_answers_again_is_good_again(world: World) -> None:
    with transaction() as session:
        session.execute(update(Connection).values(state="refused", state_reason="app_refused"))
    world.anilist.put(entry(1))
    world.run()
    with transaction(readonly=True) as session:
        assert set(session.scalars(select(Connection.state))) == {"connected"}


def test_a_run_that_stops_half_way_is_partial_and_the_next_one_sends_the_rest(app: Flask, world: World) -> None:
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(TRAKT_BATCH_SIZE=6)
    world.anilist.put(entry(1), entry(2))
    real = world.trakt.post_plays
    calls: list[int] = []

    def second_refused(batch: Any) -> Receipt:
        calls.append(len(batch))
        return real(batch) if len(calls) < 2 else Receipt("refused", http_status=403, code="app_refused", detail="403")

    world.trakt.post_plays = second_refused  # type: ignore[assignment,method-assign]  # one answer of many
    run = world.run()
    assert (run.status, run.reason, run.plays_sent, run.result["synced"]) == ("partial", "app_refused", 6, 6)
    assert timestamp(world) is None
    assert {i: row.outcome for i, row in items(run).items()} == {1: "sent_in_part", 2: "waiting"}
    assert progress(world) == {1: 6}
    world.trakt.post_plays = real  # type: ignore[method-assign]  # Trakt is itself again
    run = world.run()
    assert (run.status, run.plays_sent) == ("succeeded", 18)
    assert len(world.plays) == 24
    assert progress(world) == {1: 12, 2: 12}


def test_a_run_of_which_trakt_takes_nothing_is_not_green(app: Flask, world: World) -> None:
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(TRAKT_SETTLE_SECONDS=0.0)
    world.anilist.put(entry(1, 1, "CURRENT"))
    world.trakt.refused = {(10, 1)}
    run = world.run()
    while run.status == "waiting":
        run = world.go_on(run.id)
    assert (run.status, run.reason, run.plays_sent) == ("failed", "bad_data", 0)
    item = items(run)[1]
    assert (item.outcome, item.reason, item.rejected) == ("refused", "trakt_refused", 1)
    row = entry_row(world.user, 1)
    assert (row.pile, row.reason) == ("needs_you", "trakt_refused")
    assert world.run(mode="watching").plays_sent == 0


def test_a_cancelled_run_keeps_what_it_has_sent(app: Flask, world: World) -> None:
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(TRAKT_BATCH_SIZE=6)
    world.anilist.put(entry(1))
    real = world.trakt.post_plays

    def cancel_after(batch: Any) -> Receipt:
        with transaction() as session:
            session.execute(update(Run).values(cancel_requested=True))
        return real(batch)

    world.trakt.post_plays = cancel_after  # type: ignore[assignment,method-assign]  # the person presses the button meanwhile
    run = world.run()
    assert (run.status, run.reason, run.plays_sent, run.lock_key) == ("cancelled", "cancelled", 6, None)
    assert progress(world) == {1: 6}
    world.trakt.post_plays = real  # type: ignore[method-assign]  # nobody cancels the next one
    assert world.run().plays_sent == 6


def test_an_error_nobody_foresaw_ends_the_run_and_is_raised(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_ctx: Any) -> Any:
        raise KeyError("surprise")

    monkeypatch.setattr(selection, "select_entries", broken)
    with pytest.raises(KeyError):
        world.run()
    with transaction(readonly=True) as session:
        run = session.scalars(select(Run)).one()
        lines = session.scalars(select(Log.level).where(Log.run_id == run.id)).all()
    assert (run.status, run.reason) == ("failed", "bad_data")
    assert "KeyError" in (run.detail or "")
    assert "surprise" not in (run.detail or "")
    assert "error" in lines


def test_a_worker_that_ends_leaves_the_run_in_the_queue(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    event = threading.Event()
    event.set()
    monkeypatch.setattr(runstate, "_STOP", event)
    world.anilist.put(entry(1))
    run = world.run()
    assert (run.status, run.lock_key) == ("queued", None)
    event.clear()
    assert world.go_on(run.id).plays_sent == 12


def test_a_ghost_leaves_silently(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def stolen(_ctx: Any, *_args: Any) -> Any:
        with transaction() as session:
            session.execute(update(Run).values(attempt=9))
        return selection.Selection({}, utcnow())

    monkeypatch.setattr(selection, "select_entries", stolen)
    run = world.run()
    assert (run.status, run.attempt, world.trakt.history) == ("running", 9, [])


def test_an_empty_cache_that_cannot_be_filled_ends_the_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "empty_sources", lambda: ["otaku"])
    monkeypatch.setattr(
        refresh, "refresh", lambda name: refresh.SourceState(name, 0, None, None, None, said("It answered 404."))
    )
    world.anilist.put(entry(1))
    run = world.run()
    assert (run.status, run.reason) == ("failed", "caches_empty")
    assert world.asked == []


def test_a_run_that_is_not_to_be_had_does_nothing(world: World) -> None:
    run = world.run(status="succeeded")
    assert run.attempt == 0
    assert world.asked == []
