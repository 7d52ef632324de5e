"""Runs as people, scripts and the tick start, join, approve, cancel and undo them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from tests.at_once import at_once
from webapp import runs
from webapp.extensions import db
from webapp.models import Entry, Media, PlayRow, Run, User, utcnow
from webapp.runs import RunError


def change(run: Run, **values: Any) -> None:
    db.session.commit()
    db.session.execute(update(Run).where(Run.id == run.id).values(**values))
    db.session.commit()


def reread(run: Run) -> Run:
    db.session.commit()
    found = db.session.get_one(Run, run.id, populate_existing=True)
    db.session.commit()
    return found


def play(user: User, run: Run | None, episode: int, state: str, *, anilist_id: int = 1) -> PlayRow:
    row = PlayRow(
        user_id=user.id, source_account="7", anilist_id=anilist_id, episode=episode, target_account="t", kind="episode",
        trakt_id=5, season=1, number=episode, state=state, run_id=run.id if run else None,
    )  # fmt: skip
    db.session.add(row)
    db.session.commit()
    return row


def test_a_second_command_of_the_same_mode_joins_the_open_run(user: User) -> None:
    first = runs.start(user.id, "full", "page")
    second = runs.start(user.id, "full", "api")
    assert (first.joined, second.joined) == (False, True)
    assert first.run.id == second.run.id


@pytest.mark.parametrize("status", ["needs_approval", "succeeded", "partial", "failed", "cancelled"])
def test_a_run_that_is_not_open_is_not_joined(user: User, status: str) -> None:
    first = runs.start(user.id, "full", "page")
    change(first.run, status=status)
    assert not runs.start(user.id, "full", "page").joined


def test_modes_titles_and_previews_are_different_runs(user: User) -> None:
    started = [
        runs.start(user.id, "full", "page"),
        runs.start(user.id, "full", "page", preview=True),
        runs.start(user.id, "completed", "page"),
        runs.start(user.id, "title", "page", anilist_id=1),
        runs.start(user.id, "title", "page", anilist_id=2),
    ]
    assert not any(one.joined for one in started)
    assert len({one.run.id for one in started}) == 5


def test_a_run_that_was_asked_to_stop_is_not_joined(user: User) -> None:
    first = runs.start(user.id, "full", "page")
    change(first.run, status="running", cancel_requested=True)
    assert not runs.start(user.id, "full", "page").joined


def test_a_command_with_approval_lends_it_to_the_queued_run_that_it_joins(user: User) -> None:
    first = runs.start(user.id, "completed", "cron")
    runs.start(user.id, "completed", "api", options={"approved": True})
    assert reread(first.run).options == {"approved": True}


@pytest.mark.parametrize(
    ("mode", "anilist_id"), [("title", None), ("full", 3), ("nonsense", None), ("single", None), ("caches", None)]
)
def test_a_mode_that_makes_no_sense_is_refused(user: User, mode: str, anilist_id: int | None) -> None:
    with pytest.raises(ValueError, match="no run of mode"):
        runs.start(user.id, mode, "page", anilist_id=anilist_id)


def test_many_commands_at_once_start_one_run(app: Flask, user: User) -> None:
    def command() -> bool:
        with app.app_context():
            joined = runs.start(user.id, "full", "page").joined
            db.session.remove()
            return joined

    assert sorted(at_once([command] * 6)) == [False] + [True] * 5
    assert db.session.scalar(select(func.count()).select_from(Run)) == 1


def test_a_run_by_hand_is_consent_but_a_preview_is_not(user: User) -> None:
    runs.start(user.id, "full", "page", preview=True)
    assert db.session.get_one(User, user.id, populate_existing=True).hand_consent_at is None
    runs.start(user.id, "full", "api")
    assert db.session.get_one(User, user.id, populate_existing=True).hand_consent_at is not None


def test_an_automated_run_is_no_consent(user: User) -> None:
    runs.start(user.id, "full", "cron")
    assert db.session.get_one(User, user.id, populate_existing=True).hand_consent_at is None


def ready_preview(user: User) -> Run:
    preview = runs.start(user.id, "completed", "page", preview=True).run
    change(preview, status="succeeded", plan_expires_at=utcnow() + timedelta(hours=1))
    return preview


def test_a_preview_is_sent_with_its_ticks(user: User) -> None:
    preview = ready_preview(user)
    sent = runs.send_preview(preview.id, user.id, [3, 1, 3], "unknown")
    assert (sent.run.mode, sent.run.parent_id, sent.run.preview) == ("completed", preview.id, False)
    assert sent.run.options == {"entries": [1, 3], "date_rule": "unknown"}


def test_a_double_click_sends_a_preview_once(user: User) -> None:
    preview = ready_preview(user)
    first, second = (runs.send_preview(preview.id, user.id, None) for _ in range(2))
    assert (first.run.id, second.joined) == (second.run.id, True)


def test_what_is_sent_from_a_preview_is_not_joined_by_a_whole_run(user: User) -> None:
    preview = ready_preview(user)
    runs.send_preview(preview.id, user.id, [1])
    assert not runs.start(user.id, "completed", "page").joined


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"preview": False}, "not_a_preview"),
        ({"status": "running"}, "not_ready"),
        ({"plan_expires_at": utcnow() - timedelta(seconds=1)}, "plan_expired"),
    ],
)
def test_a_preview_that_cannot_be_sent_says_why(user: User, values: dict[str, Any], code: str) -> None:
    preview = ready_preview(user)
    change(preview, **values)
    with pytest.raises(RunError) as error:
        runs.send_preview(preview.id, user.id, None)
    assert error.value.code == code


def waiting_run(user: User, **values: Any) -> Run:
    run = runs.start(user.id, "full", "cron").run
    change(run, status="needs_approval", reason="first_run", plan_expires_at=utcnow() + timedelta(hours=1), **values)
    return run


def test_an_approved_run_goes_back_to_the_queue_with_its_ticks(user: User) -> None:
    run = waiting_run(user)
    assert runs.approve(run.id, user.id, [4, 2]).joined is False
    after = reread(run)
    assert (after.status, after.reason) == ("queued", None)
    assert after.options == {"approved": True, "approved_reason": "first_run", "entries": [2, 4]}
    assert after.approved_at is not None


def test_a_second_approval_joins_the_first(user: User) -> None:
    run = waiting_run(user)
    runs.approve(run.id, user.id)
    assert runs.approve(run.id, user.id).joined


def test_a_plan_that_was_replaced_or_has_expired_cannot_be_approved(user: User) -> None:
    old = waiting_run(user)
    newer = waiting_run(user)
    with pytest.raises(RunError) as replaced:
        runs.approve(old.id, user.id)
    change(newer, plan_expires_at=utcnow() - timedelta(seconds=1))
    with pytest.raises(RunError) as expired:
        runs.approve(newer.id, user.id)
    assert (replaced.value.code, expired.value.code) == ("replaced", "plan_expired")


def test_a_run_that_waits_for_nobody_cannot_be_approved(user: User) -> None:
    run = runs.start(user.id, "full", "page").run
    with pytest.raises(RunError, match="does not wait"):
        runs.approve(run.id, user.id)


@pytest.mark.parametrize("status", ["queued", "waiting", "needs_approval"])
def test_a_run_that_nobody_works_on_is_cancelled_at_once(user: User, status: str) -> None:
    run = runs.start(user.id, "full", "page").run
    change(run, status=status, lock_key="trakt:1" if status == "waiting" else None)
    after = runs.cancel(run.id, user.id)
    assert (after.status, after.reason, after.lock_key) == ("cancelled", "cancelled", None)


def test_a_running_run_is_asked_to_stop(user: User) -> None:
    run = runs.start(user.id, "full", "page").run
    change(run, status="running", lock_key="trakt:1")
    after = runs.cancel(run.id, user.id)
    assert (after.status, after.cancel_requested, after.lock_key) == ("running", True, "trakt:1")


def test_a_run_that_has_ended_cannot_be_cancelled(user: User) -> None:
    run = runs.start(user.id, "full", "page").run
    change(run, status="succeeded")
    with pytest.raises(RunError) as error:
        runs.cancel(run.id, user.id)
    assert error.value.code == "already_ended"


def test_undo_needs_something_to_take_back(user: User) -> None:
    run = runs.start(user.id, "full", "page").run
    with pytest.raises(RunError) as still_open:
        runs.undo(run.id, user.id)
    change(run, status="succeeded")
    with pytest.raises(RunError) as nothing:
        runs.undo(run.id, user.id)
    play(user, run, 1, "sent")
    first, second = (runs.undo(run.id, user.id) for _ in range(2))
    assert (still_open.value.code, nothing.value.code) == ("still_open", "nothing_to_undo")
    assert (first.run.mode, first.run.parent_id, second.run.id) == ("undo", run.id, first.run.id)


def entry(user: User, anilist_id: int) -> Entry:
    db.session.add(Media(anilist_id=anilist_id, fetched_at=utcnow()))
    row = Entry(
        user_id=user.id, account_id="7", anilist_id=anilist_id, status="COMPLETED", progress=1, seen_at=utcnow()
    )
    db.session.add(row)
    db.session.commit()
    return row


def test_send_again_frees_one_title_and_looks_at_it(user: User) -> None:
    entry(user, 1)
    held = [play(user, None, n, state) for n, state in enumerate(("gone", "removed", "rejected"), 1)]
    sent = play(user, None, 9, "sent")
    started = runs.send_again(user.id, anilist_id=1)
    db.session.commit()
    db.session.expire_all()
    assert [row.held for row in held] == [False] * 3
    assert sent.held is True
    assert (started.run.mode, started.run.anilist_id) == ("title", 1)
    assert db.session.scalar(select(Entry.changed_at)) is not None


def test_send_again_of_a_run_with_several_titles_is_a_full_run(user: User) -> None:
    run = runs.start(user.id, "completed", "page").run
    change(run, status="succeeded")
    for anilist_id in (1, 2):
        entry(user, anilist_id)
        play(user, run, anilist_id, "removed", anilist_id=anilist_id)
    assert runs.send_again(user.id, run_id=run.id).run.mode == "full"


def test_send_again_without_anything_held_says_so(user: User) -> None:
    with pytest.raises(RunError) as error:
        runs.send_again(user.id, play_id=1)
    assert error.value.code == "nothing_held"


def test_nobody_reaches_the_runs_of_another_person(app: Flask, user: User) -> None:
    other = User(username="taro", password_hash="unusable")
    db.session.add(other)
    db.session.commit()
    run = runs.start(user.id, "full", "page").run
    actions: tuple[Callable[[int, int], object], ...] = (
        runs.cancel,
        runs.undo,
        runs.approve,
        lambda run_id, user_id: runs.send_preview(run_id, user_id, None),
    )
    for action in actions:
        with pytest.raises(RunError) as error:
            action(run.id, other.id)
        assert error.value.status == 404
