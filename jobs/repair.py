"""The history doctor's runs: look (`doctor`), put right (`repair`), and put back what a repair took away (its undo).

A repair takes away by history id only, and only after it has seen once more that the play that stays is still there. What
stands wrong is adopted by the ledger and moved like any play of ours: posted at its place, confirmed, then removed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from jobs import deadline, ledger, pictures, repair_rows, runstate, selection
from jobs.accounts import trakt_account
from jobs.dates import whole
from jobs.doctor import Stands, examine, stands
from jobs.errors import Cancelled, ServiceDown, Settling, Stopping, TsuzukiError
from jobs.library_rows import list_entry
from jobs.placing import stored_placement
from jobs.planner import wanted_of
from jobs.planning import place
from jobs.ports import HistoryRow, Running, TraktHistory
from jobs.posting import last_moment, stop_reason
from jobs.records import Placement, Play
from jobs.runstate import RunContext, config
from jobs.said import counted, said
from jobs.settle import history_of
from jobs.tools import Shapes, Tools, tools_for
from jobs.undo import CHUNK, REPEAT_SECONDS, REPEATS, run_move
from webapp.database import transaction
from webapp.models import Entry, HistoryFinding, User, utcnow

BATCH = 100  # plays that are put back with one request
Clock = Callable[[], datetime]
Title = tuple[str, int]  # kind, Trakt id


def run_doctor(ctx: RunContext) -> None:
    """Read the whole history, compare it with where the list's episodes belong, and keep what is found."""
    tools = tools_for(ctx)
    settings = trakt_account(ctx, tools.writer)
    ctx.progress.phase("reading_history")
    events = tools.writer.whole_history()
    ctx.check()
    findings = examine(events, watched_places(ctx.user_id))
    repair_rows.store(ctx, settings.account_id, findings)
    ctx.result |= {"plays": len(events), "findings": len(findings)}
    ctx.progress.log(
        "info", said("Plays read: %(count)s. Of these look wrong: %(wrong)s.", count=len(events), wrong=len(findings))
    )
    runstate.finish(ctx, "succeeded", None, None, ctx.result)


def watched_places(user_id: int) -> list[list[Stands]]:
    """Where the watched episodes of every placed entry of this person's list belong."""
    with transaction(readonly=True) as session:
        statuses = session.get_one(User, user_id, populate_existing=True).statuses
        query = select(Entry).where(Entry.user_id == user_id, Entry.gone_at.is_(None)).order_by(Entry.anilist_id)
        entries = list(session.scalars(query.execution_options(populate_existing=True)).unique())
    shapes = Shapes()
    found = []
    for entry in entries:
        placement, wanted = stored_placement(entry), wanted_of(list_entry(entry), "full", statuses)
        if isinstance(placement, Placement) and wanted is not None:
            rows = stands(placement, wanted.last, shapes.get(placement.trakt_id))
            if rows:
                found.append(rows)
    return found


def run_repair(ctx: RunContext) -> None:
    """Move and remove what the person chose. Raises what lets the run wait; it goes on where it stopped."""
    tools = tools_for(ctx)
    settings = trakt_account(ctx, tools.writer)
    ctx.check()
    pictures.read_back_later(settings.account_id)
    stop = _move(ctx, tools, settings.account_id)
    if stop is None:
        stop = remove(ctx, tools.writer)
    pictures.read_back_later(settings.account_id)
    _end(ctx, stop)


def _end(ctx: RunContext, stop: TsuzukiError | None) -> None:
    counts = repair_rows.counts(ctx.run_id)
    done = counts.get("removed", 0) + counts.get("moved", 0)
    left = sum(counts.values()) - done
    ctx.result |= {"removed": counts.get("removed", 0), "moved": counts.get("moved", 0), "left": left}
    if stop is not None:
        raise stop
    status, reason, detail = "succeeded", None, None
    if left:
        status, reason = ("partial" if done else "failed"), TsuzukiError.reason
        detail = counted(
            "%(num)s play was left as it is; it says why.",
            "%(num)s plays were left as they are; each says why.",
            left,
        )
    ctx.progress.log(
        "info" if reason is None else "warning",
        detail or counted("%(num)s play put right.", "%(num)s plays put right.", done),
    )
    runstate.finish(ctx, status, reason, detail, ctx.result)


def _move(ctx: RunContext, tools: Tools, account_id: str) -> TsuzukiError | None:
    """Adopt what stands wrong and move it to where its entry belongs now."""
    account = ledger.accounts(ctx.user_id)
    fresh = [row for row in repair_rows.of_repair(ctx.run_id, "chosen") if row.to_season is not None]
    if fresh:
        repair_rows.adopt(ctx, account, fresh, utcnow())
    moving = repair_rows.of_repair(ctx.run_id, "moving")
    if not moving:
        return None
    ids = sorted({row.anilist_id for row in moving if row.anilist_id is not None})
    placements = place(ctx, tools, selection.entries_of(ctx.user_id, ids), anew=True)
    picture = pictures.current_picture(ctx, tools.writer, account_id)
    outcome = run_move(ctx, tools.writer, placements=placements, picture=picture)
    stays = repair_rows.still_there(ctx.user_id, account.target, moving)
    repair_rows.mark(ctx, {row.id for row in moving} - stays, "moved")
    if outcome.stop is None:
        repair_rows.mark(ctx, stays, "stays", reason="no_place")
    selection.look_again(ctx.user_id, ids)
    return outcome.stop


def remove(ctx: Running, trakt: TraktHistory, *, clock: Clock = utcnow) -> TsuzukiError | None:
    """Take away what is chosen, by history id, where the play that stays is still there. Why it stopped early, if it did."""
    _check_what_stays(ctx, trakt, repair_rows.of_repair(ctx.run_id, "chosen"))
    rows = repair_rows.of_repair(ctx.run_id, "chosen", "removing")
    ctx.progress.phase("removing", len(rows))
    for start in range(0, len(rows), CHUNK):
        if ctx.cancelled():
            return Cancelled(said("cancelled by the person"))
        if ctx.stopping():
            raise Stopping(said("the worker was told to end"))
        chunk = rows[start : start + CHUNK]
        repair_rows.mark(ctx, [row.id for row in chunk], "removing", claimed_at=clock())
        _remove(ctx, trakt, chunk)
        ctx.progress.step(start + len(chunk))
    return None


def _check_what_stays(ctx: Running, trakt: TraktHistory, rows: Sequence[HistoryFinding]) -> None:
    """Leave alone a play whose twin is not there any more, and one that went by itself."""
    for (kind, trakt_id), some in _by_title(rows).items():
        ids = {event.history_id for event in history_of(trakt, kind, trakt_id, None, None)}
        gone = [row.id for row in some if row.history_id not in ids]
        alone = [row.id for row in some if row.history_id in ids and row.keeps is not None and row.keeps not in ids]
        repair_rows.mark(ctx, gone, "stays", reason="gone")
        repair_rows.mark(ctx, alone, "stays", reason="twin_gone")


def _remove(ctx: Running, trakt: TraktHistory, chunk: Sequence[HistoryFinding]) -> None:
    """Remove these ids until Trakt accounts for all of them; repeating is safe, ids are never used twice."""
    ids = [row.id for row in chunk]
    for _ in range(REPEATS):
        answer = trakt.remove_history(sorted(row.history_id for row in chunk))
        if answer.status == "refused":
            repair_rows.mark(ctx, ids, "chosen", claimed_at=None)
            raise stop_reason(answer)
        if answer.status == "applied" and answer.deleted + len(answer.not_found) >= len(chunk):
            repair_rows.mark(ctx, ids, "removed")
            return
    raise ServiceDown(said("Trakt did not say which plays it removed"), service="trakt", seconds=REPEAT_SECONDS)


def restore(ctx: Running, trakt: TraktHistory, repair_id: int, *, clock: Clock = utcnow) -> int:
    """Post again, with their times, the plays that a repair took away or moved; how many stand again.

    Raises `Settling` while it is in doubt whether some arrived, and what a refused request comes to.
    """
    _settle(ctx, trakt, repair_rows.of_repair(repair_id, "restoring"), clock)
    rows = repair_rows.of_repair(repair_id, "removed", "moved")
    if rows:  # readings may still show what was taken away a moment ago
        _wait_until(max(row.updated_at for row in rows) + _pause(), clock())
    ctx.progress.phase("posting", len(rows))
    done = 0
    for batch in _batches(rows):
        if ctx.cancelled():
            raise Cancelled(said("cancelled by the person"))
        if ctx.stopping():
            raise Stopping(said("the worker was told to end"))
        _post(ctx, trakt, batch, clock)
        done += len(batch)
        ctx.progress.step(done)
    return repair_rows.counts(repair_id).get("restored", 0)


def _batches(rows: Sequence[HistoryFinding]) -> list[list[HistoryFinding]]:
    """About BATCH plays each; plays of one episode and second never part, so that counting them says which arrived."""
    alike: dict[Any, list[HistoryFinding]] = {}
    for row in rows:
        alike.setdefault(_key(row), []).append(row)
    batches: list[list[HistoryFinding]] = [[]]
    for some in alike.values():
        if len(batches[-1]) >= BATCH:
            batches.append([])
        batches[-1].extend(some)
    return [batch for batch in batches if batch]


def _post(ctx: Running, trakt: TraktHistory, batch: Sequence[HistoryFinding], clock: Clock) -> None:
    there = _standing(trakt, batch)
    last = last_moment()
    repair_rows.claim_restore(ctx, {row.id: there[_key(row)] for row in batch}, clock())
    with deadline.not_after(last):
        answer = trakt.post_plays([_play(row) for row in batch])
    ids = [row.id for row in batch]
    if answer.status == "applied" and answer.added >= len(batch):
        repair_rows.mark(ctx, ids, "restored")
        return
    if answer.status == "refused":
        repair_rows.mark(ctx, ids, "removed")
        raise stop_reason(answer)
    raise Settling(
        said("Trakt did not say whether the plays arrived"), service="trakt", seconds=_pause().total_seconds()
    )


def _settle(ctx: Running, trakt: TraktHistory, rows: Sequence[HistoryFinding], clock: Clock) -> None:
    """What is in doubt is there when Trakt has more such plays than before; not there when two readings agree."""
    if not rows:
        return
    now = clock()
    landed = max(row.claimed_at for row in rows if row.claimed_at is not None)
    _wait_until(ledger.write_deadline(landed), now)
    there = _standing(trakt, rows)
    spare = Counter(there)
    arrived: list[int] = []
    absent: list[HistoryFinding] = []
    for row in rows:
        if spare[_key(row)] > row.before:
            spare[_key(row)] -= 1
            arrived.append(row.id)
        else:
            absent.append(row)
    repair_rows.mark(ctx, arrived, "restored")
    again = [row.id for row in absent if row.absent_since is not None and now - row.absent_since >= _pause()]
    # what arrived is no sign of another one any more, so the next reading counts from here
    repair_rows.mark_absent(ctx, {row.id: there[_key(row)] for row in absent if row.id not in again}, now)
    repair_rows.mark(ctx, again, "removed", absent_since=None)
    if len(again) < len(absent):
        raise Settling(
            said("Looking once more for plays that were put back"), service="trakt", seconds=_pause().total_seconds()
        )


def _wait_until(moment: datetime, now: datetime) -> None:
    if moment > now:
        seconds = (moment - now).total_seconds()
        raise Settling(said("What was sent or removed a moment ago may not show yet"), service="trakt", seconds=seconds)


def _standing(trakt: TraktHistory, rows: Sequence[HistoryFinding]) -> Counter[tuple[Title, int, int, datetime | None]]:
    """How many plays stand on Trakt now, by title, season, number and second."""
    found: Counter[tuple[Title, int, int, datetime | None]] = Counter()
    for title in _by_title(rows):
        for event in history_of(trakt, *title, None, None):
            found[(title, *_numbers(title, event), _second(event.watched_at))] += 1
    return found


def _numbers(title: Title, event: HistoryRow) -> tuple[int, int]:
    return (0, 0) if title[0] == "movie" else (event.season, event.number)


def _key(row: HistoryFinding) -> tuple[Title, int, int, datetime | None]:
    return (row.kind, row.trakt_id), row.season, row.number, _second(row.watched_at)


def _second(at: datetime | None) -> datetime | None:
    return None if at is None else whole(at)


def _by_title(rows: Iterable[HistoryFinding]) -> dict[Title, list[HistoryFinding]]:
    titles: dict[Title, list[HistoryFinding]] = {}
    for row in rows:
        titles.setdefault((row.kind, row.trakt_id), []).append(row)
    return titles


def _pause() -> timedelta:
    return timedelta(seconds=config().TRAKT_SETTLE_SECONDS)


def _play(row: HistoryFinding) -> Play:
    return Play(
        anilist_id=row.anilist_id or 0,
        episode=row.episode or 0,
        nth=1,
        kind="movie" if row.kind == "movie" else "episode",
        trakt_id=row.trakt_id,
        season=row.season,
        number=row.number,
        target_nth=1,
        before=row.before,
        watched_at=_second(row.watched_at),
        date_source=repair_rows.ADOPTED,
    )
