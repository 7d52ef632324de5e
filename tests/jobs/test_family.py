"""Children that are kept alive, end well, and never outlive their parent. Each family is a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real_servers import wait_until
from webapp.config import ROOT
from webapp.launch.running import family

pytestmark = pytest.mark.integration

SCRIPT = """
import pathlib, signal, sys, threading
from jobs.family import Child, Family

diary = pathlib.Path(sys.argv[1])

def write(word):
    with diary.open("a") as file:
        file.write(word + "\\n")

def patient():
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    write("born")
    while not ending.wait(0.02):
        pass
    write("ended")

def dying():
    write("born")
    raise RuntimeError("no life")

def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    write("born")
    threading.Event().wait(300)

kind = {"patient": patient, "dying": dying, "deaf": deaf}[sys.argv[2]]
sys.exit(0 if Family([Child("the child", kind)], patience=0.5).keep() else 70)
"""


def parent(diary: Path, kind: str) -> subprocess.Popen[bytes]:
    diary.touch()
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(diary), kind], cwd=ROOT, stderr=subprocess.DEVNULL)


def words(diary: Path, word: str) -> int:
    return diary.read_text().split().count(word)


def only_child(process: subprocess.Popen[bytes]) -> int:
    (child,) = set(family(process.pid)) - {process.pid}
    return child


def test_a_child_that_is_killed_is_born_again(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    with parent(diary, "patient") as process:
        wait_until(lambda: words(diary, "born") == 1, "the child")
        os.kill(only_child(process), signal.SIGKILL)
        wait_until(lambda: words(diary, "born") == 2, "its second life")
        process.terminate()
        assert process.wait(30) == 0
    assert words(diary, "ended") == 1


def test_a_family_whose_child_dies_again_and_again_gives_up(tmp_path: Path) -> None:
    with parent(tmp_path / "diary", "dying") as process:
        assert process.wait(60) == 70
    assert words(tmp_path / "diary", "born") == 5


def test_a_child_that_does_not_listen_is_killed_in_the_end(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    with parent(diary, "deaf") as process:
        wait_until(lambda: words(diary, "born") == 1, "the child")
        process.terminate()
        assert process.wait(30) == 0


def test_a_child_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    with parent(diary, "patient") as process:
        wait_until(lambda: words(diary, "born") == 1, "the child")
        process.kill()
        wait_until(lambda: words(diary, "ended") == 1, "the end of the child")
