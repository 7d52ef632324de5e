"""Runs are claimed, kept alive, parked, ended and taken over by one worker at a time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from jobs import runstate, takeover
from jobs.errors import Cancelled, LostClaim, Stopping
from jobs.runstate import RunContext, claim
from jobs.storing import get_setting
from tests.at_once import at_once
from webapp.database import transaction
from webapp.models import Run, User, utcnow


def make_run(user: User, **values: Any) -> int:
    with transaction() as session:
        row = Run(**{"user_id": user.id, "mode": "full", "trigger": "page", "options": {}, **values})
        session.add(row)
        session.flush()
        return row.id


def run_row(run_id: int) -> Run:
    with transaction(readonly=True) as session:
        return session.get_one(Run, run_id, populate_existing=True)


def change(run_id: int, **values: Any) -> None:
    with transaction() as session:
        session.execute(update(Run).where(Run.id == run_id).values(**values))


def claimed(run_id: int) -> RunContext:
    ctx = claim(run_id)
    assert ctx is not None
    return ctx


def setting(user: User, key: str) -> str | None:
    with transaction(readonly=True) as session:
        return get_setting(session, user.id, key)


def test_a_queued_run_is_claimed_once(user: User) -> None:
    run_id = make_run(user)
    ctx = claimed(run_id)
    row = run_row(run_id)
    assert (row.status, row.attempt, row.lock_key, ctx.attempt) == ("running", 1, f"trakt:{user.id}", 1)
    assert row.started_at is not None
    assert row.heartbeat_at is not None
    assert claim(run_id) is None


def test_a_run_that_does_not_exist_is_not_claimed(app: Flask) -> None:
    assert claim(4711) is None


@pytest.mark.parametrize(("mode", "preview"), [("full", True), ("single", False)])
def test_a_run_that_never_posts_takes_no_lock(user: User, mode: str, preview: bool) -> None:
    claimed(make_run(user))
    other = make_run(user, mode=mode, preview=preview)
    claimed(other)
    assert run_row(other).lock_key is None


def test_a_second_writing_run_of_the_account_stays_queued_until_the_first_has_ended(user: User) -> None:
    first = claimed(make_run(user))
    second = make_run(user, mode="undo")
    assert claim(second) is None
    assert run_row(second).status == "queued"
    runstate.finish(first, "succeeded")
    assert claimed(second).mode == "undo"


def test_queued_runs_of_an_account_start_in_order_of_id(user: User) -> None:
    first, second = make_run(user), make_run(user, mode="completed")
    assert claim(second) is None
    assert claim(first) is not None


def test_another_person_does_not_wait(user: User) -> None:
    with transaction() as session:
        other = User(username="taro", password_hash="unusable")
        session.add(other)
    claimed(make_run(user))
    claimed(make_run(other))


def test_a_cancelled_run_that_never_began_blocks_nobody(user: User) -> None:
    make_run(user, cancel_requested=True)
    claimed(make_run(user, mode="watching"))


def test_a_parked_run_keeps_the_lock_and_is_claimed_when_its_time_has_come(user: User) -> None:
    ctx = claimed(make_run(user))
    started = run_row(ctx.run_id).started_at
    runstate.park(ctx, "settling", utcnow() + timedelta(hours=1), "one play is in doubt")
    row = run_row(ctx.run_id)
    assert (row.status, row.reason, row.lock_key) == ("waiting", "settling", f"trakt:{user.id}")
    other = make_run(user, mode="watching")
    assert claim(other) is None
    assert claim(ctx.run_id) is None
    change(ctx.run_id, resume_at=utcnow() - timedelta(seconds=1))
    again = claimed(ctx.run_id)
    row = run_row(ctx.run_id)
    assert (again.attempt, row.reason, row.started_at) == (2, None, started)


def test_a_run_that_was_taken_over_can_write_nothing_more(user: User) -> None:
    ghost = claimed(make_run(user))
    change(ghost.run_id, attempt=2)
    for write in (
        lambda: runstate.finish(ghost, "succeeded"),
        lambda: runstate.park(ghost, "settling", utcnow()),
        lambda: runstate.requeue(ghost),
        lambda: runstate.needs_approval(ghost, "first_run"),
        lambda: ghost.update(batch_deadline=utcnow()),
        ghost.cancelled,
        ghost.stopping,
        ghost.check,
    ):
        with pytest.raises(LostClaim):
            write()
    assert run_row(ghost.run_id).status == "running"


def test_a_lost_claim_is_noticed_by_the_heartbeat(app: Flask, user: User) -> None:
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(HEARTBEAT_SECONDS=0.01)
    ctx = claimed(make_run(user))
    with ctx.alive():
        change(ctx.run_id, attempt=7)
        lost = ctx._lost.wait(20)
    assert lost
    with pytest.raises(LostClaim):
        ctx.stopping()


def test_the_heartbeat_moves_while_the_run_is_alive(app: Flask, user: User) -> None:
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(HEARTBEAT_SECONDS=0.01)
    ctx = claimed(make_run(user))
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    change(ctx.run_id, heartbeat_at=long_ago)
    moved = threading.Event()
    with ctx.alive():
        for _ in range(2000):
            if run_row(ctx.run_id).heartbeat_at != long_ago:
                moved.set()
                break
            threading.Event().wait(0.01)
    assert moved.is_set()


def test_the_cancel_flag_is_seen(user: User) -> None:
    ctx = claimed(make_run(user))
    assert not ctx.cancelled()
    change(ctx.run_id, cancel_requested=True)
    assert ctx.cancelled()
    with pytest.raises(Cancelled):
        ctx.check()


def test_a_worker_that_ends_puts_its_run_back(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runstate, "_STOP", threading.Event())
    ctx = claimed(make_run(user))
    ctx.check()
    runstate.ask_to_stop()
    with pytest.raises(Stopping):
        ctx.check()
    runstate.requeue(ctx)
    row = run_row(ctx.run_id)
    assert (row.status, row.lock_key, row.attempt) == ("queued", None, 1)


def test_a_later_plan_of_the_same_mode_replaces_the_one_that_awaits_approval(user: User) -> None:
    old = claimed(make_run(user, trigger="cron"))
    runstate.needs_approval(old, "first_run", None, {"found": 3})
    watching = claimed(make_run(user, mode="watching", trigger="cron"))
    runstate.needs_approval(watching, "over_brake")
    row = run_row(old.run_id)
    assert (row.status, row.reason, row.lock_key, row.result) == ("needs_approval", "first_run", None, {"found": 3})
    assert row.plan_expires_at is not None
    new = claimed(make_run(user, trigger="cron"))
    runstate.needs_approval(new, "first_run")
    assert (run_row(old.run_id).status, run_row(old.run_id).reason) == ("cancelled", "approval_expired")
    assert run_row(watching.run_id).status == "needs_approval"


def test_an_automated_run_leaves_its_start_for_the_gate(user: User) -> None:
    ctx = claimed(make_run(user, trigger="cron"))
    runstate.finish(ctx, "failed", "app_refused")
    assert setting(user, "status:sync:last-run-auto") == ctx.started_at.isoformat().replace("+00:00", "Z")
    assert setting(user, "status:sync:last-run") is None


def test_a_run_by_hand_leaves_its_end_under_its_own_keys(user: User) -> None:
    runstate.finish(claimed(make_run(user, mode="completed")), "succeeded")
    assert setting(user, "status:sync:last-run") == setting(user, "status:sync:completed:last-run")
    assert setting(user, "status:sync:last-run") is not None
    assert setting(user, "status:sync:watching:last-run") is None
    assert setting(user, "status:sync:last-run-auto") is None


def test_a_preview_and_a_failed_run_by_hand_leave_no_time(user: User) -> None:
    runstate.finish(claimed(make_run(user, preview=True)), "succeeded")
    runstate.finish(claimed(make_run(user)), "failed", "app_refused")
    assert setting(user, "status:sync:last-run") is None


def dead_run(user: User, **values: Any) -> int:
    ctx = claimed(make_run(user))
    change(ctx.run_id, heartbeat_at=utcnow() - timedelta(seconds=60), **values)
    return ctx.run_id


def test_a_run_whose_worker_vanished_goes_back_to_the_queue(user: User) -> None:
    run_id = dead_run(user)
    (dead,) = takeover.dead_runs(utcnow())
    assert dead.id == run_id
    assert takeover.take_over(dead)
    row = run_row(run_id)
    assert (row.status, row.lock_key, row.crashes, row.attempt) == ("queued", None, 1, 1)
    assert claimed(run_id).attempt == 2


def test_a_run_with_a_fresh_heartbeat_is_not_dead(user: User) -> None:
    claimed(make_run(user))
    assert takeover.dead_runs(utcnow()) == []


def test_nobody_takes_a_run_over_while_its_open_request_may_still_land(user: User) -> None:
    run_id = dead_run(user, batch_deadline=utcnow() + timedelta(seconds=100))
    assert takeover.dead_runs(utcnow()) == []
    change(run_id, batch_deadline=utcnow() - timedelta(seconds=1))
    assert [row.id for row in takeover.dead_runs(utcnow())] == [run_id]


def test_a_run_that_came_back_to_life_is_not_taken_over(user: User) -> None:
    run_id = dead_run(user)
    (dead,) = takeover.dead_runs(utcnow())
    change(run_id, heartbeat_at=utcnow())
    assert not takeover.take_over(dead)
    assert run_row(run_id).status == "running"


@pytest.mark.parametrize(("sent", "status"), [(0, "failed"), (3, "partial")])
def test_a_run_that_keeps_losing_its_worker_ends(user: User, sent: int, status: str) -> None:
    run_id = dead_run(user, crashes=takeover.MAX_CRASHES, plays_sent=sent)
    (dead,) = takeover.dead_runs(utcnow())
    assert takeover.take_over(dead)
    row = run_row(run_id)
    assert (row.status, row.reason, row.lock_key) == (status, "worker_lost", None)
    assert row.finished_at is not None


def test_two_threads_claim_one_run_once(app: Flask, user: User) -> None:
    run_id = make_run(user)

    def take() -> RunContext | None:
        with app.app_context():
            return claim(run_id)

    assert len([won for won in at_once([take] * 4) if won is not None]) == 1
    assert run_row(run_id).attempt == 1
