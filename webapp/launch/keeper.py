"""The process that keeps the others alive: supervisor, with Tsuzuki's order of starting and its limit of deaths.

Run by its path with a configuration file, so that nothing of the app is loaded here: this process lives as long as
Tsuzuki does and stays small. It is process 1 of the container too: supervisor waits for any child, so orphans that
end are reaped.

Order: Redis (and the simulator) at once; the workers when the preparation, a child that the start left us and that
waits for Redis, has ended well; the web server and `announce` after them. Supervisor stops in the opposite order.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import sys
import time
from collections import deque
from typing import Any, Final

from supervisor import events
from supervisor.medusa import asyncore_25 as asyncore
from supervisor.options import ServerOptions, signame
from supervisor.states import ProcessStates, SupervisorStates
from supervisor.supervisord import Supervisor

DEATHS: Final = 5
WITHIN: Final = 60.0  # seconds
GAVE_UP: Final = 70  # exit status of a program that must not be started again (EX_SOFTWARE)
GLANCE: Final = 0.2  # seconds between two looks at the children
PR_SET_PDEATHSIG: Final = 1
ONCE: Final = ("announce",)  # programs that are meant to end
NAMES: Final = {"redis": "Redis", "worker": "The workers", "web": "The web server", "simulator": "The simulator"}


def say(line: str) -> None:
    """One line on standard output, at once."""
    os.write(1, f"{line}\n".encode())


class KeeperOptions(ServerOptions):  # type: ignore[misc]  # supervisor carries no types
    """Supervisor's options, with children that end when this process is killed, and one more child to wait for."""

    preparation: int | None = None  # process id of the preparation, while it runs
    prepared: int | None = None  # its wait status, when it has ended

    def waitpid(self) -> tuple[int | None, int | None]:
        pid, status = super().waitpid()
        if pid and pid == self.preparation:
            self.preparation, self.prepared = None, status
        return pid, status

    def setpgrp(self) -> None:
        """In the child, before it becomes the program: a group of its own, and a signal when we die."""
        super().setpgrp()
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


class Keeper(Supervisor):  # type: ignore[misc]  # supervisor carries no types
    """Supervisor's main loop, with the steps of a start and the count of deaths hung into it."""

    def __init__(self, options: KeeperOptions) -> None:
        super().__init__(options)
        self.exit_status = 0
        self.step = "prepare"
        self.deaths: dict[str, deque[float]] = {}

    def runforever(self) -> None:
        poll = self.options.poller.poll
        self.options.poller.poll = lambda timeout: poll(min(timeout, GLANCE))
        events.subscribe(events.ProcessStateExitedEvent, self.ended)
        events.subscribe(events.ProcessStateFatalEvent, self.not_started)
        super().runforever()

    def tick(self, now: float | None = None) -> None:
        """Once per turn of supervisor's loop: the next step of the start, when its time has come."""
        super().tick(now)
        if self.options.mood < SupervisorStates.RUNNING:
            return
        if self.step == "prepare" and self.options.prepared is not None:
            self.step = "workers"
            if self.options.prepared:
                self.give_up("")  # it has said why
        elif self.step == "workers":
            self.spawn("worker")
            self.step = "web"
        elif self.step == "web":
            self.spawn("web")
            self.spawn("announce")
            self.step = "running"

    def spawn(self, name: str) -> None:
        group = self.process_groups.get(name)
        if group is not None:
            for process in group.processes.values():
                process.spawn()

    def ended(self, event: Any) -> None:
        """A program has ended without being told to: supervisor starts it again, unless it died too often."""
        process, name = event.process, event.process.config.name
        if self.options.mood < SupervisorStates.RUNNING:
            return
        if name in ONCE:
            return
        title, how = NAMES.get(name, name), _how(process.exitstatus)
        if process.exitstatus == GAVE_UP:
            self.give_up(f"{title} gave up ({how}); the lines above say why.")
            return
        times = self.deaths.setdefault(name, deque(maxlen=DEATHS))
        times.append(time.monotonic())
        if len(times) == DEATHS and times[-1] - times[0] < WITHIN:
            self.give_up(f"{title}: died {DEATHS} times within a minute (last: {how}); the lines above say why.")
        else:
            say(f"{title} ended ({how}); started again.")

    def not_started(self, event: Any) -> None:
        """A program could not even be executed."""
        name = event.process.config.name
        self.give_up(f"{NAMES.get(name, name)} could not be started: {event.process.spawnerr}")

    def give_up(self, why: str) -> None:
        if why:
            say(f"Tsuzuki stops: {why}")
        self.exit_status = 1
        self.options.mood = SupervisorStates.SHUTDOWN

    def handle_signal(self) -> None:
        """Every request to end ends; a closed terminal (SIGHUP) is one."""
        sig = self.options.get_signal()
        if sig in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
            if self.options.mood == SupervisorStates.RUNNING:
                say(f"Stopping ({signame(sig)}): the web server, the workers, Redis ...")
            self.options.mood = SupervisorStates.SHUTDOWN
            if self.options.preparation is not None:
                os.kill(self.options.preparation, signal.SIGTERM)

    def shutdown_report(self) -> list[Any]:
        """What is still to be stopped; a program that waits for its restart counts as stopped."""
        return [process for process in super().shutdown_report() if process.state != ProcessStates.BACKOFF]


def _how(exit_status: int | None) -> str:
    """Supervisor gives -1 for a process that was ended by a signal."""
    return "by a signal" if exit_status is None or exit_status < 0 else f"exit status {exit_status}"


def main(arguments: list[str]) -> int:
    """`keeper.py CONFIG PREPARATION_PID`: returns the exit status when everything has ended."""
    config_file, preparation = arguments[0], int(arguments[1])
    # Children open the terminal or file anew and append to it; so do we.
    fcntl.fcntl(1, fcntl.F_SETFL, fcntl.fcntl(1, fcntl.F_GETFL) | os.O_APPEND)
    options = KeeperOptions()
    options.realize(["-n", "-c", config_file])
    options.first, options.test = True, False
    options.preparation = preparation
    keeper = Keeper(options)
    with contextlib.suppress(asyncore.ExitNow):  # supervisor's way of ending its loop
        keeper.main()
    options.close_httpservers()
    options.close_logger()
    return keeper.exit_status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
