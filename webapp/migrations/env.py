"""Alembic's entry: one connection, batch mode (SQLite cannot alter), our naming convention."""

from __future__ import annotations

from alembic import context
from flask import current_app

from webapp.extensions import Base, db


def run() -> None:
    with db.engine.connect() as connection:
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
