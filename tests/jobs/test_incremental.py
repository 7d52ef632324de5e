"""A full sync that looks at what is new only: it finds everything, whatever AniList's activities say or do not say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from jobs.accounts import LAST_SYNC, WHOLE_LIST
from jobs.records import to_json
from jobs.storing import get_setting, put_setting
from tests.jobs.fault_library import BEBOP, HAIKYUU, WANTED, Place
from tests.jobs.fault_world import Stage, Theatre, moment_of, theatre
from webapp.database import transaction
from webapp.models import ActivityRow, Entry, PlayRow, RunItem, utcnow
from webapp.simulator import constants
from webapp.simulator.library import ListActivity

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with theatre(tmp_path_factory.mktemp("incremental")) as built:
        yield built


@pytest.fixture
def stage(house: Theatre, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The list of three titles has been sent; what comes now is news."""
    with house.stage(monkeypatch) as stage:
        assert stage.run().plays_sent == 7
        yield stage


def edit(stage: Stage, media_id: int, **changes: Any) -> None:
    """The person changes an entry, without leaving an activity."""
    with stage.world.lock:
        stage.world.edit_entry(stage.world.users[constants.ANILIST_USER_ID], media_id, changes)


def active(stage: Stage, media_id: int, status: str, progress: str | None, at: datetime) -> None:
    with stage.world.lock:
        number = max((row.id for row in stage.world.activities), default=600_000_000) + 1
        when = int(at.timestamp())
        stage.world.activities.append(ListActivity(number, constants.ANILIST_USER_ID, media_id, status, progress, when))


def episodes(season: int, first: int, last: int) -> Counter[Place]:
    show = 30857 if season == 1 else 60417
    return Counter({("episode", show, season, number): 1 for number in range(first, last + 1)})


def times(first: int, last: int, anilist_id: int = BEBOP) -> dict[int, datetime]:
    """When these episodes were watched, as Trakt was told."""
    with transaction(readonly=True) as session:
        rows = session.execute(
            select(PlayRow.episode, PlayRow.watched_at).where(
                PlayRow.anilist_id == anilist_id, PlayRow.episode.between(first, last), PlayRow.state == "sent"
            )
        )
        return {episode: moment_of(at) for episode, at in rows}


def last_sync(stage: Stage) -> int | None:
    with transaction(readonly=True) as session:
        value = get_setting(session, stage.user.id, LAST_SYNC)
    return None if value is None else int(value)


def read_the_whole_list(stage: Stage) -> None:
    """A day has passed since the last whole reading."""
    with transaction() as session:
        put_setting(session, stage.user.id, WHOLE_LIST, to_json(utcnow() - 2 * DAY))


def evening(ago: timedelta) -> datetime:
    return (datetime.now(UTC) - ago).replace(microsecond=0)


def test_two_thousand_activities_are_read_over_all_their_pages(stage: Stage) -> None:
    began = evening(3 * DAY)
    for number in range(2_000):
        if number % 87 == 0:
            active(stage, BEBOP, "watched episode", str(4 + number // 87), began + number * timedelta(seconds=100))
        else:
            active(stage, HAIKYUU, "rewatched episode", "1", began + number * timedelta(seconds=100))
    edit(stage, BEBOP, progress=26)
    run = stage.run()
    assert (run.status, run.plays_sent) == ("succeeded", 23), stage.log(run)
    assert stage.history() == Counter(WANTED) + episodes(1, 4, 26)
    assert times(4, 26) == {4 + n: began + n * 87 * timedelta(seconds=100) for n in range(23)}
    with transaction(readonly=True) as session:
        assert session.scalar(select(func.count()).select_from(ActivityRow)) == 2_005
    asked = stage.requests("anilist", "POST", "/graphql")
    assert stage.run().plays_sent == 0
    assert stage.requests("anilist", "POST", "/graphql") - asked <= 2


def test_ranges_and_completed_date_their_episodes_and_the_list_dates_the_rest(stage: Stage) -> None:
    first, second, end = evening(3 * DAY), evening(2 * DAY), evening(DAY)
    active(stage, BEBOP, "watched episode", "4 - 6", first)
    active(stage, BEBOP, "watched episode", "9", second)  # 7 and 8 were swallowed by a jump
    active(stage, BEBOP, "completed", None, end)
    edit(stage, BEBOP, progress=26, status="COMPLETED")
    run = stage.run()
    assert (run.status, run.plays_sent) == ("succeeded", 23), stage.log(run)
    minute = timedelta(minutes=1)
    assert times(4, 6) == {4: first - 2 * minute, 5: first - minute, 6: first}
    assert times(9, 9) == {9: second}
    assert times(26, 26) == {26: end}
    assert sorted(times(10, 26).values()) == list(times(10, 26).values())
    assert all(at < end for at in times(7, 8).values())


@pytest.mark.parametrize("switched_off_from", ["the beginning", "now"])
def test_without_any_activity_the_list_itself_decides(stage: Stage, switched_off_from: str) -> None:
    if switched_off_from == "the beginning":
        stage.world.activities.clear()
        with transaction() as session:
            session.execute(delete(ActivityRow))
    edit(stage, BEBOP, progress=5)
    assert stage.run().plays_sent == 2
    edit(stage, HAIKYUU, progress=6)
    assert stage.run().plays_sent == 2
    assert stage.history() == Counter(WANTED) + episodes(1, 4, 5) + episodes(3, 5, 6)
    assert stage.run().plays_sent == 0


def test_an_activity_that_was_deleted_takes_nothing_away(stage: Stage) -> None:
    active(stage, BEBOP, "watched episode", "4", evening(timedelta(hours=1)))
    edit(stage, BEBOP, progress=4)
    assert stage.run().plays_sent == 1
    stage.world.activities.clear()
    read_the_whole_list(stage)
    assert stage.run().plays_sent == 0
    edit(stage, BEBOP, progress=5)
    assert stage.run().plays_sent == 1
    assert stage.history() == Counter(WANTED) + episodes(1, 4, 5)


def test_an_activity_ahead_of_the_list_sends_nothing_that_the_list_does_not_count(stage: Stage) -> None:
    active(stage, BEBOP, "watched episode", "4 - 9", evening(timedelta(hours=1)))
    assert stage.run().plays_sent == 0
    edit(stage, BEBOP, progress=9)
    assert stage.run().plays_sent == 6


def test_progress_that_fell_and_rose_again_changes_nothing(stage: Stage) -> None:
    edit(stage, HAIKYUU, progress=2)
    assert stage.run().plays_sent == 0
    edit(stage, HAIKYUU, progress=5)
    assert stage.run().plays_sent == 1
    assert stage.history() == Counter(WANTED) + episodes(3, 5, 5)


def test_an_entry_that_was_taken_off_and_put_back_is_not_sent_twice(stage: Stage) -> None:
    with stage.world.lock:
        entry = stage.world.users[constants.ANILIST_USER_ID].entries.pop(HAIKYUU)
    read_the_whole_list(stage)
    assert stage.run().plays_sent == 0
    with transaction(readonly=True) as session:
        assert session.scalars(select(Entry.gone_at).where(Entry.anilist_id == HAIKYUU)).one() is not None
    assert stage.history() == Counter(WANTED)
    with stage.world.lock:
        stage.world.users[constants.ANILIST_USER_ID].entries[HAIKYUU] = entry
    edit(stage, HAIKYUU, progress=5)
    assert stage.run().plays_sent == 1
    assert stage.history() == Counter(WANTED) + episodes(3, 5, 5)


def test_an_entry_that_moved_to_another_status_waits_there(stage: Stage) -> None:
    edit(stage, HAIKYUU, status="DROPPED", progress=6)  # dropped titles are not sent unless ticked
    assert stage.run().plays_sent == 0
    assert stage.history() == Counter(WANTED)
    edit(stage, HAIKYUU, status="CURRENT")
    assert stage.run().plays_sent == 2
    edit(stage, HAIKYUU, status="COMPLETED", progress=10)
    assert stage.run().plays_sent == 4
    assert stage.history() == Counter(WANTED) + episodes(3, 5, 10)


@pytest.mark.parametrize("minutes", [20, -20])
def test_a_clock_that_is_wrong_by_minutes_loses_and_repeats_nothing(stage: Stage, minutes: int) -> None:
    """AniList's and Trakt's clock against ours, and then right again: news may be older than what was known before."""
    wrong = timedelta(minutes=minutes)
    stage.ahead[0] = wrong.total_seconds()
    edit(stage, BEBOP, progress=4)
    active(stage, BEBOP, "watched episode", "4", evening(-wrong))
    assert stage.run().plays_sent == 1
    stage.ahead[0] = 0.0
    edit(stage, BEBOP, progress=5)
    active(stage, BEBOP, "watched episode", "5", evening(timedelta(0)))
    assert stage.run().plays_sent == 1
    stage.ahead[0] = -wrong.total_seconds()
    edit(stage, HAIKYUU, progress=5)
    assert stage.run().plays_sent == 1
    assert stage.run().plays_sent == 0
    assert stage.history() == Counter(WANTED) + episodes(1, 4, 5) + episodes(3, 5, 5)
    assert all(at <= utcnow() for at in times(4, 5).values()), "nobody watches in the future"


def test_the_timestamp_moves_only_past_what_is_settled(stage: Stage) -> None:
    before = last_sync(stage)
    edit(stage, BEBOP, progress=5)
    stage.break_(service="trakt", method="POST", path="/sync/history", kind="status", status=429, count=1)
    parked = stage.run()
    assert (parked.status, last_sync(stage)) == ("waiting", before)
    stage.break_(service="trakt", method="POST", path="/sync/history", kind="status", status=412, count=1)
    assert stage.goes_on(parked).status == "failed"
    assert last_sync(stage) == before, "what was not sent is still to be found"
    run = stage.run()
    assert (run.status, run.plays_sent) == ("succeeded", 2)
    newest = stage.world.users[constants.ANILIST_USER_ID].entries[BEBOP].updated_at
    assert last_sync(stage) == newest
    assert before is not None
    assert newest > before


def test_what_needs_a_person_is_settled_and_sent_later_without_an_activity(stage: Stage) -> None:
    """Trakt does not list the fifth episode: an item in its pile. The timestamp passes it; a correction brings it back."""
    stage.unlist(("episode", 60417, 3, 5))
    stage.forget_places()  # and everything is placed anew: a person touched the mapping
    edit(stage, HAIKYUU, progress=5)
    asks = stage.run()
    with transaction(readonly=True) as session:
        named = session.scalars(select(RunItem).where(RunItem.run_id == asks.id, RunItem.anilist_id == HAIKYUU)).one()
    assert (asks.status, asks.plays_sent, named.outcome) == ("succeeded", 0, "needs_you"), stage.log(asks)
    assert last_sync(stage) == stage.world.users[constants.ANILIST_USER_ID].entries[HAIKYUU].updated_at
    looked = stage.run()
    assert (looked.plays_sent, looked.result["found"]) == (0, 0)
    stage.mend()
    edit(stage, HAIKYUU, progress=5, updated_at=0)  # nothing new on AniList
    stage.forget_places()
    assert stage.run().plays_sent == 1
    assert stage.history() == Counter(WANTED) + episodes(3, 5, 5)
