"""Parents and children among processes: a child ends with its parent, a parent starts again what has died."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

LOG = logging.getLogger("tsuzuki.worker")

PR_SET_PDEATHSIG: Final = 1
DEATHS: Final = 5
WITHIN: Final = 60.0  # seconds
BREATH: Final = 0.5  # seconds before a child is started again that died right after its start
GLANCE: Final = 0.2  # seconds between two looks at the children


def end_with_parent(parent: int, how: signal.Signals) -> None:
    """Ask the kernel for a signal when the parent process dies; if it is dead already, end now.

    `prctl(PR_SET_PDEATHSIG)`, then a look at `getppid`, since the parent may have died in between (prctl(2)).
    """
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, how, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


@dataclass
class Child:
    """One process that is kept alive; `run` is what it does after the fork and returns when it was told to end."""

    name: str
    run: Callable[[], None]
    pid: int | None = None
    due: float = 0.0  # monotonic time of the next start
    began: float = 0.0
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=DEATHS))


class Family:
    """Forks its children and keeps them until it is told to end by SIGTERM or SIGINT."""

    def __init__(self, children: Sequence[Child], *, patience: float) -> None:
        self.children = children
        self.patience = patience  # seconds from SIGTERM to SIGKILL
        self._ending = False

    def keep(self) -> bool:
        """Until told to end: True. False when one child died five times within a minute."""
        signal.signal(signal.SIGTERM, self._asked_to_end)
        signal.signal(signal.SIGINT, self._asked_to_end)
        healthy = True
        while not self._ending and healthy:
            for child in self.children:
                if child.pid is None and time.monotonic() >= child.due:
                    self._start(child)
            healthy = self._reap()
            if healthy and not self._ending:
                time.sleep(GLANCE)
        self._end_all()
        return healthy

    def _asked_to_end(self, _signal: int, _frame: FrameType | None) -> None:
        self._ending = True

    def _start(self, child: Child) -> None:
        parent = os.getpid()
        child.began = time.monotonic()
        pid = os.fork()
        if pid:
            child.pid = pid
            return
        status = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells its children
            end_with_parent(parent, signal.SIGTERM)
            child.run()
            status = 0
        except Exception:
            LOG.exception("%s ended with an error", child.name)
        finally:
            logging.shutdown()
            os._exit(status)

    def _reap(self) -> bool:
        """Take note of who has died. False when one of them dies again and again."""
        for child in self.children:
            if child.pid is None:
                continue
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if not pid:
                continue
            child.pid = None
            now = time.monotonic()
            child.deaths.append(now)
            child.due = now if now - child.began > 1 else now + BREATH
            how = os.waitstatus_to_exitcode(status)
            if len(child.deaths) == DEATHS and now - child.deaths[0] < WITHIN:
                LOG.error("%s died %d times within a minute (last: %s)", child.name, DEATHS, _said(how))
                return False
            if not self._ending:
                LOG.warning("%s ended (%s) and is started again", child.name, _said(how))
        return True

    def _end_all(self) -> None:
        """SIGTERM, patience, SIGKILL."""
        for child in self.children:
            if child.pid is not None:
                os.kill(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + self.patience
        while any(child.pid is not None for child in self.children):
            for child in self.children:
                if child.pid is not None and os.waitpid(child.pid, os.WNOHANG)[0]:
                    child.pid = None
            if time.monotonic() > deadline:
                for child in self.children:
                    if child.pid is not None:
                        LOG.error("%s does not end and is killed", child.name)
                        os.kill(child.pid, signal.SIGKILL)
                deadline = float("inf")
            time.sleep(0.05)


def _said(exit_code: int) -> str:
    return f"signal {-exit_code}" if exit_code < 0 else f"exit status {exit_code}"
