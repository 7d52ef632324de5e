"""The stored readings of an account's ratings, watchlist and dropped shows: kept, and reused while nothing moved.

A reading is reused for a day while the times of `last_activities` that belong to it stand still, and only if it began
late enough after them that Trakt's lagging reads must have shown what moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from jobs.extras import ExtraKind, Target
from jobs.runstate import config
from jobs.storing import moment
from webapp.database import transaction, upsert
from webapp.models import TraktList, utcnow

if TYPE_CHECKING:
    from jobs.targets.trakt_extras import TraktExtras

READ_AGAIN = timedelta(days=1)
FULL_AT_MOST = timedelta(
    days=7
)  # a list that was full is tried again when it is shorter, or after this: limits are raised


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything of one kind that the account had when the reading began; a rating's value, or 0."""

    began_at: datetime
    activities: Mapping[str, str]
    there: Mapping[Target, int]
    full_at: datetime | None = None  # when Trakt said that no more fits in


def load(account_id: str) -> dict[ExtraKind, Reading]:
    """The last readings of an account, by kind."""
    with transaction(readonly=True) as session:
        rows = session.scalars(
            select(TraktList).where(TraktList.account_id == account_id).execution_options(populate_existing=True)
        ).all()
    return {_kind(row.kind): _reading(row) for row in rows}


def _kind(name: str) -> ExtraKind:
    return "rating" if name == "rating" else "watchlist" if name == "watchlist" else "dropped"


def _reading(row: TraktList) -> Reading:
    there = {Target(kind, trakt_id, season): value for kind, trakt_id, season, value in row.content}
    return Reading(row.began_at, row.activities, there, row.full_at)


def current(
    user_id: int, account_id: str, trakt: TraktExtras, kinds: Iterable[ExtraKind], *, anew: bool = False
) -> tuple[dict[ExtraKind, Reading], set[ExtraKind]]:
    """Readings of these kinds that hold now, and which of them were made anew.

    While nothing moved no request, or one with `anew`, which asks what has moved since the run has asked. Raises `IncompleteRead` and the errors of the client.
    """
    known = load(account_id)
    moved = trakt.activities(anew=anew)
    found: dict[ExtraKind, Reading] = {}
    fresh: set[ExtraKind] = set()
    for kind in kinds:
        stored = known.get(kind)
        if stored is not None and holds(stored, moved[kind], utcnow()):
            found[kind] = stored
        else:
            found[kind] = read(user_id, account_id, trakt, kind, moved[kind])
            fresh.add(kind)
    return found, fresh


def read(
    user_id: int, account_id: str, trakt: TraktExtras, kind: ExtraKind, activities: Mapping[str, str] | None = None
) -> Reading:
    """Read one kind and keep it. Without `activities`, taken before, the reading is not reused."""
    began_at = utcnow()
    there = trakt.listed(kind)
    before = load(account_id).get(kind)
    shorter = before is None or len(there) < len(before.there)
    values: dict[str, Any] = {
        "user_id": user_id,
        "began_at": began_at,
        "activities": dict(activities or {}),
        "content": [[target.kind, target.trakt_id, target.season, value] for target, value in sorted(there.items())],
        "full_at": None if before is None or shorter else before.full_at,
    }
    statement = upsert(TraktList).values(account_id=account_id, kind=kind, **values)
    with transaction() as session:
        session.execute(statement.on_conflict_do_update(index_elements=["account_id", "kind"], set_=values))
    return Reading(began_at, values["activities"], there, values["full_at"])


def holds(reading: Reading, activities: Mapping[str, str], now: datetime) -> bool:
    """Whether a stored reading still says what Trakt has."""
    if not _same(reading.activities, activities) or reading.began_at < now - READ_AGAIN:
        return False
    settle = timedelta(seconds=config().TRAKT_SETTLE_SECONDS)
    times = [at for at in map(moment, activities.values()) if at is not None]
    return not times or reading.began_at >= max(times) + settle


def _same(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return bool(one) and {k: moment(v) for k, v in one.items()} == {k: moment(v) for k, v in other.items()}


def note_full(account_id: str, kind: ExtraKind, at: datetime) -> None:
    """Trakt said that no more fits in."""
    with transaction() as session:
        session.execute(
            update(TraktList).where(TraktList.account_id == account_id, TraktList.kind == kind).values(full_at=at),
            execution_options={"synchronize_session": False},
        )


def is_full(reading: Reading | None, now: datetime) -> bool:
    """Whether nothing need be tried: Trakt said so not long ago, and the list has not become shorter since."""
    return reading is not None and reading.full_at is not None and now - reading.full_at < FULL_AT_MOST
