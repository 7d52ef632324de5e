"""Signing in to Trakt without our pages: the address to open, and the code that it gives."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import timedelta
from urllib.parse import urlencode

from flask import Response
from pydantic import Field
from sqlalchemy import delete, select

from webapp import enqueue, grants, tokens
from webapp.api.fields import ApiError, Body, ErrorBody, answer
from webapp.api.guard import api_blueprint, person
from webapp.crypto import decrypt, encrypt
from webapp.database import transaction
from webapp.models import OAuthFlow, utcnow

blueprint = api_blueprint("api_trakt_auth", answers={409: ErrorBody, 502: ErrorBody})

VALID = timedelta(minutes=10)
WEEK = 604_800  # seconds; what Trakt issues in 2026, for tokens that do not say


class AuthAddress(Body):
    auth_url: str = Field(description="Open it in a browser; valid for ten minutes")
    redirect_uri: str = Field(description="The return address to register with the Trakt app")


class CodeBody(Body):
    code: str = Field(min_length=1, max_length=500)


class AuthAnswer(Body):
    message: str
    expires_in: int = Field(alias="expires_in", description="Seconds")


@blueprint.get("/trakt-auth", summary="The address of Trakt's sign-in", responses={200: AuthAddress})
def trakt_auth_address() -> Response:
    user, app, now = person(), _app(), utcnow()
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    redirect = grants.redirect_uri("trakt")
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    with transaction() as session:
        session.add(
            OAuthFlow(
                state=state,
                user_id=user.id,
                service="trakt",
                kind="code",
                verifier=encrypt(verifier),
                redirect_uri=redirect,
                expires_at=now + VALID,
            )
        )
    parameters = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": redirect,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    address = f"{grants.authorize_url('trakt')}?{urlencode(parameters)}"
    return answer(AuthAddress(auth_url=address, redirect_uri=redirect))


@blueprint.post("/trakt-auth", summary="Exchange a code of Trakt's sign-in", responses={200: AuthAnswer})
def trakt_auth(body: CodeBody) -> Response:
    """The code belongs to the newest address that was asked for."""
    user, app = person(), _app()
    with transaction(readonly=True) as session:
        flow = session.scalar(
            select(OAuthFlow)
            .where(
                OAuthFlow.user_id == user.id,
                OAuthFlow.service == "trakt",
                OAuthFlow.kind == "code",
                OAuthFlow.expires_at > utcnow(),
            )
            .order_by(OAuthFlow.created_at.desc())
            .limit(1)
        )
    verifier = decrypt(flow.verifier) if flow is not None and flow.verifier else None
    redirect = (flow.redirect_uri if flow is not None else None) or grants.redirect_uri("trakt")
    try:
        got = grants.exchange_code("trakt", app, body.code.strip(), redirect=redirect, verifier=verifier)
    except grants.GrantRefused as error:
        raise ApiError(400, error.error, f"Trakt refused the code: {error.detail}.") from None
    except grants.GrantUnclear as error:
        raise ApiError(502, "service_down", f"Trakt gave no readable answer: {error.detail}.") from None
    if flow is not None:
        with transaction() as session:
            session.execute(delete(OAuthFlow).where(OAuthFlow.state == flow.state))
    enqueue.connection_check(tokens.store(user.id, "trakt", got))
    left = int((got.expires_at - utcnow()).total_seconds()) if got.expires_at else WEEK
    return answer(AuthAnswer(message="Connected to Trakt", expires_in=left))


def _app() -> grants.App:
    client_id, secret = tokens.app_credentials(person().id, "trakt")
    if not client_id:
        raise ApiError(409, "trakt_app_missing", "No Trakt app is set: TRAKT_CLIENT_ID, or the settings page.")
    return grants.App(client_id, secret)
