"""Undo and move: the only two that take plays off Trakt, one by one, by history id (DESIGN 6.7).

A play is removed only when it was identified: the history row of that episode with exactly our time, or, for a play
that was sent as "unknown", the only row of an episode that had none before. Removing by id is safe to repeat.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask import current_app

from jobs import dates, ledger, ledger_moves
from jobs.errors import BadData, Cancelled, ServiceDown, Settling, Stopping, TsuzukiError
from jobs.ledger import GONE, Accounts
from jobs.ledger_moves import UNDONE, Standing
from jobs.planner import FRESH, MOVED, Place, place_of
from jobs.ports import HistoryRow, Running, TraktHistory
from jobs.posting import post_planned, stop_reason
from jobs.records import ItemOutcome, Picture, Placement, Reason, Refusal
from jobs.said import said
from jobs.settle import history_of, settle
from webapp.models import utcnow

CHUNK = 200  # history ids of one request
REPEATS = 3  # requests for the same ids when Trakt counts fewer than were sent
REPEAT_SECONDS = 30.0
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class RemovalResult:
    """What an undo or a move did; `left` are plays that could not be identified or moved and stand as before."""

    removed: int = 0
    gone: int = 0  # were not in the history any more
    moved: int = 0  # plays that stand at their new place now
    left: tuple[Standing, ...] = ()
    stop: TsuzukiError | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """What the history says of some plays of ours."""

    ids: Mapping[int, int] = field(default_factory=dict)  # play id -> history id
    absent: tuple[Standing, ...] = ()
    unclear: tuple[Standing, ...] = ()


def run_undo(ctx: Running, trakt: TraktHistory, *, clock: Clock = utcnow) -> RemovalResult:
    """Take off Trakt what the parent of this run put there. Its sources are held from then on.

    Raises what `post_plan` raises; may be repeated until nothing is left. `stop` is set when the person cancelled.
    """
    settle(ctx, trakt, clock=clock)
    account = ledger.accounts(ctx.user_id)
    parent, _ = ledger_moves.subject_of(ctx.run_id)
    if parent is None:
        raise BadData(said("this undo names no run"))
    rows = [row for row in ledger_moves.of_run(ctx.user_id, parent, account.target) if _undoable(row)]
    ctx.progress.phase("removing", len(rows))
    left, stop = _remove(ctx, trakt, account, rows, clock)
    return _undone(ctx, parent, account, left, stop, clock)


def _undoable(row: Standing) -> bool:
    return row.state == "sent" or (row.state, row.reason) == ("removing", UNDONE)


def _undone(
    ctx: Running, parent: int, account: Accounts, left: Sequence[Standing], stop: TsuzukiError | None, clock: Clock
) -> RemovalResult:
    """Items and counters, from the rows themselves."""
    rows = ledger_moves.of_run(ctx.user_id, parent, account.target)
    standing = {(row.anilist_id, row.episode) for row in rows if row.state in ("sent", "removing")}
    off = [row for row in rows if (row.state, row.reason) in (("removed", UNDONE), ("gone", GONE))]
    episodes: dict[int, set[int]] = {}
    for row in off:
        if (row.anilist_id, row.episode) not in standing:
            episodes.setdefault(row.anilist_id, set()).add(row.episode)
    ledger_moves.finish_undo(ctx, parent, episodes, clock())
    kept: dict[int, list[int]] = {}
    for row in left:
        kept.setdefault(row.anilist_id, []).append(row.episode)
    for anilist_id in sorted({*episodes, *kept}):
        removed, unclear = len(episodes.get(anilist_id, ())), kept.get(anilist_id, [])
        wanted, detail = removed + len(unclear), {"removed": removed, "not_identified": unclear}
        ctx.progress.item(ItemOutcome(anilist_id, "removed", None, wanted, 0, 0, detail))
    return RemovalResult(
        sum(row.state == "removed" for row in off), sum(row.state == "gone" for row in off), 0, tuple(left), stop
    )


def run_move(
    ctx: Running,
    trakt: TraktHistory,
    *,
    placements: Mapping[int, Placement | Refusal],
    picture: Picture | None = None,
    clock: Clock = utcnow,
) -> RemovalResult:
    """Bring the plays of this run's entries to the places that their placements give now: post, confirm, then remove.

    A place that another play of this move holds passes to its new source without a request; only empty places are
    posted, only plays that nobody takes over are removed. Where the new place belongs to a play that is not part of the move,
    the old one stays (`left`). Raises what `post_plan` raises; may be repeated until nothing is left.
    """
    settle(ctx, trakt, clock=clock)
    account = ledger.accounts(ctx.user_id)
    ids = sorted(set(ledger_moves.subject_of(ctx.run_id)[1]))
    ledger.drop_leftovers(ctx, account, clock())
    seen = picture or trakt.picture(account.target)
    ledger.reconcile(ctx.user_id, seen, clock(), ctx=ctx)  # what the person removed does not move, it stays away
    moves = _moves(ledger_moves.of_entries(ctx.user_id, account.target, ids), placements, seen)
    left = _begin(ctx, account, moves, seen, clock)
    _, stop = post_planned(ctx, trakt, clock=clock)
    if stop is None:
        _pass_on(ctx, account, ids, placements, seen, clock)
        going = _going(ctx, account, ids)
        ctx.progress.phase("removing", len(going))
        _, stop = _remove(ctx, trakt, account, going, clock)
    return _moved(ctx, account, ids, moves, left, stop)


def _moved(
    ctx: Running, account: Accounts, ids: Sequence[int], moves: Sequence[tuple[Standing, Place]],
    left: Sequence[Standing], stop: TsuzukiError | None,
) -> RemovalResult:  # fmt: skip
    still = {row.play_id: row for row in ledger_moves.of_entries(ctx.user_id, account.target, ids)}
    stays = tuple(still[row.play_id] for row, _ in moves if row.play_id in still)
    wanted = {anilist_id: sum(row.anilist_id == anilist_id for row, _ in moves) for anilist_id in ids}
    for anilist_id in ids:
        kept = [row.episode for row in stays if row.anilist_id == anilist_id]
        if wanted[anilist_id]:
            blocked = [row.episode for row in left if row.anilist_id == anilist_id]
            moved = wanted[anilist_id] - len(kept)
            detail = {"moved": moved, "left": kept, "blocked": blocked}
            outcome = "misplaced" if kept else "sent"
            reason = Reason.MISPLACED if kept else None
            ctx.progress.item(ItemOutcome(anilist_id, outcome, reason, wanted[anilist_id], 0, 0, detail), sent=moved)
    return RemovalResult(0, 0, len(moves) - len(stays), stays, stop)


def _moves(
    rows: Sequence[Standing], placements: Mapping[int, Placement | Refusal], seen: Picture
) -> list[tuple[Standing, Place]]:
    """Plays that stand on Trakt, and another place is right for them."""
    moves = []
    for row in rows:
        placement = placements.get(row.anilist_id)
        if row.state != "sent" or not isinstance(placement, Placement) or not _stands(row, seen):
            continue
        place = place_of(placement, row.episode)
        if place is not None and place != row.place:
            moves.append((row, place))
    return moves


def _stands(row: Standing, seen: Picture) -> bool:
    """Whether a complete picture shows this play, or is too young to say that it is gone."""
    fresh = row.sent_at is None or row.sent_at >= seen.began_at - FRESH
    return fresh or seen.plays_of(*row.place) > 0


def _begin(
    ctx: Running, account: Accounts, moves: Sequence[tuple[Standing, Place]], picture: Picture, clock: Clock
) -> list[Standing]:
    """Start every move whose new place nobody in this move stands at; returns those whose place somebody else holds."""
    at = clock()
    moving = {row.place for row, _ in moves}
    heads = [(row, place) for row, place in moves if place not in moving]
    holders = ledger_moves.holders(ctx.user_id, account.target, [place for _, place in heads])
    foreign = {place: max(picture.plays_of(*place) - len(holders.get(place, ())), 0) for _, place in heads}
    there = {place: picture.plays_of(*place) for _, place in heads}
    refused = ledger_moves.refused_moves(ctx.user_id, [row.play_id for row, _ in heads])
    seconds = dates.Seconds()
    for kind, trakt_id, watched in ledger_moves.times_of(ctx.user_id, account.target, {p[1] for _, p in heads}):
        seconds.take(kind, trakt_id, watched)
    posts: list[ledger_moves.Post] = []
    leaves: list[int] = []
    blocked: list[Standing] = []
    for row, place in heads:
        source = (row.anilist_id, row.episode)
        here = holders.setdefault(place, [])  # plays of the same episode, seen again, may stand together
        if any(holder != source for holder in here) or (row.play_id, place) in refused:
            blocked.append(row)
            continue
        here.append(source)
        if foreign[place]:
            foreign[place] -= 1
            leaves.append(row.play_id)
            continue
        when = row.watched_at
        if when is not None and (place[0], place[1]) != (row.kind, row.trakt_id):
            when = seconds.free(place[0], place[1], when, aired=None, now=dates.whole(at))
        posts.append(ledger_moves.Post(row, place, when, there[place]))
        there[place] += 1
    ledger_moves.begin_leave(ctx, leaves, at)
    ledger_moves.begin_move(ctx, posts, at)
    ctx.progress.phase("posting", len(posts))
    return blocked


def _pass_on(
    ctx: Running,
    account: Accounts,
    ids: Sequence[int],
    placements: Mapping[int, Placement | Refusal],
    seen: Picture,
    clock: Clock,
) -> None:
    """Hand freed places down each chain, and turn each circle, in one transaction each."""
    rows = ledger_moves.of_entries(ctx.user_id, account.target, ids)
    waiting = {place: row for row, place in reversed(_moves(rows, placements, seen))}  # new place -> who wants it
    standing = {row.place: row for row in rows}
    for freed in _going(ctx, account, ids):
        steps: list[tuple[Standing, Standing]] = []
        holder = freed
        while (taker := waiting.pop(holder.place, None)) is not None:
            steps.append((taker, holder))
            holder = taker
        if steps:
            ledger_moves.pass_on(ctx, steps, clock())
    while waiting:
        place, taker = waiting.popitem()
        steps, first = [], taker
        while (held := standing.get(place)) is not None and held.state == "sent":
            steps.append((taker, held))
            if held.play_id == first.play_id:
                ledger_moves.pass_on(ctx, steps, clock())
                break
            following = next(((p, row) for p, row in waiting.items() if row.play_id == held.play_id), None)
            if following is None:
                break  # a chain whose end could not move: nothing of it does
            place, taker = following
            del waiting[place]


def _going(ctx: Running, account: Accounts, ids: Sequence[int]) -> list[Standing]:
    """Old rows of moves whose new place is confirmed, so that only their removal is left."""
    rows = ledger_moves.of_entries(ctx.user_id, account.target, ids)
    old = [row for row in rows if row.state == "removing" and row.reason == MOVED]
    states = ledger_moves.replaced_by(ctx.user_id, [row.play_id for row in old])
    return [row for row in old if states.get(row.play_id, "sent") not in ("planned", "sending", "rejected")]


def _remove(
    ctx: Running, trakt: TraktHistory, account: Accounts, rows: Sequence[Standing], clock: Clock
) -> tuple[list[Standing], TsuzukiError | None]:
    """Identify and remove these plays; (those that could not be identified, why it stopped early)."""
    known = {row.play_id: row.history_id for row in rows if row.state == "removing" and row.history_id is not None}
    ids = {play_id: history_id for play_id, history_id in known.items() if history_id is not None}
    found = _identify(ctx, trakt, account, [row for row in rows if row.play_id not in ids])
    _wait_for_reads(found.absent, clock())
    ledger_moves.record_gone(ctx, [row.play_id for row in found.absent], clock())
    # an old play of a move that nobody can tell from others stays on Trakt, and its row stops counting
    ledger_moves.record_gone(ctx, [row.play_id for row in found.unclear if row.reason == MOVED], clock())
    ids.update(found.ids)
    order = sorted(ids)
    for start in range(0, len(order), CHUNK):
        if ctx.cancelled():
            return list(found.unclear), Cancelled(said("cancelled by the person"))
        if ctx.stopping():
            raise Stopping(said("the worker was told to end"))
        chunk = {play_id: ids[play_id] for play_id in order[start : start + CHUNK]}
        ledger_moves.claim_removal(ctx, chunk, clock())
        _send_removal(ctx, trakt, chunk, clock)
        ctx.progress.step(min(start + CHUNK, len(order)))
    return list(found.unclear), None


def _send_removal(ctx: Running, trakt: TraktHistory, chunk: Mapping[int, int], clock: Clock) -> None:
    """Remove these ids until Trakt accounts for all of them; repeating is safe, ids are never used twice."""
    for _ in range(REPEATS):
        answer = trakt.remove_history(sorted(chunk.values()))
        if answer.status == "refused":
            ledger_moves.record_kept(ctx, list(chunk), clock())
            raise stop_reason(answer)
        if answer.status == "applied" and answer.deleted + len(answer.not_found) >= len(chunk):
            ledger_moves.record_removed(ctx, list(chunk), clock())
            return
    raise ServiceDown(said("Trakt did not say which plays it removed"), service="trakt", seconds=REPEAT_SECONDS)


def _wait_for_reads(absent: Sequence[Standing], now: datetime) -> None:
    """What was sent a moment ago may not show yet."""
    pause = timedelta(seconds=current_app.config["TSUZUKI"].TRAKT_SETTLE_SECONDS)
    times = [row.sent_at for row in absent if row.sent_at is not None]
    seconds = max(((at + pause - now).total_seconds() for at in times), default=0.0)
    if seconds > 0:
        raise Settling(
            said("plays that were sent a moment ago do not show on Trakt yet"), service="trakt", seconds=seconds
        )


def _identify(ctx: Running, trakt: TraktHistory, account: Accounts, rows: Sequence[Standing]) -> _Found:
    """Find each play in the history of its title."""
    titles: dict[tuple[str, int], list[Standing]] = {}
    for row in rows:
        titles.setdefault((row.kind, row.trakt_id), []).append(row)
    owned = ledger.known_history_ids(ctx.user_id, account.target, titles)
    ids: dict[int, int] = {}
    absent: list[Standing] = []
    unclear: list[Standing] = []
    for (kind, trakt_id), some in titles.items():
        times = [row.watched_at for row in some if row.watched_at is not None]
        whole_title = len(times) < len(some)
        events = history_of(
            trakt, kind, trakt_id, None if whole_title else min(times), None if whole_title else max(times)
        )
        for row in some:
            here = [
                event
                for event in events
                if (kind == "movie" or (event.season, event.number) == (row.season, row.number))
                and (event.history_id == row.history_id or event.history_id not in owned)
            ]
            choice = _choose(row, here)
            if choice is not None:
                owned.add(choice)
                ids[row.play_id] = choice
            elif here and row.watched_at is None:
                unclear.append(row)
            else:
                absent.append(row)
    return _Found(ids, tuple(absent), tuple(unclear))


def _choose(row: Standing, events: Sequence[HistoryRow]) -> int | None:
    """The history id of this play, when it can be told from the others of its episode."""
    if row.history_id is not None:
        return next((event.history_id for event in events if event.history_id == row.history_id), None)
    if row.watched_at is None:
        return events[0].history_id if len(events) == 1 and not row.before else None
    return next(
        (
            event.history_id
            for event in events
            if event.watched_at is not None and dates.whole(event.watched_at) == dates.whole(row.watched_at)
        ),
        None,
    )
