"""The database around a request: pages read in one short transaction that never blocks a writer."""

from __future__ import annotations

from flask import Flask, g, request

from webapp.auth import is_open_path
from webapp.extensions import db

# A service sends people back by GET, and what it sends along is stored then; a state of 10 minutes guards it.
WRITE_ON_GET = frozenset({"oauth"})


def init_lifecycle(app: Flask) -> None:
    """Register before anything that reads: the first `before_request` opens the transaction."""
    app.before_request(begin_reading)
    app.teardown_request(end_reading)


def begin_reading() -> None:
    """A GET of a page reads from one snapshot; whatever writes opens its own `webapp.database.transaction`."""
    if request.endpoint == "static" or request.blueprint in WRITE_ON_GET or is_open_path(request.path):
        return
    if request.method in ("GET", "HEAD"):
        session = db.session()
        if not session.in_transaction():
            session.connection(execution_options={"readonly": True})
            g.reading = True


def end_reading(_error: BaseException | None) -> None:
    """Whatever a GET may have changed by mistake is rolled back."""
    if g.pop("reading", False):
        session = db.session()
        if session.new or session.dirty or session.deleted:
            session.rollback()
        else:
            session.commit()
