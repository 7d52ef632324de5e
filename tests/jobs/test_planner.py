"""What a plan holds: which episodes become plays, and what is said of those that do not."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from jobs.planner import DateHints, plan, wanted_of
from jobs.records import ItemOutcome, OpenEpisodes, Pile, Placement, Plan, Reason, Refusal, Shape, Slot, Span
from tests.jobs.plays import NOW, entry, inputs, movie, picture, row, show

TICKED = ("COMPLETED", "CURRENT", "REPEATING", "PAUSED")


def sent(made: Plan) -> list[tuple[int, int]]:
    return sorted((play.anilist_id, play.episode) for play in made.plays)


def item(made: Plan, anilist_id: int = 1) -> ItemOutcome:
    return next(one for one in made.items if one.anilist_id == anilist_id)


@pytest.mark.parametrize(
    ("mode", "status", "progress", "episodes", "last", "above"),
    [
        ("completed", "COMPLETED", 12, 12, 12, 0),
        ("completed", "COMPLETED", 5, 12, 12, 0),
        ("completed", "COMPLETED", 13, 12, 12, 1),
        ("completed", "COMPLETED", 7, None, 7, 0),
        ("completed", "REPEATING", 3, 12, 12, 0),
        ("completed", "REPEATING", 0, 12, 12, 0),
        ("completed", "CURRENT", 3, 12, None, None),
        ("watching", "CURRENT", 3, 12, 3, 0),
        ("watching", "CURRENT", 3, None, 3, 0),
        ("watching", "CURRENT", 14, 12, 12, 2),
        ("watching", "CURRENT", 0, 12, None, None),
        ("watching", "COMPLETED", 12, 12, None, None),
        ("full", "PAUSED", 4, 12, 4, 0),
        ("full", "DROPPED", 4, 12, None, None),
        ("full", "PLANNING", 4, 12, None, None),
        ("full", "CURRENT", 0, 12, None, None),
        ("full", "REPEATING", 0, 12, 12, 0),
        ("title", "COMPLETED", 12, 12, 12, 0),
    ],
)
def test_modes_decide_how_far_an_entry_was_watched(
    mode: str, status: str, progress: int, episodes: int | None, last: int | None, above: int | None
) -> None:
    found = wanted_of(entry(status=status, progress=progress, episodes=episodes), mode, TICKED)
    assert (found and (found.last, found.above)) == (None if last is None else (last, above))


def test_planning_is_never_sent_even_when_ticked() -> None:
    assert wanted_of(entry(status="PLANNING", progress=4), "full", [*TICKED, "PLANNING"]) is None


def test_every_watched_episode_goes_to_its_place_once() -> None:
    made = plan(inputs(entry(), placements={1: show(1, 900, season=2, start=25)}))
    assert [(p.trakt_id, p.season, p.number, p.before, p.nth) for p in made.plays] == [
        (900, 2, 25 + n, 0, 1) for n in range(12)
    ]
    assert made.items == (ItemOutcome(1, "sent", None, 12, 12, 0),)
    assert (made.found, made.already_entries, made.settled) == (1, 0, {})


def test_no_two_plays_of_a_show_share_a_second_across_entries_and_the_ledger() -> None:
    day = "2026-01-05"
    places = {1: show(1, 900), 2: show(2, 900, season=2)}
    stands = row(3, 1, trakt_id=900, season=3, watched_at=NOW.replace(month=1, day=5))
    made = plan(inputs(entry(1, completed=day), entry(2, completed=day), placements=places, ledger=[stands]))
    times = [play.watched_at for play in made.plays]
    assert len(times) == 24
    assert len({*times, stands.watched_at}) == 25


def test_what_trakt_has_and_the_ledger_has_not_is_already_there() -> None:
    made = plan(inputs(entry(), trakt=picture({(100, 1, n): 1 for n in range(1, 13)})))
    assert (made.plays, made.items, made.already_entries, made.settled) == ((), (), 1, {1: 12})


def test_one_title_says_that_it_is_there_already() -> None:
    made = plan(inputs(entry(), mode="title", trakt=picture({(100, 1, n): 1 for n in range(1, 13)})))
    assert item(made).outcome == "already_on_trakt"


def test_a_gap_on_trakt_is_filled_and_nothing_else() -> None:
    made = plan(inputs(entry(), trakt=picture({(100, 1, n): 2 for n in range(1, 13) if n not in (4, 9)})))
    assert sent(made) == [(1, 4), (1, 9)]
    assert (item(made).outcome, item(made).already) == ("sent", 10)


@pytest.mark.parametrize("state", ["sending", "sent"])
def test_our_own_rows_count_as_there_whatever_the_picture_shows(state: str) -> None:
    made = plan(inputs(entry(episodes=1, progress=1), ledger=[row(state=state)]))
    assert (made.plays, made.settled) == ((), {1: 1})


@pytest.mark.parametrize("state", ["gone", "removed", "rejected"])
def test_gone_removed_and_rejected_rows_hold_their_source(state: str) -> None:
    one = entry(episodes=1, progress=1)
    held = plan(inputs(one, ledger=[row(state=state, updated_at=NOW)]))
    assert held.plays == ()
    assert item(held).outcome == ("refused" if state == "rejected" else "held")
    assert sent(plan(inputs(one, ledger=[row(state=state, held=False)]))) == [(1, 1)]
    assert sent(plan(inputs(one, ledger=[row(state=state)], force=True))) == [(1, 1)]


def test_a_place_that_the_person_emptied_stays_empty_for_other_entries_too() -> None:
    places: dict[int, Placement | Refusal] = {2: show(2, 100, last=1)}
    made = plan(inputs(entry(2, episodes=1, progress=1), placements=places, ledger=[row(1, 1, "gone")]))
    assert (made.plays, item(made, 2).outcome) == ((), "held")


def test_a_rejected_play_is_tried_again_at_another_place() -> None:
    made = plan(inputs(entry(episodes=1, progress=1), ledger=[row(state="rejected", season=9)]))
    assert sent(made) == [(1, 1)]


def test_a_rejected_play_of_a_running_show_waits_a_day() -> None:
    shape = Shape(100, {1: (Slot(1),)})
    one = entry(episodes=1, progress=1)
    refused = row(state="rejected", updated_at=NOW - timedelta(hours=2))
    early = plan(inputs(one, ledger=[refused], dates=DateHints(shapes={100: shape})))
    assert (early.plays, item(early).outcome) == ((), "waiting")
    later = NOW + timedelta(hours=23)
    assert sent(plan(inputs(one, ledger=[refused], dates=DateHints(shapes={100: shape}), now=later))) == [(1, 1)]
    ended = DateHints(shapes={100: replace(shape, ended=True)})
    assert item(plan(inputs(one, ledger=[refused], dates=ended, now=later))).outcome == "refused"


def test_what_we_removed_a_moment_ago_may_still_show_and_is_left_alone() -> None:
    one = entry(episodes=1, progress=1)
    freed = row(state="removed", held=False, updated_at=NOW - timedelta(minutes=1))
    made = plan(inputs(one, ledger=[freed], trakt=picture({(100, 1, 1): 1})))
    assert (made.plays, made.settled, item(made).outcome) == ((), {}, "waiting")
    assert sent(plan(inputs(one, ledger=[freed]))) == [(1, 1)]


def test_a_movie_is_one_play_and_its_second_entry_shares_it() -> None:
    places: dict[int, Placement | Refusal] = {1: movie(1, 50), 2: movie(2, 50)}
    made = plan(inputs(entry(1, episodes=4), entry(2, episodes=1, progress=1), placements=places))
    assert [(p.anilist_id, p.kind, p.trakt_id, p.season, p.number) for p in made.plays] == [(1, "movie", 50, 0, 0)]
    assert item(made, 2).outcome == "shared_with"
    assert item(made, 2).detail["parts"][0]["with"] == 1


def test_a_movie_that_another_entry_has_sent_is_shared() -> None:
    places: dict[int, Placement | Refusal] = {2: movie(2, 50)}
    stands = row(1, 1, "sent", kind="movie", trakt_id=50, season=0, number=0)
    made = plan(inputs(entry(2, episodes=1, progress=1), placements=places, ledger=[stands]))
    assert (made.plays, item(made, 2).outcome, made.settled) == ((), "shared_with", {2: 1})


def test_two_entries_that_an_override_puts_on_one_episode_send_it_once() -> None:
    places: dict[int, Placement | Refusal] = {1: show(1, 900, last=12), 2: show(2, 900, start=12, last=2)}
    made = plan(inputs(entry(1), entry(2, episodes=2, progress=2), placements=places))
    assert [play.target_key for play in made.plays] == sorted({play.target_key for play in made.plays})
    assert len(made.plays) == 13
    assert item(made, 2).outcome == "sent_in_part"
    assert item(made, 2).reason is Reason.SHARED_WITH


def test_a_place_of_another_anilist_account_is_not_posted_twice() -> None:
    made = plan(inputs(entry(episodes=1, progress=1), ledger=[row(foreign=True)]))
    assert (made.plays, item(made).outcome) == ((), "shared_with")


def test_what_progress_counts_above_the_episodes_goes_to_review_and_the_rest_is_sent() -> None:
    made = plan(inputs(entry(progress=14)))
    assert len(made.plays) == 12
    assert (item(made).outcome, item(made).reason) == ("sent_in_part", Reason.ABOVE_EPISODES)
    assert item(made).detail["parts"] == [{"outcome": "needs_you", "reason": "above_episodes", "from": 13, "to": 14}]


def test_open_episodes_wait_and_the_rest_is_sent() -> None:
    open_part = OpenEpisodes(11, 12, Pile.WAITING, Reason.NOT_LISTED_YET, NOW + timedelta(days=1))
    made = plan(inputs(entry(), placements={1: show(last=10, open=(open_part,))}))
    assert (len(made.plays), item(made).outcome, item(made).reason) == (10, "sent_in_part", Reason.NOT_LISTED_YET)
    assert item(made).detail["parts"][0] == {
        "outcome": "waiting", "reason": "not_listed_yet", "due_at": "2026-05-02T12:00:00Z", "from": 11, "to": 12
    }  # fmt: skip


def test_an_episode_outside_of_every_span_needs_a_person() -> None:
    made = plan(inputs(entry(), placements={1: show(last=10)}))
    assert (item(made).reason, item(made).detail["parts"][0]["from"]) == (Reason.PAST_THE_END, 11)


@pytest.mark.parametrize("pile", [Pile.NEEDS_YOU, Pile.NO_MATCH, Pile.WAITING])
def test_a_refusal_is_named_in_its_pile(pile: Pile) -> None:
    refusal = Refusal(1, pile, Reason.NO_ID, "No source has an id.")
    made = plan(inputs(entry(), placements={1: refusal}))
    assert (made.plays, item(made).outcome, item(made).reason) == ((), pile.value, Reason.NO_ID)


def test_an_entry_that_was_not_placed_sends_nothing() -> None:
    made = plan(inputs(entry(), placements={}))
    assert (made.plays, item(made).outcome) == ((), "waiting")


def test_private_entries_stay_unless_the_account_says_so() -> None:
    one = entry(private=True)
    made = plan(inputs(one))
    assert (made.plays, item(made).reason) == ((), Reason.PRIVATE)
    assert len(plan(inputs(one, send_private=True)).plays) == 12


def test_never_means_never() -> None:
    made = plan(inputs(entry(), choices={1: "never"}, force=True))
    assert (made.plays, item(made).reason) == ((), Reason.NEVER)


def test_an_ignored_refusal_asks_for_nobody() -> None:
    refusal = Refusal(1, Pile.NO_MATCH, Reason.NO_ID, "No source has an id.")
    made = plan(inputs(entry(), placements={1: refusal}, choices={1: "ignored"}))
    assert (item(made).outcome, item(made).reason) == ("left_out", Reason.NO_ID)


def test_a_drift_posts_nothing_keeps_the_old_place_and_asks_once() -> None:
    stands = [row(episode=n) for n in range(1, 7)]
    drifted = plan(inputs(entry(), placements={1: show(1, 100, season=2)}, ledger=stands))
    assert (drifted.plays, len(drifted.items), item(drifted).outcome) == ((), 1, "misplaced")
    assert item(drifted).detail["waiting"] == 6
    assert item(drifted).detail["moves"][0] == {
        "episode": 1, "stands": ["episode", 100, 1, 1], "belongs": ["episode", 100, 2, 1]
    }  # fmt: skip
    assert drifted.settled == {1: 6}


def test_a_play_at_another_show_is_a_drift_too() -> None:
    made = plan(inputs(entry(), placements={1: show(1, 555, last=3)}, ledger=[row(episode=9)]))
    assert (made.plays, item(made).outcome) == ((), "misplaced")


def test_a_move_that_was_not_finished_stays_a_drift() -> None:
    made = plan(inputs(entry(), ledger=[row(state="sent"), row(state="removing", reason="moved", season=5)]))
    assert (made.plays, item(made).outcome) == ((), "misplaced")


def test_a_play_that_went_out_once_keeps_its_time() -> None:
    first = NOW - timedelta(days=40)
    again = row(state="planned", claimed=True, watched_at=first, date_source="activity")
    fresh = row(state="planned", watched_at=first, date_source="activity")
    one = entry(episodes=1, progress=1, completed="2026-01-05")
    assert [(p.watched_at, p.date_source) for p in plan(inputs(one, ledger=[again])).plays] == [(first, "activity")]
    assert plan(inputs(one, ledger=[fresh])).plays[0].date_source == "completed"


def test_the_rule_unknown_sends_no_time() -> None:
    assert {p.watched_at for p in plan(inputs(entry(), date_rule="unknown")).plays} == {None}


def test_the_same_input_in_any_order_gives_the_same_plan() -> None:
    entries = [entry(n, completed="2026-01-05") for n in range(1, 8)]
    places: dict[int, Placement | Refusal] = {n: show(n, 900, season=(n + 1) // 2) for n in range(1, 8)}
    first = plan(inputs(*entries, placements=places))
    random.Random(1).shuffle(entries)
    assert plan(inputs(*entries, placements=places)) == first


def test_spans_over_two_seasons_follow_both() -> None:
    places: dict[int, Placement | Refusal] = {1: replace(show(1, 900), spans=(Span(1, 5, 1, 8), Span(6, 12, 2, 1)))}
    made = plan(inputs(entry(), placements=places))
    assert [(p.season, p.number) for p in made.plays] == [(1, n) for n in range(8, 13)] + [(2, n) for n in range(1, 8)]
