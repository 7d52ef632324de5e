"""The keeper with small programs in place of the real ones: order, restarts, the limit of deaths, the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real_servers import wait_until
from webapp.launch import programs
from webapp.launch.programs import Program
from webapp.launch.running import family
from webapp.launch.start import KEEPER

pytestmark = pytest.mark.integration

# What `start.become_keeper` does: a child that prepares, then the keeper in our place.
BECOME = """
import os, sys, time
keeper, conf, seconds, status = sys.argv[1:]
child = os.fork()
if child == 0:
    time.sleep(float(seconds))
    os._exit(int(status))
os.execv(sys.executable, [sys.executable, "-P", keeper, conf, str(child)])
"""
LIVING = 'echo "start {name}" >> {diary}; trap "echo stop {name} >> {diary}; exit 0" TERM; while :; do sleep 0.02; done'

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    file = tmp_path / "diary"
    file.touch()
    return file


@pytest.fixture
def living(diary: Path) -> Callable[..., Program]:
    """A program that writes down its start and its end, and ends when it is told to."""

    def make(name: str, priority: int, *, autostart: bool = False) -> Program:
        script = LIVING.format(name=name, diary=diary)
        return Program(name, ["sh", "-c", script], priority, autostart=autostart, stop_seconds=5)

    return make


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a keeper for some programs; kills it at the end if it still lives."""
    running: list[subprocess.Popen[str]] = []

    def begin(*chosen: Program, seconds: float = 0.0, status: int = 0) -> subprocess.Popen[str]:
        config = tmp_path / "programs.conf"
        config.write_text(programs.configuration(chosen, tmp_path))
        command = [sys.executable, "-c", BECOME, str(KEEPER), str(config), str(seconds), str(status)]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit status and everything said."""
    said, _ = process.communicate(timeout=60)
    return process.returncode, said


def three(living: Callable[..., Program]) -> tuple[Program, ...]:
    return living("redis", 10, autostart=True), living("worker", 20), living("web", 30)


def test_programs_start_and_stop_in_their_order(start: Start, living: Callable[..., Program], diary: Path) -> None:
    keeper = start(*three(living), seconds=0.3)
    wait_until(lambda: "start web" in diary.read_text(), "the web server")
    keeper.send_signal(signal.SIGINT)
    status, said = ended(keeper)
    assert diary.read_text().splitlines() == [
        "start redis", "start worker", "start web", "stop web", "stop worker", "stop redis",
    ]  # fmt: skip
    assert status == 0
    assert "Stopping (SIGINT)" in said


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_every_way_of_asking_ends_everything(
    start: Start, living: Callable[..., Program], diary: Path, how: signal.Signals
) -> None:
    keeper = start(*three(living))
    wait_until(lambda: "start web" in diary.read_text(), "the web server")
    keeper.send_signal(how)
    assert ended(keeper)[0] == 0
    assert diary.read_text().splitlines()[-1] == "stop redis"


def test_nothing_follows_a_preparation_that_fails(start: Start, living: Callable[..., Program], diary: Path) -> None:
    status, _ = ended(start(*three(living), status=1))
    assert status == 1
    assert "worker" not in diary.read_text()


def test_a_program_that_dies_is_started_again(start: Start, living: Callable[..., Program], diary: Path) -> None:
    keeper = start(*three(living))
    wait_until(lambda: "start web" in diary.read_text(), "the web server")
    (victim,) = [pid for pid, command in family(keeper.pid).items() if "start worker" in command]
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: diary.read_text().count("start worker") == 2, "the second life of the workers")
    keeper.send_signal(signal.SIGTERM)
    assert "The workers ended (by a signal); started again." in ended(keeper)[1]


def test_five_deaths_within_a_minute_stop_everything(start: Start, living: Callable[..., Program], diary: Path) -> None:
    redis, _, web = three(living)
    dying = Program("worker", ["sh", "-c", f"echo birth >> {diary}; exit 3"], 20)
    status, said = ended(start(redis, dying, web))
    assert status == 1
    assert diary.read_text().count("birth") == 5
    assert "Tsuzuki stops: The workers: died 5 times within a minute (last: exit status 3)" in said
    assert "stop redis" in diary.read_text()


def test_a_program_that_gives_up_is_not_started_again(
    start: Start, living: Callable[..., Program], diary: Path
) -> None:
    redis, _, web = three(living)
    giving_up = Program("worker", ["sh", "-c", f"echo birth >> {diary}; exit {programs.GAVE_UP}"], 20)
    status, said = ended(start(redis, giving_up, web))
    assert (status, diary.read_text().count("birth")) == (1, 1)
    assert "The workers gave up" in said


def test_a_program_that_does_not_exist_is_said(start: Start, living: Callable[..., Program]) -> None:
    status, said = ended(start(*three(living)[:2], Program("web", ["/nowhere/gunicorn"], 30)))
    assert status == 1
    assert "The web server could not be started" in said


def test_everything_ends_with_a_keeper_that_is_killed(
    start: Start, living: Callable[..., Program], diary: Path
) -> None:
    keeper = start(*three(living))
    wait_until(lambda: "start web" in diary.read_text(), "the web server")
    keeper.kill()
    wait_until(lambda: diary.read_text().count("stop ") == 3, "the end of all three")
