"""titles as they are sorted; indexes in the order of the lists

Revision: 0013, after 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0010"
branch_labels = None
depends_on = None

LANGUAGES = ("romaji", "english", "native")


def upgrade() -> None:
    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.drop_index("ix_entries_updated")
        batch_op.drop_index("ix_entries_counts")
        batch_op.create_index("ix_entries_counts", ["user_id", "gone_at", "choice", "pile", "list_updated_at", "id", "anilist_id"], unique=False)
        batch_op.create_index("ix_entries_list", ["user_id", "gone_at", "list_updated_at", "id", "anilist_id"], unique=False)
        batch_op.create_index("ix_entries_kind", ["user_id", "kind", "gone_at", "list_updated_at", "id", "anilist_id"], unique=False)
        batch_op.create_index("ix_entries_watched", ["user_id", "gone_at", "progress", "list_updated_at", "id", "anilist_id"], unique=False)

    with op.batch_alter_table("media", schema=None) as batch_op:
        for language in LANGUAGES:
            batch_op.add_column(sa.Column(f"sort_{language}", sa.String(), server_default="", nullable=False))
    fill()
    with op.batch_alter_table("media", schema=None) as batch_op:
        for language in LANGUAGES:
            batch_op.create_index(f"ix_media_{language}", [f"sort_{language}", "anilist_id"], unique=False)

    with op.batch_alter_table("plays", schema=None) as batch_op:
        batch_op.drop_index("ix_plays_run")
        batch_op.drop_index("ix_plays_state")
        batch_op.create_index("ix_plays_run", ["run_id", "state", "held", "user_id"], unique=False)
        batch_op.create_index("ix_plays_show", ["user_id", "trakt_id", "state", "season", "number"], unique=False)
        batch_op.create_index("ix_plays_of_run", ["run_id", "id"], unique=False)
        batch_op.create_index("ix_plays_state", ["user_id", "state", "held", "anilist_id", "run_id"], unique=False)

    with op.batch_alter_table("logs", schema=None) as batch_op:
        batch_op.create_index("ix_logs_level", ["level", "id", "user_id"], unique=False)

    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.create_index("ix_runs_state", ["user_id", "status", "id"], unique=False)

    with op.batch_alter_table("sync_progress", schema=None) as batch_op:
        batch_op.create_index("ix_sync_progress_updated", ["user_id", "updated_at", "anilist_id"], unique=False)


def fill() -> None:
    """Casefolded in Python: the databases fold only ASCII, or by their own locale."""
    text = sa.String()
    media = sa.table(
        "media", sa.column("anilist_id", sa.BigInteger()), *(sa.column(f"{kind}_{name}", text) for kind in ("title", "sort") for name in LANGUAGES)
    )
    change = (
        sa.update(media)
        .where(media.c.anilist_id == sa.bindparam("of"))
        .values({f"sort_{name}": sa.bindparam(name) for name in LANGUAGES})
    )
    connection = op.get_bind()
    rows = connection.execute(sa.select(media.c.anilist_id, media.c.title_romaji, media.c.title_english, media.c.title_native)).all()
    values = []
    for anilist_id, romaji, english, native in rows:
        other = romaji or english or native or ""
        values.append({"of": anilist_id, "romaji": other.casefold(), "english": (english or other).casefold(), "native": (native or other).casefold()})
    if values:
        connection.execute(change, values)


def downgrade() -> None:
    with op.batch_alter_table("sync_progress", schema=None) as batch_op:
        batch_op.drop_index("ix_sync_progress_updated")

    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_index("ix_runs_state")

    with op.batch_alter_table("logs", schema=None) as batch_op:
        batch_op.drop_index("ix_logs_level")

    with op.batch_alter_table("plays", schema=None) as batch_op:
        batch_op.drop_index("ix_plays_state")
        batch_op.drop_index("ix_plays_of_run")
        batch_op.drop_index("ix_plays_show")
        batch_op.drop_index("ix_plays_run")
        batch_op.create_index("ix_plays_state", ["user_id", "state", "held"], unique=False)
        batch_op.create_index("ix_plays_run", ["run_id", "state"], unique=False)

    with op.batch_alter_table("media", schema=None) as batch_op:
        for language in LANGUAGES:
            batch_op.drop_index(f"ix_media_{language}")
            batch_op.drop_column(f"sort_{language}")

    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.drop_index("ix_entries_watched")
        batch_op.drop_index("ix_entries_kind")
        batch_op.drop_index("ix_entries_list")
        batch_op.drop_index("ix_entries_counts")
        batch_op.create_index("ix_entries_counts", ["user_id", "gone_at", "choice", "pile"], unique=False)
        batch_op.create_index("ix_entries_updated", ["user_id", "list_updated_at"], unique=False)
