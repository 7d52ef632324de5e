"""What a person sets for themselves. A filter that lets more in marks the entries that it concerns as changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update

from webapp.database import transaction
from webapp.models import Entry, User, utcnow


def save_filters(user: User, statuses: Sequence[str], *, send_private: bool) -> None:
    """Which statuses of the list are sent, and whether private entries are."""
    with transaction() as session:
        person = session.get_one(User, user.id)
        more = sorted(set(statuses) - set(person.statuses))
        if more:
            session.execute(
                update(Entry).where(Entry.user_id == user.id, Entry.status.in_(more)).values(changed_at=utcnow())
            )
        if send_private and not person.send_private:
            session.execute(
                update(Entry).where(Entry.user_id == user.id, Entry.private.is_(True)).values(changed_at=utcnow())
            )
        person.statuses = list(statuses)
        person.send_private = send_private


def save_dates(user: User, *, date_rule: str, timezone: str | None, title_language: str) -> None:
    with transaction() as session:
        person = session.get_one(User, user.id)
        person.date_rule, person.timezone, person.title_language = date_rule, timezone, title_language


def save_pause(user: User, until: datetime | None) -> None:
    """No check starts by itself until then; None takes the pause back."""
    with transaction() as session:
        session.get_one(User, user.id).paused_until = until


def save_password(user: User, password_hash: str) -> User:
    """The new password; every other session ends, since the epoch rises."""
    with transaction() as session:
        person = session.get_one(User, user.id)
        person.password_hash = password_hash
        person.session_epoch += 1
    return person
