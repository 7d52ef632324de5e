"""Signing in to Trakt without our pages: the address to open, and the code that it gives."""

from __future__ import annotations

from flask import Response
from pydantic import Field

from webapp import enqueue, flows
from webapp.api import reads
from webapp.api.fields import ApiError, Body, ErrorBody, answer
from webapp.api.guard import api_blueprint, person
from webapp.database import transaction
from webapp.models import utcnow

blueprint = api_blueprint("api_trakt_auth", answers={409: ErrorBody, 502: ErrorBody})

WEEK = 604_800  # seconds; what Trakt issues in 2026, for tokens that do not say
STATUS = {"no_app": 409, "service_down": 502}  # every other refusal of a sign-in: 400


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
    try:
        begun = flows.begin_code(person().id, "trakt")
    except flows.FlowError as error:
        raise _refused(error) from None
    return answer(AuthAddress(auth_url=begun.url, redirect_uri=begun.redirect_uri))


@blueprint.post("/trakt-auth", summary="Exchange a code of Trakt's sign-in", responses={200: AuthAnswer})
def trakt_auth(body: CodeBody) -> Response:
    """The code belongs to the newest address that was asked for."""
    user = person()
    with transaction(readonly=True):
        state = reads.newest_sign_in(user.id, "trakt")
    try:
        connection_id, got = flows.finish_code(user.id, "trakt", body.code.strip(), state=state)
    except flows.FlowError as error:
        raise _refused(error) from None
    enqueue.connection_check(connection_id)
    left = int((got.expires_at - utcnow()).total_seconds()) if got.expires_at else WEEK
    return answer(AuthAnswer(message="Connected to Trakt", expires_in=left))


def _refused(error: flows.FlowError) -> ApiError:
    return ApiError(STATUS.get(error.code, 400), error.code, str(error))
