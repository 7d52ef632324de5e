"""From an agreed plan to plays on Trakt, and what is written down afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from jobs import beyond, consent, extras_ledger, extras_sending, ledger, pictures, results, review, runstate, selection
from jobs.beyond import Beyond
from jobs.errors import TsuzukiError, WatchlistFull
from jobs.ledger import Counts, EntryCount
from jobs.planning import Agreed
from jobs.posting import PostResult, post_plan
from jobs.records import ItemOutcome, Picture, Reason
from jobs.runstate import RunContext
from jobs.said import said
from jobs.selection import Selection
from jobs.tools import Tools


def send(
    ctx: RunContext, tools: Tools, chosen: Selection, agreed: Agreed, picture: Picture, more: Beyond = beyond.NOTHING
) -> None:
    """Post what was agreed, plays first, record what came of it and end the run.

    Raises what lets the run wait (it calls this again then), and after recording what ended it early.
    """
    before = ledger.counts(ctx.run_id)
    plays = agreed.draft.plan.plays
    consent.note_consent(ctx)
    if plays:
        pictures.read_back_later(picture.account_id)
    outcome = post_plan(ctx, tools.writer, plays, picture)
    while outcome.planned and outcome.stop is None:  # something is in doubt: it is settled first, then goes on
        outcome = post_plan(ctx, tools.writer, plays, picture)
    if plays or outcome.batches:
        pictures.read_back_later(picture.account_id)
    record(ctx, chosen, agreed, outcome, before)
    if outcome.stop is not None:
        raise outcome.stop
    finish(ctx, outcome, full=send_beyond(ctx, tools, picture, more))


def send_beyond(ctx: RunContext, tools: Tools, picture: Picture, more: Beyond) -> bool:
    """Ratings, watchlist and dropped shows; whether the watchlist turned out to be full. Raises as `send` does."""
    if more.trouble is not None:
        raise more.trouble
    full = False
    try:
        full = extras_sending.send(ctx, tools.writer, picture.account_id, more)
    finally:
        beyond.note_sent(ctx, more, full=full)
    return full


def record(ctx: RunContext, chosen: Selection, agreed: Agreed, outcome: PostResult, before: Counts) -> None:
    """Items, result, `sync_progress` and `lastSyncTimestamp`, from the plan and from what the ledger holds now."""
    ctx.progress.phase("recording")
    plan = agreed.draft.plan
    items = list(_items(plan.items, outcome))
    for item in items:
        count = outcome.by_entry.get(item.anilist_id, EntryCount())
        ctx.progress.item(item, sent=count.sent, rejected=count.rejected)
    review.mark(ctx.user_id, chosen.entries, items)
    open_entries = {i for i, count in outcome.by_entry.items() if count.planned} | agreed.again
    last_abs = dict(plan.settled)
    for anilist_id, count in outcome.by_entry.items():
        if count.last_sent:
            last_abs[anilist_id] = max(last_abs.get(anilist_id, 0), count.last_sent)
    done = [anilist_id for anilist_id in chosen.entries if anilist_id not in open_entries]
    selection.settle(ctx, chosen, done, last_abs, agreed.again)
    selection.put_progress(ctx.user_id, {i: last_abs[i] for i in open_entries & last_abs.keys()})
    if ctx.mode == "full" and outcome.stop is None and not outcome.planned:
        selection.move_timestamp(ctx)
    ctx.result |= results.result_of(
        ctx.mode,
        plan,
        agreed.draft.entries,
        agreed.draft.placements,
        agreed.draft.rules.statuses,
        ledger.counts(ctx.run_id),
        before,
        results.batches_of(ctx.run_id),
    )
    ctx.update(plays_sent=outcome.sent)


def _items(items: Iterable[ItemOutcome], outcome: PostResult) -> Iterable[ItemOutcome]:
    """The plan's items with what really happened; entries whose plays went out in an earlier attempt come last."""
    named = set()
    for item in items:
        named.add(item.anilist_id)
        yield _happened(item, outcome.by_entry.get(item.anilist_id), outcome.shared)
    for anilist_id, count in outcome.by_entry.items():
        if anilist_id not in named and (count.sent or count.rejected):
            plain = ItemOutcome(anilist_id, "sent", None, count.sent + count.rejected, count.sent + count.rejected)
            yield _happened(plain, count, outcome.shared)


def _happened(item: ItemOutcome, count: EntryCount | None, shared: Mapping[int, int]) -> ItemOutcome:
    if not item.new and count is None:
        return item
    count = count or EntryCount()
    detail = dict(item.detail)
    if count.reason:
        detail["refused"] = count.reason
    if item.anilist_id in shared:
        detail["with"] = shared[item.anilist_id]
    if count.sent:
        whole = item.outcome == "sent" and not (count.rejected or count.planned or item.anilist_id in shared)
        reason = Reason.TRAKT_REFUSED if count.rejected else item.reason
        return replace(item, outcome="sent" if whole else "sent_in_part", reason=reason, detail=detail)
    if count.rejected:
        return replace(item, outcome="refused", reason=Reason.TRAKT_REFUSED, detail=detail)
    if item.anilist_id in shared:
        return replace(item, outcome="shared_with", reason=Reason.SHARED_WITH, detail=detail)
    if count.planned or item.new:
        return replace(item, outcome="waiting", detail=detail)
    return item


def finish(ctx: RunContext, outcome: PostResult, *, full: bool) -> None:
    """Green only when all was done: what Trakt refused makes the run partial, or failed when it took nothing."""
    beyond_sent, beyond_refused = (extras_ledger.number(ctx.run_id, state) for state in ("sent", "rejected"))
    sent, refused = outcome.sent + beyond_sent, outcome.rejected + beyond_refused
    status, reason, detail = "succeeded", None, None
    ctx.result.pop("refused", None)
    if outcome.rejected:
        ctx.result["refused"] = outcome.rejected
    if full:
        status, reason = ("partial" if sent else "failed"), WatchlistFull.reason
    if refused:
        status, reason = ("partial" if sent else "failed"), TsuzukiError.reason
        detail = (
            said(
                "Trakt did not take %(refused)s of %(count)s ratings, watchlist items or shows.",
                refused=beyond_refused,
                count=beyond_sent + beyond_refused,
            )
            if not outcome.rejected
            else said(
                "Trakt did not take %(refused)s of %(count)s plays.",
                refused=outcome.rejected,
                count=outcome.sent + outcome.rejected,
            )
        )
    ctx.progress.log("info" if reason is None else "warning", detail or results.message(ledger.counts(ctx.run_id)))
    runstate.finish(ctx, status, reason, detail, ctx.result)
