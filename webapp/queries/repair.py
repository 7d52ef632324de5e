"""What the history doctor found, by title and cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import func, select

from webapp.extensions import db
from webapp.models import HistoryFinding, Run

SHOWN = 3_000  # findings on one page; the rest comes after these are decided


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one show or movie with one likely cause, in the order of its episodes."""

    title: str
    kind: str
    trakt_id: int
    cause: str
    rows: Sequence[HistoryFinding]

    @property
    def key(self) -> str:
        """Names the group in a form."""
        return f"{self.kind}-{self.trakt_id}-{self.cause}"

    @property
    def moves(self) -> int:
        return sum(row.to_season is not None for row in self.rows)


def found_groups(user_id: int) -> tuple[list[Group], int]:
    """(groups with the most findings first, how many findings there are in all)."""
    mine = (HistoryFinding.user_id == user_id, HistoryFinding.state == "found")
    total = db.session.scalar(select(func.count()).select_from(HistoryFinding).where(*mine)) or 0
    order = (
        HistoryFinding.kind, HistoryFinding.trakt_id, HistoryFinding.cause, HistoryFinding.season,
        HistoryFinding.number, HistoryFinding.id,
    )  # fmt: skip
    rows = db.session.scalars(select(HistoryFinding).where(*mine).order_by(*order).limit(SHOWN)).all()
    groups = []
    for (kind, trakt_id, cause), some in groupby(rows, key=lambda row: (row.kind, row.trakt_id, row.cause)):
        members = list(some)
        groups.append(Group(members[0].title, kind, trakt_id, cause, members))
    return sorted(groups, key=lambda group: (-len(group.rows), group.title)), total


def findings_of(repair_id: int) -> list[HistoryFinding]:
    """What a repair was about, with what became of each."""
    query = select(HistoryFinding).where(HistoryFinding.repair_id == repair_id)
    order = (HistoryFinding.title, HistoryFinding.season, HistoryFinding.number, HistoryFinding.id)
    return list(db.session.scalars(query.order_by(*order).limit(SHOWN)))


def last_look(user_id: int) -> Run | None:
    """The newest run of the history doctor."""
    query = select(Run).where(Run.user_id == user_id, Run.mode == "doctor").order_by(Run.id.desc()).limit(1)
    return db.session.scalar(query)


def taken_away(repair_id: int, states: Sequence[str]) -> int:
    """How many plays the undo of a repair would put back."""
    query = select(func.count()).select_from(HistoryFinding)
    return db.session.scalar(query.where(HistoryFinding.repair_id == repair_id, HistoryFinding.state.in_(states))) or 0
