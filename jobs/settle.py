"""Doubt, settled play by play before anything else is sent (DESIGN 6.4).

"There" counts at once. "Not there" counts only when two readings at least TRAKT_SETTLE_SECONDS apart agree, because
Trakt's reads lag its writes; in between the run parks (`Settling`) and the first reading stands in the database. After both,
a play goes back to `planned` when no readable answer came, and is `rejected` when Trakt answered without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app

from jobs import ledger
from jobs.dates import whole
from jobs.errors import Settling
from jobs.ledger import Doubtful
from jobs.ports import HistoryRow, Running, TraktHistory
from jobs.said import counted, said
from webapp.models import utcnow

HISTORY_TITLES = 20  # more titles than this: one new picture is cheaper than their histories
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the doubtful plays of an account."""

    sent: int = 0
    planned: int = 0
    rejected: int = 0


def settle(ctx: Running, trakt: TraktHistory, *, clock: Clock = utcnow) -> Settled:
    """Settle every `sending` row of the account. Raises `Settling(seconds)` while a second look is due, `LostClaim`, and what the client raises."""
    account = ledger.accounts(ctx.user_id).target
    pause = timedelta(seconds=current_app.config["TSUZUKI"].TRAKT_SETTLE_SECONDS)
    total = Settled()
    while rows := ledger.doubtful(ctx.user_id, account):
        now = clock()
        _wait_for_deadline(ctx, rows, now)
        due = [row for row in rows if row.absent_since is None or now >= row.absent_since + pause]
        if due:
            ctx.progress.phase("settling", len(due))
            total = _look(ctx, trakt, account, due, total, clock)
        waiting = [row.absent_since for row in ledger.doubtful(ctx.user_id, account) if row.absent_since is not None]
        seconds = max(((at + pause - clock()).total_seconds() for at in waiting), default=0.0)
        if seconds > 0:
            raise Settling(
                counted(
                    "%(num)s play did not show on Trakt; it is looked for once more",
                    "%(num)s plays did not show on Trakt; they are looked for once more",
                    len(waiting),
                ),
                service="trakt",
                seconds=seconds,
            )
    if total != Settled():
        before = ctx.result.get("settled") or {"arrived": 0, "again": 0}  # the run's page says it in a sentence
        ctx.result["settled"] = {"arrived": before["arrived"] + total.sent, "again": before["again"] + total.planned}
        ctx.progress.log(
            "info",
            said(
                "Looked for plays whose answer was lost. On Trakt: %(sent)s; sent again: %(planned)s; refused: %(rejected)s.",
                sent=total.sent,
                planned=total.planned,
                rejected=total.rejected,
            ),
        )
    return total


def _wait_for_deadline(ctx: Running, rows: Sequence[Doubtful], now: datetime) -> None:
    """A POST of an earlier attempt without a recorded answer may still land until its deadline."""
    open_until = [
        ledger.write_deadline(row.claimed_at)
        for row in rows
        if row.reason is None
        and row.absent_since is None
        and row.claimed_at is not None
        and (row.run_id, row.attempt) != (ctx.run_id, ctx.attempt)
    ]
    seconds = max(((until - now).total_seconds() for until in open_until), default=0.0)
    if seconds > 0:
        raise Settling(said("a request of an earlier worker may still arrive"), service="trakt", seconds=seconds)


def _look(
    ctx: Running, trakt: TraktHistory, account: str, rows: Sequence[Doubtful], total: Settled, clock: Clock
) -> Settled:
    """One reading of these rows, by history where that decides, else by a new picture."""
    titles = {(row.kind, row.trakt_id) for row in rows if row.watched_at is not None}
    by_history: dict[tuple[str, int], list[Doubtful]] = {}
    by_picture = []
    for row in rows:
        # by the picture a play is there when Trakt has more than before: that says little where it had some already
        if row.watched_at is not None and (len(titles) <= HISTORY_TITLES or row.before):
            by_history.setdefault((row.kind, row.trakt_id), []).append(row)
        else:
            by_picture.append(row)
    known = ledger.known_history_ids(ctx.user_id, account, by_history)
    done = 0
    for (kind, trakt_id), some in by_history.items():
        found = find_by_time(trakt, kind, trakt_id, some, known)
        total = _record(ctx, some, dict(found), total, clock)
        done += len(some)
        ctx.progress.step(done)
    if by_picture:
        picture = trakt.picture(account)
        there: dict[int, int | None] = {
            row.play_id: None
            for row in by_picture
            if picture.plays_of(row.kind, row.trakt_id, row.season, row.number) > row.before
        }
        total = _record(ctx, by_picture, there, total, clock)
    return total


def find_by_time(
    trakt: TraktHistory, kind: str, trakt_id: int, rows: Sequence[Doubtful], known: Iterable[int]
) -> dict[int, int]:
    """History ids of the rows that stand on Trakt with exactly their time: play id -> history id."""
    times = [row.watched_at for row in rows if row.watched_at is not None]
    events = history_of(trakt, kind, trakt_id, min(times), max(times))
    taken = set(known)
    found: dict[int, int] = {}
    for row in rows:
        for event in events:
            if (
                event.watched_at is not None
                and row.watched_at is not None
                and whole(event.watched_at) == whole(row.watched_at)
                and (kind == "movie" or (event.season, event.number) == (row.season, row.number))
                and event.history_id not in taken
            ):
                taken.add(event.history_id)
                found[row.play_id] = event.history_id
                break
    return found


def history_of(
    trakt: TraktHistory, kind: str, trakt_id: int, start_at: datetime | None, end_at: datetime | None
) -> Sequence[HistoryRow]:
    """All watched events of a title between two moments, both included; oldest id first."""
    read = trakt.movie_history if kind == "movie" else trakt.show_history
    return sorted(read(trakt_id, start_at, end_at), key=lambda event: event.history_id)


def _record(
    ctx: Running, rows: Sequence[Doubtful], there: dict[int, int | None], total: Settled, clock: Clock
) -> Settled:
    at = clock()
    absent = [row for row in rows if row.play_id not in there]
    first = [row.play_id for row in absent if row.absent_since is None]
    again = [row.play_id for row in absent if row.absent_since is not None and not row.answered]
    refused = [row.play_id for row in absent if row.absent_since is not None and row.answered]
    if there:
        ledger.record_sent(ctx, there, at)
        whose = {row.run_id for row in rows if row.play_id in there and row.run_id is not None}
        ledger.count_late(sorted(whose - {ctx.run_id}))
    ledger.record_absent(ctx, first, at)
    ledger.back_to_planned(ctx, again, at)
    ledger.reject(ctx, refused, at=at)
    return Settled(total.sent + len(there), total.planned + len(again), total.rejected + len(refused))
