"""keep what the history doctor finds

Revision: 0004, after 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import webapp.models.base

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "history_findings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("target_account", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("repair_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("history_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("trakt_id", sa.BigInteger(), nullable=False),
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("watched_at", webapp.models.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("keeps", sa.BigInteger(), nullable=True),
        sa.Column("anilist_id", sa.BigInteger(), nullable=True),
        sa.Column("episode", sa.Integer(), nullable=True),
        sa.Column("to_season", sa.Integer(), nullable=True),
        sa.Column("to_number", sa.Integer(), nullable=True),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.Column("claimed_at", webapp.models.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("absent_since", webapp.models.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", webapp.models.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", webapp.models.base.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('found','chosen','moving','moved','removing','removed','stays','restoring','restored')",
            name=op.f("ck_history_findings_state"),
        ),
        sa.ForeignKeyConstraint(
            ["repair_id"], ["runs.id"], name=op.f("fk_history_findings_repair_id_runs"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_history_findings_run_id_runs"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_history_findings_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history_findings")),
    )
    with op.batch_alter_table("history_findings", schema=None) as batch_op:
        batch_op.create_index("ix_history_findings_repair", ["repair_id", "state"], unique=False)
        batch_op.create_index("ix_history_findings_run", ["run_id"], unique=False)
        batch_op.create_index("ix_history_findings_user", ["user_id", "state", "id"], unique=False)


def downgrade() -> None:

    with op.batch_alter_table("history_findings", schema=None) as batch_op:
        batch_op.drop_index("ix_history_findings_user")
        batch_op.drop_index("ix_history_findings_run")
        batch_op.drop_index("ix_history_findings_repair")

    op.drop_table("history_findings")
