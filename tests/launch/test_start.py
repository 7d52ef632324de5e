"""What is decided before anything is started."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from webapp.auth import first_account, password_fits
from webapp.config import Config, load
from webapp.extensions import db
from webapp.launch import prepare, start
from webapp.launch.errors import LaunchError
from webapp.models import Connection, SystemConfig, User


def test_the_real_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('PORT=9000\nHOST="127.0.0.2"\n# TZ=Asia/Tokyo\n')
    found = start.environment_with_file({"PORT": "7000"}, tmp_path / ".env")
    assert found == {"PORT": "7000", "HOST": "127.0.0.2"}


def test_values_of_the_file_are_taken_as_they_stand(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("API_TOKEN=a#b${HOME}$c\r\nADMIN_PASSWORD='x y'\r\n")
    found = start.environment_with_file({}, tmp_path / ".env")
    assert found == {"API_TOKEN": "a#b${HOME}$c", "ADMIN_PASSWORD": "x y"}


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"ADMIN_PASSWORD=\xff\xfe\n")
    with pytest.raises(LaunchError, match=r"\.env cannot be read: "):
        start.environment_with_file({}, tmp_path / ".env")


def test_a_missing_file_is_no_problem(tmp_path: Path) -> None:
    assert start.environment_with_file({"PORT": "1"}, tmp_path / ".env") == {"PORT": "1"}


def test_an_address_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LaunchError, match=rf"127\.0\.0\.1:{port} cannot be used"):
            start.check_address(load({"PORT": str(port)}))


def test_an_embedded_redis_and_a_generated_key_are_handed_to_the_programs(tmp_path: Path) -> None:
    launch = start.make_launch({"DATA_DIR": str(tmp_path), "PORT": str(start.free_port())}, extra=[])
    os.close(launch.lock)
    assert [program.name for program in launch.programs] == ["worker", "web", "announce", "redis"]
    assert launch.environment["REDIS_URL"].startswith("unix://")
    assert Path(launch.environment["SECRET_KEY_FILE"]).read_text().strip()
    assert "SECRET_KEY" not in launch.environment


def test_with_a_redis_and_a_key_of_ones_own_none_is_made(tmp_path: Path) -> None:
    given = {
        "DATA_DIR": str(tmp_path),
        "PORT": str(start.free_port()),
        "REDIS_URL": "redis://elsewhere/0",
        "SECRET_KEY": "x" * 40,
    }
    launch = start.make_launch(given, extra=[])
    os.close(launch.lock)
    assert "redis" not in [program.name for program in launch.programs]
    assert launch.environment["REDIS_URL"] == "redis://elsewhere/0"
    assert not (tmp_path / "secret_key").exists()


def test_only_a_folder_named_demo_is_ever_emptied(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    with pytest.raises(LaunchError, match="--fresh empties only"):
        start._empty(tmp_path)
    assert (tmp_path / "precious").exists()


def test_emptying_the_demo_keeps_the_lock_that_is_held(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    (folder / "redis").mkdir(parents=True)
    (folder / "lock").touch()
    (folder / "tsuzuki.db").touch()
    start._empty(folder)
    assert [entry.name for entry in folder.iterdir()] == ["lock"]


# What is prepared in the database


def settings(config: Config, **values: str) -> Config:
    return config.replace(**values)


def test_the_first_account_comes_from_the_environment_once(app: Flask, config: Config) -> None:
    prepare.make_first_account(settings(config, ADMIN_USERNAME="hanako", ADMIN_PASSWORD="first"))
    prepare.make_first_account(settings(config, ADMIN_USERNAME="hanako", ADMIN_PASSWORD="second"))
    person = first_account()
    assert person is not None
    assert password_fits(person.password_hash, "first")
    db.session.commit()


def test_half_of_the_first_account_stops_the_start(app: Flask, config: Config) -> None:
    with pytest.raises(LaunchError, match="set both or none"):
        prepare.make_first_account(settings(config, ADMIN_USERNAME="hanako"))


def test_without_an_account_a_code_is_printed_and_only_its_hash_is_kept(
    app: Flask, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare.make_first_account(config)
    said = capsys.readouterr().out
    stored = db.session.scalar(select(SystemConfig.value).where(SystemConfig.key == "setup:code"))
    db.session.commit()
    assert "/setup" in said
    assert stored
    assert stored not in said


def test_with_an_account_no_code_is_printed(
    app: Flask, user: User, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare.make_first_account(config)
    assert capsys.readouterr().out == ""


def test_the_secret_of_cron_is_made_once(app: Flask) -> None:
    first = prepare.cron_secret()
    assert len(first) >= 32
    assert prepare.cron_secret() == first


def test_tokens_of_the_environment_belong_to_the_first_account(app: Flask, user: User) -> None:
    app.config["TSUZUKI"] = app.config["TSUZUKI"].replace(TRAKT_ACCESS_TOKEN="token", TRAKT_REFRESH_TOKEN="refresh")
    prepare.seed_tokens()
    (row,) = db.session.scalars(select(Connection))
    db.session.commit()
    assert (row.user_id, row.service, row.state) == (user.id, "trakt", "connected")
    assert "token" not in (row.access_token or "")


def test_the_demo_takes_over_no_credential_and_has_a_known_api_token() -> None:
    environ = {"TRAKT_ACCESS_TOKEN": "real", "TRAKT_CLIENT_ID_FILE": "/real", "TMDB_API_KEY": "real", "PORT": "8001"}
    assert start.demo_environment(environ | {"PATH": "/bin"}) == {
        "PATH": "/bin",
        "PORT": "8001",
        "API_TOKEN": "demo-token",
    }
    assert start.demo_environment({"API_TOKEN": "mine"})["API_TOKEN"] == "mine"
