"""what caches and runs say, with what it was made of: pages say it in the reader's language

Revision: 0015, after 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    made_of = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
    with op.batch_alter_table("mapping_sources", schema=None) as batch_op:
        batch_op.add_column(sa.Column("last_said", made_of, nullable=True))

    with op.batch_alter_table("logs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("said", made_of, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("logs", schema=None) as batch_op:
        batch_op.drop_column("said")

    with op.batch_alter_table("mapping_sources", schema=None) as batch_op:
        batch_op.drop_column("last_said")
