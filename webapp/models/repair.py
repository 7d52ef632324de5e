"""What the history doctor found on Trakt, and the copies of what a repair took away, so that it can be put back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.base import UtcDateTime, bigint, now, pk, short, text, touched

FINDING_STATES = (
    "found", "chosen", "moving", "moved", "removing", "removed", "stays", "restoring", "restored",
)  # fmt: skip


class HistoryFinding(Base):
    """One play of Trakt's history that is too many or stands wrong. Written by `jobs.repair_rows`; `runs` chooses.

    `found` -> `chosen` by a person; then `removing` -> `removed`, or `moving` -> `moved`, or `stays` with its reason;
    an undo of the repair makes it `restoring` -> `restored`.
    """

    __tablename__ = "history_findings"

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    target_account: Mapped[short]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"))  # that found it
    repair_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"))  # that repairs it
    cause: Mapped[short]  # jobs.doctor.Cause
    state: Mapped[short] = mapped_column(default="found")
    reason: Mapped[short | None]  # why it stays: gone, twin_gone, on_its_way, no_place
    history_id: Mapped[bigint]
    kind: Mapped[short]  # episode, movie
    trakt_id: Mapped[bigint]
    season: Mapped[int]
    number: Mapped[int]
    watched_at: Mapped[datetime | None] = mapped_column(UtcDateTime())  # None: unknown
    action: Mapped[short]  # scrobble, checkin, watch
    title: Mapped[text]
    keeps: Mapped[int | None] = mapped_column(BigInteger)  # history id of the play of the same episode that stays
    anilist_id: Mapped[int | None] = mapped_column(BigInteger)
    episode: Mapped[int | None]
    to_season: Mapped[int | None]  # where it belongs; None: it only has to go
    to_number: Mapped[int | None]
    before: Mapped[int] = mapped_column(default=0)  # plays at that place and second when it was about to be put back
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    absent_since: Mapped[datetime | None] = mapped_column(UtcDateTime())  # first reading that did not show it again
    created_at: Mapped[now]
    updated_at: Mapped[touched]

    __table_args__ = (
        Index("ix_history_findings_user", "user_id", "state", "id"),
        Index("ix_history_findings_repair", "repair_id", "state"),
        Index("ix_history_findings_run", "run_id"),
        CheckConstraint("state IN (" + ",".join(f"'{state}'" for state in FINDING_STATES) + ")", name="state"),
    )
