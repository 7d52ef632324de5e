"""One writer per Trakt account, in real processes: on one host or several, whoever is killed, halted or comes back."""

from __future__ import annotations

import os
import signal
from collections import Counter
from datetime import timedelta
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from flask import Flask, current_app
from sqlalchemy import select, update

from jobs import runstate, sync, takeover, tick
from jobs.targets.trakt import Trakt
from tests.jobs.demo_runs import lines, places, posts
from tests.jobs.sync_fakes import make_run, run_row
from tests.processes import in_processes, is_stopped, one_process
from tests.real_servers import wait_until
from webapp import enqueue
from webapp.database import transaction
from webapp.models import Run, User, utcnow
from webapp.simulator.process import Running

PROCESSES, RUNS = 6, 4


@pytest.fixture
def settings(settings: dict[str, str]) -> dict[str, str]:
    """Small batches, and seconds instead of minutes until somebody is missed."""
    return settings | {
        "TRAKT_SETTLE_SECONDS": "0.2",
        "TRAKT_BATCH_SIZE": "100",
        "HEARTBEAT_SECONDS": "0.2",
        "TAKEOVER_SECONDS": "1.5",
        "HTTP_WRITE_SECONDS": "2",
    }


@pytest.fixture(autouse=True)
def no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are called here, not queued."""
    for name in ("run", "cache", "mapping_list", "connection_check", "token_refresh", "readback"):
        monkeypatch.setattr(enqueue, name, lambda _what: True)


def the_app() -> Flask:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # what Flask's own docs use
    return app


def work_through(run_ids: list[int], diary: str) -> int:
    """In each process: claim whatever can be claimed until all runs have ended; write down when one is held."""
    done = 0
    while True:
        with transaction(readonly=True) as session:
            open_ids = session.scalars(select(Run.id).where(Run.id.in_(run_ids), Run.status != "succeeded")).all()
        if not open_ids:
            return done
        for run_id in reversed(open_ids):  # the wrong order: the lock decides, not who asks first
            ctx = runstate.claim(run_id)
            if ctx is None:
                continue
            with Path(diary).open("a", encoding="ascii") as file:
                file.write(f"begin {run_id}\n")
            sleep(0.05)  # long enough for another one to come in between
            with Path(diary).open("a", encoding="ascii") as file:
                file.write(f"end {run_id}\n")
            runstate.finish(ctx, "succeeded")
            done += 1


def test_runs_of_one_account_never_overlap_however_many_processes_want_them(
    settings: dict[str, str], person: User, tmp_path: Path
) -> None:
    diary = tmp_path / "diary"
    diary.touch()
    ids = [make_run(person, mode=mode) for mode in ("full", "undo", "completed", "watching")[:RUNS]]
    done = in_processes(settings, PROCESSES, f"{__name__}:work_through", ids, str(diary))
    assert sum(done) == RUNS
    assert diary.read_text(encoding="ascii").splitlines() == [f"{word} {i}" for i in ids for word in ("begin", "end")]


def halted(run_id: int, when: str) -> None:
    """In the ghost: a run whose second batch is halted just before it is sent, or before its answer is recorded."""
    post_plays, batches = Trakt.post_plays, []

    def post(self: Trakt, plays: Any) -> Any:
        batches.append(plays)
        if len(batches) == 2 and when == "before it is sent":
            os.kill(os.getpid(), signal.SIGSTOP)
        answer = post_plays(self, plays)
        if len(batches) == 2 and when == "before its answer is recorded":
            os.kill(os.getpid(), signal.SIGSTOP)
        return answer

    Trakt.post_plays = post  # type: ignore[method-assign]  # this process is made for it
    sync.run(run_id)


@pytest.mark.parametrize(
    "when", ["before it is sent", pytest.param("before its answer is recorded", marks=pytest.mark.slow)]
)
def test_a_ghost_that_comes_back_sends_and_records_nothing(
    settings: dict[str, str], person: User, sim: Running, when: str
) -> None:
    had = Counter(places(sim.get("history")))
    run_id = make_run(person, mode="watching")
    with one_process(settings, f"{__name__}:halted", run_id, when) as ghost:
        wait_until(lambda: ghost.poll() is not None or is_stopped(ghost), "the second batch", patience=90)
        assert ghost.poll() is None
        ticker = tick.Tick(the_app())

        def taken_over() -> bool:
            takeover_step = ticker.steps["take over dead runs"]
            takeover_step(utcnow())
            return run_row(run_id).status == "queued"

        wait_until(taken_over, "the deadline of the open batch")
        run = finish(run_id)
        assert (run.status, run.reason, run.attempt >= 2) == ("succeeded", None, True), lines(run)
        history, sent, written = sorted(places(sim.get("history"))), posts(sim), columns(run)
        ghost.send_signal(signal.SIGCONT)
        assert ghost.wait(60) == 0
    assert posts(sim) == sent
    assert sorted(places(sim.get("history"))) == history
    assert columns(run_row(run_id)) == written
    wanted = set(places([row for row in sim.get("expected")["plays"] if row["status"] == "CURRENT"]))
    assert Counter(history) == Counter(dict.fromkeys(wanted, 1)) | had


def columns(run: Run) -> dict[str, Any]:
    return {column.key: getattr(run, column.key) for column in Run.__table__.columns}


def finish(run_id: int) -> Run:
    """Work on it as its next worker does, as often as it waits."""
    sync.run(run_id)
    while (run := run_row(run_id)).status == "waiting":
        with transaction() as session:
            session.execute(update(Run).where(Run.id == run_id).values(resume_at=utcnow()))
        sync.run(run_id)
    return run


def hold(run_id: int) -> None:
    """In the victim: have the run and be alive, until the end."""
    ctx = runstate.claim(run_id)
    assert ctx is not None
    with ctx.alive():
        sleep(600)


def test_a_killed_worker_is_noticed_at_once_and_its_run_goes_on_when_its_batch_cannot_land_any_more(
    settings: dict[str, str], person: User
) -> None:
    run_id = make_run(person)
    ticker = tick.Tick(the_app())
    step = ticker.steps["take over dead runs"]
    with one_process(settings, f"{__name__}:hold", run_id) as victim:
        wait_until(lambda: run_row(run_id).status == "running" or victim.poll() is not None, "the claim", patience=60)
        first = run_row(run_id).heartbeat_at
        assert first is not None

        def longer_than_silence() -> bool:
            step(utcnow())
            beat = run_row(run_id).heartbeat_at
            return beat is not None and beat - first > timedelta(seconds=3)

        wait_until(longer_than_silence, "a heartbeat that moves")
        row = run_row(run_id)
        assert (row.status, row.attempt, lines(row)) == ("running", 1, "")
        in_an_hour = utcnow() + timedelta(hours=1)
        with transaction() as session:
            session.execute(update(Run).where(Run.id == run_id).values(batch_deadline=in_an_hour))
        victim.kill()
        victim.wait(30)

    def noticed() -> bool:
        step(utcnow())
        return run_row(run_id).worker is None

    wait_until(noticed, "the silence")
    row = run_row(run_id)
    assert (row.status, row.lock_key) == ("running", f"trakt:{person.id}")
    assert "may still arrive until" in lines(row)
    assert runstate.claim(make_run(person, mode="watching")) is None
    assert takeover.dead_runs(in_an_hour) == []
    step(in_an_hour + timedelta(seconds=1))
    assert (run_row(run_id).status, run_row(run_id).lock_key) == ("queued", None)
    ctx = runstate.claim(run_id)
    assert ctx is not None
    assert ctx.attempt == 2
