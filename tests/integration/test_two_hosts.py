"""Two hosts share a database and a Trakt account: one of them vanishes in the middle of a run."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.test_whole_app import (
    assert_everything_is_there_once,
    at_work,
    finished,
    post,
    settings,
    sim,
)
from tests.real_servers import wait_until
from tests.whole_app import places, rows
from webapp.launch.running import Running, family
from webapp.launch.start import free_port
from webapp.simulator import process as simulator

__all__ = ["settings", "sim"]  # fixtures
pytestmark = [pytest.mark.integration, pytest.mark.postgres, pytest.mark.slow]


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """What two hosts can share."""
    return postgres_url


@pytest.fixture
def hosts(settings: dict[str, str], tmp_path: Path) -> Iterator[tuple[Running, Running]]:
    """Each with its own folder, Redis, workers, tick and web server."""
    both = {**settings, "SECRET_KEY": "a key that both of them know"}
    other = {**both, "DATA_DIR": str(tmp_path / "other"), "PORT": str(free_port())}
    with Running(both, tmp_path / "one.log") as one, Running(other, tmp_path / "other.log") as two:
        yield one, two


def test_runs_on_two_hosts_go_one_after_the_other_and_survive_the_loss_of_a_host(
    hosts: tuple[Running, Running], settings: dict[str, str], sim: simulator.Running
) -> None:
    one, two = hosts
    had = places(sim.get("history"))
    first = at_work(one, sim)
    second = post(two, "/api/completed-sync?wait=0").json()["runId"]
    third = post(two, "/api/watching-sync?wait=0").json()["runId"]

    def states() -> dict[int, str]:
        return dict(rows(settings["DATABASE_URL"], "SELECT id, status FROM runs"))

    assert states() == {first: "running", second: "queued", third: "queued"}
    for pid in family(one.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not one.ready(), "the end of the first host")
    assert [finished(two, run_id)["status"] for run_id in (first, second, third)] == ["succeeded"] * 3, two.said()
    assert_everything_is_there_once(sim, had)
    spans = rows(settings["DATABASE_URL"], "SELECT attempt, started_at, finished_at FROM runs ORDER BY id")
    assert spans[0][0] >= 2
    assert all(earlier[2] <= later[1] for earlier, later in itertools.pairwise(spans))
