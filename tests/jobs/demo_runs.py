"""Runs of the demo library against the simulator, and what can be seen of them: history, log, requests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from jobs import pictures, sync
from tests.jobs.sync_fakes import make_run, run_row
from webapp.database import transaction
from webapp.models import Log, RequestCount, Run, TraktPicture, User, utcnow
from webapp.simulator.process import Running


def go(user: User, **values: Any) -> Run:
    run_id = make_run(user, **values)
    sync.run(run_id)
    return run_row(run_id)


def places(rows: list[dict[str, Any]]) -> list[tuple[str, int, int, int]]:
    return sorted((row["kind"], row["trakt_id"], row["season"], row["number"]) for row in rows)


def read_back() -> None:
    """As the tick has it done: again until the reading began after everything that it shows."""
    settled = False
    while not settled:
        with transaction() as session:
            session.execute(update(TraktPicture).values(read_again_at=utcnow() - timedelta(seconds=1)))
            picture_id = session.scalars(select(TraktPicture.id)).one()
        pictures.read_back(picture_id)
        with transaction(readonly=True) as session:
            settled = session.scalars(select(TraktPicture.settled)).one()


def lines(run: Run) -> str:
    with transaction(readonly=True) as session:
        return "\n".join(session.scalars(select(Log.message).where(Log.run_id == run.id).order_by(Log.id)))


def requests_of(run: Run) -> dict[str, int]:
    with transaction(readonly=True) as session:
        rows = session.execute(
            select(RequestCount.service, RequestCount.requests).where(RequestCount.run_id == run.id)
        ).all()
    return {row.service: row.requests for row in rows}


def posts(sim: Running) -> int:
    """Requests that added plays."""
    return int(sim.get("requests").get("trakt", {}).get("paths", {}).get("POST /sync/history", 0))
