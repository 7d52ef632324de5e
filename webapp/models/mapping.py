"""The mapping caches, people's corrections, and what Trakt lists for a show."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.base import Json, JsonOrNull, UtcDateTime, bigint, now, pk, short, text, touched


class MappingSource(Base):
    """One downloaded data set: otaku, fribbs, anime_lists, or a list that was subscribed to (list:<id>)."""

    __tablename__ = "mapping_sources"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    url: Mapped[text]
    etag: Mapped[text | None]
    last_modified: Mapped[text | None]
    parsed_as: Mapped[int] = mapped_column(default=0)  # version of our parser that wrote the rows
    rows_in_file: Mapped[int] = mapped_column(default=0)
    rows_kept: Mapped[int] = mapped_column(default=0)
    double_ids: Mapped[int] = mapped_column(default=0)  # ids that several rows share
    last_sync: Mapped[datetime | None] = mapped_column(UtcDateTime())  # last good look, 304 included
    last_full_sync: Mapped[datetime | None] = mapped_column(UtcDateTime())  # last time the rows were replaced
    last_activity: Mapped[datetime | None] = mapped_column(UtcDateTime())  # what the source says of its own change
    last_attempt: Mapped[datetime | None] = mapped_column(UtcDateTime())
    last_error: Mapped[text | None]  # the sentence; None after a good look
    last_said: Mapped[Any | None] = mapped_column(JsonOrNull)  # the same as `jobs.said.parts_of` gives it, for pages
    held_rows: Mapped[int | None]  # usable rows of a file that was held back because it lost too many
    accepted_rows: Mapped[int | None]  # so few rows an administrator has agreed to; None after the next good look


class AnimeId(Base):
    """One row of Otaku or Fribbs that has an AniList or a MyAnimeList id."""

    __tablename__ = "anime_ids"

    id: Mapped[pk]
    source: Mapped[str] = mapped_column(String(16))  # otaku, fribbs
    anilist_id: Mapped[int | None] = mapped_column(BigInteger)
    mal_id: Mapped[int | None] = mapped_column(BigInteger)
    anidb_id: Mapped[int | None] = mapped_column(BigInteger)
    trakt_id: Mapped[int | None] = mapped_column(BigInteger)  # Otaku; of a show or a movie: see trakt_kind
    trakt_kind: Mapped[str | None] = mapped_column(String(8))  # Otaku's global_media_type: show, movie
    tvdb_id: Mapped[int | None] = mapped_column(BigInteger)
    tmdb_show_id: Mapped[int | None] = mapped_column(BigInteger)
    tmdb_movie_ids: Mapped[Any | None] = mapped_column(Json)  # list of int
    imdb_ids: Mapped[Any | None] = mapped_column(Json)  # list of "tt..."
    format: Mapped[str | None] = mapped_column(String(16))  # TV, MOVIE, OVA, ... as the source spells it, upper case
    season_tvdb: Mapped[int | None]  # Fribbs
    season_tmdb: Mapped[int | None]
    offset_tvdb: Mapped[int | None]
    offset_tmdb: Mapped[int | None]
    tvdb_season: Mapped[str | None] = mapped_column(String(8))  # Otaku: a number or "a" (absolute)
    tvdb_part: Mapped[int | None]  # Otaku
    media_from: Mapped[int | None]  # Otaku's anime_media_episodes "1 - 12"
    media_to: Mapped[int | None]
    global_from: Mapped[int | None]  # Otaku's global_media_episodes "13 - 24"
    global_to: Mapped[int | None]

    __table_args__ = (
        Index("ix_anime_ids_anilist", "source", "anilist_id"),
        Index("ix_anime_ids_mal", "source", "mal_id"),
        Index("ix_anime_ids_trakt", "trakt_id"),
        Index("ix_anime_ids_tmdb", "tmdb_show_id"),
        Index("ix_anime_ids_tvdb", "tvdb_id"),
        Index("ix_anime_ids_anidb", "anidb_id"),
    )


class AnidbMap(Base):
    """One entry of Anime-Lists: where the episodes of an AniDB anime stand on TVDB and TMDB."""

    __tablename__ = "anidb_maps"

    anidb_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[text]
    tvdb_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    tvdb_kind: Mapped[short | None]  # the word in place of an id: movie, OVA, hentai, unknown, ...
    tvdb_season: Mapped[str | None] = mapped_column(String(8))  # a number or "a"
    tvdb_offset: Mapped[int | None]
    tmdb_show_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    tmdb_season: Mapped[str | None] = mapped_column(String(8))
    tmdb_offset: Mapped[int | None]
    tmdb_movie_ids: Mapped[Any] = mapped_column(Json, default=list)
    imdb_ids: Mapped[Any] = mapped_column(Json, default=list)
    # a list of jobs.mapping.rows.AnidbRule as JSON
    rules: Mapped[Any] = mapped_column(Json, default=list)


class Mapping(Base):
    """Which show or movie an entry is. Manual rows have a person; auto rows (user_id NULL) serve everyone."""

    __tablename__ = "mappings"

    id: Mapped[pk]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    anilist_id: Mapped[bigint]
    kind: Mapped[short] = mapped_column(default="show")  # show, movie
    trakt_id: Mapped[bigint]
    tmdb_id: Mapped[int | None] = mapped_column(BigInteger)
    imdb_id: Mapped[short | None]
    tvdb_id: Mapped[int | None] = mapped_column(BigInteger)
    source: Mapped[short]  # manual, otaku, fribbs, tmdb, trakt_tmdb, trakt_imdb, trakt_tvdb, title_year
    reason: Mapped[text | None]  # one sentence
    shared: Mapped[bool] = mapped_column(default=False)
    updated_by: Mapped[text | None]
    created_at: Mapped[now]
    updated_at: Mapped[touched]

    __table_args__ = (
        Index("uq_mappings_manual", "user_id", "anilist_id", unique=True, sqlite_where=sql("user_id IS NOT NULL"), postgresql_where=sql("user_id IS NOT NULL")),
        Index("uq_mappings_auto", "anilist_id", unique=True, sqlite_where=sql("user_id IS NULL"), postgresql_where=sql("user_id IS NULL")),
        Index("ix_mappings_anilist", "anilist_id"),
        CheckConstraint("kind IN ('show', 'movie')", name="kind"),
    )  # fmt: skip


class EntrySpan(Base):
    """A person's correction by entry: episodes first..last go to `season` from `start` on. Wins over everything."""

    __tablename__ = "entry_spans"

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    anilist_id: Mapped[bigint]
    first: Mapped[int]
    last: Mapped[int | None]  # None: to the end, whatever it is
    season: Mapped[int]
    start: Mapped[int]
    updated_at: Mapped[touched]

    __table_args__ = (Index("uq_entry_spans_first", "user_id", "anilist_id", "first", unique=True),)


class EpisodeOverride(Base):
    """The reference app's table; belongs to the instance. `abs` counts regular episodes in Trakt's order from 1."""

    __tablename__ = "episode_override"

    trakt_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    abs: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    season: Mapped[int]
    episode: Mapped[int]


class TraktShow(Base):
    """What Trakt lists for a show: the shape of its seasons."""

    __tablename__ = "trakt_shows"

    trakt_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    title: Mapped[text | None]
    year: Mapped[int | None]
    slug: Mapped[text | None]
    tmdb_id: Mapped[int | None] = mapped_column(BigInteger)
    tvdb_id: Mapped[int | None] = mapped_column(BigInteger)
    imdb_id: Mapped[short | None]
    ended: Mapped[bool] = mapped_column(default=False)  # nothing more is expected: looked at less often
    missing: Mapped[bool] = mapped_column(default=False)  # Trakt answered 404
    # {"1": [[number, trakt episode id, "2011-04-18T01:00:00Z" | null, "title" | null, runtime minutes | null], ...], "0": ...}
    seasons: Mapped[Any] = mapped_column(Json, default=dict)
    etag: Mapped[text | None]
    fetched_at: Mapped[datetime] = mapped_column(UtcDateTime())


class Decision(Base):
    """What a person decided about one title in review, with what stood there before, so that it can be taken back."""

    __tablename__ = "decisions"

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    anilist_id: Mapped[bigint]
    action: Mapped[short]  # a random word; titles that were decided together share it
    what: Mapped[short]  # place, keep, move, ignored, never
    decided_by: Mapped[text]
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime())
    # {"mapping": {...} | null, "spans": [[first, last, season, start], ...], "choice": str | null, ...}
    before: Mapped[Any] = mapped_column(Json)
    after: Mapped[Any] = mapped_column(Json)
    taken_back_at: Mapped[datetime | None] = mapped_column(UtcDateTime())

    __table_args__ = (
        Index("ix_decisions_entry", "user_id", "anilist_id"),
        Index("ix_decisions_action", "user_id", "action"),
    )
