"""Everything at once, from outside: `./run up`, its Redis, its workers, the simulator; deaths in the middle of a run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.real_servers import wait_until
from tests.whole_app import ENDED, Place, places, rows, run_row
from webapp.config import ROOT
from webapp.launch.running import Running, family, memory
from webapp.launch.start import free_port
from webapp.simulator import process as simulator

pytestmark = pytest.mark.integration

TOKEN = "integration-token"
AUTH = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def sim() -> Iterator[simulator.Running]:
    with simulator.start() as running:
        yield running


@pytest.fixture
def settings(sim: simulator.Running, tmp_path: Path, database_url: str) -> dict[str, str]:
    return {
        **sim.env,
        "DATABASE_URL": database_url,
        "ADMIN_USERNAME": "hanako",
        "ADMIN_PASSWORD": "a long password",
        "API_TOKEN": TOKEN,
        "CRON_SECRET": "cron",
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
        "DATA_DIR": str(tmp_path / "data"),
        "TRAKT_SETTLE_SECONDS": "0.2",
        "TRAKT_BATCH_SIZE": "60",
        "TICK_SECONDS": "0.3",
        "HEARTBEAT_SECONDS": "0.2",
        "TAKEOVER_SECONDS": "2",
        "HTTP_WRITE_SECONDS": "3",  # until then an open POST of a dead worker may still land
    }


@pytest.fixture
def app(settings: dict[str, str], tmp_path: Path) -> Iterator[Running]:
    with Running(settings, tmp_path / "console.log") as running:
        yield running


def post(app: Running, path: str) -> requests.Response:
    return requests.post(app.base_url + path, headers=AUTH, timeout=200)


def assert_everything_is_there_once(sim: simulator.Running, had: Counter[Place]) -> None:
    """Every expected play is on Trakt, nothing else is, and only what stood there twice before stands there twice."""
    now, wanted = places(sim.get("history")), places(sim.get("expected")["plays"])
    assert set(now) == set(wanted) | set(had)
    assert now == Counter(dict.fromkeys(wanted, 1)) | had


def slow_posts(sim: simulator.Running) -> None:
    """Each batch takes a moment, so that a death meets a run at work."""
    sim.post(
        "faults",
        {"kind": "delay", "service": "trakt", "method": "POST", "path": "/sync/history", "seconds": 0.6, "count": 0},
    )


def at_work(app: Running, sim: simulator.Running) -> int:
    """Start a full sync and return its id once some batches have arrived."""
    slow_posts(sim)
    had = len(sim.get("history"))
    run_id: int = post(app, "/api/full-sync?wait=0").json()["runId"]
    wait_until(lambda: len(sim.get("history")) >= had + 120, "the first batches", patience=60)
    return run_id


def finished(app: Running, run_id: int) -> dict[str, Any]:
    """The run's row when it has ended."""

    wait_until(lambda: run_row(app, run_id, TOKEN).get("status") in ENDED, f"the end of run {run_id}", patience=120)
    return run_row(app, run_id, TOKEN)


def test_a_sync_by_command_sends_everything_once_and_the_second_nothing(app: Running, sim: simulator.Running) -> None:
    had = places(sim.get("history"))
    first = post(app, "/api/full-sync?wait=120")
    assert (first.status_code, first.json()["status"]) == (200, "succeeded")
    assert_everything_is_there_once(sim, had)
    second = post(app, "/api/full-sync?wait=120").json()
    assert (second["status"], second["synced"]) == ("succeeded", 0)
    assert_everything_is_there_once(sim, had)
    assert memory(app.pid) > 50_000


def test_a_second_start_is_told_so_and_the_end_leaves_no_process_behind(app: Running) -> None:
    again = subprocess.run(
        [sys.executable, "-m", "webapp.cli", "up", "--no-env-file"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **app.settings, "PORT": str(free_port())},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert again.returncode == 1
    assert "runs already" in again.stderr
    assert app.ready()
    everyone = family(app.pid)
    assert len(everyone) >= 8  # keeper, Redis, workers' parent, three workers, tick, gunicorn and its worker
    assert app.stop(signal.SIGINT) == 0
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in everyone), "the end of all processes")


def test_a_run_that_a_stop_interrupts_goes_on_at_the_next_start(
    settings: dict[str, str], sim: simulator.Running, tmp_path: Path
) -> None:
    had = places(sim.get("history"))
    with Running(settings, tmp_path / "first.log") as app:
        run_id = at_work(app, sim)
        began = time.monotonic()
        assert app.stop() == 0
        assert time.monotonic() - began < 50  # the promise of the stop itself
    assert rows(settings["DATABASE_URL"], "SELECT status, lock_key FROM runs WHERE id = :id", id=run_id) == [
        ("queued", None)
    ]
    assert rows(settings["DATABASE_URL"], "SELECT count(*) FROM plays WHERE state = 'sending'") == [(0,)]
    with Running(settings, tmp_path / "second.log") as app:
        row = finished(app, run_id)
        assert row["status"] == "succeeded", app.said()
    assert_everything_is_there_once(sim, had)


@pytest.mark.slow
def test_a_cancelled_run_stops_after_its_open_request(app: Running, sim: simulator.Running) -> None:
    run_id = at_work(app, sim)
    requests.post(f"{app.base_url}/api/runs/{run_id}/cancel", headers=AUTH, timeout=30)
    row = finished(app, run_id)
    assert row["status"] == "cancelled"
    assert set(places(sim.get("history"))) < set(places(sim.get("expected")["plays"]))


@pytest.mark.slow
def test_two_calls_of_cron_at_once_start_one_run(app: Running, sim: simulator.Running) -> None:
    url = f"{app.base_url}/cron?token=cron"
    answers = [requests.post(url, timeout=30) for _ in range(2)]
    assert sorted(answer.status_code for answer in answers) == [200, 202]
