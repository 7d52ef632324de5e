"""Corrections that come from files: lists that an administrator has subscribed to, and files on their way in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.base import Json, bigint, now, pk, short, text


class MappingList(Base):
    """A subscription; how it stands is the row `list:<id>` of `mapping_sources`. An earlier list outranks a later one."""

    __tablename__ = "mapping_lists"

    id: Mapped[pk]
    title: Mapped[short]
    url: Mapped[str] = mapped_column(unique=True)
    added_by: Mapped[text | None]
    created_at: Mapped[now]


class ListMapping(Base):
    """One title of a subscribed list."""

    __tablename__ = "list_mappings"

    id: Mapped[pk]
    list_id: Mapped[int] = mapped_column(ForeignKey("mapping_lists.id", ondelete="CASCADE"))
    anilist_id: Mapped[bigint]
    kind: Mapped[short]  # show, movie
    trakt_id: Mapped[bigint]
    tmdb_id: Mapped[int | None] = mapped_column(BigInteger)
    imdb_id: Mapped[short | None]
    tvdb_id: Mapped[int | None] = mapped_column(BigInteger)
    spans: Mapped[Any] = mapped_column(Json, default=list)  # [[first, last | null, season, start], ...]

    __table_args__ = (
        Index("uq_list_mappings_entry", "list_id", "anilist_id", unique=True),
        Index("ix_list_mappings_anilist", "anilist_id"),
        CheckConstraint("kind IN ('show', 'movie')", name="kind"),
    )


class ImportDraft(Base):
    """A file of corrections that a person has looked at and not confirmed yet; one per person, gone after a day."""

    __tablename__ = "import_drafts"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    token: Mapped[short]
    content: Mapped[text]
    created_at: Mapped[now]
