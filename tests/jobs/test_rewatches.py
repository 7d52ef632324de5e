"""Rewatches, once they are turned on: as many plays as AniList counts, none that Trakt has, none from before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from jobs.planner import DateHints, LedgerRow, plan
from jobs.records import Activity, ListEntry, Play
from jobs.rewatches import Base, missing, wanted_plays
from tests.jobs.plays import NOW, entry, inputs, movie, picture, row

ON = {1: Base()}
SEEN = datetime(2026, 4, 20, 20, 0, tzinfo=UTC)


def plays(one: ListEntry, *, on_trakt: int = 0, ledger: Any = (), bases: Any = ON, **more: Any) -> list[Play]:
    placements = more.pop("placements", None)
    trakt = picture(movies={100: on_trakt}) if placements else picture({(100, 1, 1): on_trakt})
    rules = {"rewatches": bases, **more}
    return list(plan(inputs(one, trakt=trakt, ledger=ledger, placements=placements, **rules)).plays)


def short(found: list[Play]) -> list[tuple[int, int, int, int]]:
    return sorted((p.episode, p.nth, p.target_nth, p.before) for p in found)


def one(repeat: int = 0, status: str = "COMPLETED", progress: int = 1, **more: Any) -> ListEntry:
    return entry(1, status, progress, episodes=1, repeat=repeat, updated_at=SEEN, **more)


def test_nothing_is_sent_twice_while_rewatches_are_off() -> None:
    assert short(plays(one(3), bases=None)) == [(1, 1, 1, 0)]


def test_each_rewatch_that_anilist_counts_is_one_more_play() -> None:
    assert short(plays(one(2))) == [(1, 1, 1, 0), (1, 2, 2, 1), (1, 3, 3, 2)]


def test_rewatches_of_before_the_day_stay_away() -> None:
    assert short(plays(one(3), bases={1: Base(base=2)}, on_trakt=1)) == [(1, 2, 2, 1)]
    assert plays(one(2), bases={1: Base(base=2)}, on_trakt=1) == []


def test_past_ones_that_were_wanted_go_out_without_a_date() -> None:
    found = plays(one(3), bases={1: Base(base=0, past=2)}, on_trakt=1)
    assert [(p.nth, p.watched_at, p.date_source) for p in sorted(found, key=lambda p: p.nth)] == [
        (2, None, "unknown"),
        (3, None, "unknown"),
        (4, SEEN, "updated"),
    ]


def test_what_trakt_has_is_subtracted_whoever_put_it_there() -> None:
    assert short(plays(one(2), on_trakt=2)) == [(1, 3, 3, 2)]
    assert plays(one(2), on_trakt=3) == []
    assert plays(one(2), on_trakt=9) == []


def test_our_own_plays_count_once_even_when_a_reading_lags() -> None:
    ledger = [row(), row(nth=2, target_nth=2, play_id=2)]
    assert short(plays(one(2), on_trakt=0, ledger=ledger)) == [(1, 3, 3, 0)]
    assert short(plays(one(2), on_trakt=2, ledger=ledger)) == [(1, 3, 3, 2)]
    assert plays(one(2), on_trakt=3, ledger=ledger) == []


def test_a_lower_repeat_removes_nothing() -> None:
    ledger = [row(), row(nth=2, target_nth=2, play_id=2)]
    assert plays(one(0), on_trakt=2, ledger=ledger) == []


def test_a_repeat_that_fell_and_rose_again_sends_nothing_twice() -> None:
    ledger = [row(), row(nth=3, target_nth=3, play_id=3)]
    assert plays(one(1), on_trakt=2, ledger=ledger) == []


def test_a_rewatch_under_way_counts_up_to_its_progress() -> None:
    again = entry(1, "REPEATING", 2, episodes=3, updated_at=SEEN)
    trakt = picture({(100, 1, n): 1 for n in (1, 2, 3)})
    made = plan(inputs(again, trakt=trakt, rewatches=ON))
    assert short(list(made.plays)) == [(1, 2, 2, 1), (2, 2, 2, 1)]
    assert {p.episode: p.watched_at for p in made.plays} == {1: SEEN - timedelta(minutes=1), 2: SEEN}


def test_a_finished_rewatch_adds_nothing_to_what_was_sent_while_it_went_on() -> None:
    ledger = [row(), row(nth=2, target_nth=2, play_id=2)]
    assert plays(one(0, "REPEATING"), on_trakt=2, ledger=ledger) == []
    assert plays(one(1), on_trakt=2, ledger=ledger) == []


def test_a_rewatch_that_was_removed_stays_away_until_send_again() -> None:
    ledger = [row(), row(state="gone", nth=2, target_nth=2, play_id=2)]
    assert plays(one(1), on_trakt=1, ledger=ledger) == []
    cleared = [row(), row(state="gone", nth=2, target_nth=2, play_id=2, held=False)]
    assert short(plays(one(1), on_trakt=1, ledger=cleared)) == [(1, 2, 2, 1)]


def test_nothing_of_an_episode_whose_first_play_is_held_back() -> None:
    assert plays(one(1), ledger=[row(state="removed")]) == []


def test_the_newest_activity_belongs_to_the_newest_play() -> None:
    def rewatched(number: int, day: int) -> Activity:
        return Activity(number, 1, "rewatched episode", None, 1, datetime(2026, 3, day, tzinfo=UTC))

    hints = DateHints(activities={1: [rewatched(1, 5), rewatched(2, 9)]})
    made = plan(inputs(one(3), trakt=picture({(100, 1, 1): 1}), rewatches=ON, dates=hints))
    assert {p.nth: (p.watched_at and p.watched_at.day, p.date_source) for p in made.plays} == {
        2: (None, "unknown"),
        3: (5, "activity"),
        4: (9, "activity"),
    }


def test_movies_are_seen_again_too() -> None:
    film = one(1)
    assert short(plays(film, on_trakt=1, placements={1: movie()})) == [(1, 2, 2, 1)]


def test_trakts_setting_to_count_once_turns_rewatches_off() -> None:
    assert plays(one(5), on_trakt=1, watch_only_once=True) == []


def test_no_two_plays_of_a_show_share_a_second() -> None:
    whole = entry(1, episodes=12, repeat=3, updated_at=SEEN)
    times = [p.watched_at for p in plan(inputs(whole, rewatches=ON)).plays if p.watched_at is not None]
    assert len(times) == len(set(times))


def test_the_item_counts_rewatches_apart() -> None:
    made = plan(inputs(one(2), trakt=picture({(100, 1, 1): 1}), rewatches=ON))
    (item,) = made.items
    assert (item.outcome, item.new, item.already, item.detail) == ("sent", 2, 1, {"rewatches": 2})


STATES = st.sampled_from(["sent", "sending", "gone", "removed", "rejected", "removing"])


@given(
    repeat=st.integers(0, 5),
    base=st.integers(0, 5),
    repeating=st.booleans(),
    foreign=st.integers(0, 6),
    own=st.dictionaries(st.integers(1, 6), STATES, max_size=6),
)
def test_after_the_plan_there_are_as_many_plays_as_wanted_or_more_and_never_one_too_many(
    repeat: int, base: int, repeating: bool, foreign: int, own: dict[int, str]
) -> None:
    title = one(repeat, "REPEATING" if repeating else "COMPLETED")
    ledger: list[LedgerRow] = []
    for target_nth, (nth, state) in enumerate(sorted(own.items()), start=1):
        ledger.append(row(state=state, nth=nth, target_nth=target_nth, play_id=nth, updated_at=NOW))
    standing = sum(state in ("sent", "sending", "removing") for state in own.values())
    found = plays(title, on_trakt=foreign + standing, ledger=ledger, bases={1: Base(base)})
    wanted = wanted_plays(title, 1, Base(base))
    assert foreign + standing + len(found) <= max(wanted, foreign + standing)
    keys = [(p.nth, p.target_nth) for p in found]
    taken = {(r.target_nth) for r in ledger if r.state in ("sent", "sending", "removing")}
    assert len({nth for nth, _ in keys}) == len({target for _, target in keys}) == len(keys)
    assert not {target for _, target in keys} & taken
    assert not {nth for nth, _ in keys} & set(own)
    if not own:
        assert foreign + len(found) == max(wanted, foreign)


@given(st.integers(0, 9), st.sets(st.integers(1, 9)), st.integers(-3, 9))
def test_missing_plays_are_wanted_and_free(wanted: int, own: set[int], foreign: int) -> None:
    found = missing(wanted, own, foreign)
    assert set(found) <= set(range(1, wanted + 1)) - own
    assert len(found) == max(wanted - len(own & set(range(1, wanted + 1))) - max(foreign, 0), 0)
