"""The stand-in of auth.trakt.tv: authorization code with PKCE, device code, refresh, revoke, and pages to press on.

Refresh tokens work once. A device code answers 400 while pending, 404 unknown, 409 used, 410 expired, 418 denied and
429 when polled too fast.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from webapp.simulator import constants
from webapp.simulator.trakt_rows import json_answer
from webapp.simulator.world import Grant, World

OOB = "urn:ietf:wg:oauth:2.0:oob"


def blueprint(world: World) -> Blueprint:
    """`/trakt-auth/...`."""
    pages = Blueprint("trakt_auth", __name__, url_prefix="/trakt-auth")
    _add_sign_in(pages, world)
    _add_device(pages, world)

    @pages.post("/oauth/token")
    def token() -> Response:
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            return _refused(400, "invalid_request", "the body must be JSON")
        if refused := _check_app(world, body):
            return refused
        if body.get("grant_type") == "refresh_token":
            return _refresh(world, body)
        if body.get("grant_type") == "authorization_code":
            return _exchange(world, body)
        return _refused(400, "unsupported_grant_type", "grant_type is not known")

    @pages.post("/oauth/revoke")
    def revoke() -> Response:
        body = request.get_json(silent=True) or {}
        token = str(body.get("token"))
        name, _ = world.access_tokens.pop(token, ("", 0.0))
        name = name or world.refresh_tokens.pop(token, "")
        for refresh in [r for r, owner in world.refresh_tokens.items() if owner == name]:
            del world.refresh_tokens[refresh]
        world.dirty = True
        return Response(b"", 200)

    return pages


def _refused(status: int, error: str, why: str) -> Response:
    return json_answer({"error": error, "error_description": why}, status)


def _check_app(world: World, body: dict[str, Any]) -> Response | None:
    client = str(body.get("client_id") or "")
    if client != constants.TRAKT_CLIENT_ID or world.refused_apps.get(client) == "deleted":
        return _refused(401, "invalid_client", "client_id is required")
    secret = body.get("client_secret")
    if secret and secret != constants.TRAKT_CLIENT_SECRET:
        return _refused(401, "invalid_client", "client_secret is wrong")
    return None


def _refresh(world: World, body: dict[str, Any]) -> Response:
    name = world.refresh_tokens.pop(str(body.get("refresh_token")), None)
    if name is None:
        return _refused(400, "invalid_grant", "session not found")
    return json_answer(world.issue_tokens(name))


def _exchange(world: World, body: dict[str, Any]) -> Response:
    grant = world.codes.pop(str(body.get("code")), None)
    if grant is None or grant.expires_at <= world.clock():
        return _refused(400, "invalid_grant", "code is unknown, used or expired")
    if body.get("redirect_uri") != grant.redirect_uri:
        return _refused(400, "invalid_grant", "redirect_uri differs")
    if grant.challenge:
        digest = hashlib.sha256(str(body.get("code_verifier") or "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != grant.challenge:
            return _refused(400, "invalid_grant", "code_verifier does not fit")
    elif body.get("client_secret") != constants.TRAKT_CLIENT_SECRET:
        return _refused(401, "invalid_client", "client_secret is needed without PKCE")
    return json_answer(world.issue_tokens(grant.account))


def _add_sign_in(pages: Blueprint, world: World) -> None:
    @pages.get("/oauth/authorize")
    def authorize() -> str:
        if request.args.get("client_id") != constants.TRAKT_CLIENT_ID or request.args.get("response_type") != "code":
            abort(400)
        if request.args.get("code_challenge") and request.args.get("code_challenge_method") != "S256":
            abort(400)
        return render_template("authorize.html", service="Trakt", accounts=sorted(world.accounts), fields=request.args)

    @pages.post("/oauth/authorize")
    def approve() -> BaseResponse | str:
        target, state = request.form.get("redirect_uri", ""), request.form.get("state", "")
        account = request.form.get("account", constants.TRAKT_ACCOUNT)
        if account not in world.accounts:
            abort(400)
        if request.form.get("answer") == "deny":
            return redirect(f"{target}?{urlencode({'error': 'access_denied', 'state': state})}")
        code = secrets.token_hex(32)
        world.codes[code] = Grant(
            constants.TRAKT_CLIENT_ID,
            account,
            target,
            request.form.get("code_challenge", ""),
            world.clock() + 600,
        )
        if target == OOB:
            return render_template("code.html", service="Trakt", code=code)
        joint = "&" if "?" in target else "?"
        return redirect(f"{target}{joint}{urlencode({'code': code, 'state': state})}")


def _add_device(pages: Blueprint, world: World) -> None:
    @pages.post("/oauth/device/code")
    def device_code() -> Response:
        body = request.get_json(silent=True) or {}
        if refused := _check_app(world, body):
            return refused
        code, user_code = secrets.token_hex(32), secrets.token_hex(4).upper()
        lifetime = world.settings.device_seconds
        world.devices[code] = Grant(constants.TRAKT_CLIENT_ID, expires_at=world.clock() + lifetime, user_code=user_code)
        return json_answer(
            {
                "device_code": code,
                "user_code": user_code,
                "verification_url": url_for("trakt_auth.activate", _external=True),
                "expires_in": lifetime,
                "interval": world.settings.device_interval,
            }
        )

    @pages.post("/oauth/device/token")
    def device_token() -> Response:
        body = request.get_json(silent=True) or {}
        if refused := _check_app(world, body):
            return refused
        grant = world.devices.get(str(body.get("code")))
        status = 404 if grant is None else _device_status(world, grant)
        if grant is None or status != 200:
            return Response(b"", status)
        grant.state = "used"
        return json_answer(world.issue_tokens(grant.account))

    @pages.get("/activate")
    def activate() -> str:
        return render_template(
            "activate.html", accounts=sorted(world.accounts), code=request.args.get("code", ""), said=""
        )

    @pages.post("/activate")
    def activated() -> tuple[str, int]:
        code = request.form.get("user_code", "").strip().upper()
        account = request.form.get("account", constants.TRAKT_ACCOUNT)
        grant = next((g for g in world.devices.values() if g.user_code == code and g.state == "open"), None)
        if grant is None or account not in world.accounts:
            said = "This code is not known."
            page = render_template("activate.html", accounts=sorted(world.accounts), code=code, said=said)
            return page, 404
        denied = request.form.get("answer") == "deny"
        grant.state, grant.account = ("denied" if denied else "approved"), account
        said = "Denied." if denied else "Done. Go back to the app; it goes on by itself."
        return render_template("activate.html", accounts=sorted(world.accounts), code="", said=said), 200


def _device_status(world: World, grant: Grant) -> int:
    now = world.clock()
    too_fast = now - grant.polled_at < world.settings.device_interval * 0.8
    grant.polled_at = now
    if grant.state == "used":
        return 409
    if grant.state == "denied":
        return 418
    if grant.expires_at <= now:
        return 410
    if too_fast:
        return 429
    return 200 if grant.state == "approved" else 400
