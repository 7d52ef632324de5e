"""what searches and pages look through, narrow

Revision: 0014, after 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.create_index("ix_media_search", ["anilist_id", "search_text"], unique=False, postgresql_where=sa.text("false"))

    on_lists = sa.text("custom_lists <> '[]'")
    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.create_index("ix_entries_anilist", ["anilist_id", "user_id"], unique=False)
        batch_op.create_index("ix_entries_lists", ["user_id"], unique=False, sqlite_where=on_lists, postgresql_where=on_lists)


def downgrade() -> None:
    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.drop_index("ix_entries_lists")
        batch_op.drop_index("ix_entries_anilist")

    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.drop_index("ix_media_search")
