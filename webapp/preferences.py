"""What a person sets for themselves. A filter that lets more in marks the entries that it concerns as changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import or_, select, update

from webapp.database import transaction
from webapp.models import Entry, SystemConfig, User, utcnow
from webapp.runs import own_transaction
from webapp.schedule import PAUSE

NO_SYNC: Final = {"synchronize_session": False}
NO_FILTERS: Final = {"formats_off": [], "skip_adult": False, "skip_lists": [], "not_before": None}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person wants sent. `formats_off`, `skip_adult`, `skip_lists`, `not_before` as in `jobs.filters.Filters`."""

    statuses: Sequence[str]
    send_private: bool = False
    formats_off: Collection[str] = ()
    skip_adult: bool = False
    skip_lists: Collection[str] = ()
    not_before: date | None = None


def save_filters(user: User, wishes: Wishes) -> None:
    """Which entries of the list are sent. The next run looks at every entry that a change may let in."""
    filters = {
        "formats_off": sorted(wishes.formats_off),
        "skip_adult": wishes.skip_adult,
        "skip_lists": sorted(wishes.skip_lists),
        "not_before": wishes.not_before.isoformat() if wishes.not_before else None,
    }
    with own_transaction() as session:
        person = session.get_one(User, user.id)
        concerned = []
        if more := sorted(set(wishes.statuses) - set(person.statuses)):
            concerned.append(Entry.status.in_(more))
        if wishes.send_private and not person.send_private:
            concerned.append(Entry.private.is_(True))
        if filters != NO_FILTERS | person.filters:
            concerned.append(Entry.id.is_not(None))
        if concerned:
            session.execute(
                update(Entry).where(Entry.user_id == user.id, or_(*concerned)).values(changed_at=utcnow()),
                execution_options=NO_SYNC,
            )
        person.statuses = list(wishes.statuses)
        person.send_private = wishes.send_private
        person.filters = filters


def save_rewatches(user: User, *, on: bool, past: bool) -> bool:
    """Whether rewatches are sent too; `past`: those of before today as well, without a date.

    False when nothing of the list was read yet: then nobody knows which rewatches are old.
    """
    with own_transaction() as session:
        person = session.get_one(User, user.id)
        mine = Entry.user_id == user.id
        if on and not person.rewatches:
            if session.scalar(select(Entry.id).where(mine).limit(1)) is None:
                return False
            values: dict[str, Any] = (
                {"rewatch_base": 0, "rewatch_past": Entry.repeat}
                if past
                else {"rewatch_base": Entry.repeat, "rewatch_past": 0}
            )
            session.execute(update(Entry).where(mine).values(**values, changed_at=utcnow()), execution_options=NO_SYNC)
        person.rewatches = on
    return True


def save_beyond(user: User, *, ratings: bool, watchlist: bool, dropped: bool) -> None:
    """What goes to Trakt beyond plays, with the next full run."""
    with own_transaction() as session:
        person = session.get_one(User, user.id)
        person.send_ratings, person.send_watchlist, person.send_dropped = ratings, watchlist, dropped


def save_dates(user: User, *, date_rule: str, timezone: str | None, title_language: str) -> None:
    with transaction() as session:
        person = session.get_one(User, user.id)
        person.date_rule, person.timezone, person.title_language = date_rule, timezone, title_language


def save_looks(user: User, *, theme: str, posters: bool) -> None:
    with transaction() as session:
        person = session.get_one(User, user.id)
        person.theme, person.posters = theme, posters


def save_pause(user: User, until: datetime | None) -> None:
    """No check starts by itself until then; None takes the pause back."""
    with transaction() as session:
        session.get_one(User, user.id).paused_until = until


def save_instance_pause(until: datetime | None) -> None:
    """The same for everybody on this instance."""
    with transaction() as session:
        row = session.scalar(select(SystemConfig).where(SystemConfig.user_id.is_(None), SystemConfig.key == PAUSE))
        if row is None:
            row = SystemConfig(key=PAUSE)
            session.add(row)
        row.value = until.isoformat() if until else ""


def save_password(user: User, password_hash: str) -> User:
    """The new password; every other session ends, since the epoch rises."""
    with transaction() as session:
        person = session.get_one(User, user.id)
        person.password_hash = password_hash
        person.session_epoch += 1
    return person
