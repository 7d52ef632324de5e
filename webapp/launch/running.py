"""A whole Tsuzuki as a child process: for tests and measurements that look at it from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

import requests

from webapp.config import ROOT

PASSED_ON: Final = ("PATH", "HOME", "LANG", "TMPDIR")  # of the real environment; settings are given by the caller
PATIENCE: Final = 90.0  # seconds


class NotReady(RuntimeError):
    """It ended, or did not answer in time; the message holds what it said."""


class Running:
    """`./run up` with exactly the given settings (no `.env`), ready when `with` is entered, ended when it is left."""

    def __init__(self, settings: Mapping[str, str], log: Path) -> None:
        self.base_url = f"http://127.0.0.1:{settings['PORT']}"
        self.settings = settings
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Running:
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | dict(self.settings)
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "webapp.cli", "up", "--no-env-file"],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + PATIENCE
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                said = self.said()
                self.stop()
                raise NotReady(said)
            time.sleep(0.1)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Process id of the keeper."""
        assert self.process is not None
        return self.process.pid

    def ready(self) -> bool:
        try:
            return requests.get(f"{self.base_url}/readyz", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def said(self) -> str:
        """Everything on its console so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it as Ctrl-C or a service manager would; its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(120)


def family(pid: int) -> dict[int, str]:
    """The living processes below `pid`, itself included: {process id: command line}, from /proc."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue  # it has ended while we looked
            fields = stat.rpartition(")")[2].split()
            if fields[0] != "Z":
                parents[int(entry.name)] = int(fields[1])
    members = {pid} & parents.keys()
    while grown := {child for child, parent in parents.items() if parent in members} - members:
        members |= grown
    found: dict[int, str] = {}
    for member in members:
        try:
            command = Path(f"/proc/{member}/cmdline").read_bytes()
        except OSError:
            continue
        found[member] = command.replace(b"\0", b" ").decode("utf-8", "replace").strip()
    return found


def memory(pid: int) -> int:
    """Proportional set size (PSS) of `pid` and everything below it, in kB: shared pages are counted once."""
    total = 0
    for member in family(pid):
        try:
            rollup = Path(f"/proc/{member}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total
