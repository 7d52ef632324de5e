"""rewatches

Revision: 0006, after 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rewatch_base", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("rewatch_past", sa.Integer(), server_default="0", nullable=False))

    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rewatches", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_column("rewatches")

    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.drop_column("rewatch_past")
        batch_op.drop_column("rewatch_base")
