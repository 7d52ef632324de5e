"""In which pile an entry lies after placing, and when it is looked at again (DESIGN 5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from jobs.placing_store import EntryState
from jobs.records import MediaInfo, Pile, Placement, Reason, Refusal

MONTH = timedelta(days=30)


def settled(
    result: Placement | Refusal, media: MediaInfo, entry: EntryState | None, at: datetime
) -> tuple[Placement | Refusal, dict[str, Any]]:
    """Pile, reason and when it is looked at again, as columns of the list row, and the result with them in it."""
    since = entry.waiting_since if entry and entry.waiting_since else at
    worn = at - since > MONTH  # waited for long enough: the person decides
    again = _next_look(media, at)
    if isinstance(result, Refusal):
        if result.pile is Pile.WAITING:
            pile = Pile.NEEDS_YOU if worn else Pile.WAITING
            due = at + timedelta(days=7) if worn else again
            result = replace(result, pile=pile, due_at=due)
            return result, _state(pile, result.reason, due, since)
        monthly = at + MONTH if result.pile is Pile.NO_MATCH else None
        return replace(result, due_at=monthly), _state(result.pile, result.reason, monthly, None)
    progress = entry.progress if entry else 0
    if not result.open:
        return result, _state(Pile.PLACED, None, None, None)
    opened = []
    for part in result.open:
        if part.pile is Pile.WAITING:
            part = replace(part, pile=Pile.NEEDS_YOU if worn else part.pile, due_at=again)
        opened.append(part)
    result = replace(result, open=tuple(opened))
    wanted = [part for part in opened if part.first <= progress]
    if not wanted:
        return result, _state(Pile.PLACED, None, None, None)
    waits = [part for part in wanted if part.due_at is not None]
    worst = next((part for part in wanted if part.pile is Pile.NEEDS_YOU), wanted[0])
    look = (at + timedelta(days=7) if worn else again) if waits else None
    return result, _state(worst.pile, worst.reason, look, since if waits else None)


def _next_look(media: MediaInfo, at: datetime) -> datetime:
    """When the next episode has aired, else in a day."""
    airs = media.next_airing_at
    return airs + timedelta(hours=1) if airs is not None and airs > at else at + timedelta(days=1)


def _state(pile: Pile, reason: Reason | None, due: datetime | None, since: datetime | None) -> dict[str, Any]:
    return {
        "pile": pile.value,
        "reason": reason.value if reason else None,
        "due_at": due,
        "waiting_since": since,
    }
