"""subscribe to lists, import files, accept smaller files

Revision: 0003, after 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

import webapp.models.base

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mapping_lists",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("title", sa.String(length=64), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=True),
        sa.Column("created_at", webapp.models.base.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mapping_lists")),
        sa.UniqueConstraint("url", name=op.f("uq_mapping_lists_url")),
    )
    op.create_table(
        "import_drafts",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("created_at", webapp.models.base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_import_drafts_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_import_drafts")),
    )
    op.create_table(
        "list_mappings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("list_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("anilist_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("trakt_id", sa.BigInteger(), nullable=False),
        sa.Column("tmdb_id", sa.BigInteger(), nullable=True),
        sa.Column("imdb_id", sa.String(length=64), nullable=True),
        sa.Column("tvdb_id", sa.BigInteger(), nullable=True),
        sa.Column("spans", sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"), nullable=False),
        sa.CheckConstraint("kind IN ('show', 'movie')", name=op.f("ck_list_mappings_kind")),
        sa.ForeignKeyConstraint(
            ["list_id"], ["mapping_lists.id"], name=op.f("fk_list_mappings_list_id_mapping_lists"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_mappings")),
    )
    with op.batch_alter_table("list_mappings", schema=None) as batch_op:
        batch_op.create_index("ix_list_mappings_anilist", ["anilist_id"], unique=False)
        batch_op.create_index("uq_list_mappings_entry", ["list_id", "anilist_id"], unique=True)

    with op.batch_alter_table("mapping_sources", schema=None) as batch_op:
        batch_op.add_column(sa.Column("held_rows", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("accepted_rows", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("mapping_sources", schema=None) as batch_op:
        batch_op.drop_column("accepted_rows")
        batch_op.drop_column("held_rows")

    with op.batch_alter_table("list_mappings", schema=None) as batch_op:
        batch_op.drop_index("uq_list_mappings_entry")
        batch_op.drop_index("ix_list_mappings_anilist")

    op.drop_table("list_mappings")
    op.drop_table("import_drafts")
    op.drop_table("mapping_lists")
