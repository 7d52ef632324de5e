"""What a run says of itself while it works: counters, log lines, request counts, items. The only writer of these.

Nothing here opens a transaction inside another one: what cannot be written now waits for the next call.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, update

from jobs.errors import LostClaim
from jobs.records import ItemOutcome, to_json
from jobs.said import Said, parts_of, said
from jobs.storing import changed_rows
from webapp.database import transaction, upsert
from webapp.extensions import db
from webapp.models import Log, RequestCount, Run, RunItem, utcnow

LOGGER = logging.getLogger("tsuzuki.run")
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
EVERY_SECONDS = 0.5  # counters are written at most twice a second
LINES_PER_RUN = 5_000
BATCH = 200


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One row of `run_items`: the plan's outcome and what came of it."""

    item: ItemOutcome
    sent: int = 0
    rejected: int = 0


class Progress:
    """Buffers in memory and writes in short transactions `AND attempt = :mine`.

    `count` may be called from any thread; everything else belongs to the thread that made this object.
    Writing raises `LostClaim` when another worker has taken the run over.
    """

    def __init__(
        self,
        run_id: int,
        user_id: int,
        attempt: int,
        *,
        lines: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.run_id = run_id
        self.user_id = user_id
        self.attempt = attempt
        self._clock = clock
        self._lock = threading.Lock()
        self._thread = threading.get_ident()
        self._written_at = clock()
        self._counters: dict[str, Any] = {}
        self._lines: list[tuple[str, Said, datetime]] = []
        self._line_count = lines  # lines of earlier attempts count too
        self._requests: dict[str, list[float]] = {}  # service -> [requests, seconds waited]
        self._items: dict[int, ItemRow] = {}

    def phase(self, name: str, total: int = 0) -> None:
        """Begin a stage: shown as "done of total" (0: not known)."""
        with self._lock:
            self._counters = {"phase": name, "done": 0, "total": total}
        self._flush_when(due=True)

    def step(self, done: int, total: int | None = None) -> None:
        """So many of the stage's total are done."""
        with self._lock:
            self._counters["done"] = done
            if total is not None:
                self._counters["total"] = total
        self._flush_when(due=self._is_due())

    def log(self, level: str, message: Said) -> None:
        """One line of the run's log; level debug, info, warning or error. No secrets: clients never give any."""
        LOGGER.log(LEVELS[level], message, extra={"run_id": self.run_id})
        with self._lock:
            self._line_count += 1
            if self._line_count > LINES_PER_RUN:
                return
            self._lines.append((level, message, utcnow()))
            if self._line_count == LINES_PER_RUN:
                self._lines.append(
                    ("warning", said("This run has logged enough; further lines are left out."), utcnow())
                )
        self._flush_when(due=level == "error" or self._is_due())

    def count(self, service: str, waited: float) -> None:
        """One request left for `service` after waiting so many seconds for its turn."""
        with self._lock:
            sums = self._requests.setdefault(service, [0, 0.0])
            sums[0] += 1
            sums[1] += waited

    def item(self, item: ItemOutcome, *, sent: int = 0, rejected: int = 0) -> None:
        """What became of one entry; a later call for the same entry replaces the row."""
        with self._lock:
            self._items[item.anilist_id] = ItemRow(item, sent, rejected)
            full = len(self._items) >= BATCH
        self._flush_when(due=full)

    def flush(self) -> None:
        """Write everything now. Raises `LostClaim`; does nothing inside another open transaction."""
        self._flush_when(due=True)

    def _is_due(self) -> bool:
        return self._clock() - self._written_at >= EVERY_SECONDS or len(self._lines) >= BATCH

    def _flush_when(self, *, due: bool) -> None:
        if not due or threading.get_ident() != self._thread or db.session().in_transaction():
            return
        self._written_at = self._clock()
        with self._lock:
            counters, self._counters = self._counters, {}
            lines, self._lines = self._lines, []
            requests, self._requests = self._requests, {}
            items, self._items = self._items, {}
        if not (counters or lines or requests or items):
            return
        with transaction() as session:
            # every statement below belongs to this attempt: the row lock of this UPDATE holds until the commit
            mine = update(Run).where(Run.id == self.run_id, Run.attempt == self.attempt, Run.status == "running")
            if not changed_rows(session, mine.values(**(counters or {"attempt": self.attempt}))):
                raise LostClaim(f"run {self.run_id} is no longer attempt {self.attempt}")
            if lines:
                session.execute(insert(Log), [self._log_row(*line) for line in lines])
            for service, (number, waited) in requests.items():
                session.execute(self._request_upsert(service, int(number), round(waited * 1000)))
            for row in items.values():
                session.execute(self._item_upsert(row))

    def _log_row(self, level: str, message: Said, created_at: datetime) -> dict[str, Any]:
        return {
            "user_id": self.user_id,
            "run_id": self.run_id,
            "level": level,
            "message": str(message),
            "said": parts_of(message),
            "created_at": created_at,
        }

    def _request_upsert(self, service: str, requests: int, waited_ms: int) -> Any:
        statement = upsert(RequestCount).values(
            run_id=self.run_id, service=service, requests=requests, waited_ms=waited_ms
        )
        return statement.on_conflict_do_update(
            index_elements=["run_id", "service"],
            set_={
                "requests": RequestCount.requests + statement.excluded.requests,
                "waited_ms": RequestCount.waited_ms + statement.excluded.waited_ms,
            },
        )

    def _item_upsert(self, row: ItemRow) -> Any:
        item = row.item
        values = {
            "outcome": item.outcome,
            "reason": str(item.reason) if item.reason else None,
            "wanted": item.wanted,
            "sent": row.sent,
            "already": item.already,
            "rejected": row.rejected,
            "detail": to_json({**item.detail, "new": item.new}) if item.new else to_json(item.detail),
        }
        statement = upsert(RunItem).values(
            run_id=self.run_id, user_id=self.user_id, anilist_id=item.anilist_id, **values
        )
        return statement.on_conflict_do_update(index_elements=["run_id", "anilist_id"], set_=values)
