"""`/cron`: a scheduler outside calls it, and whoever is due is checked. Answers at once."""

from __future__ import annotations

import hmac
from typing import Any

from flask import Response, current_app, request
from pydantic import Field
from sqlalchemy import select

from webapp import queries, schedule
from webapp.api.fields import ApiError, Body, Query, answer, iso, run_address
from webapp.api.guard import api_blueprint, refuse_token
from webapp.api.spec import CRON
from webapp.database import transaction
from webapp.models import User, utcnow


class CronQuery(Query):
    token: str | None = Field(None, description="The cron secret, where a scheduler cannot send a bearer token")


class StartedRun(Body):
    run_id: int
    status_url: str


class StartedBody(Body):
    message: str
    runs: list[StartedRun]
    last_run: str | None
    next_run: str | None


class SkippedBody(Body):
    message: str
    reason: str = Field(description="off, paused, not_connected, open_run, too_soon, no_account")
    last_run: str | None
    next_run: str | None


def require_secret() -> None:
    """Before every request here. Raises `ApiError` 401 or 429; compared in constant time."""
    with transaction(readonly=True):
        secret = queries.cron_secret(current_app.config["TSUZUKI"].CRON_SECRET)
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    given = sent.strip() if scheme.lower() == "bearer" else request.args.get("token", "")
    if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
        refuse_token("Send the cron secret as a bearer token or as ?token=.", given=bool(sent or given))
    if request.method == "HEAD":
        raise ApiError(405, "method_not_allowed", "Send a GET or a POST.")


blueprint = api_blueprint("api_cron", guard=require_secret, security=CRON)
short = api_blueprint("cron", prefix=None, guard=require_secret, security=CRON)


def check(query: CronQuery) -> Response:  # noqa: ARG001 - read by flask-openapi3 for the description
    """Starts a check of every account that is due; at most one every `CRON_MIN_HOURS`."""
    now = utcnow()
    started = schedule.start_due(now, "cron")
    with transaction(readonly=True) as session:
        people = session.scalars(select(User).order_by(User.id)).all()
        gates = [schedule.gate(user, "cron", now) for user in people]
    last = max((gate.last_run for gate in gates if gate.last_run), default=None)
    following = min((gate.next_run for gate in gates if gate.next_run), default=None)
    if started:
        runs = [StartedRun(run_id=run.id, status_url=run_address(run.id)) for run in started]
        body = StartedBody(message="Sync started", runs=runs, last_run=iso(last), next_run=iso(following))
        return answer(body, 202)
    soonest = min(gates, key=lambda gate: (gate.next_run is None, gate.next_run or now), default=None)
    reason = (soonest.reason if soonest else "no_account") or "too_soon"
    return answer(SkippedBody(message="Skipped sync", reason=reason, last_run=iso(last), next_run=iso(following)))


_ANSWERS: dict[Any, Any] = {200: SkippedBody, 202: StartedBody}
for _where in (blueprint, short):
    _where.get(
        "/cron", summary="Check every account that is due", operation_id=f"{_where.name}_get", responses=_ANSWERS
    )(check)
    _where.post("/cron", summary="Check every account that is due", operation_id=f"{_where.name}_post", responses=_ANSWERS)(check)  # fmt: skip
