"""ratings, watchlist items and dropped shows of one title are found by it

Revision: 0016, after 0015
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("extras", schema=None) as batch_op:
        batch_op.create_index("ix_extras_entry", ["user_id", "anilist_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("extras", schema=None) as batch_op:
        batch_op.drop_index("ix_extras_entry")
