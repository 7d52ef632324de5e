"""A whole run in one process, with AniList and Trakt in memory: what it sends, stores, says and asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from jobs.records import Activity, Pile, Placement, Play, Reason, Refusal, Span
from jobs.targets.trakt_writes import Removal
from tests.jobs.sync_fakes import (
    NOW,
    change_entry,
    entry,
    entry_row,
    media,
)
from tests.jobs.sync_world import World, items, progress, set_timestamp, timestamp
from webapp.database import transaction
from webapp.models import (
    MappingSource,
    RequestCount,
    SyncProgress,
    utcnow,
)

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
