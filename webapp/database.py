"""Short transactions with a clear end: none is open across a network call or a wait (DESIGN 10)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from webapp.extensions import db

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, scoped_session


@contextmanager
def transaction(*, readonly: bool = False) -> Iterator[scoped_session[Session] | Any]:
    """Begin, commit at the end, roll back on an error. `readonly` takes no write lock on SQLite.

    Needs an application context of its own thread. Raises RuntimeError inside another open transaction.
    """
    session = db.session
    if session().in_transaction():
        raise RuntimeError("a transaction is open already")
    try:
        if readonly:
            session.connection(execution_options={"readonly": True})
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise


@contextmanager
def reading() -> Iterator[scoped_session[Session] | Any]:
    """Read inside the open transaction of a page that is shown, else in a reading one of its own."""
    if db.session().in_transaction():
        yield db.session
    else:
        with transaction(readonly=True) as session:
            yield session


def unindexed(column: Any) -> Any:
    """The same value as an expression that no index fits.

    SQLite keeps no statistics here, so it takes the index of a person's rows also where that is all rows; this leaves it
    the other index that the query was written for.
    """
    return func.coalesce(column, column)


def holds(column: Any, word: str) -> Any:
    """Condition: this word stands somewhere in a text of lower case. SQLite's LIKE also looks for the upper case, letter by letter."""
    if db.engine.dialect.name != "sqlite":
        return column.contains(word, autoescape=True)
    return func.instr(column, word) > 0


def among(column: Any, ids: Collection[int]) -> Any:
    """`column IN (ids)` for hundreds of ids: SQLite gets them as one value, which costs less than a value for each."""
    if db.engine.dialect.name != "sqlite":
        return column.in_(ids)
    return column.in_(select(func.json_each(json.dumps(list(ids))).table_valued("value").c.value))


def upsert(table: Any) -> Any:
    """An INSERT for the dialect in use, with `.on_conflict_do_nothing()` and `.on_conflict_do_update()`."""
    if db.engine.dialect.name == "postgresql":
        return postgresql_insert(table)
    return sqlite_insert(table)
