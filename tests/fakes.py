"""A Trakt in memory that behaves as its client does: lagging reads, lost answers, refusals, `not_found`.

It implements the interface of `jobs.targets.trakt.Trakt` that posting, settling, undo and moves use, and a run context
and a clock to go with it. Time stands still until a test moves it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from jobs.records import ItemOutcome, Picture, Play, Receipt, Watched

Place = tuple[str, int, int, int]


@dataclass
class FakeClock:
    """`clock()` is now; `clock.move(60)` is a minute later."""

    now: datetime = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Event:
    """One watched event, with the time it was added and the time it was taken away."""

    history_id: int
    place: Place
    watched_at: datetime | None
    added: datetime
    removed: datetime | None = None
    by: str = "us"


@dataclass(frozen=True)
class FakeHistoryRow:
    history_id: int
    watched_at: datetime | None
    season: int
    number: int


@dataclass(frozen=True)
class FakeRemoval:
    status: Literal["applied", "refused", "doubt"]
    deleted: int = 0
    not_found: tuple[int, ...] = ()
    code: str | None = None
    detail: str = ""


def refused(code: str | None, status: int | None = None, retry_after: float | None = None) -> Receipt:
    """A receipt of a request that Trakt did not take."""
    return Receipt("refused", http_status=status, code=code, detail="refused", retry_after=retry_after)


@dataclass
class FakeTrakt:
    """One account. `faults` are used up by the next posts, `removal_faults` by the next removals.

    Faults: "ok", "lost" (applied, no answer), "dropped" (not applied, no answer), "half" (half applied, no answer), "html"
    (applied, 200 that can't be read), "late" (no answer, applied half a minute later), or a receipt.
    """

    clock: FakeClock
    account_id: str = "trakt-uuid"
    lag: float = 0.0  # seconds that readings are behind
    events: list[Event] = field(default_factory=list)
    faults: list[str | Receipt] = field(default_factory=list)
    removal_faults: list[str | FakeRemoval] = field(default_factory=list)
    unknown: set[Place] = field(default_factory=set)  # places that Trakt does not list
    posts: list[list[Play]] = field(default_factory=list)
    removals: list[list[int]] = field(default_factory=list)
    reads: list[tuple[Any, ...]] = field(default_factory=list)
    step: Callable[[str], None] = lambda _name: None  # called before and after everything; may raise
    elapsed: float = 0.5
    _next_id: int = 3_000_000_000

    # what a person, or a scrobbler, does on Trakt
    def add(self, place: Place, watched_at: datetime | None, by: str = "person") -> int:
        self._next_id += 1
        self.events.append(Event(self._next_id, place, watched_at, self.clock.now, by=by))
        return self._next_id

    def take_away(self, place: Place) -> None:
        for event in self.events:
            if event.place == place and event.removed is None:
                event.removed = self.clock.now

    def plays(self) -> dict[Place, int]:
        """What is really there now, whatever readings show."""
        found: dict[Place, int] = {}
        for event in self.events:
            if event.removed is None:
                found[event.place] = found.get(event.place, 0) + 1
        return found

    def at(self, place: Place) -> list[datetime | None]:
        return [event.watched_at for event in self.events if event.place == place and event.removed is None]

    # the client
    def picture(self, account_id: str) -> Picture:
        self.reads.append(("picture",))
        self.step("read")
        began = self.clock.now
        episodes: dict[tuple[int, int, int], Watched] = {}
        movies: dict[int, Watched] = {}
        for event in self._visible():
            kind, trakt_id, season, number = event.place
            if kind == "movie":
                movies[trakt_id] = Watched(movies.get(trakt_id, Watched(0)).plays + 1, event.watched_at)
            else:
                key = trakt_id, season, number
                episodes[key] = Watched(episodes.get(key, Watched(0)).plays + 1, event.watched_at)
        return Picture(account_id, began, {"episodes": "", "movies": ""}, episodes, movies)

    def post_plays(self, plays: Sequence[Play]) -> Receipt:
        self.step("before post")
        fault = self.faults.pop(0) if self.faults else "ok"
        if isinstance(fault, Receipt):
            return fault
        self.posts.append(list(plays))
        known = [p for p in plays if (p.kind, p.trakt_id, p.season, p.number) not in self.unknown]
        applied = {"dropped": 0, "half": len(known) // 2}.get(fault, len(known))
        for play in known[:applied]:
            self.add((play.kind, play.trakt_id, play.season, play.number), play.watched_at, "us")
            if fault == "late":
                self.events[-1].added += timedelta(seconds=30)
        self.step("after post")
        if fault == "html":
            return Receipt("doubt", http_status=200, detail="HTML instead of JSON", elapsed=self.elapsed)
        if fault in ("lost", "dropped", "half", "late"):
            return Receipt("doubt", http_status=502 if fault == "lost" else None, detail=fault, elapsed=self.elapsed)
        missing = [
            {"ids": {"trakt": p.trakt_id}} for p in plays if (p.kind, p.trakt_id, p.season, p.number) in self.unknown
        ]
        return Receipt(
            "doubt" if missing else "applied",
            added=applied,
            http_status=201,
            not_found=missing,
            elapsed=self.elapsed,
            readable=True,
        )

    def remove_history(self, ids: Sequence[int]) -> FakeRemoval:
        self.step("before removal")
        fault = self.removal_faults.pop(0) if self.removal_faults else "ok"
        if isinstance(fault, FakeRemoval):
            return fault
        self.removals.append(list(ids))
        live = {event.history_id: event for event in self.events if event.removed is None}
        missing = tuple(history_id for history_id in ids if history_id not in live)
        if fault != "dropped":
            for history_id in set(ids) & set(live):
                live[history_id].removed = self.clock.now
        self.step("after removal")
        if fault in ("dropped", "lost"):
            return FakeRemoval("doubt", detail=fault)
        return FakeRemoval("applied", len(ids) - len(missing), missing)

    def show_history(self, trakt_id: int, start_at: datetime | None, end_at: datetime | None) -> list[FakeHistoryRow]:
        return self._history("episode", trakt_id, start_at, end_at)

    def movie_history(self, trakt_id: int, start_at: datetime | None, end_at: datetime | None) -> list[FakeHistoryRow]:
        return self._history("movie", trakt_id, start_at, end_at)

    def _history(
        self, kind: str, trakt_id: int, start_at: datetime | None, end_at: datetime | None
    ) -> list[FakeHistoryRow]:
        self.reads.append((kind, trakt_id))
        self.step("read")
        rows = [event for event in self._visible() if event.place[:2] == (kind, trakt_id)]
        return [
            FakeHistoryRow(event.history_id, event.watched_at, event.place[2], event.place[3])
            for event in reversed(rows)
            if event.watched_at is None
            or ((start_at or event.watched_at) <= event.watched_at <= (end_at or event.watched_at))
        ]

    def _visible(self) -> list[Event]:
        seen = self.clock.now - timedelta(seconds=self.lag)
        return [e for e in self.events if e.added <= seen and (e.removed is None or e.removed > seen)]


@dataclass
class FakeReports:
    """Keeps what a run says."""

    phases: list[tuple[str, int]] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    items: dict[int, tuple[ItemOutcome, int, int]] = field(default_factory=dict)
    done: int = 0

    def phase(self, name: str, total: int = 0) -> None:
        self.phases.append((name, total))

    def step(self, done: int) -> None:
        self.done = done

    def log(self, level: str, message: str) -> None:
        self.lines.append((level, message))

    def item(self, item: ItemOutcome, *, sent: int = 0, rejected: int = 0) -> None:
        self.items[item.anilist_id] = (item, sent, rejected)


@dataclass
class FakeRun:
    """A claimed run. `cancel_after` and `stop_after` count the looks between two requests."""

    run_id: int
    user_id: int
    attempt: int = 1
    progress: FakeReports = field(default_factory=FakeReports)
    result: dict[str, Any] = field(default_factory=dict)
    cancel_after: int | None = None
    stop_after: int | None = None
    looks: int = 0

    def cancelled(self) -> bool:
        self.looks += 1
        return self.cancel_after is not None and self.looks > self.cancel_after

    def stopping(self) -> bool:
        return self.stop_after is not None and self.looks > self.stop_after
