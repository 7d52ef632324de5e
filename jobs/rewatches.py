"""How often an episode belongs on Trakt when the person wants rewatches there too (off at first). Pure.

AniList counts finished rewatches in `repeat`; while one is under way its status is REPEATING and `progress` is of that one.
An episode is wanted 1 + (`repeat` - base) + (1 if REPEATING and episode <= progress) times. `base` is the `repeat` of the
day on which rewatches were turned on, so that old ones stay away, or 0 where the person wanted those too: they are `past` and
go out without a date. What Trakt has, from whatever source, is subtracted; nothing is ever removed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.records import Activity, ListEntry

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Base:
    """From where on the rewatches of one entry count. An entry that was added later counts from 0."""

    base: int = 0
    past: int = 0  # rewatches before rewatches were turned on that the person wanted too


def wanted_plays(entry: ListEntry, episode: int, base: Base) -> int:
    """How many plays of this episode belong on Trakt, the first time through included."""
    under_way = entry.status == "REPEATING" and episode <= entry.progress
    return 1 + max(entry.repeat - base.base, 0) + int(under_way)


def missing(wanted: int, own: Collection[int], foreign: int) -> list[int]:
    """Which of the plays 1..`wanted` are not there. `own`: those of ours that stand, are on their way or are held back;
    `foreign`: plays on Trakt that are not ours, which stand for the first ones that are free."""
    free = [nth for nth in range(1, wanted + 1) if nth not in own]
    return free[max(foreign, 0) :]


def rewatched_at(
    entry: ListEntry, episode: int, nth: int, base: Base, *, wanted: int, last: int, activities: Sequence[Activity]
) -> tuple[datetime | None, str]:
    """When this play of an episode was watched, with its source; None where nobody knows.

    The newest "rewatched episode" activity that names the episode belongs to the newest play, and so on back. The newest play
    falls back to the entry's last change; older ones, and those of before rewatches were turned on, have no date.
    """
    if nth <= base.past + 1:
        return None, "unknown"
    named = sorted(_times(activities, episode))
    age = wanted - nth
    if age < len(named):
        return named[-1 - age], "activity"
    if age == 0 and entry.updated_at is not None:
        end = entry.progress if entry.status == "REPEATING" else last
        return entry.updated_at - max(end - episode, 0) * MINUTE, "updated"
    return None, "unknown"


def _times(activities: Sequence[Activity], episode: int) -> list[datetime]:
    """A range ends at its `createdAt`, one minute apart."""
    found = []
    for activity in activities:
        if activity.last is None or not activity.status.strip().lower().startswith("rewatched"):
            continue
        first = activity.last if activity.first is None else activity.first
        if first <= episode <= activity.last:
            found.append(activity.created_at - (activity.last - episode) * MINUTE)
    return found
