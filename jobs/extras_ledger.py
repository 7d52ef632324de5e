"""The ledger of ratings, watchlist items and dropped shows: the only writer of `extras`.

A row is claimed (`sending`) and committed before its request leaves, and recorded after the answer. What a death leaves
behind are rows `sending`: the next run of the account reads the list and settles them, `TRAKT_SETTLE_SECONDS` after the
claim at the earliest, since reads lag writes. What is not there then may be sent again: these requests may be repeated.
A row that was `sent` is never sent again; `gone`, `removed` and `rejected` hold their target until "send again".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update

from jobs.extras import HELD_STATES, Extra, ExtraKind, Sent, Target
from jobs.ledger_rows import GONE, NO_SYNC, mine, parts
from jobs.ports import Claimant
from webapp.database import transaction, upsert
from webapp.models import ExtraRow, PlanExtra, Run

UNDONE = "undone"
_KEY = ("target_account", "kind", "target", "trakt_id", "season")


@dataclass(frozen=True, slots=True)
class Row:
    """One row, as far as sending and undoing look at it."""

    row_id: int
    extra: Extra
    state: str
    held: bool
    run_id: int | None
    answered: bool
    claimed_at: datetime
    sent_at: datetime | None


def _rows(*conditions: Any) -> list[Row]:
    with transaction(readonly=True) as session:
        rows = session.scalars(
            select(ExtraRow).where(*conditions).order_by(ExtraRow.id).execution_options(populate_existing=True)
        ).all()
    return [_row(row) for row in rows]


def _row(row: ExtraRow) -> Row:
    kind: ExtraKind = row.kind  # type: ignore[assignment]  # one of three words
    target = Target(row.target, row.trakt_id, row.season)  # type: ignore[arg-type]  # one of three words
    extra = Extra(kind, target, row.anilist_id, row.value)
    return Row(row.id, extra, row.state, row.held, row.run_id, row.answered, row.claimed_at, row.sent_at)


def known(account_id: str) -> dict[tuple[ExtraKind, Target], Sent]:
    """What was ever sent to this Trakt account, by kind and target."""
    return {row.extra.key: Sent(row.state, row.held) for row in _rows(ExtraRow.target_account == account_id)}


def doubtful(account_id: str) -> list[Row]:
    """Rows of which nobody knows yet whether they arrived."""
    return _rows(ExtraRow.target_account == account_id, ExtraRow.state == "sending")


def standing(account_id: str, kind: ExtraKind) -> list[Row]:
    """What was sent and not taken away since."""
    return _rows(ExtraRow.target_account == account_id, ExtraRow.kind == kind, ExtraRow.state == "sent")


def of_run(account_id: str, run_id: int) -> list[Row]:
    """What a run has sent and an undo would take away."""
    states = ("sent", "removing")
    return _rows(ExtraRow.target_account == account_id, ExtraRow.run_id == run_id, ExtraRow.state.in_(states))


def counts(run_id: int) -> dict[tuple[str, str], int]:
    """{(kind, state): rows} of a run."""
    query = select(ExtraRow.kind, ExtraRow.state, func.count()).where(ExtraRow.run_id == run_id)
    with transaction(readonly=True) as session:
        rows = session.execute(query.group_by(ExtraRow.kind, ExtraRow.state)).all()
    return {(kind, state): number for kind, state, number in rows}


def number(run_id: int, state: str) -> int:
    """How many rows of a run are in this state."""
    return sum(rows for (_, found), rows in counts(run_id).items() if found == state)


def claim(ctx: Claimant, account_id: str, extras: Sequence[Extra], deadline: datetime, at: datetime) -> list[Row]:
    """Take these as `sending` of this run, with the run's `batch_deadline`; those that nobody has sent meanwhile."""
    values = [
        {
            "user_id": ctx.user_id,
            "target_account": account_id,
            "kind": extra.kind,
            "target": extra.target.kind,
            "trakt_id": extra.target.trakt_id,
            "season": extra.target.season,
            "anilist_id": extra.anilist_id,
            "value": extra.value,
            "state": "sending",
            "held": True,
            "run_id": ctx.run_id,
            "answered": False,
            "reason": None,
            "claimed_at": at,
            "sent_at": None,
            "created_at": at,
            "updated_at": at,
        }
        for extra in extras
    ]
    statement = upsert(ExtraRow.__table__)
    changing = {name: statement.excluded[name] for name in values[0] if name not in (*_KEY, "created_at")}
    # spelled out: a list that grows cannot stand in a statement that runs for many rows
    free = or_(*(ExtraRow.state == state for state in sorted(HELD_STATES))) & ExtraRow.held.is_(False)
    with mine(ctx) as session:
        session.execute(
            update(Run).where(Run.id == ctx.run_id).values(batch_deadline=deadline), execution_options=NO_SYNC
        )
        session.execute(statement.on_conflict_do_update(index_elements=list(_KEY), set_=changing, where=free), values)
    wanted = {extra.key: extra for extra in extras}
    rows = _rows(ExtraRow.run_id == ctx.run_id, ExtraRow.state == "sending")
    return [row for row in rows if row.extra.key in wanted]


def record_sent(ctx: Claimant, row_ids: Collection[int], at: datetime) -> None:
    """These are on Trakt."""
    _change(ctx, row_ids, ("sending",), state="sent", sent_at=at, reason=None, updated_at=at)


def record_doubt(ctx: Claimant, row_ids: Collection[int], reason: str, at: datetime, *, answered: bool) -> None:
    """Nobody knows what became of these; `answered`: a readable 2xx came, so what is missing was refused."""
    _change(ctx, row_ids, ("sending",), answered=answered, reason=reason[:500], updated_at=at)


def reject(ctx: Claimant, row_ids: Collection[int], at: datetime) -> None:
    """Trakt answered and did not take these."""
    _change(ctx, row_ids, ("sending",), state="rejected", held=True, updated_at=at)


def release(ctx: Claimant, row_ids: Collection[int]) -> None:
    """These are not on Trakt and were not refused for what they are: as if they had never been claimed."""
    for part in parts(sorted(row_ids)) or [[]]:
        with mine(ctx) as session:
            rows = (ExtraRow.id.in_(part), ExtraRow.state == "sending")
            session.execute(delete(ExtraRow).where(*rows), execution_options=NO_SYNC)
            _close_batch(session, ctx)


def record_gone(ctx: Claimant, row_ids: Collection[int], at: datetime) -> None:
    """What was sent is not on Trakt any more, by somebody else's hand: it stays away."""
    _change(ctx, row_ids, ("sent", "removing"), state="gone", held=True, reason=GONE, updated_at=at)


def claim_removal(ctx: Claimant, row_ids: Collection[int], deadline: datetime, at: datetime) -> None:
    """These are about to be taken off Trakt."""
    with mine(ctx) as session:
        session.execute(
            update(Run).where(Run.id == ctx.run_id).values(batch_deadline=deadline), execution_options=NO_SYNC
        )
        session.execute(
            update(ExtraRow)
            .where(ExtraRow.id.in_(row_ids), ExtraRow.state == "sent")
            .values(state="removing", updated_at=at),
            execution_options=NO_SYNC,
        )


def record_removed(ctx: Claimant, row_ids: Collection[int], at: datetime) -> None:
    """These are off Trakt, and held from now on."""
    _change(ctx, row_ids, ("removing",), state="removed", held=True, reason=UNDONE, updated_at=at)


def record_kept(ctx: Claimant, row_ids: Collection[int], at: datetime) -> None:
    """Trakt refused to remove these."""
    _change(ctx, row_ids, ("removing",), state="sent", updated_at=at)


def _change(ctx: Claimant, row_ids: Collection[int], states: tuple[str, ...], **values: Any) -> None:
    for part in parts(sorted(row_ids)):
        with mine(ctx) as session:
            session.execute(
                update(ExtraRow).where(ExtraRow.id.in_(part), ExtraRow.state.in_(states)).values(**values),
                execution_options=NO_SYNC,
            )
            _close_batch(session, ctx)


def _close_batch(session: Any, ctx: Claimant) -> None:
    session.execute(update(Run).where(Run.id == ctx.run_id).values(batch_deadline=None), execution_options=NO_SYNC)


# Plans


def store_plan(ctx: Claimant, extras: Sequence[Extra]) -> None:
    """Keep what this run would send, in place of an earlier plan of it."""
    rows = [
        {
            "run_id": ctx.run_id,
            "kind": extra.kind,
            "target": extra.target.kind,
            "trakt_id": extra.target.trakt_id,
            "season": extra.target.season,
            "anilist_id": extra.anilist_id,
            "value": extra.value,
            "rated_at": extra.rated_at,
        }
        for extra in extras
    ]
    with mine(ctx) as session:
        session.execute(delete(PlanExtra).where(PlanExtra.run_id == ctx.run_id), execution_options=NO_SYNC)
        for start in range(0, len(rows), 500):
            session.execute(insert(PlanExtra), rows[start : start + 500])


def load_plan(run_id: int) -> list[Extra]:
    """The stored plan of a run."""
    with transaction(readonly=True) as session:
        rows = session.scalars(select(PlanExtra).where(PlanExtra.run_id == run_id).order_by(PlanExtra.id)).all()
    return [
        Extra(row.kind, Target(row.target, row.trakt_id, row.season), row.anilist_id, row.value, row.rated_at)  # type: ignore[arg-type]  # one of three words each
        for row in rows
    ]
