"""People of the instance, what they connected, and their settings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_login import UserMixin
from sqlalchemy import ForeignKey, Index, String, false, true
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.base import Json, UtcDateTime, now, pk, short, text, touched


class User(UserMixin, Base):  # type: ignore[misc]  # Flask-Login carries no types
    """One account of this instance; `statuses` to `paused_until` are what `/settings` edits."""

    __tablename__ = "users"

    id: Mapped[pk]
    username: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[text]
    is_admin: Mapped[bool] = mapped_column(default=False)
    session_epoch: Mapped[int] = mapped_column(default=1)  # raised to sign every session out
    timezone: Mapped[short | None]  # IANA name or "+09:00"; None: the instance's
    title_language: Mapped[short] = mapped_column(default="romaji")  # romaji, english, native
    statuses: Mapped[Any] = mapped_column(Json, default=lambda: ["COMPLETED", "CURRENT", "REPEATING", "PAUSED"])
    date_rule: Mapped[short] = mapped_column(default="activity")  # activity, released, unknown, evenly, now
    send_private: Mapped[bool] = mapped_column(default=False)
    rewatches: Mapped[bool] = mapped_column(default=False, server_default=false())
    send_ratings: Mapped[bool] = mapped_column(default=False, server_default=false())
    send_watchlist: Mapped[bool] = mapped_column(default=False, server_default=false())
    send_dropped: Mapped[bool] = mapped_column(default=False, server_default=false())
    filters: Mapped[Any] = mapped_column(Json, default=dict, server_default="{}")  # jobs.filters.Filters
    theme: Mapped[short] = mapped_column(default="system", server_default="system")  # system, light, dark
    posters: Mapped[bool] = mapped_column(default=True, server_default=true())  # pictures from AniList's image host
    paused_until: Mapped[datetime | None] = mapped_column(UtcDateTime())  # far future: until told otherwise
    hand_consent_at: Mapped[datetime | None] = mapped_column(UtcDateTime())  # first run by hand or approval (6.10)
    created_at: Mapped[now]


class Connection(Base):
    """A person's account at one service. Tokens are written and read by `webapp.tokens` only."""

    __tablename__ = "connections"

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    service: Mapped[short]  # anilist, trakt
    state: Mapped[short] = mapped_column(default="connected")  # connected, name_only, reconnect, refused, disconnected
    state_reason: Mapped[short | None]  # a run reason of DESIGN 7
    state_since: Mapped[now]
    account_id: Mapped[short | None]  # AniList: user id; Trakt: uuid of /users/settings
    account_name: Mapped[text | None]
    pending_account_id: Mapped[short | None]  # another account answered; waits for approval (account_changed)
    pending_account_name: Mapped[text | None]
    app_id: Mapped[text | None]  # client id typed by the person; None: the environment's
    app_secret: Mapped[text | None]  # encrypted
    access_token: Mapped[text | None]  # encrypted
    refresh_token: Mapped[text | None]  # encrypted
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime())  # None: not known
    refreshing_until: Mapped[datetime | None] = mapped_column(UtcDateTime())  # claim of the one that refreshes
    seed_hash: Mapped[short | None]  # of the environment's tokens last taken
    details: Mapped[Any] = mapped_column(Json, default=dict)  # vip, watch_only_once, limits; AniList options
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime())  # last good answer to "who am I"
    created_at: Mapped[now]
    updated_at: Mapped[touched]

    __table_args__ = (
        Index("uq_connections_user_service", "user_id", "service", unique=True),
        Index("uq_connections_account", "service", "account_id", unique=True, sqlite_where=sql("account_id IS NOT NULL AND service = 'trakt'"), postgresql_where=sql("account_id IS NOT NULL AND service = 'trakt'")),
    )  # fmt: skip


class OAuthFlow(Base):
    """State, verifier and person of a sign-in that is under way; valid for 10 minutes."""

    __tablename__ = "oauth_flows"

    state: Mapped[str] = mapped_column(String(128), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    service: Mapped[short]
    kind: Mapped[short]  # code, device
    verifier: Mapped[text | None]  # encrypted
    redirect_uri: Mapped[text | None]
    device: Mapped[Any] = mapped_column(Json, default=dict)  # user_code, verification_url, interval, next_poll, result
    secret: Mapped[text | None]  # device_code, encrypted
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime())
    created_at: Mapped[now]


class SystemConfig(Base):
    """Key and value, of a person or (user_id NULL) of the instance; reference keys as in DESIGN 10."""

    __tablename__ = "system_config"

    id: Mapped[pk]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(128))
    value: Mapped[text]
    updated_at: Mapped[touched]

    __table_args__ = (
        Index("uq_system_config_user", "user_id", "key", unique=True, sqlite_where=sql("user_id IS NOT NULL"), postgresql_where=sql("user_id IS NOT NULL")),
        Index("uq_system_config_instance", "key", unique=True, sqlite_where=sql("user_id IS NULL"), postgresql_where=sql("user_id IS NULL")),
    )  # fmt: skip
