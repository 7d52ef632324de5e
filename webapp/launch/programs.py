"""The programs that the keeper starts, written down as supervisor's configuration."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from webapp.config import ROOT, Config
from webapp.launch.errors import LaunchError

GAVE_UP: Final = 70  # see keeper.GAVE_UP
GUNICORN: Final = Path(__file__).with_name(
    "gunicorn_conf.py"
)  # by its path: gunicorn's master loads nothing of the app


@dataclass(frozen=True, slots=True)
class Program:
    """One process: higher `priority` starts later and stops earlier."""

    name: str
    command: Sequence[str]
    priority: int
    autostart: bool = False  # else the keeper starts it when its time has come
    once: bool = False  # meant to end
    stop_seconds: int = 20  # from SIGTERM to SIGKILL
    log: str = "/dev/stdout"


def redis(binary: Path, config_file: Path) -> Program:
    """Its log goes to a file: what Redis says about the machine is nothing for the console."""
    log = str(config_file.with_name("redis.log"))
    return Program("redis", [str(binary), str(config_file)], 10, autostart=True, log=log)


def worker() -> Program:
    return Program("worker", _python("-m", "jobs.worker"), 20, stop_seconds=50)


def web(config: Config) -> Program:
    """gunicorn: one process with threads, whose settings stand in `gunicorn_conf`."""
    host = f"[{config.HOST}]" if ":" in config.HOST else config.HOST
    return Program(
        "web",
        _python(
            "-m", "gunicorn", "--config", str(GUNICORN), "--no-control-socket",
            "--workers", "1", "--worker-class", "gthread", "--threads", str(config.WEB_THREADS),
            "--bind", f"{host}:{config.PORT}", "webapp.launch.wsgi:application()",
        ),
        30,
        stop_seconds=20,
    )  # fmt: skip


def announce() -> Program:
    return Program("announce", _python("-m", "webapp.launch.announce"), 40, once=True)


def simulator(port: int, data_dir: Path, *arguments: str) -> Program:
    """The stand-ins of the demo and of the measurements; their state outlives a restart."""
    state = str(data_dir / "simulator.json")
    command = _python("-m", "webapp.simulator", "--port", str(port), "--state", state, *arguments)
    return Program("simulator", command, 5, autostart=True, stop_seconds=5, log=str(data_dir / "simulator.log"))


def _python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def configuration(programs: Sequence[Program], folder: Path) -> str:
    """The text of supervisor's configuration file; `folder` is private and holds its pid file."""
    lines = [
        "[supervisord]",
        "nodaemon=true",
        "silent=true",
        "logfile=/dev/null",
        "logfile_maxbytes=0",
        "loglevel=error",
        "umask=077",
        f"pidfile={_escape(str(folder / 'keeper.pid'))}",
        f"childlogdir={_escape(str(folder))}",
        *(["user=root"] if os.getuid() == 0 else []),  # said on purpose, so that supervisor does not warn
    ]
    for program in programs:
        lines += ["", *_section(program)]
    return "\n".join(lines) + "\n"


def _section(program: Program) -> list[str]:
    """`startsecs=0`: a death is a death however early, and the restart comes at once; the keeper counts them."""
    return [
        f"[program:{program.name}]",
        f"command={_escape(shlex.join(program.command))}",
        f"directory={_escape(str(ROOT))}",
        f"priority={program.priority}",
        f"autostart={str(program.autostart).lower()}",
        f"autorestart={'false' if program.once else 'unexpected'}",
        f"exitcodes={0 if program.once else GAVE_UP}",
        "startsecs=0",
        "startretries=0",
        "stopsignal=TERM",
        f"stopwaitsecs={program.stop_seconds}",
        "killasgroup=true",
        "redirect_stderr=true",
        f"stdout_logfile={_escape(_escape(program.log))}",  # supervisor substitutes twice in this one
        f"stdout_logfile_maxbytes={0 if program.log.startswith('/dev/') else 1_000_000}",
        "stdout_logfile_backups=1",
    ]


def _escape(text: str) -> str:
    """`%` begins a substitution in supervisor's files. Raises LaunchError for what cannot be written there at all."""
    if "\n" in text or " ;" in text or " #" in text:
        raise LaunchError(f"The path {text!r} cannot be used: it holds a line break, ' ;' or ' #'.")
    return text.replace("%", "%%")
