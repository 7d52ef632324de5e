"""Real processes for tests: a parent that has imported everything forks them, as `jobs.worker` does; all begin together."""

from __future__ import annotations

import importlib
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from webapp.app import create_app
from webapp.config import ROOT, load
from webapp.extensions import db

PATIENCE = 120.0  # seconds


def in_processes(settings: Mapping[str, str], times: int, action: str, *arguments: Any) -> list[Any]:
    """What `action` ("module:function"), called in an app context of each of so many processes, returns there, as JSON.

    Raises AssertionError with the traceback of a process that failed; none outlives the call.
    """
    with _started(settings, times, action, arguments) as parent:
        said, complaints = parent.communicate(timeout=PATIENCE)
    assert parent.returncode == 0, complaints
    return [json.loads(line) for line in said.splitlines()]


@contextmanager
def one_process(settings: Mapping[str, str], action: str, *arguments: Any) -> Iterator[subprocess.Popen[str]]:
    """The same in one process, which is the one that is yielded, to be stopped and killed; it ends with the block."""
    with _started(settings, 0, action, arguments) as process:
        yield process


@contextmanager
def _started(
    settings: Mapping[str, str], times: int, action: str, arguments: tuple[Any, ...]
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.processes", str(times), action, json.dumps(arguments)],
        cwd=ROOT,
        env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | dict(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=PATIENCE)


def is_stopped(process: subprocess.Popen[str]) -> bool:
    """It was halted by SIGSTOP, with all its threads."""
    stat = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8", errors="replace")
    return stat.rpartition(")")[2].split()[0] == "T"


def main(times: int, action: str, arguments: list[Any]) -> int:
    """Fork, open the gate for all at once, and print one line per process; without forking when `times` is 0."""
    module, _, name = action.partition(":")
    function = getattr(importlib.import_module(module), name)
    app = create_app(load())
    if times == 0:
        with app.app_context():
            sys.stdout.write(f"{json.dumps(function(*arguments))}\n")
        return 0
    waits, gate = os.pipe()
    children = []
    for _ in range(times):
        child = os.fork()
        if child == 0:
            os.close(gate)
            os.read(waits, 1)  # ends when the parent closes its side
            status = 1
            try:
                with app.app_context():
                    line = json.dumps(function(*arguments))
                    db.engine.dispose()
                os.write(1, f"{line}\n".encode())
                status = 0
            except Exception:
                logging.getLogger(__name__).exception("a process failed")
            finally:
                os._exit(status)
        children.append(child)
    os.close(gate)
    return max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])))
