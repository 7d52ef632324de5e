"""The only place that stores, reads and refreshes OAuth tokens.

A refresh token can be used once, so only one process may do it at a time. The claim is a conditional UPDATE of
`refreshing_until`; no transaction is open while the service is asked, and whoever comes second waits for the new token
to appear. A lost answer is tried once more with the same refresh token; only when the service says `invalid_grant` or
`invalid_client` does the connection need the person. While the old token is still good, a refresh that came to nothing
is not tried again at once.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import or_, select, update

from jobs.errors import (
    AccountLimit,
    AccountLocked,
    AppRefused,
    BadData,
    RateLimited,
    ServiceDown,
    Stops,
    VipRequired,
    Waits,
)
from jobs.said import said
from webapp.crypto import decrypt, encrypt
from webapp.database import transaction
from webapp.extensions import db
from webapp.grants import (
    SERVICE_NAMES,
    SERVICES,
    App,
    GrantRefused,
    GrantUnclear,
    Service,
    Tokens,
    refresh_grant,
    revoke,
    token_expiry,
)
from webapp.models import Connection, User, utcnow

log = logging.getLogger(__name__)

USABLE = ("connected", "refused")  # refused: the service turned a run away, and may take the next one
EARLY = timedelta(days=1)  # refreshed when less than this is left
REST = timedelta(minutes=5)  # without asking again after an unclear answer, while the old token is good
_LOOK_AGAIN = 0.2  # seconds between two looks at somebody else's refresh
_FOR_GOOD = {"invalid_grant", "invalid_client", "unauthorized_client"}
_sleep = time.sleep


@contextmanager
def own_transaction(*, readonly: bool = False) -> Iterator[Any]:
    """A transaction of our own; what a view has read before ends first."""
    session = db.session()
    if session.in_transaction() and not (session.new or session.dirty or session.deleted):
        session.commit()
    with transaction(readonly=readonly) as mine:
        yield mine


def _row(user_id: int, service: str) -> Connection | None:
    """The connection as it stands now: a copy that later reads do not change under our hands."""
    with own_transaction(readonly=True) as session:
        found: Connection | None = session.scalar(
            select(Connection)
            .where(Connection.user_id == user_id, Connection.service == service)
            .execution_options(populate_existing=True)
        )
        if found is not None:
            session.expunge(found)
    return found


def app_credentials(user_id: int, service: str) -> tuple[str | None, str | None]:
    """Client id and secret: the person's own if typed, else the environment's. Either may be None."""
    row = _row(user_id, service)
    if row is not None and row.app_id:
        return row.app_id, decrypt(row.app_secret) if row.app_secret else None
    config = current_app.config["TSUZUKI"]
    name = service.upper()
    return getattr(config, f"{name}_CLIENT_ID"), getattr(config, f"{name}_CLIENT_SECRET")


def store_app(user_id: int, service: Service, client_id: str | None, secret: str | None) -> None:
    """Keep an app that the person typed; None goes back to the environment's."""
    with own_transaction() as session:
        row = _own(session, user_id, service)
        row.app_id = client_id or None
        row.app_secret = encrypt(secret) if client_id and secret else None


def access_token(user_id: int, service: Service) -> str | None:
    """A token to use now, refreshed first when less than a day is left. None: the person must (re)connect.

    Raises `Waits` or `Stops`, as `refresh` does, when the token has expired.
    """
    row = _row(user_id, service)
    if row is None or row.state not in USABLE or not row.access_token:
        return None
    token = decrypt(row.access_token)
    now = utcnow()
    if row.expires_at is None or row.expires_at - now > EARLY:
        return token
    valid = row.expires_at > now + timedelta(minutes=1)
    if not row.refresh_token or (valid and row.refreshing_until is not None and row.refreshing_until > now):
        return token  # AniList's lasts a year and is used to the end; or somebody is refreshing it right now
    try:
        return refresh(user_id, service, token)
    except (Waits, Stops):
        row = _row(user_id, service)
        if valid and row is not None and row.state in USABLE:
            return token
        raise


def refresh(user_id: int, service: Service, used: str) -> str | None:
    """A token newer than `used`, which was refused or is about to expire. None: the person must reconnect.

    Of many callers one asks the service, the others wait for its result. Raises ServiceDown and RateLimited (no clear
    answer, twice, or lately), and the `Stops` of a refusal that is not about the sign-in (403: the app is blocked).
    """
    span = 2.5 * min(current_app.config["TSUZUKI"].HTTP_READ_SECONDS, 30.0) + 5.0
    give_up = time.monotonic() + 2 * span
    while time.monotonic() < give_up:
        row = _row(user_id, service)
        if row is None or row.state not in USABLE or not row.access_token:
            return None
        if (token := decrypt(row.access_token)) != used:
            return token
        rest = (row.refreshing_until - utcnow()).total_seconds() if row.refreshing_until else 0.0
        if rest > span:  # no claim lasts so long: the service gave no clear answer lately
            why = said("%(name)s could not renew the sign-in and is asked again later", name=SERVICE_NAMES[service])
            raise ServiceDown(why, service=service, seconds=rest)
        if not row.refresh_token:
            _needs_person(row, "reconnect", "the token was refused and there is none to refresh it with")
            return None
        if _claim(row, span):
            return _refresh(row, service)
        _sleep(_LOOK_AGAIN)
    raise ServiceDown(
        said("%(service)s: another process has been renewing the sign-in for too long", service=SERVICE_NAMES[service]),
        service=service,
    )


def _claim(row: Connection, seconds: float) -> bool:
    """True for exactly one caller while the claim lasts; the old ciphertext is the version of the row."""
    now = utcnow()
    free = or_(Connection.refreshing_until.is_(None), Connection.refreshing_until < now)
    usable = Connection.state.in_(USABLE)  # another process may have met `invalid_grant` since the row was read
    return _change(row, free, usable, refreshing_until=now + timedelta(seconds=seconds))


def _change(row: Connection, *conditions: Any, **values: Any) -> bool:
    """Change the row if its token is still the one that was read."""
    with own_transaction() as session:
        done = session.execute(
            update(Connection)
            .where(Connection.id == row.id, Connection.access_token == row.access_token, *conditions)
            .values(**values, updated_at=utcnow())
            .execution_options(synchronize_session=False)
        )
    return bool(done.rowcount == 1)


def _refresh(row: Connection, service: Service) -> str | None:
    client_id, secret = app_credentials(row.user_id, service)
    assert row.refresh_token
    if not client_id:
        _needs_person(row, "app_refused", "no app is set for it any more")
        return None
    try:
        tokens = _ask_twice(service, App(client_id, secret), decrypt(row.refresh_token))
    except GrantRefused as error:
        if error.error == "invalid_grant":
            _needs_person(row, "reconnect", f"{error.error}: {error.detail}")
            return None
        if error.error in _FOR_GOOD:
            _needs_person(row, "app_refused", f"{error.error}: {error.detail}")
        else:
            _rest(row, 0.0)
        raise _refusal(service, error) from error
    except GrantUnclear as error:
        rest = _rest(row, error.retry_after or 0.0)
        kind = RateLimited if error.status == 429 else ServiceDown
        seconds = max(rest.total_seconds(), 60.0)
        raise kind(error.detail, service=service, status=error.status, seconds=seconds) from error
    kept = _change(
        row,
        access_token=encrypt(tokens.access),
        refresh_token=encrypt(tokens.refresh) if tokens.refresh else row.refresh_token,
        expires_at=tokens.expires_at,
        refreshing_until=None,
    )
    log.info("%s: sign-in of account %s renewed", SERVICE_NAMES[service], row.user_id)
    if kept:
        return tokens.access
    return access_token(row.user_id, service)  # the person signed in anew meanwhile


def _rest(row: Connection, told: float) -> timedelta:
    """Give the claim back, after the time in which nobody asks again: as long as the service said (seconds), and while
    the old token is good there is no hurry."""
    good = row.expires_at - utcnow() - timedelta(minutes=1) if row.expires_at else timedelta(0)
    rest = max(min(timedelta(seconds=told), timedelta(hours=1)), min(good, REST), timedelta(0))
    _change(row, refreshing_until=utcnow() + rest if rest else None)
    return rest


def _refusal(service: Service, error: GrantRefused) -> Stops:
    kinds: dict[int | None, type[Stops]] = {420: AccountLimit, 423: AccountLocked, 426: VipRequired}
    kinds |= dict.fromkeys((400, 404, 405, 412, 413, 415, 422), BadData)
    kind = AppRefused if error.error in _FOR_GOOD else kinds.get(error.status, AppRefused)
    words = said("%(name)s refused to renew the sign-in: %(why)s", name=SERVICE_NAMES[service], why=error.detail)
    return kind(words, service=service, status=error.status)


def _ask_twice(service: Service, app: App, refresh_token: str) -> Tokens:
    try:
        return refresh_grant(service, app, refresh_token)
    except GrantUnclear as error:
        _sleep(min(error.retry_after if error.retry_after is not None else 1.0, 5.0))
        return refresh_grant(service, app, refresh_token)


def _needs_person(row: Connection, reason: str, detail: str) -> None:
    """State `reconnect`; the tokens are kept, nothing uses them any more."""
    reason = f"reconnect_{row.service}" if reason == "reconnect" else reason
    log.warning("%s: account %s must sign in again (%s)", SERVICE_NAMES[row.service], row.user_id, detail)
    _change(
        row,
        Connection.state.in_(USABLE),
        state="reconnect",
        state_reason=reason,
        state_since=utcnow(),
        refreshing_until=None,
    )


def token_refused(user_id: int, service: Service, used: str) -> None:
    """The service does not know `used`, and it can't be refreshed (AniList): the person signs in again."""
    row = _row(user_id, service)
    if row is not None and row.state in USABLE and row.access_token and decrypt(row.access_token) == used:
        _needs_person(row, "reconnect", "the token is not valid any more")


def store(user_id: int, service: Service, tokens: Tokens) -> int:
    """Keep fresh tokens of a sign-in; returns the connection's id. Who it is, `jobs.connect` finds out."""
    with own_transaction() as session:
        row = _own(session, user_id, service)
        _put(row, tokens)
        session.flush()
        return row.id


def store_name(user_id: int, service: Service, name: str) -> int:
    """Connect by name only (AniList's public lists); returns the connection's id."""
    with own_transaction() as session:
        row = _own(session, user_id, service)
        _forget(row)
        if (row.account_name or "").casefold() != name.casefold():
            row.account_name = name
            row.checked_at = None
        _state(row, "name_only")
        session.flush()
        return row.id


def disconnect(user_id: int, service: Service) -> None:
    """Forget the tokens, then tell the service so, where it can be told (Trakt)."""
    row = _row(user_id, service)
    if row is None:
        return
    token = decrypt(row.access_token) if row.access_token else None
    client_id, secret = app_credentials(user_id, service)
    with own_transaction() as session:
        mine = _own(session, user_id, service)
        _forget(mine)
        mine.account_id = mine.account_name = mine.pending_account_id = mine.pending_account_name = None
        mine.details = {}
        _state(mine, "disconnected")
    if token and client_id and service == "trakt" and not revoke(App(client_id, secret), token):
        log.warning("Trakt did not confirm that the token is revoked; it expires by itself")


def seed_from_environment(user: User) -> list[int]:
    """Take the environment's tokens once; returns the connections that are new, to be checked.

    They are taken when they differ (by stored hash) from those last taken: a restart never puts a used refresh token
    over a newer one, nor does it bring back what the person disconnected.
    """
    config = current_app.config["TSUZUKI"]
    seeds: dict[Service, tuple[str | None, str | None, str | None]] = {
        "anilist": (config.ANILIST_ACCESS_TOKEN, None, config.ANILIST_USERNAME),
        "trakt": (config.TRAKT_ACCESS_TOKEN, config.TRAKT_REFRESH_TOKEN, None),
    }
    taken = []
    with own_transaction() as session:
        for service, (access, refresh_token, name) in seeds.items():
            if not access and not name:
                continue
            digest = hashlib.sha256(repr((access, refresh_token, None if access else name)).encode()).hexdigest()
            row = _own(session, user.id, service)
            if row.seed_hash == digest:
                continue
            if access:
                _put(row, Tokens(access, refresh_token, token_expiry(access) if service == "anilist" else None))
            else:
                _forget(row)
                row.account_name = name
                _state(row, "name_only")
            row.seed_hash = digest
            session.flush()
            taken.append(row.id)
    return taken


def due_refreshes(now: datetime) -> list[tuple[int, Service]]:
    """(user, service) of tokens with less than a day left; `access_token` refreshes them."""
    with own_transaction(readonly=True) as session:
        rows = session.execute(
            select(Connection.user_id, Connection.service).where(
                Connection.state.in_(USABLE),
                Connection.refresh_token.is_not(None),
                Connection.expires_at < now + EARLY,
                or_(Connection.refreshing_until.is_(None), Connection.refreshing_until < now),
            )
        ).all()
    return [(user_id, service) for user_id, service in rows if service in SERVICES]


def due_checks(now: datetime) -> list[int]:
    """Connections whose account was not looked at for a day (`jobs.connect.check_connection`)."""
    with own_transaction(readonly=True) as session:
        return list(
            session.scalars(
                select(Connection.id).where(
                    Connection.state.in_((*USABLE, "name_only")),
                    or_(Connection.checked_at.is_(None), Connection.checked_at < now - timedelta(days=1)),
                )
            )
        )


def _own(session: Any, user_id: int, service: str) -> Connection:
    """The person's row for a service, new if there is none, locked on PostgreSQL."""
    row: Connection | None = session.scalar(
        select(Connection)
        .where(Connection.user_id == user_id, Connection.service == service)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        row = Connection(user_id=user_id, service=service, state="disconnected")
        session.add(row)
    return row


def _put(row: Connection, tokens: Tokens) -> None:
    row.access_token = encrypt(tokens.access)
    # AniList sends a refresh token that does nothing
    row.refresh_token = encrypt(tokens.refresh) if tokens.refresh and row.service != "anilist" else None
    row.expires_at = tokens.expires_at
    row.refreshing_until = None
    row.checked_at = None
    _state(row, "connected")


def _forget(row: Connection) -> None:
    row.access_token = row.refresh_token = row.expires_at = row.refreshing_until = None


def _state(row: Connection, state: str) -> None:
    row.state = state
    row.state_reason = None
    row.state_since = utcnow()
