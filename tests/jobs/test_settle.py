"""Doubt: "there" counts at once, "not there" only when two readings far enough apart agree."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from jobs import ledger
from jobs.errors import IncompleteRead, LostClaim, Settling
from jobs.ledger import Accounts
from jobs.records import Play
from jobs.settle import Settled, settle
from tests.fakes import FakeClock, FakeRun, FakeTrakt
from tests.jobs.plays import connect, new_run, next_attempt, play, rows, states
from tests.jobs.sync_fakes import run_row
from webapp.database import transaction
from webapp.models import Run, User

ACCOUNT = Accounts("7", "trakt-uuid")


@pytest.fixture
def trakt() -> FakeTrakt:
    return FakeTrakt(FakeClock())


@pytest.fixture
def run(app: Flask, user: User) -> FakeRun:
    connect(user)
    return new_run(user.id)


def claim(run: FakeRun, trakt: FakeTrakt, *plays: Play) -> list[int]:
    """These plays are `sending`, and nobody knows what became of them."""
    ledger.write_plan(run, ACCOUNT, plays, trakt.clock.now)
    _, batch = ledger.claim_batch(run, 1000, trakt.clock.now, trakt.clock.now)
    return [claimed.play_id for claimed in batch]


def arrive(trakt: FakeTrakt, *plays: Play) -> None:
    for one in plays:
        trakt.add((one.kind, one.trakt_id, one.season, one.number), one.watched_at, "us")


def look(run: FakeRun, trakt: FakeTrakt) -> Settled:
    return settle(run, trakt, clock=trakt.clock)


def test_without_doubt_nothing_is_asked(run: FakeRun, trakt: FakeTrakt) -> None:
    assert look(run, trakt) == Settled()
    assert trakt.reads == []


def test_there_counts_at_once_with_its_history_id(run: FakeRun, trakt: FakeTrakt) -> None:
    claim(run, trakt, play(1, 1))
    arrive(trakt, play(1, 1))
    assert look(run, trakt) == Settled(sent=1)
    (row,) = rows()
    assert (row.state, row.history_id) == ("sent", trakt.events[0].history_id)


def test_the_same_episode_at_another_second_is_not_ours(run: FakeRun, trakt: FakeTrakt) -> None:
    claim(run, trakt, play(1, 1))
    at = play(1, 1).watched_at
    assert at is not None
    trakt.add(("episode", 100, 1, 1), at + timedelta(seconds=1))
    trakt.add(("episode", 100, 1, 2), at)
    with pytest.raises(Settling):
        look(run, trakt)


def test_a_movie_is_looked_for_in_the_history_of_movies(run: FakeRun, trakt: FakeTrakt) -> None:
    film = play(1, 1, kind="movie", trakt_id=50, season=0, number=0)
    claim(run, trakt, film)
    arrive(trakt, film)
    assert look(run, trakt) == Settled(sent=1)
    assert trakt.reads == [("movie", 50)]


def test_not_there_takes_two_readings_and_the_run_parks_in_between(run: FakeRun, trakt: FakeTrakt) -> None:
    claim(run, trakt, play(1, 1))
    with pytest.raises(Settling) as first:
        look(run, trakt)
    assert (first.value.seconds, states()) == (60.0, {"sending": 1})
    trakt.clock.move(59)
    ctx = next_attempt(run)
    with pytest.raises(Settling) as early:
        look(ctx, trakt)
    assert (early.value.seconds, len(trakt.reads)) == (1.0, 1)
    trakt.clock.move(1)
    assert look(next_attempt(ctx), trakt) == Settled(planned=1)
    assert (states(), len(trakt.reads)) == ({"planned": 1}, 2)


def test_a_play_that_lags_is_found_by_the_second_reading(run: FakeRun, trakt: FakeTrakt) -> None:
    trakt.lag = 30
    claim(run, trakt, play(1, 1))
    arrive(trakt, play(1, 1))
    with pytest.raises(Settling) as wait:
        look(run, trakt)
    trakt.clock.move(wait.value.seconds)
    assert look(next_attempt(run), trakt) == Settled(sent=1)


def test_what_a_readable_answer_left_out_is_rejected_with_its_reason(run: FakeRun, trakt: FakeTrakt) -> None:
    ids = claim(run, trakt, play(1, 1))
    ledger.record_doubt(run, ids, answered=True, reason="not_found: [1]", at=trakt.clock.now)
    with pytest.raises(Settling):
        look(run, trakt)
    trakt.clock.move(60)
    assert look(run, trakt) == Settled(rejected=1)
    (row,) = rows()
    assert (row.state, row.reason, row.held) == ("rejected", "not_found: [1]", True)


def test_a_request_of_an_earlier_attempt_may_land_until_its_deadline(run: FakeRun, trakt: FakeTrakt) -> None:
    claim(run, trakt, play(1, 1))
    ctx = next_attempt(run)
    with pytest.raises(Settling) as wait:
        look(ctx, trakt)
    assert (wait.value.seconds, trakt.reads) == (185.0, [])
    trakt.clock.move(185)
    arrive(trakt, play(1, 1))
    assert look(ctx, trakt) == Settled(sent=1)


def test_an_answer_that_was_recorded_needs_no_deadline(run: FakeRun, trakt: FakeTrakt) -> None:
    ids = claim(run, trakt, play(1, 1))
    ledger.record_doubt(run, ids, answered=False, reason="status 502", at=trakt.clock.now)
    arrive(trakt, play(1, 1))
    assert look(next_attempt(run), trakt) == Settled(sent=1)


def test_plays_of_a_run_that_ended_are_settled_by_the_next_one(run: FakeRun, trakt: FakeTrakt) -> None:
    claim(run, trakt, play(1, 1), play(1, 2))
    arrive(trakt, play(1, 1))
    trakt.clock.move(500)
    with transaction() as session:
        session.execute(update(Run).where(Run.id == run.run_id).values(status="failed", reason="app_refused"))
    later = new_run(run.user_id)
    with pytest.raises(Settling):
        look(later, trakt)
    trakt.clock.move(60)
    assert look(later, trakt) == Settled(planned=1)
    assert states() == {"sent": 1, "planned": 1}
    ended = run_row(run.run_id)
    assert (ended.status, ended.reason, ended.plays_sent) == ("partial", "app_refused", 1), (
        "it sent something after all"
    )


def test_unknown_dates_are_settled_by_the_picture_only(run: FakeRun, trakt: FakeTrakt) -> None:
    undated = [play(1, n, watched_at=None, before=n - 1) for n in (1, 2)]
    trakt.add(("episode", 100, 1, 2), None)
    claim(run, trakt, *undated)
    arrive(trakt, undated[0])
    with pytest.raises(Settling):
        look(run, trakt)
    assert states() == {"sent": 1, "sending": 1}
    assert trakt.reads == [("picture",)]


def test_more_than_twenty_titles_are_settled_by_one_new_picture(run: FakeRun, trakt: FakeTrakt) -> None:
    plays = [play(n, 1) for n in range(1, 22)]
    claim(run, trakt, *plays)
    arrive(trakt, *plays)
    assert look(run, trakt) == Settled(sent=21)
    assert trakt.reads == [("picture",)]


def test_twenty_titles_are_settled_by_their_histories(run: FakeRun, trakt: FakeTrakt) -> None:
    plays = [play(n, 1) for n in range(1, 21)]
    claim(run, trakt, *plays)
    arrive(trakt, *plays)
    assert look(run, trakt) == Settled(sent=20)
    assert sorted(trakt.reads) == [("episode", n * 100) for n in range(1, 21)]


def test_a_history_id_that_another_row_owns_is_not_taken_twice(run: FakeRun, trakt: FakeTrakt) -> None:
    ids = claim(run, trakt, play(1, 1))
    arrive(trakt, play(1, 1))
    look(run, trakt)
    ledger.reconcile(
        run.user_id,
        FakeTrakt(FakeClock(trakt.clock.now + timedelta(hours=2))).picture("trakt-uuid"),
        trakt.clock.now,
    )
    assert states() == {"gone": 1}
    claim(run, trakt, play(1, 1))
    with pytest.raises(Settling):
        look(run, trakt)
    assert rows()[0].id == ids[0]
    assert states() == {"gone": 1, "sending": 1}


def test_a_reading_that_fails_leaves_the_doubt(run: FakeRun, trakt: FakeTrakt) -> None:
    claim(run, trakt, play(1, 1))

    def step(_name: str) -> None:
        raise IncompleteRead("a page was missing")

    trakt.step = step
    with pytest.raises(IncompleteRead):
        look(run, trakt)
    assert (states(), rows()[0].absent_since) == ({"sending": 1}, None)


def test_a_run_that_was_taken_over_settles_nothing(run: FakeRun, trakt: FakeTrakt) -> None:
    claim(run, trakt, play(1, 1))
    arrive(trakt, play(1, 1))
    next_attempt(run)
    with pytest.raises(LostClaim):
        look(run, trakt)
    assert states() == {"sending": 1}
