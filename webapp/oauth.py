"""The pages of signing in to AniList and Trakt: forms, return addresses, the device code, disconnecting.

Like all pages they need a signed-in person (`webapp.auth`). The return addresses `/oauth/anilist/callback` and `/oauth/trakt/callback` are fixed: people register them with the
services. What a callback brings counts only with a state that this signed-in person began.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from webapp import enqueue, flows, queries, tokens
from webapp.flows import FlowError
from webapp.grants import SERVICE_NAMES, SERVICES, Service, redirect_uri
from webapp.models import OAuthFlow, utcnow
from webapp.templating import is_htmx

blueprint = Blueprint("oauth", __name__, url_prefix="/oauth")
_NAME = re.compile(r"[A-Za-z0-9_]{2,20}")  # AniList's rule for names
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class AppForm:
    """What the form of an app shows: never the secret itself."""

    client_id: str
    has_secret: bool
    redirect_uri: str


@blueprint.app_template_global("oauth_app")
def oauth_app(service: Service) -> AppForm:
    client_id, secret = tokens.app_credentials(current_user.id, service)
    return AppForm(client_id or "", bool(secret), redirect_uri(service))


@blueprint.app_template_global("oauth_pin")
def oauth_pin(service: Service) -> str:
    """The return address that an app needs so that the service shows its code instead of sending the browser back."""
    return flows.pin_address(service)


def _service(name: str) -> Service:
    found = next((service for service in SERVICES if service == name), None)
    if found is None:
        abort(404)
    return found


def _back(service: Service, text: str = "", tone: str = "ok") -> ResponseReturnValue:
    if text:
        flash(text, tone)
    return redirect(url_for("settings.connections", _anchor=service), 303)


def _connected(service: Service, connection_id: int) -> ResponseReturnValue:
    enqueue.connection_check(connection_id)
    return _back(service, _("%(service)s is connected.", service=SERVICE_NAMES[service]))


# In the browser


@blueprint.post("/<name>/start")
def start(name: str) -> ResponseReturnValue:
    """Send the browser to the service; with `how=paste` show the link and a field for the code instead."""
    service = _service(name)
    pasted = request.form.get("how") == "paste"
    try:
        begun = flows.begin_code(current_user.id, service, pasted=pasted)
    except FlowError as error:
        return _back(service, str(error), "bad")
    if pasted:
        return render_template("connections/paste.html", service=service, begun=begun, error="")
    return redirect(begun.url, 303)


@blueprint.get("/<name>/callback")
def callback(name: str) -> ResponseReturnValue:
    service = _service(name)
    title = SERVICE_NAMES[service]
    state, code = request.args.get("state", "")[:128], request.args.get("code", "")[:2000]
    if error := request.args.get("error", "")[:80]:
        if error == "access_denied":
            return _back(service, _("You said no on %(service)s, so nothing was connected.", service=title), "bad")
        return _back(service, _("%(service)s answered: %(error)s.", service=title, error=error), "bad")
    if not code or not state:
        text = _("%(service)s sent you back without a code. Please begin again.", service=title)
        return _back(service, text, "bad")
    try:
        connection_id, _issued = flows.finish_code(current_user.id, service, code, state=state)
    except FlowError as failed:
        return _back(service, str(failed), "bad")
    return _connected(service, connection_id)


@blueprint.post("/<name>/code")
def paste(name: str) -> ResponseReturnValue:
    """A code that the service showed, brought back by hand; for AniList a token is as good."""
    service = _service(name)
    text = re.sub(r"\s+", "", request.form.get("code", ""))[:4000]
    state = request.form.get("state") or None
    try:
        if not text:
            raise FlowError("missing", _("Paste the code that %(service)s showed you.", service=SERVICE_NAMES[service]))
        if service == "anilist" and _TOKEN.fullmatch(text):
            return _connected(service, flows.paste_token(current_user.id, text))
        connection_id, _issued = flows.finish_code(current_user.id, service, text, state=state)
    except FlowError as error:
        if state is None or is_htmx() or error.code == "flow_expired":
            return _back(service, str(error), "bad")
        return render_template(
            "connections/paste.html", service=service, begun=None, state=state, error=str(error)
        ), 422
    return _connected(service, connection_id)


# By name


@blueprint.post("/anilist/name")
def name_only() -> ResponseReturnValue:
    """Read a public AniList list by its name alone. `first`: it was typed on Home, where the set-up goes on."""
    text = request.form.get("name", "").strip()
    text = text.rstrip("/").rsplit("/", 1)[-1] if "anilist.co/" in text else text
    fits = _NAME.fullmatch(text)
    if fits:
        enqueue.connection_check(tokens.store_name(current_user.id, "anilist", text))
        said, tone = _("We look for the list of %(name)s.", name=text), "ok"
    else:
        said, tone = _("An AniList name has 2 to 20 letters, digits or underscores."), "bad"
    if "first" not in request.form:
        return _back("anilist", said, tone)
    flash(said, tone)
    return redirect(url_for("home.show"), 303)


# Device code


@blueprint.post("/trakt/device")
def device() -> ResponseReturnValue:
    try:
        flow = flows.begin_device(current_user.id)
    except FlowError as error:
        return _back("trakt", str(error), "bad")
    return redirect(url_for("oauth.device_state", state=flow.state), 303)


@blueprint.get("/trakt/device/<state>")
def device_state(state: str) -> ResponseReturnValue:
    """The code to type, and whether it was; the fragment asks again by itself while it waits."""
    polled = flows.poll_device(current_user.id, state)
    if polled is None:
        abort(404)
    flow, connection_id = polled
    if connection_id is not None:
        enqueue.connection_check(connection_id)
    ended = bool(flow.device.get("result"))
    if is_htmx():
        return render_template("connections/_device.html", **_device_context(flow)), 286 if ended else 200
    if flow.device.get("result") == "connected":
        return _back("trakt", _("%(service)s is connected.", service="Trakt"))
    return render_template("connections/device.html", **_device_context(flow))


def _device_context(flow: OAuthFlow) -> dict[str, object]:
    """Shared by page and fragment."""
    result = flow.device.get("result")
    sentences = {
        "connected": _("Trakt is connected."),
        "expired": _("The code has run out. Get a new one."),
        "denied": _("You said no on Trakt, so nothing was connected."),
        "already_used": _("This code was used already. Get a new one."),
        "refused": _("Trakt refused the code. Get a new one."),
    }
    left = max(int((flow.expires_at - utcnow()).total_seconds()), 0)
    return {
        "flow": flow,
        "device": flow.device,
        "result": result,
        "sentence": sentences.get(result or "", ""),
        "seconds_left": left,
        "lifetime": max(int((flow.expires_at - flow.created_at).total_seconds()), left, 1),
        "interval": max(int(float(flow.device.get("interval", 5))), 1),
        "url": _safe_url(str(flow.device.get("verification_url", ""))),
    }


def _safe_url(url: str) -> str:
    """The address that Trakt gave, if it is one that a link may have."""
    return url if url.startswith(("https://", "http://")) else str(current_app.config["TSUZUKI"].TRAKT_AUTH_URL)


# The app, and leaving


@blueprint.post("/<name>/app")
def app_form(name: str) -> ResponseReturnValue:
    """Keep the person's own app; an empty client id goes back to the one of the environment."""
    service = _service(name)
    client_id, secret = (request.form.get(field, "").strip() for field in ("client_id", "client_secret"))
    if (client_id and not _KEY.fullmatch(client_id)) or (secret and not _KEY.fullmatch(secret)):
        return _back(service, _("A client ID or secret has no spaces and at most 200 characters."), "bad")
    if service == "anilist" and client_id and not client_id.isdecimal():
        return _back(service, _("AniList's client ID is a number."), "bad")
    known, known_secret = tokens.app_credentials(current_user.id, service)
    if client_id and client_id == known and not secret:
        secret = known_secret or ""  # the form never shows it, so an empty field means "as it is"
    tokens.store_app(current_user.id, service, client_id or None, secret or None)
    return _back(service, _("The app is saved."))


@blueprint.post("/<name>/check")
def check(name: str) -> ResponseReturnValue:
    """Ask the service who the account is; its answer shows with the connection."""
    service = _service(name)
    row = queries.connections(current_user.id).get(service)
    if row is None or row.state == "disconnected":
        abort(404)
    title = SERVICE_NAMES[service]
    if not enqueue.connection_check(row.id):
        return _back(service, _("The queue does not answer, so %(service)s was not asked.", service=title), "bad")
    return _back(service, _("We ask %(service)s. Its answer stands here in a moment.", service=title), "run")


@blueprint.post("/<name>/disconnect")
def disconnect(name: str) -> ResponseReturnValue:
    service = _service(name)
    tokens.disconnect(current_user.id, service)
    return _back(
        service, _("%(service)s is disconnected. Nothing on either side was changed.", service=SERVICE_NAMES[service])
    )
