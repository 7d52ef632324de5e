"""Nothing goes out that nobody has said yes to, and what a person removes on Trakt stays away: with real requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from jobs import plans
from tests.jobs.fault_library import BEBOP, WANTED, Place
from tests.jobs.fault_world import Stage, Theatre, theatre
from webapp import runs
from webapp.database import transaction
from webapp.extensions import db
from webapp.models import Connection, PlayRow, Run, TraktPicture, utcnow
from webapp.simulator import constants

BEBOPS: list[Place] = [("episode", 30857, 1, number) for number in range(2, 27)]  # the first was there before


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with theatre(tmp_path_factory.mktemp("consent")) as built:
        yield built


@pytest.fixture
def stage(house: Theatre, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with house.stage(monkeypatch) as stage:
        yield stage


def watch(stage: Stage, progress: int) -> None:
    with stage.world.lock:
        stage.world.edit_entry(stage.world.users[constants.ANILIST_USER_ID], BEBOP, {"progress": progress})


def person_removes(stage: Stage, places: list[Place]) -> None:
    """On Trakt itself, hours after they were sent."""
    account = stage.world.accounts[constants.TRAKT_ACCOUNT]
    with stage.world.lock:
        stage.world.remove_plays(account, [play for place in places for play in account.living(place)])
    with transaction() as session:
        session.execute(update(PlayRow).values(sent_at=utcnow() - timedelta(hours=3)))


def approve(stage: Stage, run: Run) -> Run:
    db.session.rollback()
    runs.approve(run.id, stage.user.id)
    return stage.work(run.id)


def states() -> Counter[str]:
    with transaction(readonly=True) as session:
        return Counter(dict(session.execute(select(PlayRow.state, func.count()).group_by(PlayRow.state)).all()))


def test_the_first_automated_run_sends_what_was_shown_and_nothing_before(stage: Stage) -> None:
    run = stage.run(trigger="cron")
    assert (run.status, run.reason, run.plays_planned) == ("needs_approval", "first_run", 7), stage.log(run)
    assert stage.requests("trakt", "POST", "/sync/history") == 0
    shown = {play.target_key: play.watched_at for play in plans.load(run.id)}
    watch(stage, 5)  # since then two more were seen: nobody has been shown these
    run = approve(stage, run)
    assert (run.status, run.plays_sent, run.result["cameNew"]) == ("succeeded", 7, 2), stage.log(run)
    assert stage.history() == Counter(WANTED)
    with transaction(readonly=True) as session:
        rows = session.scalars(select(PlayRow).where(PlayRow.state == "sent")).all()
        assert {(row.kind, row.trakt_id, row.season, row.number) for row in rows} == {key[:4] for key in shown}
        assert sorted(str(row.watched_at) for row in rows) == sorted(str(at) for at in shown.values())
    again = stage.run(trigger="cron")
    assert (again.status, again.plays_sent) == ("succeeded", 2), stage.log(again)


def test_a_plan_that_is_put_away_sends_nothing_and_the_next_check_asks_again(stage: Stage) -> None:
    first = stage.run(trigger="schedule")
    db.session.rollback()
    runs.cancel(first.id, stage.user.id)
    second = stage.run(trigger="schedule")
    assert (second.status, second.reason) == ("needs_approval", "first_run")
    assert stage.requests("trakt", "POST", "/sync/history") == 0


def test_a_few_plays_that_the_person_removed_stay_away_until_send_again(stage: Stage) -> None:
    assert stage.run().plays_sent == 7
    person_removes(stage, BEBOPS[:2])
    run = stage.run()
    assert (run.status, run.plays_sent, run.result["vanished"]) == ("succeeded", 0, 2), stage.log(run)
    watch(stage, 4)
    assert stage.run(trigger="cron").plays_sent == 1
    assert stage.history() == Counter(WANTED) - Counter(BEBOPS[:2]) + Counter(BEBOPS[2:3])
    db.session.rollback()
    stage.work(runs.send_again(stage.user.id, anilist_id=BEBOP).run.id)
    assert stage.history() == Counter(WANTED) + Counter(BEBOPS[2:3])
    assert states() == {"sent": 8, "gone": 2}


def test_many_plays_that_vanish_at_once_stop_the_run_until_a_person_has_looked(stage: Stage) -> None:
    watch(stage, 26)
    assert stage.run().plays_sent == 30
    person_removes(stage, BEBOPS[:21])
    with stage.world.lock:
        stage.world.edit_entry(stage.world.users[constants.ANILIST_USER_ID], 21698, {"progress": 5})
    run = stage.run(trigger="cron")
    assert (run.status, run.reason, run.plays_planned) == ("needs_approval", "plays_vanished", 1), stage.log(run)
    assert (run.result["vanished"], run.result["vanishedTitles"]) == (21, [{"anilistId": BEBOP, "plays": 21}])
    assert states() == {"sent": 30}
    run = approve(stage, run)
    assert (run.status, run.plays_sent) == ("succeeded", 1), stage.log(run)
    assert states() == {"sent": 10, "gone": 21}
    with transaction() as session:
        session.execute(update(TraktPicture).values(settled=False))
    assert stage.run().plays_sent == 0
    assert not stage.history() & Counter(BEBOPS[:21])


def test_twenty_plays_that_vanish_are_no_reason_to_stop(stage: Stage) -> None:
    watch(stage, 26)
    assert stage.run().plays_sent == 30
    person_removes(stage, BEBOPS[:20])
    run = stage.run(trigger="cron")
    assert (run.status, run.plays_sent, run.result["vanished"]) == ("succeeded", 0, 20), stage.log(run)
    assert states() == {"sent": 10, "gone": 20}


@pytest.mark.parametrize("service", ["anilist", "trakt"])
def test_another_account_is_taken_after_a_yes_and_its_plays_are_asked_about_again(stage: Stage, service: str) -> None:
    assert stage.run().plays_sent == 7
    with stage.world.lock:
        if service == "trakt":
            stage.world.accounts[constants.TRAKT_ACCOUNT].uuid = "another"
        else:
            stage.world.users[99] = replace(stage.world.users[constants.ANILIST_USER_ID], id=99, name="taro")
            stage.world.anilist_tokens = {token: (99, end) for token, (_id, end) in stage.world.anilist_tokens.items()}
    with transaction() as session:
        session.execute(update(Connection).where(Connection.service == service).values(checked_at=None))
    run = stage.run(trigger="cron")
    assert (run.status, run.reason) == ("needs_approval", "account_changed"), stage.log(run)
    person_removes(stage, BEBOPS[:1] if service == "trakt" else [])  # the other account has it not
    run = approve(stage, run)
    if service == "trakt":
        assert (run.status, run.reason, run.plays_planned) == ("needs_approval", "first_run", 1), stage.log(run)
        run = approve(stage, run)
    assert (run.status, run.plays_sent) == ("succeeded", service == "trakt"), stage.log(run)
    assert stage.history() == Counter(WANTED)
    with stage.world.lock:
        owner = stage.world.users[99 if service == "anilist" else constants.ANILIST_USER_ID]
        stage.world.edit_entry(owner, BEBOP, {"progress": 4})
    asks = stage.run(trigger="cron")
    assert (asks.status, asks.plays_sent) == ("succeeded", 1), stage.log(asks)
    assert stage.history() == Counter(WANTED) + Counter(BEBOPS[2:3])
