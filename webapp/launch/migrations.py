"""Bring the tables up to date: one at a time, after a snapshot, never backwards."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import flask_migrate
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from webapp.extensions import db
from webapp.launch.errors import LaunchError
from webapp.launch.folder import hold

log = logging.getLogger(__name__)

ADVISORY_LOCK = 0x7453757A  # any fixed number; it only has to be the same in every process


def migrate(data_dir: Path) -> tuple[str | None, str]:
    """Upgrade to the newest schema; answers (revision before, revision now). Needs an application context.

    Raises LaunchError when the database belongs to a newer Tsuzuki.
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
        if before is not None:
            snapshot(db.engine, before)
        flask_migrate.upgrade(directory=str(_folder()))
        return before, newest


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
    """The revision that the code wants."""
    head = ScriptDirectory(str(_folder())).get_current_head()
    assert head is not None
    return head


def known_revisions() -> set[str]:
    return {script.revision for script in ScriptDirectory(str(_folder())).walk_revisions()}


def _folder() -> Path:
    return Path(current_app.root_path) / "migrations"


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
