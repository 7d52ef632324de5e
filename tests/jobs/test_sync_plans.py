"""Plans of a whole run: previews and their dates, first runs, the brake, and what waits for a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from jobs import planning, plans, tools
from jobs.errors import Reconnect
from jobs.records import PartialDate, Play
from jobs.sources.anilist import Viewer
from tests.jobs.sync_fakes import (
    NOW,
    entry,
    media,
)
from tests.jobs.sync_world import World, consented, items, progress, set_timestamp, timestamp
from webapp.database import transaction
from webapp.models import (
    Connection,
    PlanItem,
    PlayRow,
    Run,
    TraktPicture,
    utcnow,
)


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
