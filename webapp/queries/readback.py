"""Whether what a run has sent was seen on Trakt afterwards, or when that will be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Connection, Run, TraktPicture

MODES = ("full", "completed", "watching", "title")


@dataclass(frozen=True)
class ReadBack:
    """`there` of `plays` were on Trakt at `at`; before that only `due`, when Trakt will be read again, is known."""

    at: datetime | None = None
    plays: int = 0
    there: int = 0
    due: datetime | None = None


def read_back(run: Run) -> ReadBack | None:
    """None where nothing was sent, and where no reading is to come. The form of `readBack` is that of `jobs.readback`."""
    if not run.plays_sent or run.preview or run.mode not in MODES or run.finished_at is None:
        return None
    said = (run.result or {}).get("readBack")
    if said:
        return ReadBack(datetime.fromisoformat(said["at"]), int(said["plays"]), int(said["there"]))
    due = db.session.scalar(
        select(TraktPicture.read_again_at)
        .join(Connection, Connection.account_id == TraktPicture.account_id)
        .where(Connection.user_id == run.user_id, Connection.service == "trakt", TraktPicture.user_id == run.user_id)
    )
    return ReadBack(due=due) if due and due >= run.finished_at else None
