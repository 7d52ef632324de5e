"""AniList is read with as few requests as can be, and never mistaken for another account."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import select, update

from jobs import accounts, library, library_rows
from jobs.accounts import AccountChanged
from jobs.errors import NotFound, Reconnect
from jobs.records import Activity, PartialDate
from jobs.runstate import RunContext
from jobs.sources.anilist import AniList, Viewer
from jobs.storing import get_setting, moment, put_setting
from tests.jobs.sync_fakes import NOW, FakeAniList, change_entry, claimed, connect, entry, entry_row, media
from webapp.database import transaction
from webapp.models import ActivityRow, Connection, Entry, SystemConfig, User, utcnow


def read(ctx: RunContext, anilist: FakeAniList, *, activities_wanted: bool = False) -> library.Reading:
    return library.read(ctx, cast("AniList", anilist), activities_wanted=activities_wanted)


def activity(number: int, anilist_id: int = 1, *, minutes_ago: int = 60, episode: int = 3) -> Activity:
    return Activity(number, anilist_id, "watched episode", episode, episode, NOW - timedelta(minutes=minutes_ago), 12)


def ids(user: User) -> set[int]:
    with transaction(readonly=True) as session:
        return set(session.scalars(select(Entry.anilist_id).where(Entry.user_id == user.id, Entry.gone_at.is_(None))))


def day_old_list(user: User) -> None:
    with transaction() as session:
        put_setting(session, user.id, accounts.WHOLE_LIST, (utcnow() - timedelta(hours=25)).isoformat())


def test_the_first_reading_takes_the_whole_list(user: User) -> None:
    connect(user)
    anilist = FakeAniList([entry(1), entry(2, 3, "CURRENT", completed=PartialDate(2020, 5))])
    reading = read(claimed(user), anilist)
    assert (reading.whole, reading.changed, anilist.asked) == (True, 2, ["viewer", "whole"])
    row = entry_row(user, 2)
    assert (row.status, row.progress, row.completed_at, row.media.title_romaji) == ("CURRENT", 3, "2020-05", "Title 2")
    assert library_rows.list_entry(row) == anilist.entries[1]


def test_a_second_reading_on_the_same_day_is_one_request(user: User) -> None:
    connect(user)
    anilist = FakeAniList([entry(n) for n in range(1, 120)])
    read(claimed(user), anilist)
    anilist.asked.clear()
    reading = read(claimed(user), anilist)
    assert (reading.whole, reading.changed, anilist.asked) == (False, 0, ["changes"])


def test_a_changed_entry_arrives_with_that_request(user: User) -> None:
    connect(user)
    anilist = FakeAniList([entry(n) for n in range(1, 120)])
    read(claimed(user), anilist)
    anilist.put(entry(5, 7, "CURRENT", updated_at=NOW))
    assert read(claimed(user), anilist).changed == 1
    row = entry_row(user, 5)
    assert (row.status, row.progress) == ("CURRENT", 7)


def test_a_score_alone_is_kept_and_has_nothing_looked_at_again(user: User) -> None:
    connect(user)
    anilist = FakeAniList([entry(1), entry(2)])
    read(claimed(user), anilist)
    before = entry_row(user, 1).changed_at
    anilist.put(entry(1, score=85, updated_at=NOW))
    assert read(claimed(user), anilist).changed == 1
    row = entry_row(user, 1)
    assert (row.score, row.list_updated_at, row.changed_at) == (85, NOW, before)
    anilist.put(entry(1, 11, "CURRENT", score=90, updated_at=NOW))
    read(claimed(user), anilist)
    assert entry_row(user, 1).changed_at != before


def test_more_pages_are_read_only_when_the_first_is_all_news(user: User) -> None:
    connect(user)
    anilist = FakeAniList([entry(n) for n in range(1, 10)])
    read(claimed(user), anilist)
    anilist.put(*(entry(n, 1, "CURRENT", updated_at=NOW) for n in range(100, 190)))
    anilist.asked.clear()
    assert read(claimed(user), anilist).changed == 90
    assert anilist.asked == ["changes", "changed 2"]


def test_an_entry_is_gone_only_when_a_whole_reading_does_not_hold_it(user: User) -> None:
    connect(user)
    anilist = FakeAniList([entry(1), entry(2)])
    read(claimed(user), anilist)
    anilist.entries = [anilist.entries[0]]
    read(claimed(user), anilist)
    assert ids(user) == {1, 2}
    day_old_list(user)
    read(claimed(user), anilist)
    assert ids(user) == {1}
    anilist.put(entry(2, updated_at=NOW))
    read(claimed(user), anilist)
    assert ids(user) == {1, 2}


def test_a_reading_by_name_does_not_lose_private_entries(user: User) -> None:
    connect(user)
    anilist = FakeAniList([entry(1), entry(2, private=True)])
    read(claimed(user), anilist)
    anilist.signed_in = False
    assert read(claimed(user), anilist).whole
    assert ids(user) == {1, 2}


def test_by_name_alone_the_account_is_looked_up_once(user: User) -> None:
    connect(user, anilist=None)
    with transaction() as session:
        session.add(Connection(user_id=user.id, service="anilist", state="name_only", account_name="hanako"))
    anilist = FakeAniList([entry(1)], signed_in=False)
    read(claimed(user), anilist)
    read(claimed(user), anilist)
    assert anilist.asked == ["user hanako", "whole", "changes"]


def by_name(user: User, **values: Any) -> None:
    connect(user, anilist=None)
    known = {"state": "name_only", "account_name": "hanako", "account_id": "77", "checked_at": utcnow(), **values}
    with transaction() as session:
        session.add(Connection(user_id=user.id, service="anilist", **known))


@pytest.mark.parametrize(
    "seen",
    [
        {"checked_at": utcnow() - timedelta(hours=25)},  # a day ago
        {"checked_at": None},  # another name was typed
        {"pending_account_id": "78"},  # the daily look found it
    ],
    ids=["a day ago", "another name", "found by the daily look"],
)
def test_a_name_that_belongs_to_another_account_now_stores_nothing_and_waits(user: User, seen: dict[str, Any]) -> None:
    by_name(user, **seen)
    stranger = FakeAniList([entry(2)], account=Viewer("78", "hanako", None, "romaji", []), signed_in=False)
    with pytest.raises(AccountChanged):
        read(claimed(user), stranger)
    assert (ids(user), stranger.asked) == (set(), ["user hanako"])
    ctx = claimed(user, options={"approved": True, "approved_reason": "account_changed"})
    assert read(ctx, stranger).account_id == "78"
    assert ids(user) == {2}


def test_a_name_is_looked_up_once_a_day(user: User) -> None:
    by_name(user, checked_at=utcnow() - timedelta(hours=25))
    anilist = FakeAniList([entry(1)], signed_in=False)
    read(claimed(user), anilist)
    read(claimed(user), anilist)
    assert anilist.asked == ["user hanako", "whole", "changes"]


def test_a_name_that_came_back_to_its_account_waits_no_more(user: User) -> None:
    by_name(user, pending_account_id="78", pending_account_name="hanako")
    read(claimed(user), FakeAniList([entry(1)], signed_in=False))
    with transaction(readonly=True) as session:
        row = session.scalars(select(Connection).where(Connection.service == "anilist")).one()
    assert (row.account_id, row.pending_account_id) == ("77", None)


def test_a_name_that_nobody_has_any_more_needs_the_person(user: User) -> None:
    by_name(user, checked_at=None)

    class Nobody(FakeAniList):
        def user(self, name: str) -> Viewer:
            raise NotFound("AniList does not know that, or it is private.", service="anilist")

    with pytest.raises(Reconnect, match="no public list under the name hanako"):
        read(claimed(user), Nobody(signed_in=False))


def test_without_a_connection_nothing_is_read(user: User) -> None:
    with pytest.raises(Reconnect):
        read(claimed(user), FakeAniList())


def test_another_account_stores_nothing_and_waits_for_approval(user: User) -> None:
    connect(user)
    anilist = FakeAniList([entry(1)])
    read(claimed(user), anilist)
    stranger = FakeAniList([entry(2, updated_at=NOW)], account=Viewer("78", "taro", None, "romaji", []))
    with pytest.raises(AccountChanged):
        read(claimed(user), stranger)
    assert ids(user) == {1}
    with transaction(readonly=True) as session:
        row = session.scalars(select(Connection).where(Connection.service == "anilist")).one()
    assert (row.account_id, row.pending_account_id, row.pending_account_name) == ("77", "78", "taro")


def test_an_approved_account_is_adopted_and_looked_at_from_the_beginning(user: User) -> None:
    connect(user)
    read(claimed(user), FakeAniList([entry(1)], [activity(1)]), activities_wanted=True)
    change_entry(user, 1, settled_at=utcnow(), settled_abs=12)
    with transaction() as session:
        put_setting(session, user.id, accounts.LAST_SYNC, "1700000000")
        session.execute(update(Connection).where(Connection.service == "anilist").values(pending_account_id="78"))
    stranger = FakeAniList([entry(2)], account=Viewer("78", "taro", None, "romaji", []))
    day_old_list(user)
    ctx = claimed(user, options={"approved": True, "approved_reason": "account_changed"})
    assert not ctx.approved
    read(ctx, stranger)
    assert ids(user) == {2}
    assert entry_row(user, 1).settled_at is None
    with transaction(readonly=True) as session:
        assert session.scalars(select(Connection.account_id).where(Connection.service == "anilist")).one() == "78"
        assert get_setting(session, user.id, accounts.LAST_SYNC) is None
        assert session.scalars(select(ActivityRow)).all() == []


def test_title_language_and_zone_are_taken_once(user: User) -> None:
    connect(user)
    anilist = FakeAniList()
    read(claimed(user), anilist)
    with transaction() as session:
        row = session.get_one(User, user.id, populate_existing=True)
        assert (row.title_language, row.timezone) == ("english", "-03:00")
        row.title_language = "native"
    read(claimed(user), anilist)
    with transaction(readonly=True) as session:
        assert session.get_one(User, user.id, populate_existing=True).title_language == "native"


def test_the_first_activities_are_twenty_pages_or_all(user: User) -> None:
    connect(user)
    anilist = FakeAniList([entry(1)], [activity(n) for n in range(1, 4)])
    assert read(claimed(user), anilist, activities_wanted=True).activities == 3
    assert anilist.asked[-1] == "activities 20"
    read(claimed(user), anilist, activities_wanted=True)
    assert anilist.asked[-1] == "changes"
    read(claimed(user, options={"all_activities": True}), anilist, activities_wanted=True)
    assert anilist.asked[-1] == "activities None"
    read(claimed(user, options={"all_activities": True}), anilist, activities_wanted=True)
    assert anilist.asked[-1] == "changes"


def test_new_activities_come_with_the_one_request_and_further_pages_when_there_are_more(user: User) -> None:
    connect(user)
    anilist = FakeAniList([entry(1)], [activity(1, minutes_ago=600)])
    read(claimed(user), anilist, activities_wanted=True)
    anilist.rows += [activity(n, minutes_ago=300 - n) for n in range(2, 102)]
    anilist.asked.clear()
    assert read(claimed(user), anilist).activities == 100
    assert anilist.asked == ["changes", "activities None"]
    anilist.asked.clear()
    assert read(claimed(user), anilist).activities == 0
    assert anilist.asked == ["changes"]


def test_an_activity_that_anilist_merges_is_taken_with_its_new_range(user: User) -> None:
    connect(user)
    anilist = FakeAniList([entry(1)], [activity(1, minutes_ago=5)])
    read(claimed(user), anilist, activities_wanted=True)
    anilist.rows = [replace(anilist.rows[0], last=5)]
    assert read(claimed(user), anilist).activities == 1
    assert library_rows.activities_of(user.id, [1])[1][0].last == 5


def test_due_titles_are_asked_for_in_the_same_request(user: User) -> None:
    connect(user)
    anilist = FakeAniList([entry(1, media=media(1, episodes=None))])
    read(claimed(user), anilist)
    change_entry(user, 1, due_at=utcnow(), changed_at=NOW)
    anilist.put(replace(anilist.entries[0], media=media(1, episodes=13)))
    read(claimed(user), anilist)
    row = entry_row(user, 1)
    assert row.media.episodes == 13
    assert row.changed_at is not None
    assert row.changed_at > NOW


def test_one_title_is_one_request_and_need_not_be_on_the_list(user: User) -> None:
    connect(user)
    anilist = FakeAniList([entry(1)], titles=[media(9)])
    ctx = claimed(user)
    assert library.read_one(ctx, cast("AniList", anilist), 1)
    assert anilist.asked == ["entry 1"]
    assert library.read_one(ctx, cast("AniList", anilist), 9)
    assert not library.read_one(ctx, cast("AniList", anilist), 404)
    assert ids(user) == {1}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", None),
        ("", None),
        ("later", None),
        ("1700000000", "2023-11-14T22:13:20+00:00"),
        ("1700000000000", "2023-11-14T22:13:20+00:00"),
        ("2023-11-14T22:13:20Z", "2023-11-14T22:13:20+00:00"),
        ("2023-11-14T22:13:20", "2023-11-14T22:13:20+00:00"),
    ],
)
def test_a_stored_time_is_read_in_every_form_people_leave_it_in(value: str, expected: str | None) -> None:
    found = moment(value)
    assert (found.isoformat() if found else None) == expected


def test_a_setting_is_one_row(user: User) -> None:
    with transaction() as session:
        put_setting(session, user.id, "k", "1")
        put_setting(session, user.id, "k", "2")
    with transaction(readonly=True) as session:
        assert session.scalars(select(SystemConfig.value).where(SystemConfig.key == "k")).all() == ["2"]
