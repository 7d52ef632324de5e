"""When an episode was watched: the rules of an account, their bounds, and no two plays in one second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import dates
from jobs.dates import watched_times
from jobs.records import Activity, PartialDate, Slot
from tests.jobs.plays import NOW, entry


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def activity(
    first: int | None, last: int | None, when: str, status: str = "watched episode", number: int = 1
) -> Activity:
    return Activity(number, 1, status, first, last, at(when))


def test_a_range_ends_at_its_activity_one_minute_apart() -> None:
    times = watched_times(
        entry(status="CURRENT", progress=5), [3, 4, 5], "activity", last=5,
        activities=[activity(3, 5, "2026-02-01T20:00:30")], now=NOW,
    )  # fmt: skip
    assert times == {
        3: (at("2026-02-01T19:58:30"), "activity"),
        4: (at("2026-02-01T19:59:30"), "activity"),
        5: (at("2026-02-01T20:00:30"), "activity"),
    }


def test_a_single_episode_activity_without_a_first_names_that_episode() -> None:
    times = watched_times(
        entry(), [7], "activity", last=12, activities=[activity(None, 7, "2026-02-01T20:00:00")], now=NOW
    )
    assert times[7] == (at("2026-02-01T20:00:00"), "activity")


def test_the_first_activity_that_names_an_episode_counts_and_a_rewatch_does_not() -> None:
    hints = [
        activity(1, 1, "2026-03-01T10:00:00", number=3),
        activity(1, 1, "2026-01-01T10:00:00", number=1),
        activity(1, 1, "2025-01-01T10:00:00", "rewatched episode", number=0),
    ]
    assert watched_times(entry(), [1], "activity", last=12, activities=hints, now=NOW)[1][0] == at(
        "2026-01-01T10:00:00"
    )


def test_a_completed_activity_dates_what_no_other_activity_names() -> None:
    hints = [activity(1, 10, "2026-01-01T10:00:00"), activity(None, None, "2026-01-05T22:00:00", "completed", 2)]
    times = watched_times(entry(), [10, 11, 12], "activity", last=12, activities=hints, now=NOW)
    assert [times[n][0] for n in (10, 11, 12)] == [
        at("2026-01-01T10:00:00"), at("2026-01-05T21:59:00"), at("2026-01-05T22:00:00")
    ]  # fmt: skip


def test_a_completion_date_is_noon_in_the_persons_zone_and_counts_back_a_minute_each() -> None:
    listed = entry(completed="2026-01-05", updated_at=at("2026-03-01T00:00:00"))
    times = watched_times(listed, [1, 12], "activity", last=12, zone=dates.zone_of("Asia/Tokyo"), now=NOW)
    assert times == {12: (at("2026-01-05T03:00:00"), "completed"), 1: (at("2026-01-05T02:49:00"), "completed")}


@pytest.mark.parametrize("partial", ["2026", "2026-01", ""])
def test_a_partial_date_counts_as_none(partial: str) -> None:
    listed = entry(completed=partial, updated_at=at("2026-03-01T00:00:00.7"))
    assert watched_times(listed, [12], "activity", last=12, now=NOW)[12] == (at("2026-03-01T00:00:00"), "updated")


def test_without_any_hint_the_time_of_planning_counts_back() -> None:
    times = watched_times(entry(), [11, 12], "activity", last=12, now=NOW + timedelta(microseconds=5))
    assert times == {12: (NOW, "planned"), 11: (NOW - timedelta(minutes=1), "planned")}


def test_counting_back_does_not_depend_on_which_episodes_are_asked_for() -> None:
    listed = entry(completed="2026-01-05")
    every = watched_times(listed, range(1, 13), "activity", last=12, now=NOW)
    assert watched_times(listed, [4], "activity", last=12, now=NOW)[4] == every[4]


def test_released_is_first_aired_plus_runtime_and_falls_back_where_it_is_not_known() -> None:
    slots = {1: Slot(1, first_aired=at("2025-10-01T15:00:00"), runtime=25), 2: Slot(2)}
    times = watched_times(entry(completed="2026-01-05"), [1, 2], "released", last=2, slots=slots, now=NOW)
    assert times[1] == (at("2025-10-01T15:25:00"), "released")
    assert times[2] == (at("2026-01-05T12:00:00"), "completed")


def test_unknown_has_no_time() -> None:
    assert watched_times(entry(), [1], "unknown", last=12, now=NOW) == {1: (None, "unknown")}


def test_now_is_the_time_of_planning() -> None:
    assert watched_times(entry(completed="2026-01-05"), [12], "now", last=12, now=NOW)[12] == (NOW, "now")


def test_evenly_spreads_between_start_and_completion() -> None:
    listed = entry(started="2026-01-01", completed="2026-01-12")
    times = watched_times(listed, [1, 2, 12], "evenly", last=12, now=NOW)
    assert [times[n][0] for n in (1, 2, 12)] == [
        at("2026-01-01T12:00:00"), at("2026-01-02T12:00:00"), at("2026-01-12T12:00:00")
    ]  # fmt: skip


def test_evenly_without_both_ends_falls_back() -> None:
    listed = entry(started="2026", completed="2026-01-12")
    assert watched_times(listed, [12], "evenly", last=12, now=NOW)[12][1] == "completed"


def test_nothing_is_after_the_time_of_planning_or_before_the_first_airing() -> None:
    early = {12: Slot(12, first_aired=at("2026-02-01T15:00:00.4"))}
    late = {12: Slot(12, first_aired=NOW + timedelta(days=3))}
    listed = entry(completed="2026-01-05")
    assert watched_times(listed, [12], "activity", last=12, slots=early, now=NOW)[12][0] == at("2026-02-01T15:00:01")
    assert watched_times(listed, [12], "activity", last=12, slots=late, now=NOW)[12][0] == NOW
    ahead = entry(completed="2999-01-05")
    assert watched_times(ahead, [12], "activity", last=12, now=NOW)[12][0] == NOW


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("Asia/Tokyo", 9),
        ("+09:00", 9),
        ("-03:30", -3.5),
        ("09:00", 9),
        (None, 0),
        ("Nowhere/Land", 0),
        ("99:99", 0),
        ("", 0),
    ],
)
def test_zones_are_names_or_offsets(name: str | None, hours: float) -> None:
    assert NOW.astimezone(dates.zone_of(name)).utcoffset() == timedelta(hours=hours)


def test_two_plays_of_a_show_never_share_a_second() -> None:
    seconds = dates.Seconds()
    seconds.take("episode", 1, NOW)
    found = [seconds.free("episode", 1, NOW, aired=None, now=NOW) for _ in range(50)]
    assert len({NOW, *found}) == 51
    assert seconds.free("episode", 2, NOW, aired=None, now=NOW) == NOW


def test_a_taken_second_at_the_first_airing_gives_the_next_later_one() -> None:
    seconds = dates.Seconds()
    aired = NOW - timedelta(days=1)
    found = [seconds.free("episode", 1, aired, aired=aired, now=NOW) for _ in range(3)]
    assert found == [aired, aired + timedelta(seconds=1), aired + timedelta(seconds=2)]


DAYS = st.builds(
    PartialDate, st.none() | st.integers(-5, 10_000), st.none() | st.integers(0, 13), st.none() | st.integers(0, 32)
)


@given(
    completed=DAYS,
    started=DAYS,
    rule=st.sampled_from(dates.DATE_RULES),
    status=st.sampled_from(["COMPLETED", "CURRENT", "REPEATING"]),
    last=st.integers(1, 400),
    zone=st.sampled_from(["UTC", "Asia/Tokyo", "-12:00", "+14:00", "America/St_Johns"]),
)
def test_whatever_the_list_says_times_are_whole_seconds_before_now(
    completed: PartialDate, started: PartialDate, rule: str, status: str, last: int, zone: str
) -> None:
    listed = entry(status=status, progress=last, episodes=last)
    object.__setattr__(listed, "completed", completed)
    object.__setattr__(listed, "started", started)
    times = watched_times(listed, range(1, last + 1), rule, last=last, zone=dates.zone_of(zone), now=NOW)
    assert set(times) == set(range(1, last + 1))
    for moment, source in times.values():
        if rule == "unknown":
            assert moment is None
        else:
            assert moment is not None
            assert moment <= NOW
            assert moment.microsecond == 0
            assert source
