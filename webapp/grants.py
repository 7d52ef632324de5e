"""The calls behind a sign-in: codes, device codes and refresh tokens become tokens. Nothing is stored here.

The bodies are JSON. Trakt: https://docs.trakt.tv/#reference/authentication-oauth (token lifetime is what the answer
says, refresh tokens are single-use). AniList: https://docs.anilist.co/guide/auth/ (a year, no refresh).
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from flask import current_app

from jobs.answers import Written
from jobs.errors import RateLimited
from jobs.said import said
from jobs.transport import Transport, user_agent

Service = Literal["anilist", "trakt"]
SERVICES: tuple[Service, ...] = ("anilist", "trakt")
SERVICE_NAMES = {"anilist": "AniList", "trakt": "Trakt"}


@dataclass(frozen=True, slots=True)
class App:
    """A registered app at a service."""

    client_id: str
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a service issued. `expires_at` None: not known, so used until it is refused."""

    access: str
    refresh: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """A code for the person to type at `verification_url`, and ours to ask with every `interval` seconds."""

    device_code: str
    user_code: str
    verification_url: str
    expires_in: float
    interval: float


class GrantRefused(Exception):
    """The service said no for good. `error` is OAuth's code (invalid_grant, invalid_client, ...) or `http_<status>`."""

    def __init__(self, error: str, detail: str = "", *, status: int | None = None) -> None:
        super().__init__(detail or error)
        self.error = error
        self.detail = detail or error
        self.status = status


class GrantUnclear(Exception):
    """No readable answer, or the service is busy: it may be tried again."""

    def __init__(self, detail: str, *, retry_after: float | None = None, status: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after
        self.status = status


def redirect_uri(service: Service) -> str:
    """The return address to register with the service; fixed for ever."""
    return f"{current_app.config['TSUZUKI'].public_url}/oauth/{service}/callback"


def authorize_url(service: Service) -> str:
    config = current_app.config["TSUZUKI"]
    return (
        f"{config.ANILIST_AUTH_URL}/authorize" if service == "anilist" else f"{config.TRAKT_AUTH_URL}/oauth/authorize"
    )


def _token_url(service: Service) -> str:
    config = current_app.config["TSUZUKI"]
    return f"{config.ANILIST_AUTH_URL}/token" if service == "anilist" else f"{config.TRAKT_AUTH_URL}/oauth/token"


def exchange_code(service: Service, app: App, code: str, *, redirect: str, verifier: str | None) -> Tokens:
    """An authorization code -> tokens. Raises GrantRefused, GrantUnclear."""
    body = {"code": code, **_app(app), "redirect_uri": redirect, "grant_type": "authorization_code"}
    if verifier:
        body["code_verifier"] = verifier
    return _tokens(service, _post(service, _token_url(service), body))


def refresh_grant(service: Service, app: App, refresh_token: str) -> Tokens:
    """A refresh token, which is used up by it -> new tokens. Raises GrantRefused, GrantUnclear."""
    body = {
        "refresh_token": refresh_token,
        **_app(app),
        "redirect_uri": redirect_uri(service),
        "grant_type": "refresh_token",
    }
    return _tokens(service, _post(service, _token_url(service), body))


def device_code(app: App) -> DeviceCode:
    """Begin a sign-in without a return address (Trakt only). Raises GrantRefused, GrantUnclear."""
    url = f"{current_app.config['TSUZUKI'].TRAKT_AUTH_URL}/oauth/device/code"
    data = _answer("trakt", _post("trakt", url, {"client_id": app.client_id}))
    try:
        return DeviceCode(
            str(data["device_code"]),
            str(data["user_code"]),
            str(data["verification_url"]),
            min(max(float(data.get("expires_in", 600)), 1.0), 1800.0),
            min(max(float(data.get("interval", 5)), 1.0), 60.0),
        )
    except (KeyError, TypeError, ValueError):
        raise GrantUnclear(said("Trakt answered without a device code")) from None


def device_token(app: App, code: str) -> Tokens | Literal["pending", "slow_down"]:
    """Ask whether the person has typed the code. Raises GrantRefused (expired, denied, used), GrantUnclear."""
    url = f"{current_app.config['TSUZUKI'].TRAKT_AUTH_URL}/oauth/device/token"
    written = _post("trakt", url, {"code": code, **_app(app)})
    if written.status == 400:  # the body is empty, or says authorization_pending
        error = _error_of(written)
        if error in ("", "authorization_pending"):
            return "pending"
        raise GrantRefused(error)
    if written.status == 429:
        return "slow_down"
    refusals = {404: "invalid_code", 409: "already_used", 410: "expired", 418: "denied"}
    if written.status in refusals:
        raise GrantRefused(refusals[written.status])
    return _tokens("trakt", written)


def revoke(app: App, token: str) -> bool:
    """Tell Trakt to forget a token; True when it said yes. Never raises for what the service does."""
    url = f"{current_app.config['TSUZUKI'].TRAKT_AUTH_URL}/oauth/revoke"
    try:
        written = _post("trakt", url, {"token": token, **_app(app)})
    except GrantUnclear:
        return False
    return written.status is not None and 200 <= written.status < 300


def token_expiry(token: str) -> datetime | None:
    """`exp` of a JWT, unverified: only to know when to ask for a new one."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return datetime.fromtimestamp(float(claims["exp"]), UTC)
    except (ValueError, KeyError, IndexError, TypeError, OverflowError, OSError):
        return None


def _app(app: App) -> dict[str, str]:
    return {"client_id": app.client_id, **({"client_secret": app.secret} if app.secret else {})}


def _post(service: Service, url: str, body: Mapping[str, str]) -> Written:
    config = current_app.config["TSUZUKI"]
    door = Transport(service, agent=user_agent(config.public_url), write_seconds=min(config.HTTP_READ_SECONDS, 30.0))
    try:
        return door.write("POST", url, body=body, headers={"Referer": config.public_url})
    except RateLimited as error:  # no pace is set here, but a pace may be one day
        raise GrantUnclear(error.detail, retry_after=error.seconds) from error


def _error_of(written: Written) -> str:
    data = written.data if isinstance(written.data, dict) else {}
    return str(data.get("error") or "")[:80]


def _answer(service: Service, written: Written) -> dict[str, Any]:
    name, status = SERVICE_NAMES[service], written.status
    if status is None or written.fate != "answered" or status >= 500 or status in (408, 409, 429):
        raise GrantUnclear(
            said("%(service)s %(why)s", service=name, why=written.detail),
            retry_after=written.retry_after,
            status=status,
        )
    if not written.ok:
        data = written.data if isinstance(written.data, dict) else {}
        words = str(data.get("error_description") or data.get("hint") or data.get("message") or "")[:200]
        raise GrantRefused(_error_of(written) or f"http_{status}", words, status=status)
    if not isinstance(written.data, dict):
        raise GrantUnclear(said("%(name)s answered with something else than tokens", name=name))
    return written.data


def _tokens(service: Service, written: Written) -> Tokens:
    data = _answer(service, written)
    access, refresh = data.get("access_token"), data.get("refresh_token")
    if not isinstance(access, str) or not access:
        raise GrantUnclear(said("%(service)s answered without a token", service=SERVICE_NAMES[service]))
    return Tokens(access, refresh if isinstance(refresh, str) and refresh else None, _expiry(data))


def _expiry(data: Mapping[str, Any]) -> datetime | None:
    """`created_at` + `expires_in`, never a constant: Trakt has changed the lifetime three times."""

    def number(name: str) -> float | None:
        value = data.get(name)
        return float(value) if isinstance(value, int | float) and math.isfinite(value) and value > 0 else None

    lifetime, created = number("expires_in"), number("created_at")
    if lifetime is None or lifetime > 10 * 366 * 86400:
        return None
    start = datetime.now(UTC)
    if created is not None and created < 1e11:
        start = datetime.fromtimestamp(created, UTC)
    return start + timedelta(seconds=lifetime)
