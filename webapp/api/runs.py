"""Runs: the list, one, and what a person may do to one."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from webapp import queries
from webapp import runs as commands
from webapp.api import reads
from webapp.api.commands import OpenBody, RunBody, answer_run, finished
from webapp.api.fields import ApiError, Body, Command, ErrorBody, Id, Limit, Query, answer, iso, run_address
from webapp.api.guard import api_blueprint, person
from webapp.database import transaction
from webapp.models import OPEN, Run

blueprint = api_blueprint("api_runs", answers={404: ErrorBody})
DONE: dict[Any, Any] = {200: RunBody, 202: OpenBody, 409: ErrorBody, 502: RunBody}


class ProgressPart(Body):
    phase: str | None
    done: int
    total: int


class RunRow(Body):
    id: int
    mode: str
    trigger: str
    preview: bool
    anilist_id: int | None
    status: str
    reason: str | None
    detail: str | None
    resume_at: str | None
    progress: ProgressPart
    result: dict[str, Any]
    created_at: str | None
    started_at: str | None
    finished_at: str | None
    status_url: str


class RunList(Body):
    items: list[RunRow]
    count: int
    next: str | None


class RunsQuery(Query):
    limit: Limit = 50
    before: Id | None = Field(None, description="Only runs with a lower id")


class RunPath(BaseModel):
    id: Id


def _row(run: Run) -> RunRow:
    return RunRow(
        id=run.id,
        mode=run.mode,
        trigger=run.trigger,
        preview=run.preview,
        anilist_id=run.anilist_id,
        status=run.status,
        reason=run.reason,
        detail=run.detail,
        resume_at=iso(run.resume_at),
        progress=ProgressPart(phase=run.phase, done=run.done, total=run.total),
        result=run.result or {},
        created_at=iso(run.created_at),
        started_at=iso(run.started_at),
        finished_at=iso(run.finished_at),
        status_url=run_address(run.id),
    )


@blueprint.get("/runs", summary="Runs, newest first", responses={200: RunList})
def many(query: RunsQuery) -> Response:
    user = person()
    with transaction(readonly=True):
        found = queries.runs(user.id, before=query.before, limit=query.limit + 1)
        count = reads.run_count(user.id)
    rows = found[: query.limit]
    more = (
        f"{request.script_root}{request.path}?limit={query.limit}&before={rows[-1].id}"
        if len(found) > len(rows)
        else None
    )
    return answer(RunList(items=[_row(run) for run in rows], count=count, next=more))


@blueprint.get("/runs/<id>", summary="One run", responses={200: RunRow})
def one_run(path: RunPath) -> Response:
    with transaction(readonly=True):
        run = queries.run(person().id, path.id)
    if run is None:
        raise ApiError(404, "not_found", "There is no such run.")
    return answer(_row(run))


@blueprint.post("/runs/<id>/cancel", summary="Cancel a run", responses=DONE)
def cancel(path: RunPath, query: Command) -> Response:
    """200 once it has ended, 202 while it finishes its open request."""
    run = finished(commands.cancel(path.id, person().id).id, query.wait)
    status = 202 if run.status in OPEN else 200
    body = RunBody(run_id=run.id, status=run.status, reason=run.reason, status_url=run_address(run.id))
    if status == 202:
        return answer(OpenBody(**body.model_dump(), retry_after=5), 202)
    return answer({**(run.result or {}), **body.model_dump(by_alias=True)})


@blueprint.post("/runs/<id>/undo", summary="Take what a run sent off Trakt again", responses=DONE)
def undo(path: RunPath, query: Command) -> Response:
    """Starts a run of mode `undo`; the answer is about that one."""
    return answer_run(commands.undo(path.id, person().id), query.wait)


class ApproveBody(Body):
    """May be left out: then everything of the plan is approved."""

    model_config = ConfigDict(openapi_extra={"required": False})  # type: ignore[typeddict-unknown-key]  # of flask-openapi3

    entries: list[Id] | None = Field(None, max_length=100_000, description="AniList ids; only these are sent")
    extras: list[Annotated[str, Field(max_length=64)]] | None = Field(
        None,
        max_length=100_000,
        description="Of ratings, watchlist items and dropped shows only these: rating:season:500:1; else those of `entries`",
    )

    @model_validator(mode="before")
    @classmethod
    def _may_be_missing(cls, value: Any) -> Any:
        """No body at all means everything; one that is there but unreadable is refused, never taken as everything."""
        return {} if value is None and not request.get_data() else value


@blueprint.post("/runs/<id>/approve", summary="Let a run that needs approval go on", responses=DONE)
def approve(path: RunPath, query: Command, body: ApproveBody) -> Response:
    return answer_run(commands.approve(path.id, person().id, body.entries, body.extras), query.wait)
