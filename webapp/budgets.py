"""How much may still be asked of each service, for Home. The only module of the pages that reads the pace of `jobs`."""

from __future__ import annotations

from collections.abc import Sequence

from flask import current_app

from jobs import pace
from jobs.pace import Budget
from webapp import tokens


def budgets(user_id: int) -> Sequence[Budget] | None:
    """Every budget that runs of this person use, asked for or not; None when Redis does not answer."""
    config = current_app.config["TSUZUKI"]
    rules = [pace.anilist(), pace.trakt_reads(user_id), pace.trakt_writes(user_id)]
    key, _secret = tokens.app_credentials(user_id, "trakt")
    if key:
        rules.append(pace.trakt_public(key))
    if config.TMDB_API_KEY:
        rules.append(pace.tmdb())
    return pace.budgets(config.REDIS_URL, rules)
