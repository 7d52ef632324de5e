"""The ledger: keys, claims, conditional writes, what people removed, and leftovers of runs that died."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from jobs import ledger
from jobs.errors import BadData, LostClaim
from jobs.ledger import Accounts
from jobs.planner import LedgerRow
from tests.fakes import FakeClock, FakeRun
from tests.jobs.plays import connect, new_run, next_attempt, picture, play, rows, states
from webapp.extensions import db
from webapp.models import Entry, Media, PlayRow, Run, User

ACCOUNT = Accounts("7", "trakt-uuid")
CLOCK = FakeClock()
NOW = CLOCK.now


@pytest.fixture
def run(app: Flask, user: User) -> FakeRun:
    connect(user)
    return new_run(user.id)


def send(run: FakeRun, *plays: object, at: object = NOW) -> list[int]:
    """Plan, claim and record these plays as sent."""
    ledger.write_plan(run, ACCOUNT, plays, NOW)  # type: ignore[arg-type]  # the builders make plays
    _, batch = ledger.claim_batch(run, 1000, NOW, NOW)
    ids = [claimed.play_id for claimed in batch]
    ledger.record_sent(run, dict.fromkeys(ids), at)  # type: ignore[arg-type]  # a time
    return ids


def test_accounts_are_those_of_the_connections(run: FakeRun) -> None:
    assert ledger.accounts(run.user_id) == ACCOUNT


def test_an_account_that_is_not_known_stops_the_run(app: Flask, user: User) -> None:
    with pytest.raises(BadData):
        ledger.accounts(user.id)


def test_a_plan_becomes_planned_rows_with_both_ends(run: FakeRun) -> None:
    written = ledger.write_plan(run, ACCOUNT, [play(1, 3, season=2, number=27)], NOW)
    assert (written.planned, written.shared) == (1, {})
    (row,) = rows()
    assert (row.source_account, row.target_account, row.anilist_id, row.episode, row.season, row.number) == (
        "7", "trakt-uuid", 1, 3, 2, 27
    )  # fmt: skip
    assert (row.state, row.run_id, row.before) == ("planned", run.run_id, 0)


def test_the_same_plan_written_twice_is_there_once(run: FakeRun) -> None:
    plays = [play(1, n) for n in range(1, 8)]
    ledger.write_plan(run, ACCOUNT, plays, NOW)
    before = [row.id for row in rows()]
    ledger.write_plan(run, ACCOUNT, plays, NOW)
    assert [row.id for row in rows()] == before


def test_two_sources_of_one_place_are_shared_and_no_error(run: FakeRun) -> None:
    send(run, play(1, 1))
    written = ledger.write_plan(run, ACCOUNT, [play(2, 5, trakt_id=100, number=1), play(2, 6)], NOW)
    assert written.shared == {2: 1}
    assert written.planned == 1
    assert states() == {"sent": 1, "planned": 1}


def test_a_source_that_is_sent_already_is_not_planned_at_a_second_place(run: FakeRun) -> None:
    send(run, play(1, 1))
    written = ledger.write_plan(run, ACCOUNT, [play(1, 1, season=4)], NOW)
    assert (written.planned, written.shared) == (0, {})


def test_a_plan_adopts_or_deletes_what_an_ended_run_left_planned(run: FakeRun) -> None:
    ledger.write_plan(run, ACCOUNT, [play(1, 1), play(1, 2), play(1, 3)], NOW)
    later = new_run(run.user_id)
    ledger.write_plan(later, ACCOUNT, [play(1, 2, before=1), play(1, 3, number=33)], NOW)
    assert [(r.episode, r.number, r.run_id, r.before) for r in rows()] == [
        (2, 2, later.run_id, 1),
        (3, 33, later.run_id, 0),
    ]


def test_only_what_never_went_out_takes_the_date_of_a_new_plan(run: FakeRun) -> None:
    first = [play(1, 1), play(1, 2)]
    ledger.write_plan(run, ACCOUNT, first[:1], NOW)
    _, batch = ledger.claim_batch(run, 10, NOW, NOW)
    ledger.back_to_planned(run, [batch[0].play_id], NOW)
    ledger.write_plan(run, ACCOUNT, first, NOW)
    moved = [replace(p, watched_at=NOW) for p in first]
    ledger.write_plan(run, ACCOUNT, moved, NOW)
    assert [row.watched_at for row in rows()] == [first[0].watched_at, NOW]


def test_a_claim_is_committed_with_its_batch_attempt_and_deadline(run: FakeRun) -> None:
    ledger.write_plan(run, ACCOUNT, [play(1, n) for n in range(1, 6)], NOW)
    deadline = NOW + timedelta(seconds=100)
    number, batch = ledger.claim_batch(run, 3, deadline, NOW)
    assert (number, [c.play.episode for c in batch]) == (1, [1, 2, 3])
    assert states() == {"sending": 3, "planned": 2}
    assert {(r.batch, r.attempt, r.claimed_at) for r in rows(state="sending")} == {(1, 1, NOW)}
    assert db.session.get_one(Run, run.run_id).batch_deadline == deadline
    db.session.rollback()
    assert ledger.claim_batch(run, 3, deadline, NOW)[0] == 2
    assert ledger.claim_batch(run, 3, deadline, NOW) == (0, [])


def test_the_play_goes_out_exactly_as_it_was_planned(run: FakeRun) -> None:
    wanted = play(1, 3, watched_at=None, date_source="unknown")
    ledger.write_plan(run, ACCOUNT, [wanted], NOW)
    assert ledger.claim_batch(run, 3, NOW, NOW)[1][0].play == wanted


def test_an_answer_closes_the_deadline_and_counts_what_was_sent(run: FakeRun) -> None:
    send(run, play(1, 1), play(1, 2))
    stored = db.session.get_one(Run, run.run_id)
    assert stored.plays_sent == 2
    _, batch = 0, ledger.doubtful(run.user_id, "trakt-uuid") if not db.session().in_transaction() else []
    assert batch == []


def test_every_write_of_an_older_attempt_is_refused(run: FakeRun) -> None:
    ledger.write_plan(run, ACCOUNT, [play(1, 1), play(1, 2)], NOW)
    ids = [claimed.play_id for claimed in ledger.claim_batch(run, 1, NOW, NOW)[1]]
    next_attempt(run)
    for write in (
        lambda: ledger.write_plan(run, ACCOUNT, [play(1, 1), play(9, 9)], NOW),
        lambda: ledger.claim_batch(run, 1, NOW, NOW),
        lambda: ledger.record_sent(run, {ids[0]: 5}, NOW),
        lambda: ledger.record_sent(run, {ids[0]: None}, NOW),
        lambda: ledger.back_to_planned(run, ids, NOW),
        lambda: ledger.reject(run, ids, "no", NOW),
        lambda: ledger.record_doubt(run, ids, answered=True, reason="no", at=NOW),
        lambda: ledger.record_absent(run, ids, NOW),
    ):
        with pytest.raises(LostClaim):
            write()
    assert states() == {"sending": 1, "planned": 1}


def test_a_run_that_is_not_running_any_more_writes_nothing(run: FakeRun) -> None:
    db.session.get_one(Run, run.run_id).status = "queued"
    db.session.commit()
    with pytest.raises(LostClaim):
        ledger.write_plan(run, ACCOUNT, [play(1, 1)], NOW)


def test_rows_for_gives_every_row_and_marks_those_of_another_anilist_account(run: FakeRun) -> None:
    send(run, play(1, 1))
    db.session.execute(db.update(PlayRow).values(source_account="old"))
    db.session.commit()
    send(run, play(2, 1))
    found = ledger.rows_for(run.user_id, "trakt-uuid")
    assert [(r.anilist_id, r.state, r.foreign, r.claimed) for r in found] == [
        (1, "sent", True, True),
        (2, "sent", False, True),
    ]
    assert isinstance(found[0], LedgerRow)
    assert ledger.rows_for(run.user_id, "another") == []


def test_a_play_missing_from_a_picture_an_hour_later_is_gone_and_held(run: FakeRun) -> None:
    send(run, play(1, 1), play(1, 2))
    early = picture({(100, 1, 1): 1}, began_at=NOW + timedelta(minutes=59))
    assert ledger.reconcile(run.user_id, early, NOW).plays == 0
    late = picture({(100, 1, 1): 1}, began_at=NOW + timedelta(minutes=61))
    vanished = ledger.reconcile(run.user_id, late, NOW, ctx=run)
    assert (vanished.plays, vanished.of, vanished.brake, vanished.by_entry) == (1, 2, False, {1: 1})
    assert [(r.episode, r.state, r.held) for r in rows()] == [(1, "sent", True), (2, "gone", True)]


@pytest.mark.parametrize(("there", "brake"), [(80, False), (79, True), (0, True)])
def test_many_plays_that_vanish_at_once_wait_for_a_person(run: FakeRun, there: int, brake: bool) -> None:
    send(run, *[play(1, n, watched_at=NOW - timedelta(minutes=n)) for n in range(1, 101)])
    late = picture({(100, 1, n): 1 for n in range(1, there + 1)}, began_at=NOW + timedelta(hours=2))
    assert ledger.reconcile(run.user_id, late, NOW).brake is brake
    assert states().get("gone", 0) == (0 if brake else 20)
    if brake:
        assert ledger.reconcile(run.user_id, late, NOW, approved=True).plays == 100 - there
        assert states()["gone"] == 100 - there


def test_twenty_one_of_many_are_below_the_brake(run: FakeRun) -> None:
    send(run, *[play(1, n, watched_at=NOW - timedelta(minutes=n)) for n in range(1, 500)])
    late = picture({(100, 1, n): 1 for n in range(1, 478)}, began_at=NOW + timedelta(hours=2))
    assert (ledger.reconcile(run.user_id, late, NOW).brake, states()["gone"]) == (False, 22)


def test_send_again_frees_one_a_title_or_a_run(run: FakeRun) -> None:
    media = Media(anilist_id=1, fetched_at=NOW)
    listed = Entry(user_id=run.user_id, account_id="7", anilist_id=1, status="COMPLETED", progress=3, seen_at=NOW)
    db.session.add_all([media, listed])
    db.session.commit()
    send(run, *[play(1, n) for n in (1, 2, 3)], play(2, 1))
    ledger.reconcile(run.user_id, picture(began_at=NOW + timedelta(hours=2)), NOW)
    first = rows()[0].id
    assert ledger.send_again(run.user_id, play_id=first, at=NOW) == 1
    assert ledger.send_again(run.user_id, anilist_id=1, at=NOW) == 2
    assert ledger.send_again(run.user_id, run_id=run.run_id, at=NOW) == 1
    assert {row.held for row in rows()} == {False}
    assert db.session.get_one(Entry, listed.id, populate_existing=True).changed_at == NOW
    with pytest.raises(ValueError, match="name one"):
        ledger.send_again(run.user_id)


def test_a_source_that_is_sent_again_is_held_by_its_new_row_only(run: FakeRun) -> None:
    send(run, play(1, 1))
    ledger.reconcile(run.user_id, picture(began_at=NOW + timedelta(hours=2)), NOW)
    send(run, play(1, 1))
    assert [(r.state, r.held) for r in rows()] == [("gone", False), ("sent", True)]


def test_counts_come_from_the_rows(run: FakeRun) -> None:
    send(run, play(1, 1), play(1, 2), play(3, 1, kind="movie", trakt_id=7, season=0, number=0))
    ledger.write_plan(run, ACCOUNT, [play(2, 1), play(2, 2)], NOW)
    _, batch = ledger.claim_batch(run, 1, NOW, NOW)
    ledger.reject(run, [batch[0].play_id], "not_found: []", NOW)
    counts = ledger.counts(run.run_id)
    assert (counts.sent, counts.episodes, counts.movies, counts.rejected, counts.planned) == (3, 2, 1, 1, 1)
    assert (counts.by_entry[1].sent, counts.by_entry[1].last_sent) == (2, 2)
    assert (counts.by_entry[2].rejected, counts.by_entry[2].planned, counts.by_entry[2].reason) == (
        1,
        1,
        "not_found: []",
    )


def test_what_was_sent_after_a_reading_began_is_counted(run: FakeRun) -> None:
    send(run, play(1, 1), play(1, 2))
    assert ledger.sent_since(run.user_id, "trakt-uuid", NOW) == 2
    assert ledger.sent_since(run.user_id, "trakt-uuid", NOW + timedelta(seconds=1)) == 0
