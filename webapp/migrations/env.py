"""Alembic's entry: one connection, batch mode (SQLite cannot alter), our naming convention."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import context
from flask import current_app

from webapp.extensions import Base, db


@contextmanager
def without_foreign_keys(connection: Any) -> Iterator[None]:
    """SQLite: a table that is made anew is dropped first, and with foreign keys that deletes all that refers to it.

    https://www.sqlite.org/lang_altertable.html, step 1; inside a transaction the pragma does nothing.
    """
    driver = connection.connection.dbapi_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def run() -> None:
    with db.engine.connect() as connection, without_foreign_keys(connection):
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            compare_type=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


assert current_app  # migrations run inside an application context only
run()
