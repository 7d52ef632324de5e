"""The ledger's rows on their way off Trakt: undo, and moves to another place (DESIGN 6.7). Written here only.

| dies | in the database | next |
|---|---|---|
| before a removal is claimed | rows `sent` | undo looks for them again |
| after `claim_removal`, before or during the request, or before its answer is recorded | rows `removing` with their history ids | the same ids are removed again: Trakt says `not_found` for those that went already |
| after `begin_move` | old row `removing`, new row `planned` with `replaces` | the next attempt posts it; a plan of another run deletes it and the old row is `sent` again |
| while the new row is posted | new row `sending` | settled as every play; rejected -> the old row is `sent` again |
| after the new row is `sent` | old row `removing` | the next attempt passes freed places on and removes the rest |
| after `pass_on` | rows of a chain at their new places, the freed one `removing` | the same |
| a removal that nobody finishes | `removing` | an hour later a complete picture decides: `removed`, or (undo) `sent` again |
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, insert, select, update

from jobs.ledger_rows import GONE, NO_SYNC, back_to_sent, change, mine, parts
from jobs.planner import MOVED, Place
from jobs.ports import Claimant
from webapp.database import transaction
from webapp.models import PlayRow, Run, SyncProgress

UNDONE = "undone"
PASSED_ON = "passed_on"
_COPIED = (
    "user_id", "source_service", "source_account", "anilist_id", "episode", "nth", "target_service", "target_account",
    "target_nth",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """A play of ours on Trakt that is about to go, or to get another source."""

    play_id: int
    anilist_id: int
    episode: int
    kind: str
    trakt_id: int
    season: int
    number: int
    state: str
    before: int
    watched_at: datetime | None
    sent_at: datetime | None
    history_id: int | None
    replaces: int | None
    reason: str | None

    @property
    def place(self) -> Place:
        return self.kind, self.trakt_id, self.season, self.number


_STANDING = (
    PlayRow.id, PlayRow.anilist_id, PlayRow.episode, PlayRow.kind, PlayRow.trakt_id, PlayRow.season, PlayRow.number,
    PlayRow.state, PlayRow.before, PlayRow.watched_at, PlayRow.sent_at, PlayRow.history_id, PlayRow.replaces,
    PlayRow.reason,
)  # fmt: skip


def subject_of(run_id: int) -> tuple[int | None, list[int]]:
    """What an undo or a move is about: (the run that is undone, the entries that are moved)."""
    with transaction(readonly=True) as session:
        run = session.get_one(Run, run_id)
    entries = list((run.options or {}).get("entries") or ())
    return run.parent_id, entries or ([] if run.anilist_id is None else [run.anilist_id])


def of_run(user_id: int, run_id: int, target_account: str) -> list[Standing]:
    """Every play that a run put on Trakt, in all states, with the rows that moves have made of them since."""
    found: dict[int, Standing] = {}
    own = (PlayRow.user_id == user_id, PlayRow.target_account == target_account)
    with transaction(readonly=True) as session:
        rows = [Standing(*r) for r in session.execute(select(*_STANDING).where(*own, PlayRow.run_id == run_id)).all()]
        while rows:
            new = [row for row in rows if row.play_id not in found]
            found.update((row.play_id, row) for row in new)
            rows = []
            for part in parts([row.play_id for row in new]):
                later = select(*_STANDING).where(*own, PlayRow.replaces.in_(part))
                rows.extend(Standing(*row) for row in session.execute(later).all())
    return sorted(found.values(), key=lambda row: row.play_id)


def of_entries(user_id: int, target_account: str, anilist_ids: Collection[int]) -> list[Standing]:
    """Plays of these entries that stand on Trakt or are on their way off it by a move."""
    rows: list[Standing] = []
    for part in parts(sorted(anilist_ids)):
        with transaction(readonly=True) as session:
            found = select(*_STANDING).where(
                PlayRow.user_id == user_id,
                PlayRow.target_account == target_account,
                PlayRow.anilist_id.in_(part),
                PlayRow.state.in_(("sent", "removing")),
            )
            rows.extend(Standing(*row) for row in session.execute(found.order_by(PlayRow.id)).all())
    return rows


def holders(user_id: int, target_account: str, places: Collection[Place]) -> dict[Place, list[tuple[int, int]]]:
    """Who stands at those of `places` where any row of the account counts as standing: (entry, episode), once per row."""
    found: dict[Place, list[tuple[int, int]]] = {}
    wanted = set(places)
    for part in parts(sorted({trakt_id for _, trakt_id, _, _ in wanted})):
        with transaction(readonly=True) as session:
            rows = session.execute(
                select(
                    PlayRow.kind, PlayRow.trakt_id, PlayRow.season, PlayRow.number, PlayRow.anilist_id, PlayRow.episode
                ).where(
                    PlayRow.user_id == user_id,
                    PlayRow.target_account == target_account,
                    PlayRow.trakt_id.in_(part),
                    PlayRow.state.in_(("planned", "sending", "sent", "removing")),
                )
            )
            for kind, trakt_id, season, number, anilist_id, episode in rows:
                if (kind, trakt_id, season, number) in wanted:
                    found.setdefault((kind, trakt_id, season, number), []).append((anilist_id, episode))
    return found


def refused_moves(user_id: int, play_ids: Collection[int]) -> set[tuple[int, Place]]:
    """(old row, place) of moves that Trakt refused; tried again only after "send again"."""
    refused: set[tuple[int, Place]] = set()
    for part in parts(sorted(play_ids)):
        with transaction(readonly=True) as session:
            rows = session.execute(
                select(PlayRow.replaces, PlayRow.kind, PlayRow.trakt_id, PlayRow.season, PlayRow.number).where(
                    PlayRow.user_id == user_id,
                    PlayRow.replaces.in_(part),
                    PlayRow.state == "rejected",
                    PlayRow.held.is_(True),
                )
            )
            refused.update((row[0], (row[1], row[2], row[3], row[4])) for row in rows if row[0] is not None)
    return refused


def times_of(user_id: int, target_account: str, trakt_ids: Collection[int]) -> list[tuple[str, int, datetime]]:
    """(kind, Trakt id, time) of the dated plays that stand at these shows or movies."""
    found: list[tuple[str, int, datetime]] = []
    for part in parts(sorted(trakt_ids)):
        with transaction(readonly=True) as session:
            rows = session.execute(
                select(PlayRow.kind, PlayRow.trakt_id, PlayRow.watched_at).where(
                    PlayRow.user_id == user_id,
                    PlayRow.target_account == target_account,
                    PlayRow.trakt_id.in_(part),
                    PlayRow.watched_at.is_not(None),
                    PlayRow.state.in_(("planned", "sending", "sent", "removing")),
                )
            )
            found.extend((row[0], row[1], row[2]) for row in rows if row[2] is not None)
    return found


def claim_removal(ctx: Claimant, ids: Mapping[int, int], at: datetime) -> None:
    """These rows (play id -> history id) are about to be removed: `removing`, committed before the request goes out."""
    for part in parts(list(ids)):
        with mine(ctx) as session:
            history = case({play_id: ids[play_id] for play_id in part}, value=PlayRow.id)
            change(session, part, ("sent",), state="removing", reason=UNDONE, history_id=history, updated_at=at)
            change(session, part, ("removing",), history_id=history, updated_at=at)


def record_removed(ctx: Claimant, play_ids: Sequence[int], at: datetime) -> None:
    """These are off Trakt. What was undone is held until "send again"; what was moved holds nothing."""
    for part in parts(play_ids):
        with mine(ctx) as session:
            held = case((PlayRow.reason == MOVED, False), else_=True)
            change(session, part, ("removing",), state="removed", held=held, updated_at=at)


def record_kept(ctx: Claimant, play_ids: Sequence[int], at: datetime) -> None:
    """The removal was refused: these stand on Trakt as before. Old rows of a move wait for the next attempt instead."""
    for part in parts(play_ids):
        with mine(ctx) as session:
            undone = select(PlayRow.id).where(PlayRow.id.in_(part), PlayRow.reason == UNDONE)
            back_to_sent(session, list(session.scalars(undone)), at)


def record_gone(ctx: Claimant, play_ids: Sequence[int], at: datetime) -> None:
    """These are not in Trakt's history any more: the person removed them. A moved row holds nothing."""
    for part in parts(play_ids):
        with mine(ctx) as session:
            moved = PlayRow.reason == MOVED
            change(
                session, part, ("sent", "removing"),
                state="gone", held=case((moved, False), else_=True), reason=case((moved, MOVED), else_=GONE), updated_at=at,
            )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Post:
    """A play that is about to be posted at its new place: with its time, and how many plays Trakt will have there then."""

    row: Standing
    place: Place
    watched_at: datetime | None
    before: int


def begin_move(ctx: Claimant, posts: Sequence[Post], at: datetime) -> None:
    """In one transaction each: the old row is `removing`, the new one `planned` at its place, with its time."""
    for part in parts(posts):
        with mine(ctx) as session:
            old = _full_rows(session, [post.row.play_id for post in part])
            change(session, list(old), ("sent",), state="removing", reason=MOVED, updated_at=at)
            rows = []
            for post in part:
                row = old.get(post.row.play_id)
                if row is None:
                    continue
                rows.append(
                    _copy(row, post.place, at)
                    | {
                        "state": "planned", "before": post.before, "watched_at": post.watched_at, "run_id": ctx.run_id,
                        "date_source": row.date_source,
                    }
                )  # fmt: skip
            if rows:
                session.execute(insert(PlayRow), rows)


def begin_leave(ctx: Claimant, play_ids: Sequence[int], at: datetime) -> None:
    """Trakt has a play of the right place already, not ours: the old one only has to go."""
    for part in parts(play_ids):
        with mine(ctx) as session:
            change(session, part, ("sent",), state="removing", reason=MOVED, updated_at=at)


def pass_on(ctx: Claimant, steps: Sequence[tuple[Standing, Standing]], at: datetime) -> None:
    """In one transaction: each `(taker, holder)`: the play where `holder` stands becomes the taker's, without a request.

    The holder's row ends as `removed` and holds nothing. A taker whose own place nobody takes in these steps is left
    `removing`. Steps of one chain or one circle belong into one call.
    """
    holders = {holder.play_id for _, holder in steps}
    takers = {taker.play_id for taker, _ in steps}
    with mine(ctx) as session:
        old = _full_rows(session, sorted(holders | takers), states=("sent", "removing"))
        if not (holders | takers) <= set(old):
            return  # something changed underneath; the next look starts anew
        change(session, sorted(takers - holders), ("sent",), state="removing", reason=MOVED, updated_at=at)
        change(
            session, sorted(holders), ("sent", "removing"), state="removed", held=False, reason=PASSED_ON, updated_at=at
        )
        rows = []
        for taker, holder in steps:
            stands = old[holder.play_id]
            rows.append(
                _copy(old[taker.play_id], holder.place, at)
                | {
                    "state": "sent", "before": stands.before, "watched_at": stands.watched_at,
                    "date_source": stands.date_source, "run_id": stands.run_id, "history_id": stands.history_id,
                    "sent_at": stands.sent_at, "claimed_at": stands.claimed_at, "batch": stands.batch,
                    "attempt": stands.attempt,
                }
            )  # fmt: skip
        session.execute(insert(PlayRow), rows)


def replaced_by(user_id: int, play_ids: Collection[int]) -> dict[int, str]:
    """State of the newest row that replaces each of these, where there is one."""
    states: dict[int, str] = {}
    for part in parts(sorted(play_ids)):
        with transaction(readonly=True) as session:
            rows = session.execute(
                select(PlayRow.replaces, PlayRow.state)
                .where(PlayRow.user_id == user_id, PlayRow.replaces.in_(part))
                .order_by(PlayRow.id)
            )
            states.update((row.replaces, row.state) for row in rows)
    return states


def finish_undo(ctx: Claimant, run_id: int | None, removed: Mapping[int, Collection[int]], at: datetime) -> None:
    """The undone run knows by whom; `sync_progress` falls back over the episodes (by entry) that are off Trakt now."""
    with mine(ctx) as session:
        if run_id is not None:
            session.execute(update(Run).where(Run.id == run_id).values(undone_by=ctx.run_id), execution_options=NO_SYNC)
        for part in parts(sorted(removed)):
            rows = session.scalars(
                select(SyncProgress).where(SyncProgress.user_id == ctx.user_id, SyncProgress.anilist_id.in_(part))
            ).all()
            for row in rows:
                last = row.last_abs
                while last in removed[row.anilist_id]:
                    last -= 1
                if last != row.last_abs:
                    row.last_abs, row.updated_at = last, at


def _full_rows(session: Any, play_ids: Sequence[int], states: tuple[str, ...] = ("sent",)) -> dict[int, PlayRow]:
    rows: dict[int, PlayRow] = {}
    for part in parts(play_ids):
        found = select(PlayRow).where(PlayRow.id.in_(part), PlayRow.state.in_(states))
        rows.update((row.id, row) for row in session.scalars(found.execution_options(populate_existing=True)))
    for row in rows.values():
        session.expunge(row)
    return rows


def _copy(row: PlayRow, place: Place, at: datetime) -> dict[str, Any]:
    """The source of `row` at another place."""
    kind, trakt_id, season, number = place
    return {name: getattr(row, name) for name in _COPIED} | {
        "kind": kind,
        "trakt_id": trakt_id,
        "season": season,
        "number": number,
        "replaces": row.id,
        "answered": False,
        "held": True,
        "created_at": at,
        "updated_at": at,
    }
