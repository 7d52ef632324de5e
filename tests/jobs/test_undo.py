"""Undo and move: only plays that were identified leave Trakt, and never before their new place is confirmed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from jobs import ledger
from jobs.errors import BadData, Cancelled, RateLimited, ServiceDown, Settling, TsuzukiError, Waits
from jobs.ledger import Accounts
from jobs.planner import plan
from jobs.posting import post_plan
from jobs.records import Placement, Play, Refusal, Span
from jobs.undo import RemovalResult, run_move, run_undo
from tests.fakes import FakeClock, FakeRemoval, FakeRun, FakeTrakt
from tests.jobs.plays import connect, entry, inputs, movie, new_run, next_attempt, play, rows, show, states
from webapp.extensions import db
from webapp.models import Run, SyncProgress, User

ACCOUNT = Accounts("7", "trakt-uuid")


@pytest.fixture
def trakt() -> FakeTrakt:
    return FakeTrakt(FakeClock())


@pytest.fixture
def run(app: Flask, user: User) -> FakeRun:
    connect(user)
    return new_run(user.id)


def send(run: FakeRun, trakt: FakeTrakt, *plays: Play) -> None:
    assert post_plan(run, trakt, plays, trakt.picture("trakt-uuid"), clock=trakt.clock).stop is None
    trakt.clock.move(600)


def undo(run: FakeRun, trakt: FakeTrakt) -> tuple[RemovalResult, FakeRun]:
    ctx = new_run(run.user_id, "undo", parent_id=run.run_id)
    return run_undo(ctx, trakt, clock=trakt.clock), ctx


def patiently(ctx: FakeRun, trakt: FakeTrakt) -> RemovalResult:
    """Undo, waiting whenever it asks for it."""
    for _ in range(10):
        try:
            return run_undo(ctx, trakt, clock=trakt.clock)
        except Waits as wait:
            trakt.clock.move(wait.seconds)
            ctx = next_attempt(ctx)
    raise AssertionError("it never ended")


def test_undo_takes_away_what_the_run_added_and_nothing_else(run: FakeRun, trakt: FakeTrakt) -> None:
    own = play(1, 1).watched_at
    assert own is not None
    trakt.add(("episode", 100, 1, 1), own - timedelta(days=9))
    film = play(2, 1, kind="movie", trakt_id=50, season=0, number=0)
    send(run, trakt, play(1, 1, before=1), play(1, 2), film)
    result, ctx = undo(run, trakt)
    assert (result.removed, result.left, result.stop) == (3, (), None)
    assert trakt.plays() == {("episode", 100, 1, 1): 1}
    assert [(r.state, r.held) for r in rows()] == [("removed", True)] * 3
    assert db.session.get_one(Run, run.run_id).undone_by == ctx.run_id
    assert ctx.progress.items[1][0].detail == {"removed": 2, "not_identified": []}


def test_what_was_undone_is_held_until_send_again(run: FakeRun, trakt: FakeTrakt) -> None:
    one = entry(episodes=1, progress=1)
    send(run, trakt, play(1, 1))
    undo(run, trakt)
    trakt.clock.move(7200)

    def planned() -> int:
        found = ledger.rows_for(run.user_id, "trakt-uuid")
        return len(plan(inputs(one, ledger=found, now=trakt.clock.now, trakt=trakt.picture("trakt-uuid"))).plays)

    assert planned() == 0
    ledger.send_again(run.user_id, run_id=run.run_id, at=trakt.clock.now)
    assert planned() == 1


def test_an_unknown_date_goes_only_when_it_is_the_only_play(run: FakeRun, trakt: FakeTrakt) -> None:
    trakt.add(("episode", 100, 1, 3), None)
    send(run, trakt, *[play(1, n, watched_at=None, before=int(n == 3)) for n in (1, 2, 3)])
    trakt.add(("episode", 100, 1, 2), None)
    result, _ = undo(run, trakt)
    assert (result.removed, sorted(row.episode for row in result.left)) == (1, [2, 3])
    assert trakt.plays() == {("episode", 100, 1, 2): 2, ("episode", 100, 1, 3): 2}
    assert states() == {"removed": 1, "sent": 2}


def test_what_the_person_removed_before_is_gone(run: FakeRun, trakt: FakeTrakt) -> None:
    send(run, trakt, play(1, 1), play(1, 2))
    trakt.take_away(("episode", 100, 1, 1))
    result, _ = undo(run, trakt)
    assert (result.removed, result.gone) == (1, 1)
    assert states() == {"gone": 1, "removed": 1}


def test_a_play_that_does_not_show_yet_is_waited_for(run: FakeRun, trakt: FakeTrakt) -> None:
    trakt.lag = 30
    post_plan(run, trakt, [play(1, 1)], trakt.picture("trakt-uuid"), clock=trakt.clock)
    ctx = new_run(run.user_id, "undo", parent_id=run.run_id)
    with pytest.raises(Settling):
        run_undo(ctx, trakt, clock=trakt.clock)
    assert patiently(next_attempt(ctx), trakt).removed == 1
    assert trakt.plays() == {}


@pytest.mark.parametrize("faults", [["lost"], ["dropped"], ["dropped"] * 3, ["lost", "dropped", "dropped", "lost"]])
def test_a_lost_answer_to_a_removal_is_repeated_by_id(run: FakeRun, trakt: FakeTrakt, faults: list[str]) -> None:
    send(run, trakt, play(1, 1), play(1, 2))
    trakt.add(("episode", 100, 1, 1), None)
    trakt.removal_faults = list(faults)
    ctx = new_run(run.user_id, "undo", parent_id=run.run_id)
    assert patiently(ctx, trakt).removed == 2
    assert trakt.plays() == {("episode", 100, 1, 1): 1}
    assert len({tuple(ids) for ids in trakt.removals}) == 1


@pytest.mark.parametrize(
    ("code", "error"), [("rate_limited", RateLimited), ("service_down", ServiceDown), ("bad_data", BadData)]
)
def test_a_refused_removal_leaves_the_plays_as_they_were(
    run: FakeRun, trakt: FakeTrakt, code: str, error: type[TsuzukiError]
) -> None:
    send(run, trakt, play(1, 1))
    trakt.removal_faults = [FakeRemoval("refused", code=code)]
    with pytest.raises(error):
        undo(run, trakt)
    assert states() == {"sent": 1}
    assert undo(run, trakt)[0].removed == 1


def test_an_undo_can_be_cancelled_between_requests(run: FakeRun, trakt: FakeTrakt) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    send(run, trakt, *[play(1, n, watched_at=start + timedelta(minutes=n)) for n in range(1, 301)])
    ctx = new_run(run.user_id, "undo", parent_id=run.run_id)
    ctx.cancel_after = 1
    result = run_undo(ctx, trakt, clock=trakt.clock)
    assert isinstance(result.stop, Cancelled)
    assert states() == {"removed": 200, "sent": 100}
    assert undo(run, trakt)[0].removed == 300
    assert trakt.plays() == {}


def test_sync_progress_falls_back_over_what_is_off_trakt(run: FakeRun, trakt: FakeTrakt) -> None:
    send(run, trakt, *[play(1, n) for n in (4, 5, 6)], play(2, 3))
    db.session.add_all(
        [SyncProgress(user_id=run.user_id, anilist_id=n, last_abs=6, updated_at=trakt.clock.now) for n in (1, 2)]
    )
    db.session.commit()
    undo(run, trakt)
    stored = {row.anilist_id: row.last_abs for row in db.session.query(SyncProgress)}
    assert stored == {1: 3, 2: 6}


def test_an_undo_that_names_no_run_is_refused(run: FakeRun, trakt: FakeTrakt) -> None:
    with pytest.raises(BadData):
        run_undo(new_run(run.user_id, "undo"), trakt, clock=trakt.clock)


# moves


def move(run: FakeRun, trakt: FakeTrakt, places: dict[int, Placement | Refusal]) -> tuple[RemovalResult, FakeRun]:
    ctx = new_run(run.user_id, "move", options={"entries": sorted(places)})
    for _ in range(10):
        try:
            return run_move(ctx, trakt, placements=places, clock=trakt.clock), ctx
        except Waits as wait:
            trakt.clock.move(wait.seconds)
            ctx = next_attempt(ctx)
    raise AssertionError("it never ended")


def where(anilist_id: int) -> dict[int, tuple[int, int, int]]:
    """Episode -> (Trakt id, season, number) of what stands."""
    return {r.episode: (r.trakt_id, r.season, r.number) for r in rows(anilist_id=anilist_id, state="sent")}


def test_a_move_posts_at_the_right_place_and_then_removes_the_old_play(run: FakeRun, trakt: FakeTrakt) -> None:
    send(run, trakt, *[play(1, n) for n in (1, 2, 3)])
    log: list[str] = []
    trakt.step = log.append
    result, _ = move(run, trakt, {1: show(1, 100, season=2)})
    assert (result.moved, result.left) == (3, ())
    assert trakt.plays() == {("episode", 100, 2, n): 1 for n in (1, 2, 3)}
    assert trakt.at(("episode", 100, 2, 2)) == [play(1, 2).watched_at]
    assert log.index("after post") < log.index("before removal")
    assert {(r.state, r.held, r.reason) for r in rows(season=1)} == {("removed", False, "moved")}
    assert where(1) == {n: (100, 2, n) for n in (1, 2, 3)}


@pytest.mark.parametrize("seconds_later", [0, 600])
def test_plays_that_were_moved_go_back_with_their_times(run: FakeRun, trakt: FakeTrakt, seconds_later: int) -> None:
    send(run, trakt, *[play(1, n) for n in (1, 2, 3)])
    for place in (show(1, 100, season=2), show(1, 100)):
        result, _ = move(run, trakt, {1: place})
        assert (result.moved, result.left) == (3, ())
        trakt.clock.move(seconds_later)
    assert trakt.plays() == {("episode", 100, 1, n): 1 for n in (1, 2, 3)}
    assert [trakt.at(("episode", 100, 1, n)) for n in (1, 2, 3)] == [[play(1, n).watched_at] for n in (1, 2, 3)]
    assert where(1) == {n: (100, 1, n) for n in (1, 2, 3)}


@pytest.mark.parametrize("on_trakt", [0, 1])
def test_plays_of_an_episode_that_was_seen_again_move_together(run: FakeRun, trakt: FakeTrakt, on_trakt: int) -> None:
    """What stands at the right place already, and is not ours, stands for the first of them."""
    first = play(1, 1).watched_at
    assert first is not None
    again = replace(play(1, 1, before=1), nth=2, target_nth=2, watched_at=first - timedelta(days=9))
    send(run, trakt, play(1, 1))
    send(run, trakt, again)
    for _ in range(on_trakt):
        trakt.add(("episode", 100, 2, 1), first)
    trakt.clock.move(600)
    result, _ = move(run, trakt, {1: show(1, 100, season=2)})
    assert (result.moved, result.left) == (2, ())
    assert trakt.plays() == {("episode", 100, 2, 1): 2}
    assert sorted(r.nth for r in rows(season=2, state="sent")) == [1, 2][on_trakt:]


def test_a_shift_by_one_posts_one_and_removes_one(run: FakeRun, trakt: FakeTrakt) -> None:
    send(run, trakt, *[play(1, n) for n in range(1, 13)])
    result, _ = move(run, trakt, {1: show(1, 100, start=2)})
    assert result.moved == 12
    assert trakt.plays() == {("episode", 100, 1, n): 1 for n in range(2, 14)}
    assert (len(trakt.posts[-1]), trakt.removals) == (1, [[trakt.events[0].history_id]])
    assert where(1) == {n: (100, 1, n + 1) for n in range(1, 13)}


def test_two_entries_that_swap_need_no_request(run: FakeRun, trakt: FakeTrakt) -> None:
    send(run, trakt, *[play(1, n) for n in (1, 2)], *[play(2, n, trakt_id=100, season=2) for n in (1, 2)])
    before = (len(trakt.posts), trakt.plays())
    result, _ = move(run, trakt, {1: show(1, 100, season=2, last=2), 2: show(2, 100, season=1, last=2)})
    assert (result.moved, len(trakt.posts), trakt.removals) == (4, before[0], [])
    assert trakt.plays() == before[1]
    assert where(1) == {n: (100, 2, n) for n in (1, 2)}
    assert where(2) == {n: (100, 1, n) for n in (1, 2)}


def test_a_move_that_trakt_rejects_leaves_the_old_play(run: FakeRun, trakt: FakeTrakt) -> None:
    send(run, trakt, *[play(1, n) for n in (1, 2, 3)])
    trakt.unknown = {("episode", 100, 1, 4)}
    result, ctx = move(run, trakt, {1: show(1, 100, start=2)})
    assert (result.moved, len(result.left), trakt.removals) == (0, 3, [])
    assert trakt.plays() == {("episode", 100, 1, n): 1 for n in (1, 2, 3)}
    assert where(1) == {n: (100, 1, n) for n in (1, 2, 3)}
    assert ctx.progress.items[1][0].outcome == "misplaced"


def test_a_play_that_trakt_has_at_the_new_place_is_not_doubled(run: FakeRun, trakt: FakeTrakt) -> None:
    send(run, trakt, play(1, 1))
    trakt.add(("episode", 100, 2, 1), None)
    move(run, trakt, {1: show(1, 100, season=2)})
    assert trakt.plays() == {("episode", 100, 2, 1): 1}
    assert len(trakt.posts) == 1
    assert {(r.state, r.held) for r in rows()} == {("removed", False)}


def test_a_place_of_an_entry_that_does_not_move_stays_its_own(run: FakeRun, trakt: FakeTrakt) -> None:
    send(run, trakt, play(1, 1), play(1, 2), play(2, 1, trakt_id=100, number=3))
    result, ctx = move(run, trakt, {1: show(1, 100, start=2)})
    assert (result.moved, len(result.left), trakt.removals) == (0, 2, [])
    assert ctx.progress.items[1][0].detail["blocked"] == [2]
    assert trakt.plays() == {("episode", 100, 1, n): 1 for n in (1, 2, 3)}


def test_a_show_that_turns_out_to_be_a_movie_moves_there(run: FakeRun, trakt: FakeTrakt) -> None:
    send(run, trakt, play(1, 1))
    move(run, trakt, {1: movie(1, 77)})
    assert trakt.plays() == {("movie", 77, 0, 0): 1}


@pytest.mark.parametrize("fault", ["lost", "half", "dropped"])
def test_a_lost_answer_during_a_move_costs_nothing(run: FakeRun, trakt: FakeTrakt, fault: str) -> None:
    send(run, trakt, *[play(1, n) for n in range(1, 9)])
    trakt.faults, trakt.removal_faults = [fault], [fault, "lost", "dropped"]
    result, _ = move(run, trakt, {1: show(1, 100, season=2)})
    assert result.left == ()
    assert trakt.plays() == {("episode", 100, 2, n): 1 for n in range(1, 9)}


def test_a_plan_of_another_run_ends_a_move_that_never_began(run: FakeRun, trakt: FakeTrakt) -> None:
    send(run, trakt, play(1, 1))
    ctx = new_run(run.user_id, "move", options={"entries": [1]})
    ctx.cancel_after = 0
    assert isinstance(run_move(ctx, trakt, placements={1: show(1, 100, season=2)}, clock=trakt.clock).stop, Cancelled)
    assert states() == {"removing": 1, "planned": 1}
    ledger.write_plan(new_run(run.user_id), ACCOUNT, [], trakt.clock.now)
    assert [(r.state, r.reason) for r in rows()] == [("sent", None)]


def test_an_undo_of_the_first_run_finds_its_plays_where_they_were_moved(run: FakeRun, trakt: FakeTrakt) -> None:
    send(run, trakt, *[play(1, n) for n in (1, 2, 3)])
    move(run, trakt, {1: show(1, 100, start=2)})
    trakt.clock.move(600)
    assert undo(run, trakt)[0].removed == 3
    assert trakt.plays() == {}


def test_episodes_spread_over_two_seasons_move_each_to_its_own(run: FakeRun, trakt: FakeTrakt) -> None:
    send(run, trakt, *[play(1, n, number=n + 20) for n in range(1, 5)])
    split = replace(show(1, 100), spans=(Span(1, 2, 1, 24), Span(3, 4, 2, 1)))
    move(run, trakt, {1: split})
    assert trakt.plays() == {
        ("episode", 100, 1, 24): 1, ("episode", 100, 1, 25): 1, ("episode", 100, 2, 1): 1, ("episode", 100, 2, 2): 1
    }  # fmt: skip


def test_what_the_person_removed_does_not_move(run: FakeRun, trakt: FakeTrakt) -> None:
    send(run, trakt, *[play(1, n) for n in (1, 2, 3)])
    trakt.take_away(("episode", 100, 1, 2))
    trakt.clock.move(7200)
    result, _ = move(run, trakt, {1: show(1, 100, season=2)})
    assert result.moved == 2
    assert trakt.plays() == {("episode", 100, 2, n): 1 for n in (1, 3)}
    assert [(r.episode, r.state, r.held) for r in rows(state="gone")] == [(2, "gone", True)]
