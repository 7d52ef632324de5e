"""questions of pages to Trakt

Revision: 0007, after 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

import webapp.models.base

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "look_ups",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "question", sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"), nullable=False
        ),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("answer", sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"), nullable=False),
        sa.Column("created_at", webapp.models.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("answered_at", webapp.models.base.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('asked','answered','failed')", name=op.f("ck_look_ups_state")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_look_ups_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_look_ups")),
    )
    with op.batch_alter_table("look_ups", schema=None) as batch_op:
        batch_op.create_index("ix_look_ups_created", ["created_at"], unique=False)
        batch_op.create_index("ix_look_ups_user", ["user_id", "id"], unique=False)



def downgrade() -> None:
    with op.batch_alter_table("look_ups", schema=None) as batch_op:
        batch_op.drop_index("ix_look_ups_user")
        batch_op.drop_index("ix_look_ups_created")

    op.drop_table("look_ups")
