"""Questions of a page to Trakt, answered by a short job on the queue `light`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.base import Json, UtcDateTime, now, pk, short


class LookUp(Base):
    """One question with its answer; kept for a day. Written by `webapp.lookups` (asked) and `jobs.looking` (answered)."""

    __tablename__ = "look_ups"

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    question: Mapped[Any] = mapped_column(
        Json
    )  # {"title"}, {"service", "value", "kind"} or {"history": kind, "traktId"}, one or several in "parts"
    state: Mapped[short] = mapped_column(default="asked")  # asked, answered, failed
    reason: Mapped[short | None]  # a run reason, when it failed
    answer: Mapped[Any] = mapped_column(
        Json, default=list
    )  # for each part: [{kind, traktId, title, year, ids}], or [{season, number, at, action}]
    created_at: Mapped[now]
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime())

    __table_args__ = (
        Index("ix_look_ups_user", "user_id", "id"),
        Index("ix_look_ups_created", "created_at"),
        CheckConstraint("state IN ('asked','answered','failed')", name="state"),
    )
