"""What a run would do: entries + placements + what Trakt has + the ledger -> `Plan` (DESIGN 6 and 7).

Pure and deterministic: it talks to nothing, it only processes data, and the same input gives the same plan in the same
order. "Sent twice?" starts here: an episode becomes a play only when neither the ledger, nor the picture, nor another
entry of this plan has its place.

How one wanted episode is judged, first hit wins:

1. no place: the placement's open range or the refusal says why (needs you, no match known, waiting)
2. a `sending` or `sent` row of this episode: there, whatever the picture shows (reads lag writes)
3. a row of another entry at that place, or a play of this plan: `shared_with`
4. Trakt has a play there: `already_on_trakt`, without a row
5. a held `gone` or `removed` row of this episode, or of this place: held until "send again"
6. a held `rejected` row of this episode at this same place: refused, or waiting while the show goes on
7. watched before the day that the person set: left out
8. else a new play

Rewatches, where they are wanted, come on top of episodes whose first play is there or goes out (`jobs.rewatches`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from itertools import count
from typing import Literal

from jobs import dates, rewatches
from jobs.filters import Filters
from jobs.records import (
    Activity,
    ItemOutcome,
    ListEntry,
    Picture,
    Placement,
    Plan,
    Play,
    Reason,
    Refusal,
    Shape,
    Slot,
)
from jobs.rewatches import Base
from jobs.verdicts import Place, Verdict, item_of, open_verdict, refused_item, with_rewatches

__all__ = [
    "FRESH", "MOVED", "AccountRules", "DateHints", "LedgerRow", "Place", "PlanInputs", "Wanted", "is_misplaced", "place_of", "plan",
    "wanted_of",
]  # fmt: skip

SEEN_THROUGH = frozenset({"COMPLETED", "REPEATING"})
FRESH = timedelta(hours=1)  # how long what we did ourselves outweighs what a reading shows
LOOK_AGAIN = timedelta(days=1)  # a rejected play of a running show is tried once more after this
LEFT_OUT_BY_CHOICE = {"never": Reason.NEVER, "scrobbler": Reason.LEFT_TO_SCROBBLER}
MOVED = "moved"  # reason of a row that a move is about to remove

PlayKind = Literal["episode", "movie"]


@dataclass(frozen=True, slots=True)
class AccountRules:
    """What a person decided about their account."""

    statuses: Collection[str] = ("COMPLETED", "CURRENT", "REPEATING", "PAUSED")
    date_rule: str = "activity"
    send_private: bool = False
    watch_only_once: bool = False  # Trakt's setting: nothing is posted for an episode that has any play
    timezone: str | None = "UTC"
    choices: Mapping[int, str] = field(default_factory=dict)  # anilist_id -> never | scrobbler | ignored
    filters: Filters = field(default_factory=Filters)
    rewatches: Mapping[int, Base] | None = None  # from where on each entry's count; None: rewatches are off


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One row of the ledger, as far as planning looks at it."""

    play_id: int
    anilist_id: int
    episode: int
    kind: str
    trakt_id: int
    season: int
    number: int
    state: str
    nth: int = 1
    target_nth: int = 1
    before: int = 0
    watched_at: datetime | None = None
    date_source: str | None = None
    run_id: int | None = None
    held: bool = True
    claimed: bool = False  # it went out once; its time stays whatever a new plan would say
    sent_at: datetime | None = None
    updated_at: datetime | None = None
    history_id: int | None = None
    reason: str | None = None
    foreign: bool = False  # from an AniList account that is not connected any more: only its place counts

    @property
    def place(self) -> Place:
        return self.kind, self.trakt_id, self.season, self.number


@dataclass(frozen=True, slots=True)
class DateHints:
    """What is known about times: activities by entry, shapes by Trakt show."""

    activities: Mapping[int, Sequence[Activity]] = field(default_factory=dict)
    shapes: Mapping[int, Shape] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlanInputs:
    mode: str  # full, completed, watching, title
    entries: Sequence[ListEntry]
    placements: Mapping[int, Placement | Refusal]
    picture: Picture
    ledger: Sequence[LedgerRow]
    account: AccountRules
    now: datetime
    dates: DateHints = field(default_factory=DateHints)
    force: bool = False  # "send again" for everything that is planned here


@dataclass(frozen=True, slots=True)
class Wanted:
    """Episodes 1..last of an entry belong on Trakt; `above` more were counted than the entry has."""

    last: int
    above: int = 0


def wanted_of(entry: ListEntry, mode: str, statuses: Collection[str]) -> Wanted | None:
    """How far the entry was watched, by mode (DESIGN 7); None when the mode does not ask for it."""
    through = entry.status in SEEN_THROUGH
    if mode == "completed":
        asked = through
    elif mode == "watching":
        asked = entry.status == "CURRENT"
    else:  # what a rewatch counts says nothing about the first time through, so 0 of a rewatch is no 0
        asked = entry.status != "PLANNING" and entry.status in statuses
        asked = asked and (entry.progress > 0 or entry.status == "REPEATING")
    if not asked:
        return None
    length = entry.media.episodes or None
    last = min(entry.progress, length or entry.progress)
    if through:
        last = length or entry.progress
    if last <= 0:
        return None
    return Wanted(last, max(entry.progress - length, 0) if length else 0)


def place_of(placement: Placement, episode: int) -> Place | None:
    """Where an episode stands now; a movie is one play, whatever AniList counts."""
    if placement.kind == "movie":
        return ("movie", placement.trakt_id, 0, 0) if episode == 1 else None
    found = placement.place_of(episode)
    return ("episode", placement.trakt_id, *found) if found else None


def is_misplaced(row: LedgerRow, placement: Placement) -> bool:
    """Whether a play of ours stands elsewhere than the placement says now (DESIGN 5, drift)."""
    if row.state == "removing":
        return row.reason == MOVED
    if row.state not in ("sending", "sent"):
        return False
    kind = "movie" if placement.kind == "movie" else "episode"
    if (row.kind, row.trakt_id) != (kind, placement.trakt_id):
        return True
    place = place_of(placement, row.episode)
    return place is not None and place != row.place


def plan(inputs: PlanInputs) -> Plan:
    """Decide every play of a run, with its time, and what to say of each entry that does not simply go."""
    board = _Board(inputs)
    entries = {entry.anilist_id: entry for entry in inputs.entries}
    plays: list[Play] = []
    items: list[ItemOutcome] = []
    settled: dict[int, int] = {}
    found = already = 0
    for anilist_id in sorted(entries):
        entry = entries[anilist_id]
        wanted = wanted_of(entry, inputs.mode, inputs.account.statuses)
        if wanted is None:
            continue
        found += 1
        item, new, last_abs = board.judge_entry(entry, wanted)
        plays.extend(new)
        if last_abs:
            settled[anilist_id] = last_abs
        if item is None:
            already += 1
            if inputs.mode == "title":
                item = ItemOutcome(anilist_id, "already_on_trakt", None, wanted.last, 0, wanted.last)
        if item is not None:
            items.append(item)
    plays.sort(key=lambda play: (play.target_key, play.source_key))
    return Plan(tuple(plays), tuple(items), found, already, settled)


class _Board:
    """The inputs by the keys that judging asks for, and the places and seconds that this plan has taken so far."""

    def __init__(self, inputs: PlanInputs) -> None:
        self.inputs = inputs
        self.zone: tzinfo = dates.zone_of(inputs.account.timezone)
        self.now = dates.whole(inputs.now)
        self.by_entry: dict[int, list[LedgerRow]] = {}
        self.by_place: dict[Place, list[LedgerRow]] = {}
        self.taken: dict[Place, int] = {}
        self.seconds = dates.Seconds()
        for row in inputs.ledger:
            if not row.foreign:
                self.by_entry.setdefault(row.anilist_id, []).append(row)
            self.by_place.setdefault(row.place, []).append(row)
            if row.watched_at is not None and row.state in ("sending", "sent", "removing"):
                self.seconds.take(row.kind, row.trakt_id, row.watched_at)

    def judge_entry(self, entry: ListEntry, wanted: Wanted) -> tuple[ItemOutcome | None, list[Play], int]:
        """(item or None when nothing needs saying, new plays, highest settled episode)."""
        account, anilist_id = self.inputs.account, entry.anilist_id
        choice = account.choices.get(anilist_id)
        if entry.private and not account.send_private:
            return ItemOutcome(anilist_id, "left_out", Reason.PRIVATE, wanted.last), [], 0
        if choice in LEFT_OUT_BY_CHOICE:
            return ItemOutcome(anilist_id, "left_out", LEFT_OUT_BY_CHOICE[choice], wanted.last), [], 0
        if by := account.filters.leaves_out(entry):
            return ItemOutcome(anilist_id, "left_out", Reason.FILTERED, wanted.last, detail={"by": by}), [], 0

        rows = self.by_entry.get(anilist_id, [])
        placement = self.inputs.placements.get(anilist_id)
        sent_up_to = max((row.episode for row in rows if row.state in ("sending", "sent")), default=0)
        if isinstance(placement, Refusal):
            return refused_item(placement, wanted.last, ignored=choice == "ignored"), [], sent_up_to
        if placement is None:  # nothing was said about it, so nothing may be sent
            return ItemOutcome(anilist_id, "waiting", None, wanted.last), [], sent_up_to
        if any(is_misplaced(row, placement) for row in rows):
            return _misplaced(entry, placement, wanted, rows), [], sent_up_to

        by_episode: dict[int, list[LedgerRow]] = {}
        for row in rows:
            by_episode.setdefault(row.episode, []).append(row)
        last = 1 if placement.kind == "movie" else wanted.last
        old = self._too_old(entry, last)
        verdicts = [self._judge(entry, placement, n, by_episode.get(n, []), n in old) for n in range(1, last + 1)]
        plays = self._plays(entry, placement, last, verdicts, by_episode)
        again = self._again(entry, last, verdicts, by_episode)
        there = [v.episode for v in verdicts if v.outcome in ("ours", "already", "shared_with")]
        above = wanted.above if placement.kind == "show" else 0
        item = item_of(anilist_id, verdicts, last, above, ignored=choice == "ignored")
        return with_rewatches(anilist_id, item, last, len(there), len(again)), plays + again, max(there, default=0)

    def _too_old(self, entry: ListEntry, last: int) -> set[int]:
        """Episodes that were watched before the day that the person set, by the best date that is known."""
        filters = self.inputs.account.filters
        if filters.not_before is None:
            return set()
        activities = self.inputs.dates.activities.get(entry.anilist_id, ())
        times = dates.watched_times(
            entry, range(1, last + 1), "activity", last=last, activities=activities, zone=self.zone, now=self.now
        )
        return {episode for episode, (at, _) in times.items() if filters.too_old(at, self.zone)}

    def _judge(
        self, entry: ListEntry, placement: Placement, episode: int, rows: Sequence[LedgerRow], too_old: bool
    ) -> Verdict:
        place = place_of(placement, episode)
        if any(row.state in ("sending", "sent") for row in rows):
            return Verdict(episode, "ours", place=place)
        if place is None:
            return open_verdict(placement, episode)
        for row in self.by_place.get(place, ()):
            if row.state in ("sending", "sent", "removing") and (row.foreign or row.anilist_id != entry.anilist_id):
                return Verdict(episode, "shared_with", Reason.SHARED_WITH, place, other=row.anilist_id)
        if place in self.taken:
            return Verdict(episode, "shared_with", Reason.SHARED_WITH, place, other=self.taken[place])
        verdict = self._on_trakt(episode, place, rows) or self._held(episode, place, rows)
        if verdict is None and too_old:
            verdict = Verdict(episode, "left_out", Reason.BEFORE_DATE, place)
        if verdict is None:
            self.taken[place] = entry.anilist_id
            verdict = Verdict(episode, "new", place=place)
        return verdict

    def _on_trakt(self, episode: int, place: Place, rows: Sequence[LedgerRow]) -> Verdict | None:
        if not self.inputs.picture.plays_of(*place):
            return None
        for row in rows:  # our own removal may not show in this reading yet: neither there nor gone
            if row.state == "removed" and not self._holds(row) and row.place == place and row.updated_at is not None:
                due = row.updated_at + FRESH
                if self.inputs.picture.began_at < due:
                    return Verdict(episode, "waiting", Reason.HELD, place, due)
        return Verdict(episode, "already", place=place)

    def _holds(self, row: LedgerRow) -> bool:
        return row.held and not self.inputs.force

    def _held(self, episode: int, place: Place, rows: Sequence[LedgerRow]) -> Verdict | None:
        for row in (*rows, *self.by_place.get(place, ())):
            if row.state in ("gone", "removed", "removing") and (self._holds(row) or row.state == "removing"):
                return Verdict(episode, "held", Reason.HELD, place)
        refusals = [row for row in rows if row.state == "rejected" and self._holds(row) and row.place == place]
        if not refusals:
            return None
        due = self._due(place, refusals)
        if due is None:
            return Verdict(episode, "refused", Reason.TRAKT_REFUSED, place)
        if due > self.now:
            return Verdict(episode, "waiting", Reason.TRAKT_REFUSED, place, due)
        return None

    def _due(self, place: Place, refusals: Sequence[LedgerRow]) -> datetime | None:
        """When a rejected play is tried again: never for a movie or an ended show, else a day later or once it aired."""
        shape = self.inputs.dates.shapes.get(place[1]) if place[0] == "episode" else None
        since = max((row.updated_at for row in refusals if row.updated_at is not None), default=None)
        if shape is None or shape.ended or since is None:
            return None
        aired = next((s.first_aired for s in shape.seasons.get(place[2], ()) if s.number == place[3]), None)
        return aired if aired is not None and aired > since else since + LOOK_AGAIN

    def _plays(
        self,
        entry: ListEntry,
        placement: Placement,
        last: int,
        verdicts: Sequence[Verdict],
        by_episode: Mapping[int, Sequence[LedgerRow]],
    ) -> list[Play]:
        new = {v.episode: v.place for v in verdicts if v.outcome == "new" and v.place is not None}
        if not new:
            return []
        slots = self._slots(placement, new)
        times = dates.watched_times(
            entry,
            new,
            self.inputs.account.date_rule,
            last=last,
            activities=self.inputs.dates.activities.get(entry.anilist_id, ()),
            slots=slots,
            zone=self.zone,
            now=self.now,
        )
        plays = []
        for episode in sorted(new, reverse=True):  # the last one keeps its very second
            kind, trakt_id, season, number = new[episode]
            at, source = times[episode]
            for row in by_episode.get(episode, ()):
                if row.state == "planned" and row.claimed and row.place == new[episode]:
                    at, source = row.watched_at, row.date_source or source
            if at is not None:
                aired = dates.first_aired(entry, slots.get(episode))
                at = self.seconds.free(kind, trakt_id, at, aired=aired, now=self.now)
            before = self.inputs.picture.plays_of(kind, trakt_id, season, number)
            play_kind: PlayKind = "movie" if kind == "movie" else "episode"
            plays.append(Play(entry.anilist_id, episode, 1, play_kind, trakt_id, season, number, 1, before, at, source))
        return plays

    def _again(
        self, entry: ListEntry, last: int, verdicts: Sequence[Verdict], by_episode: Mapping[int, Sequence[LedgerRow]]
    ) -> list[Play]:
        """Plays of episodes that were seen again; none of an episode whose first play is open or held back."""
        account = self.inputs.account
        if account.rewatches is None or account.watch_only_once:
            return []
        base = account.rewatches.get(entry.anilist_id, Base())
        activities = self.inputs.dates.activities.get(entry.anilist_id, ())
        plays: list[Play] = []
        for verdict in sorted(verdicts, key=lambda v: -v.episode):  # the last one keeps its very second
            wanted, place = rewatches.wanted_plays(entry, verdict.episode, base), verdict.place
            if wanted < 2 or place is None or verdict.outcome not in ("new", "ours", "already"):
                continue
            rows = by_episode.get(verdict.episode, ())
            here = [r for r in self.by_place.get(place, ()) if r.state in ("sending", "sent", "removing")]
            own = {r.nth for r in rows if r.state in ("sending", "sent", "removing") or self._keeps_back(r)}
            own |= {1} if verdict.outcome == "new" else set()
            on_trakt = self.inputs.picture.plays_of(*place)
            used = {r.target_nth for r in here} | ({1} if verdict.outcome == "new" else set())
            beyond = sum(r.nth > wanted for r in here if r.anilist_id == entry.anilist_id)  # `repeat` was higher once
            for nth in rewatches.missing(wanted, own, max(on_trakt - len(here), 0) + beyond):
                if nth == 1:
                    continue
                target_nth = nth if nth not in used else next(n for n in count(1) if n not in used)
                used.add(target_nth)
                at, source = self._seen_again(entry, verdict.episode, nth, base, wanted, last, activities, place, rows)
                before = on_trakt + sum(p.episode == verdict.episode for p in plays) + (verdict.outcome == "new")
                kind: PlayKind = "movie" if place[0] == "movie" else "episode"
                plays.append(
                    Play(entry.anilist_id, verdict.episode, nth, kind, *place[1:], target_nth, before, at, source)
                )
        return plays

    def _keeps_back(self, row: LedgerRow) -> bool:
        return row.state in ("gone", "removed", "rejected") and self._holds(row)

    def _seen_again(
        self, entry: ListEntry, episode: int, nth: int, base: Base, wanted: int, last: int,
        activities: Sequence[Activity], place: Place, rows: Sequence[LedgerRow],
    ) -> tuple[datetime | None, str]:  # fmt: skip
        """The time of a rewatch, by the account's rule where that says anything of rewatches: "unknown" and "now"."""
        rule = self.inputs.account.date_rule
        if rule == "unknown":
            return None, rule
        at, source = rewatches.rewatched_at(entry, episode, nth, base, wanted=wanted, last=last, activities=activities)
        if rule == "now" and nth > base.past + 1:
            at, source = self.now - (last - episode) * dates.MINUTE, rule
        for row in rows:
            if row.state == "planned" and row.claimed and row.nth == nth and row.place == place:
                at, source = row.watched_at, row.date_source or source
        if at is None:
            return None, source
        aired = dates.first_aired(entry, None)
        at = dates.bounded(at, aired, self.now)
        return self.seconds.free(place[0], place[1], at, aired=aired, now=self.now), source

    def _slots(self, placement: Placement, new: Mapping[int, Place]) -> dict[int, Slot]:
        shape = self.inputs.dates.shapes.get(placement.trakt_id)
        if shape is None or placement.kind == "movie":
            return {}
        listed = {(s, slot.number): slot for s, slots in shape.seasons.items() for slot in slots}
        return {n: listed[place[2], place[3]] for n, place in new.items() if (place[2], place[3]) in listed}


def _misplaced(entry: ListEntry, placement: Placement, wanted: Wanted, rows: Iterable[LedgerRow]) -> ItemOutcome:
    stands = sorted((r for r in rows if r.state in ("sending", "sent", "removing")), key=lambda r: r.episode)
    there = {row.episode for row in stands}
    moves = [
        {"episode": row.episode, "stands": list(row.place), "belongs": list(place_of(placement, row.episode) or ())}
        for row in stands
        if is_misplaced(row, placement)
    ]
    last = 1 if placement.kind == "movie" else wanted.last
    waiting = [n for n in range(1, last + 1) if n not in there]
    return ItemOutcome(
        entry.anilist_id, "misplaced", Reason.MISPLACED, last, 0, len(there), {"moves": moves, "waiting": len(waiting)}
    )
