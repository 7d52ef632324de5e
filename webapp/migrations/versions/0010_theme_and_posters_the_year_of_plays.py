"""theme and posters, the year of plays

Revision: 0010, after 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("plays", schema=None) as batch_op:
        batch_op.create_index("ix_plays_watched", ["user_id", "state", "watched_at"], unique=False)

    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("theme", sa.String(length=64), server_default="system", nullable=False))
        batch_op.add_column(sa.Column("posters", sa.Boolean(), server_default=sa.true(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_column("posters")
        batch_op.drop_column("theme")

    with op.batch_alter_table("plays", schema=None) as batch_op:
        batch_op.drop_index("ix_plays_watched")
