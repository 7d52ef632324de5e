"""What the commands of `./run` say when they cannot do their work: one sentence, never a traceback."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp import cli
from webapp.config import ROOT

COMMANDS = [["again", "21"], ["override", "1", "1", "1", "1"], ["export"], ["import", __file__], ["accept", "otaku"], ["password", "ann", "--password", "x"]]  # fmt: skip


@pytest.fixture
def interruptible() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


def said(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["./run", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return int(end.value.code or 0), capsys.readouterr().err


@pytest.mark.parametrize("arguments", COMMANDS, ids=[command[0] for command in COMMANDS])
def test_a_command_before_the_first_start_says_what_comes_first(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    code, sentence = said(arguments, monkeypatch, capsys)
    assert code == 1
    assert sentence == "Tsuzuki cannot start. There are no tables yet. Start it once with ./run up, or make them with ./run migrate.\n"  # fmt: skip


def test_a_wrong_option_is_answered_with_the_command_as_it_is_typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = said(["demo", "--nonsense"], monkeypatch, capsys)
    assert (code, text.splitlines()[0]) == (2, "Usage: ./run demo [OPTIONS]")


def test_control_c_while_modules_are_read_ends_python_without_a_traceback(tmp_path: Path) -> None:
    found = re.search(r"-c '(import runpy.+?)' webapp\.cli", (ROOT / "run").read_text(encoding="utf-8"), re.DOTALL)
    assert found
    # A shell that starts the tests in the background has them ignore Ctrl-C, and their children too.
    (tmp_path / "slow.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nprint('went on')\n")
    done = subprocess.run(
        [sys.executable, "-c", found[1], "slow", "up"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.usefixtures("interruptible")
def test_control_c_is_an_exception_again_once_a_command_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    assert said(["--help"], monkeypatch, capsys)[0] == 0
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
