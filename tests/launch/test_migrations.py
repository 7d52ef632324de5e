"""Tables are brought up to date once, after a snapshot, and never backwards."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from sqlalchemy import inspect, text

from tests.at_once import at_once
from webapp.app import create_app
from webapp.config import Config
from webapp.extensions import Base, db
from webapp.launch import migrations, prepare
from webapp.launch.errors import LaunchError
from webapp.launch.folder import make_folder


@pytest.fixture
def empty(config: Config) -> Iterator[Flask]:
    """An app whose database has no table yet."""
    make_folder(config.data_dir)
    app = create_app(config)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def set_revision(value: str) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :value"), {"value": value})


def test_an_empty_database_gets_all_tables(empty: Flask, config: Config) -> None:
    before, now = migrations.migrate(config.data_dir)
    assert before is None
    assert now == migrations.newest_revision()
    assert {"users", "runs", "plays", "episode_override"} <= set(inspect(db.engine).get_table_names())


def test_the_migrations_and_the_models_say_the_same(empty: Flask, config: Config) -> None:
    migrations.migrate(config.data_dir)
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_second_time_changes_nothing(empty: Flask, config: Config) -> None:
    migrations.migrate(config.data_dir)
    now = migrations.newest_revision()
    assert migrations.migrate(config.data_dir) == (now, now)
    assert not list(Path(str(db.engine.url.database)).parent.glob("*.before-*"))


def test_the_schema_of_a_newer_version_is_refused(empty: Flask, config: Config) -> None:
    migrations.migrate(config.data_dir)
    set_revision("9999")
    with pytest.raises(LaunchError, match="newer Tsuzuki"):
        migrations.migrate(config.data_dir)


def test_an_older_schema_is_copied_before_it_changes(
    empty: Flask, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrations.migrate(config.data_dir)
    set_revision("0000")
    order: list[str] = []
    real = migrations.snapshot
    monkeypatch.setattr(migrations, "known_revisions", lambda: {"0000", migrations.newest_revision()})
    monkeypatch.setattr(migrations, "snapshot", lambda *a: order.append("snapshot") or real(*a))  # type: ignore[func-returns-value]  # append gives None
    monkeypatch.setattr("alembic.command.upgrade", lambda *_: order.append("upgrade"))
    migrations.migrate(config.data_dir)
    copy = Path(f"{db.engine.url.database}.before-0000")
    assert order == ["snapshot", "upgrade"]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as old:
        assert old.execute("SELECT version_num FROM alembic_version").fetchone() == ("0000",)


def test_an_upgrade_loses_no_row(empty: Flask, config: Config) -> None:
    """SQLite cannot alter: a table is made anew and the old one dropped, which must not take what refers to it along."""
    flask_migrate.upgrade(directory=str(Path(empty.root_path) / "migrations"), revision="0009")
    added = {
        "users": "(username, password_hash, is_admin, session_epoch, title_language, statuses, date_rule, send_private, created_at) VALUES ('hanako', 'x', true, 1, 'romaji', '[]', 'activity', false, '2026-01-01')",
        "system_config": "(user_id, key, value, updated_at) VALUES (1, 'lastSyncTimestamp', '5', '2026-01-01')",
        "media": "(anilist_id, synonyms, search_text, is_adult, fetched_at) VALUES (1, '[]', '', false, '2026-01-01')",
        "entries": "(user_id, account_id, anilist_id, status, progress, repeat, private, hidden, custom_lists, seen_at, placement) VALUES (1, '7', 1, 'CURRENT', 3, 0, false, false, '[]', '2026-01-01', '{}')",
        "sync_progress": "(user_id, anilist_id, last_abs, updated_at) VALUES (1, 1, 3, '2026-01-01')",
    }  # fmt: skip
    with db.engine.begin() as connection:
        for table, row in added.items():
            connection.execute(text(f"INSERT INTO {table} {row}"))
    assert migrations.migrate(config.data_dir) == ("0009", migrations.newest_revision())
    with db.engine.begin() as connection:
        for table in added:
            assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 1, table  # noqa: S608 - our own names
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1


def test_two_starts_at_once_migrate_once(empty: Flask, config: Config) -> None:
    def start(app: Flask) -> tuple[str | None, str]:
        with app.app_context():
            moved = migrations.migrate(config.data_dir)
            db.engine.dispose()
            return moved

    results = at_once([partial(start, create_app(config)) for _ in range(2)])
    newest = migrations.newest_revision()
    assert sorted(results, key=str) == sorted([(None, newest), (newest, newest)], key=str)


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], None]:
    """Puts one more migration beside ours: its revision, the one before it, and what its upgrade does."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrations.__file__.replace("launch/migrations.py", "migrations"), folder)
    monkeypatch.setattr(migrations, "_folder", lambda: folder)

    def add(revision: str, before: str, does: str) -> None:
        text = f"revision = {revision!r}\ndown_revision = {before!r}\nbranch_labels = depends_on = None\n\n\ndef upgrade():\n    {does}\n"
        (folder / "versions" / f"{revision}_of_a_test.py").write_text(text, encoding="utf-8")

    return add


def test_a_start_says_that_migrations_lead_to_two_schemas(
    added: Callable[[str, str, str], None], config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    added("9999", "0013", "pass")
    assert prepare.run(config, None) == 1
    said = capsys.readouterr().out
    assert said.startswith("Tsuzuki cannot start. The migrations of this version do not lead to one newest schema (")
    assert "9999" in said


def test_a_start_says_why_the_tables_could_not_be_changed(
    empty: Flask, added: Callable[[str, str, str], None], config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    migrations.migrate(config.data_dir)
    before = migrations.newest_revision()
    added("9999", before, "raise ValueError('no such thing')")
    assert prepare.run(config, None) == 1
    said = capsys.readouterr().out
    assert (
        f"The tables could not be changed from version {before} to 9999: ValueError: no such thing. As they were before they are in "
        in said
    )
    assert migrations.current_revision(db.engine) == before
    assert Path(f"{db.engine.url.database}.before-{before}").exists()


def test_a_start_says_what_nobody_foresaw(
    config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(_app: Flask) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(prepare, "prepare", breaks)
    assert prepare.run(config, None) == 1
    told = capsys.readouterr()
    assert told.out == "Tsuzuki cannot start. ZeroDivisionError: by nothing\n"
    assert "Traceback" in told.err
