"""Findings of the history doctor in the database, and foreign plays that the ledger adopts before they are moved.

Every write belongs to the attempt of a run (`ledger_rows.mine`), as in the ledger.

| dies | in the database | next |
|---|---|---|
| after `adopt` | finding `moving`, its play a `sent` row of the ledger | the move goes on with that row |
| after `claim` for a removal | findings `removing` with their history ids | the same ids are removed again: that is safe |
| after `claim` for putting back | findings `restoring`, with how many such plays there were before | looked for on Trakt, twice, before one is posted again |
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from jobs.doctor import Finding, Place
from jobs.ledger_rows import NO_SYNC, Accounts, mine, parts
from jobs.ports import Claimant
from webapp.database import transaction, upsert
from webapp.models import HistoryFinding, PlayRow, utcnow

ADOPTED = "adopted"  # date source of a play that Tsuzuki did not send
_ACTIVE = ("planned", "sending", "sent", "removing")


def store(ctx: Claimant, account: str, findings: Sequence[Finding]) -> None:
    """Replace what an earlier look found and nobody has acted on; copies of what was taken away stay."""
    at = utcnow()
    rows = [
        {
            "user_id": ctx.user_id,
            "target_account": account,
            "run_id": ctx.run_id,
            "cause": finding.cause.value,
            "state": "found",
            "history_id": finding.event.history_id,
            "kind": finding.event.kind,
            "trakt_id": finding.event.trakt_id,
            "season": finding.event.season,
            "number": finding.event.number,
            "watched_at": finding.event.watched_at,
            "action": finding.event.action[:20],
            "title": finding.event.title,
            "keeps": finding.keeps,
            "anilist_id": finding.anilist_id,
            "episode": finding.episode,
            "to_season": finding.to[2] if finding.to else None,
            "to_number": finding.to[3] if finding.to else None,
            "before": 0,
            "created_at": at,
            "updated_at": at,
        }
        for finding in findings
    ]
    with mine(ctx) as session:
        old = delete(HistoryFinding).where(HistoryFinding.user_id == ctx.user_id, HistoryFinding.state == "found")
        session.execute(old, execution_options=NO_SYNC)
    for part in parts(rows):
        with mine(ctx) as session:
            session.execute(insert(HistoryFinding), part)


def of_repair(repair_id: int, *states: str) -> list[HistoryFinding]:
    """The findings that a repair is about, in the order in which they were found."""
    with transaction(readonly=True) as session:
        wanted = [HistoryFinding.repair_id == repair_id]
        if states:
            wanted.append(HistoryFinding.state.in_(states))
        query = select(HistoryFinding).where(*wanted).order_by(HistoryFinding.id)
        return list(session.scalars(query.execution_options(populate_existing=True)))


def counts(repair_id: int) -> Mapping[str, int]:
    """How many findings of a repair are in which state."""
    with transaction(readonly=True) as session:
        rows = session.execute(
            select(HistoryFinding.state, func.count())
            .where(HistoryFinding.repair_id == repair_id)
            .group_by(HistoryFinding.state)
        )
        return {row[0]: row[1] for row in rows}


def mark(ctx: Claimant, ids: Collection[int], state: str, **values: Any) -> None:
    """Bring these findings into `state`."""
    at = utcnow()
    for part in parts(sorted(ids)):
        with mine(ctx) as session:
            _change(session, HistoryFinding.id.in_(part), state=state, updated_at=at, **values)


def claim_restore(ctx: Claimant, before: Mapping[int, int], at: datetime) -> None:
    """These (finding id -> such plays now) are about to be posted again; committed before the request goes out."""
    for part in parts(sorted(before)):
        with mine(ctx) as session:
            for finding_id in part:
                _change(
                    session, HistoryFinding.id == finding_id,
                    state="restoring", before=before[finding_id], claimed_at=at, absent_since=None, updated_at=at,
                )  # fmt: skip


def mark_absent(ctx: Claimant, before: Mapping[int, int], at: datetime) -> None:
    """A reading at `at` did not show these (finding id -> such plays that it showed)."""
    for part in parts(sorted(before)):
        with mine(ctx) as session:
            for finding_id in part:
                since = func.coalesce(HistoryFinding.absent_since, at)
                _change(
                    session,
                    HistoryFinding.id == finding_id,
                    before=before[finding_id],
                    absent_since=since,
                    updated_at=at,
                )


def adopt(ctx: Claimant, account: Accounts, findings: Sequence[HistoryFinding], at: datetime) -> None:
    """Make plays that stand wrong `sent` rows of the ledger, with the episode they belong to as their source.

    From then on they are moved as every play of ours; one that is ours already is moved as it is. Where a play of ours
    stands for that episode elsewhere on Trakt, the wrong one only has to go; where one is on its way, it stays.
    """
    for part in parts(findings):
        with mine(ctx) as session:
            sources, places = _taken(session, account, part)
            states: dict[str, list[int]] = {"moving": [], "chosen": [], "stays": []}
            for finding in part:
                place = (finding.kind, finding.trakt_id, finding.season, finding.number)
                holder = sources.get((finding.anilist_id, finding.episode))
                if holder is None:
                    places[place] = places.get(place, 0) + 1
                    row = _adopted(ctx, account, finding, places[place], at)
                    session.execute(upsert(PlayRow.__table__).on_conflict_do_nothing(), [row])
                    sources[(finding.anilist_id, finding.episode)] = ("sent", place)
                    states["moving"].append(finding.id)
                elif holder == ("sent", place):
                    states["moving"].append(finding.id)
                else:
                    states["chosen" if holder[0] == "sent" else "stays"].append(finding.id)
            values = {"to_season": None, "to_number": None, "reason": None, "updated_at": at}
            _change(session, HistoryFinding.id.in_(states["moving"]), state="moving", updated_at=at)
            _change(session, HistoryFinding.id.in_(states["chosen"]), **values)
            _change(
                session, HistoryFinding.id.in_(states["stays"]), **values | {"state": "stays", "reason": "on_its_way"}
            )


def _taken(
    session: Any, account: Accounts, findings: Sequence[HistoryFinding]
) -> tuple[dict[Any, tuple[str, Place]], dict[Place, int]]:
    """(state and place of the play that each source has already, the highest `target_nth` of each place)."""
    ours = (PlayRow.target_account == account.target, PlayRow.state.in_(_ACTIVE))
    place = (PlayRow.kind, PlayRow.trakt_id, PlayRow.season, PlayRow.number)
    rows = session.execute(
        select(PlayRow.anilist_id, PlayRow.episode, PlayRow.state, *place).where(
            *ours,
            PlayRow.source_account == account.source,
            PlayRow.nth == 1,
            PlayRow.anilist_id.in_({finding.anilist_id for finding in findings}),
        )
    )
    sources = {(row[0], row[1]): (row[2], (row[3], row[4], row[5], row[6])) for row in rows}
    highest = session.execute(
        select(*place, func.max(PlayRow.target_nth))
        .where(*ours, PlayRow.trakt_id.in_({finding.trakt_id for finding in findings}))
        .group_by(*place)
    )
    return sources, {(row[0], row[1], row[2], row[3]): row[4] for row in highest}


def _adopted(ctx: Claimant, account: Accounts, finding: HistoryFinding, nth: int, at: datetime) -> dict[str, Any]:
    return {
        "user_id": ctx.user_id,
        "source_service": "anilist",
        "source_account": account.source,
        "anilist_id": finding.anilist_id,
        "episode": finding.episode,
        "nth": 1,
        "target_service": "trakt",
        "target_account": account.target,
        "kind": finding.kind,
        "trakt_id": finding.trakt_id,
        "season": finding.season,
        "number": finding.number,
        "target_nth": nth,
        "state": "sent",
        "before": nth - 1,
        "watched_at": finding.watched_at.replace(microsecond=0) if finding.watched_at else None,
        "date_source": ADOPTED,
        "run_id": None,  # no run of ours sent it: undoing one must not take it
        "history_id": finding.history_id,
        "answered": True,
        "held": True,
        "claimed_at": at,
        "sent_at": at,
        "created_at": at,
        "updated_at": at,
    }


def still_there(user_id: int, target_account: str, findings: Sequence[HistoryFinding]) -> set[int]:
    """Those of `findings` (by id) whose episode still has a play of ours at the wrong place."""
    standing: set[Any] = set()
    for part in parts(sorted({finding.anilist_id for finding in findings if finding.anilist_id is not None})):
        with transaction(readonly=True) as session:
            rows = session.execute(
                select(
                    PlayRow.anilist_id, PlayRow.episode, PlayRow.kind, PlayRow.trakt_id, PlayRow.season, PlayRow.number
                ).where(
                    PlayRow.user_id == user_id,
                    PlayRow.target_account == target_account,
                    PlayRow.anilist_id.in_(part),
                    PlayRow.state.in_(_ACTIVE),
                )
            )
            standing.update(tuple(row) for row in rows)
    return {
        finding.id
        for finding in findings
        if (finding.anilist_id, finding.episode, finding.kind, finding.trakt_id, finding.season, finding.number)
        in standing
    }


def _change(session: Any, which: ColumnElement[bool], **values: Any) -> None:
    session.execute(update(HistoryFinding).where(which).values(**values), execution_options=NO_SYNC)
