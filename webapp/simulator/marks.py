"""What an account has beside its history: ratings, the watchlist and dropped shows, with their times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

MarkKind = Literal["rating", "watchlist", "dropped"]
Target = tuple[str, int, int, int]  # movie, show, season or episode; Trakt id; season; number
GROUPS = {"movie": "movies", "show": "shows", "season": "seasons", "episode": "episodes"}
MOVES = {"rating": "rated_at", "watchlist": "watchlisted_at", "dropped": "dropped_at"}


@dataclass(slots=True)
class Mark:
    """One of them; `value` is the rating, `at` when it was set, as Trakt shows it; times in epoch seconds."""

    id: int
    kind: MarkKind
    target: Target
    value: int | None
    at: float
    inserted_at: float
    removed_at: float | None = None

    def seen_at(self, moment: float | None) -> bool:
        """Does a reading of the state at `moment` (None: now) show it?"""
        if moment is None:
            return self.removed_at is None
        return self.inserted_at <= moment and (self.removed_at is None or self.removed_at > moment)


class Marks:
    """All marks of one account, removed ones too, since reads may lag."""

    def __init__(self) -> None:
        self.rows: list[Mark] = []
        self.moved: dict[str, float] = {}  # of last_activities: "shows.rated_at" -> time

    def living(self, kind: str, moment: float | None = None) -> Iterator[Mark]:
        return (mark for mark in self.rows if mark.kind == kind and mark.seen_at(moment))

    def find(self, kind: str, target: Target) -> Mark | None:
        return next((mark for mark in self.living(kind) if mark.target == target), None)

    def put(self, kind: MarkKind, target: Target, value: int | None, at: float, now: float) -> bool:
        """Set it, over an older one; whether it is new."""
        before = self.find(kind, target)
        if before is not None:
            before.removed_at = now
        self.rows.append(Mark(len(self.rows) + 1, kind, target, value, at, now))
        self._move(kind, target, now)
        return before is None

    def remove(self, kind: str, target: Target, now: float) -> bool:
        """Take it away; whether it was there."""
        mark = self.find(kind, target)
        if mark is None:
            return False
        mark.removed_at = now
        self._move(kind, target, now)
        return True

    def _move(self, kind: str, target: Target, now: float) -> None:
        names = [f"{GROUPS[target[0]]}.{MOVES[kind]}"] + (["watchlist.updated_at"] if kind == "watchlist" else [])
        for name in names:
            self.moved[name] = max(self.moved.get(name, 0.0) + 0.001, now)
