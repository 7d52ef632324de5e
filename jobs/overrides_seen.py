"""Rows of `episode_override` are also written by SQL, which marks nothing: a run finds what changed by comparing."""

from __future__ import annotations

import hashlib
import json

from sqlalchemy import select, update

from jobs.storing import get_setting, put_setting
from webapp.database import transaction
from webapp.models import Entry, EpisodeOverride, utcnow

SEEN = "overrides:seen"  # {trakt id: digest of its rows}, as the person's last run saw them


def mark_changed(user_id: int) -> None:
    """Entries of shows whose rows are new, other or gone since the last run are looked at by this one."""
    with transaction(readonly=True) as session:
        rows = session.execute(select(*EpisodeOverride.__table__.columns).order_by(EpisodeOverride.trakt_id, EpisodeOverride.abs))  # fmt: skip
        by_show: dict[str, list[str]] = {}
        for trakt_id, *cells in rows:
            by_show.setdefault(str(trakt_id), []).append(str(cells))
        known = get_setting(session, user_id, SEEN)
    now_there = {show: hashlib.sha256("".join(said).encode()).hexdigest()[:16] for show, said in by_show.items()}
    before: dict[str, str] | None = None if known is None else json.loads(known)
    if before == now_there:
        return
    with transaction() as session:
        if before is not None:  # else this is the first run that looks, which begins with every entry
            changed = [int(show) for show in {*before, *now_there} if before.get(show) != now_there.get(show)]
            mine = (Entry.user_id == user_id, Entry.kind == "show", Entry.trakt_id.in_(changed))
            session.execute(update(Entry).where(*mine).values(changed_at=utcnow()))
        put_setting(session, user_id, SEEN, json.dumps(now_there))
