"""A plan goes to Trakt: batch by batch, one request at a time, each claimed before it leaves and recorded after it.

What a request came to decides what happens next (DESIGN 6.4): applied -> `sent`; refused -> back to `planned`, and the run
stops or waits; doubt -> looked for on Trakt before anything else is sent. Nothing is ever sent twice blindly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from flask import current_app

from jobs import deadline, ledger
from jobs.errors import (
    AccountLimit,
    AccountLocked,
    AppRefused,
    BadData,
    Cancelled,
    RateLimited,
    Reconnect,
    ServiceDown,
    Stopping,
    Stops,
    TsuzukiError,
    VipRequired,
    Waits,
)
from jobs.ledger import Claimed, EntryCount
from jobs.ports import Removal, Running, TraktHistory
from jobs.records import Picture, Play, Receipt
from jobs.said import joined, said
from jobs.settle import settle
from jobs.storing import get_setting, put_setting
from webapp.database import transaction
from webapp.models import utcnow

ACCOUNT_PLAYS = 90_000  # Trakt locks accounts near 100,000
FIRST_BATCH = 200
LARGEST_BATCH = 1_000  # a play is at most some 160 bytes of the body, so this stays below 250 kB too
QUICK_SECONDS = 10.0
BATCH_KEY = "trakt:batch"  # what the last answers taught about the size of a batch
FAILURES_TO_WAIT = 3  # lost answers in a row before the run leaves Trakt alone for a while
LONGEST_WAIT = 3600.0
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class PostResult:
    """What became of a run's plays; `stop` is why the rest was not sent (cancelled, or a run reason of DESIGN 7)."""

    sent: int = 0
    rejected: int = 0
    planned: int = 0  # not sent because of `stop`
    episodes: int = 0  # of `sent`
    movies: int = 0  # of `sent`
    batches: int = 0  # requests of this attempt
    by_entry: Mapping[int, EntryCount] = field(default_factory=dict)
    shared: Mapping[int, int] = field(default_factory=dict)  # anilist_id -> the entry that stands in its place
    stop: TsuzukiError | None = None


@dataclass(frozen=True, slots=True)
class BatchSize:
    """How many plays go into one request; learned from answers and kept between runs."""

    size: int = FIRST_BATCH
    failures: int = 0  # lost answers in a row
    failed_at: float = 0.0  # seconds since 1970, of the last one

    def after(self, receipt: Receipt, sent: int, now: datetime) -> BatchSize:
        """What this answer teaches. Halved after a lost answer, 5xx or 413; doubled after a quick full batch."""
        if receipt.http_status == 413:
            return replace(self, size=max(self.size // 2, 1))
        if receipt.status == "doubt" and not _answered(receipt):
            return BatchSize(max(self.size // 2, 1), self.failures + 1, now.timestamp())
        if receipt.status == "applied":
            grow = receipt.elapsed <= QUICK_SECONDS and sent >= self.size
            return BatchSize(min(self.size * 2, LARGEST_BATCH) if grow else self.size)
        return self

    def wait(self, now: datetime) -> float:
        """Seconds to leave Trakt alone after several lost answers in a row: 2, 4, 8, ... minutes."""
        if self.failures < FAILURES_TO_WAIT:
            return 0.0
        pause = min(60.0 * 2.0 ** min(self.failures - FAILURES_TO_WAIT + 1, 10), LONGEST_WAIT)
        return max(self.failed_at + pause - now.timestamp(), 0.0)


def post_plan(
    ctx: Running, trakt: TraktHistory, plays: Sequence[Play], picture: Picture, *, clock: Clock = utcnow
) -> PostResult:
    """Send these plays and say what became of all plays of this run, those of earlier attempts included.

    `picture` is the complete one that the plan was made with. What ends the run comes back as `stop`; what lets it wait is
    raised (`Settling`, `RateLimited`, `ServiceDown`), and so are `Stopping` and `LostClaim`: everything that is needed to
    go on stands in the ledger, and the run calls this again with the plays of its plan.
    """
    settle(ctx, trakt, clock=clock)
    account = ledger.accounts(ctx.user_id)
    if account.target != picture.account_id:
        raise BadData(said("the picture is of another Trakt account"), service="trakt")
    written = ledger.write_plan(ctx, account, plays, clock())
    total = picture.total + ledger.sent_since(ctx.user_id, account.target, picture.began_at) + written.planned
    if written.planned and total > ACCOUNT_PLAYS:
        stop = AccountLimit(
            said("the Trakt account would have %(total)s plays; it is locked near 100,000", total=total),
            service="trakt",
        )
        return _result(ctx, 0, written.shared, stop)
    ctx.progress.phase("posting", written.planned)
    batches, stopped = post_planned(ctx, trakt, clock=clock)
    return _result(ctx, batches, written.shared, stopped)


def post_planned(ctx: Running, trakt: TraktHistory, *, clock: Clock = utcnow) -> tuple[int, TsuzukiError | None]:
    """Send what is `planned` for this run: (requests, why it stopped early). Raises as `post_plan` does."""
    memory = _load(ctx)
    batches = done = 0
    while True:
        if ctx.cancelled():
            return batches, Cancelled(said("cancelled by the person"))
        if ctx.stopping():
            raise Stopping(said("the worker was told to end"))
        if seconds := memory.wait(clock()):
            raise ServiceDown(said("Trakt lost several answers in a row"), service="trakt", seconds=seconds)
        fixed = current_app.config["TSUZUKI"].TRAKT_BATCH_SIZE
        claimed_at, last = clock(), last_moment()
        number, batch = ledger.claim_batch(
            ctx, min(fixed or LARGEST_BATCH, memory.size), ledger.write_deadline(claimed_at), claimed_at
        )
        if not batch:
            return batches, None
        batches += 1
        with deadline.not_after(last):
            receipt = _send(ctx, trakt, batch, claimed_at, clock)
        learned = memory.after(receipt, len(batch), clock())
        stop = _record(ctx, batch, number, receipt, clock)
        if learned != memory:
            memory = learned
            _save(ctx, memory)
        if stop is not None:
            if isinstance(stop, Waits):
                raise stop
            return batches, stop
        if receipt.status == "doubt":
            settle(ctx, trakt, clock=clock)
        done += len(batch)
        ctx.progress.step(done)


def last_moment() -> float:
    """Until when a POST that is claimed from now on may be under way, for `deadline.not_after`."""
    return deadline.clock() + ledger.WRITE_SHARE * _write_seconds()


def _write_seconds() -> float:
    return float(current_app.config["TSUZUKI"].HTTP_WRITE_SECONDS)


def _send(ctx: Running, trakt: TraktHistory, batch: Sequence[Claimed], claimed_at: datetime, clock: Clock) -> Receipt:
    """One request. An error that says that nothing left the house frees the claims; any other leaves them in doubt."""
    late = timedelta(seconds=_write_seconds() / 2)
    if clock() - claimed_at > late:  # this process slept: the deadline that others wait for would not hold
        return Receipt(
            "refused", code="service_down", detail=said("the worker slept between claim and request"), retry_after=0
        )
    try:
        return trakt.post_plays([claimed.play for claimed in batch])
    except (RateLimited, Reconnect):  # no turn, or no token: nothing was sent
        ledger.back_to_planned(ctx, [claimed.play_id for claimed in batch], clock())
        raise


def _record(ctx: Running, batch: Sequence[Claimed], number: int, receipt: Receipt, clock: Clock) -> TsuzukiError | None:
    """Write down what the answer says of every play of the batch; the error that stops or parks the run, if any."""
    ids = [claimed.play_id for claimed in batch]
    if receipt.status == "applied" and receipt.added >= len(batch):
        ledger.record_sent(ctx, dict.fromkeys(ids), clock(), close_batch=True)
        return None
    if receipt.status == "refused":
        ledger.back_to_planned(ctx, ids, clock())
        if receipt.http_status == 413 and len(batch) > 1:
            return None
        ctx.progress.log(
            "warning",
            joined(
                said("Trakt refused batch %(number)s of %(count)s plays.", number=number, count=len(batch)),
                receipt.detail,
            ),
        )
        return stop_reason(receipt)
    answered = _answered(receipt)
    ledger.record_doubt(ctx, ids, answered=answered, reason=_reason(receipt), at=clock())
    ctx.progress.log(
        "warning",
        said(
            "Batch %(number)s: Trakt counted %(added)s of %(count)s plays; looking which.",
            number=number,
            added=receipt.added,
            count=len(batch),
        )
        if answered
        else joined(
            said(
                "Batch %(number)s of %(count)s plays: the answer was lost; looking which arrived.",
                number=number,
                count=len(batch),
            ),
            receipt.detail,
        ),
    )
    return None


def _answered(receipt: Receipt) -> bool:
    """Whether a readable 2xx came: then what is missing was refused, not lost."""
    status = receipt.http_status
    if receipt.readable or receipt.status == "applied":
        return True
    return status is not None and 200 <= status < 300 and bool(receipt.added or receipt.not_found)


def _reason(receipt: Receipt) -> str:
    if receipt.not_found:
        return "not_found: " + json.dumps(list(receipt.not_found), default=str)[:500]
    return (receipt.detail or f"status {receipt.http_status}")[:500]


def stop_reason(answer: Receipt | Removal) -> TsuzukiError:
    """The error for a write that Trakt refused, by its run reason: `Waits` park the run, `Stops` end it."""
    detail, status = answer.detail, getattr(answer, "http_status", None)
    seconds = getattr(answer, "retry_after", None)
    if answer.code == "rate_limited":
        return RateLimited(detail, service="trakt", status=status, seconds=60.0 if seconds is None else seconds)
    if answer.code == "service_down":
        return ServiceDown(detail, service="trakt", status=status, seconds=300.0 if seconds is None else seconds)
    if answer.code == "reconnect_trakt":
        return Reconnect("trakt", detail, status=status)
    kinds: dict[str | None, type[Stops]] = {
        "app_refused": AppRefused,
        "vip_required": VipRequired,
        "account_limit": AccountLimit,
        "account_locked": AccountLocked,
    }
    return kinds.get(answer.code, BadData)(detail, service="trakt", status=status)


def _load(ctx: Running) -> BatchSize:
    with transaction(readonly=True) as session:
        value = get_setting(session, ctx.user_id, BATCH_KEY)
    if not value:
        return BatchSize()
    size, failures, failed_at = json.loads(value)
    return BatchSize(int(size), int(failures), float(failed_at))


def _save(ctx: Running, memory: BatchSize) -> None:
    with ledger.mine(ctx) as session:
        value = json.dumps([memory.size, memory.failures, memory.failed_at])
        put_setting(session, ctx.user_id, BATCH_KEY, value)


def _result(ctx: Running, batches: int, shared: Mapping[int, int], stop: TsuzukiError | None) -> PostResult:
    counts = ledger.counts(ctx.run_id)
    return PostResult(
        counts.sent,
        counts.rejected,
        counts.planned,
        counts.episodes,
        counts.movies,
        batches,
        counts.by_entry,
        shared,
        stop,
    )
