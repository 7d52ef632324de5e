"""Who is behind a connection: asked after a sign-in and once a day, as a short job on the queue `light`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from jobs.accounts import OPTIONS_TAKEN, note_refusal
from jobs.clients import anilist_for, trakt_for
from jobs.errors import NotFound, TsuzukiError, Waits
from jobs.sources.anilist import Viewer
from jobs.storing import get_setting, put_setting
from webapp.database import transaction
from webapp.models import Connection, User, utcnow

WRONG_NAME = "wrong_name"  # `details["problem"]`: no public list under this name
TAKEN = "taken"  # this Trakt account belongs to another person of the instance


def check_connection(connection_id: int) -> None:
    """Ask the service who the account is and write it into the connection; a failure shows there as well.

    Another account than before becomes `pending_account_id` and waits for approval in the next run. The person's zone
    and title language are filled in from AniList the first time. A service that does not answer is asked again by
    the tick. Raises nothing of `jobs.errors`.
    """
    with transaction(readonly=True) as session:
        row = session.get(Connection, connection_id, populate_existing=True)
        if row is not None:
            session.expunge(row)  # a copy: what changes meanwhile must show as a difference
    if row is None or row.state in ("disconnected", "reconnect"):
        return
    try:
        if row.service == "anilist":
            _check_anilist(row)
        elif row.service == "trakt":
            _check_trakt(row)
    except Waits:
        return
    except NotFound:
        _problem(connection_id, "reconnect", "reconnect_anilist", WRONG_NAME)
    except TsuzukiError as error:
        error.service = error.service or row.service
        note_refusal(row.user_id, error)


def _check_anilist(row: Connection) -> None:
    client = anilist_for(row.user_id)
    viewer = client.viewer() if client.signed_in else client.user(row.account_name or "")
    facts = {"timezone": viewer.timezone, "list_activity_disabled": viewer.list_activity_disabled}
    if _found(row, viewer.account_id, viewer.name, facts):
        _take_options(row.user_id, viewer)


def _check_trakt(row: Connection) -> None:
    account = trakt_for(row.user_id).account()
    facts = {
        **account.details,
        "vip": account.vip,
        "watch_only_once": account.watch_only_once,
        "timezone": account.timezone,
    }
    _found(row, account.account_id, account.name, facts)


def _found(seen: Connection, account_id: str, name: str, facts: Mapping[str, Any]) -> bool:
    """Write down who answered, unless the person signed in anew meanwhile; True when it is the account we know."""
    try:
        with transaction() as session:
            row = session.scalar(
                select(Connection)
                .where(Connection.id == seen.id)
                .with_for_update()
                .execution_options(populate_existing=True)
            )
            if row is None or row.state_since != seen.state_since:
                return False
            if row.account_id not in (None, account_id):
                row.pending_account_id, row.pending_account_name = account_id, name
                return False
            row.account_id, row.account_name = account_id, name
            row.pending_account_id = row.pending_account_name = None
            row.details = {**{k: v for k, v in (row.details or {}).items() if k != "problem"}, **facts}
            row.checked_at = utcnow()
            if row.state == "refused":
                row.state, row.state_reason, row.state_since = "connected", None, utcnow()
    except IntegrityError:  # one Trakt account belongs to one person of an instance
        _problem(seen.id, "refused", "bad_data", TAKEN)
        return False
    return True


def _take_options(user_id: int, viewer: Viewer) -> None:
    with transaction() as session:
        if get_setting(session, user_id, OPTIONS_TAKEN) == viewer.account_id:
            return
        user = session.get_one(User, user_id)
        user.title_language = viewer.title_language
        if viewer.timezone and not user.timezone:  # AniList writes "09:00" and "-08:00"
            user.timezone = f"+{viewer.timezone}" if viewer.timezone[0].isdigit() else viewer.timezone
        put_setting(session, user_id, OPTIONS_TAKEN, viewer.account_id)


def _problem(connection_id: int, state: str, reason: str, problem: str) -> None:
    with transaction() as session:
        row = session.get_one(Connection, connection_id)
        row.state, row.state_reason, row.state_since = state, reason, utcnow()
        row.details = {**(row.details or {}), "problem": problem}
