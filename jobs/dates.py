"""When an episode was watched (DESIGN 6.9). Pure: it talks to nothing, it only processes dates.

A time is decided once, in the plan, and travels with its play from there on. All times that come out are aware UTC in
whole seconds; `None` means that the play is sent as "unknown".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jobs.records import Activity, ListEntry, Slot

DATE_RULES = ("activity", "released", "unknown", "evenly", "now")
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
USUAL_RUNTIME = 24  # minutes, where neither Trakt nor AniList knows better
OLDEST_YEAR = 1900  # a date before that is a slip of the keyboard and counts as none

Times = dict[int, tuple[datetime | None, str]]


def zone_of(name: str | None) -> tzinfo:
    """The zone of an account: an IANA name, an offset such as "+09:00" (as AniList gives it), else UTC."""
    if not name:
        return UTC
    if match := re.fullmatch(r"([+-]?)(\d{1,2}):(\d{2})", name.strip()):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        if offset < timedelta(hours=24):
            return timezone(-offset if match[1] == "-" else offset)
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def whole(moment: datetime) -> datetime:
    """The same moment in UTC without its fraction of a second."""
    return moment.astimezone(UTC).replace(microsecond=0)


def watched_times(
    entry: ListEntry,
    episodes: Iterable[int],
    rule: str,
    *,
    last: int,
    activities: Sequence[Activity] = (),
    slots: Mapping[int, Slot] | None = None,
    zone: tzinfo = UTC,
    now: datetime,
) -> Times:
    """The time of each of `episodes` with its source: activity, completed, updated, planned, released, unknown, evenly, now.

    `last` is the entry's last watched episode: times that count back count from it, so that they are the same whichever
    episodes are asked for. `slots` are the episodes as Trakt lists them, by the entry's episode. Two episodes may
    still share a second here; `Seconds` parts them.
    """
    wanted = list(episodes)
    if rule == "unknown":
        return dict.fromkeys(wanted, (None, "unknown"))
    slots = slots or {}
    now = whole(now)
    preferred: dict[int, datetime] = {}
    if rule == "released":
        preferred = _released(entry, wanted, slots)
    elif rule == "evenly":
        preferred = _evenly(entry, wanted, last, zone, now)
    elif rule == "now":
        preferred = {episode: now - (last - episode) * MINUTE for episode in wanted}
    named = {} if len(preferred) == len(wanted) else _named(activities, wanted, last)
    anchor, anchor_source = _anchor(entry, zone, now)

    times: Times = {}
    for episode in wanted:
        if episode in preferred:
            at, source = preferred[episode], rule
        elif episode in named:
            at, source = named[episode], "activity"
        else:
            at, source = anchor - (last - episode) * MINUTE, anchor_source
        times[episode] = (bounded(at, first_aired(entry, slots.get(episode)), now), source)
    return times


def first_aired(entry: ListEntry, slot: Slot | None) -> datetime | None:
    """The first moment at which the episode can have been seen, as far as it is known."""
    if slot is not None and slot.first_aired is not None:
        return slot.first_aired
    day = entry.media.start_date.full
    return datetime.combine(day, time(0), tzinfo=UTC) if day else None


def bounded(at: datetime, aired: datetime | None, now: datetime) -> datetime:
    """`at` in whole seconds, not before the first airing and (this wins) never after the time of planning."""
    at = whole(at)
    if aired is not None and at < aired:
        at = whole(aired + SECOND - timedelta(microseconds=1))
    return min(at, now)


class Seconds:
    """The seconds that are taken, by show: no two plays of a show share one."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, int], set[datetime]] = {}

    def take(self, kind: str, trakt_id: int, at: datetime) -> None:
        """Say that a play stands there already."""
        self._taken.setdefault((kind, trakt_id), set()).add(whole(at))

    def free(self, kind: str, trakt_id: int, at: datetime, *, aired: datetime | None, now: datetime) -> datetime:
        """The nearest free second, earlier ones first, and take it. Keeps the bounds of `bounded` where it can."""
        taken = self._taken.setdefault((kind, trakt_id), set())
        choice = at
        while choice in taken:
            choice -= SECOND
        if aired is not None and choice < aired <= at:
            later = at
            while later in taken:
                later += SECOND
            if later <= now:
                choice = later
        taken.add(choice)
        return choice


def _named(activities: Sequence[Activity], wanted: Sequence[int], last: int) -> dict[int, datetime]:
    """Times that AniList's activities give: the first one that names an episode counts, rewatches do not.

    A range ends at its `createdAt`, one minute apart. "completed" names what no other activity names, up to the last
    episode: AniList writes only that row when the final update also completes the title.
    """
    asked = set(wanted)
    found: dict[int, datetime] = {}
    completed: datetime | None = None
    for activity in sorted(activities, key=lambda a: (a.created_at, a.activity_id)):
        status = activity.status.strip().lower()
        if status.startswith("rewatched"):
            continue
        if activity.last is not None:
            first = activity.last if activity.first is None else activity.first
            for episode in range(max(first, min(asked, default=0)), min(activity.last, max(asked, default=0)) + 1):
                if episode in asked:
                    found.setdefault(episode, activity.created_at - (activity.last - episode) * MINUTE)
        elif status == "completed" and completed is None:
            completed = activity.created_at
    if completed is not None:
        for episode in wanted:
            found.setdefault(episode, completed - (last - episode) * MINUTE)
    return found


def last_moment(entry: ListEntry, zone: tzinfo, now: datetime) -> datetime:
    """When the person was done with a title: noon of its completion day, else its last change on AniList, else now."""
    return _anchor(entry, zone, now)[0]


def _anchor(entry: ListEntry, zone: tzinfo, now: datetime) -> tuple[datetime, str]:
    """The time of the entry's last episode where no activity names it."""
    day = entry.completed.full
    if day is not None and entry.status in ("COMPLETED", "REPEATING") and day.year >= OLDEST_YEAR:
        return _noon(day, zone, now), "completed"
    if entry.updated_at is not None:
        return min(entry.updated_at, now), "updated"
    return now, "planned"


def _noon(day: date, zone: tzinfo, now: datetime) -> datetime:
    """12:00 of that day in the person's zone, or now when that lies ahead."""
    if day.year > now.year + 1:  # also keeps the arithmetic away from the end of the calendar
        return now
    return min(datetime.combine(day, time(12), tzinfo=zone).astimezone(UTC), now)


def _released(entry: ListEntry, wanted: Sequence[int], slots: Mapping[int, Slot]) -> dict[int, datetime]:
    """First aired plus runtime; episodes whose airing is not known are left out."""
    times = {}
    for episode in wanted:
        slot = slots.get(episode)
        aired = slot.first_aired if slot is not None else None
        if aired is None and entry.media.format == "MOVIE":
            aired = first_aired(entry, None)
        if aired is not None:
            runtime = (slot.runtime if slot is not None else None) or entry.media.duration or USUAL_RUNTIME
            times[episode] = aired + runtime * MINUTE
    return times


def _evenly(entry: ListEntry, wanted: Sequence[int], last: int, zone: tzinfo, now: datetime) -> dict[int, datetime]:
    """Spread between start and completion (an entry that goes on: its last change); nothing without both ends."""
    start_day, end_day = entry.started.full, entry.completed.full
    if start_day is None or start_day.year < OLDEST_YEAR:
        return {}
    if end_day is not None and end_day.year >= OLDEST_YEAR:
        end = _noon(end_day, zone, now)
    elif entry.updated_at is not None and entry.status not in ("COMPLETED", "REPEATING"):
        end = min(entry.updated_at, now)
    else:
        return {}
    start = _noon(start_day, zone, now)
    if start > end:
        return {}
    steps = max(last - 1, 1)
    if (end - start) / steps < MINUTE:
        return {episode: end - (last - episode) * MINUTE for episode in wanted}
    return {episode: end - (end - start) * (last - episode) / steps for episode in wanted}
