"""Clients for one person, with their tokens, pace and request counting. Built once per run, after the fork.

All of them raise the types of `jobs.errors` only.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import current_app
from sqlalchemy import select

from jobs import pace
from jobs.errors import AppRefused, Reconnect
from jobs.pace import Bucket, Rule
from jobs.said import said
from jobs.sources.anilist import AniList
from jobs.targets.tmdb import Tmdb
from jobs.targets.trakt import Trakt
from jobs.targets.trakt_public import TraktPublic
from jobs.transport import Count, Transport, user_agent
from webapp import tokens
from webapp.config import Config
from webapp.database import transaction
from webapp.models import Connection

Counter = Count  # count(service, waited_seconds), once per request that leaves
WRITE_PATIENCE = 5.0  # seconds that a claimed batch waits for its turn; a longer wait parks the run


def _config() -> Config:
    config: Config = current_app.config["TSUZUKI"]
    return config


def _transport(service: str, count: Count | None) -> Transport:
    config = _config()
    return Transport(
        service,
        agent=user_agent(config.public_url),
        read_seconds=config.HTTP_READ_SECONDS,
        write_seconds=config.HTTP_WRITE_SECONDS,
        retries=config.SYNC_MAX_RETRIES,
        count=count,
    )


def _bucket(rule: Rule, patience: float = pace.PATIENCE) -> Bucket:
    return Bucket(rule, pace.store_for(_config().REDIS_URL), patience=patience)


def _connection(user_id: int, service: str) -> Connection | None:
    with transaction(readonly=True) as session:
        found: Connection | None = session.scalar(
            select(Connection).where(Connection.user_id == user_id, Connection.service == service)
        )
    return found


def anilist_for(user_id: int, *, count: Count | None = None, check: Callable[[], None] | None = None) -> AniList:
    """AniList as this person sees it: signed in, or as everybody when only a name is known. `check`: see `AniList`.

    Raises Reconnect when AniList is not connected or has signed the person out: reading a list without its private
    entries would look as if they were gone.
    """
    connection = _connection(user_id, "anilist")
    if connection is None or connection.state in ("disconnected", "reconnect"):
        raise Reconnect("anilist", said("AniList is not connected."))
    token = tokens.access_token(user_id, "anilist")
    if token is None and connection.state != "name_only":
        raise Reconnect("anilist", said("AniList is not connected."))
    config = _config()
    return AniList(
        _transport("anilist", count),
        config.ANILIST_API_URL,
        referer=config.public_url,
        token=token,
        pace=_bucket(pace.anilist()),
        on_refused=partial(tokens.token_refused, user_id, "anilist"),
        check=check,
    )


def trakt_for(user_id: int, *, count: Count | None = None) -> Trakt:
    """Trakt as this person. Raises Reconnect when it is not connected, AppRefused when no app key is set."""
    connection = _connection(user_id, "trakt")
    if connection is None or connection.state in ("disconnected", "reconnect"):
        if connection is not None and connection.state_reason == "app_refused":
            raise AppRefused(said("Trakt does not know the app any more; it needs another one."), service="trakt")
        raise Reconnect("trakt", said("Trakt is not connected."))
    key, _secret = tokens.app_credentials(user_id, "trakt")
    if not key:
        raise AppRefused(said("No Trakt app is set up yet: Trakt needs a client id."), service="trakt")
    return Trakt(
        _transport("trakt", count),
        _config().TRAKT_API_URL,
        client_id=key,
        token=partial(tokens.access_token, user_id, "trakt"),
        renew=partial(tokens.refresh, user_id, "trakt"),
        reads=_bucket(pace.trakt_reads(user_id)),
        writes=_bucket(pace.trakt_writes(user_id), WRITE_PATIENCE),
    )


def trakt_public(user_id: int, *, count: Count | None = None) -> TraktPublic:
    """Trakt's public reads with this person's app key, or the instance's; without one they raise AppRefused."""
    key, _secret = tokens.app_credentials(user_id, "trakt")
    return TraktPublic(
        _transport("trakt", count),
        _config().TRAKT_API_URL,
        client_id=key,
        pace=_bucket(pace.trakt_public(key)) if key else None,
    )


def tmdb(count: Count | None = None) -> Tmdb | None:
    """TMDB, when a key is set."""
    config = _config()
    if not config.TMDB_API_KEY:
        return None
    return Tmdb(_transport("tmdb", count), config.TMDB_API_URL, key=config.TMDB_API_KEY, pace=_bucket(pace.tmdb()))
