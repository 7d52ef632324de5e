"""What AniList says: media for everyone, entries by person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import Base
from webapp.models.base import Json, UtcDateTime, pk, short, text


def sort_name(language: str, romaji: str | None, english: str | None, native: str | None) -> str:
    """The title in this language or else in one that there is, casefolded."""
    wanted = {"english": english, "native": native}.get(language)
    return (wanted or romaji or english or native or "").casefold()


def _named(language: str) -> Callable[[Any], str]:
    """The default of a column, from the titles that are inserted."""

    def name(context: Any) -> str:
        values = context.get_current_parameters()
        return sort_name(language, *(values.get(f"title_{one}") for one in ("romaji", "english", "native")))

    return name


class Media(Base):
    """One AniList anime, on somebody's list or only a link of a chain. Dates are ISO, partial ones shortened."""

    __tablename__ = "media"

    anilist_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    mal_id: Mapped[int | None] = mapped_column(BigInteger)
    format: Mapped[str | None] = mapped_column(String(16))
    status: Mapped[str | None] = mapped_column(String(24))
    episodes: Mapped[int | None]
    duration: Mapped[int | None]  # minutes
    season_year: Mapped[int | None]
    start_date: Mapped[str | None] = mapped_column(String(10))  # "2011", "2011-04" or "2011-04-03"
    end_date: Mapped[str | None] = mapped_column(String(10))
    title_romaji: Mapped[text | None]
    title_english: Mapped[text | None]
    title_native: Mapped[text | None]
    synonyms: Mapped[Any] = mapped_column(Json, default=list)
    search_text: Mapped[text] = mapped_column(default="")  # all titles and synonyms, casefolded, for LIKE
    is_adult: Mapped[bool] = mapped_column(default=False)
    cover_url: Mapped[text | None]
    cover_color: Mapped[short | None]
    next_episode: Mapped[int | None]  # number of the next one to air
    next_airing_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    fetched_at: Mapped[datetime] = mapped_column(UtcDateTime())

    # The title that a person sees, casefolded, by the language that they chose; for lists in the order of titles.
    sort_romaji: Mapped[text] = mapped_column(default=_named("romaji"), server_default="")
    sort_english: Mapped[text] = mapped_column(default=_named("english"), server_default="")
    sort_native: Mapped[text] = mapped_column(default=_named("native"), server_default="")

    __table_args__ = (
        Index("ix_media_romaji", "sort_romaji", "anilist_id"),
        Index("ix_media_english", "sort_english", "anilist_id"),
        Index("ix_media_native", "sort_native", "anilist_id"),
        # SQLite looks through this instead of the wide rows; in PostgreSQL, which takes no long text into an index, it is empty.
        Index("ix_media_search", "anilist_id", "search_text", postgresql_where=sql("false")),
    )


ON_LISTS = sql("custom_lists <> '[]'")  # stands on a custom list


class Entry(Base):
    """One row of a person's list, with where it stands: `pile` and `reason` are None/placed when all is well."""

    __tablename__ = "entries"

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    account_id: Mapped[short]  # the AniList account it was read from
    anilist_id: Mapped[int] = mapped_column(ForeignKey("media.anilist_id"))
    list_entry_id: Mapped[int | None] = mapped_column(BigInteger)
    status: Mapped[short]
    progress: Mapped[int]
    repeat: Mapped[int] = mapped_column(default=0)
    score: Mapped[int] = mapped_column(default=0, server_default="0")  # 0 to 100, whatever the person's scale; 0: none
    private: Mapped[bool] = mapped_column(default=False)
    hidden: Mapped[bool] = mapped_column(default=False)
    custom_lists: Mapped[Any] = mapped_column(Json, default=list)
    started_at: Mapped[str | None] = mapped_column(String(10))  # partial dates shortened, as in media
    completed_at: Mapped[str | None] = mapped_column(String(10))
    list_created_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    list_updated_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime())  # last reading that held it
    gone_at: Mapped[datetime | None] = mapped_column(UtcDateTime())  # a whole reading no longer held it

    # Where it stands, written by jobs.placing
    pile: Mapped[short | None]  # placed, needs_you, no_match, waiting; None: not looked at yet
    reason: Mapped[short | None]  # a value of jobs.records.Reason
    kind: Mapped[short | None]  # show, movie
    trakt_id: Mapped[int | None] = mapped_column(BigInteger)
    placement: Mapped[Any] = mapped_column(Json, default=dict)  # records.Placement / Refusal as JSON
    placed_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    due_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime()
    )  # when a waiting or no_match entry is looked at again
    waiting_since: Mapped[datetime | None] = mapped_column(UtcDateTime())

    # What the person decided
    choice: Mapped[short | None]  # never, scrobbler, ignored
    choice_by: Mapped[text | None]
    rewatch_base: Mapped[int | None]  # `repeat` from which on rewatches count; None: added later, counts from 0
    rewatch_past: Mapped[int] = mapped_column(default=0, server_default="0")  # older rewatches that are wanted too
    changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime())  # mapping, override, filter or hold changed
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime())  # last run that finished with this entry
    settled_abs: Mapped[int | None]  # what that run wrote into sync_progress; a row below it was deleted or lowered

    media: Mapped[Media] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (
        Index("uq_entries_user_anilist", "user_id", "anilist_id", unique=True),
        Index("ix_entries_counts", "user_id", "gone_at", "choice", "pile", "list_updated_at", "id", "anilist_id"),
        Index("ix_entries_pile", "user_id", "pile"),
        Index("ix_entries_list", "user_id", "gone_at", "list_updated_at", "id", "anilist_id"),
        Index("ix_entries_kind", "user_id", "kind", "gone_at", "list_updated_at", "id", "anilist_id"),
        Index("ix_entries_watched", "user_id", "gone_at", "progress", "list_updated_at", "id", "anilist_id"),
        Index("ix_entries_anilist", "anilist_id", "user_id"),
        Index("ix_entries_trakt", "trakt_id"),
        Index("ix_entries_lists", "user_id", sqlite_where=ON_LISTS, postgresql_where=ON_LISTS),
    )


class SyncProgress(Base):
    """Highest episode of the entry that is settled on Trakt. Deleting a row means "look again"."""

    __tablename__ = "sync_progress"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    anilist_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    last_abs: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime())

    __table_args__ = (Index("ix_sync_progress_updated", "user_id", "updated_at", "anilist_id"),)


class ActivityRow(Base):
    """One list activity of AniList, kept as a hint for dates: an entry may be placed long after it was watched."""

    __tablename__ = "activities"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    activity_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    anilist_id: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(64))  # free text of AniList, such as "watched episode"
    first: Mapped[int | None]
    last: Mapped[int | None]
    episodes: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())  # AniList's clock
    stored_at: Mapped[datetime] = mapped_column(UtcDateTime())  # ours: when it was first seen

    __table_args__ = (
        Index("ix_activities_entry", "user_id", "anilist_id"),
        Index("ix_activities_created", "user_id", "created_at"),
    )
