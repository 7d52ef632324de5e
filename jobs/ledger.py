"""The ledger: the only writer of plays (DESIGN 6.3 to 6.6). The moves of `removing` rows are in `jobs.ledger_moves`.

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

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy import case, delete, func, or_, select, update

from jobs.dates import whole
from jobs.errors import BadData, LostClaim
from jobs.planner import FRESH, MOVED, LedgerRow
from jobs.ports import Claimant
from jobs.records import Picture, Play
from webapp.database import transaction, upsert
from webapp.models import Connection, Entry, PlayRow, Run, utcnow

PART = 500  # rows of one statement: far below every limit of parameters
HELD_STATES = ("gone", "removed", "rejected")
VANISHED_PLAYS = 20  # more than this and ...
VANISHED_SHARE = 0.05  # ... more than this at once: a person must look first
GONE = "not_on_trakt_any_more"  # reason of a row that a person removed on Trakt
NO_SYNC: dict[str, Any] = {"synchronize_session": False}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Accounts:
    """Both ends of this person's plays: AniList user id and Trakt uuid."""

    source: str
    target: str


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


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A row of which nobody knows yet whether it arrived."""

    play_id: int
    run_id: int | None
    attempt: int | None
    kind: str
    trakt_id: int
    season: int
    number: int
    before: int
    watched_at: datetime | None
    claimed_at: datetime | None
    answered: bool
    absent_since: datetime | None
    reason: str | None  # what was answered; None when no answer was ever recorded


@dataclass(frozen=True, slots=True)
class EntryCount:
    """What became of one entry's plays in one run."""

    sent: int = 0
    rejected: int = 0
    planned: int = 0
    last_sent: int = 0  # highest episode that was sent
    reason: str | None = None  # why something was rejected


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of a run's plays."""

    sent: int = 0
    rejected: int = 0
    planned: int = 0
    episodes: int = 0  # of `sent`
    movies: int = 0  # of `sent`
    by_entry: Mapping[int, EntryCount] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vanished:
    """Plays of ours that a complete picture no longer shows. `brake`: too many at once, nothing was written."""

    plays: int
    of: int
    brake: bool
    by_entry: Mapping[int, int] = field(default_factory=dict)


@contextmanager
def mine(ctx: Claimant) -> Iterator[Any]:
    """A writing transaction of this attempt. Raises `LostClaim` when another worker has the run."""
    with transaction() as session:
        held = session.scalar(
            select(Run.id)
            .where(Run.id == ctx.run_id, Run.attempt == ctx.attempt, Run.status == "running")
            .with_for_update()
        )
        if held is None:
            raise LostClaim(f"run {ctx.run_id} is no longer attempt {ctx.attempt}")
        yield session


def accounts(user_id: int) -> Accounts:
    """The accounts whose plays this person's runs write. Raises BadData when one is not known yet."""
    with transaction(readonly=True) as session:
        rows = session.execute(
            select(Connection.service, Connection.account_id).where(
                Connection.user_id == user_id, Connection.service.in_(("anilist", "trakt"))
            )
        )
        known = {service: account_id for service, account_id in rows if account_id}
    for service in ("anilist", "trakt"):
        if service not in known:
            raise BadData(f"the {service} account is not known yet", service=service)
    return Accounts(known["anilist"], known["trakt"])


def write_deadline(claimed_at: datetime) -> datetime:
    """Until when a POST that was claimed then may still land: its own total deadline, and half of it to wait for its turn."""
    return claimed_at + timedelta(seconds=1.5 * current_app.config["TSUZUKI"].HTTP_WRITE_SECONDS + 5)


def rows_for(user_id: int, target_account: str) -> list[LedgerRow]:
    """Every play that was ever written for this Trakt account, oldest first."""
    own = select(Connection.account_id).where(Connection.user_id == user_id, Connection.service == "anilist")
    with transaction(readonly=True) as session:
        source = session.scalar(own)
        rows = session.execute(
            select(
                PlayRow.id,
                PlayRow.anilist_id,
                PlayRow.episode,
                PlayRow.kind,
                PlayRow.trakt_id,
                PlayRow.season,
                PlayRow.number,
                PlayRow.state,
                PlayRow.nth,
                PlayRow.target_nth,
                PlayRow.before,
                PlayRow.watched_at,
                PlayRow.date_source,
                PlayRow.run_id,
                PlayRow.held,
                PlayRow.claimed_at.is_not(None),
                PlayRow.sent_at,
                PlayRow.updated_at,
                PlayRow.history_id,
                PlayRow.reason,
                PlayRow.source_account != (source or ""),
            )
            .where(PlayRow.user_id == user_id, PlayRow.target_account == target_account)
            .order_by(PlayRow.id)
        ).all()
    return [LedgerRow(*row) for row in rows]


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
            session.execute(upsert(PlayRow).values(rows).on_conflict_do_nothing())
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
            select(*_PLAY_COLUMNS)
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


def doubtful(user_id: int, target_account: str) -> list[Doubtful]:
    """All `sending` rows of this Trakt account, whichever run they are from."""
    with transaction(readonly=True) as session:
        rows = session.execute(
            select(
                PlayRow.id,
                PlayRow.run_id,
                PlayRow.attempt,
                PlayRow.kind,
                PlayRow.trakt_id,
                PlayRow.season,
                PlayRow.number,
                PlayRow.before,
                PlayRow.watched_at,
                PlayRow.claimed_at,
                PlayRow.answered,
                PlayRow.absent_since,
                PlayRow.reason,
            )
            .where(PlayRow.user_id == user_id, PlayRow.target_account == target_account, PlayRow.state == "sending")
            .order_by(PlayRow.id)
        ).all()
    return [Doubtful(*row) for row in rows]


def known_history_ids(user_id: int, target_account: str, titles: Iterable[tuple[str, int]]) -> set[int]:
    """History ids that rows of these (kind, Trakt id) own already: no second row may take one of them for its own."""
    found: set[int] = set()
    for part in parts(sorted({trakt_id for _, trakt_id in titles})):
        with transaction(readonly=True) as session:
            found.update(
                session.scalars(
                    select(PlayRow.history_id).where(
                        PlayRow.user_id == user_id,
                        PlayRow.target_account == target_account,
                        PlayRow.trakt_id.in_(part),
                        PlayRow.history_id.is_not(None),
                    )
                )
            )
    return found


def reconcile(
    user_id: int, picture: Picture, now: datetime, *, approved: bool = False, ctx: Claimant | None = None
) -> Vanished:
    """Mark as `gone` what we sent and a complete picture, begun more than an hour later, no longer shows (DESIGN 6.6).

    More than 20 plays and 5 % of the ledger at once: nothing is written and `brake` is set, unless `approved`.
    With `ctx` the writes belong to that attempt. Rows that an undo left `removing` are decided by the picture too.
    """
    before = picture.began_at - FRESH
    with transaction(readonly=True) as session:
        rows = session.execute(
            select(PlayRow.id, PlayRow.anilist_id, PlayRow.kind, PlayRow.trakt_id, PlayRow.season, PlayRow.number,
                   PlayRow.target_nth, PlayRow.state, PlayRow.sent_at, PlayRow.updated_at, PlayRow.reason)
            .where(PlayRow.user_id == user_id, PlayRow.target_account == picture.account_id,
                   PlayRow.state.in_(("sent", "removing")))
            .order_by(PlayRow.target_nth)
        ).all()  # fmt: skip
    places: dict[tuple[str, int, int, int], list[Any]] = {}
    for row in rows:
        places.setdefault((row.kind, row.trakt_id, row.season, row.number), []).append(row)
    gone: list[Any] = []
    removed: list[int] = []
    stays: list[int] = []
    for place, ours in places.items():
        missing = len(ours) - picture.plays_of(*place)
        for row in reversed(ours):  # the last one that was added is the first one that is missed
            since = row.sent_at if row.state == "sent" else row.updated_at
            old = since is None or since < before
            if row.state == "removing" and old and missing <= 0 and row.reason != MOVED:
                stays.append(row.id)
            elif old and missing > 0:
                if row.state == "sent":
                    gone.append(row)
                else:
                    removed.append(row.id)
            missing -= 1
    total = sum(row.state == "sent" for row in rows)
    brake = not approved and len(gone) > VANISHED_PLAYS and len(gone) > total * VANISHED_SHARE
    by_entry: dict[int, int] = {}
    for row in gone:
        by_entry[row.anilist_id] = by_entry.get(row.anilist_id, 0) + 1
    if not brake:
        _mark_reconciled(ctx, [row.id for row in gone], removed, stays, now)
    return Vanished(len(gone), total, brake, by_entry)


def _mark_reconciled(
    ctx: Claimant | None, gone: Sequence[int], removed: Sequence[int], stays: Sequence[int], now: datetime
) -> None:
    own = transaction if ctx is None else lambda: mine(ctx)
    for part in parts(gone):
        with own() as session:
            change(session, part, ("sent",), state="gone", held=True, reason=GONE, updated_at=now)
    for part in parts(removed):
        with own() as session:
            held = case((PlayRow.reason == MOVED, False), else_=True)
            change(session, part, ("removing",), state="removed", held=held, updated_at=now)
    for part in parts(stays):
        with own() as session:
            back_to_sent(session, part, now)


def send_again(
    user_id: int,
    *,
    play_id: int | None = None,
    anilist_id: int | None = None,
    run_id: int | None = None,
    at: datetime | None = None,
) -> int:
    """Clear the hold of one play, of a title or of a run's plays; how many. The entries are looked at by the next run."""
    given = {PlayRow.id: play_id, PlayRow.anilist_id: anilist_id, PlayRow.run_id: run_id}
    chosen = [column == value for column, value in given.items() if value is not None]
    if len(chosen) != 1:
        raise ValueError("name one of play_id, anilist_id and run_id")
    at = at or utcnow()
    held = (PlayRow.user_id == user_id, PlayRow.state.in_(HELD_STATES), PlayRow.held.is_(True), *chosen)
    with transaction() as session:
        rows = session.execute(select(PlayRow.id, PlayRow.anilist_id).where(*held)).all()
        for part in parts([row.id for row in rows]):
            change(session, part, HELD_STATES, held=False, updated_at=at)
        for titles in parts(sorted({row.anilist_id for row in rows})):
            session.execute(
                update(Entry).where(Entry.user_id == user_id, Entry.anilist_id.in_(titles)).values(changed_at=at),
                execution_options=NO_SYNC,
            )
    return len(rows)


def counts(run_id: int) -> Counts:
    """What became of a run's plays, from the rows themselves: right after any number of crashes and attempts."""
    with transaction(readonly=True) as session:
        rows = session.execute(
            select(PlayRow.anilist_id, PlayRow.kind, PlayRow.state, func.count(), func.max(PlayRow.episode),
                   func.max(PlayRow.reason))
            .where(PlayRow.run_id == run_id)
            .group_by(PlayRow.anilist_id, PlayRow.kind, PlayRow.state)
        ).all()  # fmt: skip
    by_entry: dict[int, EntryCount] = {}
    sent = rejected = planned = movies = 0
    for anilist_id, kind, state, number, last, reason in rows:
        old = by_entry.get(anilist_id, EntryCount())
        if state == "sent":
            sent += number
            movies += number if kind == "movie" else 0
            new = EntryCount(old.sent + number, old.rejected, old.planned, max(old.last_sent, last), old.reason)
        elif state == "rejected":
            rejected += number
            new = EntryCount(old.sent, old.rejected + number, old.planned, old.last_sent, reason)
        elif state in ("planned", "sending"):
            planned += number
            new = EntryCount(old.sent, old.rejected, old.planned + number, old.last_sent, old.reason)
        else:
            continue
        by_entry[anilist_id] = new
    return Counts(sent, rejected, planned, sent - movies, movies, by_entry)


def sent_since(user_id: int, target_account: str, moment: datetime) -> int:
    """Plays that were sent after a picture's reading began, so that it may not count them."""
    with transaction(readonly=True) as session:
        return int(
            session.scalar(
                select(func.count())
                .select_from(PlayRow)
                .where(
                    PlayRow.user_id == user_id,
                    PlayRow.target_account == target_account,
                    PlayRow.state == "sent",
                    PlayRow.sent_at >= moment,
                )
            )
            or 0
        )


_PLAY_COLUMNS = (
    PlayRow.id, PlayRow.anilist_id, PlayRow.episode, PlayRow.nth, PlayRow.kind, PlayRow.trakt_id, PlayRow.season,
    PlayRow.number, PlayRow.target_nth, PlayRow.before, PlayRow.watched_at, PlayRow.date_source,
)  # fmt: skip


def _second(at: datetime | None) -> datetime | None:
    return None if at is None else whole(at)


def parts(rows: Sequence[T]) -> list[Sequence[T]]:
    """`rows` in pieces of at most PART."""
    return [rows[start : start + PART] for start in range(0, len(rows), PART)]


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
            select(*_PLAY_COLUMNS).where(
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
            select(*_PLAY_COLUMNS, PlayRow.state, PlayRow.run_id, PlayRow.source_account).where(
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


def change(session: Any, play_ids: Sequence[int], states: tuple[str, ...], **values: Any) -> None:
    if play_ids:
        session.execute(
            update(PlayRow).where(PlayRow.id.in_(play_ids), PlayRow.state.in_(states)).values(**values),
            execution_options=NO_SYNC,
        )


def back_to_sent(session: Any, play_ids: Sequence[int], at: datetime) -> None:
    """`removing` rows whose removal will not happen stand on Trakt as before."""
    change(session, play_ids, ("removing",), state="sent", reason=None, updated_at=at)


def _count(session: Any, ctx: Claimant, *, close_batch: bool) -> None:
    """The run's counter of sent plays, from the rows; an answered batch can land no more."""
    sent = (
        select(func.count()).select_from(PlayRow).where(PlayRow.run_id == ctx.run_id, PlayRow.state == "sent")
    ).scalar_subquery()
    values: dict[str, Any] = {"plays_sent": sent}
    if close_batch:
        values["batch_deadline"] = None
    session.execute(update(Run).where(Run.id == ctx.run_id).values(**values), execution_options=NO_SYNC)
