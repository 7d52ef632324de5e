"""What people do wins (DESIGN 6.6): plays that they removed on Trakt stay away, until they say "send again"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import case, select, update

from jobs.ledger_rows import GONE, HELD_STATES, NO_SYNC, back_to_sent, change, mine, parts
from jobs.planner import FRESH, MOVED
from jobs.ports import Claimant
from jobs.records import Picture
from webapp.database import transaction
from webapp.models import Entry, PlayRow, utcnow

VANISHED_PLAYS = 20  # more than this and ...
VANISHED_SHARE = 0.05  # ... more than this at once: a person must look first


@dataclass(frozen=True, slots=True)
class Vanished:
    """Plays of ours that a complete picture no longer shows. `brake`: too many at once, nothing was written."""

    plays: int
    of: int
    brake: bool
    by_entry: Mapping[int, int] = field(default_factory=dict)


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
