"""The demo library travels from the simulator's AniList to its Trakt, without a queue: real clients, real requests."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import func, select, update

from jobs import sync
from tests.jobs.demo_runs import go, lines, places, posts, read_back, requests_of
from tests.jobs.sync_fakes import run_row
from webapp import enqueue, preferences, runs, schedule
from webapp.database import transaction
from webapp.extensions import db
from webapp.models import Entry, Run, RunItem, User, utcnow
from webapp.simulator.demo import expected_piles, expected_remarks
from webapp.simulator.process import Running


def check_piles(run: Run) -> None:
    """Every entry that was not sent, or not whole, lies in its pile with its reason."""
    with transaction(readonly=True) as session:
        rows = session.execute(select(Entry.anilist_id, Entry.pile, Entry.reason).where(Entry.pile != "placed")).all()
        named = set(session.scalars(select(RunItem.anilist_id).where(RunItem.run_id == run.id)))
    found = {row.anilist_id: (row.pile, row.reason) for row in rows if row.anilist_id in named}
    wanted = {i: (pile, reason) for i, (pile, reason, _) in expected_piles().items()}
    assert {i: found[i] for i in wanted} == wanted
    piles = {"above_episodes": "needs_you", "not_listed_yet": "waiting"}
    others = {i: piles[reason] for i, (reason, _) in expected_remarks().items() if reason in piles}
    assert {i: pile for i, (pile, _) in found.items() if i not in wanted} == others
    assert run.result["review"] == sum(pile == "needs_you" for pile, _ in found.values())


def test_the_demo_library_arrives_exactly_once_and_the_rest_lies_in_piles(sim: Running, person: User) -> None:
    had = places(sim.get("history"))
    run = go(person)
    assert (run.status, run.reason) == ("succeeded", None), lines(run)
    expected = places(sim.get("expected")["plays"])
    assert sorted(set(places(sim.get("history")))) == expected
    assert len(places(sim.get("history"))) - len(had) == run.plays_sent == len(set(expected) - set(had))
    check_piles(run)

    read_back()
    sim.post("requests/reset")
    second = go(person)
    assert (second.status, second.plays_sent, second.result["synced"]) == ("succeeded", 0, 0)
    assert sum(requests_of(second).values()) <= 3
    assert sum(service["total"] for service in sim.get("requests").values()) == sum(requests_of(second).values())
    assert sorted(set(places(sim.get("history")))) == expected


def test_completed_then_watching_then_full_send_each_play_once(sim: Running, person: User) -> None:
    completed = go(person, mode="completed")
    assert completed.status == "succeeded", lines(completed)
    read_back()
    again = go(person, mode="completed")
    assert (again.plays_sent, sum(requests_of(again).values()) <= 3) == (0, True)
    watching = go(person, mode="watching")
    full = go(person)
    assert watching.plays_sent
    assert full.status == "succeeded", lines(full)
    expected = places(sim.get("expected")["plays"])
    assert sorted(set(places(sim.get("history")))) == expected
    with transaction(readonly=True) as session:
        sent = session.scalar(select(func.sum(Run.plays_sent)))
    assert sent == completed.plays_sent + watching.plays_sent + full.plays_sent


def test_a_preview_leaves_trakt_alone_and_is_sent_as_it_was(sim: Running, person: User) -> None:
    before = sim.get("history")
    preview = go(person, preview=True)
    assert preview.status == "succeeded", lines(preview)
    assert sim.get("history") == before
    run = go(person, parent_id=preview.id)
    assert (run.status, run.plays_sent) == ("succeeded", preview.plays_planned), lines(run)
    assert sorted(set(places(sim.get("history")))) == places(sim.get("expected")["plays"])


def test_a_rewatch_goes_out_once_when_it_is_wanted_and_comes_back_by_undo(sim: Running, person: User) -> None:
    assert go(person).status == "succeeded"
    preferences.save_rewatches(person, on=True, past=False)
    go(person)  # what is seen again just now
    before = Counter(places(sim.get("history")))
    with transaction(readonly=True) as session:
        old = session.execute(
            select(Entry.anilist_id, Entry.repeat, Entry.progress).where(Entry.repeat > 0, Entry.status == "COMPLETED")
        ).first()
    assert old is not None
    sim.post("entries", {"media_id": old.anilist_id, "changes": {"repeat": old.repeat + 1}})
    again = go(person)
    extra = Counter(places(sim.get("history"))) - before
    mine = {row["trakt_id"] for row in sim.get("expected")["plays"] if row["anilist_id"] == old.anilist_id}
    assert again.plays_sent == extra.total() == old.progress, lines(again)
    assert {place[1] for place in extra} == mine
    assert go(person).plays_sent == 0
    undone = go(person, mode="undo", parent_id=again.id)
    assert undone.status == "succeeded", lines(undone)
    assert Counter(places(sim.get("history"))) == before
    assert go(person).plays_sent == 0


def test_old_rewatches_go_out_without_a_date_and_undo_names_what_it_cannot_tell_apart(
    sim: Running, person: User
) -> None:
    assert go(person).status == "succeeded"
    preferences.save_rewatches(person, on=True, past=True)
    again = go(person)
    assert again.status == "succeeded", lines(again)
    assert again.plays_sent
    dated = sum(row["watched_at"] is not None for row in sim.get("history")[-again.plays_sent :])
    assert go(person).plays_sent == 0
    undone = go(person, mode="undo", parent_id=again.id)
    assert (undone.result["removed"], undone.result["left"]) == (dated, again.plays_sent - dated), lines(undone)


def test_undo_leaves_what_was_there_before(sim: Running, person: User) -> None:
    before = places(sim.get("history"))
    sent = go(person, mode="watching")
    assert sent.plays_sent
    undone = go(person, mode="undo", parent_id=sent.id)
    assert (undone.status, undone.result["removed"]) == ("succeeded", sent.plays_sent), lines(undone)
    assert places(sim.get("history")) == before
    assert go(person, mode="watching").plays_sent == 0


def test_what_was_undone_stays_away_until_send_again(
    sim: Running, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enqueue, "run", lambda _run: True)  # the runs are called here
    before = places(sim.get("history"))
    sent = go(person)
    read_back()
    assert go(person, mode="undo", parent_id=sent.id).result["removed"] == sent.plays_sent
    read_back()
    sim.post("requests/reset")
    (cron,) = schedule.start_due(utcnow(), "cron")
    sync.run(cron.id)
    held = [run_row(cron.id), go(person, mode="completed"), go(person, mode="watching"), go(person)]
    assert [(run.status, run.plays_sent) for run in held] == [("succeeded", 0)] * 4, lines(held[0])
    assert posts(sim) == 0
    assert places(sim.get("history")) == before

    title = min(row["anilist_id"] for row in sim.get("expected")["plays"] if row["status"] == "CURRENT")
    user_id, again = person.id, runs.send_again(person.id, anilist_id=title).run.id
    with pytest.raises(runs.RunError, match="held back"):
        runs.send_again(user_id, anilist_id=title)
    db.session.rollback()
    sync.run(again)
    one = run_row(again)
    assert (one.mode, one.status, one.plays_sent > 0, posts(sim)) == ("title", "succeeded", True, 1), lines(one)
    everything = runs.send_again(user_id, run_id=sent.id).run.id
    sync.run(everything)
    rest = run_row(everything)
    assert one.plays_sent + rest.plays_sent == sent.plays_sent, lines(rest)
    assert Counter(places(sim.get("history"))) - Counter(before) == Counter(
        set(places(sim.get("expected")["plays"])) - set(before)
    )
    read_back()
    assert go(person).plays_sent == 0


def test_force_sends_what_was_undone_once(sim: Running, person: User) -> None:
    before = Counter(places(sim.get("history")))
    sent = go(person, mode="watching")
    new = Counter(places(sim.get("history"))) - before
    go(person, mode="undo", parent_id=sent.id)
    read_back()
    forced = go(person, mode="watching", options={"force": True})
    assert (forced.status, forced.plays_sent) == ("succeeded", sent.plays_sent), lines(forced)
    assert Counter(places(sim.get("history"))) - before == new
    assert go(person, mode="watching", options={"force": True}).plays_sent == 0


@pytest.mark.parametrize("kind", ["drop_after_apply", "applied_then_status", "half_body", "drop_before"])
def test_an_answer_that_is_lost_leads_to_no_second_play(sim: Running, person: User, kind: str) -> None:
    had = Counter(places(sim.get("history")))
    sim.post("faults", {"service": "trakt", "method": "POST", "path": "/sync/history", "kind": kind, "status": 504})
    run = go(person, mode="watching")
    while run.status == "waiting":
        with transaction() as session:
            session.execute(update(Run).where(Run.id == run.id).values(resume_at=utcnow()))
        sync.run(run.id)
        run = run_row(run.id)
    assert run.status == "succeeded", lines(run)
    new = Counter(places(sim.get("history"))) - had
    watching = [row for row in sim.get("expected")["plays"] if row["status"] == "CURRENT"]
    assert sorted(new.elements()) == sorted(set(places(watching)) - set(had))
    assert run.plays_sent == new.total()
