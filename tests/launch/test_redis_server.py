"""Which Redis is started, and how."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest
from redis import Redis

from tests.real_servers import real_redis, wait_until
from webapp.launch import redis_server
from webapp.launch.errors import LaunchError


def fake_server(folder: Path, name: str, says: str) -> Path:
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{says}'\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def only_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing but what the test puts there, and no bundled server."""
    monkeypatch.setenv("PATH", f"{tmp_path}")
    monkeypatch.setattr(redis_server, "bundled_binary", lambda: None)
    return tmp_path


def test_redis_on_the_path_comes_first(only_path: Path) -> None:
    wanted = fake_server(only_path, "redis-server", "Redis server v=7.0.15 sha=0:0 bits=64")
    fake_server(only_path, "valkey-server", "Valkey server v=8.0.1 sha=0:0 bits=64")
    assert redis_server.find() == wanted


def test_valkey_serves_as_well(only_path: Path) -> None:
    wanted = fake_server(only_path, "valkey-server", "Valkey server v=8.0.1 sha=0:0 bits=64")
    assert redis_server.find() == wanted


def test_a_server_that_is_too_old_is_passed_over(only_path: Path) -> None:
    fake_server(only_path, "redis-server", "Redis server v=5.0.7 sha=0:0 bits=64")
    wanted = fake_server(only_path, "valkey-server", "Valkey server v=7.2.5 sha=0:0 bits=64")
    assert redis_server.find() == wanted


def test_without_any_server_one_command_is_named(only_path: Path) -> None:
    fake_server(only_path, "redis-server", "Redis server v=5.0.7 sha=0:0 bits=64")
    with pytest.raises(LaunchError, match=r"version 5\.0; 6\.2 or later(.|\n)*apt-get install redis-server"):
        redis_server.find()


def test_nothing_is_built_without_a_compiler(only_path: Path) -> None:
    with pytest.raises(LaunchError, match="apt-get install redis-server"):
        redis_server.find_or_build()


def test_the_socket_stands_in_the_folder_when_its_path_is_short(tmp_path: Path) -> None:
    short = Path("/srv/tsuzuki")
    assert redis_server.socket_path(short) == short / "redis.sock"


def test_a_long_path_gets_a_private_folder_that_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    long = Path("/srv") / ("x" * 120)
    socket = redis_server.socket_path(long)
    assert socket.parent.parent == tmp_path
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    assert redis_server.socket_path(long) == socket


def test_a_folder_that_others_can_enter_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    long = Path("/srv") / ("x" * 120)
    redis_server.socket_path(long).parent.chmod(0o755)
    with pytest.raises(LaunchError, match="belongs to somebody else"):
        redis_server.socket_path(long)


def test_the_private_server_keeps_everything_and_listens_to_no_port(redis_url: str) -> None:
    with Redis.from_url(redis_url) as client:
        names = ("port", "appendonly", "maxmemory-policy", "unixsocket")
        settings = {name: client.config_get(name)[name] for name in names}  # 6.2 takes one name at a time
    assert settings["port"] == "0"
    assert settings["appendonly"] == "yes"
    assert settings["maxmemory-policy"] == "noeviction"
    assert stat.S_IMODE(os.stat(settings["unixsocket"]).st_mode) == 0o700  # noqa: PTH116 - a socket, not a file


def test_a_server_that_outlived_its_start_is_ended() -> None:
    folder = Path(tempfile.mkdtemp(prefix="tsuzuki-test-"))
    with real_redis(folder):
        socket = redis_server.socket_path(folder)
        assert redis_server.answers(socket)
        redis_server.end_orphan(socket)
        assert not redis_server.answers(socket)
        assert not socket.exists()


def test_what_was_queued_survives_a_kill() -> None:
    folder = Path(tempfile.mkdtemp(prefix="tsuzuki-test-"))
    socket = redis_server.socket_path(folder)
    with real_redis(folder) as url:
        command = [redis_server.find(), redis_server.write_config(folder, socket)]
        with Redis.from_url(url) as client:
            client.set("kept", "yes")
            client.config_set("appendfsync", "always")
            client.set("kept too", "yes")
        redis_server.end_orphan(socket)
        again = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            wait_until(lambda: redis_server.answers(socket), "Redis")
            with Redis.from_url(url) as client:
                assert client.mget("kept", "kept too") == [b"yes", b"yes"]
        finally:
            again.kill()
            again.wait()
