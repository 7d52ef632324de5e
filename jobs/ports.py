"""What posting, settling, undo and moves ask of a run and of Trakt: the run context and the client fit by shape.

`jobs.runstate.RunContext` and `jobs.targets.trakt.Trakt` are the real ones; tests bring their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from jobs.records import ItemOutcome, Picture, Play, Receipt
from jobs.said import Said


class Claimant(Protocol):
    """Who writes: one attempt of one run."""

    @property
    def run_id(self) -> int: ...
    @property
    def user_id(self) -> int: ...
    @property
    def attempt(self) -> int: ...


class Reports(Protocol):
    """Where a run says how far it is."""

    def phase(self, name: str, total: int = 0) -> None: ...
    def step(self, done: int) -> None: ...
    def log(self, level: str, message: Said) -> None: ...
    def item(self, item: ItemOutcome, *, sent: int = 0, rejected: int = 0) -> None: ...


class Running(Claimant, Protocol):
    """A claimed run that can be told to stop."""

    @property
    def progress(self) -> Reports: ...
    @property
    def result(self) -> dict[str, Any]: ...
    def cancelled(self) -> bool: ...
    def stopping(self) -> bool: ...


class HistoryRow(Protocol):
    """One watched event of Trakt's history."""

    @property
    def history_id(self) -> int: ...
    @property
    def watched_at(self) -> datetime | None: ...
    @property
    def season(self) -> int: ...
    @property
    def number(self) -> int: ...


class Removal(Protocol):
    """What came of one request that removes plays by history id."""

    @property
    def status(self) -> Literal["applied", "refused", "doubt"]: ...
    @property
    def deleted(self) -> int: ...
    @property
    def not_found(self) -> Sequence[Any]: ...
    @property
    def code(self) -> str | None: ...
    @property
    def detail(self) -> str: ...


class TraktHistory(Protocol):
    """The part of the Trakt client that knows plays."""

    def picture(self, account_id: str) -> Picture: ...
    def post_plays(self, plays: Sequence[Play]) -> Receipt: ...
    def remove_history(self, ids: Sequence[int]) -> Removal: ...
    def show_history(
        self, trakt_id: int, start_at: datetime | None, end_at: datetime | None
    ) -> Sequence[HistoryRow]: ...
    def movie_history(
        self, trakt_id: int, start_at: datetime | None, end_at: datetime | None
    ) -> Sequence[HistoryRow]: ...
