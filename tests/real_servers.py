"""Real servers for tests: a private Redis, a private PostgreSQL. Both speak through sockets in a folder of their own."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from webapp.launch import redis_server

PATIENCE = 30.0  # seconds


@contextmanager
def real_redis(folder: Path) -> Iterator[str]:
    """A running Redis whose data lies in `folder`, which is removed afterwards. Yields its REDIS_URL."""
    socket_file = redis_server.socket_path(folder)
    config = redis_server.write_config(folder, socket_file)
    process = subprocess.Popen(
        [redis_server.find(), config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_until(lambda: redis_server.answers(socket_file), "Redis")
        yield redis_server.url_of(socket_file)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


@contextmanager
def real_postgres(folder: Path) -> Iterator[str]:
    """A running PostgreSQL of Debian's packages, without a port. Yields the address of its maintenance database.

    The server refuses to run as root, so root gives it to the user `postgres`.
    """
    binaries = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    account = pwd.getpwnam("postgres") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    os.chown(folder, account.pw_uid, account.pw_gid)
    data = folder / "data"
    as_account = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    initialise = [binaries / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8"]
    subprocess.run(initialise, check=True, **quiet, **as_account)  # type: ignore[call-overload]  # keywords by dict
    serve = [binaries / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
    process = subprocess.Popen(serve, **quiet, **as_account)  # type: ignore[call-overload]  # keywords by dict
    try:
        address = f"postgresql://postgres@/postgres?host={folder}"
        wait_until(lambda: _accepts(address), "PostgreSQL")
        yield address
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder)


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """An empty database on the server of this address, dropped afterwards. Yields its DATABASE_URL."""
    name = f"tsuzuki_{secrets.token_hex(6)}"
    admin = make_url(server).set(drivername="postgresql")
    address = admin.render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield admin.set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _accepts(address: str) -> bool:
    try:
        psycopg.connect(address).close()
    except psycopg.OperationalError:
        return False
    return True


def wait_until(condition: Callable[[], object], what: str, *, patience: float = PATIENCE) -> None:
    """Return when `condition` is true. Raises AssertionError with `what` when it never becomes so."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)
