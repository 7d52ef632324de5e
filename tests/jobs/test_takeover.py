"""A worker that vanished is noticed within 70 seconds with the default settings, and its run is never stuck."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobs import ledger, takeover, tick
from jobs.runstate import claim
from tests.jobs.test_runstate import claimed, make_run, run_row
from webapp import enqueue
from webapp.config import Config, ConfigError, load
from webapp.database import transaction
from webapp.models import Log, Run, User, utcnow

NOTICED_WITHIN = 70.0  # seconds
BEAT, SILENCE, TICK, LEASE = 10.0, 45.0, 20.0, 35.0


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


def lines(run_id: int) -> list[str]:
    with transaction(readonly=True) as session:
        return list(session.scalars(select(Log.message).where(Log.run_id == run_id).order_by(Log.id)))


@pytest.fixture(autouse=True)
def _no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("run", "cache", "mapping_list", "connection_check", "token_refresh", "readback"):
        monkeypatch.setattr(enqueue, name, lambda _what: True)


def test_the_default_settings_keep_the_promise(app: Flask, config: Config) -> None:
    assert (config.HEARTBEAT_SECONDS, config.TAKEOVER_SECONDS, config.TICK_SECONDS) == (BEAT, SILENCE, TICK)
    # the last beat may have been just before the end; then the silence, then one tick
    assert SILENCE + TICK <= NOTICED_WITHIN
    # three beats may be lost before a living worker counts as silent
    assert 4 * BEAT <= SILENCE
    # a host that held the tick and vanished with its worker: its lease is over before the silence is
    assert tick.Tick(app)._lease_seconds() == LEASE <= SILENCE


def test_times_that_would_take_living_runs_over_are_refused() -> None:
    with pytest.raises(ConfigError, match="TAKEOVER_SECONDS"):
        load({"HEARTBEAT_SECONDS": "30"})


def died(user: User, at: datetime, **values: Any) -> int:
    """A run whose worker beat for the last time at `at` and died at once."""
    ctx = claimed(make_run(user))
    with transaction() as session:
        session.execute(update(Run).where(Run.id == ctx.run_id).values(heartbeat_at=at, **values))
    return ctx.run_id


def ticks(app: Flask, start: datetime, phase: float) -> Any:
    """Moments of a tick's process that lives on, every TICK_SECONDS; with each, all steps are taken."""
    now = start + seconds(phase)
    ticker = tick.Tick(app, clock=lambda: now)
    while now < start + seconds(600):
        ticker.once()
        yield now
        now += seconds(TICK)


@pytest.mark.parametrize("phase", [0.0, 4.9, 5.1, 12.0, 19.9])
@pytest.mark.parametrize("with_its_tick", [False, True], ids=["the tick lives", "the host of the tick died too"])
def test_a_dead_worker_is_noticed_and_its_run_queued_within_70_seconds(
    app: Flask, user: User, phase: float, with_its_tick: bool
) -> None:
    death = utcnow()
    run_id = died(user, death)
    if with_its_tick:
        assert tick.take_lease("a host that is gone", death, LEASE)
    noticed = next(now for now in ticks(app, death, phase) if run_row(run_id).status == "queued")
    assert (noticed - death).total_seconds() <= NOTICED_WITHIN
    assert "has not been heard of since" in lines(run_id)[0]
    ctx = claim(run_id)
    assert ctx is not None
    assert ctx.attempt == 2


@pytest.mark.parametrize("phase", [0.0, 7.0, 19.9])
def test_with_an_open_batch_it_is_noticed_as_soon_and_taken_over_by_the_first_tick_after_the_deadline(
    app: Flask, user: User, phase: float
) -> None:
    death = utcnow()
    deadline = ledger.write_deadline(death)  # of a POST that was claimed in its last moment
    run_id = died(user, death, batch_deadline=deadline)
    noticed = taken = None
    for now in ticks(app, death, phase):
        row = run_row(run_id)
        noticed = noticed or (now if row.worker is None else None)
        if row.status == "queued":
            taken = now
            break
    assert noticed is not None
    assert taken is not None
    assert (noticed - death).total_seconds() <= NOTICED_WITHIN
    assert timedelta(0) < taken - deadline <= seconds(TICK)
    assert len(lines(run_id)) == 1
    assert f"until {deadline:%H:%M:%S} UTC" in lines(run_id)[0]


def test_a_living_worker_is_never_noticed_even_when_three_beats_are_lost(app: Flask, user: User) -> None:
    start = utcnow()
    run_id = died(user, start)
    for number, now in enumerate(ticks(app, start, 0.0)):
        if number % 2 == 0:  # a beat every 40 seconds
            with transaction() as session:
                session.execute(update(Run).where(Run.id == run_id).values(heartbeat_at=now))
    row = run_row(run_id)
    assert (row.status, row.attempt, row.worker is None, lines(run_id)) == ("running", 1, False, [])


def test_a_run_without_any_heartbeat_is_not_stuck(app: Flask, user: User) -> None:
    run_id = died(user, utcnow())
    with transaction() as session:
        session.execute(update(Run).where(Run.id == run_id).values(heartbeat_at=None))
    (dead,) = takeover.dead_runs(utcnow())
    assert takeover.take_over(dead)


def test_a_worker_that_comes_back_before_the_take_over_keeps_its_run(app: Flask, user: User) -> None:
    death = utcnow() - seconds(60)
    run_id = died(user, death, batch_deadline=utcnow() + seconds(100))
    assert takeover.notice(utcnow()) == [run_id]
    assert takeover.notice(utcnow()) == []
    with transaction() as session:
        session.execute(update(Run).where(Run.id == run_id).values(heartbeat_at=utcnow()))
    assert takeover.dead_runs(utcnow() + seconds(40)) == []
