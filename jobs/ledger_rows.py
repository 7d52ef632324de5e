"""The rows of the ledger: how they are read, and the transaction in which an attempt of a run may write them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import case, func, select, update

from jobs.errors import BadData, LostClaim
from jobs.planner import LedgerRow
from jobs.ports import Claimant
from jobs.said import said
from webapp.database import transaction
from webapp.models import Connection, PlayRow, Run

PART = 500  # rows of one statement: far below every limit of parameters
HELD_STATES = ("gone", "removed", "rejected")
GONE = "not_on_trakt_any_more"  # reason of a row that a person removed on Trakt
NO_SYNC: dict[str, Any] = {"synchronize_session": False}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Accounts:
    """Both ends of this person's plays: AniList user id and Trakt uuid."""

    source: str
    target: str


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
            raise BadData(said("the %(service)s account is not known yet", service=service), service=service)
    return Accounts(known["anilist"], known["trakt"])


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


def count_late(run_ids: Iterable[int]) -> None:
    """Plays of runs that have ended were found on Trakt afterwards: those runs sent something after all."""
    for run_id in run_ids:
        sent = counts(run_id).sent
        ended = (
            Run.id == run_id,
            Run.mode.not_in(("undo", "move", "repair")),  # what these sent is counted otherwise
            Run.status.in_(("failed", "partial", "cancelled")),
            Run.plays_sent < sent,
        )
        partial = case((Run.status == "failed", "partial"), else_=Run.status)
        with transaction() as session:
            session.execute(
                update(Run).where(*ended).values(plays_sent=sent, status=partial), execution_options=NO_SYNC
            )


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


PLAY_COLUMNS = (
    PlayRow.id, PlayRow.anilist_id, PlayRow.episode, PlayRow.nth, PlayRow.kind, PlayRow.trakt_id, PlayRow.season,
    PlayRow.number, PlayRow.target_nth, PlayRow.before, PlayRow.watched_at, PlayRow.date_source,
)  # fmt: skip


def parts(rows: Sequence[T]) -> list[Sequence[T]]:
    """`rows` in pieces of at most PART."""
    return [rows[start : start + PART] for start in range(0, len(rows), PART)]


def change(session: Any, play_ids: Sequence[int], states: tuple[str, ...], **values: Any) -> None:
    if play_ids:
        session.execute(
            update(PlayRow).where(PlayRow.id.in_(play_ids), PlayRow.state.in_(states)).values(**values),
            execution_options=NO_SYNC,
        )


def back_to_sent(session: Any, play_ids: Sequence[int], at: datetime) -> None:
    """`removing` rows whose removal will not happen stand on Trakt as before."""
    change(session, play_ids, ("removing",), state="sent", reason=None, updated_at=at)
