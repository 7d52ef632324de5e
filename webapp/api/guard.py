"""How every part of the API begins: who may ask, and how refusals are answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, abort, g, request
from flask_openapi3.blueprint import APIBlueprint

from webapp.api.fields import ApiError, ErrorBody, refused
from webapp.api.spec import BEARER
from webapp.auth import bearer_user
from webapp.extensions import db
from webapp.models import User
from webapp.runs import RunError


def require_bearer() -> None:
    """Before every request of the API. Raises `ApiError` 401; a HEAD never runs a command."""
    if request.method == "HEAD":
        abort(405)
    person = bearer_user()
    if person is None:
        raise ApiError(401, "unauthorized", "Send the API token as Authorization: Bearer ...")
    db.session.expunge(person)  # stays readable whatever happens to the session
    g.person = person


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
    shared: dict[Any, Any] = {400: ErrorBody, 401: ErrorBody} if guard else {}
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
