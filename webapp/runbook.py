"""The run book's actions, as people write them in SQL: look at a title, or at everything, again.

Both only make the next run look. What stands on Trakt already is not sent again.
"""

from __future__ import annotations

from sqlalchemy import delete, update

from webapp.database import transaction
from webapp.models import SyncProgress, SystemConfig, User, utcnow


def look_from_the_start(user: User, anilist_id: int) -> None:
    """`delete from sync_progress where anilist_id = ...`, for one person."""
    with transaction() as session:
        mine = (SyncProgress.user_id == user.id, SyncProgress.anilist_id == anilist_id)
        session.execute(delete(SyncProgress).where(*mine))


def look_at_everything(user: User) -> None:
    """`update system_config set value = '0' where key = 'lastSyncTimestamp'`, for one person."""
    with transaction() as session:
        mine = (SystemConfig.user_id == user.id, SystemConfig.key == "lastSyncTimestamp")
        session.execute(update(SystemConfig).where(*mine).values(value="0", updated_at=utcnow()))
