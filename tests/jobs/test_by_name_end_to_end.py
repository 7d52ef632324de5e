"""AniList by name only, against the simulator: whoever has the name now is not taken for the one who had it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from jobs import sync
from tests.jobs.demo_runs import go, lines, posts
from tests.jobs.sync_fakes import run_row
from webapp import runs, tokens
from webapp.database import transaction
from webapp.extensions import db
from webapp.models import Connection, User, utcnow
from webapp.simulator import constants
from webapp.simulator.process import Running

STRANGER = 7_700_001


def anilist() -> Connection:
    with transaction(readonly=True) as session:
        query = select(Connection).where(Connection.service == "anilist")
        return session.scalars(query.execution_options(populate_existing=True)).one()


def test_a_run_whose_name_has_another_account_waits_and_goes_on_when_approved(sim: Running, person: User) -> None:
    tokens.store_name(person.id, "anilist", constants.ANILIST_USER_NAME)
    first = go(person, mode="watching")
    assert (first.status, anilist().account_id) == ("succeeded", str(constants.ANILIST_USER_ID)), lines(first)

    sim.post("viewer", {"id": STRANGER})
    with transaction() as session:
        a_day_ago = utcnow() - timedelta(hours=25)
        session.execute(update(Connection).where(Connection.service == "anilist").values(checked_at=a_day_ago))
    sim.post("requests/reset")
    run = go(person)
    assert (run.status, run.reason, run.lock_key, posts(sim)) == ("needs_approval", "account_changed", None, 0)
    assert (anilist().account_id, anilist().pending_account_id) == (str(constants.ANILIST_USER_ID), str(STRANGER))

    db.session.rollback()
    runs.approve(run.id, person.id)
    sync.run(run.id)
    approved = run_row(run.id)
    assert (approved.status, approved.reason) == ("succeeded", None), lines(approved)
    assert (anilist().account_id, anilist().pending_account_id) == (str(STRANGER), None)
