"""How every part of the API begins: who may ask, and how refusals are answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from flask import Response, abort, g, request
from flask_openapi3.blueprint import APIBlueprint

from webapp import security
from webapp.api.fields import ApiError, ErrorBody, refused
from webapp.api.spec import BEARER
from webapp.auth import bearer_user
from webapp.extensions import db
from webapp.models import User
from webapp.runs import RunError


def require_bearer() -> None:
    """Before every request of the API. Raises `ApiError` 401 or 429; a HEAD never runs a command."""
    if request.method == "HEAD":
        abort(405)
    person = bearer_user()
    if person is None:
        refuse_token("Send the API token as Authorization: Bearer ...", given="Authorization" in request.headers)
    db.session.expunge(person)  # stays readable whatever happens to the session
    g.person = person


def refuse_token(sentence: str, *, given: bool) -> NoReturn:
    """Raises `ApiError` 401, or 429 after ten wrong tokens from this address within five minutes.

    `given`: a wrong one was sent; without any, nobody has guessed. The right token is never asked to wait: whoever
    calls this has compared it before.
    """
    who = f"token from {request.remote_addr}"
    if wait := security.seconds_to_wait(who):
        text = "Too many wrong tokens came from this address. Wait, then send the right one."
        raise ApiError(429, "too_many_tries", text, retry_after=wait)
    if given:
        security.count_wrong_try(who)
    raise ApiError(401, "unauthorized", sentence)


def person() -> User:
    """The account that the token belongs to."""
    found: User = g.person
    return found


def api_blueprint(
    name: str,
    *,
    prefix: str | None = "/api",
    guard: Callable[[], None] | None = require_bearer,
    security: list[dict[str, list[str]]] | None = None,
    answers: dict[Any, Any] | None = None,
) -> APIBlueprint:
    """A blueprint whose requests pass `guard`; `answers` are statuses that all its endpoints share."""
    shared: dict[Any, Any] = {400: ErrorBody, 401: ErrorBody, 429: ErrorBody} if guard else {}
    blueprint = APIBlueprint(
        name,
        __name__,
        url_prefix=prefix,
        abp_security=(security or BEARER) if guard else None,
        abp_responses={**shared, **(answers or {})},
    )
    if guard:
        blueprint.before_request(guard)
    blueprint.register_error_handler(ApiError, refused)
    blueprint.register_error_handler(RunError, _run_refused)
    return blueprint


def _run_refused(error: RunError) -> Response:
    return refused(ApiError(error.status, error.code, str(error)))
