"""A whole run in one process, with AniList and Trakt in memory: what it sends, stores, says and asks."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from jobs import pictures, planning, plans, refresh, runstate, selection, single, sync, tools
from jobs.errors import AppRefused, IncompleteRead, RateLimited, Reconnect, ServiceDown
from jobs.records import Activity, PartialDate, Pile, Placement, Play, Reason, Receipt, Refusal, Span
from jobs.said import said
from jobs.sources.anilist import Viewer
from jobs.storing import get_setting, put_setting
from jobs.targets.trakt_writes import Removal
from tests.jobs.sync_fakes import (
    NOW,
    FakeAniList,
    FakePlacing,
    FakeTrakt,
    change_entry,
    connect,
    entry,
    entry_row,
    make_run,
    media,
    run_row,
)
from webapp import runs
from webapp.database import transaction
from webapp.extensions import db
from webapp.models import (
    Connection,
    Log,
    MappingSource,
    PlanItem,
    PlayRow,
    RequestCount,
    Run,
    RunItem,
    SyncProgress,
    TraktPicture,
    User,
    utcnow,
)


@dataclass
class World:
    """One person with both services connected."""

    user: User
    anilist: FakeAniList = field(default_factory=FakeAniList)
    trakt: FakeTrakt = field(default_factory=FakeTrakt)
    placing: FakePlacing = field(default_factory=FakePlacing)

    def run(self, **values: Any) -> Run:
        """Start a run and let it work until it ends or waits."""
        run_id = make_run(self.user, **values)
        return self.go_on(run_id)

    def go_on(self, run_id: int) -> Run:
        with transaction() as session:
            session.execute(update(Run).where(Run.id == run_id).values(resume_at=utcnow()))
        sync.run(run_id)
        return run_row(run_id)

    def approve(self, run_id: int, entries: list[int] | None = None) -> Run:
        db.session.rollback()
        runs.approve(run_id, self.user.id, entries)
        return self.go_on(run_id)

    def read_back(self) -> None:
        """The reading that follows a run which posted, some minutes later."""
        self.trakt.moved_at = utcnow() - timedelta(minutes=5)
        with transaction() as session:
            session.execute(update(TraktPicture).values(read_again_at=utcnow()))
            (picture_id,) = session.scalars(select(TraktPicture.id)).all()
        pictures.read_back(picture_id)

    @property
    def asked(self) -> list[str]:
        return self.anilist.asked + self.trakt.asked

    def forget_requests(self) -> None:
        self.anilist.asked.clear()
        self.trakt.asked.clear()

    @property
    def plays(self) -> set[tuple[int, int, int]]:
        assert len({(p.trakt_id, p.season, p.number) for p in self.trakt.history}) == len(self.trakt.history)
        return {(play.trakt_id, play.season, play.number) for play in self.trakt.history}


@pytest.fixture
def world(app: Flask, user: User, monkeypatch: pytest.MonkeyPatch) -> World:
    connect(user)
    world = World(user)

    def counting(client: Any) -> Any:
        def make(_user_id: int, *, count: Any, **_check: Any) -> Any:
            client.count = count
            return client

        return make

    monkeypatch.setattr(tools, "anilist_for", counting(world.anilist))
    monkeypatch.setattr(tools, "trakt_for", counting(world.trakt))
    monkeypatch.setattr(tools, "trakt_public", lambda _user_id, **_count: None)
    monkeypatch.setattr(pictures, "trakt_for", lambda _user_id: world.trakt)
    monkeypatch.setattr(planning, "place_entries", world.placing.place_entries)
    monkeypatch.setattr(planning, "stored_placement", world.placing.stored_placement)
    monkeypatch.setattr(single, "place_entries", world.placing.place_entries)
    monkeypatch.setattr(refresh, "empty_sources", list)
    return world


def items(run: Run) -> dict[int, RunItem]:
    with transaction(readonly=True) as session:
        rows = session.scalars(select(RunItem).where(RunItem.run_id == run.id)).all()
    return {row.anilist_id: row for row in rows}


def progress(world: World) -> dict[int, int]:
    with transaction(readonly=True) as session:
        rows = session.scalars(select(SyncProgress).where(SyncProgress.user_id == world.user.id)).all()
    return {row.anilist_id: row.last_abs for row in rows}


def timestamp(world: World) -> str | None:
    with transaction(readonly=True) as session:
        return get_setting(session, world.user.id, "lastSyncTimestamp")


def set_timestamp(world: World, value: str) -> None:
    with transaction() as session:
        put_setting(session, world.user.id, "lastSyncTimestamp", value)


def consented(world: World) -> None:
    with transaction() as session:
        session.execute(update(User).values(hand_consent_at=utcnow()))


# What is sent


def test_a_full_run_sends_the_library_and_says_so(world: World) -> None:
    world.anilist.put(entry(1), entry(2, 3, "CURRENT"), entry(3, 0, "PLANNING"), entry(4, 5, "DROPPED"))
    run = world.run()
    assert (run.status, run.reason, run.plays_sent) == ("succeeded", None, 15)
    assert world.plays == {(10, 1, n) for n in range(1, 13)} | {(20, 1, n) for n in (1, 2, 3)}
    assert progress(world) == {1: 12, 2: 3}
    assert {key: run.result[key] for key in ("message", "found", "synced", "alreadySynced", "skippedUnmapped")} == {
        "message": "Added 15 episodes.",
        "found": 15,
        "synced": 15,
        "alreadySynced": 0,
        "skippedUnmapped": 0,
    }
    assert run.result["added"] == {"episodes": 15, "movies": 0}
    assert {i: (row.outcome, row.sent) for i, row in items(run).items()} == {1: ("sent", 12), 2: ("sent", 3)}


def test_a_second_run_after_the_read_back_posts_nothing_and_asks_twice(world: World) -> None:
    world.anilist.put(*(entry(n) for n in range(1, 80)))
    world.run()
    world.read_back()
    world.forget_requests()
    run = world.run()
    assert (run.status, run.plays_sent, run.result["synced"]) == ("succeeded", 0, 0)
    assert world.asked == ["changes", "last_activities"]
    with transaction(readonly=True) as session:
        counts = session.execute(
            select(RequestCount.service, RequestCount.requests).where(RequestCount.run_id == run.id)
        ).all()
    assert sorted(tuple(row) for row in counts) == [("anilist", 1), ("trakt", 1)]


@pytest.mark.parametrize("mode", ["completed", "watching", "full"])
def test_a_repeated_run_of_each_mode_stays_in_its_budget(world: World, mode: str) -> None:
    world.anilist.put(entry(1), entry(2, 4, "CURRENT"))
    world.run(mode=mode)
    sent = len(world.trakt.history)
    assert sent
    world.read_back()
    world.forget_requests()
    world.run(mode=mode)
    assert len(world.asked) <= 3
    assert len(world.trakt.history) == sent


def test_completed_and_watching_runs_count_entries(world: World) -> None:
    world.placing.special[3] = Refusal(3, Pile.NO_MATCH, Reason.NO_ID, "No source knows it.")
    world.anilist.put(entry(1), entry(2, 4, "CURRENT"), entry(3))
    world.trakt.history = [Play(0, n, 1, "episode", 10, 1, n, 1, 0, NOW, "now") for n in range(1, 13)]
    run = world.run(mode="completed")
    assert {key: value for key, value in run.result.items() if key != "message"} == {
        "found": 2,
        "synced": 0,
        "alreadySyncedShows": 1,
        "addedEpisodes": 0,
        "addedMovies": 0,
        "batches": 0,
        "skippedUnmapped": 1,
        "review": 0,
    }
    run = world.run(mode="watching")
    assert (run.result["found"], run.result["addedEpisodes"], run.result["batches"]) == (1, 4, 1)


def test_what_trakt_has_is_not_sent_again(world: World) -> None:
    world.anilist.put(entry(1))
    world.trakt.history = [Play(0, n, 1, "episode", 10, 1, n, 1, 0, NOW, "now") for n in range(1, 10)]
    run = world.run()
    assert run.plays_sent == 3
    assert run.result["alreadySynced"] == 9


def test_a_movie_is_counted_as_one(world: World) -> None:
    world.placing.special[1] = Placement(1, "movie", 500, (), "fribbs", "movie", "A movie")
    world.anilist.put(entry(1, 1, media=media(1, episodes=1, format="MOVIE")))
    run = world.run(mode="completed")
    assert (run.result["addedEpisodes"], run.result["addedMovies"]) == (0, 1)
    assert run.result["message"] == "Added 1 movie."


def test_one_title_is_sent_whatever_its_status(world: World) -> None:
    world.anilist.put(entry(1, 5, "DROPPED"), entry(2))
    run = world.run(mode="title", anilist_id=1)
    assert world.plays == {(10, 1, n) for n in range(1, 6)}
    assert run.status == "succeeded"
    assert timestamp(world) is None


# What a full run looks at


def test_only_what_changed_is_looked_at_again(world: World) -> None:
    world.anilist.put(entry(1), entry(2), entry(3, 4, "CURRENT"))
    world.run()
    assert run_found(world) == 0
    world.anilist.put(entry(3, 6, "CURRENT", updated_at=NOW))
    assert run_found(world) == 6
    assert (30, 1, 6) in world.plays
    change_entry(world.user, 1, changed_at=utcnow())
    assert run_found(world) == 12


def run_found(world: World) -> int:
    found = world.run().result["found"]
    assert isinstance(found, int)
    return found


def test_a_new_activity_brings_its_entry_back(world: World) -> None:
    world.anilist.put(entry(1), entry(2))
    world.run()
    world.anilist.rows.append(Activity(1, 2, "watched episode", 3, 3, utcnow().replace(microsecond=0), 12))
    assert run_found(world) == 12
    assert run_found(world) == 0


def test_the_timestamp_at_zero_means_the_whole_library(world: World) -> None:
    world.anilist.put(entry(1), entry(2))
    world.run()
    assert timestamp(world) == str(int((NOW - timedelta(days=30)).timestamp()))
    set_timestamp(world, "0")
    assert run_found(world) == 24
    assert timestamp(world) != "0"


def test_a_deleted_progress_row_means_look_again(world: World) -> None:
    world.anilist.put(entry(1), entry(2))
    world.run()
    with transaction() as session:
        session.execute(delete(SyncProgress).where(SyncProgress.anilist_id == 1))
    assert run_found(world) == 12
    assert progress(world) == {1: 12, 2: 12}
    with transaction() as session:
        session.execute(update(SyncProgress).where(SyncProgress.anilist_id == 2).values(last_abs=3))
    assert run_found(world) == 12
    assert run_found(world) == 0


def test_a_waiting_entry_is_looked_at_when_it_is_due(world: World) -> None:
    due = utcnow() + timedelta(days=1)
    world.placing.special[1] = Refusal(1, Pile.WAITING, Reason.NOT_LISTED_YET, "Not listed yet.", due_at=due)
    world.anilist.put(entry(1))
    run = world.run()
    assert (run.status, items(run)[1].outcome, run.result["skippedUnmapped"]) == ("succeeded", "waiting", 12)
    assert run_found(world) == 0
    change_entry(world.user, 1, due_at=utcnow())
    del world.placing.special[1]
    assert world.run().plays_sent == 12


def test_only_what_may_have_changed_is_placed_again(world: World) -> None:
    world.anilist.put(entry(1), entry(2))
    world.run(mode="completed")
    world.run(mode="completed")
    assert world.placing.asked == [[1, 2]]
    change_entry(world.user, 2, changed_at=utcnow())
    world.run(mode="completed")
    assert world.placing.asked == [[1, 2], [2]]
    with transaction() as session:
        session.execute(update(MappingSource).values(last_full_sync=utcnow()))
    world.run(mode="completed")
    assert world.placing.asked[2:] == [[1, 2]]


def test_an_entry_that_left_the_list_is_left_alone(world: World) -> None:
    world.anilist.put(entry(1))
    world.run()
    world.anilist.entries.clear()
    change_entry(world.user, 1, gone_at=utcnow())
    set_timestamp(world, "0")
    assert run_found(world) == 0
    assert len(world.plays) == 12


# Previews, approvals


def test_a_preview_sends_nothing_and_settles_nothing(world: World) -> None:
    world.anilist.put(entry(1))
    run = world.run(preview=True)
    assert (run.status, run.plays_planned, run.lock_key) == ("succeeded", 12, None)
    assert run.result["message"] == "12 episodes would be added."
    assert run.result["plays"] == {"episodes": 12, "movies": 0, "titles": 1}
    assert world.trakt.history == []
    assert (timestamp(world), progress(world)) == (None, {})
    assert len(plans.load(run.id)) == 12
    assert items(run)[1].detail == {"new": 12}


def test_a_preview_is_sent_with_its_dates_and_nothing_that_came_later(world: World) -> None:
    world.anilist.put(entry(1), entry(2))
    preview = world.run(preview=True)
    with transaction() as session:
        dated = NOW - timedelta(days=900)
        session.execute(
            update(PlanItem).where(PlanItem.run_id == preview.id, PlanItem.episode == 12).values(watched_at=dated)
        )
    world.anilist.put(entry(3, updated_at=NOW))
    world.trakt.history = [Play(0, 1, 1, "episode", 10, 1, 1, 1, 0, NOW, "now")]
    world.trakt.moved_at = utcnow()
    run = world.run(parent_id=preview.id, options={"entries": [1, 3]})
    assert run.status == "succeeded"
    assert world.plays == {(10, 1, n) for n in range(1, 13)}
    assert {play.watched_at for play in world.trakt.history if play.number == 12} == {dated}
    assert (run.result["fellOut"], run.result["cameNew"], run.result["leftOut"]) == (1, 12, 12)
    assert (items(run)[2].outcome, items(run)[2].reason) == ("left_out", "left_out")
    assert items(run)[3].detail["came_new"] == 12
    assert world.run().plays_sent == 24  # the schedule sends what was left out


def test_a_preview_older_than_a_day_is_not_sent(world: World) -> None:
    world.anilist.put(entry(1))
    preview = world.run(preview=True)
    with transaction() as session:
        session.execute(update(Run).where(Run.id == preview.id).values(plan_expires_at=utcnow() - timedelta(hours=1)))
    run = world.run(parent_id=preview.id)
    assert (run.status, run.reason) == ("cancelled", "approval_expired")
    assert world.trakt.history == []


def wish(run_id: int, dating: dict[str, Any]) -> None:
    with transaction() as session:
        session.execute(update(Run).where(Run.id == run_id).values(options={"dating": dating}))


def options_of(run_id: int) -> dict[str, Any]:
    with transaction(readonly=True) as session:
        found: dict[str, Any] = session.scalars(select(Run.options).where(Run.id == run_id)).one()
    return found


def test_other_dates_for_the_titles_of_one_day_leave_the_others_as_they_are(world: World) -> None:
    world.anilist.put(entry(1, completed=PartialDate(2015, 4, 1)), entry(2, completed=PartialDate(2015, 4, 2)))
    preview = world.run(preview=True)
    before = {play.anilist_id: play.watched_at for play in plans.load(preview.id) if play.episode == 12}
    wish(preview.id, {"number": 1, "rule": "unknown", "day": "2015-04-01"})
    planning.redate(preview.id)
    after = {play.anilist_id: play.watched_at for play in plans.load(preview.id) if play.episode == 12}
    assert (after[1], after[2]) == (None, before[2])
    assert options_of(preview.id) == {}


def test_a_newer_wish_for_dates_wins(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.anilist.put(entry(1))
    preview = world.run(preview=True)
    wish(preview.id, {"number": 1, "rule": "now", "day": None})
    dated = planning._dated_anew

    def slow(run_id: int, asked: Any) -> Any:
        if asked["number"] == 1:
            wish(preview.id, {"number": 2, "rule": "unknown", "day": None})
        return dated(run_id, asked)

    monkeypatch.setattr(planning, "_dated_anew", slow)
    planning.redate(preview.id)
    assert {play.date_source for play in plans.load(preview.id)} == {"unknown"}


def test_a_wish_for_dates_that_fails_leaves_the_plan_as_it_was(world: World) -> None:
    world.anilist.put(entry(1))
    preview = world.run(preview=True)
    before = plans.load(preview.id)
    wish(preview.id, {"number": 1, "rule": "nonsense", "day": None})
    with pytest.raises(ValueError, match="no date rule"):
        planning.redate(preview.id)
    assert (plans.load(preview.id), options_of(preview.id)) == (before, {})


def test_another_date_rule_gives_the_same_plays_new_dates(world: World) -> None:
    world.anilist.put(entry(1))
    preview = world.run(preview=True)
    before = plans.load(preview.id)
    wish(preview.id, {"number": 1, "rule": "unknown", "day": None})
    planning.redate(preview.id)
    after = plans.load(preview.id)
    assert options_of(preview.id) == {"date_rule": "unknown"}
    assert [play.target_key for play in after] == [play.target_key for play in before]
    assert {play.watched_at for play in after} == {None}
    run = world.run(parent_id=preview.id, options={"entries": None, "date_rule": "now"})
    assert run.plays_sent == 12
    assert {play.date_source for play in world.trakt.history} == {"now"}


def test_a_preview_works_without_trakt(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_connected(_user_id: int, *, count: Any) -> Any:
        raise Reconnect("trakt", "Trakt is not connected.")

    monkeypatch.setattr(tools, "trakt_for", not_connected)
    with transaction() as session:
        session.execute(delete(Connection).where(Connection.service == "trakt"))
    world.anilist.put(entry(1))
    run = world.run(preview=True)
    assert (run.status, run.plays_planned, run.result["traktConnected"]) == ("succeeded", 12, False)
    run = world.run()
    assert (run.status, run.reason) == ("failed", "reconnect_trakt")


def test_the_first_automated_run_waits_and_goes_on_when_approved(world: World) -> None:
    world.anilist.put(entry(1))
    run = world.run(trigger="cron")
    assert (run.status, run.reason, run.lock_key) == ("needs_approval", "first_run", None)
    assert (world.trakt.history, run.plays_planned) == ([], 12)
    first = {play.watched_at for play in plans.load(run.id)}
    world.anilist.put(entry(2, updated_at=NOW))
    run = world.approve(run.id)
    assert (run.status, run.plays_sent) == ("succeeded", 12)
    assert {play.watched_at for play in world.trakt.history} == first
    second = world.run(trigger="cron")
    assert (second.status, second.plays_sent) == ("succeeded", 12)


def test_a_run_by_hand_that_found_nothing_to_send_is_a_consent_too(world: World) -> None:
    world.anilist.put(entry(1, 1))
    world.trakt.history = [Play(1, 1, 1, "episode", 10, 1, 1, 1, 0, NOW, "scrobble")]
    assert (world.run().status, world.run(trigger="cron").status) == ("succeeded", "succeeded")
    world.anilist.put(entry(2, 5, "CURRENT", updated_at=NOW))
    run = world.run(trigger="cron")
    assert (run.status, run.plays_sent) == ("succeeded", 5)


def test_a_scheduled_run_above_the_brake_waits(world: World) -> None:
    consented(world)
    world.anilist.put(entry(2, 12))
    assert world.run(trigger="schedule").plays_sent == 12
    world.anilist.put(entry(1, 300, media=media(1, episodes=300), updated_at=NOW))
    run = world.run(trigger="schedule")
    assert (run.status, run.reason, run.result["usual"]) == ("needs_approval", "over_brake", 12)
    assert world.run().status == "succeeded"


def test_plays_that_vanished_at_once_wait_for_a_person(world: World) -> None:
    world.anilist.put(entry(1, 40, media=media(1, episodes=40)))
    world.run()
    with transaction() as session:
        session.execute(update(PlayRow).values(sent_at=utcnow() - timedelta(hours=3)))
        session.execute(delete(TraktPicture))
    world.trakt.history.clear()
    run = world.run()
    assert (run.status, run.reason, run.result["vanished"]) == ("needs_approval", "plays_vanished", 40)
    assert run.result["vanishedTitles"] == [{"anilistId": 1, "plays": 40}]
    run = world.approve(run.id)
    assert (run.status, run.plays_sent) == ("succeeded", 0)
    with transaction(readonly=True) as session:
        assert set(session.scalars(select(PlayRow.state))) == {"gone"}
    set_timestamp(world, "0")
    assert world.run().plays_sent == 0


def test_another_anilist_account_waits_for_approval_and_is_then_adopted(world: World) -> None:
    world.anilist.put(entry(1))
    world.run()
    world.anilist.account = Viewer("78", "taro", None, "romaji", [])
    world.anilist.entries = [entry(2)]
    run = world.run()
    assert (run.status, run.reason) == ("needs_approval", "account_changed")
    run = world.approve(run.id)
    assert (run.status, run.plays_sent) == ("succeeded", 12)
    assert {i for i, _, _ in world.plays} == {10, 20}


# What goes wrong


def test_a_run_waits_where_the_service_says_so_and_goes_on(world: World) -> None:
    world.anilist.put(entry(1))
    world.trakt.answers = [Receipt("refused", http_status=429, code="rate_limited", retry_after=90)]
    run = world.run()
    assert (run.status, run.reason, run.lock_key) == ("waiting", "rate_limited", f"trakt:{world.user.id}")
    assert run.resume_at is not None
    assert run.resume_at > utcnow() + timedelta(seconds=60)
    dates = {play.watched_at for play in plans.load(run.id)}
    run = world.go_on(run.id)
    assert (run.status, run.plays_sent, run.attempt, run.result["synced"]) == ("succeeded", 12, 2, 12)
    assert {play.watched_at for play in world.trakt.history} == dates


def test_a_lost_answer_is_settled_before_anything_is_sent_again(app: Flask, world: World) -> None:
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(TRAKT_SETTLE_SECONDS=0.0)
    world.anilist.put(entry(1))
    world.trakt.answers = [Receipt("doubt", http_status=504, detail="no answer")]
    run = world.run()
    while run.status == "waiting":
        run = world.go_on(run.id)
    assert (run.status, run.plays_sent) == ("succeeded", 12)
    assert len(world.plays) == 12
    assert run.result["settled"] == {"arrived": 0, "again": 12}


@pytest.mark.parametrize(
    ("error", "status", "reason", "state"),
    [
        (AppRefused("The app was deleted.", service="trakt"), "failed", "app_refused", "refused"),
        (Reconnect("trakt", "Signed out."), "failed", "reconnect_trakt", "reconnect"),
        (IncompleteRead("A page is missing.", service="trakt"), "failed", "incomplete_read", "connected"),
        (ServiceDown("502", service="trakt", seconds=300), "waiting", "service_down", "connected"),
        (RateLimited("429", service="trakt", seconds=90), "waiting", "rate_limited", "connected"),
    ],
)
def test_a_service_that_refuses_leaves_the_run_in_a_named_state(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception, status: str, reason: str, state: str
) -> None:
    def fail(_account_id: str) -> Any:
        raise error

    monkeypatch.setattr(world.trakt, "picture", fail)
    world.anilist.put(entry(1))
    run = world.run()
    assert (run.status, run.reason) == (status, reason)
    assert run.detail
    with transaction(readonly=True) as session:
        assert session.scalars(select(Connection.state).where(Connection.service == "trakt")).one() == state
    assert (world.trakt.history, timestamp(world), progress(world)) == ([], None, {})


def test_a_connection_that_answers_again_is_good_again(world: World) -> None:
    with transaction() as session:
        session.execute(update(Connection).values(state="refused", state_reason="app_refused"))
    world.anilist.put(entry(1))
    world.run()
    with transaction(readonly=True) as session:
        assert set(session.scalars(select(Connection.state))) == {"connected"}


def test_a_run_that_stops_half_way_is_partial_and_the_next_one_sends_the_rest(app: Flask, world: World) -> None:
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(TRAKT_BATCH_SIZE=6)
    world.anilist.put(entry(1), entry(2))
    real = world.trakt.post_plays
    calls: list[int] = []

    def second_refused(batch: Any) -> Receipt:
        calls.append(len(batch))
        return real(batch) if len(calls) < 2 else Receipt("refused", http_status=403, code="app_refused", detail="403")

    world.trakt.post_plays = second_refused  # type: ignore[assignment,method-assign]  # one answer of many
    run = world.run()
    assert (run.status, run.reason, run.plays_sent, run.result["synced"]) == ("partial", "app_refused", 6, 6)
    assert timestamp(world) is None
    assert {i: row.outcome for i, row in items(run).items()} == {1: "sent_in_part", 2: "waiting"}
    assert progress(world) == {1: 6}
    world.trakt.post_plays = real  # type: ignore[method-assign]  # Trakt is itself again
    run = world.run()
    assert (run.status, run.plays_sent) == ("succeeded", 18)
    assert len(world.plays) == 24
    assert progress(world) == {1: 12, 2: 12}


def test_a_run_of_which_trakt_takes_nothing_is_not_green(app: Flask, world: World) -> None:
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(TRAKT_SETTLE_SECONDS=0.0)
    world.anilist.put(entry(1, 1, "CURRENT"))
    world.trakt.refused = {(10, 1)}
    run = world.run()
    while run.status == "waiting":
        run = world.go_on(run.id)
    assert (run.status, run.reason, run.plays_sent) == ("failed", "bad_data", 0)
    item = items(run)[1]
    assert (item.outcome, item.reason, item.rejected) == ("refused", "trakt_refused", 1)
    row = entry_row(world.user, 1)
    assert (row.pile, row.reason) == ("needs_you", "trakt_refused")
    assert world.run(mode="watching").plays_sent == 0


def test_a_cancelled_run_keeps_what_it_has_sent(app: Flask, world: World) -> None:
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(TRAKT_BATCH_SIZE=6)
    world.anilist.put(entry(1))
    real = world.trakt.post_plays

    def cancel_after(batch: Any) -> Receipt:
        with transaction() as session:
            session.execute(update(Run).values(cancel_requested=True))
        return real(batch)

    world.trakt.post_plays = cancel_after  # type: ignore[assignment,method-assign]  # the person presses the button meanwhile
    run = world.run()
    assert (run.status, run.reason, run.plays_sent, run.lock_key) == ("cancelled", "cancelled", 6, None)
    assert progress(world) == {1: 6}
    world.trakt.post_plays = real  # type: ignore[method-assign]  # nobody cancels the next one
    assert world.run().plays_sent == 6


def test_an_error_nobody_foresaw_ends_the_run_and_is_raised(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_ctx: Any) -> Any:
        raise KeyError("surprise")

    monkeypatch.setattr(selection, "select_entries", broken)
    with pytest.raises(KeyError):
        world.run()
    with transaction(readonly=True) as session:
        run = session.scalars(select(Run)).one()
        lines = session.scalars(select(Log.level).where(Log.run_id == run.id)).all()
    assert (run.status, run.reason) == ("failed", "bad_data")
    assert "KeyError" in (run.detail or "")
    assert "surprise" not in (run.detail or "")
    assert "error" in lines


def test_a_worker_that_ends_leaves_the_run_in_the_queue(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    event = threading.Event()
    event.set()
    monkeypatch.setattr(runstate, "_STOP", event)
    world.anilist.put(entry(1))
    run = world.run()
    assert (run.status, run.lock_key) == ("queued", None)
    event.clear()
    assert world.go_on(run.id).plays_sent == 12


def test_a_ghost_leaves_silently(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def stolen(_ctx: Any, *_args: Any) -> Any:
        with transaction() as session:
            session.execute(update(Run).values(attempt=9))
        return selection.Selection({}, utcnow())

    monkeypatch.setattr(selection, "select_entries", stolen)
    run = world.run()
    assert (run.status, run.attempt, world.trakt.history) == ("running", 9, [])


def test_an_empty_cache_that_cannot_be_filled_ends_the_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "empty_sources", lambda: ["otaku"])
    monkeypatch.setattr(
        refresh, "refresh", lambda name: refresh.SourceState(name, 0, None, None, None, said("It answered 404."))
    )
    world.anilist.put(entry(1))
    run = world.run()
    assert (run.status, run.reason) == ("failed", "caches_empty")
    assert world.asked == []


def test_a_run_that_is_not_to_be_had_does_nothing(world: World) -> None:
    run = world.run(status="succeeded")
    assert run.attempt == 0
    assert world.asked == []


# Review


def test_progress_above_the_length_goes_to_review_and_leaves_it_again(world: World) -> None:
    world.anilist.put(entry(1, 14, "CURRENT"))
    run = world.run()
    assert run.plays_sent == 12
    row = entry_row(world.user, 1)
    assert (row.pile, row.reason, run.result["review"]) == ("needs_you", "above_episodes", 1)
    world.anilist.put(entry(1, 12, "CURRENT", updated_at=NOW))
    world.placing.special[1] = replace(world.placing.placement(1), reason="the same")  # type: ignore[arg-type]
    world.run()
    assert entry_row(world.user, 1).pile == "placed"


def test_a_place_that_changed_after_sending_goes_to_review(world: World) -> None:
    world.anilist.put(entry(1, 4, "CURRENT"))
    world.run()
    world.placing.special[1] = Placement(1, "show", 10, (Span(1, 500, 2, 1),), "fribbs", "season", "Season 2")
    world.anilist.put(entry(1, 5, "CURRENT", updated_at=NOW))
    run = world.run()
    assert (run.plays_sent, items(run)[1].outcome) == (0, "misplaced")
    assert entry_row(world.user, 1).reason == "misplaced"
    assert progress(world) == {1: 4}


# Single


def test_single_places_one_title_and_posts_nothing(world: World) -> None:
    world.anilist.put(entry(1))
    run = world.run(mode="single", anilist_id=1)
    assert (run.status, run.result["success"], run.result["count"]) == ("succeeded", True, 0)
    assert world.asked == ["entry 1"]
    world.placing.special[2] = Refusal(2, Pile.NO_MATCH, Reason.NO_ID, "No source knows it.")
    world.anilist.titles = [media(2)]
    run = world.run(mode="single", anilist_id=2)
    assert (run.result["success"], run.result["message"]) == (False, "No source knows it.")
    run = world.run(mode="single", anilist_id=3)
    assert (run.status, run.reason) == ("failed", "bad_data")


def test_undo_takes_back_what_a_run_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    removed: list[int] = []

    def remove(ids: Any) -> Any:
        removed.extend(ids)
        return Removal("applied", deleted=len(ids))

    world.trakt.remove_history = remove  # type: ignore[attr-defined]  # only undo asks for it
    world.anilist.put(entry(1))
    sent = world.run()
    run = world.run(mode="undo", parent_id=sent.id)
    assert (run.status, run.result["removed"], len(removed)) == ("succeeded", 12, 12)
    world.trakt.history.clear()
    set_timestamp(world, "0")
    assert world.run().plays_sent == 0
