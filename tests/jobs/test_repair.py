"""A repair takes away by history id what the person chose and nothing else; its undo puts the copies back, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from flask import Flask

from jobs import repair, repair_rows
from jobs.doctor import Cause, Finding
from jobs.errors import AppRefused, RateLimited, ServiceDown, Settling, TsuzukiError, Waits
from jobs.ledger import Accounts
from jobs.undo import run_move
from tests.fakes import FakeClock, FakeRemoval, FakeRun, FakeTrakt, refused
from tests.jobs.plays import connect, new_run, next_attempt, rows, show
from webapp import enqueue, runs
from webapp.database import transaction
from webapp.extensions import db
from webapp.models import HistoryFinding, PlayRow, Run, User, utcnow

ACCOUNT = Accounts("7", "trakt-uuid")
PLACE = ("episode", 100, 1, 1)


@dataclass(frozen=True)
class Event:
    history_id: int
    watched_at: datetime | None
    kind: str = "episode"
    trakt_id: int = 100
    season: int = 1
    number: int = 1
    action: str = "watch"
    title: str = "Frieren"


@pytest.fixture
def trakt() -> FakeTrakt:
    return FakeTrakt(FakeClock(utcnow().replace(microsecond=0)))


@pytest.fixture
def person(app: Flask, user: User, monkeypatch: pytest.MonkeyPatch) -> int:
    connect(user)
    monkeypatch.setattr(enqueue, "run", lambda _run: True)
    return user.id


def found(user_id: int, *findings: Finding) -> FakeRun:
    """A look that found these, and the repair that the person started with all of them."""
    look = new_run(user_id, "doctor")
    repair_rows.store(look, "trakt-uuid", findings)
    end(look)
    with transaction(readonly=True) as session:
        ids = list(session.scalars(db.select(HistoryFinding.id).where(HistoryFinding.state == "found")))
    run = runs.repair(user_id, ids).run
    db.session.get_one(Run, run.id).status = "running"
    db.session.get_one(Run, run.id).attempt = 1
    db.session.commit()
    return FakeRun(run.id, user_id, 1)


def end(ctx: FakeRun) -> None:
    """The run ended well."""
    db.session.get_one(Run, ctx.run_id).status = "succeeded"
    db.session.commit()


def double(trakt: FakeTrakt, at: datetime, *, times: int = 2) -> list[Finding]:
    """One episode that stands `times` times at the same second; all but the first are found."""
    first, *others = [trakt.add(PLACE, at) for _ in range(times)]
    trakt.clock.move(600)
    return [Finding(Cause.POSTED_AGAIN, Event(history_id, at), keeps=first) for history_id in others]


def state_of(run: FakeRun) -> list[tuple[str, str | None]]:
    return [(row.state, row.reason) for row in repair_rows.of_repair(run.run_id)]


def patiently(ctx: FakeRun, trakt: FakeTrakt, repair_id: int) -> int:
    """Put back, waiting whenever it asks for it."""
    for _ in range(10):
        try:
            return repair.restore(ctx, trakt, repair_id, clock=trakt.clock)
        except Waits as wait:
            trakt.clock.move(wait.seconds)
            ctx = next_attempt(ctx)
    raise AssertionError("it never ended")


def test_only_what_was_found_goes_and_the_first_play_stays(person: int, trakt: FakeTrakt) -> None:
    at = trakt.clock.now - timedelta(days=9)
    ctx = found(person, *double(trakt, at, times=3))
    assert repair.remove(ctx, trakt, clock=trakt.clock) is None
    assert trakt.at(PLACE) == [at]
    assert state_of(ctx) == [("removed", None)] * 2
    assert trakt.posts == []


def test_a_play_whose_twin_has_gone_since_is_left_alone(person: int, trakt: FakeTrakt) -> None:
    at = trakt.clock.now - timedelta(days=9)
    ctx = found(person, *double(trakt, at))
    trakt.events[0].removed = trakt.clock.now
    repair.remove(ctx, trakt, clock=trakt.clock)
    assert trakt.at(PLACE) == [at]
    assert trakt.removals == []
    assert state_of(ctx) == [("stays", "twin_gone")]


def test_a_play_that_went_by_itself_is_not_asked_for(person: int, trakt: FakeTrakt) -> None:
    ctx = found(person, *double(trakt, trakt.clock.now))
    trakt.events[1].removed = trakt.clock.now
    repair.remove(ctx, trakt, clock=trakt.clock)
    assert state_of(ctx) == [("stays", "gone")]
    assert trakt.removals == []


@pytest.mark.parametrize("fault", ["lost", "dropped"])
def test_a_lost_answer_is_asked_again_for_the_same_ids(person: int, trakt: FakeTrakt, fault: str) -> None:
    at = trakt.clock.now - timedelta(days=9)
    ctx = found(person, *double(trakt, at))
    trakt.removal_faults = [fault]
    repair.remove(ctx, trakt, clock=trakt.clock)
    assert trakt.at(PLACE) == [at]
    assert state_of(ctx) == [("removed", None)]


def test_a_removal_that_nobody_answers_goes_on_with_the_next_attempt(person: int, trakt: FakeTrakt) -> None:
    at = trakt.clock.now - timedelta(days=9)
    ctx = found(person, *double(trakt, at))
    trakt.removal_faults = ["lost"] * 3
    with pytest.raises(ServiceDown):
        repair.remove(ctx, trakt, clock=trakt.clock)
    assert state_of(ctx) == [("removing", None)]
    assert repair.remove(next_attempt(ctx), trakt, clock=trakt.clock) is None
    assert trakt.at(PLACE) == [at]
    assert state_of(ctx) == [("removed", None)]


def test_a_refused_removal_changes_nothing(person: int, trakt: FakeTrakt) -> None:
    ctx = found(person, *double(trakt, trakt.clock.now))
    trakt.removal_faults = [FakeRemoval("refused", code="app_refused")]
    with pytest.raises(AppRefused):
        repair.remove(ctx, trakt, clock=trakt.clock)
    assert trakt.plays() == {PLACE: 2}
    assert state_of(ctx) == [("chosen", None)]


@pytest.mark.parametrize("fault", ["ok", "lost", "dropped", "half", "html", "late"])
def test_what_was_removed_comes_back_with_its_time_exactly_once(person: int, trakt: FakeTrakt, fault: str) -> None:
    at = trakt.clock.now - timedelta(days=9)
    trakt.lag = 5
    ctx = found(person, *double(trakt, at, times=4))
    repair.remove(ctx, trakt, clock=trakt.clock)
    trakt.clock.move(600)
    end(ctx)
    trakt.faults = [fault]
    assert patiently(new_run(person, "undo", parent_id=ctx.run_id), trakt, ctx.run_id) == 3
    assert trakt.at(PLACE) == [at] * 4
    assert {state for state, _ in state_of(ctx)} == {"restored"}


def test_putting_back_waits_when_trakt_says_so_and_ends_when_it_refuses(person: int, trakt: FakeTrakt) -> None:
    ctx = found(person, *double(trakt, trakt.clock.now))
    repair.remove(ctx, trakt, clock=trakt.clock)
    trakt.clock.move(600)
    end(ctx)
    undo = new_run(person, "undo", parent_id=ctx.run_id)
    stops: list[tuple[str, type[TsuzukiError]]] = [("rate_limited", RateLimited), ("app_refused", AppRefused)]
    for code, error in stops:
        trakt.faults = [refused(code)]
        with pytest.raises(error):
            repair.restore(undo, trakt, ctx.run_id, clock=trakt.clock)
        assert state_of(ctx) == [("removed", None)]
    assert repair.restore(undo, trakt, ctx.run_id, clock=trakt.clock) == 1
    assert trakt.plays() == {PLACE: 2}


def test_what_was_taken_away_a_moment_ago_is_not_put_back_before_readings_are_right(
    person: int, trakt: FakeTrakt
) -> None:
    ctx = found(person, *double(trakt, trakt.clock.now))
    repair.remove(ctx, trakt, clock=utcnow)
    end(ctx)
    with pytest.raises(Settling):
        repair.restore(new_run(person, "undo", parent_id=ctx.run_id), trakt, ctx.run_id, clock=utcnow)
    assert trakt.posts == []


def test_a_worker_that_died_while_putting_back_is_waited_for_before_anybody_posts(
    person: int, trakt: FakeTrakt
) -> None:
    ctx = found(person, *double(trakt, trakt.clock.now))
    repair.remove(ctx, trakt, clock=trakt.clock)
    trakt.clock.move(600)
    end(ctx)
    undo = new_run(person, "undo", parent_id=ctx.run_id)

    def die(name: str) -> None:
        if name == "after post":
            raise KeyboardInterrupt

    trakt.step = die
    with pytest.raises(KeyboardInterrupt):
        repair.restore(undo, trakt, ctx.run_id, clock=trakt.clock)
    trakt.step = lambda _name: None
    later = next_attempt(undo)
    with pytest.raises(Settling):
        repair.restore(later, trakt, ctx.run_id, clock=trakt.clock)
    trakt.clock.move(600)
    assert repair.restore(later, trakt, ctx.run_id, clock=trakt.clock) == 1
    assert trakt.plays() == {PLACE: 2}


def misplaced(trakt: FakeTrakt, at: datetime, episode: int = 1) -> Finding:
    history_id = trakt.add(("episode", 100, 1, episode), at)
    event = Event(history_id, at, number=episode)
    return Finding(Cause.FROM_S1E1, event, None, 1, episode, ("episode", 100, 1, 24 + episode))


def move(ctx: FakeRun, trakt: FakeTrakt) -> None:
    chosen = [row for row in repair_rows.of_repair(ctx.run_id, "chosen") if row.to_season is not None]
    repair_rows.adopt(ctx, ACCOUNT, chosen, trakt.clock())
    run_move(ctx, trakt, placements={1: show(start=25)}, clock=trakt.clock)


def test_a_play_that_stands_wrong_is_adopted_and_moved_with_its_time(person: int, trakt: FakeTrakt) -> None:
    at = trakt.clock.now - timedelta(days=9)
    other = at - timedelta(days=300)
    trakt.add(PLACE, other)  # the first season, which belongs there
    ctx = found(person, misplaced(trakt, at))
    trakt.clock.move(600)
    move(ctx, trakt)
    assert trakt.at(PLACE) == [other]
    assert trakt.at(("episode", 100, 1, 25)) == [at]
    assert repair_rows.still_there(person, "trakt-uuid", repair_rows.of_repair(ctx.run_id)) == set()
    assert [(r.state, r.held) for r in rows(number=25)] == [("sent", True)]


def test_a_wrong_play_of_an_episode_that_we_sent_right_only_has_to_go(person: int, trakt: FakeTrakt) -> None:
    at = trakt.clock.now - timedelta(days=9)
    sent = {"anilist_id": 1, "episode": 1, "kind": "episode", "trakt_id": 100, "season": 1, "number": 25}
    db.session.add(
        PlayRow(user_id=person, source_account="7", target_account="trakt-uuid", state="sent", watched_at=at, **sent)
    )
    db.session.commit()
    trakt.add(("episode", 100, 1, 25), at, "us")
    ctx = found(person, misplaced(trakt, at))
    move(ctx, trakt)
    assert repair.remove(ctx, trakt, clock=trakt.clock) is None
    assert trakt.plays() == {("episode", 100, 1, 25): 1}
    assert state_of(ctx) == [("removed", None)]


def test_a_wrong_play_of_an_episode_that_is_on_its_way_stays(person: int, trakt: FakeTrakt) -> None:
    sent = {"anilist_id": 1, "episode": 1, "kind": "episode", "trakt_id": 100, "season": 1, "number": 25}
    db.session.add(PlayRow(user_id=person, source_account="7", target_account="trakt-uuid", state="sending", **sent))
    db.session.commit()
    ctx = found(person, misplaced(trakt, trakt.clock.now))
    repair_rows.adopt(ctx, ACCOUNT, repair_rows.of_repair(ctx.run_id), trakt.clock())
    assert state_of(ctx) == [("stays", "on_its_way")]


def test_a_new_look_forgets_what_nobody_acted_on_and_keeps_the_copies(person: int, trakt: FakeTrakt) -> None:
    at = trakt.clock.now - timedelta(days=9)
    ctx = found(person, *double(trakt, at))
    repair.remove(ctx, trakt, clock=trakt.clock)
    end(ctx)
    for _ in range(2):
        look = new_run(person, "doctor")
        repair_rows.store(look, "trakt-uuid", [Finding(Cause.WITHIN_A_DAY, Event(9, at), keeps=8)])
    with transaction(readonly=True) as session:
        states = sorted(session.scalars(db.select(HistoryFinding.state)))
    assert states == ["found", "removed"]


def test_nothing_chosen_starts_no_run(person: int, trakt: FakeTrakt) -> None:
    ctx = found(person, *double(trakt, trakt.clock.now))
    ids = [row.id for row in repair_rows.of_repair(ctx.run_id)]
    with pytest.raises(runs.RunError) as error:
        runs.repair(person, ids)
    assert error.value.code == "nothing_chosen"
    with pytest.raises(runs.RunError):
        runs.repair(person, [])
