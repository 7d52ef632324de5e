"""Whose accounts these are: the one that answers must be the one that the ledger was kept for (DESIGN 6.3, 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from jobs.errors import AppRefused, BadData, NotFound, Reconnect, TsuzukiError
from jobs.runstate import RunContext
from jobs.said import said
from jobs.storing import drop_setting, get_setting, put_setting
from webapp.database import transaction
from webapp.models import ActivityRow, Connection, Entry, SyncProgress, User, utcnow

if TYPE_CHECKING:
    from jobs.sources.anilist import AniList, Viewer
    from jobs.targets.trakt import Trakt

OPTIONS_TAKEN = "anilist:options-taken"
LAST_SYNC = "lastSyncTimestamp"
WHOLE_LIST = "anilist:whole-list"  # when the last whole reading began
WHOLE_LIST_BY = "anilist:whole-list-by"  # token or name: what that reading could see
ACTIVITIES_READ = "anilist:activities-read"  # "some" or "all", once the first activities have been read
CHECK_EVERY = timedelta(hours=24)


class AccountChanged(TsuzukiError):
    """Another account answers than before; the run waits until the person says which one it is."""

    reason = "account_changed"


@dataclass(frozen=True, slots=True)
class TraktSettings:
    """What a run must know of the Trakt account."""

    account_id: str
    watch_only_once: bool
    timezone: str | None


def connection_of(user_id: int, service: str) -> Connection | None:
    """The person's connection to a service, when there is one that is not disconnected."""
    with transaction(readonly=True) as session:
        found: Connection | None = session.scalar(
            select(Connection)
            .where(Connection.user_id == user_id, Connection.service == service, Connection.state != "disconnected")
            .execution_options(populate_existing=True)
        )
    return found


def anilist_account(ctx: RunContext, anilist: AniList) -> str:
    """The account id to read. AniList is asked when it is not known yet, and when another account has answered.

    A name may pass to another account, and no answer to a later request says so: it is looked up once a day. Raises
    `Reconnect` without a connection or without an account of that name, `AccountChanged` when another account answers.
    """
    connection = connection_of(ctx.user_id, "anilist")
    if connection is None:
        raise Reconnect("anilist", said("AniList is not connected."))
    checked = connection.checked_at is not None and connection.checked_at > utcnow() - CHECK_EVERY
    settled = connection.pending_account_id is None and (anilist.signed_in or checked)
    if settled and (known := connection.account_id):
        return known
    viewer = anilist.viewer() if anilist.signed_in else _owner(connection.account_name, anilist)
    check_viewer(ctx, viewer)
    return viewer.account_id


def _owner(name: str | None, anilist: AniList) -> Viewer:
    if not name:
        raise Reconnect("anilist", said("AniList is not connected."))
    try:
        return anilist.user(name)
    except NotFound:
        raise Reconnect("anilist", said("AniList has no public list under the name %(name)s.", name=name)) from None


def check_viewer(ctx: RunContext, viewer: Viewer) -> None:
    """Compare who answered with who was there before; fill in what AniList says of the person the first time.

    Raises `AccountChanged` when it is another account and nobody has approved that.
    """
    _same_or_adopted(ctx, "anilist", viewer.account_id, viewer.name, {"timezone": viewer.timezone})
    with transaction() as session:
        if get_setting(session, ctx.user_id, OPTIONS_TAKEN) == viewer.account_id:
            return
        user = session.get_one(User, ctx.user_id, populate_existing=True)
        user.title_language = viewer.title_language
        user.timezone = user.timezone or _offset(viewer.timezone)
        put_setting(session, ctx.user_id, OPTIONS_TAKEN, viewer.account_id)


def _offset(zone: str | None) -> str | None:
    """AniList writes "09:00" where `users.timezone` writes "+09:00"."""
    return f"+{zone}" if zone and zone[:1].isdigit() else zone


def trakt_account(ctx: RunContext, trakt: Trakt) -> TraktSettings:
    """Who the Trakt account is and how it counts plays; asked once a day and when not known yet.

    Raises `Reconnect` without a connection, `AccountChanged` when another account answers.
    """
    connection = connection_of(ctx.user_id, "trakt")
    if connection is None:
        raise Reconnect("trakt", said("Trakt is not connected."))
    fresh = connection.checked_at is not None and connection.checked_at > utcnow() - CHECK_EVERY
    if not (connection.account_id and fresh and "watch_only_once" in (connection.details or {})):
        account = trakt.account()
        facts = {
            **account.details,
            "vip": account.vip,
            "watch_only_once": account.watch_only_once,
            "timezone": account.timezone,
        }
        _same_or_adopted(ctx, "trakt", account.account_id, account.name, facts)
        return TraktSettings(account.account_id, account.watch_only_once, account.timezone)
    return _settings(connection.account_id, connection.details)


def known_trakt(user_id: int) -> TraktSettings | None:
    """The Trakt account as it was last seen, without asking; None when nobody ever signed in."""
    connection = connection_of(user_id, "trakt")
    if connection is None or not connection.account_id:
        return None
    return _settings(connection.account_id, connection.details or {})


def _settings(account_id: str, details: Mapping[str, Any]) -> TraktSettings:
    return TraktSettings(account_id, bool(details.get("watch_only_once")), details.get("timezone"))


def _same_or_adopted(ctx: RunContext, service: str, account_id: str, name: str, facts: Mapping[str, Any]) -> None:
    approved = bool(ctx.options.get("approved")) and ctx.options.get("approved_reason") == "account_changed"
    try:
        with transaction() as session:
            row = session.scalar(
                select(Connection)
                .where(Connection.user_id == ctx.user_id, Connection.service == service)
                .execution_options(populate_existing=True)
            )
            if row is None:
                raise Reconnect(service, said("%(service)s is not connected.", service=service))
            known = row.account_id
            other = known is not None and known != account_id
            if other and not (approved and row.pending_account_id == account_id):
                row.pending_account_id, row.pending_account_name = account_id, name
            else:
                row.account_id, row.account_name = account_id, name
                row.pending_account_id = row.pending_account_name = None
                row.details = {**(row.details or {}), **facts}
                row.checked_at = utcnow()
                if other:
                    _forget(session, ctx.user_id, service)
                    other = False
    except IntegrityError:
        raise BadData(
            said(
                "The %(service)s account %(name)s belongs to another person of this instance.",
                service=service,
                name=name,
            )
        ) from None
    if other:
        raise AccountChanged(
            said("%(name)s answers where %(service)s had another account before.", name=name, service=service),
            service=service,
        )


def _forget(session: Any, user_id: int, service: str) -> None:
    """What was settled was settled for another account: everything is looked at again, nobody has consented yet."""
    session.execute(delete(SyncProgress).where(SyncProgress.user_id == user_id))
    session.execute(update(Entry).where(Entry.user_id == user_id).values(settled_at=None, settled_abs=None))
    drop_setting(session, user_id, LAST_SYNC)
    if service == "anilist":
        session.execute(delete(ActivityRow).where(ActivityRow.user_id == user_id))
        drop_setting(session, user_id, WHOLE_LIST, WHOLE_LIST_BY, ACTIVITIES_READ)
    else:
        session.execute(update(User).where(User.id == user_id).values(hand_consent_at=None))


def note_refusal(user_id: int, error: TsuzukiError) -> None:
    """Show on the connection what ended a run: signed out, or refused."""
    if error.service not in ("anilist", "trakt"):
        return
    refused = isinstance(error, AppRefused) or error.reason in ("vip_required", "account_locked")
    state = "reconnect" if isinstance(error, Reconnect) else "refused" if refused else None
    if state is None:
        return
    with transaction() as session:
        session.execute(
            update(Connection)
            .where(
                Connection.user_id == user_id,
                Connection.service == error.service,
                Connection.state.not_in((state, "reconnect", "disconnected")),
            )
            .values(state=state, state_reason=error.reason, state_since=utcnow())
        )


def note_answer(user_id: int, service: str) -> None:
    """The service answered after it had refused: the connection is good again."""
    with transaction() as session:
        session.execute(
            update(Connection)
            .where(Connection.user_id == user_id, Connection.service == service, Connection.state == "refused")
            .values(state="connected", state_reason=None, state_since=utcnow())
        )
