"""Prepare everything and become the keeper: `up` with the real services, `demo` with the simulator.

The process keeps its id, so that Ctrl-C, a service manager or the container's init reach the keeper directly.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import signal
import socket
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

from webapp.config import ROOT, SETTINGS, Config, load
from webapp.launch import prepare, programs, redis_server
from webapp.launch.errors import LaunchError
from webapp.launch.folder import hand_over, hold, make_folder, secret_key_file
from webapp.launch.output import say
from webapp.launch.programs import Program
from webapp.simulator.process import environment as simulator_environment

KEEPER: Final = Path(__file__).with_name("keeper.py")
PR_SET_PDEATHSIG: Final = 1
DEMO_KEEPS: Final = (
    "HOST", "PORT", "PUBLIC_URL", "DATA_DIR", "REDIS_URL", "LOG_LEVEL", "LOG_FORMAT", "TZ", "WORKERS",
    "API_TOKEN", "CRON_SECRET", "SCHEDULE", "CRON_MIN_HOURS",
)  # fmt: skip
DEMO_NAME: Final = "demo"
# The simulator answers at once, so nobody has to wait for a minute until its reads have caught up.
DEMO_SETTINGS: Final = {"DEMO": "1", "ADMIN_USERNAME": "demo", "TRAKT_SETTLE_SECONDS": "3", "TICK_SECONDS": "2"}


@dataclass(frozen=True, slots=True)
class Launch:
    """What the keeper is started with."""

    environment: Mapping[str, str]
    programs: Sequence[Program]
    folder: Path  # DATA_DIR
    lock: int  # descriptor
    redis_socket: Path | None


def environment_with_file(environ: Mapping[str, str], file: Path) -> dict[str, str]:
    """The real environment over the names in `.env`, whose values are taken as they stand: `${` may be in a secret.

    Raises LaunchError for a file that cannot be read.
    """
    try:
        values = dotenv_values(file, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise LaunchError(f"{file} cannot be read: {error}.") from None
    return {**{name: value for name, value in values.items() if value is not None}, **environ}


def up(environ: Mapping[str, str], *, env_file: bool = True) -> None:
    """Start with real services; does not return. Raises LaunchError and ConfigError."""
    environment = environment_with_file(environ, ROOT / ".env") if env_file else dict(environ)
    become_keeper(make_launch(environment, extra=[]))


def demo(environ: Mapping[str, str], *, fresh: bool) -> None:
    """Start against the built-in simulator; does not return. Nothing of `.env` is read: no real token is near."""
    environment = demo_environment(environ)
    environment.setdefault("DATA_DIR", str(ROOT / "data" / DEMO_NAME))
    folder = load(environment).data_dir
    make_folder(folder)
    lock = hold(folder)
    if fresh:
        _empty(folder)
    port = _simulator_port(folder)
    environment |= simulator_environment(f"http://127.0.0.1:{port}") | DEMO_SETTINGS
    environment["ADMIN_PASSWORD"] = secrets.token_urlsafe(16)  # nobody needs it: the demo signs in by itself
    stand_in = programs.simulator(port, folder)
    become_keeper(make_launch(environment, extra=[stand_in], lock=lock))


def demo_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What the demo takes over from the environment: no credential of a real service, and a known API token."""
    settings = {name for setting in SETTINGS for name in (setting.name, f"{setting.name}_FILE")}
    kept = {name: value for name, value in environ.items() if name not in settings or name in DEMO_KEEPS}
    return {"API_TOKEN": "demo-token"} | kept


def make_launch(environ: Mapping[str, str], *, extra: Sequence[Program], lock: int | None = None) -> Launch:
    """Check the settings, take the folder, find Redis. Raises LaunchError and ConfigError."""
    config = load(environ)
    folder = config.data_dir
    if lock is None:
        make_folder(folder)
        lock = hold(folder)
    check_address(config)
    os.umask(0o077)
    environment = dict(environ)
    environment["DATA_DIR"] = str(folder)
    environment["PYTHONUNBUFFERED"] = "1"
    if not config.SECRET_KEY:
        environment["SECRET_KEY_FILE"] = str(secret_key_file(folder))
    started = [programs.worker(), programs.web(config), programs.announce(), *extra]
    redis_socket = None
    if not config.REDIS_URL:
        redis_socket = redis_server.socket_path(folder)
        binary = redis_server.find_or_build()
        redis_server.end_orphan(redis_socket)
        started.append(programs.redis(binary, redis_server.write_config(folder, redis_socket)))
        environment["REDIS_URL"] = redis_server.url_of(redis_socket)
    return Launch(environment, started, folder, lock, redis_socket)


def become_keeper(launch: Launch) -> None:
    """Write supervisor's configuration and replace this process by the keeper."""
    folder = launch.folder / "run"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / "programs.conf"
    file.write_text(programs.configuration(launch.programs, folder), encoding="utf-8")
    hand_over(launch.lock)
    sys.stdout.flush()
    os.chdir(ROOT)
    child = _fork_preparation(launch)
    arguments = [sys.executable, "-P", str(KEEPER), str(file), str(child)]
    os.execve(sys.executable, arguments, dict(launch.environment))  # noqa: S606 - no shell, our own file


def _fork_preparation(launch: Launch) -> int:
    """The part of the start that needs the app, which is loaded here already, as a child of the keeper."""
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.setpgrp()  # Ctrl-C is for the keeper, which tells this child
        end_with_parent(parent)
        status = prepare.run(load(launch.environment), launch.redis_socket)
    except BaseException:  # noqa: BLE001 - `_exit` would swallow it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def end_with_parent(parent: int) -> None:
    """SIGTERM for this process when its parent dies (prctl(2)); at once if it is dead already."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def check_address(config: Config) -> None:
    """Raises LaunchError when something listens there already, or the address is not ours."""
    family = socket.AF_INET6 if ":" in config.HOST else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.HOST, config.PORT))
        except OSError as error:
            raise LaunchError(
                f"Address {config.HOST}:{config.PORT} cannot be used ({error.strerror}). "
                "Set HOST and PORT to a free one, for example PORT=8001."
            ) from None


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _simulator_port(folder: Path) -> int:
    """The same one at each start, while it is free: posters in the demo's database point to it."""
    file = folder / "simulator.port"
    try:
        port = int(file.read_text(encoding="ascii"))
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except (OSError, ValueError):
        port = free_port()
        file.write_text(f"{port}\n", encoding="ascii")
    return port


def _empty(folder: Path) -> None:
    """Throw away what an earlier demo left, except the lock that we hold."""
    if folder.name != DEMO_NAME:
        raise LaunchError(f"--fresh empties only a folder named {DEMO_NAME}, not {folder}.")
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != "lock":
            entry.unlink()
    say("The earlier demo was thrown away.")
