"""A sign-in that is under way: state, verifier and person are kept here for ten minutes, never in the browser.

`webapp.oauth` shows the pages of it, the JSON API uses the same functions. Authorization code with PKCE after
RFC 7636, device code after RFC 8628 with Trakt's status codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from authlib.common.security import generate_token
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import delete, select

from webapp import tokens
from webapp.crypto import decrypt, encrypt
from webapp.grants import (
    SERVICE_NAMES,
    App,
    GrantRefused,
    GrantUnclear,
    Service,
    Tokens,
    authorize_url,
    device_code,
    device_token,
    exchange_code,
    redirect_uri,
    token_expiry,
)
from webapp.models import OAuthFlow, utcnow
from webapp.tokens import own_transaction

LIFETIME = timedelta(minutes=10)
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"  # Trakt shows the code on its page instead of sending the browser back


class FlowError(Exception):
    """The sign-in did not work; the text is for the person. `code` is for the API."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the browser, and the address that the service sends it back to."""

    url: str
    redirect_uri: str
    state: str


def app_of(user_id: int, service: Service) -> App:
    """The app to sign in with. Raises FlowError when there is none."""
    client_id, secret = tokens.app_credentials(user_id, service)
    if not client_id:
        raise FlowError(
            "no_app", _("Enter the client ID of your %(service)s app first.", service=SERVICE_NAMES[service])
        )
    return App(client_id, secret)


def pin_address(service: Service) -> str:
    """The return address with which the service shows its code on a page of its own."""
    return OUT_OF_BAND if service == "trakt" else f"{current_app.config['TSUZUKI'].ANILIST_AUTH_URL}/pin"


def begin_code(user_id: int, service: Service, *, pasted: bool = False) -> Begun:
    """Begin a sign-in in the browser. `pasted`: the service shows a code that the person brings back by hand."""
    app = app_of(user_id, service)
    if service == "anilist" and not app.secret:
        raise FlowError("no_secret", _("AniList needs the client secret of your app for this way of signing in."))
    state = generate_token(48)
    target = redirect_uri(service)
    if pasted:
        target = pin_address(service)
    query = {"response_type": "code", "client_id": app.client_id, "redirect_uri": target, "state": state}
    verifier = None
    if service == "trakt":
        verifier = generate_token(64)
        query |= {"code_challenge": create_s256_code_challenge(verifier), "code_challenge_method": "S256"}
    _keep(user_id, service, "paste" if pasted else "code", state, verifier=verifier, redirect=target)
    return Begun(f"{authorize_url(service)}?{urlencode(query)}", target, state)


def finish_code(user_id: int, service: Service, code: str, *, state: str | None = None) -> tuple[int, Tokens]:
    """A code that came back -> (connection id, tokens), stored. Without `state`: the newest sign-in by pasting.

    A sign-in through the browser can be finished once; a pasted code may be typed again. Raises FlowError.
    """
    flow = _find(user_id, service, state)
    if flow is None:
        words = _("This sign-in is older than 10 minutes, or it was begun by somebody else. Please begin again.")
        raise FlowError("flow_expired", words)
    if state is not None and flow.kind != "paste":
        _forget(flow.state)
    name = SERVICE_NAMES[service]
    try:
        issued = exchange_code(
            service,
            app_of(user_id, service),
            code,
            redirect=flow.redirect_uri or redirect_uri(service),
            verifier=decrypt(flow.verifier) if flow.verifier else None,
        )
    except GrantRefused as error:
        raise FlowError("code_refused", _refused(name, error.error)) from error
    except GrantUnclear as error:
        words = _("%(service)s did not answer clearly. Please try again.", service=name)
        raise FlowError("service_down", words) from error
    _forget(flow.state)
    return tokens.store(user_id, service, _with_expiry(issued)), issued


def _refused(name: str, error: str) -> str:
    if error == "invalid_grant":
        text = _(
            "%(service)s does not accept this code. Codes work once and for a few minutes; get a new one.", service=name
        )
    elif error in ("invalid_client", "unauthorized_client"):
        text = _("%(service)s does not know this app. Compare the client ID and the client secret.", service=name)
    else:
        text = _("%(service)s refused the sign-in (%(error)s).", service=name, error=error)
    return str(text)


def paste_token(user_id: int, token: str) -> int:
    """Connect AniList with an access token that the person got there; returns the connection's id."""
    expiry = token_expiry(token)
    if expiry is not None and expiry <= utcnow():
        raise FlowError("token_expired", _("This token has expired. Get a new one from AniList."))
    return tokens.store(user_id, "anilist", Tokens(token, None, expiry))


def _with_expiry(issued: Tokens) -> Tokens:
    return issued if issued.expires_at else Tokens(issued.access, issued.refresh, token_expiry(issued.access))


# Device code


def begin_device(user_id: int) -> OAuthFlow:
    """Ask Trakt for a code that the person types on its page. Raises FlowError."""
    app = app_of(user_id, "trakt")
    try:
        code = device_code(app)
    except GrantRefused as error:
        raise FlowError("app_refused", _refused("Trakt", error.error)) from error
    except GrantUnclear as error:
        raise FlowError("service_down", _("Trakt did not answer. Please try again in a minute.")) from error
    device = {
        "user_code": code.user_code,
        "verification_url": code.verification_url,
        "interval": code.interval,
        "next_poll": (utcnow() + timedelta(seconds=code.interval)).timestamp(),
        "result": None,
    }
    lifetime = timedelta(seconds=code.expires_in)
    with own_transaction() as session:
        session.execute(delete(OAuthFlow).where(OAuthFlow.user_id == user_id, OAuthFlow.kind == "device"))
    return _keep(
        user_id, "trakt", "device", generate_token(48), secret=code.device_code, device=device, lifetime=lifetime
    )


def device_of(user_id: int, state: str) -> OAuthFlow | None:
    """The person's own device sign-in, also one that has ended."""
    with own_transaction(readonly=True) as session:
        found: OAuthFlow | None = session.scalar(
            select(OAuthFlow)
            .where(OAuthFlow.state == state, OAuthFlow.user_id == user_id, OAuthFlow.kind == "device")
            .execution_options(populate_existing=True)
        )
    return found


def poll_device(user_id: int, state: str) -> tuple[OAuthFlow, int | None] | None:
    """Ask Trakt whether the code was typed, if it is time to; (sign-in, connection id once it is connected).

    `device["result"]` is None while it waits, then connected, expired, denied, already_used or refused. None when
    this person has no such sign-in. Of several pages that poll at once, one asks.
    """
    flow = device_of(user_id, state)
    if flow is None or flow.device.get("result"):
        return (flow, None) if flow else None
    now = utcnow()
    if flow.expires_at <= now:
        return _end(flow, "expired"), None
    if not _take_turn(flow.state, now) or not flow.secret:
        return flow, None
    try:
        answer = device_token(app_of(user_id, "trakt"), decrypt(flow.secret))
    except GrantRefused as error:
        known = error.error if error.error in ("expired", "denied", "already_used") else "refused"
        return _end(flow, known), None
    except GrantUnclear:
        return flow, None
    if answer == "slow_down":
        return _change(flow, interval=float(flow.device["interval"]) + 5), None
    if isinstance(answer, str):
        return flow, None
    connection_id = tokens.store(user_id, "trakt", answer)
    return _end(flow, "connected"), connection_id


def _take_turn(state: str, now: datetime) -> bool:
    with own_transaction() as session:
        flow = session.scalar(select(OAuthFlow).where(OAuthFlow.state == state).with_for_update())
        if flow is None or flow.device.get("result") or float(flow.device["next_poll"]) > now.timestamp():
            return False
        flow.device = {**flow.device, "next_poll": now.timestamp() + float(flow.device["interval"])}
    return True


def _end(flow: OAuthFlow, result: str) -> OAuthFlow:
    return _change(flow, result=result)


def _change(flow: OAuthFlow, **values: Any) -> OAuthFlow:
    with own_transaction() as session:
        found = session.scalar(select(OAuthFlow).where(OAuthFlow.state == flow.state).with_for_update())
        if found is None:
            return flow
        found.device = {**found.device, **values}
        if values.get("result"):
            found.secret = None
    return found  # type: ignore[no-any-return]  # the session is untyped


# Storage


def _keep(
    user_id: int,
    service: Service,
    kind: str,
    state: str,
    *,
    verifier: str | None = None,
    redirect: str | None = None,
    secret: str | None = None,
    device: dict[str, Any] | None = None,
    lifetime: timedelta = LIFETIME,
) -> OAuthFlow:
    flow = OAuthFlow(
        state=state,
        user_id=user_id,
        service=service,
        kind=kind,
        verifier=encrypt(verifier) if verifier else None,
        redirect_uri=redirect,
        secret=encrypt(secret) if secret else None,
        device=device or {},
        expires_at=utcnow() + lifetime,
    )
    with own_transaction() as session:
        session.execute(delete(OAuthFlow).where(OAuthFlow.expires_at < utcnow() - timedelta(hours=1)))
        session.add(flow)
    return flow


def _find(user_id: int, service: str, state: str | None) -> OAuthFlow | None:
    """The person's own sign-in that is still valid: by its state, else the newest by pasting."""
    which = OAuthFlow.state == state if state is not None else OAuthFlow.kind == "paste"
    with own_transaction(readonly=True) as session:
        found: OAuthFlow | None = session.scalar(
            select(OAuthFlow)
            .where(
                which,
                OAuthFlow.kind.in_(("code", "paste")),
                OAuthFlow.user_id == user_id,
                OAuthFlow.service == service,
                OAuthFlow.expires_at > utcnow(),
            )
            .order_by(OAuthFlow.created_at.desc())
            .limit(1)
        )
    return found


def _forget(state: str) -> None:
    with own_transaction() as session:
        session.execute(delete(OAuthFlow).where(OAuthFlow.state == state))
