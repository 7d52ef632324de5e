"""What is wrong in a Trakt history: plays that are there more than once, and plays counted from S1E1. Pure.

Both are suspicions with a likely cause; nothing here decides that a play goes, a person does (`/history/repair`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from jobs.records import Placement, Shape

DAY = timedelta(days=1)
SHARE = 0.5  # of an entry's misleading episodes that must stand there before anything is said of it
Place = tuple[str, int, int, int]  # kind, Trakt id, season, number; movies have season and number 0


class Cause(StrEnum):
    """The likely cause of a finding; each has its sentence in `webapp/wordlist.py`."""

    POSTED_AGAIN = "posted_again"  # the same episode at the same second: a tool sent it once more
    TWO_TRACKERS = "two_trackers"  # within a day, in two ways (scrobbled and marked as watched)
    WITHIN_A_DAY = "within_a_day"  # within a day, in one way
    FROM_S1E1 = "from_s1e1"  # stands where counting from S1E1 leads, while its entry belongs elsewhere


class Event(Protocol):
    """One watched event of the history. `watched_at` None: unknown."""

    @property
    def history_id(self) -> int: ...
    @property
    def watched_at(self) -> datetime | None: ...
    @property
    def action(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def trakt_id(self) -> int: ...
    @property
    def season(self) -> int: ...
    @property
    def number(self) -> int: ...
    @property
    def title(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Stands:
    """Where a watched episode of an entry belongs, and where counting from S1E1 would have put it (None: nowhere)."""

    anilist_id: int
    episode: int
    right: Place
    counted: Place | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One play that may be too many, or at a wrong place."""

    cause: Cause
    event: Event
    keeps: int | None = None  # history id of the play of the same episode that stays
    anilist_id: int | None = None
    episode: int | None = None
    to: Place | None = None  # where it belongs; None: it only has to go


def place_of(event: Event) -> Place:
    return event.kind, event.trakt_id, event.season, event.number


def stands(placement: Placement, watched: int, shape: Shape | None) -> list[Stands]:
    """The first `watched` episodes of a placed entry; movies have one."""
    if placement.kind == "movie":
        return [Stands(placement.anilist_id, 1, ("movie", placement.trakt_id, 0, 0), None)] if watched else []
    regular = shape.regular() if shape else []
    found = []
    for episode in range(1, watched + 1):
        place = placement.place_of(episode)
        if place is None:
            continue
        counted: Place | None = None
        if episode <= len(regular):
            season, slot = regular[episode - 1]
            counted = ("episode", placement.trakt_id, season, slot.number)
        right: Place = ("episode", placement.trakt_id, *place)
        found.append(Stands(placement.anilist_id, episode, right, None if counted == right else counted))
    return found


def examine(events: Iterable[Event], entries: Sequence[Sequence[Stands]]) -> list[Finding]:
    """Findings of a whole history, given where the episodes of each watched entry stand. Deterministic.

    An event is in one finding at most. Of several plays of an episode the earliest stays.
    """
    places: dict[Place, list[Event]] = {}
    for event in sorted(events, key=lambda event: event.history_id):
        places.setdefault(place_of(event), []).append(event)
    found: list[Finding] = []
    for place, here in places.items():
        doubles = _doubles(here)
        found.extend(doubles)
        gone = {finding.event.history_id for finding in doubles}
        places[place] = [event for event in here if event.history_id not in gone]
    return found + _misplaced(places, entries)


def _doubles(here: Sequence[Event]) -> list[Finding]:
    """Plays of one episode that follow another within a day, in the order of their times."""
    dated = sorted(
        ((event.watched_at, event.history_id, event) for event in here if event.watched_at is not None),
        key=lambda row: row[:2],
    )
    found: list[Finding] = []
    kept: tuple[datetime, Event] | None = None
    for at, _, event in dated:
        if kept is None or at - kept[0] >= DAY:
            kept = at, event
            continue
        if at.replace(microsecond=0) == kept[0].replace(microsecond=0):
            cause = Cause.POSTED_AGAIN
        else:
            cause = Cause.WITHIN_A_DAY if event.action == kept[1].action else Cause.TWO_TRACKERS
        found.append(Finding(cause, event, keeps=kept[1].history_id))
    return found


def _misplaced(places: Mapping[Place, Sequence[Event]], entries: Sequence[Sequence[Stands]]) -> list[Finding]:
    """Plays that nobody's right place explains, at the places to which an entry's episodes would have been counted.

    An entry is named only when at least half of its misleading episodes stand wrong: one stray play says nothing.
    """
    explained = Counter(row.right for rows in entries for row in rows)
    spare = {place: list(here)[explained[place] :] for place, here in places.items()}
    found: list[Finding] = []
    for rows in entries:
        misleading = [row for row in rows if row.counted is not None]
        wrong = [row for row in misleading if row.counted is not None and spare.get(row.counted)]
        if not wrong or len(wrong) < len(misleading) * SHARE:
            continue
        for row in wrong:
            assert row.counted is not None
            event = spare[row.counted].pop()  # the youngest: what was there first belongs there first
            to = None if places.get(row.right) else row.right
            found.append(Finding(Cause.FROM_S1E1, event, None, row.anilist_id, row.episode, to))
    return found
