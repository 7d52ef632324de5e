"""Ratings, watchlist items and dropped shows go to Trakt, and come off again by undo.

Request by request: each claimed before it leaves and recorded after it. An answer that was lost is settled by reading
the list, never by sending again first. What the answers mean is the same as for plays (DESIGN 6.4), except that a
watchlist that is full (420) ends the watchlist of this run only: the rest waits for room.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from jobs import extras_ledger, extras_lists
from jobs.accounts import connection_of
from jobs.beyond import Beyond
from jobs.errors import Cancelled, ServiceDown, Settling, Stopping
from jobs.extras import KINDS, Extra, ExtraKind
from jobs.extras_ledger import Row
from jobs.ledger import write_deadline
from jobs.posting import stop_reason
from jobs.records import Receipt
from jobs.runstate import RunContext, config
from jobs.said import joined, said
from webapp.models import utcnow

if TYPE_CHECKING:
    from jobs.targets.trakt import Trakt
    from jobs.targets.trakt_extras import TraktExtras

LARGEST = 1_000_000
BATCH = 100  # 800 ratings in one request have taken Trakt 45 seconds
REPEAT_SECONDS = 30.0
WORDS = {"rating": said("ratings"), "watchlist": said("watchlist items"), "dropped": said("dropped shows")}


def settle(ctx: RunContext, trakt: Trakt, account_id: str) -> None:
    """Find out what became of requests whose answer was lost. One reading per kind in doubt, none without doubt.

    Raises `Settling` while reads may still lag the request.
    """
    rows = extras_ledger.doubtful(account_id)
    if not rows:
        return
    ctx.progress.phase("settling")
    _wait(max(row.claimed_at for row in rows) + timedelta(seconds=config().TRAKT_SETTLE_SECONDS))
    for kind in {row.extra.kind for row in rows}:
        there = extras_lists.read(ctx.user_id, account_id, trakt.extras, kind).there
        some = [row for row in rows if row.extra.kind == kind]
        arrived = [row for row in some if there.get(row.extra.target) == row.extra.value]
        absent = [row for row in some if row.extra.target not in there]
        other = [row for row in some if row not in arrived and row not in absent]  # rated by somebody else meanwhile
        extras_ledger.record_sent(ctx, _ids(arrived), utcnow())
        extras_ledger.reject(ctx, _ids([row for row in absent if row.answered]), utcnow())
        extras_ledger.release(ctx, _ids([*other, *(row for row in absent if not row.answered)]))
        text = said(
            "Looked what arrived: %(arrived)s of %(count)s are on Trakt (%(kind)s).",
            arrived=len(arrived),
            count=len(some),
            kind=WORDS[kind],
        )
        ctx.progress.log("info", text)


def _wait(until: datetime) -> None:
    seconds = (until - utcnow()).total_seconds()
    if seconds > 0:
        raise Settling(said("the answer was lost; Trakt is asked what arrived"), service="trakt", seconds=seconds)


def _ids(rows: Sequence[Row]) -> list[int]:
    return [row.row_id for row in rows]


def send(ctx: RunContext, trakt: Trakt, account_id: str, made: Beyond) -> bool:
    """Send what was agreed; whether the watchlist turned out to be full. Raises what ends the run or lets it wait."""
    kinds = [kind for kind in KINDS if any(extra.kind == kind for extra in made.new)]
    if not kinds:
        return False
    ctx.progress.phase("posting", len(made.new))
    # plays may have taken their time: what is there now is never overwritten
    readings, _ = extras_lists.current(ctx.user_id, account_id, trakt.extras, kinds, anew=True)
    full, done = False, 0
    for kind in kinds:
        left = [e for e in made.new if e.kind == kind and e.target not in readings[kind].there]
        room = _room(ctx, len(readings[kind].there)) if kind == "watchlist" else len(left)
        if room < len(left):
            left, full = left[:room], True
            extras_lists.note_full(account_id, kind, utcnow())
        for start in range(0, len(left), BATCH):
            if ctx.cancelled():
                raise Cancelled(said("cancelled by the person"))
            if ctx.stopping():
                raise Stopping(said("the worker was told to end"))
            part = left[start : start + BATCH]
            if not _send(ctx, trakt.extras, account_id, kind, part):
                full = True
                break
            done += len(part)
            ctx.progress.step(done)
        ctx.progress.log(
            "info",
            said(
                "Sent: %(count)s (%(kind)s).",
                count=extras_ledger.counts(ctx.run_id).get((kind, "sent"), 0),
                kind=WORDS[kind],
            ),
        )
    return full


def _room(ctx: RunContext, there: int) -> int:
    """How many items the watchlist takes as far as Trakt has told its limit; its answer decides in any case."""
    connection = connection_of(ctx.user_id, "trakt")
    limits = (connection.details or {}).get("limits") if connection else None
    limit = ((limits or {}).get("watchlist") or {}).get("item_count")
    return max(limit - there, 0) if isinstance(limit, int) and limit > 0 else LARGEST


def _send(ctx: RunContext, trakt: TraktExtras, account_id: str, kind: ExtraKind, part: Sequence[Extra]) -> bool:
    """One request with all that follows from its answer; False when the list is full."""
    claimed_at = utcnow()
    rows = extras_ledger.claim(ctx, account_id, part, write_deadline(claimed_at), claimed_at)
    if not rows:
        return True
    mine = {row.extra.key for row in rows}
    if utcnow() - claimed_at > timedelta(seconds=config().HTTP_WRITE_SECONDS / 2):
        extras_ledger.release(ctx, _ids(rows))
        raise ServiceDown(said("the worker slept between claim and request"), service="trakt", seconds=0)
    receipt = trakt.post([extra for extra in part if extra.key in mine])
    if receipt.status == "applied" and receipt.added >= len(rows):
        extras_ledger.record_sent(ctx, _ids(rows), utcnow())
        return True
    if receipt.status == "refused":
        extras_ledger.release(ctx, _ids(rows))
        return _refused(ctx, account_id, kind, receipt)
    reason = receipt.detail or said("Trakt counted %(added)s of %(count)s.", added=receipt.added, count=len(rows))
    extras_ledger.record_doubt(ctx, _ids(rows), reason, utcnow(), answered=receipt.readable)
    ctx.progress.log(
        "warning",
        said(
            "%(reason)s Looking which of %(count)s arrived (%(kind)s).",
            reason=reason,
            count=len(rows),
            kind=WORDS[kind],
        ),
    )
    raise Settling(reason, service="trakt", seconds=config().TRAKT_SETTLE_SECONDS)


def _refused(ctx: RunContext, account_id: str, kind: ExtraKind, receipt: Receipt) -> bool:
    if receipt.code == "account_limit" and kind == "watchlist":
        extras_lists.note_full(account_id, kind, utcnow())
        ctx.progress.log("warning", said("Trakt's watchlist is full (420): the rest waits for room."))
        return False
    ctx.progress.log(
        "warning", joined(said("Trakt refused what was sent (%(kind)s).", kind=WORDS[kind]), receipt.detail)
    )
    raise stop_reason(receipt)


# Undo


def undo(ctx: RunContext, trakt: Trakt, account_id: str, run_id: int) -> int:
    """Take off Trakt what a run has sent and what stands there as it was sent; how many are off by now.

    What the person has changed or removed since is left alone. May be repeated. Raises what lets the run wait.
    """
    settle(ctx, trakt, account_id)
    rows = extras_ledger.of_run(account_id, run_id)
    for kind in sorted({row.extra.kind for row in rows}, key=KINDS.index):
        some = [row for row in rows if row.extra.kind == kind]
        there = extras_lists.read(ctx.user_id, account_id, trakt.extras, kind).there
        standing = [row for row in some if there.get(row.extra.target) == row.extra.value]
        absent = [row for row in some if row not in standing]
        for row in absent:
            if row.state == "sent" and row.extra.target not in there and row.sent_at is not None:
                _wait(row.sent_at + timedelta(seconds=config().TRAKT_SETTLE_SECONDS))
        extras_ledger.record_removed(ctx, _ids([row for row in absent if row.state == "removing"]), utcnow())
        extras_ledger.record_gone(ctx, _ids([row for row in absent if row.state == "sent"]), utcnow())
        ctx.progress.phase("removing", len(standing))
        for start in range(0, len(standing), BATCH):
            if ctx.cancelled():
                raise Cancelled(said("cancelled by the person"))
            if ctx.stopping():
                raise Stopping(said("the worker was told to end"))
            _remove(ctx, trakt.extras, standing[start : start + BATCH])
    return extras_ledger.number(run_id, "removed")


def _remove(ctx: RunContext, trakt: TraktExtras, rows: Sequence[Row]) -> None:
    at = utcnow()
    extras_ledger.claim_removal(ctx, _ids(rows), write_deadline(at), at)
    receipt = trakt.remove([row.extra for row in rows])
    if receipt.status == "refused":
        extras_ledger.record_kept(ctx, _ids(rows), utcnow())
        raise stop_reason(receipt)
    if receipt.status == "doubt":  # removing again is safe, and a reading tells which have gone
        raise ServiceDown(
            joined(said("Trakt did not say what it removed."), receipt.detail), service="trakt", seconds=REPEAT_SECONDS
        )
    extras_ledger.record_removed(ctx, _ids(rows), utcnow())
