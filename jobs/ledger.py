"""The ledger: the only writer of plays (DESIGN 6.3 to 6.6). Here: from a plan
to `sent` or `rejected`. Reading is in `jobs.ledger_rows`, what people do in `jobs.ledger_people`, rows on their way off
Trakt in `jobs.ledger_moves`; nobody else writes plays.

Every write is one short transaction that first takes the row of its run: `id`, `attempt` and `running` must still be
ours, else `LostClaim`. On PostgreSQL that row stays locked until the commit, on SQLite the whole database does, so a
run that was taken over can't slip a write in between.

What a death leaves behind, step by step, and who puts it right:

| dies | in the database | next |
|---|---|---|
| before `write_plan` | nothing | the run plans again |
| inside `write_plan` | some rows `planned` | the next plan of the account adopts or deletes them: only the holder of the writer's lock plans, so a `planned` row that is not its own belongs to a run that ended |
| after `write_plan` | rows `planned` | the same; nothing has left the house |
| after `claim_batch`, before the POST | rows `sending`, `batch_deadline` of the run | taken over after the deadline; `settle` looks for them on Trakt, twice, and puts them back to `planned` |
| during the POST, or before the answer is recorded | the same | the same; those that arrived become `sent` with their history id, those that did not go back |
| after `record_sent`, `back_to_planned` | the answer | goes on with what is still `planned` |
| after `record_doubt` | rows `sending` with what was answered | `settle`, as above, without waiting for the deadline |
| between the two looks of `settle` | `absent_since` of the first | the second look is due TRAKT_SETTLE_SECONDS later, whoever takes it |
| while the last rows are counted | all `sent` or `rejected` | counters are computed from the rows, never added up on the way |
| `reconcile` | some rows `gone` | reads the same picture again and marks the rest |
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import case, delete, func, or_, select, update

from jobs.dates import whole
from jobs.ledger_people import Vanished, reconcile, send_again
from jobs.ledger_rows import (
    GONE,
    HELD_STATES,
    NO_SYNC,
    PLAY_COLUMNS,
    Accounts,
    Counts,
    Doubtful,
    EntryCount,
    accounts,
    back_to_sent,
    change,
    count_late,
    counts,
    doubtful,
    known_history_ids,
    mine,
    parts,
    rows_for,
    sent_since,
)
from jobs.ports import Claimant
from jobs.records import Play
from webapp.database import transaction, upsert
from webapp.models import PlayRow, Run, utcnow

__all__ = [
    "GONE", "HELD_STATES", "Accounts", "Claimed", "Counts", "Doubtful", "EntryCount", "Vanished", "Written", "accounts",
    "back_to_planned", "claim_batch", "count_late", "counts", "doubtful", "drop_leftovers", "known_history_ids", "mine", "reconcile",
    "record_absent", "record_doubt", "record_sent", "reject", "rows_for", "send_again", "sent_since", "write_deadline",
    "write_plan",
]  # fmt: skip
WRITE_SHARE = 1.5  # of HTTP_WRITE_SECONDS: the POST itself, and half of it to wait for its turn


@dataclass(frozen=True, slots=True)
class Written:
    """What `write_plan` made of a plan: rows to send, and plays whose place another row holds."""

    planned: int
    shared: Mapping[int, int]  # anilist_id -> the entry that stands there


@dataclass(frozen=True, slots=True)
class Claimed:
    """One row that is `sending`, with its play as it goes out."""

    play_id: int
    play: Play


def write_deadline(claimed_at: datetime) -> datetime:
    """Until when a POST that was claimed then may still land."""
    return claimed_at + timedelta(seconds=WRITE_SHARE * current_app.config["TSUZUKI"].HTTP_WRITE_SECONDS + 5)


def write_plan(ctx: Claimant, account: Accounts, plays: Sequence[Play], at: datetime | None = None) -> Written:
    """Make the `planned` rows of this account exactly those of `plays`, as rows of this run.

    Rows that an ended run left behind are adopted where they fit, else deleted. A play whose key another row holds is
    left out: its own row when it is sent already, the other entry's when two claim one place (`shared`).
    """
    at = at or utcnow()
    refused = _refused_here(ctx)
    wanted = {
        (play.source_key, play.target_key): play for play in plays if (play.source_key, play.target_key) not in refused
    }
    adopted: set[Any] = set()
    stale: list[int] = []
    keep: list[dict[str, Any]] = []
    for row in _planned(ctx.user_id, account):
        key = (row.anilist_id, row.episode, row.nth), (row.kind, row.trakt_id, row.season, row.number, row.target_nth)
        play = wanted.get(key)
        if play is None or row.replaces is not None or row.source_account != account.source or key in adopted:
            stale.append(row.id)
            continue
        adopted.add(key)
        values = {"id": row.id, "run_id": ctx.run_id, "before": play.before, "updated_at": at}
        if row.claimed_at is None:  # what went out once keeps its time
            values |= {"watched_at": _second(play.watched_at), "date_source": play.date_source}
        keep.append(values)
    for part in parts(stale):
        with mine(ctx) as session:
            drop_planned(session, part, at)
    for values_part in parts(keep):
        with mine(ctx) as session:
            session.execute(update(PlayRow), values_part)
    new = [play for key, play in wanted.items() if key not in adopted]
    _clear_holds(ctx, account, new, at)
    for plays_part in parts(new):
        with mine(ctx) as session:
            rows = [_row(ctx, account, play, at) for play in plays_part]
            session.execute(upsert(PlayRow.__table__).on_conflict_do_nothing(), rows)
    return _written(ctx, account, wanted)


def drop_leftovers(ctx: Claimant, account: Accounts, at: datetime) -> None:
    """Delete the `planned` rows of this account that ended runs left behind; those of this run stay."""
    with transaction(readonly=True) as session:
        found = select(PlayRow.id).where(
            PlayRow.user_id == ctx.user_id,
            PlayRow.target_account == account.target,
            PlayRow.state == "planned",
            or_(PlayRow.run_id.is_(None), PlayRow.run_id != ctx.run_id),
        )
        stale = list(session.scalars(found))
    for part in parts(stale):
        with mine(ctx) as session:
            drop_planned(session, part, at)


def drop_planned(session: Any, play_ids: Collection[int], at: datetime) -> None:
    """Delete `planned` rows that nobody wants any more; the old row of a move that never began is `sent` again."""
    replaced = select(PlayRow.replaces).where(PlayRow.id.in_(play_ids), PlayRow.state == "planned")
    old = [play_id for play_id in session.scalars(replaced) if play_id is not None]
    session.execute(
        delete(PlayRow).where(PlayRow.id.in_(play_ids), PlayRow.state == "planned"), execution_options=NO_SYNC
    )
    back_to_sent(session, old, at)


def claim_batch(ctx: Claimant, size: int, deadline: datetime, at: datetime | None = None) -> tuple[int, list[Claimed]]:
    """Take up to `size` planned rows of this run: `sending`, with the run's `batch_deadline`, in one transaction.

    Returns the number of the batch and its rows; committed before anything leaves the house.
    """
    at = at or utcnow()
    with mine(ctx) as session:
        ids = list(
            session.scalars(
                select(PlayRow.id)
                .where(PlayRow.run_id == ctx.run_id, PlayRow.state == "planned")
                .order_by(PlayRow.kind, PlayRow.trakt_id, PlayRow.season, PlayRow.number, PlayRow.id)
                .limit(size)
            )
        )
        if not ids:
            return 0, []
        last = session.scalar(select(func.max(PlayRow.batch)).where(PlayRow.run_id == ctx.run_id)) or 0
        session.execute(
            update(Run).where(Run.id == ctx.run_id).values(batch_deadline=deadline), execution_options=NO_SYNC
        )
        values = {
            "state": "sending",
            "batch": last + 1,
            "attempt": ctx.attempt,
            "claimed_at": at,
            "answered": False,
            "absent_since": None,
            "reason": None,
            "updated_at": at,
        }
        session.execute(
            update(PlayRow).where(PlayRow.id.in_(ids), PlayRow.state == "planned").values(**values),
            execution_options=NO_SYNC,
        )
        rows = session.execute(
            select(*PLAY_COLUMNS)
            .where(PlayRow.run_id == ctx.run_id, PlayRow.batch == last + 1, PlayRow.state == "sending")
            .order_by(PlayRow.kind, PlayRow.trakt_id, PlayRow.season, PlayRow.number, PlayRow.id)
        ).all()
    return last + 1, [Claimed(row[0], Play(*row[1:])) for row in rows]


def record_sent(
    ctx: Claimant, found: Mapping[int, int | None], at: datetime | None = None, *, close_batch: bool = False
) -> None:
    """These `sending` rows are on Trakt; `found` gives the history id of those that were seen there."""
    at = at or utcnow()
    seen = {play_id: history_id for play_id, history_id in found.items() if history_id is not None}
    for part in parts([play_id for play_id in found if play_id not in seen]) or [[]]:
        with mine(ctx) as session:
            change(session, part, ("sending",), state="sent", sent_at=at, absent_since=None, reason=None, updated_at=at)
            _count(session, ctx, close_batch=close_batch)
    for part in parts(list(seen)):
        with mine(ctx) as session:
            ids = case({play_id: seen[play_id] for play_id in part}, value=PlayRow.id)
            change(
                session, part, ("sending",),
                state="sent", sent_at=at, absent_since=None, reason=None, history_id=ids, updated_at=at,
            )  # fmt: skip
            _count(session, ctx, close_batch=close_batch)


def back_to_planned(ctx: Claimant, play_ids: Collection[int], at: datetime | None = None) -> None:
    """Nothing of these arrived: they wait for the next batch."""
    at = at or utcnow()
    for part in parts(list(play_ids)):
        with mine(ctx) as session:
            change(
                session, part, ("sending",),
                state="planned", batch=None, attempt=None, answered=False, absent_since=None, reason=None, updated_at=at,
            )  # fmt: skip
            _count(session, ctx, close_batch=True)


def reject(ctx: Claimant, play_ids: Collection[int], reason: str | None = None, at: datetime | None = None) -> None:
    """Trakt answered and did not take these. `reason` None keeps what `record_doubt` wrote. An old row of a move is `sent` again."""
    at = at or utcnow()
    values: dict[str, Any] = {"state": "rejected", "held": True, "absent_since": None, "updated_at": at}
    if reason is not None:
        values["reason"] = reason
    for part in parts(list(play_ids)):
        with mine(ctx) as session:
            change(session, part, ("sending",), **values)
            replaced = select(PlayRow.replaces).where(PlayRow.id.in_(part), PlayRow.state == "rejected")
            back_to_sent(session, [play_id for play_id in session.scalars(replaced) if play_id is not None], at)
            _count(session, ctx, close_batch=True)


def record_doubt(
    ctx: Claimant, play_ids: Collection[int], *, answered: bool, reason: str, at: datetime | None = None
) -> None:
    """The request is over and nobody knows what became of it. `answered`: a readable 2xx came, so what is missing was refused."""
    at = at or utcnow()
    for part in parts(list(play_ids)):
        with mine(ctx) as session:
            change(session, part, ("sending",), answered=answered, reason=reason, absent_since=None, updated_at=at)
            _count(session, ctx, close_batch=True)


def record_absent(ctx: Claimant, play_ids: Collection[int], at: datetime) -> None:
    """A first reading, which ended at `at`, did not show these."""
    for part in parts(list(play_ids)):
        with mine(ctx) as session:
            change(session, part, ("sending",), absent_since=at, updated_at=at)


def _second(at: datetime | None) -> datetime | None:
    return None if at is None else whole(at)


def _planned(user_id: int, account: Accounts) -> Sequence[Any]:
    with transaction(readonly=True) as session:
        rows: Sequence[Any] = session.execute(
            select(PlayRow.id, PlayRow.source_account, PlayRow.anilist_id, PlayRow.episode, PlayRow.nth, PlayRow.kind,
                   PlayRow.trakt_id, PlayRow.season, PlayRow.number, PlayRow.target_nth, PlayRow.claimed_at,
                   PlayRow.replaces)
            .where(PlayRow.user_id == user_id, PlayRow.target_account == account.target, PlayRow.state == "planned")
            .order_by(PlayRow.id)
        ).all()  # fmt: skip
    return rows


def _refused_here(ctx: Claimant) -> set[Any]:
    """Keys that Trakt refused in this very run, perhaps after its plan was made."""
    with transaction(readonly=True) as session:
        rows = session.execute(
            select(*PLAY_COLUMNS).where(
                PlayRow.run_id == ctx.run_id, PlayRow.state == "rejected", PlayRow.held.is_(True)
            )
        ).all()
    plays = [Play(*row[1:]) for row in rows]
    return {(play.source_key, play.target_key) for play in plays}


def _row(ctx: Claimant, account: Accounts, play: Play, at: datetime) -> dict[str, Any]:
    return {
        "user_id": ctx.user_id,
        "source_service": "anilist",
        "source_account": account.source,
        "anilist_id": play.anilist_id,
        "episode": play.episode,
        "nth": play.nth,
        "target_service": "trakt",
        "target_account": account.target,
        "kind": play.kind,
        "trakt_id": play.trakt_id,
        "season": play.season,
        "number": play.number,
        "target_nth": play.target_nth,
        "state": "planned",
        "before": play.before,
        "watched_at": _second(play.watched_at),
        "date_source": play.date_source,
        "run_id": ctx.run_id,
        "answered": False,
        "held": True,
        "created_at": at,
        "updated_at": at,
    }


def _clear_holds(ctx: Claimant, account: Accounts, new: Sequence[Play], at: datetime) -> None:
    """The plan decided to send these in spite of an older row: that row holds nothing back any more."""
    sources = {play.source_key for play in new}
    with transaction(readonly=True) as session:
        rows = session.execute(
            select(PlayRow.id, PlayRow.anilist_id, PlayRow.episode, PlayRow.nth).where(
                PlayRow.user_id == ctx.user_id,
                PlayRow.target_account == account.target,
                PlayRow.source_account == account.source,
                PlayRow.state.in_(HELD_STATES),
                PlayRow.held.is_(True),
            )
        ).all()
    for part in parts([row.id for row in rows if (row.anilist_id, row.episode, row.nth) in sources]):
        with mine(ctx) as session:
            change(session, part, HELD_STATES, held=False, updated_at=at)


def _written(ctx: Claimant, account: Accounts, wanted: Mapping[Any, Play]) -> Written:
    """Which plays have no row of their own, and whose row stands in their place."""
    with transaction(readonly=True) as session:
        rows = session.execute(
            select(*PLAY_COLUMNS, PlayRow.state, PlayRow.run_id, PlayRow.source_account).where(
                PlayRow.user_id == ctx.user_id,
                PlayRow.target_account == account.target,
                PlayRow.state.in_(("planned", "sending", "sent", "removing")),
            )
        ).all()
    sources = {
        (row.anilist_id, row.episode, row.nth)
        for row in rows
        if row.source_account == account.source and row.state != "removing"
    }
    places = {(row.kind, row.trakt_id, row.season, row.number, row.target_nth): row.anilist_id for row in rows}
    shared = {
        play.anilist_id: places[target]
        for (source, target), play in wanted.items()
        if source not in sources and target in places
    }
    return Written(sum(row.state == "planned" and row.run_id == ctx.run_id for row in rows), shared)


def _count(session: Any, ctx: Claimant, *, close_batch: bool) -> None:
    """The run's counter of sent plays, from the rows; an answered batch can land no more."""
    sent = (
        select(func.count()).select_from(PlayRow).where(PlayRow.run_id == ctx.run_id, PlayRow.state == "sent")
    ).scalar_subquery()
    values: dict[str, Any] = {"plays_sent": sent}
    if close_batch:
        values["batch_deadline"] = None
    session.execute(update(Run).where(Run.id == ctx.run_id).values(**values), execution_options=NO_SYNC)
