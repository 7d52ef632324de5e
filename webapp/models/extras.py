"""What goes to Trakt beyond plays: ratings, the watchlist, dropped shows; their ledger, plans and last readings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.base import Json, UtcDateTime, bigint, now, pk, short, text, touched

EXTRA_KINDS = ("rating", "watchlist", "dropped")
EXTRA_STATES = ("sending", "sent", "rejected", "removing", "removed", "gone")


class ExtraRow(Base):
    """One rating, watchlist item or dropped show that Tsuzuki has sent or is sending. Written by `jobs.extras_ledger`.

    There is one row for each target: what was sent once is not sent again, unless `held` is cleared.
    """

    __tablename__ = "extras"

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    target_account: Mapped[short]  # uuid of the Trakt account
    kind: Mapped[short]  # rating, watchlist, dropped
    target: Mapped[short]  # movie, show, season
    trakt_id: Mapped[bigint]  # of the show, or of the movie
    season: Mapped[int] = mapped_column(default=0)  # 0 unless the target is a season
    anilist_id: Mapped[bigint]
    value: Mapped[int] = mapped_column(default=0)  # a rating, 1 to 10; 0 for the others
    state: Mapped[short] = mapped_column(default="sending")
    held: Mapped[bool] = mapped_column(default=True)  # gone, removed, rejected: not sent until "send again"
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"))
    answered: Mapped[bool] = mapped_column(default=False)  # a readable 2xx came for its request
    reason: Mapped[text | None]
    claimed_at: Mapped[datetime] = mapped_column(UtcDateTime())
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    created_at: Mapped[now]
    updated_at: Mapped[touched]

    __table_args__ = (
        Index("uq_extras_target", "target_account", "kind", "target", "trakt_id", "season", unique=True),
        Index("ix_extras_user", "user_id", "kind", "state"),
        Index("ix_extras_run", "run_id"),
        Index("ix_extras_entry", "user_id", "anilist_id"),
        CheckConstraint("state IN ('sending','sent','rejected','removing','removed','gone')", name="state"),
    )


class PlanExtra(Base):
    """One of them that a run would send; lives as long as the plan of the run."""

    __tablename__ = "plan_extras"

    id: Mapped[pk]
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    kind: Mapped[short]
    target: Mapped[short]
    trakt_id: Mapped[bigint]
    season: Mapped[int] = mapped_column(default=0)
    anilist_id: Mapped[bigint]
    value: Mapped[int] = mapped_column(default=0)
    rated_at: Mapped[datetime | None] = mapped_column(UtcDateTime())

    __table_args__ = (Index("uq_plan_extras_target", "run_id", "kind", "target", "trakt_id", "season", unique=True),)


class TraktList(Base):
    """The last complete reading of an account's ratings, watchlist or dropped shows; reused while nothing moved."""

    __tablename__ = "trakt_lists"

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    account_id: Mapped[short]
    kind: Mapped[short]
    began_at: Mapped[datetime] = mapped_column(UtcDateTime())
    activities: Mapped[Any] = mapped_column(Json, default=dict)  # those times of last_activities that it belongs to
    content: Mapped[Any] = mapped_column(Json, default=list)  # [[target, Trakt id, season, value], ...]
    full_at: Mapped[datetime | None] = mapped_column(UtcDateTime())  # when Trakt said that no more fits in

    __table_args__ = (Index("uq_trakt_lists_kind", "account_id", "kind", unique=True),)
