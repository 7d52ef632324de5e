"""What a run says of itself: throttled, batched, capped, and only while it is its own."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobs import progress as progress_module
from jobs.errors import LostClaim
from jobs.progress import Progress
from jobs.records import ItemOutcome, Reason
from jobs.said import said
from tests.at_once import at_once
from webapp.database import transaction
from webapp.models import Log, RequestCount, Run, RunItem, User


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def run(user: User) -> Run:
    with transaction() as session:
        row = Run(user_id=user.id, mode="full", trigger="page", status="running", attempt=1)
        session.add(row)
    return row


@pytest.fixture
def progress(run: Run, clock: Clock) -> Progress:
    return Progress(run.id, run.user_id, 1, clock=clock)


def reread(run: Run) -> Run:
    with transaction(readonly=True) as session:
        return session.get_one(Run, run.id, populate_existing=True)


def lines(run: Run) -> list[tuple[str, str]]:
    with transaction(readonly=True) as session:
        rows = session.scalars(select(Log).where(Log.run_id == run.id).order_by(Log.id)).all()
    return [(row.level, row.message) for row in rows]


def test_a_phase_is_written_at_once_and_its_steps_twice_a_second(run: Run, progress: Progress, clock: Clock) -> None:
    progress.phase("posting", 10)
    progress.step(1)
    row = reread(run)
    assert (row.phase, row.done, row.total) == ("posting", 0, 10)
    clock.now += 0.6
    progress.step(2)
    assert reread(run).done == 2


def test_lines_are_batched_and_an_error_is_written_at_once(run: Run, progress: Progress) -> None:
    progress.log("info", said("one"))
    assert lines(run) == []
    progress.log("error", said("two"))
    assert lines(run) == [("info", "one"), ("error", "two")]


def test_a_run_logs_only_so_much(run: Run, progress: Progress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "LINES_PER_RUN", 3)
    for number in range(10):
        progress.log("info", said("%(number)s", number=number))
    progress.flush()
    assert [message for _, message in lines(run)] == [
        "0",
        "1",
        "2",
        "This run has logged enough; further lines are left out.",
    ]


def test_requests_of_several_threads_add_up(run: Run, progress: Progress) -> None:
    at_once([lambda: progress.count("trakt", 0.25)] * 8)
    progress.flush()
    progress.count("trakt", 1.0)
    progress.flush()
    with transaction(readonly=True) as session:
        row = session.scalars(select(RequestCount).where(RequestCount.run_id == run.id)).one()
    assert (row.service, row.requests, row.waited_ms) == ("trakt", 9, 3000)


def test_an_item_is_one_row_per_entry(run: Run, progress: Progress) -> None:
    progress.item(ItemOutcome(7, "waiting", Reason.NOT_LISTED_YET, wanted=12))
    progress.flush()
    progress.item(ItemOutcome(7, "sent_in_part", Reason.TRAKT_REFUSED, 12, 3, 8, {"parts": []}), sent=2, rejected=1)
    progress.flush()
    with transaction(readonly=True) as session:
        row = session.scalars(select(RunItem).where(RunItem.run_id == run.id)).one()
    assert (row.anilist_id, row.outcome, row.reason) == (7, "sent_in_part", "trakt_refused")
    assert (row.wanted, row.sent, row.already, row.rejected) == (12, 2, 8, 1)
    assert row.detail == {"parts": [], "new": 3}


def test_nothing_is_written_for_a_run_that_another_worker_has(run: Run, progress: Progress) -> None:
    with transaction() as session:
        session.execute(update(Run).where(Run.id == run.id).values(attempt=2))
    progress.log("info", said("from a ghost"))
    with pytest.raises(LostClaim):
        progress.flush()
    assert lines(run) == []


def test_what_is_said_inside_a_transaction_is_written_after_it(run: Run, progress: Progress) -> None:
    with transaction() as session:
        session.execute(select(Run.id))
        progress.log("error", said("late"))
    assert lines(run) == []
    progress.flush()
    assert lines(run) == [("error", "late")]


def test_another_thread_never_writes(app: Flask, run: Run, progress: Progress) -> None:
    at_once([lambda: progress.log("error", said("from a helper"))])
    assert lines(run) == []
    progress.flush()
    assert lines(run) == [("error", "from a helper")]
