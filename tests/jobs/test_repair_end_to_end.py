"""The history doctor against the simulator: real clients and requests, from a wrong history to a right one and back."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from jobs import sync
from tests.jobs.demo_runs import go, lines
from tests.jobs.sync_fakes import run_row
from webapp import enqueue, runs
from webapp.database import transaction
from webapp.models import HistoryFinding, Run, User
from webapp.simulator.process import Running

AT = datetime(2023, 9, 1, 20, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enqueue, "run", lambda _run: True)


def plays(sim: Running) -> Counter[tuple[Any, ...]]:
    return Counter((r["kind"], r["trakt_id"], r["season"], r["number"], r["watched_at"]) for r in sim.get("history"))


def counted_from_s1e1(sim: Running) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What a tool that counts from S1E1 sent of a merged season: (its first entry, right; its second one, wrong)."""
    rows = [row for row in sim.get("expected")["plays"] if row["kind"] == "episode" and row["season"] == 1]
    firsts = {row["anilist_id"]: row["number"] for row in reversed(rows)}
    entry = next(anilist_id for anilist_id, number in sorted(firsts.items()) if number > 12)
    second = [row for row in rows if row["anilist_id"] == entry]
    first = [r for r in rows if r["trakt_id"] == second[0]["trakt_id"] and r["number"] < second[0]["number"]]
    had = {(row["trakt_id"], row["season"], row["number"]) for row in sim.get("history")}
    return (
        [row for row in first if (row["trakt_id"], row["season"], row["number"]) not in had],
        [{**row, "number": n, "watched_at": (AT + timedelta(days=n)).isoformat()} for n, row in enumerate(second, 1)],
    )


def repair_all(user: User) -> Run:
    with transaction(readonly=True) as session:
        ids = list(session.scalars(select(HistoryFinding.id).where(HistoryFinding.state == "found")))
    run = runs.repair(user.id, ids).run
    sync.run(run.id)
    return run_row(run.id)


def test_a_wrong_history_is_put_right_and_an_undo_brings_it_back(sim: Running, person: User) -> None:
    user = person
    assert go(user, preview=True).status == "succeeded"  # every entry has its place
    right, wrong = counted_from_s1e1(sim)
    twice = sim.get("history")[0]
    sim.post("plays", {"add": [*right, *wrong, {**twice, "watched_at": twice["watched_at"]}]})
    before = plays(sim)

    look = go(user, mode="doctor")
    assert look.status == "succeeded", lines(look)
    assert look.result == {"plays": before.total(), "findings": len(wrong) + 1}
    assert plays(sim) == before

    repaired = repair_all(user)
    assert (repaired.status, repaired.result) == ("succeeded", {"removed": 1, "moved": len(wrong), "left": 0}), lines(
        repaired
    )
    after = plays(sim)
    assert max(after.values()) == 1
    assert {time for *_, time in before - after} == {time for *_, time in after - before} | {twice["watched_at"]}
    again = go(user, mode="doctor")
    assert again.result["findings"] == 0

    sent = go(user)
    assert sent.status == "succeeded", lines(sent)
    expected = Counter((r["kind"], r["trakt_id"], r["season"], r["number"]) for r in sim.get("expected")["plays"])
    assert dict.fromkeys(expected, 1) == {
        place: n for place, n in Counter(key[:4] for key in plays(sim).elements()).items() if place in expected
    }
    assert plays(sim).total() == after.total() + sent.plays_sent

    undone = go(user, mode="undo", parent_id=repaired.id)
    assert (undone.status, undone.result["restored"]) == ("succeeded", len(wrong) + 1), lines(undone)
    assert not before - plays(sim)
    assert plays(sim).total() == before.total() + sent.plays_sent
    assert go(user).plays_sent == 0  # what the undo took away is held back
