"""What the planner found out about an entry, kept with the entry: `review` lists entries by pile (DESIGN 5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import update

from jobs.records import ItemOutcome, Reason
from jobs.results import NEEDS_YOU
from webapp.database import transaction
from webapp.models import Entry

# placement knows nothing of these: they come and go with plays and progress
OF_PLANS = frozenset({Reason.TRAKT_REFUSED, Reason.MISPLACED, Reason.ABOVE_EPISODES})


def mark(user_id: int, entries: Mapping[int, Entry], items: Iterable[ItemOutcome]) -> None:
    """Put entries into the pile `needs_you` for what a plan found, out of it again when it is over, and note due times."""
    said = {item.anilist_id: item for item in items}
    changes: list[tuple[int, dict[str, Any]]] = []
    for anilist_id, entry in entries.items():
        item = said.get(anilist_id)
        reason = _reason(item) if item else None
        values: dict[str, Any] = {}
        if reason is not None and (entry.pile, entry.reason) != ("needs_you", reason.value):
            values = {"pile": "needs_you", "reason": reason.value}
        elif reason is None and entry.pile == "needs_you" and entry.reason in OF_PLANS:
            values = {"pile": "placed", "reason": None}
        due = _due(item) if item else None
        if due is not None and (entry.due_at is None or due < entry.due_at):
            values["due_at"] = due
        if values:
            changes.append((anilist_id, values))
    if not changes:
        return
    with transaction() as session:
        for anilist_id, values in changes:
            mine = update(Entry).where(Entry.user_id == user_id, Entry.anilist_id == anilist_id)
            session.execute(mine.values(**values))


def _reason(item: ItemOutcome) -> Reason | None:
    if item.reason in OF_PLANS and item.outcome in NEEDS_YOU:
        return item.reason
    for part in item.detail.get("parts", ()):
        if part["outcome"] in NEEDS_YOU and part["reason"] in OF_PLANS:
            return Reason(part["reason"])
    return None


def _due(item: ItemOutcome) -> datetime | None:
    """The earliest time at which a part of this entry is worth another look."""
    times = [part["due_at"] for part in (item.detail, *item.detail.get("parts", ())) if part.get("due_at")]
    return min((datetime.fromisoformat(at) for at in times), default=None)
