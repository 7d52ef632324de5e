"""`DATA_DIR`: made private, held by one lock, never on a network share, with the secret key in it."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path
from typing import Final

from webapp.launch.errors import LaunchError

LOCK_FD: Final = 3  # inherited by the keeper, which closes descriptors from 5 on when it is told to
KEY_FILE: Final = "secret_key"

# File systems on which neither SQLite's locks nor flock can be trusted.
NETWORK_TYPES: Final = frozenset(
    {"9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "glusterfs", "lustre",
     "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
)  # fmt: skip


def make_folder(path: Path) -> None:
    """Create the folder with mode 700; an existing one that others can read is closed to them.

    Raises LaunchError when it cannot be made or written, or when it stands on a network share.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_uid == os.getuid() and path.stat().st_mode & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise LaunchError(f"DATA_DIR {path} cannot be made: {error.strerror}.") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise LaunchError(f"DATA_DIR {path} cannot be written by this user (id {os.getuid()}).")
    kind = filesystem_of(path)
    if kind in NETWORK_TYPES:
        raise LaunchError(
            f"DATA_DIR {path} is on a network share ({kind}). SQLite and Redis would lose data there: "
            "choose a folder on a local disk."
        )


def filesystem_of(path: Path, mounts: str | None = None) -> str | None:
    """The type of the file system that holds `path`, from /proc/mounts; None where there is no such file."""
    if mounts is None:
        try:
            mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return None
    target = str(path.resolve())
    best, kind = "", None
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = fields[1].encode("utf-8", "surrogateescape").decode("unicode_escape", "replace")  # "\040" is a space
        inside = point == "/" or target == point or target.startswith(point + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind


def hold(path: Path, name: str = "lock", *, wait: bool = False) -> int:
    """Take the folder's lock for as long as the returned descriptor is open (it is given back by the kernel).

    Raises LaunchError when another process holds it and `wait` is not set.
    """
    descriptor = os.open(path / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        os.close(descriptor)
        by = f" (process {holder})" if holder else ""
        raise LaunchError(
            f"Tsuzuki runs already with DATA_DIR {path}{by}. Stop it first, or set another DATA_DIR and PORT."
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def hand_over(descriptor: int) -> None:
    """Let the lock live on in the program that replaces this one."""
    if descriptor != LOCK_FD:
        os.dup2(descriptor, LOCK_FD)
    os.set_inheritable(LOCK_FD, True)


def secret_key_file(path: Path) -> Path:
    """The file with the generated secret key, made once with mode 0600."""
    file = path / KEY_FILE
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        if not file.read_text(encoding="utf-8").strip():
            raise LaunchError(f"{file} is empty. Put the old key back, or delete the file and sign in anew.") from None
        return file
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(secrets.token_urlsafe(48) + "\n")
        handle.flush()
        os.fsync(handle.fileno())
    return file
