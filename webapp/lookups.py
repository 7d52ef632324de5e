"""What a page asks Trakt: put as a job on the queue `light`; the page waits a moment, or polls."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import delete, select

from webapp import enqueue
from webapp.database import reading
from webapp.extensions import db
from webapp.models import LookUp, utcnow
from webapp.runs import own_transaction

PATIENCE = 5.0  # seconds that a page waits
LOOKS: Final = (0.05, 0.1, 0.2, 0.3, 0.5)  # seconds between two looks
KEPT: Final = timedelta(days=1)

_sleep = time.sleep


def ask(user_id: int, parts: Sequence[Mapping[str, Any]]) -> int:
    """Put the question, each part of which is {"title"}, {"service", "value", "kind"} or {"history": kind, "traktId"}; its id."""
    with own_transaction() as session:
        session.execute(delete(LookUp).where(LookUp.created_at < utcnow() - KEPT))
        row = LookUp(user_id=user_id, question={"parts": [dict(part) for part in parts]}, created_at=utcnow())
        session.add(row)
        session.flush()
        look_up_id = row.id
    if not enqueue.look_up(look_up_id):  # nobody will take it later: a page asks anew
        with own_transaction() as session:
            row = session.get_one(LookUp, look_up_id)
            row.state, row.reason, row.answered_at = "failed", "service_down", utcnow()
    return look_up_id


def result(user_id: int, look_up_id: int) -> LookUp | None:
    """The question as it stands now, if it is this person's."""
    with reading() as session:
        query = select(LookUp).where(LookUp.id == look_up_id, LookUp.user_id == user_id)
        return session.scalar(query.execution_options(populate_existing=True))


def wait(user_id: int, look_up_id: int) -> LookUp | None:
    """The same once it is answered, or after PATIENCE seconds. No connection is held meanwhile."""
    ends = time.monotonic() + PATIENCE
    for count in range(10_000):
        row = result(user_id, look_up_id)
        if row is None or row.state != "asked" or time.monotonic() >= ends:
            return row
        db.session.remove()  # no connection is held while it sleeps
        _sleep(LOOKS[min(count, len(LOOKS) - 1)])
    return None
