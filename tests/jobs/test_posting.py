"""Batches, answers and what each of them means for the plays that were in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from jobs import ledger
from jobs.errors import (
    AccountLimit,
    AccountLocked,
    AppRefused,
    BadData,
    Cancelled,
    LostClaim,
    RateLimited,
    Reconnect,
    ServiceDown,
    Settling,
    Stopping,
    TsuzukiError,
    VipRequired,
)
from jobs.posting import BatchSize, PostResult, post_plan
from jobs.records import Play, Receipt
from tests.fakes import FakeClock, FakeRun, FakeTrakt, refused
from tests.jobs.plays import connect, new_run, next_attempt, picture, play, rows, states
from webapp.extensions import db
from webapp.models import Run, User


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def trakt(clock: FakeClock) -> FakeTrakt:
    return FakeTrakt(clock)


@pytest.fixture
def run(app: Flask, user: User) -> FakeRun:
    connect(user)
    return new_run(user.id)


def many(number: int, anilist_id: int = 1) -> list[Play]:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return [play(anilist_id, n, watched_at=start + timedelta(minutes=n)) for n in range(1, number + 1)]


def post(run: FakeRun, trakt: FakeTrakt, plays: list[Play]) -> PostResult:
    return post_plan(run, trakt, plays, trakt.picture("trakt-uuid"), clock=trakt.clock)


def test_every_play_arrives_once_with_its_time(run: FakeRun, trakt: FakeTrakt) -> None:
    plays = [*many(5), play(2, 1, kind="movie", trakt_id=50, season=0, number=0), play(3, 1, watched_at=None)]
    result = post(run, trakt, plays)
    assert (result.sent, result.episodes, result.movies, result.rejected, result.stop) == (7, 6, 1, 0, None)
    assert trakt.plays() == {(p.kind, p.trakt_id, p.season, p.number): 1 for p in plays}
    assert trakt.at(("episode", 300, 1, 1)) == [None]
    assert trakt.at(("episode", 100, 1, 2)) == [plays[1].watched_at]
    assert states() == {"sent": 7}
    assert result.by_entry[1].last_sent == 5


def test_nothing_to_send_asks_nothing(run: FakeRun, trakt: FakeTrakt) -> None:
    assert post(run, trakt, []).batches == 0
    assert trakt.posts == []


def test_a_second_call_with_the_same_plan_sends_nothing(run: FakeRun, trakt: FakeTrakt) -> None:
    plays = many(5)
    seen = trakt.picture("trakt-uuid")
    post_plan(run, trakt, plays, seen, clock=trakt.clock)
    again = post_plan(next_attempt(run), trakt, plays, seen, clock=trakt.clock)
    assert (len(trakt.posts), again.sent, again.batches) == (1, 5, 0)


def test_batches_start_at_200_and_double_after_quick_answers(run: FakeRun, trakt: FakeTrakt) -> None:
    post(run, trakt, many(2_600))
    assert [len(batch) for batch in trakt.posts] == [200, 400, 800, 1_000, 200]


def test_the_size_is_remembered_between_runs(run: FakeRun, trakt: FakeTrakt) -> None:
    post(run, trakt, many(200))
    post(new_run(run.user_id), trakt, many(500, anilist_id=2))
    assert [len(batch) for batch in trakt.posts] == [200, 400, 100]


def test_a_slow_answer_does_not_double(run: FakeRun, trakt: FakeTrakt) -> None:
    trakt.elapsed = 10.1
    post(run, trakt, many(500))
    assert [len(batch) for batch in trakt.posts] == [200, 200, 100]


def test_a_fixed_batch_size_is_kept(app: Flask, run: FakeRun, trakt: FakeTrakt) -> None:
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(TRAKT_BATCH_SIZE=7)
    post(run, trakt, many(20))
    assert [len(batch) for batch in trakt.posts] == [7, 7, 6]


def test_413_halves_the_batch_and_goes_on(run: FakeRun, trakt: FakeTrakt) -> None:
    trakt.faults = [refused(None, 413), refused(None, 413)]
    result = post(run, trakt, many(120))
    assert (result.stop, result.sent) == (None, 120)
    assert [len(batch) for batch in trakt.posts] == [50, 70]


def test_a_lost_answer_halves_the_next_batch() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    size = BatchSize(800).after(Receipt("doubt", http_status=502), 800, now)
    assert (size.size, size.failures, size.wait(now)) == (400, 1, 0.0)
    for _ in range(2):
        size = size.after(Receipt("doubt"), 400, now)
    assert (size.size, size.wait(now), size.wait(now + timedelta(seconds=121))) == (100, 120.0, 0.0)
    assert size.after(Receipt("applied", added=100, elapsed=1), 100, now) == BatchSize(200)
    assert BatchSize(1).after(Receipt("doubt"), 1, now).size == 1
    assert BatchSize(8, failures=900, failed_at=now.timestamp()).wait(now) == 3600.0


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("rate_limited", 429, RateLimited),
        ("service_down", None, ServiceDown),
    ],
)
def test_a_refusal_that_passes_parks_the_run_and_nothing_was_sent(
    run: FakeRun, trakt: FakeTrakt, code: str, status: int | None, error: type[TsuzukiError]
) -> None:
    trakt.faults = [refused(code, status, retry_after=17.0)]
    with pytest.raises(error) as caught:
        post(run, trakt, many(5))
    assert getattr(caught.value, "seconds", None) == 17.0
    assert states() == {"planned": 5}
    assert post(next_attempt(run), trakt, many(5)).sent == 5
    assert set(trakt.plays().values()) == {1}


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("reconnect_trakt", 401, Reconnect),
        ("app_refused", 403, AppRefused),
        ("app_refused", 302, AppRefused),
        ("vip_required", 426, VipRequired),
        ("account_limit", 420, AccountLimit),
        ("account_locked", 423, AccountLocked),
        ("bad_data", 422, BadData),
        (None, 400, BadData),
    ],
)
def test_a_refusal_that_stays_ends_the_run_with_its_reason(
    run: FakeRun, trakt: FakeTrakt, code: str | None, status: int, error: type[TsuzukiError]
) -> None:
    trakt.faults = ["ok", refused(code, status)]
    result = post(run, trakt, many(300))
    assert isinstance(result.stop, error)
    assert (result.sent, result.planned) == (200, 100)
    assert states() == {"sent": 200, "planned": 100}


@pytest.mark.parametrize("fault", ["lost", "half", "dropped", "html"])
def test_a_lost_answer_is_settled_before_anything_else_goes_out(run: FakeRun, trakt: FakeTrakt, fault: str) -> None:
    trakt.faults = [fault]
    plays = many(10)
    ctx = run
    for _ in range(4):
        try:
            post(ctx, trakt, plays)
            break
        except Settling as wait:
            trakt.clock.move(wait.seconds)
            ctx = next_attempt(ctx)
    assert states() == {"sent": 10}
    assert trakt.plays() == {("episode", 100, 1, n): 1 for n in range(1, 11)}


def test_what_trakt_does_not_know_is_rejected_with_its_answer(run: FakeRun, trakt: FakeTrakt) -> None:
    trakt.unknown = {("episode", 100, 1, 2)}
    with pytest.raises(Settling) as caught:
        post(run, trakt, many(3))
    assert states() == {"sent": 2, "sending": 1}
    trakt.clock.move(caught.value.seconds)
    result = post(next_attempt(run), trakt, many(3))
    assert (result.sent, result.rejected, result.by_entry[1].rejected) == (2, 1, 1)
    (refusal,) = rows(state="rejected")
    assert (refusal.episode, refusal.held) == (2, True)
    assert "not_found" in (refusal.reason or "")


def test_several_lost_answers_in_a_row_leave_trakt_alone_for_a_while(run: FakeRun, trakt: FakeTrakt) -> None:
    trakt.faults = ["dropped"] * 3
    ctx, waits = run, []
    while True:
        try:
            post(ctx, trakt, many(10))
            break
        except (Settling, ServiceDown) as wait:
            waits.append((wait.reason, round(wait.seconds)))
            trakt.clock.move(wait.seconds)
            ctx = next_attempt(ctx)
    assert waits == [("settling", 60)] * 3 + [("service_down", 60)]
    assert set(trakt.plays().values()) == {1}


def test_an_account_near_the_limit_gets_nothing(run: FakeRun, trakt: FakeTrakt) -> None:
    full = picture({(9, 1, n): 1_000 for n in range(1, 91)})
    result = post_plan(run, trakt, many(1), full, clock=trakt.clock)
    assert isinstance(result.stop, AccountLimit)
    assert trakt.posts == []
    below = picture({(9, 1, n): 1_000 for n in range(1, 90)}, movies={1: 999})
    assert post_plan(run, trakt, many(1), below, clock=trakt.clock).sent == 1


def test_cancel_ends_between_two_batches(run: FakeRun, trakt: FakeTrakt) -> None:
    run.cancel_after = 1
    result = post(run, trakt, many(300))
    assert isinstance(result.stop, Cancelled)
    assert (result.sent, result.planned, len(trakt.posts)) == (200, 100, 1)


def test_a_worker_that_is_told_to_end_finishes_its_batch_first(run: FakeRun, trakt: FakeTrakt) -> None:
    run.stop_after = 1
    with pytest.raises(Stopping):
        post(run, trakt, many(300))
    assert states() == {"sent": 200, "planned": 100}


def test_a_run_that_was_taken_over_while_it_waited_for_the_answer_records_nothing(
    run: FakeRun, trakt: FakeTrakt
) -> None:
    def step(name: str) -> None:
        if name == "after post":
            next_attempt(run)

    trakt.step = step
    with pytest.raises(LostClaim):
        post(run, trakt, many(3))
    assert states() == {"sending": 3}


def test_the_deadline_stands_while_the_request_is_open(run: FakeRun, trakt: FakeTrakt) -> None:
    seen: list[datetime | None] = []

    def step(name: str) -> None:
        if name == "before post":
            seen.append(db.session.get_one(Run, run.run_id, populate_existing=True).batch_deadline)
            db.session.rollback()

    trakt.step = step
    post(run, trakt, many(3))
    assert seen == [trakt.clock.now + timedelta(seconds=185)]
    assert db.session.get_one(Run, run.run_id, populate_existing=True).batch_deadline is None


def test_a_process_that_slept_after_its_claim_sends_nothing(
    run: FakeRun, trakt: FakeTrakt, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = ledger.claim_batch

    def slow(*args: object, **more: object) -> object:
        claimed = claim(*args, **more)  # type: ignore[arg-type]  # passed on as they came
        trakt.clock.move(61)
        return claimed

    monkeypatch.setattr(ledger, "claim_batch", slow)
    with pytest.raises(ServiceDown):
        post(run, trakt, many(3))
    assert (trakt.posts, states()) == ([], {"planned": 3})


def test_a_picture_of_another_account_is_refused(run: FakeRun, trakt: FakeTrakt) -> None:
    with pytest.raises(BadData):
        post_plan(run, trakt, many(1), picture(account_id="another"), clock=trakt.clock)
