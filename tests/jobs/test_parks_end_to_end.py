"""A run that must wait longer than a minute parks, holds no worker, and is resumed by the tick: real requests and Redis."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask, current_app
from redis import Redis
from sqlalchemy import update

from jobs import pace, runstate, sync, takeover, tick
from tests.jobs.demo_runs import go, lines, posts
from tests.jobs.sync_fakes import run_row
from webapp import enqueue
from webapp.database import transaction
from webapp.models import Run, User, utcnow
from webapp.simulator.process import Running


def the_app() -> Flask:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # what Flask's own docs use
    return app


def woken(monkeypatch: pytest.MonkeyPatch, seconds: float) -> list[int]:
    """The runs that the tick puts on a queue, so many seconds from now."""
    found: list[int] = []

    def put(run: Run) -> bool:
        found.append(run.id)
        return True

    monkeypatch.setattr(enqueue, "run", put)
    now = utcnow() + timedelta(seconds=seconds)
    tick.Tick(the_app()).steps["wake waiting runs"](now)
    return found


def assert_parked(run: Run, seconds: float) -> None:
    """Waiting with its lock and the moment at which it goes on; no worker is held, and none is missed."""
    assert (run.status, run.reason, run.lock_key) == ("waiting", "rate_limited", f"trakt:{run.user_id}"), lines(run)
    assert run.resume_at is not None
    assert seconds - 30 < (run.resume_at - utcnow()).total_seconds() <= seconds
    assert takeover.dead_runs(utcnow() + timedelta(hours=1)) == []
    assert runstate.claim(run.id) is None


def resumed(run: Run) -> Run:
    with transaction() as session:
        session.execute(update(Run).where(Run.id == run.id).values(resume_at=utcnow()))
    sync.run(run.id)
    return run_row(run.id)


@pytest.mark.parametrize("store", ["redis", "process"])
def test_a_budget_that_is_used_up_for_more_than_a_minute_parks_the_run(
    sim: Running, person: User, store: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, address = the_app(), request.getfixturevalue("redis_url") if store == "redis" else None
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(REDIS_URL=address)
    reads = pace.trakt_reads(person.id)
    for _ in range(reads.limit):  # another process has just read all that this account may read in five minutes
        assert pace.store_for(address).reserve(reads, 0.0) == 0.0
    run = go(person, mode="watching")
    assert_parked(run, reads.period)
    assert posts(sim) == 0
    assert woken(monkeypatch, 60) == []
    assert woken(monkeypatch, reads.period + 1) == [run.id]
    if address:
        with Redis.from_url(address) as client:
            client.flushall()
    pace.store_for.cache_clear()
    run = resumed(run)
    assert (run.status, run.plays_sent > 0) == ("succeeded", True), lines(run)


@pytest.mark.parametrize("service", ["anilist", "trakt"])
def test_a_service_that_asks_for_more_than_a_minute_parks_the_run_and_every_other_one(
    sim: Running, person: User, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.post("faults", {"service": service, "kind": "status", "status": 429, "headers": {"Retry-After": "150"}})
    run = go(person, mode="watching")
    assert_parked(run, 150)
    asked = sim.get("requests")[service]["total"]
    again = resumed(run)  # too early: nothing leaves the house
    assert_parked(again, 150)
    assert sim.get("requests")[service]["total"] == asked
    assert woken(monkeypatch, 151) == [run.id]
    pace.store_for.cache_clear()
    run = resumed(run)
    assert (run.status, run.plays_sent > 0) == ("succeeded", True), lines(run)
