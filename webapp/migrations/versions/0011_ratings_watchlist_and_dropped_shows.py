"""ratings, watchlist and dropped shows

Revision: 0011, after 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import webapp.models.base

revision = "0011"
down_revision = "0013"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = webapp.models.base.UtcDateTime(timezone=True)
JSON = webapp.models.base.Json


def upgrade() -> None:
    op.create_table(
        "extras",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("target_account", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("trakt_id", sa.BigInteger(), nullable=False),
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("anilist_id", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("run_id", BIG, nullable=True),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("claimed_at", TIME, nullable=False),
        sa.Column("sent_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.CheckConstraint(
            "state IN ('sending','sent','rejected','removing','removed','gone')", name=op.f("ck_extras_state")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_extras_run_id_runs"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_extras_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extras")),
    )
    with op.batch_alter_table("extras", schema=None) as batch_op:
        batch_op.create_index("ix_extras_run", ["run_id"], unique=False)
        batch_op.create_index("ix_extras_user", ["user_id", "kind", "state"], unique=False)
        batch_op.create_index(
            "uq_extras_target", ["target_account", "kind", "target", "trakt_id", "season"], unique=True
        )

    op.create_table(
        "plan_extras",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("run_id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("trakt_id", sa.BigInteger(), nullable=False),
        sa.Column("season", sa.Integer(), nullable=False),
        sa.Column("anilist_id", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("rated_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_plan_extras_run_id_runs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_extras")),
    )
    with op.batch_alter_table("plan_extras", schema=None) as batch_op:
        batch_op.create_index(
            "uq_plan_extras_target", ["run_id", "kind", "target", "trakt_id", "season"], unique=True
        )

    op.create_table(
        "trakt_lists",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("began_at", TIME, nullable=False),
        sa.Column("activities", JSON, nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("full_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_trakt_lists_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trakt_lists")),
    )
    with op.batch_alter_table("trakt_lists", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trakt_lists_user_id"), ["user_id"], unique=False)
        batch_op.create_index("uq_trakt_lists_kind", ["account_id", "kind"], unique=True)

    with op.batch_alter_table("users", schema=None) as batch_op:
        for name in ("send_ratings", "send_watchlist", "send_dropped"):
            batch_op.add_column(sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False))

    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("score", sa.Integer(), server_default="0", nullable=False))

    # scores stand in no row yet: the next run reads the whole list
    op.execute("DELETE FROM system_config WHERE key = 'anilist:whole-list'")


def downgrade() -> None:
    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.drop_column("score")

    with op.batch_alter_table("users", schema=None) as batch_op:
        for name in ("send_dropped", "send_watchlist", "send_ratings"):
            batch_op.drop_column(name)

    for table in ("trakt_lists", "plan_extras", "extras"):
        op.drop_table(table)
