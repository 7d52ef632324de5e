"""indexes for large libraries

Revision: 0009, after 0008
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.create_index("ix_entries_counts", ["user_id", "gone_at", "choice", "pile"], unique=False)

    with op.batch_alter_table("plays", schema=None) as batch_op:
        batch_op.create_index("ix_plays_state", ["user_id", "state", "held"], unique=False)
        batch_op.create_index("ix_plays_user", ["user_id", "id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("plays", schema=None) as batch_op:
        batch_op.drop_index("ix_plays_user")
        batch_op.drop_index("ix_plays_state")

    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.drop_index("ix_entries_counts")
