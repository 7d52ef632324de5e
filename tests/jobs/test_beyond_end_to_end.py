"""Ratings, the watchlist and dropped shows travel from the simulator's AniList to its Trakt: real clients and requests."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from jobs import beyond, extras_ledger, extras_lists, extras_sending, pace, sync
from jobs.errors import LostClaim, Settling
from jobs.extras import Extra, Target
from jobs.pace import Rule
from tests.jobs.demo_runs import go, lines, read_back
from tests.jobs.sync_fakes import make_run, run_row
from webapp import enqueue, preferences, queries, runs
from webapp.database import transaction
from webapp.extensions import db
from webapp.models import Connection, ExtraRow, PlanExtra, Run, TraktList, User, utcnow
from webapp.simulator.process import Running

Mark = tuple[str, str, int, int, int | None]


@pytest.fixture(autouse=True)
def no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are called here, and the simulator needs no second between two writes."""
    monkeypatch.setattr(enqueue, "run", lambda _run: True)
    monkeypatch.setattr(pace, "trakt_writes", lambda user_id: Rule("trakt", f"trakt-writes:{user_id}", 100, 1.0))


def marks(sim: Running, kind: str | None = None) -> set[Mark]:
    """(kind, target, Trakt id, season, value) of all that stands on Trakt."""
    rows = [(r["kind"], r["target"], r["trakt_id"], r["season"], r["value"]) for r in sim.get("marks")]
    assert len(set(rows)) == len(rows)
    return {row for row in rows if kind in (None, row[0])}


def switch(user: User, *kinds: str) -> None:
    preferences.save_beyond(user, ratings="rating" in kinds, watchlist="watchlist" in kinds, dropped="dropped" in kinds)


def asked(sim: Running, *, writes: bool = False) -> dict[str, int]:
    """Requests about ratings, the watchlist and dropped shows since the last look."""
    paths = sim.get("requests").get("trakt", {}).get("paths", {})
    sim.post("requests/reset")
    wanted = ("/sync/ratings", "/sync/watchlist", "/users/hidden")
    found = {path: n for path, n in paths.items() if path.split(" ")[1].startswith(wanted)}
    return {path: n for path, n in found.items() if path.startswith("POST")} if writes else found


def go_on(run: Run) -> Run:
    """As the tick does: a run that waits for a short time goes on, until it ends."""
    for _ in range(5):
        if run.status != "waiting":
            return run
        with transaction() as session:
            session.execute(update(Run).where(Run.id == run.id).values(resume_at=utcnow()))
        sync.run(run.id)
        run = run_row(run.id)
    raise AssertionError(f"run {run.id} goes on waiting: {run.detail}")


def rows(**values: Any) -> list[ExtraRow]:
    with transaction(readonly=True) as session:
        query = select(ExtraRow).filter_by(**values).order_by(ExtraRow.id)
        return list(session.scalars(query.execution_options(populate_existing=True)))


def of(run: Run, name: str) -> dict[str, int]:
    numbers: dict[str, int] = run.result["extras"][name]
    return numbers


def alone(sim: Running, person: User, *kinds: str) -> User:
    """Plays first, so that what follows is about nothing else."""
    assert go(person).status == "succeeded"
    read_back()
    asked(sim)
    return with_on(person, *kinds)


def with_on(person: User, *kinds: str) -> User:
    switch(person, *kinds)
    return person


def test_nothing_is_asked_and_nothing_is_sent_while_all_is_off(sim: Running, person: User) -> None:
    assert go(person).status == "succeeded"
    assert (asked(sim), marks(sim)) == ({}, set())
    assert "extras" not in go(person).result


def test_scores_become_ratings_once_after_a_preview(sim: Running, person: User) -> None:
    user = alone(sim, person, "rating")
    preview = go(user, preview=True)
    planned = of(preview, "ratings")["planned"]
    assert planned > 20
    assert (marks(sim), asked(sim, writes=True)) == (set(), {})
    sent = runs.send_preview(preview.id, user.id, None).run
    sync.run(sent.id)
    run = run_row(sent.id)
    assert (run.status, of(run, "ratings")["sent"]) == ("succeeded", planned), lines(run)
    assert asked(sim, writes=True) == {"POST /sync/ratings": 1}
    found = marks(sim)
    assert len(found) == planned
    assert {kind for kind, *_ in found} == {"rating"}
    assert ("rating", "season", 1420, 1, 9) in found  # Attack on Titan's first season, of four
    assert {target for _, target, *_ in found} == {"movie", "show", "season"}
    sim.post("requests/reset")
    again = go(user)
    assert sum(service["total"] for service in sim.get("requests").values()) <= 3, sim.get("requests")
    assert (again.status, of(again, "ratings")["planned"], of(again, "ratings")["already"]) == ("succeeded", 0, planned)
    assert asked(sim) == {}
    assert marks(sim) == found


def test_an_existing_rating_is_never_overwritten(sim: Running, person: User) -> None:
    user = with_on(person, "rating")
    sim.post("marks", {"add": [{"kind": "rating", "target": "season", "trakt_id": 1420, "season": 1, "value": 2}]})
    run = go(user)
    assert (run.status, of(run, "ratings")["different"]) == ("succeeded", 1), lines(run)
    assert ("rating", "season", 1420, 1, 2) in marks(sim)
    go(user)  # our own ratings have moved the list: read once more, since the other rating may have gone
    asked(sim)
    assert of(go(user), "ratings")["different"] == 1
    assert asked(sim) == {}
    sim.post("marks", {"remove": [{"kind": "rating", "target": "season", "trakt_id": 1420, "season": 1}]})
    assert of(go(user), "ratings")["sent"] == 1
    assert ("rating", "season", 1420, 1, 9) in marks(sim)


def test_a_rating_that_came_while_the_plays_went_out_is_left_alone(
    sim: Running, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = with_on(person, "rating")
    late = {"kind": "rating", "target": "season", "trakt_id": 1420, "season": 1, "value": 2}
    real = extras_sending.send

    def first_the_person(*args: Any) -> bool:
        sim.post("marks", {"add": [late]})
        return real(*args)

    monkeypatch.setattr(extras_sending, "send", first_the_person)
    assert go(user).status == "succeeded"
    assert ("rating", "season", 1420, 1, 2) in marks(sim)


def test_private_titles_keep_their_score_for_themselves(sim: Running, person: User) -> None:
    sim.post("entries", {"media_id": 16498, "changes": {"private": True}})
    user = with_on(person, "rating")
    go(user)
    assert ("rating", "season", 1420, 2, 9) in marks(sim)
    assert ("rating", "season", 1420, 1, 9) not in marks(sim)
    with transaction() as session:
        session.execute(update(User).values(send_private=True))
    assert go(user).status == "succeeded"
    assert ("rating", "season", 1420, 1, 9) in marks(sim)


def test_what_the_person_took_off_trakt_is_not_put_back_until_send_again(sim: Running, person: User) -> None:
    user = with_on(person, "rating")
    first = go(user)
    season = {"kind": "rating", "target": "season", "trakt_id": 1420, "season": 1}
    sim.post("marks", {"remove": [season]})
    with transaction() as session:  # long ago
        session.execute(update(ExtraRow).values(sent_at=utcnow() - timedelta(hours=2)))
    sim.post("entries", {"media_id": 47, "changes": {"score": 0}})
    assert go(user).status == "succeeded"
    assert [row.state for row in rows(trakt_id=1420, season=1)] == ["sent"]  # nothing new, so nobody looked
    sim.post("entries", {"media_id": 30, "changes": {"score": 0}})
    sim.post("marks", {"remove": [{"kind": "rating", "target": "movie", "trakt_id": 97}]})
    sim.post("entries", {"media_id": 19, "changes": {"status": "COMPLETED", "progress": 74, "score": 9}})
    assert go(user).status == "succeeded"
    assert ("rating", "season", 1420, 1, 9) not in marks(sim)
    assert [row.state for row in rows(trakt_id=1420, season=1)] == ["gone"]
    assert of(go(user), "ratings")["held"] >= 1
    again = runs.send_again(user.id, run_id=first.id).run
    assert again.mode == "full"
    sync.run(again.id)
    assert ("rating", "season", 1420, 1, 9) in marks(sim)
    with pytest.raises(runs.RunError, match="held back"):
        runs.send_again(user.id, run_id=first.id)


def test_undo_takes_away_what_the_run_added_and_nothing_else(sim: Running, person: User) -> None:
    user = with_on(person, "rating")
    mine = {"kind": "rating", "target": "season", "trakt_id": 1420, "season": 1, "value": 2}
    sim.post("marks", {"add": [mine]})
    run = go(user)
    before = marks(sim)
    changed = next(m for m in sorted(before) if m[1] == "movie")
    sim.post("marks", {"add": [{"kind": "rating", "target": "movie", "trakt_id": changed[2], "value": 1}]})
    undo = runs.undo(run.id, user.id).run
    sync.run(undo.id)
    undone = run_row(undo.id)
    assert (undone.status, undone.result["removedExtras"]) == ("succeeded", of(run, "ratings")["sent"] - 1), lines(undone)  # fmt: skip
    assert marks(sim) == {("rating", "season", 1420, 1, 2), ("rating", "movie", changed[2], 0, 1)}
    assert of(go(user), "ratings")["planned"] == 0
    assert len(marks(sim)) == 2
    with pytest.raises(runs.RunError, match="left on Trakt"):
        runs.undo(run.id, user.id)


@pytest.mark.parametrize(
    "kind",
    [
        "drop_after_apply",
        "drop_before",
        pytest.param("applied_then_status", marks=pytest.mark.slow),
        pytest.param("half_body", marks=pytest.mark.slow),
    ],
)
def test_a_lost_answer_is_settled_by_reading(sim: Running, person: User, kind: str) -> None:
    user = with_on(person, "rating")
    sim.post("faults", {"service": "trakt", "method": "POST", "path": "/sync/ratings", "kind": kind, "status": 504})
    run = go(user)
    assert (run.status, run.reason) == ("waiting", "settling")
    run = go_on(run)
    assert (run.status, of(run, "ratings")["sent"]) == ("succeeded", len(marks(sim))), lines(run)
    assert {row.state for row in rows()} == {"sent"}
    assert asked(sim, writes=True) == {"POST /sync/ratings": 2 if kind == "drop_before" else 1}
    undo = runs.undo(run.id, user.id).run
    sync.run(undo.id)
    assert marks(sim) == set()


def test_a_death_between_the_request_and_its_record_sends_nothing_again(
    sim: Running, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = with_on(person, "rating")
    real = extras_ledger.record_sent

    def dies(*_args: Any, **_more: Any) -> None:
        raise LostClaim("the worker is gone")

    monkeypatch.setattr(extras_ledger, "record_sent", dies)
    run_id = make_run(user, mode="full")
    sync.run(run_id)
    monkeypatch.setattr(extras_ledger, "record_sent", real)
    assert {row.state for row in rows()} == {"sending"}
    with transaction() as session:
        session.execute(update(Run).where(Run.id == run_id).values(status="queued", lock_key=None, batch_deadline=None))
    sync.run(run_id)
    run = run_row(run_id)
    assert (run.status, of(run, "ratings")["sent"]) == ("succeeded", len(marks(sim))), lines(run)
    assert asked(sim, writes=True) == {"POST /sync/ratings": 1}


def test_what_trakt_does_not_take_is_refused_by_name_and_held(
    sim: Running, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = with_on(person, "rating")
    real, odd = beyond.plan, Extra("rating", Target("season", 1420, 77), 1, 5)

    def with_a_season_that_trakt_has_not(*args: Any) -> beyond.Beyond:
        made = real(*args)
        return replace(made, new=() if rows(season=77) else (*made.new[:3], odd))

    monkeypatch.setattr(beyond, "plan", with_a_season_that_trakt_has_not)
    run = go_on(go(user))
    assert (run.status, run.reason) == ("partial", "bad_data"), lines(run)
    assert (of(run, "ratings")["sent"], of(run, "ratings")["refused"]) == (3, 1)
    assert [row.state for row in rows(season=77)] == ["rejected"]
    monkeypatch.setattr(beyond, "plan", real)
    assert go(user).status == "succeeded"
    assert [row.state for row in rows(season=77)] == ["rejected"]


def test_a_list_that_cannot_be_read_ends_the_run_after_its_plays(sim: Running, person: User) -> None:
    user = with_on(person, "rating")
    fault = {"service": "trakt", "method": "GET", "path": "/sync/ratings/movies", "kind": "wrong_item_count"}
    sim.post("faults", fault)
    preview = go(user, preview=True)
    assert (preview.status, preview.result["extrasTrouble"], preview.plays_planned > 0) == ("succeeded", "incomplete_read", True)  # fmt: skip
    sim.post("faults", fault)
    run = go(user)
    assert (run.status, run.reason, run.plays_sent) == ("partial", "incomplete_read", preview.plays_planned), lines(run)
    assert marks(sim) == set()
    with transaction(readonly=True) as session:
        assert session.scalars(select(TraktList)).all() == []
    run = go(user)
    assert (run.status, of(run, "ratings")["sent"]) == ("succeeded", len(marks(sim))), lines(run)


def test_a_preview_that_is_sent_keeps_its_ratings_through_a_wait(
    sim: Running, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = with_on(person, "rating")
    preview = go(user, preview=True)
    sent = runs.send_preview(preview.id, user.id, None).run

    def in_doubt(*_args: Any) -> None:
        raise Settling("somebody's answer was lost", service="trakt", seconds=0)

    with monkeypatch.context() as doubt:
        doubt.setattr(extras_sending, "settle", in_doubt)
        sync.run(sent.id)
    run = run_row(sent.id)
    assert (run.status, run.reason, run.plays_sent) == ("waiting", "settling", preview.plays_planned), lines(run)
    run = go_on(run)
    assert (run.status, of(run, "ratings")["sent"]) == ("succeeded", of(preview, "ratings")["planned"]), lines(run)


def test_the_brake_counts_them_and_only_what_was_seen_goes_out_after_approval(sim: Running, person: User) -> None:
    user = alone(sim, person, "rating")
    with transaction() as session:
        session.execute(update(User).values(hand_consent_at=None))
    run = go(user, trigger="schedule")
    assert (run.status, run.reason) == ("needs_approval", "first_run")
    assert marks(sim) == set()
    with transaction(readonly=True) as session:
        plan = session.scalars(select(PlanExtra).where(PlanExtra.run_id == run.id)).all()
    chosen = sorted(f"{row.kind}:{row.target}:{row.trakt_id}:{row.season}" for row in plan)[:3]
    runs.approve(run.id, user.id, extras=chosen)
    sync.run(run.id)
    run = run_row(run.id)
    assert (run.status, of(run, "ratings")["sent"], len(marks(sim))) == ("succeeded", 3, 3), lines(run)


def test_pauses_and_other_modes_send_none(sim: Running, person: User) -> None:
    user = with_on(person, "rating", "watchlist", "dropped")
    for mode in ("completed", "watching"):
        assert go(user, mode=mode).status == "succeeded"
    assert go(user, mode="title", anilist_id=1).status == "succeeded"
    assert (marks(sim), asked(sim)) == (set(), {})


# The watchlist


def planned(sim: Running, *media_ids: int) -> None:
    for media_id in media_ids:
        sim.post("entries", {"media_id": media_id, "changes": {"status": "PLANNING", "progress": 0, "score": 0}})


def test_planned_titles_go_onto_the_watchlist_once_and_come_off_by_undo(sim: Running, person: User) -> None:
    planned(sim, 5114, 20958, 47)  # a show, the second season of one that was begun, a movie
    user = with_on(person, "watchlist")
    sim.post("marks", {"add": [{"kind": "watchlist", "target": "show", "trakt_id": 61405}]})
    run = go(user)
    found = marks(sim)
    assert (run.status, of(run, "watchlist")["sent"]) == ("succeeded", len(found) - 1), lines(run)
    assert ("watchlist", "season", 1420, 2, None) in found
    assert {target for _, target, *_ in found} == {"movie", "show", "season"}
    asked(sim)
    assert of(go(user), "watchlist")["planned"] == 0
    assert asked(sim) == {}
    undo = runs.undo(run.id, user.id).run
    sync.run(undo.id)
    assert marks(sim) == {("watchlist", "show", 61405, 0, None)}
    assert of(go(user), "watchlist")["held"] == len(found) - 1


@pytest.mark.parametrize("told", [True, False])
def test_a_full_watchlist_ends_with_a_sentence_and_is_tried_again_when_it_is_shorter(
    sim: Running, person: User, told: bool
) -> None:
    planned(sim, 5114, 1, 47)
    user = with_on(person, "watchlist")
    if told:  # the account says how much fits in: that much is sent
        sim.post("account", {"watchlist_limit": 2})
        run = go(user)
        assert (run.status, run.reason) == ("partial", "watchlist_full"), lines(run)
        assert (of(run, "watchlist")["sent"], len(marks(sim))) == (2, 2)
    else:  # it has become less since we asked: 420
        go(user, mode="title", anilist_id=30)
        sim.post("account", {"watchlist_limit": 2})
        run = go(user)
        assert (run.status, run.reason) == ("partial", "watchlist_full"), lines(run)  # plays went out
        assert (of(run, "watchlist")["sent"], marks(sim)) == (0, set())
        assert rows() == []
    left = of(run, "watchlist")["waiting"]
    assert left == of(run, "watchlist")["planned"] - len(marks(sim)) > 0
    asked(sim)
    assert go(user).status == "succeeded"  # looks once more at what our own items have moved
    assert asked(sim, writes=True) == {}
    quiet = go(user)
    assert (quiet.status, of(quiet, "watchlist")["waiting"], asked(sim)) == ("succeeded", left, {})
    day_old(user)
    assert go(user).status == "succeeded"  # looked at: it has not become shorter
    assert asked(sim, writes=True) == {}
    sim.post("account", {"watchlist_limit": 50})
    if told:
        there = next(row for row in sim.get("marks") if row["target"] != "season")
        sim.post("marks", {"remove": [there]})
        day_old(user)
    else:
        week_old(user)
    run = go(user)
    assert (run.status, of(run, "watchlist")["waiting"]) == ("succeeded", 0), lines(run)
    assert len(marks(sim)) == of(run, "watchlist")["sent"] + (1 if told else 0)


def day_old(user: User) -> None:
    with transaction() as session:
        session.execute(update(TraktList).values(began_at=utcnow() - timedelta(hours=25)))
        session.execute(update(Connection).values(checked_at=utcnow() - timedelta(hours=25)))


def week_old(user: User) -> None:
    day_old(user)
    with transaction() as session:
        session.execute(update(TraktList).values(full_at=utcnow() - extras_lists.FULL_AT_MOST))


def test_other_limits_stop_the_run_by_name(sim: Running, person: User) -> None:
    user = alone(sim, person, "rating", "watchlist")
    sim.post("faults", {"service": "trakt", "method": "POST", "path": "/sync/ratings", "kind": "status", "status": 426})
    run = go(user)
    assert (run.status, run.reason, rows()) == ("failed", "vip_required", []), lines(run)
    sim.post(
        "faults",
        {"service": "trakt", "method": "POST", "path": "/sync/ratings", "kind": "status", "status": 429,
         "headers": {"Retry-After": "1"}},
    )  # fmt: skip
    run = go(user)
    assert (run.status, run.reason, rows()) == ("waiting", "rate_limited", []), lines(run)
    run = go_on(run)
    assert (run.status, len(marks(sim, "rating"))) == ("succeeded", of(run, "ratings")["sent"]), lines(run)


# Dropped shows


def test_dropped_titles_drop_their_shows_once_and_come_back_by_undo(sim: Running, person: User) -> None:
    user = with_on(person, "dropped")
    preview = go(user, preview=True)
    assert (of(preview, "dropped")["planned"], marks(sim)) == (1, set())  # Black Clover
    run = go(user)
    (found,) = marks(sim)
    assert (run.status, found[:2]) == ("succeeded", ("dropped", "show")), lines(run)
    asked(sim)
    assert of(go(user), "dropped")["already"] == 1
    assert asked(sim) == {}
    sim.post("entries", {"media_id": 97940, "changes": {"status": "CURRENT"}})
    assert go(user).status == "succeeded"
    assert marks(sim) == {found}  # what changes on AniList takes nothing away
    undo = runs.undo(run.id, user.id).run
    sync.run(undo.id)
    assert marks(sim) == set()


def test_a_title_that_is_not_sent_is_no_question_to_the_person(sim: Running, person: User) -> None:
    before = go(person).result["review"]
    badge = queries.needs_you_count(person.id)
    db.session.remove()
    sim.post("entries", {"media_id": 99634, "changes": {"status": "DROPPED", "progress": 2}})
    user = with_on(person, "dropped", "watchlist")
    assert go(user).result["review"] == 0 < before
    assert queries.needs_you_count(user.id) == badge - 1
    db.session.remove()
