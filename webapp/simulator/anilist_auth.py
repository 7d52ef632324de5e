"""The stand-in of anilist.co's OAuth pages: authorize, token, and the pin page that shows what to paste."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from webapp.simulator import constants
from webapp.simulator.trakt_rows import json_answer
from webapp.simulator.world import Grant, World

YEAR = 31_536_000


def blueprint(world: World) -> Blueprint:
    """`/anilist/oauth/{authorize,token,pin}`."""
    pages = Blueprint("anilist_auth", __name__, url_prefix="/anilist/oauth")

    @pages.get("/authorize")
    def authorize() -> str:
        if request.args.get("client_id") != constants.ANILIST_CLIENT_ID:
            abort(400)
        if request.args.get("response_type") not in ("code", "token"):
            abort(400)
        names = [user.name for user in world.users.values()]
        return render_template("authorize.html", service="AniList", accounts=names, fields=request.args)

    @pages.post("/authorize")
    def approve() -> BaseResponse:
        pin = url_for("anilist_auth.pin", _external=True)
        target = request.form.get("redirect_uri") or pin
        name = request.form.get("account", constants.ANILIST_USER_NAME)
        user = next((u for u in world.users.values() if u.name == name), None)
        if user is None:
            abort(400)
        if request.form.get("answer") == "deny":
            return redirect(f"{target}?{urlencode({'error': 'access_denied'})}")
        if request.form.get("response_type") == "token":
            answer = _token(world, user.id)
            return redirect(
                f"{target}#{urlencode({n: answer[n] for n in ('access_token', 'token_type', 'expires_in')})}"
            )
        code = secrets.token_hex(24)
        world.anilist_codes[code] = Grant(
            constants.ANILIST_CLIENT_ID, str(user.id), request.form.get("redirect_uri") or pin, "", world.clock() + 600
        )
        values = {"code": code} | ({"state": request.form["state"]} if request.form.get("state") else {})
        return redirect(f"{target}{'&' if '?' in target else '?'}{urlencode(values)}")

    @pages.post("/token")
    def token() -> Response:
        body = request.get_json(silent=True) or request.form
        if (body.get("client_id"), body.get("client_secret")) != (
            constants.ANILIST_CLIENT_ID,
            constants.ANILIST_CLIENT_SECRET,
        ):
            return json_answer({"error": "invalid_client", "message": "Client authentication failed"}, 401)
        if body.get("grant_type") != "authorization_code":
            why = "The authorization grant type is not supported by the authorization server."
            return json_answer({"error": "unsupported_grant_type", "message": why}, 400)
        grant = world.anilist_codes.pop(str(body.get("code")), None)
        if grant is None or grant.expires_at <= world.clock() or body.get("redirect_uri") != grant.redirect_uri:
            why = "The provided authorization grant is invalid, expired or revoked."
            return json_answer({"error": "invalid_request", "message": why}, 400)
        return json_answer(_token(world, int(grant.account)))

    @pages.get("/pin")
    def pin() -> str:
        return render_template("code.html", service="AniList", code=request.args.get("code", ""))

    return pages


def _token(world: World, user_id: int) -> dict[str, object]:
    now = int(world.clock())
    token = constants.anilist_token(user_id, serial=secrets.token_hex(16), issued=now, expires=now + YEAR)
    world.anilist_tokens[token] = (user_id, now + YEAR)
    world.dirty = True
    return {
        "token_type": "Bearer",
        "expires_in": YEAR,
        "access_token": token,
        "refresh_token": "def502" + secrets.token_hex(24),
    }
