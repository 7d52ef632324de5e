"""Bring the tables up to date: one at a time, after a snapshot, never backwards."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask import current_app
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from webapp.extensions import db
from webapp.launch.errors import LaunchError
from webapp.launch.folder import hold

log = logging.getLogger(__name__)

ADVISORY_LOCK = 0x7453757A  # any fixed number; it only has to be the same in every process


def migrate(data_dir: Path) -> tuple[str | None, str]:
    """Upgrade to the newest schema; answers (revision before, revision now). Needs an application context.

    Raises LaunchError when the database belongs to a newer Tsuzuki, and when the tables cannot be changed.
    """
    with _alone(data_dir):
        before, newest = current_revision(db.engine), newest_revision()
        if before == newest:
            return before, newest
        if before is not None and before not in known_revisions():
            raise LaunchError(
                f"The database has schema {before}, which this version does not know (its newest is {newest}). "
                "It was used by a newer Tsuzuki: install that version again, or restore a snapshot."
            )
        copy = snapshot(db.engine, before) if before is not None else None
        _upgrade(before, newest, copy)
        return before, newest


def _upgrade(before: str | None, newest: str, copy: Path | None) -> None:
    """By Alembic itself: Flask-Migrate's command ends the process without a word when something goes wrong."""
    directory = str(_folder())
    try:
        command.upgrade(current_app.extensions["migrate"].migrate.get_config(directory), "head")
    except Exception as error:
        log.warning("the change of the tables failed", exc_info=True)
        saved = f" As they were before they are in {copy}." if copy else ""
        raise LaunchError(
            f"The tables could not be changed from version {before or 'none'} to {newest}: "
            f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}.{saved}"
        ) from error


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Two starts never migrate at once: a file lock for SQLite, a lock of the server for PostgreSQL.

    The latter lives in a transaction of its own, so that it holds behind a transaction pooler too.
    """
    if db.engine.dialect.name != "postgresql":
        descriptor = hold(data_dir, "migrate.lock", wait=True)
        try:
            yield
        finally:
            os.close(descriptor)
        return
    engine = create_engine(db.engine.url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        yield


def current_revision(engine: Engine) -> str | None:
    """The revision that the database says it has; None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str:
    """The revision that the code wants. Raises LaunchError when its migrations name several, or cannot be read."""
    try:
        head = ScriptDirectory(str(_folder())).get_current_head()
    except CommandError as error:
        heads = ", ".join(sorted(ScriptDirectory(str(_folder())).get_heads()))
        raise LaunchError(
            f"The migrations of this version do not lead to one newest schema ({heads}): {error}"
        ) from error
    assert head is not None
    return head


def known_revisions() -> set[str]:
    return {script.revision for script in ScriptDirectory(str(_folder())).walk_revisions()}


def _folder() -> Path:
    return Path(current_app.root_path) / "migrations"


def need_newest_tables() -> None:
    """For commands beside a running app, which change no tables. Raises LaunchError with what to do first."""
    try:
        made, before = inspect(db.engine).has_table("users"), current_revision(db.engine)
    except OperationalError as error:
        raise LaunchError(f"The database does not answer: {error.orig}") from None
    if not made:
        raise LaunchError("There are no tables yet. Start it once with ./run up, or make them with ./run migrate.")
    newest = newest_revision()
    if before not in (None, newest):
        raise LaunchError(f"The tables have version {before}, but this Tsuzuki knows version {newest}: ./run migrate")


def snapshot(engine: Engine, revision: str) -> Path | None:
    """Copy the SQLite file to `<name>.before-<revision>` by SQLite's backup; None for another database."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:":
        return None
    source = Path(name)
    target = source.with_name(f"{source.name}.before-{revision}")
    partial = target.with_name(target.name + ".part")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(partial)) as new:
        old.backup(new)
    partial.replace(target)
    log.info("the database was copied to %s before its tables change", target)
    return target
