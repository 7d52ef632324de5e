"""The ledger: every play that Tsuzuki posted or is about to, and the last complete picture of Trakt."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.base import Json, UtcDateTime, bigint, now, pk, short, text, touched

PLAY_STATES = ("planned", "sending", "sent", "rejected", "removing", "removed", "gone")
_SOURCE = sql("state IN ('planned', 'sending', 'sent')")
_TARGET = sql("state IN ('planned', 'sending', 'sent', 'removing')")


class PlayRow(Base):
    """One play with both its ends. Written by `jobs.ledger` only."""

    __tablename__ = "plays"

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    source_service: Mapped[short] = mapped_column(default="anilist")
    source_account: Mapped[short]
    anilist_id: Mapped[bigint]
    episode: Mapped[int]
    nth: Mapped[int] = mapped_column(default=1)
    target_service: Mapped[short] = mapped_column(default="trakt")
    target_account: Mapped[short]
    kind: Mapped[short]  # episode, movie
    trakt_id: Mapped[bigint]  # of the show, or of the movie
    season: Mapped[int] = mapped_column(default=0)
    number: Mapped[int] = mapped_column(default=0)
    target_nth: Mapped[int] = mapped_column(default=1)
    state: Mapped[short] = mapped_column(default="planned")
    before: Mapped[int] = mapped_column(default=0)  # plays that Trakt had of it when this was planned
    watched_at: Mapped[datetime | None] = mapped_column(UtcDateTime())  # whole seconds; None: sent as "unknown"
    date_source: Mapped[short | None]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"))
    batch: Mapped[int | None]
    attempt: Mapped[int | None]
    answered: Mapped[bool] = mapped_column(default=False)  # a readable 2xx came for its batch
    absent_since: Mapped[datetime | None] = mapped_column(UtcDateTime())  # first reading that did not show it
    history_id: Mapped[int | None] = mapped_column(BigInteger)
    replaces: Mapped[int | None] = mapped_column(BigInteger)  # the old row of a move
    reason: Mapped[text | None]
    held: Mapped[bool] = mapped_column(
        default=True
    )  # gone, removed, rejected: holds its source back until "send again"
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    created_at: Mapped[now]
    updated_at: Mapped[touched]

    __table_args__ = (
        Index("uq_plays_source", "source_service", "source_account", "anilist_id", "episode", "nth", "target_service", "target_account", unique=True, sqlite_where=_SOURCE, postgresql_where=_SOURCE),
        Index("uq_plays_target", "target_service", "target_account", "kind", "trakt_id", "season", "number", "target_nth", unique=True, sqlite_where=_TARGET, postgresql_where=_TARGET),
        Index("ix_plays_run", "run_id", "state", "held", "user_id"),
        Index("ix_plays_show", "user_id", "trakt_id", "state", "season", "number"),
        Index("ix_plays_of_run", "run_id", "id"),
        Index("ix_plays_entry", "user_id", "anilist_id", "episode"),
        Index("ix_plays_sent", "user_id", "sent_at"),
        Index("ix_plays_user", "user_id", "id"),
        Index("ix_plays_watched", "user_id", "state", "watched_at"),
        Index("ix_plays_state", "user_id", "state", "held", "anilist_id", "run_id"),
        CheckConstraint("state IN ('planned','sending','sent','rejected','removing','removed','gone')", name="state"),
    )  # fmt: skip


class TraktPicture(Base):
    """The last complete reading of what a Trakt account has watched; reused while nothing moved there."""

    __tablename__ = "trakt_pictures"

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    account_id: Mapped[str] = mapped_column(unique=True)
    began_at: Mapped[datetime] = mapped_column(UtcDateTime())
    finished_at: Mapped[datetime] = mapped_column(UtcDateTime())
    activities: Mapped[Any] = mapped_column(Json)  # {"episodes": iso, "movies": iso}: watched_at of last_activities
    settled: Mapped[bool] = mapped_column(default=False)  # began at least TRAKT_SETTLE_SECONDS after the newest of them
    read_again_at: Mapped[datetime | None] = mapped_column(UtcDateTime())  # due read-back
    plays: Mapped[int] = mapped_column(default=0)
    content: Mapped[bytes] = mapped_column(LargeBinary)  # see webapp.picture_file
    updated_at: Mapped[touched]
    note: Mapped[text | None]
