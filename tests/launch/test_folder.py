"""DATA_DIR: private, held once, never on a network share."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from webapp.launch import folder
from webapp.launch.errors import LaunchError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_is_private(tmp_path: Path) -> None:
    folder.make_folder(tmp_path / "a" / "data")
    assert mode(tmp_path / "a" / "data") == 0o700


def test_a_folder_that_others_could_read_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    folder.make_folder(tmp_path)
    assert mode(tmp_path) == 0o700


def test_a_file_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(LaunchError, match="cannot be made"):
        folder.make_folder(tmp_path / "data")


def test_the_second_holder_is_told_who_has_the_folder(tmp_path: Path) -> None:
    first = folder.hold(tmp_path)
    try:
        with pytest.raises(LaunchError, match=rf"runs already .*process {os.getpid()}"):
            folder.hold(tmp_path)
    finally:
        os.close(first)


def test_the_lock_is_free_when_its_holder_is_gone(tmp_path: Path) -> None:
    os.close(folder.hold(tmp_path))
    os.close(folder.hold(tmp_path))


MOUNTS = r"""overlay / overlay rw 0 0
tmpfs /tmp tmpfs rw 0 0
nas:/export /mnt/nas nfs4 rw 0 0
//win/share /mnt/my\040share cifs rw 0 0
/dev/sda1 /mnt/nas/local ext4 rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/data", "overlay"),
        ("/tmp/data", "tmpfs"),
        ("/tmpfoo", "overlay"),
        ("/mnt/nas/tsuzuki", "nfs4"),
        ("/mnt/nas/local/tsuzuki", "ext4"),
        ("/mnt/my share/data", "cifs"),
    ],
)
def test_the_mount_that_holds_a_path_is_the_longest_one(path: str, kind: str) -> None:
    assert folder.filesystem_of(Path(path), MOUNTS) == kind


def test_a_network_share_is_refused_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "filesystem_of", lambda _path: "nfs4")
    with pytest.raises(LaunchError, match=r"network share \(nfs4\)"):
        folder.make_folder(tmp_path)


def test_the_secret_key_is_made_once_and_read_by_its_owner_only(tmp_path: Path) -> None:
    file = folder.secret_key_file(tmp_path)
    key = file.read_text()
    assert len(key.strip()) >= 43
    assert mode(file) == 0o600
    assert folder.secret_key_file(tmp_path).read_text() == key


def test_an_empty_secret_key_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "secret_key").touch()
    with pytest.raises(LaunchError, match="is empty"):
        folder.secret_key_file(tmp_path)
