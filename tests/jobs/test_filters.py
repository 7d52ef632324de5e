"""What a person leaves out is named as left out, never sent, and sent once it is let in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from jobs.filters import Filters, from_json
from jobs.planner import DateHints, plan
from jobs.records import Activity, ListEntry, MediaInfo, Reason
from tests.jobs.plays import entry, inputs, picture, row


def outcome(one: ListEntry, **rules: Any) -> tuple[int, str, Reason | None, Any]:
    made = plan(inputs(one, **rules))
    (item,) = made.items
    return len(made.plays), item.outcome, item.reason, item.detail


@pytest.mark.parametrize(
    ("filters", "by"),
    [
        (Filters(formats_off=frozenset({"OVA"})), "format"),
        (Filters(skip_adult=True), "adult"),
        (Filters(skip_lists=frozenset({"Guilty pleasures"})), "list"),
    ],
)
def test_a_title_that_is_filtered_is_left_out_with_the_reason(filters: Filters, by: str) -> None:
    media = MediaInfo(1, episodes=12, format="OVA", is_adult=True)
    one = ListEntry(media, 10, "COMPLETED", 12, custom_lists=("Guilty pleasures", "Other"))
    assert outcome(one, filters=filters) == (0, "left_out", Reason.FILTERED, {"by": by})
    assert outcome(one)[:2] == (12, "sent")


def test_nothing_that_was_sent_is_taken_back_by_a_filter() -> None:
    one = entry(format="OVA", episodes=1, progress=1)
    made = plan(
        inputs(one, ledger=[row()], filters=Filters(formats_off=frozenset({"OVA"})), trakt=picture({(100, 1, 1): 1}))
    )
    assert made.plays == ()


@pytest.mark.parametrize(("choice", "reason"), [("never", Reason.NEVER), ("scrobbler", Reason.LEFT_TO_SCROBBLER)])
def test_single_titles_are_left_out_by_choice(choice: str, reason: Reason) -> None:
    assert outcome(entry(), choices={1: choice})[:3] == (0, "left_out", reason)


def activity(number: int, day: int) -> Activity:
    return Activity(number, 1, "watched episode", number, number, datetime(2026, 4, day, 12, tzinfo=UTC))


def test_only_episodes_that_were_watched_since_the_day_are_sent() -> None:
    one = entry(episodes=4, progress=4)
    hints = DateHints(activities={1: [activity(n, n * 5) for n in (1, 2, 3, 4)]})
    made = plan(inputs(one, dates=hints, filters=Filters(not_before=date(2026, 4, 11))))
    assert sorted(play.episode for play in made.plays) == [3, 4]
    (item,) = made.items
    assert (item.outcome, item.reason) == ("sent_in_part", Reason.BEFORE_DATE)
    assert item.detail["parts"] == [{"outcome": "left_out", "reason": "before_date", "from": 1, "to": 2}]


def test_the_day_counts_whatever_date_rule_the_plays_get() -> None:
    one = entry(episodes=4, progress=4, completed="2020-01-01")
    rules: Mapping[str, Any] = {"filters": Filters(not_before=date(2026, 1, 1)), "date_rule": "now"}
    assert outcome(one, **rules)[:3] == (0, "left_out", Reason.BEFORE_DATE)


def test_what_is_there_already_is_not_called_left_out() -> None:
    one = entry(episodes=1, progress=1, completed="2020-01-01")
    made = plan(inputs(one, trakt=picture({(100, 1, 1): 1}), filters=Filters(not_before=date(2026, 1, 1))))
    assert (made.plays, made.items, made.already_entries) == ((), (), 1)


def test_the_day_begins_at_midnight_in_the_persons_zone() -> None:
    filters = Filters(not_before=date(2026, 4, 11))
    at = datetime(2026, 4, 10, 23, 30, tzinfo=UTC)
    assert filters.too_old(at, UTC)
    assert not filters.too_old(at, ZoneInfo("Europe/Berlin"))
    assert not filters.too_old(None, UTC)


def test_filters_survive_the_database() -> None:
    filters = Filters(frozenset({"OVA", "ONA"}), True, frozenset({"A"}), date(2020, 1, 2))
    assert from_json(filters.to_json()) == filters
    assert from_json({}) == from_json(None) == Filters()
