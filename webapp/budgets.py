"""How much may still be asked of each service, for Home. The only module of the pages that reads the pace of `jobs`."""

from __future__ import annotations

from collections.abc import Sequence

from flask import current_app

from jobs import pace
from jobs.pace import Budget


def budgets(user_id: int) -> Sequence[Budget]:
    """Every budget that was used since Redis started; of those that belong to one person, this person's only."""
    found = pace.budgets(current_app.config["TSUZUKI"].REDIS_URL)
    mine = {pace.trakt_reads(user_id).bucket, pace.trakt_writes(user_id).bucket}
    return [row for row in found if not row.bucket.startswith(("trakt-reads:", "trakt-writes:")) or row.bucket in mine]
